//! Makes the slips: every family over every example, one for each word of the language that it can happen to. A slip is an edit
//! of a single line.

use super::super::{Slip, example, families, findings, root, slipped};
use postern::source::{SourceId, Span};
use postern::syntax::read::{TokenKind, tokens};
use postern::syntax::{Node, Value, parse};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

/// A stretch of a text, what is written there by mistake, and the word of the language that it happens to: one slip of a family
/// for each is enough.
struct Edit {
    start: usize,
    end: usize,
    text: String,
    word: String,
}

/// A site, and the way through it.
struct Site<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

type Family = fn(&Site<'_>) -> Vec<Edit>;

/// The name of a file, what its slips are, and how they are made.
const FAMILIES: &[(&str, &str, Family)] = &[
    ("misspelt-block", "The name of a block or setting with two letters exchanged.", misspelt_block),
    ("misspelt-property", "The name of a property with two letters exchanged.", misspelt_property),
    ("misspelt-word", "A word of the language, misspelt.", misspelt_word),
    ("unknown-name", "A name that nothing declares.", unknown_name),
    ("no-quotes", "A value without its quotes.", no_quotes),
    ("open-quote", "A value without its closing quote.", open_quote),
    ("single-quotes", "A value in the quotes of a shell.", single_quotes),
    ("bare-truth", "`true` without its `#`.", bare_truth),
    ("equals-sign", "A setting as main.cf has it.", equals_sign),
    ("comma", "A comma between two values.", comma),
    ("no-blank", "No blank between a name and its value.", no_blank),
    ("lost-value", "A property without its value.", lost_value),
    ("wrong-kind", "A number where a text belongs, and the other way round.", wrong_kind),
    ("wrong-unit", "A duration or size with a unit that there is not.", wrong_unit),
    ("twice", "The same property a second time.", property_twice),
    ("surplus-value", "A value more than the block takes.", surplus_value),
    ("lost-property", "A property that the block needs, left out.", lost_property),
    ("same-line-twice", "A line pasted a second time.", line_twice),
    ("surplus-brace", "A brace more than was opened.", surplus_brace),
    ("lost-brace", "A block that nobody closed.", lost_brace),
    ("lost-block-name", "A block without its name.", lost_block_name),
    ("shell-comment", "A comment as a shell has it.", shell_comment),
    ("impossible-value", "A value that its type cannot have.", impossible_value),
];

/// Writes every family anew.
pub fn write() {
    let mut examples: Vec<String> = fs::read_dir(root().join("examples"))
        .expect("the examples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("site.kdl").is_file())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    examples.sort();
    let mut wrong = String::new();
    for (name, title, family) in FAMILIES {
        let mut file = format!("// {title}\n");
        let mut words = BTreeSet::new();
        for example_name in &examples {
            let text = example(example_name);
            // Constants and profiles show a slip in other places.
            if text.contains("\nprofile ") {
                continue;
            }
            let site = Site { text: &text, nodes: parse(SourceId(0), &text).nodes };
            for edit in family(&site) {
                if !words.insert(edit.word.clone()) {
                    continue;
                }
                let Some(mut slip) = slip(example_name, &text, &edit) else { continue };
                let (changed, line) = slipped(&text, &slip).expect("the line is there");
                match findings(example_name, &changed).as_slice() {
                    [(code, at, _)] => {
                        slip.code = (*code).to_owned();
                        slip.below = i64::from(*at) - i64::from(line);
                        write_slip(&mut file, &slip);
                    }
                    others => writeln!(wrong, "{name}, {example_name}: {:?}: {others:#?}", slip.wrong).expect("a string"),
                }
            }
        }
        fs::write(families().join(format!("{name}.slips")), file).expect("a family");
    }
    assert!(wrong.is_empty(), "slips with more or less than one finding:\n{wrong}");
}

fn write_slip(file: &mut String, slip: &Slip) {
    let wrong: String = slip.wrong.iter().map(|line| format!("+{line}\n")).collect();
    let place = if slip.below == 0 { String::new() } else { format!("!{}\n", slip.below) };
    write!(file, "--- {} {}\n-{}\n{wrong}{place}", slip.example, slip.code, slip.right).expect("a string");
}

/// The edit as lines; `None` where the line stands in the example more than once.
fn slip(example: &str, text: &str, edit: &Edit) -> Option<Slip> {
    let start = text[..edit.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[edit.end..].find('\n').map_or(text.len(), |length| edit.end + length);
    let right = &text[start..end];
    if right.contains('\n') || text.lines().filter(|line| *line == right).count() != 1 {
        return None;
    }
    let wrong = format!("{}{}{}", &text[start..edit.start], edit.text, &text[edit.end..end]);
    let wrong: Vec<String> = if wrong.trim().is_empty() { Vec::new() } else { wrong.lines().map(str::to_owned).collect() };
    Some(Slip { example: example.to_owned(), code: String::new(), right: right.to_owned(), wrong, below: 0 })
}

impl Site<'_> {
    /// Every node with the name of the block that it stands in. What `test` blocks hold is for their own families.
    fn nodes(&self) -> Vec<(&'static str, &Node)> {
        fn go<'a>(parent: &'static str, nodes: &'a [Node], out: &mut Vec<(&'static str, &'a Node)>) {
            for node in nodes {
                out.push((parent, node));
                go(if node.name.value == "test" { "test" } else { "" }, &node.children, out);
            }
        }
        let mut out = Vec::new();
        go("", &self.nodes, &mut out);
        out
    }

    fn of(&self, span: Span) -> &str {
        &self.text[range(span)]
    }

    /// Every value with the word that it belongs to: `listen port`, `mailbox`.
    fn values(&self) -> Vec<(String, Span, &Value)> {
        let mut values = Vec::new();
        for (parent, node) in self.nodes() {
            let name = &node.name.value;
            for (index, argument) in node.arguments.iter().enumerate() {
                values.push((format!("{parent} {name} {}", index.min(1)), argument.span, &argument.value));
            }
            for property in &node.properties {
                values.push((format!("{parent} {name} {}", property.name.value), property.value.span, &property.value.value));
            }
        }
        values
    }

    /// The values in quotes whose word is not free text.
    fn texts(&self) -> Vec<(String, Span, &str)> {
        let texts = self.values().into_iter().filter_map(|(word, span, value)| match value {
            Value::String(text) if self.of(span).starts_with('"') => Some((word, span, text.as_str())),
            _ => None,
        });
        texts.collect()
    }
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..(span.start + span.length) as usize
}

fn edit(span: Span, text: impl Into<String>, word: impl Into<String>) -> Edit {
    let range = range(span);
    Edit { start: range.start, end: range.end, text: text.into(), word: word.into() }
}

/// A name with its last two letters exchanged, so that it is another one.
fn exchanged(name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = (1..letters.len()).rev().find(|at| letters[*at] != letters[at - 1]);
    match at {
        Some(at) => letters.swap(at, at - 1),
        None => letters.push('x'),
    }
    letters.into_iter().collect()
}

fn misspelt_block(site: &Site<'_>) -> Vec<Edit> {
    site.nodes().iter().map(|(_, node)| edit(node.name.span, exchanged(&node.name.value), &node.name.value)).collect()
}

fn misspelt_property(site: &Site<'_>) -> Vec<Edit> {
    let nodes = site.nodes();
    let properties = nodes.iter().flat_map(|(_, node)| node.properties.iter().map(move |property| (node, property)));
    let one = |(node, property): (&&Node, &postern::syntax::Property)| {
        let name = &property.name.value;
        edit(property.name.span, exchanged(name), format!("{} {name}", node.name.value))
    };
    properties.map(|(node, property)| one((node, property))).collect()
}

/// Values that are words of the language, by the place that they stand at.
const WORDS: [&str; 9] = [
    " expect 0",
    " tls 0",
    " log format",
    " route tls",
    "test expect 0",
    "test expect reason",
    "test expect tls",
    "test from domain",
    " require 0",
];

fn misspelt_word(site: &Site<'_>) -> Vec<Edit> {
    let words = site.texts().into_iter().filter(|(word, ..)| WORDS.contains(&word.as_str()));
    words.map(|(word, span, text)| edit(span, format!("\"{}\"", exchanged(text)), format!("{word} {text}"))).collect()
}

fn unknown_name(site: &Site<'_>) -> Vec<Edit> {
    let names = [" route via", " deliver 0", " domain alias-of", "test expect via", "test client user", " listen kind"];
    let named = site.texts().into_iter().filter(|(word, _, text)| names.contains(&word.as_str()) && *text != "direct");
    named.map(|(word, span, text)| edit(span, format!("\"{text}zz\""), word)).collect()
}

fn no_quotes(site: &Site<'_>) -> Vec<Edit> {
    let readable = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "-@.+*_:".contains(c));
    let needs = site.texts().into_iter().filter(|(word, _, text)| {
        let number = text.starts_with(|c: char| c.is_ascii_digit());
        // A name or reason of several words is several values without its quotes.
        !text.contains(' ') && !text.is_empty() && (number || !readable(text)) && word != "test from 0"
    });
    needs.map(|(word, span, text)| edit(span, text, word)).collect()
}

