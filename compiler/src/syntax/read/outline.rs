//! Tokens as statements: which names, values and blocks a text has, found without giving up at the first mistake. The parser
//! proper is the `kdl` crate, which knows no tree once anything is wrong; this outline is what lets one run report every
//! mistake, with its own words, and still see the rest of the file.
//!
//! It says nothing about what words mean. Whoever judges them ([`super::hints`]) walks the outline; the formatter and the
//! editor read it too.

use super::token::{Token, TokenKind};
use std::ops::Range;

/// Deepest nesting of blocks: far beyond any site, and far below what the parser's stack holds.
pub const DEPTH_LIMIT: usize = 32;

/// The statements outside every block, and what does not fit between them.
#[derive(Clone, PartialEq, Debug)]
pub struct Outline {
    /// Statements in order.
    pub statements: Vec<Statement>,
    /// What is wrong with the structure, in order.
    pub faults: Vec<Fault>,
}

/// One node, as far as it can be made out. All positions are indices of tokens.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// The `/-` that takes it out, if there is one.
    pub dashed: Option<usize>,
    /// Its name.
    pub name: usize,
    /// An annotation before the name.
    pub annotation: Option<usize>,
    /// An equals sign behind the name, as in `key = value`.
    pub equals: Option<usize>,
    /// What stands between name and block, in order.
    pub entries: Vec<Entry>,
    /// Blocks that `/-` takes out, from the `/-` on.
    pub dashed_blocks: Vec<Block>,
    /// Its block.
    pub block: Option<Block>,
    /// One past its last token; a terminator is not part of it.
    pub end: usize,
}

/// An argument or property.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The `/-` that takes it out, if there is one.
    pub dashed: Option<usize>,
    /// An annotation before the value.
    pub annotation: Option<usize>,
    /// The name and the equals sign of a property.
    pub key: Option<(usize, usize)>,
    /// The tokens of the value: one if all is well, several where blanks are missing, none where nothing stands behind `=`.
    pub value: Range<usize>,
}

/// A children block.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// Its first token: `{`, or the `/-` that takes it out.
    pub start: usize,
    /// `{`.
    pub open: usize,
    /// `}`; `None` where the text ends first.
    pub close: Option<usize>,
    /// The token behind its last statement, where the `}` stands or should.
    pub end: usize,
    /// What stands in it.
    pub statements: Vec<Statement>,
}

/// Something wrong with the structure, at a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A `{` without its `}`.
    Unclosed(usize),
    /// A `}` without its `{`.
    Surplus(usize),
    /// A `{` at the start of a line, whose statement ended with the line before: the line ends to take out are those between
    /// the two tokens.
    LineEndBeforeBlock {
        /// One past the last token of the statement.
        after: usize,
        /// The `{`.
        open: usize,
    },
    /// A block that belongs to no statement; up to and including the second token.
    Nameless(usize, usize),
    /// A second block of a statement; up to and including the second token.
    SecondBlock(usize, usize),
    /// Something behind a `}` on the same line.
    AfterBlock(usize),
    /// A `;` that ends nothing.
    StraySemicolon(usize),
    /// An `=` without a name before it; up to one before the second token, which is what goes with it.
    StrayEquals(usize, usize),
    /// A `/-` before nothing.
    StraySlashdash(usize),
    /// An annotation with nothing behind it.
    StrayAnnotation(usize),
    /// A `#` that was to begin a comment; up to one before the second token.
    HashComment(usize, usize),
    /// A block beyond [`DEPTH_LIMIT`].
    TooDeep(usize),
}

/// Makes the outline of a text.
pub fn outline(text: &str, tokens: &[Token]) -> Outline {
    if let Some(token) = too_deep(tokens) {
        return Outline { statements: Vec::new(), faults: vec![Fault::TooDeep(token)] };
    }
    let plain = read(text, tokens, false);
    if plain.unbalanced() == 0 {
        return plain;
    }
    // One brace is missing or too many. Where depends on what was meant, and the layout tells; unless it tells nothing.
    let recovered = read(text, tokens, true);
    if recovered.unbalanced() <= plain.unbalanced() { recovered } else { plain }
}

fn read(text: &str, tokens: &[Token], recovering: bool) -> Outline {
    let (faults, columns) = (Vec::new(), Vec::new());
    let indents = if recovering { indents(tokens) } else { Vec::new() };
    let mut reader = Reader { text, tokens, at: 0, depth: 0, faults, recovering, indents, columns, last_assignment: None };
    let statements = reader.statements();
    Outline { statements, faults: reader.faults }
}

