//! A name changed at every place, in all files of a site. Nothing is changed where that would not be the same site under another
//! name: the new name must be one, must be free, and the site must compile as well as before.

use super::names::{Names, Occurrence, comparable};
use super::scene::{Scene, refusal};
use super::workspace::path_of;
use crate::compile::{CompileOptions, compile_loaded};
use crate::report::Severity;
use crate::source::SourceId;
use crate::syntax::grammar::{Kind, ValueType};
use crate::syntax::{LoadOptions, Role, Value, is_constant_name, load, quoted, value};
use lsp_server::{ErrorCode, ResponseError};
use lsp_types::{Position, PrepareRenameResponse, TextEdit, Url, WorkspaceEdit};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// The name at a place, if it can be changed.
///
/// # Errors
/// Why it cannot.
pub fn prepare(scene: &Scene<'_>, position: Position) -> Result<PrepareRenameResponse, ResponseError> {
    let names = Names::of(scene.site());
    let subject = subject(scene, &names, position)?;
    let start = subject.name.span.start as usize;
    let stretch = start..start + subject.name.span.length as usize;
    let placeholder = scene.document.text[stretch.clone()].to_owned();
    Ok(PrepareRenameResponse::RangeWithPlaceholder { range: scene.lines.range(stretch), placeholder })
}

/// The edits that change the name at a place.
///
/// # Errors
/// Why it cannot be changed, or not to this.
pub fn rename(scene: &Scene<'_>, position: Position, to: &str) -> Result<WorkspaceEdit, ResponseError> {
    let names = Names::of(scene.site());
    let Subject { name, kind } = subject(scene, &names, position)?;
    let places = names.all(name);
    let wanted = valid(kind, to)?;
    if let Some(taken) = names.declared(kind).find(|other| other.name == wanted && collides(other, &places)) {
        return Err(failed(format!("The name {to:?} is taken already, in {}", scene.place(taken.span))));
    }
    if places.iter().any(|place| place.words.iter().any(|word| word.text == to)) {
        return Err(failed(format!("{to:?} is a word of the language where this name is referred to")));
    }
    if let Some(odd) = places.iter().find(|place| !place.exact) {
        return Err(failed(format!("{} writes this name with an escape: write it out first", scene.place(odd.span))));
    }
    let mut edits: BTreeMap<SourceId, Vec<Edit>> = BTreeMap::new();
    for place in places {
        edits.entry(place.span.source).or_default().push(edit(scene, place, to));
    }
    verify(scene, &edits)?;
    let mut changes = HashMap::new();
    for (source, edits) in edits {
        let (uri, edits) = told(scene, source, edits)?;
        changes.insert(uri, edits);
    }
    Ok(WorkspaceEdit::new(changes))
}

/// A stretch of a source and what takes its place.
type Edit = (Range<usize>, String);

struct Subject<'a> {
    name: &'a Occurrence,
    kind: Kind,
}

