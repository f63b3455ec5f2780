//! JSON values as nodes, by the names that the grammar gives to arguments, properties and children. A name that it does not
//! know becomes a node or property of that name, which the checks then report as they do in KDL.

use super::origin::Origins;
use super::text::Json;
use super::{AT, DEFAULTS, SOURCES, VALUES_AT};
use crate::report::Diagnostic;
use crate::source::{Span, Spanned, TwinOf};
use crate::syntax::check::Extent;
use crate::syntax::grammar::{NodeSpec, ROOT};
use crate::syntax::parse::Parsed;
use crate::syntax::{Node, Property, Value};
use std::collections::BTreeMap;

/// Arguments by their position; `None` for one that cannot be read.
type Arguments = BTreeMap<usize, Option<Vec<Spanned<Value>>>>;

pub(super) type Member = (Spanned<String>, Spanned<Json>);

/// The nodes of a site, and the files that it says it is the twin of.
pub(super) fn document(value: &Spanned<Json>) -> (Parsed, Option<TwinOf>) {
    let mut reader = Reader { diagnostics: Vec::new(), origins: None };
    let mut nodes = Vec::new();
    match &value.value {
        Json::Object(members) => {
            let members = reader.once(members);
            let sources = members.iter().find(|(name, _)| name.value == SOURCES);
            reader.origins = sources.and_then(|(_, value)| reader.said(Origins::new(value)));
            let nodes_of = members.into_iter().filter(|(name, _)| !["$schema", SOURCES, DEFAULTS].contains(&name.value.as_str()));
            for (name, value) in nodes_of {
                reader.child(name, value, &ROOT, &mut nodes);
            }
        }
        _ => reader.shape(value.span, "A site is an object", "Write {\"site\": {…}}"),
    }
    let extent = if reader.diagnostics.is_empty() { Extent::Whole } else { Extent::Part };
    (Parsed { nodes, diagnostics: reader.diagnostics, extent }, reader.origins.map(|origins| origins.twin))
}

struct Reader {
    diagnostics: Vec<Diagnostic>,
    /// Where things stood, if the text says what it is the twin of.
    origins: Option<Origins>,
}

impl Reader {
    /// What was read, or else nothing but a finding.
    fn said<T>(&mut self, read: Result<T, Box<Diagnostic>>) -> Option<T> {
        read.map_err(|finding| self.diagnostics.push(*finding)).ok()
    }

    fn shape(&mut self, span: Span, message: &str, help: &str) {
        self.diagnostics.push(Diagnostic::error("JSN003", span, message).help(help));
    }

