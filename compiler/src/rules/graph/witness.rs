//! Local parts that an expression matches. A pattern has no end of inputs: rules try it with these.

use postern_schema::name::LocalPart;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The most local parts that one pattern is tried with.
const WITNESS_LIMIT: usize = 16;

/// Local parts that the expression matches, a few of each shape; none where it matches nothing that is short.
pub fn witnesses(expression: &str) -> Vec<LocalPart> {
    let Ok(hir) = regex_syntax::parse(expression) else { return Vec::new() };
    let texts = strings(&hir);
    texts.iter().filter_map(|text| LocalPart::from_content(&text.to_lowercase()).ok()).take(WITNESS_LIMIT).collect()
}

fn strings(hir: &Hir) -> Vec<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).into_iter().collect(),
        HirKind::Class(class) => characters(class).into_iter().map(String::from).collect(),
        HirKind::Capture(capture) => strings(&capture.sub),
        HirKind::Alternation(branches) => branches.iter().flat_map(strings).take(WITNESS_LIMIT).collect(),
        HirKind::Concat(parts) => parts.iter().fold(vec![String::new()], |heads, part| product(&heads, &strings(part))),
        HirKind::Repetition(repetition) => {
            // Once where that is allowed, since a group that caught nothing makes a poor example; then the least.
            let once = repetition.max.is_none_or(|max| max >= 1).then_some(repetition.min.max(1));
            let counts = once.into_iter().chain((repetition.min == 0).then_some(0));
            let unit = strings(&repetition.sub);
            counts
                .flat_map(|count| unit.iter().map(move |text| text.repeat(count.min(64) as usize)))
                .take(WITNESS_LIMIT)
                .collect()
        }
    }
}

fn product(heads: &[String], tails: &[String]) -> Vec<String> {
    heads.iter().flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}"))).take(WITNESS_LIMIT).collect()
}

/// One likely letter and one likely digit of the class, or else its first character.
fn characters(class: &Class) -> Vec<char> {
    let holds = |c: char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| range.start() <= c && c <= range.end()),
        Class::Bytes(class) => {
            class.ranges().iter().any(|range| u32::from(range.start()) <= c as u32 && c as u32 <= u32::from(range.end()))
        }
    };
    let likely: Vec<char> = ['x', '1'].into_iter().filter(|c| holds(*c)).collect();
    if !likely.is_empty() {
        return likely;
    }
    match class {
        Class::Unicode(class) => class.ranges().first().map(|range| range.start()).into_iter().collect(),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())).into_iter().collect(),
    }
}
