//! The lines of a source that a finding is about, as miette reads a source: a table of a million rows is not copied to show one.

use super::View;
use super::terminal::visible;
use crate::source::{SourceId, Span};
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Lines around those that are pointed at.
const CONTEXT: u32 = 3;
/// Octets around them, where a line is longer than anybody reads.
const MARGIN: usize = 2000;

/// Some lines of a file.
#[derive(Debug)]
pub(super) struct Excerpt {
    path: String,
    text: String,
    /// Where the text begins in the file, in octets, in lines from 0, and in columns of that line.
    start: usize,
    line: usize,
    column: usize,
}

impl Excerpt {
    /// What lies between the first place and the last, which are in one source, and a little around it.
    pub fn new(view: &View<'_>, places: &[Span]) -> Excerpt {
        let id = places.first().map_or(SourceId(0), |place| place.source);
        let source = view.sources.source(id);
        let from = places.iter().map(|place| place.start).min().unwrap_or(0);
        let to = places.iter().map(|place| place.start + place.length).max().unwrap_or(0);
        let (first, last) = (source.line(from).saturating_sub(CONTEXT).max(1), source.line(to) + CONTEXT + 1);
        let start = source.line_start(first).max(source.text.floor_char_boundary((from as usize).saturating_sub(MARGIN)));
        let end = source.line_start(last).min(source.text.ceil_char_boundary(to as usize + MARGIN));
        let (line, column) = source.position(start as u32);
        let text = visible(&source.text[start..end]);
        Excerpt { path: view.path(id), text, start, line: line as usize - 1, column: column as usize - 1 }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self, span: &SourceSpan, before: usize, after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let within = span.offset().checked_sub(self.start).ok_or(MietteError::OutOfBounds)?;
        let found = self.text.read_span(&SourceSpan::from((within, span.len())), before, after)?;
        let span = SourceSpan::from((found.span().offset() + self.start, found.span().len()));
        let column = found.column() + if found.line() == 0 { self.column } else { 0 };
        let (line, lines) = (found.line() + self.line, found.line_count());
        Ok(Box::new(MietteSpanContents::new_named(self.path.clone(), found.data(), span, line, column, lines)))
    }
}
