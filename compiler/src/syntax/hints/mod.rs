//! What a person meant: mistakes in KDL text that the parser would answer with "expected float". Each hint knows one family,
//! says what is wrong in the words of the field, and shows the line to write instead.
//!
//! A hint works on the [`Outline`], not on a tree, so all of them speak in one run. Each also repairs the text for the parser:
//! a value that was meant is put in place of what was written ([`Repair`]), so that one slip hides nothing else.

mod address;
mod keyword;
mod number;
mod plain;
mod quantity;
mod quote;
mod structure;
mod walk;

use crate::report::Diagnostic;
use crate::source::{SourceId, Span};
use crate::syntax::Value;
use crate::syntax::read::{Outline, Token};
use std::collections::BTreeMap;

/// What one look at a text gives.
#[derive(Debug, Default)]
pub struct Judgement {
    /// What is wrong, in order.
    pub diagnostics: Vec<Diagnostic>,
    /// What to change before the parser sees the text.
    pub repair: Repair,
    /// Whether whole statements are left out, so that nothing that is missing may be missed.
    pub incomplete: bool,
    /// Whether there are more than [`MISTAKES_LIMIT`] mistakes: then nothing is repaired.
    pub hopeless: bool,
}

/// Changes to a text that keep every place in it: octets are overwritten, never moved.
#[derive(Debug, Default)]
pub struct Repair {
    /// Stretches that the parser must not see.
    pub blanks: Vec<(u32, u32)>,
    /// Stretches that stand for a value, by their start: their end and the value.
    pub values: BTreeMap<u32, (u32, Value)>,
    /// What is missing, by the place that it is missing at.
    pub insertions: BTreeMap<u32, String>,
}

/// One mistake.
#[derive(Debug)]
struct Mistake {
    code: &'static str,
    start: u32,
    end: u32,
    message: String,
    advice: Advice,
    postfix: &'static [&'static str],
    label: &'static str,
}

/// What to do about a mistake.
#[derive(Debug)]
enum Advice {
    /// Write this in place of a stretch; people are shown the whole line.
    Edit { start: u32, end: u32, text: String },
    /// This sentence.
    Say(String),
}

/// What a hint says about one word.
#[derive(Debug, PartialEq)]
struct Hint {
    code: &'static str,
    /// One sentence, no full stop.
    message: String,
    /// What to write instead.
    instead: String,
    /// What was meant.
    meaning: Value,
}

/// The most mistakes that are looked for in one text: beyond them, it is something else than a site.
pub const MISTAKES_LIMIT: usize = 1000;

/// Longest line that a help shows whole, in characters.
const SHOWN: usize = 120;

/// Judges a text.
pub fn judge(source: SourceId, text: &str, tokens: &[Token], outline: &Outline) -> Judgement {
    let mut walk = walk::Walk::new(text, tokens);
    walk.outline(outline);
    let walk::Walk { mut mistakes, dropped, repair, incomplete, .. } = walk;
    let hopeless = mistakes.len() > MISTAKES_LIMIT;
    let dropped = outermost(dropped);
    mistakes.retain(|mistake| {
        let before = dropped.partition_point(|(start, ..)| *start <= mistake.start);
        let within = before.checked_sub(1).map(|index| dropped[index]).filter(|(_, end, _)| mistake.start < *end);
        within.is_none_or(|(.., reported)| mistake.start == reported)
    });
    mistakes.sort_by_key(|mistake| (mistake.start, mistake.end));
    mistakes.dedup_by(|later, earlier| later.start < earlier.end);
    mistakes.truncate(MISTAKES_LIMIT);
    let mut diagnostics: Vec<Diagnostic> = mistakes.iter().map(|mistake| finding(source, text, mistake, &mistakes)).collect();
    if let Some(last) = diagnostics.last().filter(|_| hopeless) {
        let message = format!("Behind this the text was not looked at: it has more than {MISTAKES_LIMIT} mistakes");
        diagnostics.push(Diagnostic::error(last.code, last.primary, message).help("Mend the others first"));
    }
    Judgement { diagnostics, repair, incomplete, hopeless }
}

