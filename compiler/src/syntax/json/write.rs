//! Nodes as the JSON twin: [`twin`]. What the grammar does not know has no name to stand under, and is left out: write only
//! what has passed the checks.

use super::{AT, DEFAULTS, SOURCES, VALUES_AT};
use crate::source::{SourceId, Sources, Span, Spanned};
use crate::syntax::grammar::{NodeSpec, ROOT};
use crate::syntax::{Node, Value};
use postern_schema::site;
use postern_schema::snapshot::digest_hex;
use serde_json::{Map, Number, Value as Json, json};

/// The JSON twin of a site whose nodes are from the sources before `end`, indented, with a line end; `defaults` is put beside it
/// for those who read it.
pub fn twin(nodes: &[Node], sources: &Sources, end: SourceId, defaults: Json) -> String {
    let files = sources.digests_before(end);
    let files = files.iter().map(|file| json!({"path": file.path, "sha256": digest_hex(&file.sha256)}));
    let mut members = Map::from_iter([(SOURCES.to_owned(), files.collect())]);
    let writer = Writer { sources, files: sources.to_site() };
    members.extend(writer.block(nodes, &ROOT));
    members.insert(DEFAULTS.to_owned(), defaults);
    format!("{:#}\n", Json::Object(members))
}

struct Writer<'a> {
    sources: &'a Sources,
    files: site::Sources,
}

impl Writer<'_> {
    /// The nodes of a block by name, in the order in which the names first appear.
    fn block(&self, nodes: &[Node], parent: &'static NodeSpec) -> Map<String, Json> {
        let parent = if parent.name == "profile" { &ROOT } else { parent };
        let mut members = Map::new();
        for node in nodes {
            let Some(spec) = parent.child(&node.name.value) else { continue };
            let value = self.node(node, spec);
            match members.get_mut(spec.name) {
                None => drop(members.insert(spec.name.to_owned(), value)),
                Some(Json::Array(values)) => values.push(value),
                Some(first) => *first = Json::Array(vec![first.take(), value]),
            }
        }
        members
    }

    fn node(&self, node: &Node, spec: &'static NodeSpec) -> Json {
        let at = self.place(node.span);
        let mut elsewhere = Map::new();
        let mut members = Map::new();
        let mut member = |name: &str, repeating: bool, values: &[Spanned<Value>]| {
            let value = |values: Vec<Json>| match <[Json; 1]>::try_from(values) {
                Ok([only]) => only,
                Err(values) if repeating => Json::Array(values),
                Err(values) => values.into_iter().next().unwrap_or_default(),
            };
            let places: Vec<Json> = values.iter().map(|value| self.place(value.span)).collect();
            if places.iter().any(|place| *place != at) {
                elsewhere.insert(name.to_owned(), value(places));
            }
            members.insert(name.to_owned(), value(values.iter().map(scalar).collect()));
        };
        for (index, argument) in spec.arguments.iter().enumerate() {
            let values = node.arguments.get(index..).filter(|values| !values.is_empty());
            let Some(values) = values else { break };
            member(argument.name, argument.repeating, if argument.repeating { values } else { &values[..1] });
        }
        for property in &node.properties {
            member(&property.name.value, false, std::slice::from_ref(&property.value));
        }
        let mut whole = Map::from_iter([(AT.to_owned(), at)]);
        whole.extend((!elsewhere.is_empty()).then(|| (VALUES_AT.to_owned(), Json::Object(elsewhere))));
        whole.extend(members);
        whole.extend(self.block(&node.children, spec));
        Json::Object(whole)
    }

    fn place(&self, span: Span) -> Json {
        Json::String(self.files.describe(self.sources.origin(span)))
    }
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
