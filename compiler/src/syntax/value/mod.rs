//! Reading typed values: a [`Value`] as it was written and a [`ValueType`] from the grammar give a [`Typed`], or a
//! [`ValueError`] that says what is wrong and what to write. The checks and the accessors of [`crate::syntax::View`] both
//! come here, so what was checked is what is read.

mod error;
mod place;
mod quantity;

pub use error::ValueError;
pub use place::Address;
pub(in crate::syntax) use place::host_and_port;
pub use quantity::{Factor, Octets};

use crate::certificate::Date;
use crate::syntax::Value;
use crate::syntax::grammar::{Served, ValueType, Word};
use ipnet::IpNet;
use postern_schema::decide::Reason;
use postern_schema::name::{Domain, ForwardPath, HostName, LocalPart, Mailbox, NameError, ReversePath};
use postern_schema::record::ReportUri;
use postern_schema::site::{Codes, Endpoint, Fingerprint, Rate, RoutePattern, SecretName, Selector};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Longest name of a relay, network and the like, in octets.
pub const NAME_MAX_OCTETS: usize = 64;

/// What divides a user from a detail; `None`: nothing does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delimiter(pub Option<char>);

/// A value in its own type.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "each variant is named for the one type that it holds")]
pub enum Typed {
    Text(String),
    Duration(Duration),
    Octets(Octets),
    Rate(Rate),
    Integer(i64),
    Factor(Factor),
    Codes(Codes),
    Cidr(IpNet),
    Ip(IpAddr),
    Domain(Domain),
    Host(HostName),
    Endpoint(Endpoint),
    Socket(SocketAddr),
    Mailbox(Mailbox),
    LocalPart(LocalPart),
    Address(Address),
    ReversePath(ReversePath),
    ForwardPath(ForwardPath),
    Selection(RoutePattern),
    Secret(SecretName),
    Delimiter(Delimiter),
    Report(ReportUri),
    Selector(Selector),
    Fingerprint(Fingerprint),
    Date(Date),
    Truth(bool),
    Reason(Reason),
    Any(Value),
}

/// A type that the accessors of [`crate::syntax::View`] can give.
pub trait FromTyped: Sized {
    /// The value, if it is of this type.
    fn from_typed(typed: Typed) -> Option<Self>;
}

macro_rules! from_typed {
    ($($variant:ident => $type:ty,)*) => {
        $(impl FromTyped for $type {
            fn from_typed(typed: Typed) -> Option<$type> {
                match typed {
                    Typed::$variant(value) => Some(value),
                    _ => None,
                }
            }
        })*
    };
}

from_typed! {
    Text => String,
    Duration => Duration,
    Octets => Octets,
    Rate => Rate,
    Integer => i64,
    Factor => Factor,
    Codes => Codes,
    Cidr => IpNet,
    Ip => IpAddr,
    Domain => Domain,
    Host => HostName,
    Endpoint => Endpoint,
    Socket => SocketAddr,
    Mailbox => Mailbox,
    LocalPart => LocalPart,
    Address => Address,
    ReversePath => ReversePath,
    ForwardPath => ForwardPath,
    Selection => RoutePattern,
    Secret => SecretName,
    Delimiter => Delimiter,
    Report => ReportUri,
    Selector => Selector,
    Fingerprint => Fingerprint,
    Date => Date,
    Truth => bool,
    Reason => Reason,
    Any => Value,
}

macro_rules! from_integer {
    ($($type:ty),*) => {
        $(impl FromTyped for $type {
            fn from_typed(typed: Typed) -> Option<$type> {
                match typed {
                    Typed::Integer(value) => value.try_into().ok(),
                    _ => None,
                }
            }
        })*
    };
}

from_integer!(u16, u32, u64);

/// Reads a value as the grammar wants it.
///
/// # Errors
/// [`ValueError`] where it is of another kind, or not of the form that the type has.
pub fn read(kind: &ValueType, value: &Value) -> Result<Typed, ValueError> {
    match kind {
        ValueType::Any if *value != Value::Null => Ok(Typed::Any(value.clone())),
        ValueType::Truth => truth(value),
        ValueType::Delimiter if *value == Value::Bool(false) => Ok(Typed::Delimiter(Delimiter(None))),
        ValueType::Count { least, most } => quantity::count(value, i128::from(*least), i128::from(*most)),
        ValueType::Port => quantity::count(value, 0, 65_535),
        ValueType::Weight => quantity::count(value, -1000, 1000),
        ValueType::Factor => quantity::factor(value),
        _ => match value {
            Value::String(text) => read_text(kind, text),
            other => Err(wrong_kind(kind, other)),
        },
    }
}