fn open_quote(site: &Site<'_>) -> Vec<Edit> {
    let mut last = 0;
    let mut edits = Vec::new();
    for (word, span, text) in site.texts() {
        let line_ends = site.text[range(span).end..].lines().next().is_some_and(|rest| rest.is_empty() || rest == " {");
        if line_ends && span.start as usize >= last {
            edits.push(edit(span, format!("\"{text}"), word));
            last = range(span).end;
        }
    }
    edits
}

fn single_quotes(site: &Site<'_>) -> Vec<Edit> {
    let texts = site.texts().into_iter().filter(|(.., text)| !text.contains(' ') && !text.is_empty());
    texts.map(|(word, span, text)| edit(span, format!("'{text}'"), word)).collect()
}

fn bare_truth(site: &Site<'_>) -> Vec<Edit> {
    let truths = site.values().into_iter().filter(|(.., value)| matches!(value, Value::Bool(_)));
    truths.map(|(word, span, _)| (word, span)).map(|(word, span)| edit(span, site.of(span)[1..].to_owned(), word)).collect()
}

fn equals_sign(site: &Site<'_>) -> Vec<Edit> {
    let nodes = site.nodes();
    let settings = nodes.iter().filter(|(parent, node)| {
        parent.is_empty() && node.arguments.len() == 1 && node.properties.is_empty() && node.children.is_empty()
    });
    settings.map(|(_, node)| edit(node.name.span, format!("{} =", node.name.value), &node.name.value)).collect()
}

