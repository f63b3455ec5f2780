//! Names that are declared once and referred to: declaring, resolving, and noting which are used.

use crate::report::Diagnostic;
use crate::rules::{DUPLICATE_NAME, UNKNOWN_NAME, UNUSED_NAME};
use crate::source::{Span, Spanned};
use crate::syntax::grammar::Kind;
use crate::syntax::nearest;

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

    /// The finding for a name that is not there; none where an unreadable declaration may be the one. `others` are further words that
    /// could stand in its place.
    pub(crate) fn unknown(&self, name: &Spanned<String>, others: &[&str]) -> Option<Diagnostic> {
        if self.incomplete {
            return None;
        }
        let node = self.kind.node();
        let finding = UNKNOWN_NAME.at(name.span, format!("There is no {node} {:?}", name.value));
        let known = self.entries.iter().map(|entry| &*entry.name).chain(others.iter().copied());
        if let Some(near) = nearest(&name.value, known) {
            let near = near.to_owned();
            let finding = finding.help(format!("Write {near:?}"));
            let span = self.entries.iter().find(|entry| *entry.name == *near).and_then(|entry| entry.span);
            return Some(match span {
                Some(span) => finding.also(span, format!("{near:?} is declared here")),
                None => finding,
            });
        }
        Some(finding.help(self.what_to_write(others)))
    }

    fn what_to_write(&self, others: &[&str]) -> String {
        let mut names: Vec<&str> = self.entries.iter().map(|entry| &*entry.name).chain(others.iter().copied()).collect();
        names.truncate(8);
        let node = self.kind.node();
        match names.as_slice() {
            [] => format!("Declare it with a `{node}` node"),
            names => format!("Write one of {}, or declare it with a `{node}` node", quoted(names)),
        }
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

fn referrer(kind: Kind) -> &'static str {
    match kind {
        Kind::Relay => "with via= in a `route`",
        Kind::Transport => "with `deliver` in a `domain`",
        _ => "somewhere",
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
