//! Numbers: which words KDL reads as one, and `0644`, which it reads as 644.

use super::{Hint, quoted};
use crate::syntax::Value;

/// Whether KDL reads a word as a number, or fails on it as one: a digit, with a sign or dot before it or not.
pub(in crate::syntax) fn begins_like_one(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit())
}

/// A number with a leading zero. Words that are no numbers are for others to judge.
pub(super) fn judge(word: &str) -> Option<Hint> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    if !is_decimal(unsigned) || !unsigned.starts_with('0') || !unsigned[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = unsigned.trim_start_matches(['0', '_']);
    let plain = if plain.starts_with(|c: char| c.is_ascii_digit()) { plain.to_owned() } else { format!("0{plain}") };
    let sign = if word.starts_with('-') { "-" } else { "" };
    let instead = format!("{sign}{plain}");
    let meaning = match instead.replace('_', "").parse::<i128>() {
        Ok(number) => Value::Integer(number),
        Err(_) => instead.parse::<f64>().map_or_else(|_| Value::String(word.to_owned()), Value::Float),
    };
    let message = format!("`{word}` looks octal and would be read as {instead}; write {} for the text", quoted(word));
    Some(Hint { code: "KDL015", message, instead, meaning })
}

/// Whether KDL reads a word as a number.
pub(super) fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let based =
        [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find_map(|(prefix, base)| Some((unsigned.strip_prefix(prefix)?, base)));
    match based {
        Some((digits, base)) => starts_with_digit(digits, base) && digits.chars().all(|c| c == '_' || c.is_digit(base)),
        None => is_decimal(unsigned),
    }
}

fn starts_with_digit(text: &str, base: u32) -> bool {
    text.starts_with(|c: char| c.is_digit(base))
}

/// `12`, `1_000`, `1.5`, `1.5e-3`.
fn is_decimal(unsigned: &str) -> bool {
    let digits = |text: &str| starts_with_digit(text, 10) && text.chars().all(|c| c == '_' || c.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole) && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}
