//! What was asked of DNS and what it said, as plain data. Whoever evaluates something that lives in DNS (SPF, DMARC) works on a
//! [`Transcript`]: it reads the answers that are there and says which question comes next, and somebody else goes and asks. So
//! the evaluation is pure, asks for nothing that it does not need, and can be played again from a file.

mod file;

pub use file::{Recording, WrongLine};

use crate::record::RecordKind;
use std::fmt;

/// One question.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Question {
    /// The name, in lower case, without the trailing dot. It may hold what no host name may: `_dmarc`, or what a macro made.
    pub name: Box<str>,
    /// The type.
    pub kind: RecordKind,
}

impl Question {
    /// Asks for a name, which may be in any case and end in a dot.
    pub fn new(name: &str, kind: RecordKind) -> Question {
        Question { name: name.trim_end_matches('.').to_ascii_lowercase().into(), kind }
    }

    /// Whether a name can be asked for: 253 octets at most, labels of 1 to 63.
    pub fn fits(name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        name.len() <= crate::name::DOMAIN_MAX_OCTETS && name.split('.').all(|label| (1..=63).contains(&label.len()))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)
    }
}

/// What DNS says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The values; never none. Addresses and names as text (no trailing dot), an MX as `10 mail.example.com`, the strings of a
    /// TXT joined, with U+FFFD for what is no UTF-8.
    Found(Vec<Box<str>>),
    /// The name exists, and has no such record.
    Nothing,
    /// The name does not exist.
    Nonexistent,
    /// No answer, or a broken one: why, for people.
    Failed(Box<str>),
}

impl Answer {
    /// Its values; none where there is no record.
    ///
    /// # Errors
    /// Why nothing is known.
    pub fn values(&self) -> Result<&[Box<str>], &str> {
        match self {
            Answer::Found(values) => Ok(values),
            Answer::Nothing | Answer::Nonexistent => Ok(&[]),
            Answer::Failed(why) => Err(why),
        }
    }
}

impl fmt::Display for Answer {
    /// As a transcript has it in a file, after the question.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Found(values) => f.write_str(&values.join(" | ")),
            Answer::Nothing => f.write_str("nothing"),
            Answer::Nonexistent => f.write_str("nonexistent"),
            Answer::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

/// Questions with their answers, in the order in which they were asked; each question once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transcript(Vec<(Question, Answer)>);

impl Transcript {
    /// The answer to a question.
    ///
    /// # Errors
    /// The question itself, where it was not asked yet.
    pub fn answer(&self, question: Question) -> Result<&Answer, Question> {
        match self.0.iter().find(|(asked, _)| *asked == question) {
            Some((_, answer)) => Ok(answer),
            None => Err(question),
        }
    }

    /// Notes an answer. The first one to a question stands.
    pub fn note(&mut self, question: Question, answer: Answer) {
        if self.0.iter().all(|(asked, _)| *asked != question) {
            self.0.push((question, answer));
        }
    }

    /// Everything that was asked, in order.
    pub fn entries(&self) -> &[(Question, Answer)] {
        &self.0
    }
}
