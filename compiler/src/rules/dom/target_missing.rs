//! DOM003: an address that the site sends mail to, in a domain of its own, and that nobody has.

use crate::lower::draft::{AddressForm, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::graph::targets;
use crate::rules::{Rule, Subject};
use crate::syntax::nearest;
use postern_schema::decide::{Resolved, StepKind, Trace, resolve};
use postern_schema::name::Mailbox;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM003", "target-missing", Severity::Error, &[Part::Domains], check, include_str!("target_missing.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let host_is_broken = subject.draft.gaps.holds(Part::Host);
    for (role, target) in targets(subject.draft) {
        let mut trace = Trace::default();
        let why = match resolve(&target.value, subject.model, &mut trace) {
            Ok(Resolved::Unknown) => "nobody has it",
            Ok(Resolved::Parked) => "its domain is parked and takes no mail",
            // The site's postmaster stands in for every postmaster that is not declared, but not for himself.
            Ok(Resolved::Others(to)) if is_postmaster(&trace) && to == [target.value.clone()] && !host_is_broken => {
                "nobody has it"
            }
            _ => continue,
        };
        let finding = RULE
            .at(target.span, format!("The {} {} does not exist: {why}", role.describe(), target.value))
            .help(help(subject, &target.value))
            .postfix(&["virtual_alias_maps", "local_recipient_maps", "virtual_mailbox_maps"]);
        findings.push(finding);
    }
}

fn is_postmaster(trace: &Trace) -> bool {
    matches!(trace.steps().last().map(|step| &step.kind), Some(StepKind::Postmaster(_)))
}

fn help(subject: &Subject<'_>, target: &Mailbox) -> String {
    let local = target.local.to_string();
    let domain = target.domain().and_then(|name| subject.draft.domain(name));
    let known = domain.into_iter().flat_map(|domain| &domain.addresses);
    let known: Vec<String> = known.map(|address| address.local.value.to_string()).collect();
    match nearest(&local, known.iter().map(String::as_str)) {
        Some(near) => format!("Write \"{near}\", or declare `mailbox \"{local}\"`"),
        None => format!("Declare `mailbox \"{local}\"`, or write an address that exists{}", example(domain)),
    }
}

/// A mailbox of the domain, as an example.
fn example(domain: Option<&crate::lower::draft::DomainDraft>) -> String {
    let mailbox = domain.and_then(|d| d.addresses.iter().find(|address| matches!(address.form, AddressForm::Mailbox { .. })));
    mailbox.map_or_else(String::new, |mailbox| format!(", such as \"{}\"", mailbox.local.value))
}
