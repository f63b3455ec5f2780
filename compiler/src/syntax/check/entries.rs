//! The arguments and properties of one node.

use super::{Extent, not_yet, unknown};
use crate::report::Diagnostic;
use crate::source::{Span, Spanned};
use crate::syntax::grammar::layout::CONSTANT;
use crate::syntax::grammar::{Argument, NodeSpec, PropertySpec, Served, ValueType};
use crate::syntax::load::{RESERVED, next};
use crate::syntax::{Node, Property, Value, value};
use std::collections::BTreeMap;

pub(super) fn check(node: &Node, spec: &'static NodeSpec, extent: Extent, findings: &mut Vec<Diagnostic>) {
    check_arguments(node, spec, extent, findings);
    let mut first: BTreeMap<&str, &Property> = BTreeMap::new();
    let mut excused = Vec::new();
    for property in &node.properties {
        let name = property.name.value.as_str();
        if let Some(earlier) = first.get(name) {
            let message = format!("`{name}` is given twice");
            findings.push(
                Diagnostic::error("LNG009", property.name.span, message)
                    .also(earlier.name.span, "first given here")
                    .help("Remove one of the two"),
            );
            continue;
        }
        first.insert(name, property);
        match spec.property(name) {
            Some(declared) if declared.served == Served::NotYet => {
                findings.push(not_yet(property.name.span, name, declared.postfix));
            }
            Some(declared) => check_value(&property.value, &declared.kind, declared.postfix, findings),
            None if spec.open => check_value(&property.value, &CONSTANT.kind, &[], findings),
            None => findings.push(unknown::property(property, spec, &mut excused)),
        }
    }
    let has = |name: &str| first.contains_key(name) || excused.contains(&name);
    if extent == Extent::Whole {
        let missing = spec.properties.iter().filter(|property| property.required && !has(property.name));
        findings.extend(missing.map(|property| missing_property(node, property)));
    }
    check_one_of(node, spec, extent, &first, !excused.is_empty(), findings);
}

fn check_arguments(node: &Node, spec: &'static NodeSpec, extent: Extent, findings: &mut Vec<Diagnostic>) {
    // `exempt="greylist" "dnsbl"`: what stands behind the name of a node that belongs in the block is meant for that node.
    let misplaced = |property: &&Property| {
        let name = property.name.value.as_str();
        spec.property(name).is_none() && spec.child(name).is_some()
    };
    let misplaced = node.properties.iter().find(misplaced);
    for (index, argument) in node.arguments.iter().enumerate() {
        if misplaced.is_some_and(|property| property.name.span.start < argument.span.start) {
            return;
        }
        match spec.argument_at(index) {
            Some(declared) => check_value(argument, &declared.kind, &[], findings),
            None => {
                findings.push(surplus(node, spec, argument, index));
                return;
            }
        }
    }
    let given = node.arguments.len();
    // What a profile changes is found by its first argument; the others may stay as they are.
    if extent == Extent::Overlay && (given > 0 || !spec.many) {
        return;
    }
    // Somebody who wrote `mailbox local-part="alice"` has the value, in the wrong form, and is told so.
    let missing = spec.arguments.get(given).filter(|argument| argument.required && node.property(argument.name).is_none());
    if let Some(missing) = missing {
        findings.push(missing_argument(spec, node, missing));
    }
}

fn surplus(node: &Node, spec: &NodeSpec, argument: &Spanned<Value>, index: usize) -> Diagnostic {
    let last = node.arguments.last().map_or(argument.span, |last| last.span);
    let message = match spec.arguments.len() {
        0 => format!("`{}` takes no argument", spec.name),
        most => format!("`{}` takes {most} argument{}, and this is one more", spec.name, if most == 1 { "" } else { "s" }),
    };
    let after_property = node.properties.iter().rfind(|property| property.name.span.start < argument.span.start);
    let named = argument.value.as_str().and_then(|text| spec.property(text));
    let help = match (named, after_property) {
        (Some(property), _) => format!("Write {}={}", property.name, property.kind.sample()),
        (None, Some(property)) if index == spec.arguments.len() && !spec.arguments.is_empty() => {
            format!("Remove it: `{}` takes one value, the one behind its equals sign", property.name.value)
        }
        _ => "Remove it".to_owned(),
    };
    Diagnostic::error("LNG005", argument.span.to(last), message).help(help)
}

