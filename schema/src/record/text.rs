//! The value of a TXT record.

use super::{Bimi, DkimKey, Dmarc, MtaStsRecord, ReportPermission, Spf, TlsReport};
use std::fmt;

/// The longest character-string, in octets (RFC 1035 3.3).
const STRING_MAX_OCTETS: usize = 255;

/// One text, however many character-strings it takes: whoever reads it joins them without anything between (RFC 7208 3.3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Text(pub(super) Box<str>);

impl Text {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text in pieces of at most 255 octets, none of which ends within a character; at least one.
    pub fn strings(&self) -> Vec<&str> {
        let mut strings = Vec::new();
        let mut rest = &*self.0;
        while rest.len() > STRING_MAX_OCTETS {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(STRING_MAX_OCTETS));
            strings.push(head);
            rest = tail;
        }
        strings.push(rest);
        strings
    }
}

/// What is published as a text, in its own presentation form.
macro_rules! texts {
    ($($record:ty),*) => {$(
        impl From<&$record> for Text {
            fn from(record: &$record) -> Text {
                Text(record.to_string().into())
            }
        }
    )*};
}

texts!(Bimi, DkimKey, Dmarc, MtaStsRecord, ReportPermission, Spf, TlsReport);

impl fmt::Display for Text {
    /// As in a zone file: `"first 255 octets" "the rest"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, string) in self.strings().into_iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{}", quoted(string.as_bytes()))?;
        }
        Ok(())
    }
}

/// A quoted character-string of a zone file (RFC 1035 5.1): `"` and `\` escaped, what is no printable ASCII as `\DDD`.
pub(super) fn quoted(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len() + 2);
    out.push('"');
    for octet in octets {
        match octet {
            b'"' | b'\\' => out.extend(['\\', char::from(*octet)]),
            b' '..=b'~' => out.push(char::from(*octet)),
            _ => out.push_str(&format!("\\{octet:03}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
impl Text {
    /// Any text, for the tests of this module.
    pub(super) fn of(text: &str) -> Text {
        Text(text.into())
    }
}
