//! Table files: what grows in a site, in the formats that the field has. Text becomes rows whose pieces know their place; what
//! a row means, and whether it fits the site, is for `lower`.
//!
//! [`cells`] reads CSV and TSV with a header; [`logical`] the lines of Postfix's tables, [`list`] one address a line, [`aliases`]
//! `aliases(5)`, [`pairs`] `virtual(5)` and `transport(5)`. A mistake costs its row and never the rest of the file.

pub mod aliases;
pub mod cells;
mod destinations;
pub mod list;
mod logical;
pub mod pairs;

use std::borrow::Cow;

pub use destinations::destinations;
pub use logical::LINE_MAX_OCTETS;

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Comma-separated with a header (RFC 4180).
    Csv,
    /// The same with tabs.
    Tsv,
    /// One address a line: Maildir user lists, `virtual_mailbox_maps`.
    List,
    /// `aliases(5)`.
    Aliases,
    /// `virtual(5)`.
    Virtual,
    /// `transport(5)`.
    Transport,
}

impl Format {
    const ALL: [Format; 6] = [Format::Csv, Format::Tsv, Format::List, Format::Aliases, Format::Virtual, Format::Transport];

    /// Its word in the site language, which is also how a file of that format is called or how its name ends.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::List => "list",
            Format::Aliases => "aliases",
            Format::Virtual => "virtual",
            Format::Transport => "transport",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// The format that the name of a file tells: what stands behind its last dot, or the whole name where it has none.
    pub fn of_file(path: &str) -> Option<Format> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let word = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
        Format::parse(&word)
    }
}

/// A piece of a row, without quotes and escapes, and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece<'a> {
    /// What it says.
    pub text: Cow<'a, str>,
    /// Where it begins, in octets from the start of the file.
    pub start: u32,
    /// How long it is there, quotes and all.
    pub octets: u32,
}

/// One row: a key, and what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row<'a> {
    /// The line that it begins on, from 1.
    pub line: u32,
    /// The address or pattern.
    pub key: Piece<'a>,
    /// The rest, in order.
    pub values: Vec<Piece<'a>>,
}

/// Why a row, or the whole table, cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where it shows.
    pub start: u32,
    /// How long the stretch is.
    pub octets: u32,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong with a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// No text: a NUL, or a line without end.
    NoText(&'static str),
    /// A header that is missing, or does not name the columns.
    Header {
        /// One sentence without a full stop.
        message: String,
        /// What to do.
        help: String,
    },
    /// A row of another shape.
    Shape {
        /// One sentence without a full stop.
        message: String,
        /// What to do.
        help: &'static str,
    },
}

impl Fault {
    fn shape(start: u32, octets: u32, message: impl Into<String>, help: &'static str) -> Fault {
        Fault { start, octets, kind: FaultKind::Shape { message: message.into(), help } }
    }
}

impl<'a> Piece<'a> {
    /// A piece that says what stands in the file.
    fn plain(text: &'a str, start: usize) -> Piece<'a> {
        // A table has at most 2^28 octets.
        Piece { text: Cow::Borrowed(text), start: start as u32, octets: text.len() as u32 }
    }
}

#[cfg(test)]
mod tests;
