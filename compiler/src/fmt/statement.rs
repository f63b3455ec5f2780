//! Statements and what stands between them, as lines.

use super::LINE_MAX_CHARS;
use super::line::Lines;
use crate::syntax::read::{Block, Entry, Statement, Token, TokenKind};
use std::ops::Range;

/// What stands between two statements.
#[derive(Clone, Copy)]
struct Gap {
    /// An empty line.
    apart: bool,
    /// Not even a line end, nor a comment.
    shares_line: bool,
}

pub(super) struct Writer<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
}

impl Writer<'_> {
    fn of(&self, token: usize) -> &str {
        self.tokens[token].of(self.text)
    }

    /// The text of tokens as it was written.
    fn raw(&self, tokens: Range<usize>) -> &str {
        match tokens.is_empty() {
            true => "",
            false => &self.text[self.tokens[tokens.start].start as usize..self.tokens[tokens.end - 1].end as usize],
        }
    }

    /// The statements of a block, or of the whole text, whose tokens are these.
    pub(super) fn statements(&self, statements: &[Statement], tokens: Range<usize>, depth: usize, lines: &mut Lines) {
        let mut at = tokens.start;
        let first = lines.count();
        for statement in statements {
            let begin = statement.dashed.or(statement.annotation).unwrap_or(statement.name);
            let gap = self.between(at..begin, depth, first, lines);
            self.statement(statement, depth, gap, lines);
            at = statement.end;
        }
        self.between(at..tokens.end, depth, first, lines);
    }

    /// What stands between two statements: comments.
    fn between(&self, tokens: Range<usize>, depth: usize, first: usize, lines: &mut Lines) -> Gap {
        let mut ends = 0;
        let mut shares_line = lines.count() > first;
        for index in tokens {
            let comment = match self.tokens[index].kind {
                TokenKind::Newline => {
                    ends += 1;
                    shares_line = false;
                    continue;
                }
                TokenKind::LineComment => self.of(index).trim_end(),
                TokenKind::BlockComment { .. } => self.of(index),
                // A `\` that continues nothing; its comment stays.
                TokenKind::Continuation => match self.of(index).find("//") {
                    Some(start) => self.of(index)[start..].trim_end(),
                    None => continue,
                },
                _ => continue,
            };
            shares_line = false;
            let is_behind = ends == 0 && !comment.contains('\n') && lines.count() > 0 && index > 0;
            if !is_behind || !lines.behind(comment) {
                lines.comment(depth, comment, ends > 1 && lines.count() > first);
            }
            // A `\` takes its line end with it.
            ends = usize::from(self.tokens[index].kind == TokenKind::Continuation);
        }
        Gap { apart: ends > 1 && lines.count() > first, shares_line }
    }

    fn statement(&self, statement: &Statement, depth: usize, gap: Gap, lines: &mut Lines) {
        let mut text = self.head(statement, depth);
        let Some(block) = &statement.block else {
            let end = statement.end;
            text.push_str(&self.pieces(self.head_end(statement)..end, statement, depth));
            whole(depth, text, gap, lines);
            return;
        };
        let after = block.close.map_or(block.end, |close| close + 1);
        let rest = self.pieces(after..statement.end, statement, depth);
        if let Some(inside) = self.inline(block) {
            let line = format!("{text} {inside}{rest}");
            let last_line = line.rsplit('\n').next().unwrap_or_default();
            if depth * 4 + last_line.chars().count() <= LINE_MAX_CHARS || inside == "{}" {
                whole(depth, line, gap, lines);
                return;
            }
        }
        text.push_str(" {");
        lines.statement(depth, text, gap.apart);
        self.statements(&block.statements, block.open + 1..block.close.unwrap_or(block.end), depth + 1, lines);
        lines.statement(depth, format!("}}{rest}"), false);
    }

    /// The first token behind the entries: where the block begins, or the statement ends.
    fn head_end(&self, statement: &Statement) -> usize {
        statement.block.as_ref().map_or(statement.end, |block| block.open)
    }

    /// Name and entries.
    fn head(&self, statement: &Statement, depth: usize) -> String {
        let mut text = String::new();
        let begin = match statement.dashed {
            Some(dash) => {
                text.push_str(&self.dash(dash, statement.name, " "));
                statement.name
            }
            None => statement.name,
        };
        text.push_str(self.of(begin));
        text.push_str(&self.pieces(begin + 1..self.head_end(statement), statement, depth));
        text
    }

    /// `/-` and what stands between it and what it takes out.
    fn dash(&self, dash: usize, target: usize, blank: &str) -> String {
        let between = dash + 1..target;
        let plain = self.tokens[between.clone()].iter().all(|token| token.kind == TokenKind::Space);
        if plain { format!("/-{blank}") } else { format!("/-{}", self.raw(between)) }
    }

    /// Entries, blocks that `/-` takes out, and comments, each with a blank before it.
    fn pieces(&self, tokens: Range<usize>, statement: &Statement, depth: usize) -> String {
        let mut text = String::new();
        let mut at = tokens.start;
        let mut entries = statement.entries.iter().skip_while(|entry| first_of(entry) < tokens.start).peekable();
        let mut blocks = statement.dashed_blocks.iter().skip_while(|block| block.start < tokens.start).peekable();
        while at < tokens.end {
            if let Some(entry) = entries.next_if(|entry| first_of(entry) == at) {
                text.push(' ');
                text.push_str(&self.entry(entry));
                at = entry.value.end;
                continue;
            }
            if let Some(block) = blocks.next_if(|block| block.start == at) {
                let end = block.close.map_or(block.end, |close| close + 1);
                text.push(' ');
                text.push_str(self.raw(at..end));
                at = end;
                continue;
            }
            match self.tokens[at].kind {
                TokenKind::BlockComment { .. } => {
                    text.push(' ');
                    text.push_str(self.of(at));
                }
                TokenKind::Continuation => {
                    text.push_str(" \\");
                    if let Some(start) = self.of(at).find("//") {
                        text.push(' ');
                        text.push_str(self.of(at)[start..].trim_end());
                    }
                    text.push('\n');
                    text.push_str(&"    ".repeat(depth + 1));
                    // The blank before the next piece is part of the indentation.
                    text.truncate(text.len() - 1);
                }
                _ => {}
            }
            at += 1;
        }
        text
    }

    fn entry(&self, entry: &Entry) -> String {
        let mut text = String::new();
        let begin = entry.key.map_or(entry.value.start, |(key, _)| key);
        if let Some(dash) = entry.dashed {
            text.push_str(&self.dash(dash, begin, ""));
        }
        match entry.key {
            Some((key, equals)) => {
                let gaps = (key + 1..equals).chain(equals + 1..entry.value.start);
                if gaps.into_iter().all(|gap| self.tokens[gap].kind == TokenKind::Space) {
                    text.push_str(self.of(key));
                    text.push('=');
                    text.push_str(self.raw(entry.value.clone()));
                } else {
                    text.push_str(self.raw(key..entry.value.end));
                }
            }
            None => text.push_str(self.raw(entry.value.clone())),
        }
        text
    }

    /// A block on one line, if it stands on one and holds neither comments nor blocks.
    fn inline(&self, block: &Block) -> Option<String> {
        let close = block.close?;
        let fits = |token: &Token| match token.kind {
            TokenKind::Newline | TokenKind::LineComment | TokenKind::BlockComment { .. } | TokenKind::Continuation => false,
            TokenKind::Slashdash | TokenKind::Open => false,
            TokenKind::Text(..) => !token.of(self.text).contains('\n'),
            _ => true,
        };
        if !self.tokens[block.open + 1..close].iter().all(fits) {
            return None;
        }
        let statements: Vec<String> = block.statements.iter().map(|statement| format!("{};", self.head(statement, 0))).collect();
        Some(if statements.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", statements.join(" ")) })
    }
}

/// A statement that is a line, or part of one.
fn whole(depth: usize, text: String, gap: Gap, lines: &mut Lines) {
    if !gap.shares_line || !lines.joined(&text) {
        lines.statement(depth, text, gap.apart);
    }
}

/// The first token of an entry.
fn first_of(entry: &Entry) -> usize {
    entry.dashed.or(entry.key.map(|(key, _)| key)).unwrap_or(entry.value.start)
}
