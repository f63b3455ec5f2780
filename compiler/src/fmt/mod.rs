//! The canonical layout of a site file: [`format`]. Four blanks a level, one blank between values, at most one empty line in a
//! row, comments behind statements in one column. A block that stands on one line stays there while the line is short, and so
//! do statements that share one. Words are left as they were written, comments too, all of them; what a file means does not
//! change.
//!
//! It works on tokens and outline, not on a tree, since a tree has no comments. What `/-` takes out keeps its own layout where
//! that is more than a line.

mod line;
mod statement;

use crate::report::{Diagnostic, Severity};
use crate::source::SourceId;
use crate::syntax::read;
use crate::syntax::{PIECES_LIMIT, parse};
use line::Lines;
use statement::Writer;

/// Longest line on which a block may stand as a whole, or several statements, in characters.
const LINE_MAX_CHARS: usize = 120;

/// The text in canonical layout. Of a text that already has it, the same text.
///
/// # Errors
/// What is wrong with it as KDL: then nobody can tell what its layout should be.
pub fn format(source: SourceId, text: &str) -> Result<String, Vec<Diagnostic>> {
    let wrong: Vec<Diagnostic> =
        parse(source, text).diagnostics.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    // A text with more pieces was refused just now.
    let tokens = read::tokens(text, PIECES_LIMIT).unwrap_or_default();
    let outline = read::outline(text, &tokens);
    let mut lines = Lines::default();
    Writer { text, tokens: &tokens }.statements(&outline.statements, 0..tokens.len(), 0, &mut lines);
    Ok(lines.finish())
}

#[cfg(test)]
mod tests;
