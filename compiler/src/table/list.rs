//! One address a line, as user lists have it. A second word, as in `virtual_mailbox_maps`, says where Postfix keeps the mail.

use super::destinations::destinations;
use super::logical::LogicalLines;
use super::{Fault, Row};

/// The rows: an address each, and at most one value.
pub fn rows(text: &str) -> impl Iterator<Item = Result<Row<'_>, Fault>> {
    LogicalLines::new(text).map(|line| {
        let line = line?;
        let mut words = destinations(line.text, line.start)?.into_iter();
        let (key, values) = (words.next(), words.collect::<Vec<_>>());
        match key {
            Some(key) if values.len() < 2 => Ok(Row { line: line.number, key, values }),
            _ => {
                let message = "Here are several words, and a list has one address a line";
                Err(Fault::shape(line.start as u32, line.text.len() as u32, message, "Give each address a line of its own"))
            }
        }
    })
}
