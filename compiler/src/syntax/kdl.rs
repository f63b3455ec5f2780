//! One statement of KDL text to a [`Node`], through the `kdl` crate, with places in the source that it came from.

use crate::report::Diagnostic;
use crate::source::{SourceId, Span, Spanned};
use crate::syntax::{Node, Property, Value};
use kdl::{KdlDocument, KdlEntry, KdlError, KdlNode, KdlValue};
use std::collections::BTreeMap;

/// A stretch of a source, with what was missing put in.
pub struct Piece {
    source: SourceId,
    start: u32,
    end: u32,
    text: String,
    /// Where something was put in, in octets of the piece, and how much in all up to there.
    shifts: Vec<(u32, u32)>,
}

impl Piece {
    /// Takes the stretch from `start` to `end`, and what was missing behind its first octet and up to its end.
    pub fn new(source: SourceId, whole: &str, start: u32, end: u32, insertions: &BTreeMap<u32, String>) -> Piece {
        let mut text = String::with_capacity((end - start) as usize);
        let mut shifts = Vec::new();
        let mut at = start;
        let mut shift = 0;
        for (place, missing) in insertions.range(start + 1..=end) {
            text.push_str(&whole[at as usize..*place as usize]);
            text.push_str(missing);
            at = *place;
            shift += missing.len() as u32;
            shifts.push((text.len() as u32, shift));
        }
        text.push_str(&whole[at as usize..end as usize]);
        Piece { source, start, end, text, shifts }
    }

    /// Parses it. The values are those that stand for something else than what the text says, by their place.
    pub fn parse(&self, values: &BTreeMap<u32, (u32, Value)>) -> Result<Vec<Node>, Box<Diagnostic>> {
        match KdlDocument::parse(&self.text) {
            Ok(document) => Ok(document.nodes().iter().map(|node| self.node(node, values)).collect()),
            Err(error) => Err(Box::new(self.finding(&error))),
        }
    }

    /// The place in the source.
    fn place(&self, start: usize, length: usize) -> Span {
        let original = |at: usize| {
            let before = self.shifts.partition_point(|(place, _)| *place <= at as u32);
            let shift = before.checked_sub(1).map_or(0, |index| self.shifts[index].1);
            (self.start + at as u32).saturating_sub(shift).min(self.end)
        };
        let (from, to) = (original(start), original(start + length));
        Span { source: self.source, start: from, length: to.saturating_sub(from) }
    }

    fn node(&self, node: &KdlNode, values: &BTreeMap<u32, (u32, Value)>) -> Node {
        let name = self.name(node.name(), values);
        let mut span = name.span;
        let mut arguments = Vec::new();
        let mut properties = Vec::new();
        for entry in node.entries() {
            let value = self.value(entry, values);
            span = span.to(value.span);
            match entry.name() {
                Some(name) => properties.push(Property { name: self.name(name, values), value }),
                None => arguments.push(value),
            }
        }
        let children = node.children().map_or(&[][..], |block| block.nodes());
        let children = children.iter().map(|child| self.node(child, values)).collect();
        Node { name, arguments, properties, children, span }
    }

    fn name(&self, name: &kdl::KdlIdentifier, values: &BTreeMap<u32, (u32, Value)>) -> Spanned<String> {
        // The crate's own span of a name takes in blanks around it.
        let repr = name.repr().unwrap_or(name.value());
        let span = self.place(name.span().offset(), repr.len());
        let meant = values.get(&span.start).and_then(|(_, value)| value.as_str());
        Spanned::new(meant.unwrap_or(name.value()).to_owned(), span)
    }

    fn value(&self, entry: &KdlEntry, values: &BTreeMap<u32, (u32, Value)>) -> Spanned<Value> {
        // The span of an entry takes in the name of a property; the value ends where the entry does.
        let end = entry.span().offset() + entry.span().len();
        let length = entry.format().map_or(entry.span().len(), |format| format.value_repr.len()).min(entry.span().len());
        let span = self.place(end - length, length);
        match values.get(&span.start) {
            Some((_, value)) => Spanned::new(value.clone(), span),
            None => Spanned::new(scalar(entry.value()), span),
        }
    }

    /// The parser's own words, for what no hint knew: one finding, at the narrowest of its places.
    fn finding(&self, error: &KdlError) -> Diagnostic {
        let narrowest = error.diagnostics.iter().min_by_key(|found| (found.span.len(), found.span.offset()));
        let (span, message) = match narrowest {
            Some(found) => (self.place(found.span.offset(), found.span.len()), found.message.clone()),
            None => (self.place(0, self.text.len()), None),
        };
        let first_line = self.text.get((span.start - self.start) as usize..).and_then(|rest| rest.lines().next());
        let length = span.length.min(first_line.map_or(1, |line| line.len() as u32)).max(1).min(self.end - span.start);
        let cause = message.unwrap_or_else(|| "it cannot be read".to_owned());
        let finding = Diagnostic::error("KDL001", Span { length, ..span }, format!("This is no KDL: {}", lower_first(&cause)));
        match narrowest.and_then(|found| found.help.clone()) {
            Some(help) => finding.help(format!("Check this: {help}")),
            None => finding.help("Check quotes, braces and blanks around here"),
        }
    }
}

fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn scalar(value: &KdlValue) -> Value {
    match value {
        KdlValue::String(text) => Value::String(text.clone()),
        KdlValue::Integer(number) => Value::Integer(*number),
        KdlValue::Float(number) => Value::Float(*number),
        KdlValue::Bool(truth) => Value::Bool(*truth),
        KdlValue::Null => Value::Null,
    }
}