fn missing_argument(spec: &NodeSpec, node: &Node, missing: &Argument) -> Diagnostic {
    let message = format!("`{}` lacks its {}: {}", spec.name, missing.name, missing.kind.describe());
    Diagnostic::error("LNG004", node.name.span, message).help(format!("Write `{}`", first_line(spec))).postfix(spec.postfix)
}

fn first_line(spec: &NodeSpec) -> &'static str {
    spec.example.lines().next().unwrap_or_default().trim_end_matches(" {")
}

fn missing_property(node: &Node, property: &PropertySpec) -> Diagnostic {
    let message = format!("This `{}` has no `{}`", node.name.value, property.name);
    Diagnostic::error("LNG011", node.name.span, message)
        .help(format!("Write {}={}", property.name, property.kind.sample()))
        .postfix(property.postfix)
}

fn check_one_of(
    node: &Node, spec: &NodeSpec, extent: Extent, given: &BTreeMap<&str, &Property>, excused: bool,
    findings: &mut Vec<Diagnostic>,
) {
    for property in given.values() {
        let other = spec.property(&property.name.value).and_then(|declared| given.get(declared.instead_of?));
        findings.extend(other.map(|other| exclusive(other, property)));
    }
    let mut present: Vec<&Property> = spec.one_of.iter().filter_map(|name| given.get(name).copied()).collect();
    present.sort_by_key(|property| property.name.span);
    match present.as_slice() {
        [] if !spec.one_of.is_empty() && extent == Extent::Whole && !excused => {
            let names: Vec<String> = spec.one_of.iter().map(|name| format!("`{name}`")).collect();
            let sample = spec.property(spec.one_of[0]).map_or("\"…\"", |property| property.kind.sample());
            let message = format!("This `{}` has none of {}, and needs one", spec.name, names.join(", "));
            findings
                .push(Diagnostic::error("LNG011", node.name.span, message).help(format!("Write {}={sample}", spec.one_of[0])));
        }
        [first, second, ..] => findings.push(exclusive(first, second)),
        [one] => {
            let belongs_elsewhere = |property: &&&Property| {
                let beside = spec.property(&property.name.value).and_then(|declared| declared.beside);
                beside.is_some_and(|beside| beside != one.name.value)
            };
            findings.extend(given.values().filter(belongs_elsewhere).map(|property| exclusive(one, property)));
        }
        [] => {}
    }
}

fn exclusive(first: &Property, second: &Property) -> Diagnostic {
    let message = format!("`{}` and `{}` exclude each other", first.name.value, second.name.value);
    Diagnostic::error("LNG015", second.name.span, message).also(first.name.span, "first given here").help("Remove one of the two")
}

fn check_value(value: &Spanned<Value>, kind: &ValueType, postfix: &'static [&'static str], findings: &mut Vec<Diagnostic>) {
    if let Value::String(text) = &value.value
        && text.contains("PRIVATE KEY-----")
    {
        findings.push(
            Diagnostic::error("LNG019", value.span, "A private key stands in the site, where everybody can read it")
                .help("Put it into the credentials folder and write the name of that file; and make a new key"),
        );
        return;
    }
    if let Value::String(text) = &value.value
        && let Some(finding) = undefined(text, kind, value.span)
    {
        findings.push(finding);
        return;
    }
    if let Err(error) = value::read(kind, &value.value) {
        findings.push(error.to_diagnostic(value.span).postfix(postfix));
    }
}

/// A `{name}` that no constant has replaced, in a text where braces have no other meaning.
fn undefined(text: &str, kind: &ValueType, span: Span) -> Option<Diagnostic> {
    if matches!(kind, ValueType::Pattern | ValueType::Template | ValueType::PathTemplate) {
        return None;
    }
    let (_, name, _) = next(text)?;
    let help = format!("Declare it outside every block: `let {name}=\"…\"`");
    if matches!(kind, ValueType::Text | ValueType::Any) {
        let message = format!("There is no constant `{name}`, so {{{name}}} stays in the text as it is");
        let reserved = RESERVED.contains(&name);
        return (!reserved).then(|| Diagnostic::warning("LET002", span, message).help(help));
    }
    Some(Diagnostic::error("LET002", span, format!("There is no constant `{name}`")).help(help))
}
