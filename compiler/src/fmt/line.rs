//! The lines of the result, before their comments are put in columns.

use super::LINE_MAX_CHARS;

/// Blanks for each level.
const INDENT: &str = "    ";

/// The lines so far.
#[derive(Default)]
pub(super) struct Lines {
    lines: Vec<Line>,
}

struct Line {
    depth: usize,
    /// What stands on it; may hold line ends, where a statement is continued or a comment runs over lines.
    text: String,
    /// What stands behind it.
    comment: String,
    /// Whether an empty line stands before it.
    apart: bool,
    /// Whether its comment is put in a column with those of its neighbours.
    aligned: bool,
}

impl Lines {
    /// A statement, or the end of one.
    pub(super) fn statement(&mut self, depth: usize, text: String, apart: bool) {
        let aligned = !text.contains('\n') && !text.ends_with('{') && !text.starts_with('}');
        self.lines.push(Line { depth, text, comment: String::new(), apart, aligned });
    }

    /// A statement that shares the line of the one before it, if that line has room; `false` if it has not.
    pub(super) fn joined(&mut self, text: &str) -> bool {
        let Some(last) = self.lines.last_mut().filter(|last| last.aligned && last.comment.is_empty()) else { return false };
        let width = last.depth * INDENT.len() + last.text.chars().count() + 2 + text.chars().count();
        if text.contains('\n') || width > LINE_MAX_CHARS {
            return false;
        }
        last.text.push_str("; ");
        last.text.push_str(text);
        true
    }

    /// A comment on a line of its own.
    pub(super) fn comment(&mut self, depth: usize, text: &str, apart: bool) {
        self.lines.push(Line { depth, text: text.to_owned(), comment: String::new(), apart, aligned: false });
    }

    /// A comment behind the last line; `false` if there is none that could have it.
    pub(super) fn behind(&mut self, text: &str) -> bool {
        let Some(last) = self.lines.last_mut() else { return false };
        if last.comment.contains("//") || last.text.starts_with("//") {
            return false;
        }
        if !last.comment.is_empty() {
            last.comment.push(' ');
        }
        last.comment.push_str(text);
        true
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// The text.
    pub(super) fn finish(mut self) -> String {
        let mut at = 0;
        while at < self.lines.len() {
            let run = self.run(at);
            let width = |line: &Line| line.depth * INDENT.len() + line.text.chars().count();
            let column = self.lines[at..at + run].iter().map(width).max().unwrap_or_default();
            for line in &mut self.lines[at..at + run] {
                let gap = column - (line.depth * INDENT.len() + line.text.chars().count());
                line.text.push_str(&" ".repeat(gap));
            }
            at += run;
        }
        let mut text = String::new();
        for line in &self.lines {
            if line.apart && !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&INDENT.repeat(line.depth));
            text.push_str(&line.text);
            if !line.comment.is_empty() {
                text.push(' ');
                text.push_str(&line.comment);
            }
            text.push('\n');
        }
        text
    }

    /// How many lines from here on have their comments in one column; at least one.
    fn run(&self, from: usize) -> usize {
        let shares = |line: &Line| line.aligned && !line.comment.is_empty();
        if !shares(&self.lines[from]) {
            return 1;
        }
        let depth = self.lines[from].depth;
        let others = self.lines[from + 1..].iter().take_while(|line| shares(line) && line.depth == depth && !line.apart);
        1 + others.count()
    }
}
