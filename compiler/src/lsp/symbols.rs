//! The outline of a document: each statement with its first argument, nested as its blocks are.

use super::position::Lines;
use super::scene::Scene;
use crate::source::SourceId;
use crate::syntax::{Node, sketch};
use lsp_types::{DocumentSymbol, DocumentSymbolResponse, SymbolKind};

/// Every statement of a document.
pub fn symbols(scene: &Scene<'_>) -> DocumentSymbolResponse {
    let nodes = sketch(SourceId(0), &scene.document.text);
    DocumentSymbolResponse::Nested(nodes.iter().map(|node| symbol(node, &scene.lines)).collect())
}

#[allow(deprecated, reason = "the type asks for a field that tags have replaced")]
fn symbol(node: &Node, lines: &Lines<'_>) -> DocumentSymbol {
    let argument = node.arguments.first().and_then(|argument| argument.value.as_str());
    let start = node.name.span.start as usize;
    DocumentSymbol {
        // A symbol without a name is no symbol (LSP 3.17, DocumentSymbol).
        name: Some(node.name.value.trim()).filter(|name| !name.is_empty()).unwrap_or("?").to_owned(),
        detail: argument.map(str::to_owned),
        kind: if node.children.is_empty() { SymbolKind::PROPERTY } else { SymbolKind::NAMESPACE },
        tags: None,
        deprecated: None,
        range: lines.range(start..end(node)),
        selection_range: lines.range(start..start + node.name.span.length as usize),
        children: Some(node.children.iter().map(|child| symbol(child, lines)).collect::<Vec<_>>())
            .filter(|children| !children.is_empty()),
    }
}

/// Where a statement ends: with its last child, as far as can be told from nodes.
fn end(node: &Node) -> usize {
    node.children.iter().map(end).fold((node.span.start + node.span.length) as usize, usize::max)
}