    /// The members that are there: without those that are null, and each name once.
    fn once<'a>(&mut self, members: &'a [Member]) -> Vec<&'a Member> {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        let mut kept = Vec::with_capacity(members.len());
        for member in members {
            let (name, value) = member;
            if let Some(earlier) = first.get(name.value.as_str()) {
                let message = format!("{:?} stands twice in one object", name.value);
                let finding = Diagnostic::error("JSN002", name.span, message).also(*earlier, "first given here");
                self.diagnostics.push(finding.help("Join the two: nodes of one name are an array"));
                continue;
            }
            first.insert(&name.value, name.span);
            if value.value != Json::Null {
                kept.push(member);
            }
        }
        kept
    }

    /// The nodes of one member.
    fn child(&mut self, name: &Spanned<String>, value: &Spanned<Json>, parent: &'static NodeSpec, nodes: &mut Vec<Node>) {
        // What a profile holds is what a site file holds.
        let parent = if parent.name == "profile" { &ROOT } else { parent };
        let spec = parent.child(&name.value);
        match &value.value {
            Json::Array(values) if spec.is_none_or(|spec| spec.many || !is_list(spec)) => {
                for value in values {
                    let place = Span { length: value.span.length.min(1), ..value.span };
                    nodes.extend(self.node(Spanned::new(name.value.clone(), place), value, spec));
                }
            }
            _ => nodes.extend(self.node(name.clone(), value, spec)),
        }
    }

    fn node(&mut self, name: Spanned<String>, value: &Spanned<Json>, spec: Option<&'static NodeSpec>) -> Option<Node> {
        let span = name.span;
        let mut node = Node { name, arguments: Vec::new(), properties: Vec::new(), children: Vec::new(), span };
        match &value.value {
            Json::Object(members) => {
                let mut arguments = Arguments::new();
                let (notes, members): (Vec<_>, Vec<_>) =
                    self.once(members).into_iter().partition(|(name, _)| [AT, VALUES_AT].contains(&name.value.as_str()));
                for (key, value) in members {
                    self.member(key, value, spec, &mut node, &mut arguments);
                }
                let node = self.arguments(node, arguments, spec)?;
                self.origin(&node, &notes, spec);
                return Some(node);
            }
            Json::Array(values) if spec.is_some_and(is_list) => {
                for value in values {
                    node.arguments.extend(self.scalar(value));
                }
            }
            Json::Array(_) => self.shape(value.span, "An array cannot stand here", "Write one value or one object"),
            _ => node.arguments.extend(self.scalar(value)),
        }
        self.origin(&node, &[], spec);
        Some(node)
    }

    /// Where a node and its values stood, if that is known of the text.
    fn origin(&mut self, node: &Node, notes: &[&Member], spec: Option<&'static NodeSpec>) {
        if let (Some(origins), Some(spec)) = (&mut self.origins, spec)
            && let Err(finding) = origins.node(node, notes, spec)
        {
            self.diagnostics.push(*finding);
        }
    }

    fn member(
        &mut self, key: &Spanned<String>, value: &Spanned<Json>, spec: Option<&'static NodeSpec>, node: &mut Node,
        arguments: &mut Arguments,
    ) {
        let Some(spec) = spec else {
            // Of an unknown node nothing is known, and nothing more is said.
            return;
        };
        if let Some((index, argument)) = spec.argument(&key.value) {
            let before = self.diagnostics.len();
            let values = match &value.value {
                Json::Array(values) if argument.repeating => values.iter().filter_map(|value| self.scalar(value)).collect(),
                _ => self.scalar(value).into_iter().collect(),
            };
            // What is wrong with it was said; without it the node would only be said to lack it.
            arguments.insert(index, if self.diagnostics.len() > before { None } else { Some(values) });
            return;
        }
        let is_child = spec.name == "profile" || spec.child(&key.value).is_some();
        let is_scalar = !matches!(value.value, Json::Array(_) | Json::Object(_));
        if is_child || (!is_scalar && spec.property(&key.value).is_none() && !spec.open) {
            self.child(key, value, spec, &mut node.children);
        } else if let Some(value) = self.scalar(value) {
            node.properties.push(Property { name: key.clone(), value });
        }
    }

    /// Puts the arguments in the order of the grammar. One that is missing before another cannot be left out in a list.
    fn arguments(&mut self, mut node: Node, arguments: Arguments, spec: Option<&'static NodeSpec>) -> Option<Node> {
        for (position, (index, values)) in arguments.into_iter().enumerate() {
            if let Some(missing) = spec.filter(|_| index != position).and_then(|spec| spec.arguments.get(position)) {
                let message = format!("`{}` lacks its {}", node.name.value, missing.name);
                let help = format!("Write \"{}\": {}", missing.name, missing.kind.sample());
                self.diagnostics.push(Diagnostic::error("JSN004", node.name.span, message).help(help));
                return None;
            }
            node.arguments.extend(values?);
        }
        Some(node)
    }

    fn scalar(&mut self, value: &Spanned<Json>) -> Option<Spanned<Value>> {
        let scalar = match &value.value {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Integer(number) => Value::Integer(*number),
            Json::Float(number) => Value::Float(*number),
            Json::String(text) => Value::String(text.clone()),
            Json::Array(_) | Json::Object(_) => {
                self.shape(value.span, "Here belongs a single value", "Write a string, a number, true or false");
                return None;
            }
        };
        Some(Spanned::new(scalar, value.span))
    }
}

/// Whether a node that stands once is no more than a list of values.
pub(super) fn is_list(spec: &NodeSpec) -> bool {
    !spec.many && matches!(spec.arguments, [only] if only.repeating)
}
