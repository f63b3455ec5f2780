//! RWR005: an author in a domain that nobody here vouches for.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::{DomainClass, SigningState, Slot, Whose};

/// The rule.
pub static RULE: Rule = Rule::check(
    "RWR005",
    "rewritten-author-unaligned",
    Severity::Warning,
    &[Part::Host, Part::Domains],
    check,
    include_str!("foreign_author.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for said in subject.draft.rewriting.rewrites.iter().filter(|said| said.place.covers(Slot::From)) {
        let Some(new) = domain(&said.to.value) else { continue };
        let why = match entry(subject, new) {
            None => "it is no domain of this site, so no key of ours signs for it and its SPF record need not name us".to_owned(),
            Some((_, DomainClass::Parked)) => "it is parked, and says that it sends no mail".to_owned(),
            // The envelope keeps its domain, so what has vouched was a signature or the old domain's record.
            Some((false, _)) if !said.place.covers(Slot::EnvelopeSender) && domain(&said.from.value) != Some(new) => {
                "no key of it signs, and the envelope sender stays in another domain".to_owned()
            }
            Some(_) => continue,
        };
        findings.push(
            RULE.at(said.to.span, format!("Mail is written in the name of {new}, and nothing vouches for it: {why}"))
                .help("Write an address in a domain of this site that has a `dkim` key")
                .postfix(&["sender_canonical_maps", "smtp_generic_maps"]),
        );
    }
}

fn domain(whose: &Whose) -> Option<&Domain> {
    match whose {
        Whose::Mailbox(mailbox) => Mailbox::domain(mailbox),
        Whose::Domain(domain) => Some(domain),
    }
}

/// The domain, or the nearest above it, of the site: whether a key of it signs, and its class.
fn entry<'a>(subject: &'a Subject<'_>, name: &Domain) -> Option<(bool, &'a DomainClass)> {
    let above = std::iter::successors(Some(name.clone()), Domain::parent);
    let found = above.into_iter().find_map(|name| subject.draft.domain(&name))?;
    let signs = found.signers.iter().any(|signer| signer.state.value == SigningState::Active);
    Some((signs, &found.class.value))
}
