//! DMC007: mail that nothing vouches for.

use crate::lower::draft::{DomainDraft, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::probe::recipients_elsewhere;
use crate::rules::{Rule, Subject};
use crate::standing::{Leaving, Standing, standing};
use postern_schema::decide::{Author, RouteFacts, SentAs, SignFacts, route, signing};
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox, ReversePath};
use postern_schema::record::DmarcPolicy;
use postern_schema::site::{Destination, DomainClass};

/// The rule.
pub static RULE: Rule = Rule::check(
    "DMC007",
    "unaligned",
    Severity::Warning,
    &[Part::Host, Part::Domains, Part::Routes, Part::Relays],
    check,
    include_str!("unaligned.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let recipients = recipients_elsewhere(subject.model);
    for domain in subject.draft.domain_nodes() {
        // A stricter policy without a key has an error of its own.
        let is_asked = |domain: &&DomainDraft| {
            let has_key = !domain.signers.is_empty();
            domain.publication.dmarc.as_ref().is_some_and(|dmarc| has_key || dmarc.value.policy == DmarcPolicy::None)
        };
        let Some(domain) = Some(domain).filter(is_asked).filter(|domain| domain.class.value == DomainClass::Local) else {
            continue;
        };
        let unaligned = recipients.iter().find_map(|recipient| way(&domain.name.value, recipient, subject));
        if let Some((destination, standing)) = unaligned {
            let message = format!(
                "Nothing vouches for mail of {} that leaves by {destination}: SPF comes to {}, and no key signs it",
                domain.name.value,
                standing.spf.as_str()
            );
            findings.push(
                RULE.at(domain.name.span, message)
                    .help("Make a key with `postern key new`, or say in the relay what it does: `spf-include`, `signs-dkim`"),
            );
        }
    }
}

/// The way out to that recipient for whoever writes in the domain's name, if receivers find nothing that vouches for it.
fn way(domain: &Domain, recipient: &Mailbox, subject: &Subject<'_>) -> Option<(Destination, Standing)> {
    let local = LocalPart::from_content("someone").ok()?;
    let sender = ReversePath::Mailbox(Mailbox::new(local, HostName::Domain(domain.clone())));
    let facts = RouteFacts { reverse_path: &sender, recipient, sent_as: &SentAs::Sender };
    let destination = route(&facts, subject.model).verdict()?.disposition.accepted()?.destination;
    let author = [domain.clone()];
    let facts = SignFacts { author: Author::Server, from: &author, destinations: std::slice::from_ref(&destination) };
    let signed: Vec<Domain> = signing(&facts, subject.model).ok()?.0.into_iter().map(|due| due.domain).collect();
    let mail = Leaving { sender: &sender, author: None, destination: &destination, signed: &signed };
    let standing = standing(&mail, subject.model).ok()??;
    (!standing.aligned).then_some((destination, standing))
}