fn comma(site: &Site<'_>) -> Vec<Edit> {
    let nodes = site.nodes();
    let several = nodes.iter().filter(|(_, node)| node.arguments.len() > 1);
    let place = |node: &Node| {
        let span = node.arguments[0].span;
        edit(span, format!("{},", site.of(span)), &node.name.value)
    };
    several.map(|(_, node)| place(node)).collect()
}

fn no_blank(site: &Site<'_>) -> Vec<Edit> {
    let nodes = site.nodes();
    let valued =
        nodes.iter().filter(|(_, node)| node.arguments.first().is_some_and(|first| site.of(first.span).starts_with('"')));
    let join = |node: &Node| {
        let (name, first) = (range(node.name.span), range(node.arguments[0].span));
        Edit { start: name.end, end: first.start, text: String::new(), word: node.name.value.clone() }
    };
    valued.map(|(_, node)| join(node)).collect()
}

fn lost_value(site: &Site<'_>) -> Vec<Edit> {
    let nodes = site.nodes();
    let properties = nodes.iter().flat_map(|(_, node)| node.properties.iter().map(|property| (&node.name.value, property)));
    properties.map(|(node, property)| edit(property.value.span, "", format!("{node} {}", property.name.value))).collect()
}

fn wrong_kind(site: &Site<'_>) -> Vec<Edit> {
    let other = |value: &Value| match value {
        Value::String(_) => "7",
        Value::Bool(_) => "\"on\"",
        _ => "\"seven\"",
    };
    site.values().into_iter().map(|(word, span, value)| edit(span, other(value), word)).collect()
}

fn wrong_unit(site: &Site<'_>) -> Vec<Edit> {
    let quantities = site.texts().into_iter().filter(|(.., text)| {
        let is_number = text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_alphanumeric());
        is_number && text.ends_with(['s', 'm', 'h', 'd', 'w', 'B'])
    });
    let wrong = |text: &str| format!("\"{}q\"", text.trim_end_matches(|c: char| c.is_ascii_alphabetic()));
    quantities.map(|(word, span, text)| edit(span, wrong(text), word)).collect()
}

fn property_twice(site: &Site<'_>) -> Vec<Edit> {
    let nodes = site.nodes();
    let properties = nodes.iter().flat_map(|(_, node)| node.properties.iter().map(|property| (&node.name.value, property)));
    let again = |(node, property): (&String, &postern::syntax::Property)| {
        let (name, value) = (site.of(property.name.span), site.of(property.value.span));
        edit(property.value.span, format!("{value} {name}={value}"), format!("{node} {}", property.name.value))
    };
    properties.map(again).collect()
}

fn surplus_value(site: &Site<'_>) -> Vec<Edit> {
    let nodes = site.nodes();
    let repeating = ["address", "network", "alias", "may-send-as", "domain", "parked", "require", "include"];
    let fixed = nodes.iter().filter(|(_, node)| !repeating.contains(&node.name.value.as_str()));
    let more = |node: &Node| {
        let end = range(node.span).end;
        Edit { start: end, end, text: " \"zz\"".to_owned(), word: node.name.value.clone() }
    };
    fixed.map(|(_, node)| more(node)).collect()
}

