//! KDL text to [`Node`]s, through the `kdl` crate.

use crate::report::Diagnostic;
use crate::source::{SourceId, Span, Spanned};
use crate::syntax::{Node, Property, Value};
use kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};

/// Parses one source.
pub fn parse(source: SourceId, text: &str) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let place = |start: usize, length: usize| Span { source, start: start as u32, length: length as u32 };
    match text.parse::<KdlDocument>() {
        Ok(document) => Ok(document.nodes().iter().map(|node| convert(node, &place)).collect()),
        Err(error) => Err(error
            .diagnostics
            .iter()
            .map(|found| {
                let message = found.message.clone().unwrap_or_else(|| "This is no KDL".to_owned());
                Diagnostic::error("KDL001", place(found.span.offset(), found.span.len()), message)
            })
            .collect()),
    }
}

fn convert(node: &KdlNode, place: &dyn Fn(usize, usize) -> Span) -> Node {
    let name = Spanned::new(node.name().value().to_owned(), place(node.name().span().offset(), node.name().span().len()));
    let mut span = name.span;
    let mut arguments = Vec::new();
    let mut properties = Vec::new();
    for entry in node.entries() {
        span = span.to(place(entry.span().offset(), entry.span().len()));
        let value = Spanned::new(value(entry.value()), value_span(entry, place));
        match entry.name() {
            Some(name) => properties.push(Property {
                name: Spanned::new(name.value().to_owned(), place(name.span().offset(), name.span().len())),
                value,
            }),
            None => arguments.push(value),
        }
    }
    let children = node.children().map_or_else(Vec::new, |block| block.nodes().iter().map(|node| convert(node, place)).collect());
    Node { name, arguments, properties, children, span }
}

fn value_span(entry: &KdlEntry, place: &dyn Fn(usize, usize) -> Span) -> Span {
    let length = entry.format().map_or(entry.span().len(), |format| format.value_repr.len());
    place(entry.span().offset() + entry.span().len() - length, length)
}

fn value(value: &KdlValue) -> Value {
    match value {
        KdlValue::String(text) => Value::String(text.clone()),
        KdlValue::Integer(number) => Value::Integer(*number),
        KdlValue::Float(number) => Value::Float(*number),
        KdlValue::Bool(truth) => Value::Bool(*truth),
        KdlValue::Null => Value::Null,
    }
}
