//! The way through an outline: which words are names, which are values, and what of the text is no part of the site.

use super::{Advice, Hint, MISTAKES_LIMIT, Mistake, Repair, address, bare, keyword, number, plain, quote, quoted};
use crate::syntax::Value;
use crate::syntax::grammar::{self, walk as walk_grammar};
use crate::syntax::read::{Block, Ending, Entry, Outline, Statement, TextStyle, Token, TokenKind};
use crate::syntax::value::host_and_port;

pub(super) struct Walk<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) mistakes: Vec<Mistake>,
    /// Stretches that are judged as a whole: start, end, and the place of the one mistake that is reported in them.
    pub(super) dropped: Vec<(u32, u32, u32)>,
    pub(super) repair: Repair,
    pub(super) incomplete: bool,
    /// Whether a comment or string runs to the end of the text.
    pub(super) swallowed: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Walk<'a> {
        let (mistakes, dropped, repair) = (Vec::new(), Vec::new(), Repair::default());
        Walk { text, tokens, mistakes, dropped, repair, incomplete: false, swallowed: false }
    }

    pub(super) fn outline(&mut self, outline: &Outline) {
        self.trivia();
        for fault in &outline.faults {
            if self.mistakes.len() > MISTAKES_LIMIT {
                return;
            }
            self.fault(*fault);
        }
        for statement in &outline.statements {
            self.statement(statement);
        }
    }

    /// Comments and continued lines: the parser need not see them, and some of them it could not bear.
    fn trivia(&mut self) {
        for index in 0..self.tokens.len() {
            let token = self.tokens[index];
            match token.kind {
                TokenKind::LineComment | TokenKind::BlockComment { .. } | TokenKind::Continuation => {
                    self.repair.blanks.push((token.start, token.end));
                    self.comment(&token);
                }
                TokenKind::Illegal => {
                    self.repair.blanks.push((token.start, token.end));
                    self.illegal(token.start, token.of(self.text));
                }
                TokenKind::Text(TextStyle::Lines | TextStyle::RawLines(_), Ending::Open) => self.swallowed = true,
                _ => {}
            }
        }
    }

    fn comment(&mut self, token: &Token) {
        if token.kind == (TokenKind::BlockComment { closed: false }) {
            self.swallowed = true;
            self.incomplete = true;
            self.say(
                "KDL025",
                token.start,
                token.start + 2,
                "This comment has no end".to_owned(),
                "Write `*/` where it ends".to_owned(),
            );
        } else if let Some(at) = token.of(self.text).find(crate::syntax::read::is_illegal) {
            self.illegal(token.start + at as u32, &token.of(self.text)[at..]);
        }
    }

    fn illegal(&mut self, start: u32, rest: &str) {
        let Some(bad) = rest.chars().next() else { return };
        let message = format!("The character U+{:04X} may not stand in a site, since a reader would not see it", u32::from(bad));
        self.say("KDL033", start, start + bad.len_utf8() as u32, message, "Remove it".to_owned());
    }

    pub(super) fn say(&mut self, code: &'static str, start: u32, end: u32, message: String, help: String) {
        self.mistakes.push(Mistake { code, start, end, message, advice: Advice::Say(help), postfix: &[], label: "" });
    }

    pub(super) fn blank_tokens(&mut self, first: usize, end: usize) {
        if first < end {
            self.repair.blanks.push((self.tokens[first].start, self.tokens[end - 1].end));
        }
    }

    /// Leaves tokens out as a whole: of what is wrong in them, only the mistake at `reported` is told.
    pub(super) fn drop_tokens(&mut self, first: usize, end: usize, reported: usize) {
        self.blank_tokens(first, end);
        self.dropped.push((self.tokens[first].start, self.tokens[end - 1].end, self.tokens[reported].start));
        self.incomplete = true;
    }

    fn statement(&mut self, statement: &Statement) {
        if self.mistakes.len() > MISTAKES_LIMIT {
            return;
        }
        if let Some(dash) = statement.dashed {
            // The words of what is taken out need not be right, nor be seen by the parser. Its braces were looked at.
            self.blank_tokens(dash, statement.end);
            return;
        }
        self.annotation(statement.annotation);
        if !self.assignment(statement) || !self.name(statement) {
            return;
        }
        self.gap(statement);
        for entry in &statement.entries {
            if self.mistakes.len() > MISTAKES_LIMIT {
                return;
            }
            self.entry(statement, entry);
        }
        for block in &statement.dashed_blocks {
            self.blank_tokens(block.start, block.close.map_or(block.end, |close| close + 1));
        }
        if let Some(block) = &statement.block {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        for statement in &block.statements {
            self.statement(statement);
        }
        if block.close.is_none() {
            let at = self.tokens.get(block.end).map_or(self.text.len() as u32, |token| token.start);
            self.repair.insertions.entry(at).or_default().push('}');
        }
    }

    fn annotation(&mut self, annotation: Option<usize>) {
        let Some(index) = annotation else { return };
        let token = self.tokens[index];
        self.repair.blanks.push((token.start, token.end));
        let message = format!("`{}` is a type annotation, and means nothing in a site", token.of(self.text));
        self.say("KDL023", token.start, token.end, message, "Remove it".to_owned());
    }

    /// `key = value`, as `main.cf` has it. Whether the statement is worth a further look.
    fn assignment(&mut self, statement: &Statement) -> bool {
        let Some(equals) = statement.equals else { return true };
        let name = self.tokens[statement.name];
        let word = name.of(self.text);
        let message = format!("`{word} =` is how main.cf puts it; here a name is followed by its value, without `=`");
        let (start, end) = (name.start, self.tokens[equals].end);
        if let Some(advice) = grammar::advice(word) {
            self.drop_tokens(statement.name, statement.end, statement.name);
            let help = Advice::Say(advice.help);
            self.mistakes.push(Mistake {
                code: "KDL020",
                start,
                end,
                message,
                advice: help,
                postfix: advice.parameter,
                label: "",
            });
            return false;
        }
        let line_end = statement.entries.last().map_or(end, |entry| self.tokens[entry.value.end - 1].end);
        let values = statement.entries.iter().map(|entry| self.corrected(entry)).collect::<Vec<String>>().join(" ");
        let advice = Advice::Edit { start, end: line_end, text: format!("{word} {values}").trim_end().to_owned() };
        self.mistakes.push(Mistake { code: "KDL020", start, end, message, advice, postfix: &[], label: "" });
        if is_declared(word) {
            self.blank_tokens(equals, equals + 1);
            self.dropped.push((start, line_end, start));
            return true;
        }
        self.drop_tokens(statement.name, statement.end, statement.name);
        false
    }

    /// The text of a value as it should be written.
    fn corrected(&self, entry: &Entry) -> String {
        let Some(first) = entry.value.clone().next() else { return String::new() };
        let written = &self.text[self.tokens[first].start as usize..self.tokens[entry.value.end - 1].end as usize];
        bare(written).map_or_else(|| written.to_owned(), |hint| hint.instead)
    }

    /// The name of a statement. Whether the statement is worth a further look.
    fn name(&mut self, statement: &Statement) -> bool {
        let token = self.tokens[statement.name];
        let word = token.of(self.text);
        let is_value = token.kind == TokenKind::Keyword || (token.kind == TokenKind::Word && number::begins_like_one(word));
        let Some(hint) = self.judge(statement.name).filter(|_| !is_value) else {
            if is_value {
                self.misplaced(statement);
            }
            return !is_value;
        };
        if matches!(hint.code, "KDL017" | "KDL022" | "KDL024" | "KDL026" | "KDL033" | "KDL035") {
            self.apply(token.start, token.end, hint);
            return true;
        }
        self.misplaced(statement);
        false
    }

    /// A value where a name belongs.
    fn misplaced(&mut self, statement: &Statement) {
        let token = self.tokens[statement.name];
        self.drop_tokens(statement.name, statement.end, statement.name);
        let message = format!("`{}` cannot be the name of a block or setting", token.of(self.text));
        let help = "Write a name first, and its values behind it on the same line".to_owned();
        self.say("KDL034", token.start, token.end, message, help);
    }

    /// A name and its first value without a blank between them.
    fn gap(&mut self, statement: &Statement) {
        let end = self.tokens[statement.name].end;
        let first = statement.entries.first().map(|entry| entry.key.map_or(entry.value.start, |(key, _)| key));
        if let Some(next) = first.and_then(|first| self.tokens.get(first)).filter(|next| next.start == end) {
            self.repair.insertions.entry(end).or_default().push(' ');
            let (start, end) = (self.tokens[statement.name].start, next.end);
            self.mistakes.push(Mistake {
                code: "KDL027",
                start,
                end,
                message: "There is no blank between the name and its value".to_owned(),
                advice: Advice::Edit { start: next.start, end: next.start, text: " ".to_owned() },
                postfix: &[],
                label: "",
            });
        }
    }

    fn entry(&mut self, statement: &Statement, entry: &Entry) {
        if let Some(dash) = entry.dashed {
            self.blank_tokens(dash, entry.value.end);
            return;
        }
        self.annotation(entry.annotation);
        if let Some((key, equals)) = entry.key {
            if entry.value.is_empty() {
                let message = format!("Nothing stands behind `{}=`", self.tokens[key].of(self.text));
                let (start, end) = (self.tokens[key].start, self.tokens[equals].end);
                self.drop_tokens(statement.name, statement.end, key);
                self.say("KDL028", start, end, message, "Write the value behind the equals sign, or remove the name".to_owned());
                return;
            }
            if let Some(hint) = self.judge(key) {
                let token = self.tokens[key];
                self.apply(token.start, token.end, hint);
            }
        }
        match entry.value.len() {
            1 => self.value(statement, entry),
            _ => self.clump(entry),
        }
    }

    fn judge(&self, index: usize) -> Option<Hint> {
        let token = self.tokens[index];
        match token.kind {
            TokenKind::Word => bare(token.of(self.text)),
            TokenKind::Keyword => keyword::hashed(token.of(self.text)),
            TokenKind::Text(style, ending) => quote::text(token.of(self.text), style, ending),
            _ => None,
        }
    }

    fn value(&mut self, statement: &Statement, entry: &Entry) {
        let token = self.tokens[entry.value.start];
        let word = token.of(self.text);
        if word.trim_matches(',').is_empty() && token.kind == TokenKind::Word {
            self.separator(&token);
            return;
        }
        let Some(mut hint) = self.judge(entry.value.start) else { return };
        if hint.code == "KDL037"
            && let Some((host, port)) = host_and_port(word)
            && self.tokens[statement.name].of(self.text) == "relay"
        {
            let key = if entry.key.is_some() { "" } else { "host=" };
            hint.instead = format!("{key}{} port={port}", quoted(&host));
            hint.meaning = Value::String(host);
            if entry.key.is_none() {
                self.drop_tokens(statement.name, statement.end, entry.value.start);
            }
        }
        self.apply(token.start, token.end, hint);
    }

    /// A comma that stands alone.
    fn separator(&mut self, token: &Token) {
        self.repair.blanks.push((token.start, token.end));
        self.mistakes.push(Mistake {
            code: "KDL018",
            start: token.start,
            end: token.end,
            message: "Values are separated by blanks, not by commas".to_owned(),
            advice: Advice::Edit { start: token.start, end: token.end, text: String::new() },
            postfix: &[],
            label: "",
        });
    }

    /// Several tokens without a blank between them.
    fn clump(&mut self, entry: &Entry) {
        let tokens = &self.tokens[entry.value.clone()];
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return };
        let (start, end) = (first.start, last.end);
        let is_comma = |token: &Token| token.kind == TokenKind::Word && token.of(self.text).trim_matches(',').is_empty();
        if tokens.iter().all(|token| is_comma(token) || matches!(token.kind, TokenKind::Text(_, Ending::Closed))) {
            self.texts(entry);
            return;
        }
        let written = &self.text[start as usize..end as usize];
        let meant: String = written.chars().filter(|c| *c != '"').collect();
        let hint = if tokens.iter().any(|token| matches!(token.kind, TokenKind::Text(_, Ending::Open))) {
            Hint {
                code: "KDL024",
                message: "The quotes from here to the end of the line do not pair".to_owned(),
                instead: quoted(&meant),
                meaning: Value::String(meant),
            }
        } else if let Some(hint) = quote::single(written).or_else(|| address::judge(written)) {
            hint
        } else {
            let meaning = Value::String(meant.clone());
            let judged = plain::judge(written).filter(|_| !written.contains('"'));
            let message = judged.map_or_else(|| format!("`{written}` needs quotes around all of it"), |hint| hint.message);
            Hint { code: "KDL012", message, instead: quoted(&meant), meaning }
        };
        self.apply(start, end, hint);
    }

    /// Strings side by side, with commas between them or nothing at all.
    fn texts(&mut self, entry: &Entry) {
        let mut reported = false;
        for index in entry.value.clone() {
            let token = self.tokens[index];
            if !matches!(token.kind, TokenKind::Text(..)) {
                self.separator(&token);
                reported = true;
                continue;
            }
            if let Some(hint) = self.judge(index) {
                self.apply(token.start, token.end, hint);
            }
            let follows = index > entry.value.start && matches!(self.tokens[index - 1].kind, TokenKind::Text(..));
            if follows {
                self.repair.insertions.entry(token.start).or_default().push(' ');
                if !reported {
                    let advice = Advice::Edit { start: token.start, end: token.start, text: " ".to_owned() };
                    let message = "There is no blank between these two values".to_owned();
                    let (start, end) = (token.start, token.end);
                    self.mistakes.push(Mistake { code: "KDL027", start, end, message, advice, postfix: &[], label: "" });
                }
            }
        }
    }

    /// Reports a hint and puts in place what was meant.
    fn apply(&mut self, start: u32, end: u32, hint: Hint) {
        self.repair.values.insert(start, (end, hint.meaning));
        // An unclosed string is reported where it begins: where it ends is the question.
        let shown = if hint.code == "KDL024" { start + first_char(&self.text[start as usize..]) } else { end };
        self.mistakes.push(Mistake {
            code: hint.code,
            start,
            end: shown,
            message: hint.message,
            advice: Advice::Edit { start, end, text: hint.instead },
            postfix: &[],
            label: "",
        });
    }
}

/// The octets of the first character.
pub(super) fn first_char(text: &str) -> u32 {
    text.chars().next().map_or(0, |c| c.len_utf8() as u32)
}

/// Whether the grammar has a block or setting of that name.
fn is_declared(name: &str) -> bool {
    let mut found = false;
    walk_grammar(&mut |_, spec| found |= spec.name == name);
    found
}
