//! Braces, semicolons, equals signs and comments that are not where they belong.

use super::walk::{Walk, first_char};
use super::{Advice, Mistake};
use crate::syntax::read::{Fault, TokenKind};

impl Walk<'_> {
    /// Reports a fault of the structure and repairs it.
    pub(super) fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Unclosed(open) => self.unclosed(open),
            Fault::Surplus(close) => {
                self.blank_tokens(close, close + 1);
                self.structural("KDL030", close, "This `}` closes nothing", "Remove it, or write the `{` that it belongs to");
            }
            Fault::LineEndBeforeBlock { after, open } => {
                self.blank_tokens(after, open);
                self.structural("KDL031", open, "This `{` stands on a line of its own", "Move it to the end of the line before");
            }
            Fault::Nameless(open, close) => {
                self.drop_tokens(open, close + 1, open);
                self.structural("KDL031", open, "This block has no name", "Write the name of the block before its `{`");
            }
            Fault::SecondBlock(open, close) => {
                self.drop_tokens(open, close + 1, open);
                self.structural("KDL036", open, "This is the second block of one statement", "Write all of it in one block");
            }
            Fault::AfterBlock(next) => {
                let at = self.tokens[next].start;
                self.repair.insertions.entry(at).or_default().push('\n');
                self.structural("KDL032", next, "A `}` ends its line, or is followed by `;`", "Move this to a line of its own");
            }
            Fault::StraySemicolon(semicolon) => {
                self.blank_tokens(semicolon, semicolon + 1);
                self.structural("KDL019", semicolon, "This `;` ends nothing", "Remove it");
            }
            Fault::StrayEquals(equals, end) => {
                self.drop_tokens(equals, end, equals);
                let help = "Remove it, or write the name of a property right before it";
                self.structural("KDL028", equals, "This `=` has no name before it", help);
            }
            Fault::StraySlashdash(dash) => {
                self.blank_tokens(dash, dash + 1);
                self.structural("KDL038", dash, "This `/-` takes nothing out", "Write it before a node, a value or a block");
            }
            Fault::StrayAnnotation(annotation) => {
                self.drop_tokens(annotation, annotation + 1, annotation);
                self.structural("KDL023", annotation, "A type annotation means nothing in a site", "Remove it");
            }
            Fault::HashComment(start, end) => self.hash_comment(start, end),
            Fault::TooDeep(open) => {
                self.incomplete = true;
                let message = format!("Blocks are nested more than {} deep", crate::syntax::read::DEPTH_LIMIT);
                self.structural("KDL002", open, &message, "Write flatter blocks: no part of a site needs so many");
            }
        }
    }

    fn structural(&mut self, code: &'static str, token: usize, message: &str, help: &str) {
        let token = self.tokens[token];
        // What stands there may be long; the place is where it begins.
        let end =
            if matches!(token.kind, TokenKind::Text(..)) { token.start + first_char(token.of(self.text)) } else { token.end };
        self.mistakes.push(Mistake {
            code,
            start: token.start,
            end,
            message: message.to_owned(),
            advice: Advice::Say(help.to_owned()),
            postfix: &[],
            label: "",
        });
    }

    fn unclosed(&mut self, open: usize) {
        // A comment or string that runs to the end swallowed the brace: that is the mistake, and it is reported.
        if !self.swallowed {
            self.structural("KDL029", open, "This `{` has no `}`", "Write a `}` where the block ends");
        }
    }

    fn hash_comment(&mut self, start: usize, end: usize) {
        let from = self.tokens[start].start;
        let to = self.tokens[end - 1].end;
        self.repair.blanks.push((from, to));
        self.dropped.push((from, to, from));
        let comment = self.text[from as usize..to as usize].trim_start_matches('#').trim_start();
        self.mistakes.push(Mistake {
            code: "KDL021",
            start: from,
            end: from + 1,
            message: "`#` begins no comment in KDL".to_owned(),
            advice: Advice::Edit { start: from, end: to, text: format!("// {comment}") },
            postfix: &[],
            label: "",
        });
    }
}
