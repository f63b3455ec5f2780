//! CSV and TSV with a header (RFC 4180): the header names the columns, which may stand in any order.
//!
//! The `csv` crate would read the cells, but not say where they stand.

use super::logical::{Line, Lines};
use super::{Fault, FaultKind, Piece};
use crate::syntax::nearest;
use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// A column that a table may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// What the header calls it.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
}

/// One row: a cell for each column that was asked for, `None` where the table does not have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// The line, from 1.
    pub line: u32,
    /// In the order of the columns that were asked for.
    pub cells: Vec<Option<Piece<'a>>>,
}

/// The rows of a table.
#[derive(Debug)]
pub struct Records<'a> {
    lines: Lines<'a>,
    separator: u8,
    /// For each cell of a row, its position among the columns that were asked for.
    order: Vec<usize>,
    columns: usize,
}

impl<'a> Records<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// A header that is missing, or has other columns, or one of them twice.
    pub fn new(text: &'a str, separator: u8, columns: &[Column]) -> Result<Records<'a>, Fault> {
        let mut lines = Lines::new(text);
        let first = lines.by_ref().find(|line| !line.as_ref().is_ok_and(|line| line.text.trim().is_empty()));
        let Some(first) = first.transpose()? else { return Err(no_header(0, 0, columns)) };
        let mut order = Vec::new();
        let mut header = Vec::new();
        cells(first, separator, |cell| header.push(cell))?;
        for cell in header {
            let name = cell.text.trim();
            let wrong = |message: String, help: String| Fault {
                start: cell.start,
                octets: cell.octets,
                kind: FaultKind::Header { message, help },
            };
            match columns.iter().position(|column| column.name.eq_ignore_ascii_case(name)) {
                Some(position) if order.contains(&position) => {
                    return Err(wrong(format!("The column {name} is there twice"), "Remove one of the two".to_owned()));
                }
                Some(position) => order.push(position),
                None if name.contains('@') => return Err(no_header(cell.start, cell.octets, columns)),
                None => {
                    let help = match nearest(name, columns.iter().map(|column| column.name)) {
                        Some(near) => format!("Write `{near}`"),
                        None => format!("Remove the column: there are {}", names(columns)),
                    };
                    return Err(wrong(format!("There is no column {name:?} in such a table"), help));
                }
            }
        }
        let missing = columns.iter().enumerate().find(|(position, column)| column.required && !order.contains(position));
        if let Some((_, missing)) = missing {
            let message = format!("The table has no column `{}`", missing.name);
            let help = format!("Begin the table with a line that names its columns: {}", names(columns));
            let kind = FaultKind::Header { message, help };
            return Err(Fault { start: first.start as u32, octets: first.text.len() as u32, kind });
        }
        Ok(Records { lines, separator, order, columns: columns.len() })
    }

    fn record(&self, line: Line<'a>) -> Result<Record<'a>, Fault> {
        let mut cells = vec![None; self.columns];
        let mut found = 0;
        self::cells(line, self.separator, |cell| {
            if let Some(position) = self.order.get(found) {
                cells[*position] = Some(cell);
            }
            found += 1;
        })?;
        let wanted = self.order.len();
        if found != wanted {
            let plural = if found == 1 { "" } else { "s" };
            let message = format!("This row has {found} cell{plural}, and the header has {wanted}");
            let help = "Write one cell for each column; one with a separator in it stands in quotes";
            return Err(Fault::shape(line.start as u32, line.text.len() as u32, message, help));
        }
        Ok(Record { line: line.number, cells })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Fault>;

    fn next(&mut self) -> Option<Result<Record<'a>, Fault>> {
        let line = self.lines.by_ref().find(|line| !line.as_ref().is_ok_and(|line| line.text.trim().is_empty()))?;
        Some(line.and_then(|line| self.record(line)))
    }
}

fn no_header(start: u32, octets: u32, columns: &[Column]) -> Fault {
    let message = "The table has no header".to_owned();
    let help = format!("Begin it with a line that names its columns: {}", names(columns));
    Fault { start, octets, kind: FaultKind::Header { message, help } }
}

fn names(columns: &[Column]) -> String {
    let name = |column: &Column| match column.required {
        true => format!("`{}`", column.name),
        false => format!("`{}` where it is wanted", column.name),
    };
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn cells<'a>(line: Line<'a>, separator: u8, mut take: impl FnMut(Piece<'a>)) -> Result<(), Fault> {
    let mut at = 0;
    loop {
        let rest = &line.text[at..];
        let (piece, length) = match rest.strip_prefix('"') {
            Some(inner) => quoted(inner, line.start + at, separator)?,
            None => {
                let length = memchr(separator, rest.as_bytes()).unwrap_or(rest.len());
                let text = rest[..length].trim();
                let blank = rest[..length].len() - rest[..length].trim_start().len();
                (Piece::plain(text, line.start + at + blank), length)
            }
        };
        take(piece);
        at += length + 1;
        if at > line.text.len() {
            return Ok(());
        }
    }
}

/// A cell in quotes, the opening one already gone, and its length with both. A quote within is written twice.
fn quoted(inner: &str, start: usize, separator: u8) -> Result<(Piece<'_>, usize), Fault> {
    let octets = inner.as_bytes();
    let mut doubled = false;
    let mut end = 0;
    loop {
        match memchr(b'"', &octets[end..]) {
            None => {
                let help = "Write the closing \" on the same line";
                return Err(Fault::shape(start as u32, 1, "This quote is not closed", help));
            }
            Some(place) if octets.get(end + place + 1) == Some(&b'"') => {
                doubled = true;
                end += place + 2;
            }
            Some(place) => {
                end += place;
                break;
            }
        }
    }
    let length = end + 2;
    let behind = &octets[end + 1..];
    let rest = memchr2(separator, b'"', behind).unwrap_or(behind.len());
    if !behind[..rest].iter().all(|octet| *octet == b' ') || behind.get(rest) == Some(&b'"') {
        let help = "Write the separator right behind the quote; a quote within a cell is written twice";
        return Err(Fault::shape((start + length) as u32, 1, "Something stands behind the closing quote", help));
    }
    let text = &inner[..end];
    let text = if doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) };
    Ok((Piece { text, start: start as u32, octets: length as u32 }, length + rest))
}
