//! Where the pieces of a twin stood in the files that it was made from: `$sources`, `$at` and `$values-at` as a [`TwinOf`].
//! A text that has the first has the second in every node: one without it was added by somebody, and is no twin any more.

use super::node::Member;
use super::text::Json;
use super::{AT, VALUES_AT};
use crate::report::Diagnostic;
use crate::source::{Span, Spanned, TwinOf};
use crate::syntax::Node;
use crate::syntax::grammar::NodeSpec;
use postern_schema::site::Origin;
use postern_schema::snapshot::SourceDigest;
use std::collections::BTreeMap;

/// What is known so far.
pub(super) struct Origins {
    pub(super) twin: TwinOf,
}

type Read<T> = Result<T, Box<Diagnostic>>;

impl Origins {
    /// From the value of `$sources`.
    pub(super) fn new(value: &Spanned<Json>) -> Read<Origins> {
        let Json::Array(values) = &value.value else { return Err(wrong(value.span, "`$sources` is no list of files")) };
        let file = |value: &Spanned<Json>| match &value.value {
            Json::Object(members) => file(members).ok_or_else(|| wrong(value.span, "This is no file with its digest")),
            _ => Err(wrong(value.span, "This is no file with its digest")),
        };
        let files = values.iter().map(file).collect::<Read<Vec<SourceDigest>>>()?;
        Ok(Origins { twin: TwinOf { files, places: BTreeMap::new() } })
    }

    /// Takes what a node says of itself and its values.
    pub(super) fn node(&mut self, node: &Node, notes: &[&Member], spec: &'static NodeSpec) -> Read<()> {
        let note = |name: &str| notes.iter().find(|(known, _)| known.value == name).map(|(_, value)| value);
        let at = note(AT).ok_or_else(|| wrong(node.name.span, "This node does not say in which file it stood"))?;
        let origin = self.origin(at)?;
        self.twin.places.insert(node.name.span.start, origin);
        let elsewhere = match note(VALUES_AT).map(|value| &value.value) {
            Some(Json::Object(members)) => members.as_slice(),
            _ => &[],
        };
        let mut value = |name: &str, index: usize, span: Span| -> Read<()> {
            let said = elsewhere.iter().find(|(known, _)| known.value == name).map(|(_, places)| places);
            let said = match said.map(|places| &places.value) {
                Some(Json::Array(places)) => places.get(index),
                _ => said,
            };
            let origin = said.map_or(Ok(origin), |said| self.origin(said))?;
            self.twin.places.insert(span.start, origin);
            Ok(())
        };
        for (index, argument) in node.arguments.iter().enumerate() {
            let last = spec.arguments.len().saturating_sub(1);
            let Some(declared) = spec.arguments.get(index.min(last)) else { continue };
            value(declared.name, index.saturating_sub(last), argument.span)?;
        }
        for property in &node.properties {
            value(&property.name.value, 0, property.value.span)?;
            value(&property.name.value, 0, property.name.span)?;
        }
        Ok(())
    }

    /// `site.kdl:12`.
    fn origin(&self, value: &Spanned<Json>) -> Read<Origin> {
        let read = || {
            let Json::String(text) = &value.value else { return None };
            let (path, line) = text.rsplit_once(':')?;
            let file = self.twin.files.iter().position(|file| *file.path == *path)?;
            Some(Origin { file: u16::try_from(file).ok()?, line: line.parse().ok().filter(|line| *line > 0)? })
        };
        read().ok_or_else(|| wrong(value.span, "This is no line of a file of `$sources`"))
    }
}

/// `{"path": "site.kdl", "sha256": "…"}`.
fn file(members: &[Member]) -> Option<SourceDigest> {
    let text = |name: &str| {
        members.iter().find_map(|(known, value)| match &value.value {
            Json::String(text) if known.value == name => Some(text.as_str()),
            _ => None,
        })
    };
    let digits = text("sha256").filter(|digits| digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    let mut sha256 = [0; 32];
    for (octet, pair) in sha256.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(SourceDigest { path: text("path")?.into(), sha256 })
}

fn wrong(span: Span, message: &str) -> Box<Diagnostic> {
    let help = "Remove `$sources`: it is for a twin that nobody changed, as `postern show --json` writes it";
    Box::new(Diagnostic::error("JSN005", span, message).help(help))
}