/// What would be renamed: something that is declared, and one thing alone.
fn subject<'a>(scene: &Scene<'_>, names: &'a Names, position: Position) -> Result<Subject<'a>, ResponseError> {
    let Some(name) = names.at(scene.site().here, scene.offset(position)) else {
        return Err(failed("This is not a name that the site declares"));
    };
    let mut kinds: Vec<Kind> = names.declarations(name).iter().filter_map(|declaration| declared(declaration.role)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.as_slice() {
        [kind] => Ok(Subject { name, kind: *kind }),
        [] => Err(failed("Nothing in this site declares that name")),
        _ => Err(failed("Two things have this name, and either may be meant: rename one of them where it is declared")),
    }
}

fn declared(role: Role) -> Option<Kind> {
    match role {
        Role::Declares(kind) => Some(kind),
        _ => None,
    }
}

/// The new name in the form that it is compared in.
fn valid(kind: Kind, name: &str) -> Result<String, ResponseError> {
    let kind_of_value = match kind {
        Kind::Domain => ValueType::Domain,
        Kind::Address => ValueType::LocalPart,
        Kind::Constant if is_constant_name(name) => ValueType::Text,
        Kind::Constant => return Err(failed(format!("{name:?} cannot be the name of a constant"))),
        _ => ValueType::Name,
    };
    value::read(&kind_of_value, &Value::String(name.to_owned())).map_err(|error| failed(error.to_string()))?;
    comparable(kind, name).ok_or_else(|| failed(format!("{name:?} is no name")))
}

/// Whether a declaration has the new name and is not one of the places that change.
fn collides(other: &Occurrence, places: &[&Occurrence]) -> bool {
    let own = places.iter().any(|place| place.span == other.span);
    let shares = |place: &&Occurrence| place.domains.iter().any(|domain| other.domains.contains(domain));
    !own && (other.domains.is_empty() || places.iter().any(shares))
}

fn edit(scene: &Scene<'_>, place: &Occurrence, to: &str) -> Edit {
    let text = &scene.site().sources.source(place.span.source).text;
    let stretch = |start: u32, length: u32| start as usize..(start + length) as usize;
    let literal = stretch(place.literal.start, place.literal.length);
    let name = stretch(place.span.start, place.span.length);
    let is_bare = !text[literal.clone()].ends_with(['"', '#']);
    if is_bare && place.role != Role::Declares(Kind::Constant) {
        // What goes without quotes now may need them then.
        let whole = format!("{}{to}{}", &text[literal.start..name.start], &text[name.end..literal.end]);
        let written = if goes_bare(&whole) { whole } else { quoted(&whole) };
        return (literal, written);
    }
    (name, to.to_owned())
}

/// Whether a text is a word to KDL without quotes, whatever follows it.
fn goes_bare(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        && !["true", "false", "null", "inf", "nan"].contains(&text)
}

/// Compiles the site before and after: what no rule of names foresees, an error tells.
fn verify(scene: &Scene<'_>, edits: &BTreeMap<SourceId, Vec<Edit>>) -> Result<(), ResponseError> {
    let Some(root) = &scene.site().root else { return Ok(()) };
    let before = scene.workspace.options();
    let mut after = before.clone();
    for (source, edits) in edits {
        let mut text = scene.site().sources.source(*source).text.to_string();
        let mut edits: Vec<&Edit> = edits.iter().collect();
        edits.sort_by_key(|(stretch, _)| std::cmp::Reverse(stretch.start));
        for (stretch, new) in edits {
            text.replace_range(stretch.clone(), new);
        }
        after.overlays.insert(path_of(&scene.site().sources, *source), text);
    }
    let errors = |options: &LoadOptions| -> Vec<String> {
        let Ok(loaded) = load(root, options) else { return Vec::new() };
        let compiled = compile_loaded(loaded, &CompileOptions { profile: options.profile.clone(), ..Default::default() });
        let errors = compiled.diagnostics.into_iter().filter(|finding| finding.severity == Severity::Error);
        errors.map(|finding| finding.message).collect()
    };
    let (before, after) = (errors(&before), errors(&after));
    if after.len() <= before.len() {
        return Ok(());
    }
    let new = after.iter().find(|message| !before.contains(message)).or(after.last());
    Err(failed(format!("The site would not be the same: {}", new.map_or("", String::as_str))))
}

fn told(scene: &Scene<'_>, source: SourceId, edits: Vec<Edit>) -> Result<(Url, Vec<TextEdit>), ResponseError> {
    let whole = crate::source::Span { source, start: 0, length: 0 };
    let location = scene.location(whole).ok_or_else(|| failed("A file of the site has no address"))?;
    let text = &scene.site().sources.source(source).text;
    let lines = super::position::Lines::new(text, scene.settings.encoding);
    let edits = edits.into_iter().map(|(stretch, new)| TextEdit::new(lines.range(stretch), new)).collect();
    Ok((location.uri, edits))
}

fn failed(why: impl Into<String>) -> ResponseError {
    refusal(ErrorCode::RequestFailed, why)
}
