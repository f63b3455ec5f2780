//! DMC007: mail that nothing vouches for.

use crate::lower::draft::{DomainDraft, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::chk::is_chosen;
use crate::rules::{Rule, Subject};
use crate::standing::{OwnMail, anybody_sends, own_mail};
use postern_schema::record::DmarcPolicy;
use postern_schema::site::DomainClass;

/// The rule.
pub static RULE: Rule = Rule::check(
    "DMC007",
    "unaligned",
    Severity::Warning,
    &[Part::Host, Part::Domains, Part::Routes, Part::Relays, Part::Rewriting],
    check,
    include_str!("unaligned.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let site = &subject.model.site;
    // Without a policy of its own, a domain has one that asks for nothing: then this is a matter for those who count it.
    let is_counted = is_chosen(RULE.code, &subject.checkers) && anybody_sends(site);
    for domain in subject.draft.domain_nodes().filter(|domain| domain.class.value == DomainClass::Local) {
        let policy = domain.publication.dmarc.as_ref().map(|dmarc| dmarc.value.policy);
        if policy.is_none() && !is_counted {
            continue;
        }
        let mail = own_mail(&domain.name.value, subject.model).unwrap_or_default();
        // A stricter policy without a key has an error of its own.
        let is_asked = |mail: &&OwnMail<'_>| mail.is_signed || policy.is_none_or(|policy| policy == DmarcPolicy::None);
        if let Some(mail) = mail.iter().filter(is_asked).find(|mail| !mail.standing.aligned) {
            findings.push(finding(domain, mail, subject));
        }
    }
}

fn finding(domain: &DomainDraft, mail: &OwnMail<'_>, subject: &Subject<'_>) -> Diagnostic {
    let (name, spf) = (&domain.name.value, mail.standing.spf.as_str());
    let of = match mail.sender.domain().filter(|sender| *sender != name) {
        Some(other) => format!(" for {other}, which it leaves with"),
        None => String::new(),
    };
    let signed =
        if mail.signers.is_empty() { "no key signs it".to_owned() } else { format!("no key of {} signs it", mail.author) };
    RULE.at(
        domain.name.span,
        format!(
            "Nothing vouches for mail of {name} that leaves {}: SPF comes to {spf}{of}, and {signed}",
            mail.way(&subject.model.site)
        ),
    )
    .help("Make a key with `postern key new`, or say in the relay what it does: `spf-include`, `signs-dkim`")
}
