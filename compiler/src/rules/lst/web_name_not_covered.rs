//! LST008: a name that the web listener answers for, and no certificate for it.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use postern_schema::name::Domain;

/// The rule.
pub static RULE: Rule = Rule::check(
    "LST008",
    "web-name-not-covered",
    Severity::Warning,
    &[Part::Listeners, Part::Tls, Part::Domains],
    check,
    include_str!("web_name_not_covered.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let Some(web) = draft.web.first() else { return };
    // For another reason, nothing is served at all; and what the daemon gets certificates for, it gets for these names.
    if !draft.tls.has_certificate() || draft.tls.acme.is_some() {
        return;
    }
    for domain in draft.domain_nodes() {
        for (name, span) in domain.web_names().filter(|(name, _)| !may_be_covered(subject, name)) {
            findings.push(finding(&name, span, web.name.span));
        }
    }
}

fn finding(name: &Domain, span: Span, listener: Span) -> Diagnostic {
    RULE.at(span, format!("It is served at https://{name}, and no certificate is for that name"))
        .also(listener, "by this listener")
        .help(format!("Write `certificate \"{name}\"` in `tls`, or let a chain that is there name it too"))
}

/// A chain that is a credential is not read here, and may name anything.
fn may_be_covered(subject: &Subject<'_>, name: &Domain) -> bool {
    subject.draft.tls.certificates.iter().any(|certificate| match certificate.parsed.first() {
        Some(parsed) => parsed.covers(name) && !parsed.is_self_issued(),
        None => true,
    })
}
