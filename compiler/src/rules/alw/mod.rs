//! `allow`: what the author of a site lets pass, and what is wrong with that: [`sift`].
//!
//! An `allow` speaks of the rules over the whole site alone. What the earlier stages find cannot be allowed, since there is
//! nothing to build from, and neither can a failed test, which the author can take out.

use super::{RULES, Raised, Rule, Subject, chk, find, tls};
use crate::report::{Diagnostic, Severity};
use crate::source::Spanned;
use crate::syntax::{Document, Node, View, nearest};

/// ALW001: an `allow` that nothing is found for.
pub(super) static UNUSED: Rule =
    Rule::new("ALW001", "unused-allow", Severity::Warning, Raised::Lowering, include_str!("unused.md"));

/// ALW002: an `allow` of what cannot be allowed.
pub(super) static NOT_ALLOWABLE: Rule =
    Rule::new("ALW002", "not-allowable", Severity::Error, Raised::Lowering, include_str!("not_allowable.md"));

/// ALW003: an `allow` that does not name the clients that it lets in.
pub(super) static CLASS_NOT_NAMED: Rule =
    Rule::new("ALW003", "class-not-named", Severity::Error, Raised::Lowering, include_str!("class_not_named.md"));

/// ALW004: an `allow` whose reason is empty.
pub(super) static NO_REASON: Rule =
    Rule::new("ALW004", "allow-without-reason", Severity::Error, Raised::Lowering, include_str!("no_reason.md"));

/// One `allow` that names a rule.
struct Allow<'a> {
    /// The block that it stands in; `None`: outside every block.
    block: Option<&'a Node>,
    /// In how many blocks.
    depth: usize,
    code: Spanned<String>,
    rule: &'static Rule,
    reason: String,
    class: Option<Spanned<String>>,
    used: bool,
}

impl Allow<'_> {
    fn covers(&self, finding: &Diagnostic) -> bool {
        finding.code == self.rule.code && self.block.is_none_or(|block| block.holds(finding.primary))
    }
}

/// Divides findings into those that stand and those that the site allows. What is wrong with an `allow` joins the former.
pub fn sift(nodes: &[Node], findings: Vec<Diagnostic>, subject: &Subject<'_>) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let mut kept = Vec::new();
    let mut allows = Vec::new();
    collect(nodes, &mut allows, &mut kept);
    if allows.is_empty() {
        kept.extend(findings);
        return (kept, Vec::new());
    }
    let mut allowed = Vec::new();
    for mut finding in findings {
        // Of those in blocks within each other, the innermost speaks; those further out would take it as well, so they are not without
        // use. One that says again what another of its block has said is.
        let (mut innermost, mut depths): (Option<&mut Allow<'_>>, Vec<usize>) = (None, Vec::new());
        for allow in allows.iter_mut().filter(|allow| allow.covers(&finding)) {
            if depths.contains(&allow.depth) {
                continue;
            }
            allow.used = true;
            depths.push(allow.depth);
            if innermost.as_ref().is_none_or(|known| known.depth < allow.depth) {
                innermost = Some(allow);
            }
        }
        let Some(allow) = innermost else {
            kept.push(finding);
            continue;
        };
        let named = allow.class.as_ref().map(|class| &class.value);
        if finding.opens.is_some() && finding.opens.as_ref() != named {
            kept.push(class_not_named(allow, &finding));
            kept.push(finding);
        } else {
            finding.allowed = Some(allow.reason.clone());
            allowed.push(finding);
        }
    }
    // While the site holds an error, or no day is given, or no checker chosen, the rule may not have been asked.
    let is_complete = subject.draft.gaps.is_empty();
    let was_asked =
        |rule: &Rule| (subject.today.is_some() || !tls::needs_today(rule)) && chk::is_asked(rule.code, &subject.checkers);
    for allow in allows.iter().filter(|allow| !allow.used && is_complete && was_asked(allow.rule)) {
        let place = if allow.block.is_some() { "in this block" } else { "in this site" };
        let message = format!("{} finds nothing {place}, so there is nothing to allow", allow.rule.code);
        kept.push(UNUSED.at(allow.code.span, message).help("Remove this `allow`"));
    }
    (kept, allowed)
}

/// Every `allow` that can be read, with its block; what is wrong with one is reported.
fn collect<'a>(nodes: &'a [Node], allows: &mut Vec<Allow<'a>>, findings: &mut Vec<Diagnostic>) {
    let mut pending: Vec<(Option<&'a Node>, usize, &'a [Node])> = vec![(None, 0, nodes)];
    while let Some((block, depth, nodes)) = pending.pop() {
        for view in Document::new(nodes).children("allow") {
            allows.extend(read(block, depth, &view, findings));
        }
        let inner = nodes.iter().filter(|node| !node.children.is_empty());
        pending.extend(inner.map(|node| (Some(node), depth + 1, node.children.as_slice())));
    }
}

fn read<'a>(block: Option<&'a Node>, depth: usize, view: &View<'a>, findings: &mut Vec<Diagnostic>) -> Option<Allow<'a>> {
    let code = view.argument::<String>("code")?;
    let reason = view.property::<String>("reason")?;
    let Some(rule) = find(&code.value).filter(|rule| matches!(rule.raised, Raised::Check { .. })) else {
        findings.push(not_allowable(&code));
        return None;
    };
    if reason.value.trim().is_empty() {
        let message = format!("{} is allowed without a reason", rule.code);
        findings.push(NO_REASON.at(reason.span, message).help("Write why it is right here: somebody will ask in a year"));
    }
    Some(Allow { block, depth, code, rule, reason: reason.value, class: view.property("class"), used: false })
}

fn not_allowable(code: &Spanned<String>) -> Diagnostic {
    match find(&code.value) {
        Some(rule) => NOT_ALLOWABLE
            .at(code.span, format!("{} cannot be allowed: there is nothing to build while it stands", rule.code))
            .help("Mend what it finds, and remove this `allow`"),
        None => {
            let near = nearest(&code.value.to_uppercase(), RULES.iter().map(|rule| rule.code));
            let help = near.map_or("Look the code up with `postern rule`".to_owned(), |near| format!("Write \"{near}\""));
            NOT_ALLOWABLE.at(code.span, format!("There is no rule {:?}", code.value)).help(help)
        }
    }
}

fn class_not_named(allow: &Allow<'_>, finding: &Diagnostic) -> Diagnostic {
    let class = finding.opens.as_deref().unwrap_or_default();
    let (place, message) = match &allow.class {
        Some(said) => (said.span, format!("{} lets the {class} in, not the {}", finding.code, said.value)),
        None => (allow.code.span, format!("This `allow` does not say that it lets the {class} in")),
    };
    CLASS_NOT_NAMED.at(place, message).help(format!("Write class=\"{class}\", if that is what you mean"))
}
