//! URLs, paths and everything else that needs quotes; commas between values.

use super::{Hint, number, quoted};
use crate::syntax::Value;

/// What no bare word may hold.
const SIGNS: [char; 11] = ['\\', '/', '(', ')', '{', '}', '[', ']', ';', '"', '#'];

/// Whether KDL can read a word neither as a name nor as a number.
pub(super) fn is_unreadable(word: &str) -> bool {
    if number::begins_like_one(word) {
        return !number::is_number(word);
    }
    word.contains(SIGNS) || word.contains('=')
}

/// `alice,` and `,`: the comma would be part of the value.
pub(super) fn comma(word: &str) -> Option<Hint> {
    let bare = word.trim_matches(',');
    if bare.len() == word.len() || bare.is_empty() {
        return None;
    }
    let (instead, meaning) = match super::bare(bare) {
        Some(hint) => (hint.instead, hint.meaning),
        None if number::is_number(bare) => (bare.to_owned(), number_meaning(bare)),
        None => (bare.to_owned(), Value::String(bare.to_owned())),
    };
    Some(Hint {
        code: "KDL018",
        message: "Values are separated by blanks; the comma would be part of the value".to_owned(),
        instead,
        meaning,
    })
}

fn number_meaning(word: &str) -> Value {
    let digits = word.replace('_', "");
    match (digits.parse::<i128>(), digits.parse::<f64>()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(number)) => Value::Float(number),
        _ => Value::String(word.to_owned()),
    }
}

pub(super) fn judge(word: &str) -> Option<Hint> {
    if !is_unreadable(word) {
        return None;
    }
    let message = if word.contains("://") {
        format!("`{word}` is a URL without quotes, and KDL takes `//` for the start of a comment")
    } else if word.starts_with(['/', '.', '~']) || (word.contains('/') && !word.contains(['\\', '(', '['])) {
        format!("`{word}` has a slash and no quotes")
    } else if number::begins_like_one(word) {
        format!("`{word}` begins like a number but is none")
    } else {
        format!("`{word}` has a sign that only stands between quotes")
    };
    Some(Hint { code: "KDL012", message, instead: quoted(word), meaning: Value::String(word.to_owned()) })
}
