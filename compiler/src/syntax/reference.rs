//! The reference of the site language, in Markdown, from the grammar: [`reference`]. It is `docs/language.md`, and a test holds
//! the two together.

use super::grammar::{self, Argument, NodeSpec, PropertySpec, ROOT, Served, ValueType, Word};
use std::fmt::Write;

const INTRODUCTION: &str = "\
# The site language

A site is described in a file of KDL 2, in UTF-8. Each statement is a name, its arguments, its properties (`name=value`), and
perhaps a block of further statements in braces. A statement ends with its line or with `;`. `//` begins a comment, `/-` takes
out the statement, value or block behind it. Words of letters and a few signs may stand without quotes; addresses, durations,
sizes, paths and URLs may not.

What no rule allows is refused, every name that is referred to must be declared, and no secret stands in a site: where one is
needed, the site names a file in the credentials folder.

The same site can be written in JSON, by the names that this reference gives to arguments, properties and statements:
`listen \"mx\" port=25` is `{\"listen\": {\"name\": \"mx\", \"port\": 25}}`. A statement that is no more than its first argument is
that value, statements of one name are an array, and `null` counts as absent. `postern schema` prints the JSON Schema.
";

/// The whole reference.
pub fn reference() -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str("\n## Contents\n\n");
    for spec in ROOT.children {
        line(&mut text, format_args!("- [`{0}`](#{0}){1}: {2}", spec.name, mark(spec.served), first_sentence(spec.doc)));
    }
    text.push_str("- [Types of values](#types-of-values)\n- [From main.cf](#from-maincf)\n");
    for spec in ROOT.children {
        node(&mut text, spec, 2);
    }
    types(&mut text);
    parameters(&mut text);
    text
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{what}");
}

fn mark(served: Served) -> &'static str {
    match served {
        Served::Yes => "",
        Served::NotYet => " *(not yet served)*",
    }
}

fn first_sentence(doc: &str) -> &str {
    doc.find(". ").map_or(doc, |end| &doc[..=end])
}

fn node(text: &mut String, spec: &NodeSpec, depth: usize) {
    line(text, format_args!("\n{} `{}`\n\n{}{}", "#".repeat(depth), spec.name, spec.doc, mark(spec.served)));
    let times = match (spec.many, spec.required) {
        (true, _) => "May stand more than once.",
        (false, true) => "Must stand once.",
        (false, false) => "May stand once.",
    };
    line(text, format_args!("\n{times}"));
    line(text, format_args!("\n```kdl\n{}\n```", spec.example));
    if !spec.arguments.is_empty() || !spec.properties.is_empty() {
        text.push_str("\n| | type | |\n|---|---|---|\n");
        spec.arguments.iter().for_each(|argument| argument_row(text, argument));
        spec.properties.iter().for_each(|property| property_row(text, property));
    }
    if !spec.one_of.is_empty() {
        let names: Vec<String> = spec.one_of.iter().map(|name| format!("`{name}=`")).collect();
        line(text, format_args!("\nExactly one of {} is given.", names.join(", ")));
    }
    let kinds = spec.arguments.iter().map(|argument| (argument.name, &argument.kind));
    for (name, kind) in kinds.chain(spec.properties.iter().map(|property| (property.name, &property.kind))) {
        words(text, name, kind);
    }
    if !spec.postfix.is_empty() {
        let names: Vec<String> = spec.postfix.iter().map(|name| format!("`{name}`")).collect();
        line(text, format_args!("\nIn `main.cf`: {}.", names.join(", ")));
    }
    spec.children.iter().for_each(|child| node(text, child, depth + 1));
}

fn argument_row(text: &mut String, argument: &Argument) {
    let more = if argument.repeating { " …" } else { "" };
    let optional = if argument.required { "" } else { ", may be left out" };
    line(text, format_args!("| *{}*{more} | {}{optional} | {} |", argument.name, typed(&argument.kind), argument.doc));
}

fn property_row(text: &mut String, property: &PropertySpec) {
    let required = if property.required { ", required" } else { "" };
    let kind = typed(&property.kind);
    line(text, format_args!("| `{}=` | {kind}{required} | {}{} |", property.name, property.doc, mark(property.served)));
}

fn typed(kind: &ValueType) -> String {
    match kind {
        ValueType::Count { .. } | ValueType::Weight | ValueType::Reference { .. } => type_of(kind),
        kind => format!("[{}](#types-of-values)", kind.name()),
    }
}

/// What a value is, in a few words: "duration", "name of a `relay`".
pub fn type_of(kind: &ValueType) -> String {
    match kind {
        ValueType::Count { least, most } => format!("whole number, {least} to {most}"),
        ValueType::Weight => "whole number, -1000 to 1000".to_owned(),
        ValueType::Reference { kinds, .. } => {
            let names: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.node())).collect();
            format!("name of a {}", names.join(" or "))
        }
        kind => kind.name().to_owned(),
    }
}

fn words(text: &mut String, name: &str, kind: &ValueType) {
    let (ValueType::Word(words) | ValueType::Reference { words, .. }) = kind else { return };
    if words.is_empty() {
        return;
    }
    line(text, format_args!("\nWords of *{name}*:\n"));
    for Word { text: word, doc, served } in *words {
        line(text, format_args!("- `\"{word}\"`: {doc}{}", mark(*served)));
    }
}

fn types(text: &mut String) {
    text.push_str("\n## Types of values\n\n| type | how it is written |\n|---|---|\n");
    let mut rows: Vec<(&str, &str)> = Vec::new();
    grammar::walk(&mut |_, spec| {
        let kinds = spec.arguments.iter().map(|argument| argument.kind);
        rows.extend(kinds.chain(spec.properties.iter().map(|property| property.kind)).map(|kind| (kind.name(), kind.form())));
    });
    rows.sort_unstable_by_key(|(name, _)| name.to_lowercase());
    rows.dedup();
    for (name, form) in rows {
        line(text, format_args!("| {name} | {form} |"));
    }
}

fn parameters(text: &mut String) {
    text.push_str("\n## From main.cf\n\n| parameter | here |\n|---|---|\n");
    for parameter in grammar::parameters() {
        if let Some(advice) = grammar::advice(parameter) {
            line(text, format_args!("| `{parameter}` | {} |", advice.help.replace('|', "\\|")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reference;
    use crate::syntax::grammar::walk;
    use std::path::Path;

    #[test]
    fn the_document_is_the_grammar() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language.md");
        if std::env::var_os("POSTERN_WRITE_DOCS").is_some() {
            std::fs::write(&path, reference()).expect("the document can be written");
        }
        let document = std::fs::read_to_string(&path).expect("the document");
        assert!(
            document == reference(),
            "docs/language.md is not what the grammar says: run the tests with POSTERN_WRITE_DOCS=1"
        );
    }

    #[test]
    fn nothing_is_left_out() {
        let text = reference();
        walk(&mut |_, spec| {
            assert!(text.contains(&format!("# `{}`\n\n{}", spec.name, spec.doc)), "{}", spec.name);
            for property in spec.properties {
                assert!(text.contains(&format!("| `{}=` |", property.name)), "{}", property.name);
            }
        });
    }
}
