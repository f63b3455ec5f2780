//! `let`: constants. `{name}` in a text becomes the value; a text that is nothing but `{name}` becomes the value itself.
//!
//! Texts have other braces too: `{domain}` and `{user}` in the path of a transport, `{1}` in the target of a pattern, `{2,3}`
//! in a pattern. So only the names of constants are replaced, and a constant may not be called like one of those. What is left
//! in braces where no text may have any is reported by the checks.

use crate::report::Diagnostic;
use crate::source::Span;
use crate::syntax::near::nearest;
use crate::syntax::{Node, Value};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Names with a meaning of their own in some texts.
pub(in crate::syntax) const RESERVED: [&str; 2] = ["domain", "user"];

/// A constant, and whether any text names it.
#[derive(Debug)]
pub(super) struct Constant {
    value: Value,
    span: Span,
    used: Cell<bool>,
}

/// Constants by name.
pub(super) type Constants = BTreeMap<String, Constant>;

/// Reads `let` nodes.
pub(super) fn declare(lets: &[Node], findings: &mut Vec<Diagnostic>) -> Constants {
    let mut known = Constants::new();
    for node in lets {
        for (index, property) in node.properties.iter().enumerate() {
            let (name, span) = (property.name.value.as_str(), property.name.span);
            // Twice in one node: the checks say so.
            if node.properties[..index].iter().any(|earlier| earlier.name.value == name) {
                continue;
            }
            if !is_constant_name(name) {
                let message = format!("`{name}` cannot be the name of a constant");
                let help = "Write a letter first, then letters, digits, `-` and `_`; `domain` and `user` are taken";
                findings.push(Diagnostic::error("LET004", span, message).help(help));
            } else if let Some(earlier) = known.get(name) {
                let finding = Diagnostic::error("LET001", span, format!("The constant `{name}` is declared twice"));
                let help = "Remove one of the two, or declare the other in a `profile`";
                findings.push(finding.also(earlier.span, "first declared here").help(help));
            } else {
                let constant = Constant { value: property.value.value.clone(), span, used: Cell::new(false) };
                known.insert(name.to_owned(), constant);
            }
        }
    }
    known
}

/// Puts values in place in a node and everything in it; the first of the lists that knows a name gives its value.
pub(super) fn fill(node: &mut Node, known: &[&Constants]) {
    for value in node.arguments.iter_mut().chain(node.properties.iter_mut().map(|property| &mut property.value)) {
        if let Value::String(text) = &value.value
            && let Some(filled) = filled(text, known)
        {
            value.value = filled;
        }
    }
    for child in &mut node.children {
        fill(child, known);
    }
}

/// The constants that no text names. One that is there to differ between profiles is named where the other is; one that a text
/// misspells is meant there, and reported there.
pub(super) fn unused(base: &Constants, profiles: &[Constants], nodes: &[Node], findings: &mut Vec<Diagnostic>) {
    let mut left = BTreeSet::new();
    nodes.iter().for_each(|node| left_over(node, &mut left));
    let meant: BTreeSet<&str> = left.iter().filter_map(|name| nearest(name, base.keys().map(String::as_str))).collect();
    let own = profiles.iter().flatten().filter(|(name, _)| !base.contains_key(*name));
    let unused = base.iter().chain(own).filter(|(name, constant)| !constant.used.get() && !meant.contains(name.as_str()));
    for (name, constant) in unused {
        let message = format!("The constant `{name}` is used nowhere");
        findings.push(
            Diagnostic::warning("LET003", constant.span, message).help(format!("Remove it, or write {{{name}}} in a text")),
        );
    }
}

/// The names in braces that are still in a node.
fn left_over(node: &Node, names: &mut BTreeSet<String>) {
    for value in node.arguments.iter().chain(node.properties.iter().map(|property| &property.value)) {
        let mut rest = value.value.as_str().unwrap_or_default();
        while let Some((_, name, after)) = next(rest) {
            names.insert(name.to_owned());
            rest = after;
        }
    }
    node.children.iter().for_each(|child| left_over(child, names));
}

/// The value of a text with constants in it; `None` where it has none.
fn filled(text: &str, known: &[&Constants]) -> Option<Value> {
    let look_up = |name: &str| {
        let mut found = None;
        for constant in known.iter().filter_map(|constants| constants.get(name)) {
            constant.used.set(true);
            found = found.or(Some(&constant.value));
        }
        found
    };
    let mut filled = String::new();
    let mut rest = text;
    let mut any = false;
    while let Some((before, name, after)) = next(rest) {
        filled.push_str(before);
        match look_up(name) {
            Some(value) if before.is_empty() && after.is_empty() && !any && name.len() + 2 == text.len() => {
                return Some(value.clone());
            }
            Some(value) => {
                any = true;
                filled.push_str(&as_text(value));
            }
            None => filled.push_str(&rest[before.len()..rest.len() - after.len()]),
        }
        rest = after;
    }
    filled.push_str(rest);
    any.then_some(Value::String(filled))
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => String::new(),
    }
}

/// The next `{name}` of a text: what is before it, the name, what is behind it.
pub(in crate::syntax) fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|length| from + length) {
        let inner = &text[open + 1..];
        let length = inner.find(|c| !is_name_char(c)).unwrap_or(inner.len());
        if inner[length..].starts_with('}') && is_name(&inner[..length]) {
            return Some((&text[..open], &inner[..length], &inner[length + 1..]));
        }
        from = open + 1;
    }
    None
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// Whether a `let` may declare a constant of that name.
pub fn is_constant_name(text: &str) -> bool {
    is_name(text) && !RESERVED.contains(&text)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_name_char)
}