fn read_text(kind: &ValueType, text: &str) -> Result<Typed, ValueError> {
    match kind {
        ValueType::Text => Ok(Typed::Text(text.to_owned())),
        ValueType::Name => declared_name(text),
        ValueType::Word(words) => word(words, text),
        ValueType::Duration => quantity::duration(text).map(Typed::Duration),
        ValueType::Size => quantity::size(text),
        ValueType::Rate => quantity::rate(text),
        ValueType::Codes => place::codes(text).map(Typed::Codes),
        ValueType::Code => place::code(text).map(Typed::Ip),
        ValueType::Cidr => place::cidr(text).map(Typed::Cidr),
        ValueType::Ip => place::ip(text).map(Typed::Ip),
        ValueType::Domain => place::domain(text).map(Typed::Domain),
        ValueType::Host => place::host(text).map(Typed::Host),
        ValueType::Endpoint => place::endpoint(text).map(Typed::Endpoint),
        ValueType::Socket => place::socket(text).map(Typed::Socket),
        ValueType::Mailbox => place::mailbox(text).map(Typed::Mailbox),
        ValueType::LocalPart => place::local_part(text).map(Typed::LocalPart),
        ValueType::Address => place::address(text).map(Typed::Address),
        ValueType::ReversePath if matches!(text, "" | "<>") => Ok(Typed::ReversePath(ReversePath::Null)),
        ValueType::ReversePath => place::mailbox(text).map(|mailbox| Typed::ReversePath(ReversePath::Mailbox(mailbox))),
        ValueType::ForwardPath if text.eq_ignore_ascii_case("postmaster") => Ok(Typed::ForwardPath(ForwardPath::Postmaster)),
        ValueType::ForwardPath => place::mailbox(text).map(|mailbox| Typed::ForwardPath(ForwardPath::Mailbox(mailbox))),
        ValueType::Selection => place::selection(text).map(Typed::Selection),
        ValueType::Pattern => pattern(text),
        ValueType::Template => place::template(text),
        ValueType::PathTemplate => place::path_template(text),
        ValueType::Path => place::path(text),
        ValueType::Url => place::url(text),
        ValueType::Secret => secret(text),
        ValueType::Report => place::report(text).map(Typed::Report),
        ValueType::WebAddress => place::web_address(text),
        ValueType::Selector => selector(text),
        ValueType::Fingerprint => fingerprint(text),
        ValueType::Date => date(text),
        ValueType::Reference { kinds, words } => reference(kinds, words, text),
        ValueType::Delimiter => delimiter(text),
        ValueType::Reason => reason(text),
        ValueType::Truth | ValueType::Any | ValueType::Count { .. } | ValueType::Weight | ValueType::Factor | ValueType::Port => {
            Err(wrong_kind(kind, &Value::String(text.to_owned())))
        }
    }
}

/// A value of the wrong kind; where quotes are all that it lacks, the help says so.
fn wrong_kind(kind: &ValueType, value: &Value) -> ValueError {
    let help = match (kind, value) {
        (ValueType::Duration, Value::Integer(n)) => format!("Write \"{n}s\", or another of the units s, m, h, d, w"),
        (ValueType::Size, Value::Integer(n)) => format!("Write \"{n}B\", or another of the units KiB, MiB, GiB"),
        (ValueType::Rate, Value::Integer(n)) => format!("Write \"{n}/s\", or \"{n}/1m\""),
        (_, Value::Integer(n)) => format!("Write \"{n}\""),
        (_, Value::Float(n)) => format!("Write \"{n}\""),
        _ => format!("Write {}, such as {}", kind.describe(), kind.sample()),
    };
    ValueError::Kind { wanted: kind.describe(), found: value.describe(), help }
}

fn truth(value: &Value) -> Result<Typed, ValueError> {
    let help = match value {
        Value::Bool(truth) => return Ok(Typed::Truth(*truth)),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "true" | "y" => "Write #true",
            "no" | "off" | "false" | "n" => "Write #false",
            _ => "Write #true or #false",
        },
        Value::Integer(1) => "Write #true",
        Value::Integer(0) => "Write #false",
        _ => "Write #true or #false",
    };
    Err(ValueError::Kind { wanted: ValueType::Truth.describe(), found: value.describe(), help: help.to_owned() })
}

