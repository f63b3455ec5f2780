//! DKM012: a domain whose mail nobody signs.

use crate::lower::draft::{DomainDraft, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::standing::{anybody_sends, own_mail};
use postern_schema::record::DmarcPolicy;
use postern_schema::site::{DomainClass, SigningState};

/// The rule.
pub static RULE: Rule = Rule::check(
    "DKM012",
    "no-dkim-key",
    Severity::Note,
    &[Part::Host, Part::Domains, Part::Routes, Part::Relays],
    check,
    include_str!("no_key.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut others: Vec<(&DomainDraft, String)> = Vec::new();
    let is_counted = anybody_sends(&subject.model.site);
    for domain in subject.draft.domain_nodes() {
        match domain.publication.dmarc.as_ref().map(|dmarc| dmarc.value.policy) {
            // That is an error: DMC001.
            Some(DmarcPolicy::Quarantine | DmarcPolicy::Reject) => {}
            Some(DmarcPolicy::None) => {
                if let Some(way) = unsigned(domain, subject) {
                    findings.push(finding(domain, &format!("Mail of {}{way}", domain.name.value)));
                }
            }
            None if is_counted && domain.class.value == DomainClass::Local => {
                others.extend(unsigned(domain, subject).map(|way| (domain, way)));
            }
            None => {}
        }
    }
    // A site that signs nothing hears of it once.
    if let Some((first, way)) = others.first() {
        let more = match others.len() {
            1 => String::new(),
            count => format!(", and of {} other{}", count - 1, if count == 2 { "" } else { "s" }),
        };
        findings.push(finding(first, &format!("Mail of {}{more}{way}", first.name.value)));
    }
}

/// By which way mail leaves that nobody signs: nothing is said of it where that is every way.
fn unsigned(domain: &DomainDraft, subject: &Subject<'_>) -> Option<String> {
    let mail = own_mail(&domain.name.value, subject.model).ok()?;
    let found = mail.iter().find(|mail| !mail.is_signed)?;
    let some_are = mail.iter().any(|mail| mail.is_signed);
    Some(if some_are { format!(" that leaves {}", found.way(&subject.model.site)) } else { String::new() })
}

fn finding(domain: &DomainDraft, mail: &str) -> Diagnostic {
    let waiting = domain.signers.iter().find(|signer| signer.state.value == SigningState::Publish);
    let finding = match domain.signers.iter().max_by_key(|signer| std::cmp::Reverse(signer.state.value)) {
        Some(signer) if !domain.signers.iter().any(|signer| signer.state.value == SigningState::Active) => {
            let message = format!("{mail} is not signed with DKIM: no key is active");
            RULE.at(domain.name.span, message).also(signer.state.span, "the state of this one")
        }
        _ => RULE.at(domain.name.span, format!("{mail} is not signed with DKIM")),
    };
    match waiting {
        Some(signer) => {
            let selector = signer.selector.value.as_str();
            finding.help(format!("Let {selector:?} sign once it has been in DNS for its time: `postern key rotate`"))
        }
        None => finding.help("Make a key: `postern key new`"),
    }
}
