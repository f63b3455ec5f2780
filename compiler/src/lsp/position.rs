//! Places in a text, as the protocol counts them: lines from 0, ended by `\n`, `\r\n` or `\r`, and columns from 0 in units of
//! UTF-16, or in octets where the client offers that (LSP 3.17, `PositionEncodingKind`). Inside, a place is an octet of UTF-8.

use lsp_types::{Position, PositionEncodingKind, Range};
use std::ops;

/// What a column counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// Octets.
    Utf8,
    /// Units of UTF-16: what every client understands.
    #[default]
    Utf16,
}

impl Encoding {
    /// The best of those that a client offers.
    pub fn of(offered: Option<&[PositionEncodingKind]>) -> Encoding {
        match offered.is_some_and(|offered| offered.contains(&PositionEncodingKind::UTF8)) {
            true => Encoding::Utf8,
            false => Encoding::Utf16,
        }
    }

    /// Its name in the protocol.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn length(self, c: char) -> usize {
        match self {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
        }
    }
}

/// A text with marks at the start of each line and now and then within a long one, so that no place is far from one.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a str,
    marks: Vec<Mark>,
    encoding: Encoding,
}

/// A place in both ways of counting.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: usize,
    line: u32,
    column: usize,
}

/// How far apart the marks of a long line are, in octets.
const STRIDE: usize = 512;

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    pub fn new(text: &'a str, encoding: Encoding) -> Lines<'a> {
        let mut at = Mark { offset: 0, line: 0, column: 0 };
        let mut marks = vec![at];
        let mut chars = text.char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            at.offset = offset + c.len_utf8();
            at.column += encoding.length(c);
            if c == '\n' || c == '\r' && chars.peek().is_none_or(|(_, next)| *next != '\n') {
                (at.line, at.column) = (at.line + 1, 0);
            }
            if at.column == 0 || marks.last().is_none_or(|last| at.offset - last.offset >= STRIDE) {
                marks.push(at);
            }
        }
        Lines { text, marks, encoding }
    }

    /// The place of an octet. One that lies within a character or beyond the text counts as the end of what is before it.
    pub fn position(&self, offset: usize) -> Position {
        let mark = self.last_mark(|mark| mark.offset <= offset);
        let before = self.text[mark.offset..].char_indices();
        let before = before.take_while(|(at, c)| mark.offset + at + c.len_utf8() <= offset);
        let column: usize = before.map(|(_, c)| self.encoding.length(c)).sum();
        Position::new(mark.line, (mark.column + column) as u32)
    }

    /// The octet of a place. A column beyond the line is its end, a line beyond the text the end of that, and half a character
    /// its start.
    pub fn offset(&self, position: Position) -> usize {
        let column = position.character as usize;
        let mark = self.last_mark(|mark| (mark.line, mark.column) <= (position.line, column));
        if mark.line < position.line {
            return self.text.len();
        }
        let mut left = column - mark.column;
        let rest = &self.text[mark.offset..];
        for (at, c) in rest.char_indices() {
            let length = self.encoding.length(c);
            if left < length || matches!(c, '\n' | '\r') {
                return mark.offset + at;
            }
            left -= length;
        }
        self.text.len()
    }

    /// The last mark of those that come first and are so; the very first is.
    fn last_mark(&self, is_so: impl Fn(&Mark) -> bool) -> Mark {
        self.marks[self.marks.partition_point(is_so).max(1) - 1]
    }

    /// The range of a stretch.
    pub fn range(&self, stretch: ops::Range<usize>) -> Range {
        Range::new(self.position(stretch.start), self.position(stretch.end))
    }

    /// The stretch of a range; empty where the range ends before it begins.
    pub fn stretch(&self, range: Range) -> ops::Range<usize> {
        let start = self.offset(range.start);
        start..self.offset(range.end).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Lines};
    use lsp_types::Position;
    use proptest::prelude::*;

    const BOTH: [Encoding; 2] = [Encoding::Utf8, Encoding::Utf16];

    #[test]
    fn columns_count_what_was_agreed_on() {
        let text = "domain \"例え.example\" // 𝄞 x\r\nend";
        let at = text.find("//").expect("a comment");
        let position = |encoding| Lines::new(text, encoding).position(at);
        assert_eq!((position(Encoding::Utf8).character, position(Encoding::Utf16).character), (24, 20));
        let x = text.rfind('x').expect("x");
        assert_eq!(Lines::new(text, Encoding::Utf16).position(x), Position::new(0, 26));
        assert_eq!(Lines::new(text, Encoding::Utf16).offset(Position::new(0, 24)), text.find('𝄞').expect("clef"));
        assert_eq!(Lines::new(text, Encoding::Utf16).offset(Position::new(0, 999)), text.find('\r').expect("line end"));
        assert_eq!(Lines::new(text, Encoding::Utf16).offset(Position::new(1, 1)), text.find("nd").expect("end"));
        assert_eq!(Lines::new(text, Encoding::Utf16).offset(Position::new(7, 0)), text.len());
    }

    /// The column, counted by hand.
    fn naive(line: &str, encoding: Encoding) -> usize {
        match encoding {
            Encoding::Utf8 => line.len(),
            Encoding::Utf16 => line.encode_utf16().count(),
        }
    }

    proptest! {
        #[test]
        fn every_place_outside_a_line_end_survives_the_way_there_and_back(text in "[a例𝄞é \\n\\r]{0,40}") {
            for encoding in BOTH {
                let lines = Lines::new(&text, encoding);
                for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                    let position = lines.position(at);
                    if at > 0 && text[..at].ends_with('\r') && text[at..].starts_with('\n') {
                        prop_assert_eq!(lines.offset(position), at - 1);
                        continue;
                    }
                    prop_assert_eq!(lines.offset(position), at);
                    let before = text[..at].replace("\r\n", "\n").replace('\r', "\n");
                    let line = before.rsplit('\n').next().unwrap_or_default();
                    prop_assert_eq!(position.line as usize, before.matches('\n').count());
                    prop_assert_eq!(position.character as usize, naive(line, encoding));
                }
            }
        }

        #[test]
        fn long_lines_are_counted_as_short_ones_are(head in "[a例𝄞]{0,8}", times in 0usize..400, tail in "[a例𝄞]{0,8}") {
            let text = format!("x\n{}{tail}", head.repeat(times));
            for encoding in BOTH {
                let lines = Lines::new(&text, encoding);
                let end = Position::new(1, naive(&text[2..], encoding) as u32);
                prop_assert_eq!(lines.position(text.len()), end);
                prop_assert_eq!(lines.offset(end), text.len());
            }
        }

        #[test]
        fn any_place_is_somewhere(text in "\\PC{0,20}\n\\PC{0,20}", line in 0u32..4, character in 0u32..60, offset in 0usize..200) {
            for encoding in BOTH {
                let lines = Lines::new(&text, encoding);
                let found = lines.offset(Position::new(line, character));
                prop_assert!(text.is_char_boundary(found));
                prop_assert!(lines.offset(lines.position(offset)) <= offset.min(text.len()));
            }
        }
    }
}
