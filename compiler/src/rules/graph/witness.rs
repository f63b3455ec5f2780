//! Local parts that an expression matches. A pattern has no end of inputs: rules try it with these.

use postern_schema::name::LocalPart;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The most local parts of one taste that one pattern is tried with.
const WITNESS_LIMIT: usize = 16;

/// What stands for a class of characters, and how often what may be repeated is.
struct Taste {
    likely: &'static [char],
    times: u32,
}

/// A likely letter and a likely digit, once: a group that caught nothing makes a poor example.
const PLAIN: Taste = Taste { likely: &['x', '1'], times: 1 };
/// Others, of other lengths: an expression that takes all of these and the plain ones takes whatever there is, as good as.
const OTHERS: [Taste; 3] = [
    Taste { likely: &['q', '7'], times: 5 },
    Taste { likely: &['_', '-', '.'], times: 2 },
    Taste { likely: &['k', '0'], times: 40 },
];

/// Local parts that the expression matches, a few of each shape; none where it matches nothing that is short.
pub fn witnesses(expression: &str) -> Vec<LocalPart> {
    tasted(expression, &[PLAIN])
}

/// The same, and more of other letters and lengths.
pub fn samples(expression: &str) -> Vec<LocalPart> {
    let mut found = witnesses(expression);
    found.extend(tasted(expression, &OTHERS));
    found
}

fn tasted(expression: &str, tastes: &[Taste]) -> Vec<LocalPart> {
    let Ok(hir) = regex_syntax::parse(expression) else { return Vec::new() };
    let texts = tastes.iter().flat_map(|taste| strings(&hir, taste).into_iter().take(WITNESS_LIMIT));
    texts.filter_map(|text| LocalPart::from_content(&text.to_lowercase()).ok()).collect()
}

fn strings(hir: &Hir, taste: &Taste) -> Vec<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).into_iter().collect(),
        HirKind::Class(class) => characters(class, taste).into_iter().map(String::from).collect(),
        HirKind::Capture(capture) => strings(&capture.sub, taste),
        HirKind::Alternation(branches) => branches.iter().flat_map(|branch| strings(branch, taste)).take(WITNESS_LIMIT).collect(),
        HirKind::Concat(parts) => parts.iter().fold(vec![String::new()], |heads, part| product(&heads, &strings(part, taste))),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let often = (most >= 1).then_some(repetition.min.max(taste.times).min(most));
            let counts = often.into_iter().chain((repetition.min == 0).then_some(0));
            let unit = strings(&repetition.sub, taste);
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

/// Those of the likely ones that the class has, or else its first character.
fn characters(class: &Class, taste: &Taste) -> Vec<char> {
    let holds = |c: char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| range.start() <= c && c <= range.end()),
        Class::Bytes(class) => {
            class.ranges().iter().any(|range| u32::from(range.start()) <= c as u32 && c as u32 <= u32::from(range.end()))
        }
    };
    let likely: Vec<char> = taste.likely.iter().copied().filter(|c| holds(*c)).collect();
    if !likely.is_empty() {
        return likely;
    }
    match class {
        Class::Unicode(class) => class.ranges().first().map(|range| range.start()).into_iter().collect(),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())).into_iter().collect(),
    }
}
