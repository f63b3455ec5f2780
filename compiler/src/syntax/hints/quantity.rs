//! Durations, sizes and rates without quotes.

use super::{Hint, quoted};
use crate::syntax::Value;
use crate::syntax::grammar::ValueType;
use crate::syntax::value;

pub(super) fn judge(word: &str) -> Option<Hint> {
    if !super::number::begins_like_one(word) || super::number::is_number(word) {
        return None;
    }
    let text = Value::String(word.to_owned());
    let is = |kind: ValueType| value::read(&kind, &text).is_ok();
    let what = if is(ValueType::Duration) {
        "a duration"
    } else if is(ValueType::Size) || looks_like_size(word) {
        "a size"
    } else if is(ValueType::Rate) {
        "a rate"
    } else {
        return None;
    };
    Some(Hint { code: "KDL011", message: format!("`{word}` is {what} without quotes"), instead: quoted(word), meaning: text })
}

/// `25M`, `50MB`: sizes in the spelling of somebody else, which the grammar then corrects.
fn looks_like_size(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    matches!(
        unit.to_ascii_lowercase().as_str(),
        "k" | "m" | "g" | "t" | "kb" | "mb" | "gb" | "tb" | "kib" | "mib" | "gib" | "tib"
    )
}
