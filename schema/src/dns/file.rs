//! What was known of one message, as a file: who sent it, and what DNS said. `posternd trace ID --dns` writes one, and
//! `postern explain --dns FILE` plays it again.
//!
//! ```text
//! ; facts, one a line
//! @client 192.0.2.7
//! @helo mail.example.org
//! @from alice@example.org
//! @to bob@example.com
//! @author example.org
//! @dkim example.org
//! @time 1795867200
//! ; answers: name, type, and a value a line; or nothing, nonexistent, failed "why"
//! example.org TXT "v=spf1 ip4:192.0.2.7 -all"
//! _dmarc.example.org TXT nonexistent
//! ```
//!
//! The names of facts are for whoever writes and reads them; here they are words. `@author` and `@dkim` may stand more than once.

use super::{Answer, Question, Transcript};
use crate::record::RecordKind;
use std::fmt;

/// The most lines that are read.
const LINE_LIMIT: usize = 10_000;

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recording {
    /// Facts by name, in order.
    pub facts: Vec<(Box<str>, Box<str>)>,
    /// What DNS said.
    pub answers: Transcript,
}

/// A line that is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrongLine {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for WrongLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for WrongLine {}

impl Recording {
    /// The first value of a fact.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// Every value of a fact.
    pub fn facts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.facts.iter().filter(move |(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// Notes a fact.
    pub fn note(&mut self, name: &str, value: impl fmt::Display) {
        self.facts.push((name.into(), value.to_string().into()));
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`WrongLine`] names the first line that is none.
    pub fn parse(text: &str) -> Result<Recording, WrongLine> {
        let mut recording = Recording::default();
        let mut values: Vec<(Question, Answer)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let wrong = |why| WrongLine { line: index + 1, why };
            if index >= LINE_LIMIT {
                return Err(wrong("there are too many lines"));
            }
            let line = line.trim_matches([' ', '\t']);
            if line.is_empty() || line.starts_with(';') {
                continue;
            }
            if let Some(fact) = line.strip_prefix('@') {
                let (name, value) = fact.split_once(' ').unwrap_or((fact, ""));
                recording.note(name, plain(value.trim_matches(' ')).ok_or_else(|| wrong("the escape is unknown"))?);
                continue;
            }
            let (question, answer) = entry(line).map_err(wrong)?;
            if let Answer::Found(more) = &answer
                && let Some((last, Answer::Found(known))) = values.last_mut()
                && *last == question
            {
                known.extend(more.iter().cloned());
            } else {
                values.push((question, answer));
            }
        }
        values.into_iter().for_each(|(question, answer)| recording.answers.note(question, answer));
        Ok(recording)
    }
}

fn entry(line: &str) -> Result<(Question, Answer), &'static str> {
    let (name, rest) = line.split_once(' ').ok_or("a name, a type and an answer are wanted")?;
    let (kind, answer) = rest.trim_start().split_once(' ').ok_or("a name, a type and an answer are wanted")?;
    let kind = RecordKind::parse(kind).ok_or("the type is unknown")?;
    let answer = match answer.trim_matches(' ') {
        "nothing" => Answer::Nothing,
        "nonexistent" => Answer::Nonexistent,
        answer => match answer.strip_prefix("failed") {
            Some(why) => Answer::Failed(quoted(why.trim_start())?),
            None => Answer::Found(vec![quoted(answer)?]),
        },
    };
    Ok((Question::new(name, kind), answer))
}

fn quoted(text: &str) -> Result<Box<str>, &'static str> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or("a value stands in quotes")?;
    plain(inner).ok_or("the escape is unknown")
}

/// Text without its escapes.
fn plain(text: &str) -> Option<Box<str>> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                'u' => {
                    let digits: String = characters.by_ref().skip(1).take_while(|character| *character != '}').collect();
                    out.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                escaped @ ('"' | '\\') => out.push(escaped),
                _ => return None,
            },
            other => out.push(other),
        }
    }
    Some(out.into())
}

/// Text with escapes: one line, and no quote that is not its own.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                control if control.is_control() => write!(f, "\\u{{{:x}}}", u32::from(control))?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.facts {
            writeln!(f, "@{name} {}", Escaped(value))?;
        }
        for (question, answer) in self.answers.entries() {
            match answer {
                Answer::Found(values) => {
                    for value in values {
                        writeln!(f, "{question} \"{}\"", Escaped(value))?;
                    }
                }
                Answer::Nothing => writeln!(f, "{question} nothing")?,
                Answer::Nonexistent => writeln!(f, "{question} nonexistent")?,
                Answer::Failed(why) => writeln!(f, "{question} failed \"{}\"", Escaped(why))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_is_read() {
        let text = "; what was known\n@client 192.0.2.7\n@dkim a.example\n@dkim b.example\n\n\
            example.org TXT \"v=spf1 -all\"\nexample.org TXT \"other \\\"text\\\"\"\nx.example MX nothing\n\
            y.example A nonexistent\nz.example TXT failed \"no answer in time\"\n";
        let found = Recording::parse(text).unwrap();
        assert_eq!(found.fact("client"), Some("192.0.2.7"));
        assert_eq!(found.facts("dkim").collect::<Vec<_>>(), ["a.example", "b.example"]);
        let answer = |name: &str, kind| found.answers.answer(Question::new(name, kind)).unwrap().clone();
        assert_eq!(answer("example.org", RecordKind::Txt), Answer::Found(vec!["v=spf1 -all".into(), "other \"text\"".into()]));
        assert_eq!(answer("x.example", RecordKind::Mx), Answer::Nothing);
        assert_eq!(answer("z.example", RecordKind::Txt), Answer::Failed("no answer in time".into()));
        for (wrong, line) in [("a\n", 1), ("\n\na.example TXT x\n", 3), ("a.example XYZ \"x\"", 1), ("a.example TXT \"\\q\"", 1)]
        {
            assert_eq!(Recording::parse(wrong).unwrap_err().line, line, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(values in proptest::collection::vec(".{0,40}", 1..4), fact in "[^ ].{0,20}[^ ]") {
            let mut recording = Recording::default();
            recording.note("helo", &fact);
            let values = values.into_iter().map(String::into_boxed_str).collect();
            recording.answers.note(Question::new("a.example", RecordKind::Txt), Answer::Found(values));
            recording.answers.note(Question::new("b.example", RecordKind::Txt), Answer::Failed(fact.into()));
            let read = Recording::parse(&recording.to_string());
            prop_assert_eq!(read, Ok(recording));
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,200}") {
            let _ = Recording::parse(&text);
        }
    }
}
