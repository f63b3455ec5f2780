//! `true`, `false` and `null` without `#`, and `#` before a word that is no keyword.

use super::{Hint, quoted};
use crate::syntax::Value;
use crate::syntax::near::nearest;

const KEYWORDS: [&str; 6] = ["#true", "#false", "#null", "#nan", "#inf", "#-inf"];

/// KDL 1 had them bare, and so has everything else.
pub(super) fn bare(word: &str) -> Option<Hint> {
    let meaning = match word {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        "inf" | "-inf" | "nan" => Value::String(word.to_owned()),
        _ => return None,
    };
    let instead = match meaning {
        Value::String(_) => quoted(word),
        _ => format!("#{word}"),
    };
    Some(Hint {
        code: "KDL013",
        message: format!("`{word}` needs a `#` to be a truth value, and quotes to be a text"),
        instead,
        meaning,
    })
}

/// `#True`, `#yes`, `#comment`.
pub(super) fn hashed(keyword: &str) -> Option<Hint> {
    if KEYWORDS.contains(&keyword) {
        return None;
    }
    let word = &keyword[1..];
    let meant = match word.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "t" | "enabled" => Some("#true"),
        "no" | "off" | "n" | "f" | "disabled" => Some("#false"),
        _ => nearest(keyword, KEYWORDS),
    };
    let (instead, meaning) = match meant {
        Some("#true") => ("#true".to_owned(), Value::Bool(true)),
        Some("#false") => ("#false".to_owned(), Value::Bool(false)),
        Some("#null") => ("#null".to_owned(), Value::Null),
        _ => (quoted(word), Value::String(word.to_owned())),
    };
    Some(Hint {
        code: "KDL014",
        message: format!("`{keyword}` is no keyword: there are #true, #false and #null"),
        instead,
        meaning,
    })
}