/// For each token, how far its line is indented, in octets.
fn indents(tokens: &[Token]) -> Vec<u32> {
    let mut indent = None;
    let each = tokens.iter().map(|token| {
        let length = if token.kind == TokenKind::Space { token.end - token.start } else { 0 };
        let here = *indent.get_or_insert(length);
        if token.kind == TokenKind::Newline {
            indent = None;
        }
        here
    });
    each.collect()
}

impl Outline {
    fn unbalanced(&self) -> usize {
        self.faults.iter().filter(|fault| matches!(fault, Fault::Unclosed(_) | Fault::Surplus(_))).count()
    }
}

/// The first brace beyond the limit.
fn too_deep(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0usize;
    tokens.iter().position(|token| {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEPTH_LIMIT
    })
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    faults: Vec<Fault>,
    /// Whether the text is known not to balance: then the layout says where blocks end.
    recovering: bool,
    /// With `recovering`: for each token, the indentation of its line.
    indents: Vec<u32>,
    /// The indentation of the lines that the open blocks begin on.
    columns: Vec<u32>,
    /// Where a `key = value` line ended: `main.cf` continues it on lines that begin with a blank.
    last_assignment: Option<usize>,
}

impl Reader<'_> {
    fn kind(&self) -> Option<TokenKind> {
        self.tokens.get(self.at).map(|token| token.kind)
    }

    fn skip_blanks(&mut self) {
        while self.tokens.get(self.at).is_some_and(Token::is_blank) {
            self.at += 1;
        }
    }

    fn skip_lines(&mut self) {
        let skips = |token: &Token| token.is_blank() || matches!(token.kind, TokenKind::Newline | TokenKind::LineComment);
        while self.tokens.get(self.at).is_some_and(skips) {
            self.at += 1;
        }
    }

    /// One past the last token of the line, comment and terminator not counted.
    fn line_end(&self, from: usize) -> usize {
        let ends = |token: &Token| matches!(token.kind, TokenKind::Newline | TokenKind::LineComment);
        let end = self.tokens[from..].iter().position(ends).map_or(self.tokens.len(), |length| from + length);
        self.trim(from, end)
    }

    /// The same range without the blanks at its end.
    fn trim(&self, from: usize, mut end: usize) -> usize {
        while end > from && self.tokens[end - 1].is_blank() {
            end -= 1;
        }
        end
    }

    /// Statements up to the end of the block or the text.
    fn statements(&mut self) -> Vec<Statement> {
        let mut statements: Vec<Statement> = Vec::new();
        loop {
            self.skip_lines();
            match self.kind() {
                None => return statements,
                Some(TokenKind::Close) if self.depth > 0 => return statements,
                Some(TokenKind::Word) if self.ends_blocks() => return statements,
                Some(TokenKind::Close) => self.fault_here(Fault::Surplus),
                Some(TokenKind::Semicolon) => self.fault_here(Fault::StraySemicolon),
                Some(TokenKind::Equals) => {
                    let end = self.line_end(self.at).max(self.at + 1);
                    self.faults.push(Fault::StrayEquals(self.at, end));
                    self.at = end;
                }
                Some(TokenKind::Illegal) => self.at += 1,
                Some(TokenKind::Open) => self.loose_block(&mut statements),
                Some(TokenKind::Word | TokenKind::Keyword) if self.is_hash_comment() => {
                    let end = self.line_end(self.at);
                    self.faults.push(Fault::HashComment(self.at, end));
                    self.at = end;
                }
                Some(_) if self.continues_assignment() => self.at = self.line_end(self.at).max(self.at + 1),
                Some(_) => statements.extend(self.statement()),
            }
        }
    }

    fn fault_here(&mut self, fault: fn(usize) -> Fault) {
        self.faults.push(fault(self.at));
        self.at += 1;
    }

    /// `# text` or `## text`, or `#` alone.
    fn is_hash_comment(&self) -> bool {
        let word = self.tokens[self.at].of(self.text);
        word.starts_with('#') && (word.trim_start_matches('#').is_empty() || !word.contains('"'))
    }

    /// Whether this line begins with a blank and the line before it was a dropped `key = value`.
    fn continues_assignment(&mut self) -> bool {
        let Some(end) = self.last_assignment.take() else { return false };
        let between = &self.tokens[end..self.at];
        let lines = between.iter().filter(|token| token.kind == TokenKind::Newline).count();
        let indented = between.last().is_some_and(|token| token.kind == TokenKind::Space);
        let mut line = self.tokens[self.at..].iter().take_while(|token| token.kind != TokenKind::Newline);
        let continues = self.depth == 0
            && lines == 1
            && indented
            && line.all(|token| !matches!(token.kind, TokenKind::Open | TokenKind::Close));
        if continues {
            self.last_assignment = Some(self.line_end(self.at));
        }
        continues
    }

    /// A `{` where a statement should begin.
    fn loose_block(&mut self, statements: &mut [Statement]) {
        let open = self.at;
        let owner = statements.last_mut().filter(|last| last.block.is_none() && last.dashed.is_none());
        // Behind an empty line it is another block, whose name was lost.
        let only_lines = owner.as_ref().is_some_and(|last| {
            let between = &self.tokens[last.end..open];
            between.iter().all(|token| token.kind != TokenKind::Semicolon && !token.is_value())
                && between.iter().filter(|token| token.kind == TokenKind::Newline).count() == 1
        });
        let block = self.block(open);
        match owner {
            Some(owner) if only_lines => {
                self.faults.push(Fault::LineEndBeforeBlock { after: owner.end, open });
                owner.end = self.at;
                owner.block = Some(block);
            }
            _ => self.faults.push(Fault::Nameless(open, self.at - 1)),
        }
    }

    /// A block, from its `{` (at the reader) to its `}`.
    fn block(&mut self, start: usize) -> Block {
        let open = self.at;
        let column = self.indents.get(open).copied();
        self.at += 1;
        self.depth += 1;
        self.columns.extend(column);
        let statements = self.statements();
        self.columns.pop();
        self.depth -= 1;
        let end = self.at;
        let belongs =
            |close: &usize| column.is_none_or(|column| !self.begins_line(*close) || self.indents.get(*close) >= Some(&column));
        let close = Some(end).filter(|_| self.kind() == Some(TokenKind::Close)).filter(belongs);
        match close {
            Some(_) => self.at += 1,
            None => self.faults.push(Fault::Unclosed(open)),
        }
        Block { start, open, close, end, statements }
    }

    /// Whether the word here, at the very start of a line, shows that every open block was meant to be closed: only where the
    /// block's own line begins there too, and its first line was indented.
    fn ends_blocks(&self) -> bool {
        self.recovering
            && self.depth > 0
            && self.columns.first() == Some(&0)
            && self.begins_line(self.at)
            && self.indents.get(self.at) == Some(&0)
    }

    fn begins_line(&self, token: usize) -> bool {
        let before = self.tokens[..token].iter().rev().find(|token| token.kind != TokenKind::Space);
        before.is_none_or(|token| token.kind == TokenKind::Newline)
    }

    fn statement(&mut self) -> Option<Statement> {
        let mut dashed = None;
        if self.kind() == Some(TokenKind::Slashdash) {
            dashed = Some(self.at);
            self.at += 1;
            self.skip_lines();
        }
        let mut annotation = None;
        if self.kind() == Some(TokenKind::Annotation) {
            annotation = Some(self.at);
            self.at += 1;
            self.skip_blanks();
        }
        let name = self.at;
        if !self.tokens.get(name).is_some_and(Token::is_value) {
            self.faults.extend(dashed.map(Fault::StraySlashdash));
            self.faults.extend(annotation.map(Fault::StrayAnnotation));
            return None;
        }
        self.at += 1;
        let equals = self.equals();
        let (entries, dashed_blocks) = (Vec::new(), Vec::new());
        let mut statement = Statement { dashed, name, annotation, equals, entries, dashed_blocks, block: None, end: self.at };
        self.entries(&mut statement);
        if equals.is_some() && statement.block.is_none() {
            self.last_assignment = Some(statement.end);
        }
        Some(statement)
    }

    /// The equals sign right behind a name.
    fn equals(&mut self) -> Option<usize> {
        let back = self.at;
        self.skip_blanks();
        if self.kind() == Some(TokenKind::Equals) {
            self.at += 1;
            return Some(self.at - 1);
        }
        self.at = back;
        None
    }

    /// Everything behind the name, up to the end of the statement; a terminator is taken too.
    fn entries(&mut self, statement: &mut Statement) {
        loop {
            self.skip_blanks();
            match self.kind() {
                None | Some(TokenKind::Newline | TokenKind::LineComment | TokenKind::Close) => return,
                Some(TokenKind::Semicolon) => {
                    self.at += 1;
                    return;
                }
                Some(TokenKind::Open) if !self.begins_placeholder() => {
                    let open = self.at;
                    let block = self.block(open);
                    let closed = block.close.is_some();
                    match statement.block {
                        None => statement.block = Some(block),
                        Some(_) => self.faults.push(Fault::SecondBlock(open, self.at - 1)),
                    }
                    if !closed {
                        statement.end = self.at;
                        return;
                    }
                }
                Some(TokenKind::Illegal) => self.at += 1,
                Some(TokenKind::Equals) if statement.block.is_none() => {
                    self.faults.push(Fault::StrayEquals(self.at, self.at + 1));
                    self.at += 1;
                }
                Some(TokenKind::Slashdash) => self.dashed(statement),
                Some(_) if statement.block.is_some() => {
                    self.faults.push(Fault::AfterBlock(self.at));
                    return;
                }
                Some(_) => {
                    let entry = self.entry(None);
                    statement.entries.push(entry);
                }
            }
            statement.end = self.at;
        }
    }

    /// A `/-` before an entry or a block.
    fn dashed(&mut self, statement: &mut Statement) {
        let dash = self.at;
        self.at += 1;
        self.skip_lines();
        match self.kind() {
            Some(TokenKind::Open) => {
                let block = self.block(dash);
                statement.dashed_blocks.push(block);
            }
            Some(TokenKind::Word | TokenKind::Keyword | TokenKind::Text(..) | TokenKind::Annotation)
                if statement.block.is_none() =>
            {
                let entry = self.entry(Some(dash));
                statement.entries.push(entry);
            }
            _ => self.faults.push(Fault::StraySlashdash(dash)),
        }
    }

    fn entry(&mut self, dashed: Option<usize>) -> Entry {
        let mut annotation = self.annotation();
        let mut key = None;
        let first = self.at;
        if matches!(self.kind(), Some(TokenKind::Word | TokenKind::Text(..))) {
            self.at += 1;
            self.skip_blanks();
            if self.kind() == Some(TokenKind::Equals) {
                key = Some((first, self.at));
                self.at += 1;
                let behind = self.at;
                self.skip_blanks();
                if self.at > behind && self.tokens.get(self.at + 1).is_some_and(|next| next.kind == TokenKind::Equals) {
                    // The name of the next property: this one has no value.
                    self.at = behind;
                    return Entry { dashed, annotation, key, value: behind..behind };
                }
                annotation = annotation.or(self.annotation());
            } else {
                self.at = first;
            }
        }
        let value = self.value(key.is_some());
        Entry { dashed, annotation, key, value }
    }

    fn annotation(&mut self) -> Option<usize> {
        let here = self.at;
        if self.kind() == Some(TokenKind::Annotation) {
            self.at += 1;
            self.skip_blanks();
            if self.tokens.get(self.at).is_some_and(Token::is_value) {
                return Some(here);
            }
        }
        self.at = here;
        None
    }

    /// A value and whatever stands right behind it without a blank.
    fn value(&mut self, is_property: bool) -> Range<usize> {
        let start = self.at;
        let mut quote_opened = false;
        while let Some(token) = self.tokens.get(self.at) {
            let attached = match token.kind {
                TokenKind::Word | TokenKind::Keyword | TokenKind::Text(..) | TokenKind::Annotation => true,
                TokenKind::Equals => self.at > start,
                TokenKind::Space => quote_opened && self.closes_quote(start),
                TokenKind::Open if (self.at > start && self.is_placeholder()) || self.begins_placeholder() => {
                    self.at += 2;
                    true
                }
                _ => false,
            };
            if !attached {
                break;
            }
            quote_opened |= self.at == start && token.of(self.text).starts_with('\'');
            self.at += 1;
        }
        if self.at == start && !is_property {
            // Never stand still: whatever this is, it is a value of its own.
            self.at += 1;
        }
        start..self.at
    }

    /// Whether `{word}` and more stands here, as in `{1}@example.com`: a value that lacks its quotes.
    fn begins_placeholder(&self) -> bool {
        let kinds = [TokenKind::Open, TokenKind::Word, TokenKind::Close, TokenKind::Word];
        self.tokens[self.at..].iter().take(kinds.len()).map(|token| token.kind).eq(kinds)
    }

    /// Whether `{word}` stands here, right behind a bare word: part of a value that lacks its quotes, as in `/mail/{user}`.
    fn is_placeholder(&self) -> bool {
        matches!(self.tokens[self.at - 1].kind, TokenKind::Word | TokenKind::Close)
            && matches!(self.tokens.get(self.at + 1), Some(token) if token.kind == TokenKind::Word)
            && matches!(self.tokens.get(self.at + 2), Some(token) if token.kind == TokenKind::Close)
    }

    /// Whether a later word of the line ends with `'`, so that the blank here lies between single quotes.
    fn closes_quote(&self, start: usize) -> bool {
        let opened = self.tokens[start..self.at].iter();
        let count = |token: &Token| if token.kind == TokenKind::Word { token.of(self.text).matches('\'').count() } else { 0 };
        let line =
            self.tokens[self.at..].iter().take(16).take_while(|token| matches!(token.kind, TokenKind::Space | TokenKind::Word));
        opened.map(count).sum::<usize>() % 2 == 1 && line.map(count).sum::<usize>() > 0
    }
}
