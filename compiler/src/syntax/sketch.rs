//! A text as nodes without a word about what is wrong with it: [`sketch`]. It is read from the outline alone, many times as
//! fast as [`super::parse()`], and gives every statement that can be made out, also next to one that is being typed. What a
//! site means is for the parser; an editor that looks for names reads this.

use super::parse::PIECES_LIMIT;
use super::read::{self, Entry, Statement, TokenKind, verbatim};
use super::{Node, Property, Value};
use crate::source::{SourceId, Span, Spanned};
use ::kdl::{KdlEntry, KdlValue};

/// The nodes of a text of KDL; none of one that has more pieces than a source may have.
pub fn sketch(source: SourceId, text: &str) -> Vec<Node> {
    let tokens = read::tokens(text, PIECES_LIMIT).unwrap_or_default();
    let outline = read::outline(text, &tokens);
    Sketch { source, text, tokens: &tokens }.nodes(&outline.statements)
}

struct Sketch<'a> {
    source: SourceId,
    text: &'a str,
    tokens: &'a [read::Token],
}

impl Sketch<'_> {
    fn nodes(&self, statements: &[Statement]) -> Vec<Node> {
        statements.iter().filter(|statement| statement.dashed.is_none()).map(|statement| self.node(statement)).collect()
    }

    fn node(&self, statement: &Statement) -> Node {
        let name = self.name(statement.name);
        let mut node = Node { span: name.span, name, arguments: Vec::new(), properties: Vec::new(), children: Vec::new() };
        for entry in statement.entries.iter().filter(|entry| entry.dashed.is_none()) {
            let Some(value) = self.value(entry) else { continue };
            node.span = node.span.to(value.span);
            match entry.key {
                Some((key, _)) => node.properties.push(Property { name: self.name(key), value }),
                None => node.arguments.push(value),
            }
        }
        node.children = statement.block.as_ref().map(|block| self.nodes(&block.statements)).unwrap_or_default();
        node
    }

    fn span(&self, token: usize) -> Span {
        let token = self.tokens[token];
        Span { source: self.source, start: token.start, length: token.end - token.start }
    }

    fn name(&self, token: usize) -> Spanned<String> {
        let written = self.tokens[token].of(self.text);
        Spanned::new(verbatim(written).map_or(written, |content| &written[content]).to_owned(), self.span(token))
    }

    /// A value of several tokens lacks a blank or quotes, and is taken up to there.
    fn value(&self, entry: &Entry) -> Option<Spanned<Value>> {
        let token = entry.value.clone().next()?;
        let written = self.tokens[token].of(self.text);
        let value = match self.tokens[token].kind {
            TokenKind::Keyword => keyword(written),
            TokenKind::Word => number(written).unwrap_or_else(|| Value::String(written.to_owned())),
            _ => match verbatim(written) {
                Some(content) => Value::String(written[content].to_owned()),
                None => escaped(written),
            },
        };
        Some(Spanned::new(value, self.span(token)))
    }
}

fn keyword(written: &str) -> Value {
    match written {
        "#true" => Value::Bool(true),
        "#false" => Value::Bool(false),
        _ => Value::Null,
    }
}

fn number(written: &str) -> Option<Value> {
    let integer = written.parse().ok().map(Value::Integer);
    integer.or_else(|| written.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float))
}

/// A string with escapes or line ends in it: what it stands for is for the parser to say.
fn escaped(written: &str) -> Value {
    match KdlEntry::parse(written).as_ref().map(KdlEntry::value) {
        Ok(KdlValue::String(text)) => Value::String(text.clone()),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::sketch;
    use crate::source::SourceId;
    use crate::syntax::parse;
    use std::path::Path;

    #[test]
    fn a_text_without_mistakes_is_read_as_the_parser_reads_it() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let sites =
            std::fs::read_dir(examples).expect("examples").map(|folder| folder.expect("a folder").path().join("site.kdl"));
        let sites = sites.filter(|path| path.is_file());
        let texts = sites.map(|path| std::fs::read_to_string(path).expect("a site")).chain([
            "a \"x\\n\\\"y\\\"\" #\"raw \\ \"# n=1 f=-1.5 b=#true /-c=2 { \"b c\" 例え; /-gone }\n/-gone x\n".to_owned(),
            "lines \"\"\"\n    one\n    two\n    \"\"\"\n".to_owned(),
        ]);
        for text in texts {
            let parsed = parse(SourceId(0), &text);
            assert_eq!(parsed.diagnostics, []);
            assert_eq!(sketch(SourceId(0), &text), parsed.nodes);
        }
    }

    #[test]
    fn what_stands_around_a_broken_statement_is_seen() {
        let text = "relay \"ses\" host=\nroute via=\"se\nnetwork \"office\" \"192.0.2.0/24\"\n";
        let names: Vec<String> = sketch(SourceId(0), text).into_iter().map(|node| node.name.value).collect();
        assert_eq!(names, ["relay", "route", "network"]);
    }
}
