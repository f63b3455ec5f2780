//! Nodes as the JSON twin: [`to_json`]. What the grammar does not know has no name to stand under, and is left out: write only
//! what has passed the checks.

use super::node::is_list;
use crate::source::Spanned;
use crate::syntax::grammar::{NodeSpec, ROOT};
use crate::syntax::{Node, Value};
use serde_json::{Map, Number, Value as Json};

/// The JSON twin of a site, indented, with a line end.
pub fn to_json(nodes: &[Node]) -> String {
    let mut text = format!("{:#}", Json::Object(block(nodes, &ROOT)));
    text.push('\n');
    text
}

/// The nodes of a block by name, in the order in which the names first appear.
fn block(nodes: &[Node], parent: &'static NodeSpec) -> Map<String, Json> {
    let parent = if parent.name == "profile" { &ROOT } else { parent };
    let mut members = Map::new();
    for node in nodes {
        let Some(spec) = parent.child(&node.name.value) else { continue };
        let value = content(node, spec);
        // A list of values is an array too, but of a node that stands once.
        match members.get_mut(spec.name) {
            None => drop(members.insert(spec.name.to_owned(), value)),
            Some(Json::Array(values)) => values.push(value),
            Some(first) => *first = Json::Array(vec![first.take(), value]),
        }
    }
    members
}

fn content(node: &Node, spec: &'static NodeSpec) -> Json {
    let bare = node.properties.is_empty() && node.children.is_empty();
    match node.arguments.as_slice() {
        [only] if bare => return scalar(only),
        values if bare && values.len() > 1 && is_list(spec) => return Json::Array(values.iter().map(scalar).collect()),
        _ => {}
    }
    let mut members = Map::new();
    for (index, argument) in spec.arguments.iter().enumerate() {
        let value = match node.arguments.get(index..) {
            Some([only]) if argument.repeating => scalar(only),
            Some(values) if argument.repeating && !values.is_empty() => Json::Array(values.iter().map(scalar).collect()),
            Some([value, ..]) => scalar(value),
            _ => continue,
        };
        members.insert(argument.name.to_owned(), value);
    }
    for property in &node.properties {
        members.insert(property.name.value.clone(), scalar(&property.value));
    }
    members.extend(block(&node.children, spec));
    Json::Object(members)
}

fn scalar(value: &Spanned<Value>) -> Json {
    match &value.value {
        Value::String(text) => Json::String(text.clone()),
        Value::Integer(number) => Number::from_i128(*number).map_or(Json::Null, Json::Number),
        Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Null => Json::Null,
    }
}
