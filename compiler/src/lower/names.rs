//! Names that are declared once and referred to: declaring, resolving, and noting which are used.

use crate::report::Diagnostic;
use crate::rules::{DUPLICATE_NAME, UNKNOWN_NAME, UNUSED_NAME};
use crate::source::{Span, Spanned};
use crate::syntax::grammar::{Kind, Served};
use crate::syntax::{Mention, nearest, quoted};

/// The names of one kind.
pub(crate) struct Names {
    kind: Kind,
    /// Whether one that is missing may be missing because its declaration cannot be read, which was reported already.
    incomplete: bool,
    entries: Vec<Entry>,
}

struct Entry {
    name: Box<str>,
    /// `None`: built in.
    span: Option<Span>,
    used: bool,
}

impl Names {
    /// `incomplete`: whether there may be more of them than can be read.
    pub(super) fn new(kind: Kind, incomplete: bool) -> Names {
        Names { kind, incomplete, entries: Vec::new() }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Notes a declaration whose name cannot be read.
    pub(super) fn declare_unreadable(&mut self) {
        self.incomplete = true;
    }

    /// Takes a name; the second of two equal ones is an error.
    pub(super) fn declare(&mut self, name: &Spanned<String>, findings: &mut Vec<Diagnostic>) {
        let Some(first) = self.entries.iter().find(|entry| *entry.name == *name.value) else {
            self.entries.push(Entry { name: name.value.as_str().into(), span: Some(name.span), used: false });
            return;
        };
        let node = self.kind.node();
        let finding = DUPLICATE_NAME
            .at(name.span, format!("The {node} {:?} is declared twice", name.value))
            .help("Rename one of the two, or remove it");
        findings.push(match first.span {
            Some(span) => finding.also(span, "first declared here"),
            None => finding,
        });
    }

    /// A name that is there without being declared; a declaration of the same name replaces it.
    pub(super) fn built_in(&mut self, name: &str) {
        if !self.entries.iter().any(|entry| &*entry.name == name) {
            self.entries.push(Entry { name: name.into(), span: None, used: true });
        }
    }

    /// Whether the name is there. It counts as used from now on.
    pub(crate) fn resolve(&mut self, name: &str) -> bool {
        let found = self.entries.iter_mut().find(|entry| &*entry.name == name);
        found.map(|entry| entry.used = true).is_some()
    }

    /// Whether the name is there. A test that speaks of it does not use it.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| &*entry.name == name)
    }

    /// Whether the node declares the name for the first time: the second was reported and is left out.
    pub(super) fn is_first(&self, name: &Spanned<String>) -> bool {
        self.entries.iter().any(|entry| *entry.name == *name.value && entry.span == Some(name.span))
    }

    /// Whether every name of the kind could be read.
    pub(crate) fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// The finding for a name in a row of a table that is not there. `others` are words that could stand in its place.
    pub(crate) fn unknown(&self, name: &Spanned<String>, others: &[&str]) -> Option<Diagnostic> {
        missing(name, &[self], others)
    }

    /// Declared and never referred to.
    pub(super) fn report_unused(&self, findings: &mut Vec<Diagnostic>) {
        let node = self.kind.node();
        for entry in self.entries.iter().filter(|entry| !entry.used) {
            if let Some(span) = entry.span {
                findings.push(
                    UNUSED_NAME
                        .at(span, format!("Nothing refers to the {node} {:?}", entry.name))
                        .help(format!("Remove the `{node}`, or refer to it {}", referrer(self.kind))),
                );
            }
        }
    }
}

/// The finding for a name that a node needs and that is in none of these lists, of which there is at least one.
pub(super) fn unknown(mention: &Mention<'_>, lists: &[&Names]) -> Option<Diagnostic> {
    let words: Vec<&str> = mention.words.iter().filter(|word| word.served == Served::Yes).map(|word| word.text).collect();
    let name = Spanned::new(mention.name.to_owned(), mention.value);
    let mut finding = missing(&name, lists, &words)?.postfix(mention.postfix);
    finding.fix = finding.fix.map(|(span, near)| (span, quoted(&near)));
    Some(finding)
}

/// The same for any name; none where an unreadable declaration may be the one. `words` could stand in its place.
fn missing(name: &Spanned<String>, lists: &[&Names], words: &[&str]) -> Option<Diagnostic> {
    if lists.iter().any(|names| names.holds(&name.value) || names.incomplete) {
        return None;
    }
    let node = lists[0].kind.node();
    let finding = UNKNOWN_NAME.at(name.span, format!("There is no {node} {:?}", name.value));
    let entries = || lists.iter().flat_map(|names| &names.entries);
    let mut known: Vec<&str> = entries().map(|entry| &*entry.name).chain(words.iter().copied()).collect();
    if let Some(near) = nearest(&name.value, known.iter().copied()) {
        let finding = finding.help(format!("Write {near:?}")).fix(name.span, near);
        let span = entries().find(|entry| *entry.name == *near).and_then(|entry| entry.span);
        return Some(match span {
            Some(span) => finding.also(span, format!("{near:?} is declared here")),
            None => finding,
        });
    }
    known.truncate(8);
    Some(finding.help(match known.as_slice() {
        [] => format!("Declare it with a `{node}` node"),
        names => format!("Write one of {}, or declare it with a `{node}` node", listed(names)),
    }))
}

fn referrer(kind: Kind) -> &'static str {
    match kind {
        Kind::Relay => "with via= in a `route`",
        Kind::Transport => "with `deliver` in a `domain`",
        _ => "somewhere",
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
