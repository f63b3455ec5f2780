//! Why a value is not what the grammar wants: [`ValueError`], and how it turns into a [`Diagnostic`].

use crate::report::Diagnostic;
use crate::source::Span;
use crate::syntax::near;
use std::fmt;

/// Why a value cannot be read. `Display` is one sentence without a full stop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ValueError {
    /// A number where a text belongs, and the like.
    Kind {
        /// What belongs there.
        wanted: &'static str,
        /// What stands there.
        found: &'static str,
        /// What to write.
        help: String,
    },
    /// A word that is not on the list.
    Word {
        /// As it was written.
        written: String,
        /// The words of the list.
        known: Vec<&'static str>,
    },
    /// A word that the language has and the runtime has not.
    NotServed {
        /// The word.
        word: &'static str,
    },
    /// The right kind, the wrong form.
    Form {
        /// One sentence, no full stop.
        message: String,
        /// What to write.
        help: String,
    },
    /// Something that cannot be the name of a secret, and may be the secret itself.
    Secret,
}

impl ValueError {
    /// The right kind, the wrong form.
    pub(super) fn form(message: impl Into<String>, help: impl Into<String>) -> ValueError {
        ValueError::Form { message: message.into(), help: help.into() }
    }

    pub(super) fn unknown_word(written: &str, known: impl Iterator<Item = &'static str>) -> ValueError {
        ValueError::Word { written: written.to_owned(), known: known.collect() }
    }

    /// The code under which it is reported.
    pub fn code(&self) -> &'static str {
        match self {
            ValueError::Kind { .. } => "LNG006",
            ValueError::Word { .. } => "LNG003",
            ValueError::NotServed { .. } => "LNG012",
            ValueError::Form { .. } => "LNG007",
            ValueError::Secret => "LNG018",
        }
    }

    fn help(&self) -> String {
        match self {
            ValueError::Kind { help, .. } | ValueError::Form { help, .. } => help.clone(),
            ValueError::Word { known, .. } => match self.nearest() {
                Some(near) => format!("Write \"{near}\""),
                None => format!("Write one of {}", list(known)),
            },
            ValueError::NotServed { .. } => "Remove it until a later version serves it".to_owned(),
            ValueError::Secret => {
                "Write the name of a file in the credentials folder: letters, digits, `-`, `_`, `.`, `@`".to_owned()
            }
        }
    }

    /// The finding, at the place of the value.
    pub fn to_diagnostic(&self, span: Span) -> Diagnostic {
        let finding = Diagnostic::error(self.code(), span, self.to_string()).help(self.help());
        match self.nearest() {
            Some(near) => finding.fix(span, format!("\"{near}\"")),
            None => finding,
        }
    }

    /// The word that was meant, if one is near.
    fn nearest(&self) -> Option<&'static str> {
        match self {
            ValueError::Word { written, known } => near::nearest(written, known.iter().copied()),
            _ => None,
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueError::Kind { wanted, found, .. } => write!(f, "Here belongs {wanted}, not {found}"),
            ValueError::Word { written, .. } => write!(f, "{written:?} is none of the words that may stand here"),
            ValueError::NotServed { word } => write!(f, "`{word}` is not yet served by this runtime"),
            ValueError::Form { message, .. } => f.write_str(message),
            ValueError::Secret => f.write_str("This cannot be the name of a secret"),
        }
    }
}

impl std::error::Error for ValueError {}

/// `"a", "b" or "c"`.
fn list(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => format!("{one:?}"),
        [init @ .., last] => {
            let init: Vec<String> = init.iter().map(|word| format!("{word:?}")).collect();
            format!("{} or {last:?}", init.join(", "))
        }
    }
}
