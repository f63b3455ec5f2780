//! What is known of a place: the page of each rule that has found something there, where a name is declared, and what the
//! grammar says of a statement, a property, an argument or a word, with its parameters of `main.cf`.

use super::cursor::{Cursor, Declared, Piece, Spot};
use super::diagnostics::Shown;
use super::names::Names;
use super::scene::Scene;
use crate::rules;
use crate::syntax::grammar::{NodeSpec, Served, ValueType, Word};
use crate::syntax::type_of;
use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, NumberOrString, Position, Range};

/// Everything that is known of a place; `None` where that is nothing.
pub fn hover(scene: &Scene<'_>, position: Position, found: &[Shown]) -> Option<Hover> {
    let offset = scene.offset(position);
    let cursor = Cursor::new(&scene.document.text, offset);
    let spot = cursor.spot();
    let pages = found.iter().filter_map(|shown| page(shown).map(|page| (page, Some(shown.diagnostic.range))));
    let declared = declaration(scene, offset).map(|text| (text, None));
    let known = reference(&cursor, &spot).map(|(text, token)| (text, token.map(|token| scene.lines.range(token))));
    let parts: Vec<(String, Option<Range>)> = pages.chain(declared).chain(known).collect();
    let range = parts.iter().find_map(|(_, range)| *range);
    let texts: Vec<String> = parts.into_iter().map(|(text, _)| text).collect();
    let contents = MarkupContent { kind: MarkupKind::Markdown, value: texts.join("\n\n---\n\n") };
    (!texts.is_empty()).then_some(Hover { contents: HoverContents::Markup(contents), range })
}

fn page(shown: &Shown) -> Option<String> {
    let Some(NumberOrString::String(code)) = &shown.diagnostic.code else { return None };
    rules::find(code).map(|rule| rule.explain.trim_end().to_owned())
}

/// Where the name here is declared, unless that is here.
fn declaration(scene: &Scene<'_>, offset: usize) -> Option<String> {
    let names = Names::of(scene.site());
    let name = names.at(scene.site().here, offset)?;
    let declarations = names.declarations(name);
    let places = declarations.iter().filter(|declaration| declaration.span != name.span).map(|declaration| {
        let source = scene.site().sources.source(declaration.span.source);
        let line = source.line_text(source.line(declaration.span.start)).trim();
        format!("Declared in {}:\n\n```kdl\n{line}\n```", scene.place(declaration.span))
    });
    let places: Vec<String> = places.collect();
    (!places.is_empty()).then(|| places.join("\n\n"))
}

/// What the grammar says, and the stretch that it says it of.
fn reference(cursor: &Cursor<'_>, spot: &Spot<'_>) -> Option<(String, Option<std::ops::Range<usize>>)> {
    let (text, token) = match &spot.piece {
        Piece::Name(token) => (node(spot.spec?), *token),
        Piece::Key(_, token) => (setting(spot.spec?, cursor.declared(spot)?, None), Some(*token)),
        Piece::Value(_, token) | Piece::Entry(_, token) => {
            let written = cursor.content_of(token.as_ref()?);
            (setting(spot.spec?, cursor.declared(spot)?, Some(written)), *token)
        }
        Piece::Nothing => return None,
    };
    Some((text, token.as_ref().map(Cursor::stretch)))
}

/// A statement, in Markdown.
pub fn node(spec: &NodeSpec) -> String {
    let mut text = format!("**`{}`**{}: {}\n\n```kdl\n{}\n```", spec.name, mark(spec.served), spec.doc, spec.example);
    let arguments = spec.arguments.iter().map(|argument| {
        let more = if argument.repeating { " …" } else { "" };
        format!("\n- *{}*{more} ({}): {}", argument.name, type_of(&argument.kind), argument.doc)
    });
    let properties = spec.properties.iter().map(|property| {
        let required = if property.required { ", required" } else { "" };
        format!("\n- `{}=`{} ({}{required}): {}", property.name, mark(property.served), type_of(&property.kind), property.doc)
    });
    let entries: String = arguments.chain(properties).collect();
    if !entries.is_empty() {
        text.push('\n');
        text.push_str(&entries);
    }
    text.push_str(&parameters(spec.postfix));
    text
}

/// An argument or property of a statement, and the word that is written there, in Markdown.
pub fn setting(spec: &NodeSpec, declared: Declared, written: Option<&str>) -> String {
    let kind = declared.kind();
    let mut text = match declared {
        Declared::Argument(argument) => {
            format!("*{}* of **`{}`** ({}): {}", argument.name, spec.name, type_of(kind), argument.doc)
        }
        Declared::Property(property) => {
            let (name, required) = (property.name, if property.required { ", required" } else { "" });
            format!(
                "**`{name}=`**{} of **`{}`** ({}{required}): {}",
                mark(property.served),
                spec.name,
                type_of(kind),
                property.doc
            )
        }
    };
    match words(kind).iter().find(|word| Some(word.text) == written) {
        Some(word) => text.push_str(&format!("\n\n{}", meaning(word))),
        None => {
            text.push_str(&format!("\n\n{}", kind.form()));
            text.extend(words(kind).iter().enumerate().map(|(index, word)| {
                let gap = if index == 0 { "\n\n" } else { "\n" };
                format!("{gap}- {}", meaning(word))
            }));
        }
    }
    match declared {
        Declared::Property(property) => text.push_str(&parameters(property.postfix)),
        Declared::Argument(_) => text.push_str(&parameters(spec.postfix)),
    }
    text
}

/// The words of a closed list, or those that may stand in the place of a name.
pub fn words(kind: &ValueType) -> &'static [Word] {
    match kind {
        ValueType::Word(words) | ValueType::Reference { words, .. } => words,
        _ => &[],
    }
}

fn meaning(word: &Word) -> String {
    format!("`\"{}\"`: {}{}", word.text, word.doc, mark(word.served))
}

/// What is said of what this runtime does not serve.
fn mark(served: Served) -> &'static str {
    match served {
        Served::Yes => "",
        Served::NotYet => " *(not yet served)*",
    }
}

fn parameters(postfix: &[&str]) -> String {
    let names: Vec<String> = postfix.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!("\n\nIn `main.cf`: {}.", names.join(", ")) }
}
