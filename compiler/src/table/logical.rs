//! The lines of a table: physical ones for CSV and lists, logical ones for Postfix's tables, in which a line that begins with a
//! blank goes on where the last one ended, and lines that are empty or begin with `#` do not count (postmap(1)).

use super::{Fault, FaultKind};
use memchr::{memchr, memchr2};

/// The longest line, in octets.
pub const LINE_MAX_OCTETS: usize = 1 << 16;

/// A line, or several that are one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub number: u32,
    /// Where it begins.
    pub start: usize,
    /// Its text without the line end; a logical line of several has the line ends between them.
    pub text: &'a str,
}

/// The physical lines of a text behind its byte order mark. Ends at the first that is no line of text, which is the fault.
#[derive(Clone, Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    number: u32,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Lines<'a> {
        Lines { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 }, number: 0 }
    }

    fn fault(&mut self, start: usize, octets: usize, what: &'static str) -> Fault {
        self.at = self.text.len();
        Fault { start: start as u32, octets: octets as u32, kind: FaultKind::NoText(what) }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, Fault>;

    fn next(&mut self) -> Option<Result<Line<'a>, Fault>> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        let window = &rest[..rest.len().min(LINE_MAX_OCTETS + 1)];
        // The search for the end finds a NUL on the way.
        let length = match memchr2(b'\n', 0, window) {
            Some(place) if window[place] == 0 => {
                return Some(Err(self.fault(start + place, 1, "There is a NUL in this line: the file is not text")));
            }
            Some(place) => place,
            None if window.len() > LINE_MAX_OCTETS => {
                return Some(Err(self.fault(start, 0, "This line is longer than 65,536 octets: the file is no table")));
            }
            None => rest.len(),
        };
        self.at = start + length + 1;
        self.number += 1;
        let text = &self.text[start..start + length];
        Some(Ok(Line { number: self.number, start, text: text.strip_suffix('\r').unwrap_or(text) }))
    }
}

/// The logical lines of a text.
#[derive(Debug)]
pub(super) struct LogicalLines<'a> {
    lines: std::iter::Peekable<Lines<'a>>,
    text: &'a str,
}

impl<'a> LogicalLines<'a> {
    pub fn new(text: &'a str) -> LogicalLines<'a> {
        LogicalLines { lines: Lines::new(text).peekable(), text }
    }
}

impl<'a> Iterator for LogicalLines<'a> {
    type Item = Result<Line<'a>, Fault>;

    fn next(&mut self) -> Option<Result<Line<'a>, Fault>> {
        let first = loop {
            match self.lines.next()? {
                Ok(line) if is_ignored(line.text) => {}
                Ok(line) => break line,
                Err(fault) => return Some(Err(fault)),
            }
        };
        if is_continued(first.text) {
            let length = first.text.len() as u32;
            let message = "This line begins with a blank, and there is no row that it goes on from";
            return Some(Err(Fault::shape(first.start as u32, length, message, "Remove the blank at its start")));
        }
        let mut end = first.start + first.text.len();
        // What is ignored between two lines of a row belongs to it only if the row goes on behind it.
        while let Some(Ok(next)) = self.lines.peek() {
            if is_continued(next.text) && !is_ignored(next.text) {
                end = next.start + next.text.len();
            } else if !is_ignored(next.text) {
                break;
            }
            self.lines.next();
        }
        Some(Ok(Line { text: &self.text[first.start..end], ..first }))
    }
}

fn is_ignored(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn is_continued(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// Where the next thing that is not blank stands, at or behind `at`: comment lines within a logical line are blank.
pub(super) fn skip_blanks(text: &str, mut at: usize) -> usize {
    let octets = text.as_bytes();
    while let Some(octet) = octets.get(at) {
        match octet {
            b' ' | b'\t' | b'\r' => at += 1,
            b'\n' => {
                let line = &text[at + 1..];
                at += 1;
                if is_ignored(&line[..memchr(b'\n', line.as_bytes()).unwrap_or(line.len())]) {
                    at += memchr(b'\n', line.as_bytes()).unwrap_or(line.len());
                }
            }
            _ => break,
        }
    }
    at
}