fn declared_name(text: &str) -> Result<Typed, ValueError> {
    let fits = !text.is_empty()
        && text.len() <= NAME_MAX_OCTETS
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !text.starts_with('.');
    if fits {
        return Ok(Typed::Text(text.to_owned()));
    }
    let message = if text.is_empty() {
        "The name is empty".to_owned()
    } else if text.len() > NAME_MAX_OCTETS {
        format!("The name is {} octets long and {NAME_MAX_OCTETS} is the most", text.len())
    } else {
        format!("{text:?} is no name")
    };
    Err(ValueError::form(message, "Write letters, digits, `-`, `_` and `.`, not beginning with a dot"))
}

fn word(words: &'static [Word], text: &str) -> Result<Typed, ValueError> {
    match words.iter().find(|word| word.text == text) {
        Some(Word { served: Served::Yes, .. }) => Ok(Typed::Text(text.to_owned())),
        Some(word) => Err(ValueError::NotServed { word: word.text }),
        None => Err(ValueError::unknown_word(text, words.iter().map(|word| word.text))),
    }
}

fn reason(text: &str) -> Result<Typed, ValueError> {
    let names = || Reason::ALL.iter().map(|reason| reason.as_str());
    Reason::parse(text).map(Typed::Reason).ok_or_else(|| ValueError::unknown_word(text, names()))
}

fn reference(kinds: &'static [super::grammar::Kind], words: &'static [Word], text: &str) -> Result<Typed, ValueError> {
    if words.iter().any(|word| word.text == text && word.served == Served::Yes) {
        return Ok(Typed::Text(text.to_owned()));
    }
    // A domain is referred to in whatever spelling; its reader compares names, not texts.
    if kinds == [super::grammar::Kind::Domain] {
        return place::domain(text).map(|domain| Typed::Text(domain.as_str().to_owned()));
    }
    declared_name(text)
}

fn pattern(text: &str) -> Result<Typed, ValueError> {
    let limit = postern_schema::site::Pattern::SIZE_LIMIT_OCTETS;
    match regex::RegexBuilder::new(text).size_limit(limit).build() {
        Ok(_) => Ok(Typed::Text(text.to_owned())),
        Err(regex::Error::CompiledTooBig(_)) => Err(ValueError::form(
            format!("This regular expression takes more than {} KiB", limit >> 10),
            "Write smaller repetitions, or several patterns",
        )),
        Err(error) => {
            let cause = error.to_string();
            let cause = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(ValueError::form(
                format!("This is no regular expression: {cause}"),
                "Write a pattern in the syntax of the `regex` crate, which knows no look-around and no back-references",
            ))
        }
    }
}

fn secret(text: &str) -> Result<Typed, ValueError> {
    // The text is not repeated: whoever put the secret itself here should not find it in a build log.
    SecretName::parse(text).map(Typed::Secret).ok_or(ValueError::Secret)
}

fn fingerprint(text: &str) -> Result<Typed, ValueError> {
    Fingerprint::parse(text).map(Typed::Fingerprint).ok_or_else(|| {
        ValueError::form(
            format!("{text:?} is no SHA-256"),
            "Write the 64 hexadecimal digits that `openssl x509 -noout -fingerprint -sha256` prints",
        )
    })
}

fn selector(text: &str) -> Result<Typed, ValueError> {
    Selector::parse(text).map(Typed::Selector).ok_or_else(|| {
        let help = "Write letters, digits and hyphens, such as \"2026a\": it becomes part of a name in DNS";
        ValueError::form(format!("{text:?} is no selector"), help)
    })
}

fn date(text: &str) -> Result<Typed, ValueError> {
    let wrong = || ValueError::form(format!("{text:?} is no date"), "Write year, month and day: \"2026-11-21\"");
    Date::parse(text).map(Typed::Date).ok_or_else(wrong)
}

fn delimiter(text: &str) -> Result<Typed, ValueError> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if c.is_ascii_graphic() && !c.is_ascii_alphanumeric() && c != '@' => {
            Ok(Typed::Delimiter(Delimiter(Some(c))))
        }
        _ => Err(ValueError::form(
            format!("{text:?} divides nothing: it must be one ASCII sign that is neither letter, digit nor `@`"),
            "Write \"+\" or \"-\", or #false for no delimiter",
        )),
    }
}

/// The sentence for a name that cannot be one.
fn name_error(what: &str, text: &str, error: &NameError) -> String {
    format!("{text:?} is no {what}: {error}")
}

#[cfg(test)]
mod tests;
