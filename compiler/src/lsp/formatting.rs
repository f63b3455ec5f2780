//! The layout of `postern fmt`, as an edit of the lines that change.

use super::scene::Scene;
use crate::fmt::format as laid_out;
use crate::source::SourceId;
use lsp_types::TextEdit;
use std::ops::Range;

/// What to change; `None` where mistakes leave open what the layout should be, or the document is the JSON of another program.
pub fn format(scene: &Scene<'_>) -> Option<Vec<TextEdit>> {
    if scene.document.uri.path().ends_with(".json") {
        return None;
    }
    let text = &*scene.document.text;
    let formatted = laid_out(SourceId(0), text).ok()?;
    let (stretch, new) = difference(text, &formatted);
    if stretch.is_empty() && new.is_empty() {
        return Some(Vec::new());
    }
    Some(vec![TextEdit::new(scene.lines.range(stretch), new.to_owned())])
}

/// The stretch that differs, in whole lines, and what takes its place: so a cursor elsewhere stays where it is.
fn difference<'a>(old: &str, new: &'a str) -> (Range<usize>, &'a str) {
    let same = |(old, new): &(&str, &str)| old == new;
    let head: usize = lines(old).zip(lines(new)).take_while(same).map(|(line, _)| line.len()).sum();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail: usize = lines(old_rest).rev().zip(lines(new_rest).rev()).take_while(same).map(|(line, _)| line.len()).sum();
    (head..old.len() - tail, &new_rest[..new_rest.len() - tail])
}

fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split_inclusive('\n')
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_lines_that_differ_are_replaced() {
        assert_eq!(difference("a\n b\nc\n", "a\nb\nc\n"), (2..5, "b\n"));
        assert_eq!(difference("a\na\n", "a\n"), (2..4, ""));
        assert_eq!(difference("a\n", "a\na\n"), (2..2, "a\n"));
        assert_eq!(difference("a", "a\n"), (0..1, "a\n"));
        assert_eq!(difference("", ""), (0..0, ""));
        assert_eq!(difference("例\nx", "例\ny\n"), (4..5, "y\n"));
    }
}