fn lost_property(site: &Site<'_>) -> Vec<Edit> {
    let needed =
        ["relay host", "passwd secret", "route via", "certificate chain-secret", "certificate key-secret", "login secret"];
    let nodes = site.nodes();
    let properties = nodes.iter().flat_map(|(_, node)| node.properties.iter().map(|property| (&node.name.value, property)));
    let lost = properties.map(|(node, property)| (format!("{node} {}", property.name.value), property));
    let lost = lost.filter(|(word, _)| needed.contains(&word.as_str()));
    let whole = |(word, property): (String, &postern::syntax::Property)| Edit {
        start: range(property.name.span).start - 1,
        end: range(property.value.span).end,
        text: String::new(),
        word,
    };
    lost.map(whole).collect()
}

fn line_twice(site: &Site<'_>) -> Vec<Edit> {
    let nodes = site.nodes();
    let whole = nodes.iter().filter_map(|(_, node)| {
        let start = range(node.name.span).start;
        let line_start = site.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = site.text[line_start..].lines().next()?;
        let alone = site.text[line_start..start].trim().is_empty() && !line.contains(';') && !line.ends_with('{');
        // Some say no more when they say it twice, and some are as many mistakes as they have names.
        let may = ["route", "may-send-as", "parked", "spf-include", "key", "caa", "mailboxes", "aliases", "routes"]
            .contains(&node.name.value.as_str());
        (alone && !may).then(|| Edit {
            start: line_start,
            end: line_start + line.len(),
            text: format!("{line}\n{line}"),
            word: node.name.value.clone(),
        })
    });
    whole.collect()
}

/// The lines that are nothing but a closing brace are alike: the one before each is changed in its place.
fn around_braces(site: &Site<'_>, change: impl Fn(&str, &str) -> Option<String>) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut start = 0;
    let lines: Vec<&str> = site.text.lines().collect();
    for pair in lines.windows(2) {
        if let Some(text) = change(pair[0], pair[1]) {
            // One for a line with a block on it, and one for a line without.
            let word = pair[0].ends_with('}').to_string();
            edits.push(Edit { start, end: start + pair[0].len(), text, word });
        }
        start += pair[0].len() + 1;
    }
    edits
}

fn surplus_brace(site: &Site<'_>) -> Vec<Edit> {
    around_braces(site, |line, next| {
        (!line.starts_with([' ', '/']) && !line.ends_with('{') && line.len() > 1 && next != "}").then(|| format!("{line}\n}}"))
    })
}

fn lost_brace(site: &Site<'_>) -> Vec<Edit> {
    around_braces(site, |line, _| line.strip_suffix(" }").map(str::to_owned))
}

fn lost_block_name(site: &Site<'_>) -> Vec<Edit> {
    around_braces(site, |line, _| (line.ends_with('{') && !line.starts_with(' ')).then(|| "{".to_owned()))
}

fn shell_comment(site: &Site<'_>) -> Vec<Edit> {
    let list = tokens(site.text, usize::MAX).expect("no limit");
    let comments = list.iter().filter(|token| token.kind == TokenKind::LineComment);
    let shell = |(index, token): (usize, &postern::syntax::read::Token)| Edit {
        start: token.start as usize,
        end: token.start as usize + 2,
        text: "#".to_owned(),
        word: index.to_string(),
    };
    comments.take(1).enumerate().map(shell).collect()
}

fn impossible_value(site: &Site<'_>) -> Vec<Edit> {
    let wrong = |word: &str, text: &str| {
        Some(match word {
            " site 0" | " domain 0" | " domain 1" | " parked 0" => format!("{text}..example"),
            " postmaster 0" | "test to 0" => text.replace('@', "@@"),
            " address 0" | " listen address" => "256.1.1.1".to_owned(),
            " network 1" => "10.0.0.0/33".to_owned(),
            " relay host" => "http://smtp.example".to_owned(),
            " mailbox 0" => format!("{text}@@"),
            " pattern 0" => "^(".to_owned(),
            " mailbox quota" | " limits message" => "-1MiB".to_owned(),
            " passwd secret" | " login secret" => "../secret".to_owned(),
            _ => return None,
        })
    };
    let texts = site.texts();
    texts.into_iter().filter_map(|(word, span, text)| Some(edit(span, format!("\"{}\"", wrong(&word, text)?), word))).collect()
}
