//! `virtual(5)` and `transport(5)`: a key, a blank, and the rest of the logical line.

use super::destinations::{destinations, word_end};
use super::logical::{LogicalLines, skip_blanks};
use super::{Fault, Piece, Row};

/// The rows of `virtual(5)`: an address and the addresses that it stands for.
pub fn virtual_rows(text: &str) -> impl Iterator<Item = Result<Row<'_>, Fault>> {
    rows(text, destinations)
}

/// The rows of `transport(5)`: a pattern and one value, the transport and next hop.
pub fn transport_rows(text: &str) -> impl Iterator<Item = Result<Row<'_>, Fault>> {
    rows(text, |text, offset| Ok(vec![Piece::plain(text.trim_end(), offset)]))
}

fn rows<'a>(
    text: &'a str, values: impl Fn(&'a str, usize) -> Result<Vec<Piece<'a>>, Fault>,
) -> impl Iterator<Item = Result<Row<'a>, Fault>> {
    LogicalLines::new(text).map(move |line| {
        let line = line?;
        let end = word_end(line.text, 0, |octet| octet.is_ascii_whitespace(), line.start)?;
        let rest = skip_blanks(line.text, end);
        if rest == line.text.len() {
            let message = format!("{:?} stands alone: nothing says where it leads", &line.text[..end]);
            let help = "Write the address, a blank, and where its mail goes";
            return Err(Fault::shape(line.start as u32, end as u32, message, help));
        }
        let values = values(&line.text[rest..], line.start + rest)?;
        Ok(Row { line: line.number, key: Piece::plain(&line.text[..end], line.start), values })
    })
}
