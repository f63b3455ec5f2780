//! Quantities: durations, sizes, rates, counts, factors. All exact; nothing is rounded.

use super::{Typed, ValueError};
use crate::syntax::Value;
use postern_schema::site::Rate;
use std::time::Duration;

/// A size in octets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Octets(pub u64);

/// A factor, in hundredths: 200 doubles.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Factor(pub u32);

/// The longest duration that a site may name: a hundred years, so that sums of them stay far from overflow.
const LONGEST_SECONDS: u64 = 100 * 366 * 86_400;

const UNITS: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];

const SIZES: [(&str, u64); 5] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// Reads `5m`, `1h30m`, `4w`: whole numbers, each with a unit, the longer units first.
pub(super) fn duration(text: &str) -> Result<Duration, ValueError> {
    let wrong = || {
        let help = match text.parse::<u64>() {
            Ok(number) => format!("Write \"{number}s\", or another of the units s, m, h, d, w"),
            Err(_) => "Write whole numbers with the units s, m, h, d, w: \"5m\", \"1h30m\", \"5d\"".to_owned(),
        };
        ValueError::form(format!("{text:?} is no duration"), help)
    };
    let mut seconds = 0u64;
    let mut last_unit = u64::MAX;
    let mut rest = text;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum::<usize>();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[digits..digits + letters]).ok_or_else(wrong)?;
        if *unit >= last_unit {
            return Err(wrong());
        }
        last_unit = *unit;
        seconds = number.checked_mul(*unit).and_then(|part| seconds.checked_add(part)).unwrap_or(u64::MAX);
        rest = &rest[digits + letters..];
    }
    if seconds > LONGEST_SECONDS {
        return Err(ValueError::form(format!("{text:?} is longer than a hundred years"), "Write a shorter duration"));
    }
    Ok(Duration::from_secs(seconds))
}

/// Reads `25MiB`, `512B`.
pub(super) fn size(text: &str) -> Result<Typed, ValueError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let found = SIZES.iter().find(|(name, _)| *name == unit.trim_start());
    match (number.parse::<u64>(), found) {
        (Ok(number), Some((_, factor))) => number
            .checked_mul(*factor)
            .map(|octets| Typed::Octets(Octets(octets)))
            .ok_or_else(|| ValueError::form(format!("{text:?} is more octets than can be counted"), "Write a smaller size")),
        (Ok(number), None) => {
            let near = match unit.trim().to_ascii_lowercase().as_str() {
                "" => "B",
                "k" | "kb" | "kib" => "KiB",
                "t" | "tb" | "tib" => "TiB",
                "g" | "gb" | "gib" => "GiB",
                "o" | "b" | "bytes" | "octets" => "B",
                _ => "MiB",
            };
            let help = format!("Write \"{number}{near}\"; the units are B, KiB, MiB, GiB and TiB");
            Err(ValueError::form(format!("{text:?} is no size"), help))
        }
        (Err(_), _) => {
            Err(ValueError::form(format!("{text:?} is no size"), "Write a whole number and a unit: \"25MiB\", \"2GiB\""))
        }
    }
}

/// Reads `14/s`, `100/1m`.
pub(super) fn rate(text: &str) -> Result<Typed, ValueError> {
    let wrong =
        || ValueError::form(format!("{text:?} is no rate"), "Write a whole number, a slash and a time: \"14/s\", \"100/1m\"");
    let (count, per) = text.split_once('/').ok_or_else(wrong)?;
    let count: u64 =
        count.parse().ok().filter(|count| *count > 0 && text.starts_with(|c: char| c.is_ascii_digit())).ok_or_else(wrong)?;
    let per = match UNITS.iter().find(|(name, _)| *name == per) {
        Some((_, seconds)) => Duration::from_secs(*seconds),
        None => duration(per).ok().filter(|per| !per.is_zero()).ok_or_else(wrong)?,
    };
    Ok(Typed::Rate(Rate { count, per }))
}

/// Reads a whole number within bounds, both included.
pub(super) fn count(value: &Value, least: i128, most: i128) -> Result<Typed, ValueError> {
    let bounds = format!("Write a whole number from {least} to {most}");
    match value {
        Value::Integer(number) if (least..=most).contains(number) => match i64::try_from(*number) {
            Ok(number) => Ok(Typed::Integer(number)),
            Err(_) => Err(ValueError::form(format!("{number} is out of bounds"), bounds)),
        },
        Value::Integer(number) => Err(ValueError::form(format!("{number} is out of bounds"), bounds)),
        other => {
            let unquoted = other.as_str().and_then(|text| text.parse::<i128>().ok()).filter(|n| (least..=most).contains(n));
            let help = unquoted.map_or(bounds, |number| format!("Write {number}, without quotes"));
            Err(ValueError::Kind { wanted: "a whole number", found: other.describe(), help })
        }
    }
}

/// Reads 2, 1.5 or 1.25: from 1 to 100, two decimals at the most.
pub(super) fn factor(value: &Value) -> Result<Typed, ValueError> {
    let help = "Write a number from 1 to 100 with at most two decimals: 2, 1.5";
    match value {
        Value::Integer(number) => match u32::try_from(*number) {
            Ok(number @ 1..=100) => Ok(Typed::Factor(Factor(number * 100))),
            _ => Err(ValueError::form(format!("{number} is out of bounds"), help)),
        },
        Value::Float(number) => {
            let hundredths = number * 100.0;
            // Two decimals have no exact binary form: what is meant is the nearest hundredth.
            if !(100.0..=10_000.0).contains(&hundredths) || (hundredths - hundredths.round()).abs() > 1e-6 {
                return Err(ValueError::form(format!("{number} is no factor"), help));
            }
            Ok(Typed::Factor(Factor(hundredths.round() as u32)))
        }
        other => Err(ValueError::Kind { wanted: "a factor", found: other.describe(), help: help.to_owned() }),
    }
}
