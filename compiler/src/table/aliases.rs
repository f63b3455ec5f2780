//! `aliases(5)`: `name: destination, destination`. What a destination is, by its first character, is told by [`Destination`].

use super::destinations::{destinations, word_end};
use super::logical::LogicalLines;
use super::{Fault, Piece, Row};
use std::borrow::Cow;

/// The rows of a file.
pub fn rows(text: &str) -> impl Iterator<Item = Result<Row<'_>, Fault>> {
    LogicalLines::new(text).map(|line| {
        let line = line?;
        let colon = word_end(line.text, 0, |octet| octet == b':', line.start)?;
        let name = line.text[..colon].trim_end();
        let help = "Write `name: address`";
        if colon == line.text.len() {
            let first = line.text.lines().next().unwrap_or_default();
            let message = "There is no colon behind the name of the alias";
            return Err(Fault::shape(line.start as u32, first.len() as u32, message, help));
        }
        if name.is_empty() {
            return Err(Fault::shape(line.start as u32, 1, "There is no name before the colon", help));
        }
        let values = destinations(&line.text[colon + 1..], line.start + colon + 1)?;
        if values.is_empty() {
            let message = format!("The alias {name} leads nowhere");
            return Err(Fault::shape(line.start as u32, name.len() as u32, message, "Write who gets its mail, or remove it"));
        }
        Ok(Row { line: line.number, key: Piece::plain(name, line.start), values })
    })
}

/// The destinations in a file that `:include:` names: lists as on the right-hand side, and comments.
pub fn included(text: &str) -> impl Iterator<Item = Result<Vec<Piece<'_>>, Fault>> {
    let lines = super::logical::Lines::new(text).filter(|line| {
        let is_blank = |line: &str| line.trim_start().is_empty() || line.trim_start().starts_with('#');
        !line.as_ref().is_ok_and(|line| is_blank(line.text))
    });
    lines.map(|line| line.and_then(|line| destinations(line.text, line.start)))
}

/// What a destination of `aliases(5)` is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination<'a> {
    /// An address, or the name of another alias.
    Address,
    /// `|command`.
    Command(Cow<'a, str>),
    /// `/file/name`.
    File(Cow<'a, str>),
    /// `:include:/file/name`.
    Include(Cow<'a, str>),
    /// `\name`: the mailbox of that name, whatever alias it has.
    Unaliased(Cow<'a, str>),
    /// `:name:` of another mail server.
    Special(Cow<'a, str>),
}

impl<'a> Destination<'a> {
    /// Tells it by its first character, within quotes or without.
    pub fn of(piece: &'a Piece<'a>) -> Destination<'a> {
        let text = unquoted(&piece.text);
        let rest = |text: &Cow<'a, str>, from: usize| match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[from..]),
            Cow::Owned(text) => Cow::Owned(text[from..].to_owned()),
        };
        match text.bytes().next() {
            Some(b'|') => Destination::Command(rest(&text, 1)),
            Some(b'/') => Destination::File(text),
            Some(b'\\') => Destination::Unaliased(rest(&text, 1)),
            Some(b':') => match text.get(..9) {
                Some(word) if word.eq_ignore_ascii_case(":include:") => Destination::Include(rest(&text, 9)),
                _ => Destination::Special(text),
            },
            _ => Destination::Address,
        }
    }
}

/// The content of a text that is in quotes as a whole.
fn unquoted(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return Cow::Borrowed(text) };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut content = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        content.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    Cow::Owned(content)
}
