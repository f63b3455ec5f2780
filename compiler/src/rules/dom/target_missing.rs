//! DOM003: an address that the site sends mail to, in a domain of its own, and that nobody has.

use crate::addresses::Address;
use crate::lower::draft::{Part, PatternDraft};
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::graph::{Role, made_by, targets};
use crate::rules::{Rule, Subject};
use crate::source::Spanned;
use crate::syntax::nearest;
use postern_schema::decide::{Resolved, StepKind, Trace, resolve};
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::DomainClass;
use regex::Regex;
use std::sync::LazyLock;

/// The rule.
pub static RULE: Rule = Rule::check("DOM003", "target-missing", Severity::Error, &[], check, include_str!("target_missing.md"));

/// A group in the target of a pattern.
#[allow(clippy::unwrap_used, reason = "a constant, compiled by every test")]
static GROUP: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{[1-9]\}").unwrap());

/// The most addresses of the domain that one with a slip is compared with.
const KNOWN: usize = 10_000;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut rows = RowFindings::new(subject.draft.first_table);
    for (role, target) in targets(subject.draft) {
        findings.extend(missing(subject, role, &target));
    }
    for pattern in subject.draft.domains.iter().flat_map(|domain| &domain.patterns) {
        findings.extend(never_there(subject, pattern));
    }
    // Nearly every target is declared, or elsewhere; the daemon is asked about the others.
    for target in subject.graph.undeclared(&subject.draft.addresses) {
        let target = Spanned::new(target.mailbox(), target.span());
        let finding = missing(subject, Role::Alias, &target);
        findings.extend(finding.filter(|_| rows.admit(RULE.code, RULE.severity, target.span)));
    }
    findings.extend(rows.rest());
}

fn missing(subject: &Subject<'_>, role: Role, target: &Spanned<Mailbox>) -> Option<Diagnostic> {
    let mut trace = Trace::default();
    let host_is_broken = subject.draft.gaps.holds(Part::Host);
    let why = match resolve(&target.value, subject.model, &mut trace) {
        Ok(Resolved::Unknown) => "nobody has it",
        Ok(Resolved::Parked) => "its domain is parked and takes no mail",
        // The site's postmaster stands in for every postmaster that is not declared, but not for himself.
        Ok(Resolved::Others { targets: to, .. }) if is_postmaster(&trace) && to == [target.value.clone()] && !host_is_broken => {
            "nobody has it"
        }
        // A catch-all takes what nobody has: its own target, where nobody has that.
        Ok(Resolved::Others { targets: to, .. }) if role == Role::CatchAll && to == [target.value.clone()] => "nobody has it",
        _ => return None,
    };
    if may_be_unread(subject, target.value.domain()?) {
        return None;
    }
    Some(
        RULE.at(target.span, format!("The {} {} does not exist: {why}", role.describe(), target.value))
            .help(help(subject, &target.value))
            .postfix(&["virtual_alias_maps", "local_recipient_maps", "virtual_mailbox_maps"]),
    )
}

/// Of a target with groups it is known what it makes of some addresses, and that no declared address looks like it.
fn never_there(subject: &Subject<'_>, pattern: &PatternDraft) -> Option<Diagnostic> {
    let made: Vec<Mailbox> = made_by(pattern).collect();
    let example = made.first()?;
    let domain = example.domain()?;
    let is_unknown = |made: &Mailbox| resolve(made, subject.model, &mut Trace::default()) == Ok(Resolved::Unknown);
    if !made.iter().all(is_unknown) || may_be_unread(subject, domain) {
        return None;
    }
    let (local, _) = pattern.pattern.target().rsplit_once('@')?;
    let form = GROUP.split(&local.to_lowercase()).map(regex::escape).collect::<Vec<_>>().join(".*");
    let form = Regex::new(&format!("^{form}$")).ok()?;
    let book = &subject.draft.addresses;
    let host = book.known_host(domain.as_str())?;
    if book.declared().any(|address| address.host() == host && form.is_match(address.local())) {
        return None;
    }
    Some(
        RULE.at(
            pattern.target,
            format!("No address looks like the pattern target {:?}: {example}, say, does not exist", pattern.pattern.target()),
        )
        .also(pattern.expression, "whatever is accepted here bounces")
        .help("Declare the addresses that are meant, or write a target that exists")
        .postfix(&["virtual_alias_maps", "local_recipient_maps"]),
    )
}

/// Whether the address may be one of those that an error has left out.
fn may_be_unread(subject: &Subject<'_>, domain: &Domain) -> bool {
    let is_incomplete = |name: &Domain| subject.draft.domain(name).is_some_and(|draft| draft.incomplete);
    let class = subject.draft.domain(domain).map(|draft| &draft.class.value);
    is_incomplete(domain) || matches!(class, Some(DomainClass::AliasOf(other)) if is_incomplete(other))
}

fn is_postmaster(trace: &Trace) -> bool {
    matches!(trace.steps().last().map(|step| &step.kind), Some(StepKind::Postmaster(_)))
}

fn help(subject: &Subject<'_>, target: &Mailbox) -> String {
    let local = target.local.to_string();
    let book = &subject.draft.addresses;
    let host = target.domain().and_then(|name| book.known_host(name.as_str()));
    let known: Vec<Address<'_>> =
        host.into_iter().flat_map(|host| book.declared().filter(move |address| address.host() == host)).take(KNOWN).collect();
    match nearest(&local, known.iter().map(|address| address.local())) {
        Some(near) => format!("Write {near:?}, or declare `mailbox {local:?}`"),
        None => {
            let example = known.iter().find(|address| address.is_mailbox());
            let example = example.map_or_else(String::new, |mailbox| format!(", such as {:?}", mailbox.local()));
            format!("Declare `mailbox {local:?}`, or write an address that exists{example}")
        }
    }
}
