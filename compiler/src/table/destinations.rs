//! The right-hand side of an alias: addresses separated by blanks and commas, each of which may hold a quoted part.

use super::logical::skip_blanks;
use super::{Fault, Piece};

/// The pieces of a list that stands `offset` octets from the start of the file, quotes as they are written.
///
/// # Errors
/// A quote that is not closed.
pub fn destinations(text: &str, offset: usize) -> Result<Vec<Piece<'_>>, Fault> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at = skip_blanks(text, at);
        if text[at..].starts_with(',') {
            at += 1;
            continue;
        }
        if at == text.len() {
            return Ok(found);
        }
        let end = word_end(text, at, |octet| matches!(octet, b',' | b' ' | b'\t' | b'\r' | b'\n'), offset)?;
        found.push(Piece::plain(&text[at..end], offset + at));
        at = end;
    }
}

/// Where the word that begins at `at` ends: at the first octet that ends one outside quotes.
pub(super) fn word_end(text: &str, at: usize, ends: impl Fn(u8) -> bool, offset: usize) -> Result<usize, Fault> {
    let octets = text.as_bytes();
    let mut end = at;
    let mut quote = None;
    while let Some(octet) = octets.get(end) {
        match (octet, quote) {
            (b'"', None) => quote = Some(end),
            (b'"', Some(_)) => quote = None,
            (b'\\', Some(_)) if octets.get(end + 1).is_some_and(u8::is_ascii) => end += 1,
            (octet, None) if ends(*octet) => break,
            _ => {}
        }
        end += 1;
    }
    match quote {
        None => Ok(end),
        Some(open) => Err(Fault::shape((offset + open) as u32, 1, "This quote is not closed", "Write the closing \"")),
    }
}