/// The stretches that lie in no other, in order. Two of them never overlap in part: each is a statement or an entry.
fn outermost(mut dropped: Vec<(u32, u32, u32)>) -> Vec<(u32, u32, u32)> {
    dropped.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
    dropped.dedup_by(|later, earlier| later.0 < earlier.1);
    dropped
}

fn finding(source: SourceId, text: &str, mistake: &Mistake, all: &[Mistake]) -> Diagnostic {
    let span = Span { source, start: mistake.start, length: mistake.end - mistake.start };
    let help = match &mistake.advice {
        Advice::Say(sentence) => sentence.clone(),
        Advice::Edit { start, text: instead, .. } => match edited_line(text, *start, all) {
            Some(line) => format!("Write `{line}`"),
            None => format!("Write `{instead}`"),
        },
    };
    let finding =
        Diagnostic::error(mistake.code, span, mistake.message.clone()).help(help).postfix(mistake.postfix).label(mistake.label);
    match &mistake.advice {
        Advice::Edit { start, end, text } => finding.fix(Span { source, start: *start, length: end - start }, text.as_str()),
        Advice::Say(_) => finding,
    }
}

/// The line of a place with every edit on it made; `None` where it is too long to be shown.
fn edited_line(text: &str, place: u32, all: &[Mistake]) -> Option<String> {
    let (before, behind) = text.as_bytes().split_at(place as usize);
    let ends = |octet: &u8| matches!(octet, b'\n' | b'\r');
    // A line too long to be shown is not searched to its ends either: a file may be one line.
    let start = match before.iter().rev().take(4 * SHOWN).position(ends) {
        Some(length) => before.len() - length,
        None if before.len() <= 4 * SHOWN => 0,
        None => return None,
    };
    let end = match behind.iter().take(4 * SHOWN).position(ends) {
        Some(length) => before.len() + length,
        None if behind.len() <= 4 * SHOWN => text.len(),
        None => return None,
    };
    let first = all.partition_point(|mistake| (mistake.start as usize) < start);
    let mut line = String::new();
    let mut at = start;
    for mistake in all[first..].iter().take_while(|mistake| (mistake.start as usize) < end) {
        if let Advice::Edit { start: from, end: to, text: instead } = &mistake.advice
            && at <= *from as usize
            && *to as usize <= end
        {
            line.push_str(&text[at..*from as usize]);
            line.push_str(instead);
            at = *to as usize;
        }
    }
    line.push_str(&text[at..end]);
    let line = line.trim();
    (line.chars().count() <= SHOWN).then(|| line.to_owned())
}

/// What is wrong with a bare word, if anything is.
fn bare(word: &str) -> Option<Hint> {
    keyword::bare(word)
        .or_else(|| quote::single(word))
        .or_else(|| plain::comma(word))
        .or_else(|| number::judge(word))
        .or_else(|| address::judge(word))
        .or_else(|| quantity::judge(word))
        .or_else(|| plain::judge(word))
}

/// A text as KDL writes it: in quotes, raw where escapes would be needed.
pub fn quoted(text: &str) -> String {
    if !text.contains(['"', '\\']) && !text.contains(|c: char| c.is_control()) {
        return format!("\"{text}\"");
    }
    let hashes = (1..8).map(|count| "#".repeat(count)).find(|hashes| !text.contains(&format!("\"{hashes}")));
    match hashes.filter(|_| !text.contains(|c: char| c.is_control()) && text != "\"") {
        Some(hashes) => format!("{hashes}\"{text}\"{hashes}"),
        None => escaped(text),
    }
}

/// A text in quotes with escapes.
fn escaped(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if c.is_control() || crate::syntax::read::is_illegal(c) || crate::syntax::read::is_newline(c) => {
                written.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests;
