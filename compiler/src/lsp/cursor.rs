//! What stands at a place in a text: [`Cursor`]. It is read from the outline, so that it is known also in a statement that is
//! being typed, and in terms of the grammar: which block, which statement, which argument or property.

use crate::syntax::PIECES_LIMIT;
use crate::syntax::grammar::{Argument, NodeSpec, PropertySpec, ROOT, ValueType, block};
use crate::syntax::read::{self, Entry, Outline, Statement, Token, TokenKind, verbatim};
use std::ops::Range;

/// A text in pieces, with a place in it.
pub struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    outline: Outline,
    offset: usize,
}

/// The surroundings of a place.
#[derive(Debug)]
pub struct Spot<'a> {
    /// What the block around it belongs to; [`ROOT`] outside every block.
    pub block: &'static NodeSpec,
    /// The statement that the block belongs to.
    pub parent: Option<&'a Statement>,
    /// What stands in the block.
    pub statements: &'a [Statement],
    /// The statement at the place.
    pub statement: Option<&'a Statement>,
    /// Its declaration, if its name is known.
    pub spec: Option<&'static NodeSpec>,
    /// Which piece of it.
    pub piece: Piece<'a>,
}

/// A piece of a statement. Each with the token at the place, if there is one.
#[derive(Debug)]
pub enum Piece<'a> {
    /// The name of the statement, or where one may begin.
    Name(Option<Token>),
    /// The name of a property.
    Key(&'a Entry, Token),
    /// The value of a property.
    Value(&'a Entry, Option<Token>),
    /// An argument, the name of a property that is not yet followed by `=`, or nothing yet: with the number of arguments
    /// before it.
    Entry(usize, Option<Token>),
    /// A comment, or a block that the grammar does not know.
    Nothing,
}

/// Something whose value is declared.
#[derive(Clone, Copy, Debug)]
pub enum Declared {
    /// An argument.
    Argument(&'static Argument),
    /// A property.
    Property(&'static PropertySpec),
}

impl Declared {
    /// What it holds.
    pub fn kind(&self) -> &'static ValueType {
        match self {
            Declared::Argument(argument) => &argument.kind,
            Declared::Property(property) => &property.kind,
        }
    }
}

impl Spot<'_> {
    /// The token at the place.
    pub fn token(&self) -> Option<Token> {
        match &self.piece {
            Piece::Key(_, token) => Some(*token),
            Piece::Name(token) | Piece::Value(_, token) | Piece::Entry(_, token) => *token,
            Piece::Nothing => None,
        }
    }
}

impl<'a> Cursor<'a> {
    /// Reads a text around an octet of it.
    pub fn new(text: &'a str, offset: usize) -> Cursor<'a> {
        let tokens = read::tokens(text, PIECES_LIMIT).unwrap_or_default();
        let outline = read::outline(text, &tokens);
        Cursor { text, tokens, outline, offset }
    }

    /// The text of a name or value, without its quotes.
    pub fn content_of(&self, token: &Token) -> &'a str {
        let written = token.of(self.text);
        verbatim(written).map_or(written, |content| &written[content])
    }

    /// The same, by the index of its token.
    pub fn content(&self, token: usize) -> &'a str {
        self.content_of(&self.tokens[token])
    }

    /// The name of the property that an entry gives.
    pub fn key(&self, entry: &Entry) -> Option<&'a str> {
        entry.key.map(|(key, _)| self.content(key))
    }

    /// The stretch of a token.
    pub fn stretch(token: &Token) -> Range<usize> {
        token.start as usize..token.end as usize
    }

    /// What stands here.
    pub fn spot(&self) -> Spot<'_> {
        let mut spot = Spot {
            block: &ROOT,
            parent: None,
            statements: &self.outline.statements,
            statement: None,
            spec: None,
            piece: Piece::Name(None),
        };
        while let Some(statement) = spot.statements.iter().rev().find(|statement| self.start(statement) <= self.offset) {
            let spec = block(spot.block).find(|spec| spec.name == self.content(statement.name));
            if let Some(block) = &statement.block
                && self.is_within(block)
            {
                let Some(spec) = spec else {
                    spot.piece = Piece::Nothing;
                    return spot;
                };
                (spot.block, spot.parent, spot.statements) = (spec, Some(statement), &block.statements);
                continue;
            }
            if self.belongs(statement) {
                (spot.statement, spot.spec, spot.piece) = (Some(statement), spec, self.piece(statement));
            }
            break;
        }
        if self.is_comment() {
            spot.piece = Piece::Nothing;
        }
        spot
    }

    /// The declaration of the value at a spot.
    pub fn declared(&self, spot: &Spot<'_>) -> Option<Declared> {
        match &spot.piece {
            Piece::Key(entry, _) | Piece::Value(entry, _) => spot.spec?.property(self.key(entry)?).map(Declared::Property),
            Piece::Entry(index, _) => spot.spec?.argument_at(*index).map(Declared::Argument),
            Piece::Name(_) | Piece::Nothing => None,
        }
    }

    fn start(&self, statement: &Statement) -> usize {
        let first = statement.dashed.or(statement.annotation).unwrap_or(statement.name);
        self.tokens[first].start as usize
    }

    fn is_within(&self, block: &read::Block) -> bool {
        let end = block.close.or(Some(block.end).filter(|end| *end < self.tokens.len()));
        let before_end = end.is_none_or(|end| self.offset <= self.tokens[end].start as usize);
        self.tokens[block.open].end as usize <= self.offset && before_end
    }

    /// Whether the place lies in a statement, or behind it on the same line with nothing between.
    fn belongs(&self, statement: &Statement) -> bool {
        let last = statement.end - 1;
        self.offset <= self.tokens[last].end as usize
            || statement.block.is_none() && self.between(statement.end).all(Token::is_blank)
    }

    /// The tokens from one on that begin before the place.
    fn between(&self, first: usize) -> impl Iterator<Item = &Token> {
        self.tokens[first..].iter().take_while(|token| (token.start as usize) < self.offset)
    }

    fn is_comment(&self) -> bool {
        let after = self.tokens.partition_point(|token| (token.start as usize) < self.offset);
        let token = after.checked_sub(1).map(|index| self.tokens[index]);
        token.is_some_and(|token| match token.kind {
            TokenKind::LineComment => self.offset <= token.end as usize,
            TokenKind::BlockComment { closed } => self.offset < token.end as usize || !closed,
            _ => false,
        })
    }

    fn touches(&self, token: usize) -> Option<Token> {
        Some(self.tokens[token]).filter(|token| (token.start as usize..=token.end as usize).contains(&self.offset))
    }

    fn piece<'s>(&self, statement: &'s Statement) -> Piece<'s> {
        if let Some(token) = self.touches(statement.name) {
            return Piece::Name(Some(token));
        }
        let mut arguments = 0;
        for entry in statement.entries.iter().filter(|entry| entry.dashed.is_none()) {
            if let Some((key, equals)) = entry.key {
                if let Some(token) = self.touches(key) {
                    return Piece::Key(entry, token);
                }
                // What stands behind a blank is rather the next property: the value is still missing.
                let value = entry.value.clone().next().and_then(|token| self.touches(token));
                let gap = self.tokens[equals].end as usize..=self.gap_end(equals + 1);
                if value.is_some() || gap.contains(&self.offset) {
                    return Piece::Value(entry, value);
                }
            } else if let Some(token) = entry.value.clone().find_map(|token| self.touches(token)) {
                return Piece::Entry(arguments, Some(token));
            } else if entry.value.clone().next().is_some_and(|token| self.tokens[token].start as usize <= self.offset) {
                arguments += 1;
            }
        }
        Piece::Entry(arguments, None)
    }

    /// Where the blanks that begin at a token end.
    fn gap_end(&self, first: usize) -> usize {
        let behind = self.tokens[first..].iter().find(|token| !token.is_blank());
        behind.map_or(self.text.len(), |token| token.start as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Piece};

    /// Block, statement and piece at the `|` of a text.
    fn spot(text: &str) -> String {
        let offset = text.find('|').expect("a place");
        let text = text.replacen('|', "", 1);
        let cursor = Cursor::new(&text, offset);
        let spot = cursor.spot();
        let piece = match &spot.piece {
            Piece::Name(token) => format!("name {:?}", token.map(|token| token.of(&text))),
            Piece::Key(_, token) => format!("key {:?}", token.of(&text)),
            Piece::Value(entry, token) => {
                format!("value of {:?} {:?}", cursor.key(entry), token.map(|token| token.of(&text)))
            }
            Piece::Entry(index, token) => format!("entry {index} {:?}", token.map(|token| token.of(&text))),
            Piece::Nothing => "nothing".to_owned(),
        };
        format!("{} > {}: {piece}", spot.block.name, spot.spec.map_or("?", |spec| spec.name))
    }

    #[test]
    fn a_place_is_known_in_whole_statements_and_in_broken_ones() {
        for (text, expected) in [
            ("|", "site file > ?: name None"),
            ("li|", "site file > ?: name Some(\"li\")"),
            ("listen |", "site file > listen: entry 0 None"),
            ("listen \"m|x\" port=25", "site file > listen: entry 0 Some(\"\\\"mx\\\"\")"),
            ("listen \"mx\" po|", "site file > listen: entry 1 Some(\"po\")"),
            ("listen \"mx\" po|rt=25", "site file > listen: key \"port\""),
            ("listen \"mx\" port=|", "site file > listen: value of Some(\"port\") None"),
            ("listen \"mx\" port=2|5", "site file > listen: value of Some(\"port\") Some(\"25\")"),
            ("route via=| tls=\"may\"", "site file > route: value of Some(\"via\") None"),
            ("route via=\"se|\nrelay \"x\"", "site file > route: value of Some(\"via\") Some(\"\\\"se\")"),
            ("route via=\"ses\" |\nrelay", "site file > route: entry 0 None"),
            ("route via=\"ses\"\n|\nrelay", "site file > ?: name None"),
            ("route via=\"ses\"; |", "site file > ?: name None"),
            ("domain \"x\" {|}", "domain > ?: name None"),
            ("domain \"x\" {\n    mai|\n}\nlisten \"mx\"", "domain > ?: name Some(\"mai\")"),
            ("domain \"x\" {\n    alias \"a\" \"|\n}\nlisten \"mx\"", "domain > alias: entry 1 Some(\"\\\"\")"),
            ("domain \"x\" {\n    alias \"a\" \"b\" |", "domain > alias: entry 2 None"),
            ("domain \"x\" {\n    |\nlisten \"mx\"\n", "domain > ?: name None"),
            ("domain \"x\" {\n}\n|", "site file > ?: name None"),
            ("profile \"p\" { domain \"x\" { | } }", "domain > ?: name None"),
            ("nonsense { | }", "site file > ?: nothing"),
            ("listen \"mx\" // po|", "site file > ?: nothing"),
            ("domain \"例え.example\" { mailbox \"a|\" }", "domain > mailbox: entry 0 Some(\"\\\"a\\\"\")"),
        ] {
            assert_eq!(spot(text), expected, "{text}");
        }
    }
}
