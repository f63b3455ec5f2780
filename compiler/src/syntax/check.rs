//! The structural checks: nodes against the grammar. Unknown names, missing and surplus pieces, values that cannot be read,
//! blocks that the runtime does not serve. What the pieces mean together is for `lower` and the rules.
//!
//! One mistake gives one finding: what is known to be wrong is not looked at again from another side.

mod entries;
#[cfg(test)]
mod tests;
mod unknown;

use crate::report::{Diagnostic, Label};
use crate::source::{SourceId, Span};
use crate::syntax::Node;
use crate::syntax::grammar::layout::{ALLOW, PROFILE};
use crate::syntax::grammar::{NodeSpec, ROOT, Served, block};
use std::cell::Cell;
use std::collections::BTreeMap;

/// How much of a site is at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it: what is required must be there.
    Whole,
    /// A part of it, as where a syntax error hides the rest: no block or setting is missed.
    Part,
    /// A profile: its nodes say only what differs, and lack even arguments.
    Overlay,
}

/// The most findings of one run; how many more there are is said in a last one.
const FINDINGS_LIMIT: usize = 1000;

/// Checks the nodes of a site file, or of all the files of a site in one list.
pub fn check(nodes: &[Node], extent: Extent) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let more = Cell::new(0);
    check_block(nodes, ROOT.children.iter(), &Parent { node: None, spec: &ROOT, extent, more: &more }, &mut findings);
    if let Some(last) = findings.last().filter(|_| more.get() > 0) {
        let message = format!("{} mistakes more are in the site: these are the first {FINDINGS_LIMIT}", more.get());
        findings.push(Diagnostic::error(last.code, last.primary, message).help("Mend the others first"));
    }
    findings
}

struct Parent<'a> {
    node: Option<&'a Node>,
    spec: &'static NodeSpec,
    extent: Extent,
    /// Findings beyond the limit.
    more: &'a Cell<usize>,
}

impl Parent<'_> {
    fn keep_to_the_limit(&self, findings: &mut Vec<Diagnostic>) {
        self.more.set(self.more.get() + findings.len().saturating_sub(FINDINGS_LIMIT));
        findings.truncate(FINDINGS_LIMIT);
    }
}

fn check_block(
    nodes: &[Node], known: impl Iterator<Item = &'static NodeSpec> + Clone, parent: &Parent<'_>, findings: &mut Vec<Diagnostic>,
) {
    let mut first: BTreeMap<&'static str, &Node> = BTreeMap::new();
    // Names that an unknown node was probably meant to be: they are not missed as well.
    let mut excused: Vec<&'static str> = Vec::new();
    for node in nodes {
        parent.keep_to_the_limit(findings);
        let Some(spec) = known.clone().find(|spec| spec.name == node.name.value) else {
            findings.push(unknown::node(node, known.clone(), parent.spec, &mut excused));
            continue;
        };
        if spec.served == Served::NotYet {
            findings.push(not_yet(node.name.span, spec.name, spec.postfix));
            continue;
        }
        match first.get(spec.name) {
            Some(earlier) if !spec.many => findings.push(stands_once(node, earlier, spec)),
            _ => {
                first.entry(spec.name).or_insert(node);
                check_node(node, spec, parent, findings);
            }
        }
    }
    parent.keep_to_the_limit(findings);
    if parent.extent == Extent::Whole {
        let missing = known.filter(|spec| spec.required && !first.contains_key(spec.name) && !excused.contains(&spec.name));
        findings.extend(missing.map(|spec| missing_child(parent, spec)));
    }
}

fn check_node(node: &Node, spec: &'static NodeSpec, outer: &Parent<'_>, findings: &mut Vec<Diagnostic>) {
    let Parent { extent, more, .. } = *outer;
    entries::check(node, spec, extent, findings);
    let known = block(spec);
    let has_block = known.clone().any(|known| known.name != ALLOW.name);
    let surplus = node.children.iter().find(|child| known.clone().all(|known| known.name != child.name.value));
    if let Some(child) = surplus.filter(|_| !has_block) {
        let message = format!("`{}` has no block, so `{}` cannot stand in it", spec.name, child.name.value);
        let help = match (outer.node, block(outer.spec).any(|beside| beside.name == child.name.value)) {
            (_, false) => format!("Write `{}` without braces", spec.name),
            (Some(_), true) => format!("Write it in `{}`, beside `{}`", outer.spec.name, spec.name),
            (None, true) => format!("Write it outside, beside `{}`", spec.name),
        };
        findings.push(Diagnostic::error("LNG013", child.name.span, message).help(help));
        return;
    }
    let extent = if spec.name == PROFILE.name { Extent::Overlay } else { extent };
    check_block(&node.children, known, &Parent { node: Some(node), spec, extent, more }, findings);
}

/// "`milter` is not yet served by this runtime".
fn not_yet(span: Span, name: &str, postfix: &'static [&'static str]) -> Diagnostic {
    Diagnostic::error("LNG012", span, format!("`{name}` is not yet served by this runtime"))
        .help("Remove it until a later version serves it")
        .postfix(postfix)
}

fn stands_once(node: &Node, earlier: &Node, spec: &NodeSpec) -> Diagnostic {
    let help = if spec.argument_at(1).is_some_and(|argument| argument.repeating)
        || spec.arguments.first().is_some_and(|a| a.repeating)
    {
        format!("Write all of it in one `{}`", spec.name)
    } else {
        "Remove one of the two".to_owned()
    };
    let mut finding = Diagnostic::error(
        "LNG008",
        node.name.span,
        format!("`{}` stands here for the second time, and once is the most", spec.name),
    );
    finding.secondary.push(Label { span: earlier.name.span, text: "first declared here".to_owned() });
    finding.help(help)
}

fn missing_child(parent: &Parent<'_>, spec: &NodeSpec) -> Diagnostic {
    let (span, message) = match parent.node {
        Some(node) => (node.name.span, format!("This `{}` has no `{}`", node.name.value, spec.name)),
        None => (Span { source: SourceId(0), start: 0, length: 0 }, format!("The site has no `{}`", spec.name)),
    };
    let example = spec.example.lines().next().unwrap_or_default().trim_end_matches(" {");
    Diagnostic::error("LNG010", span, message).help(format!("Write `{example}`")).postfix(spec.postfix)
}
