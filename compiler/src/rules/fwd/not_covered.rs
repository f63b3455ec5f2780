//! FWD003: forwarded mail whose new sender fails SPF as well.

use super::{elsewhere, forwards};
use crate::addresses::Forwarding;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::standing::{Leaving, SpfStanding, standing};
use postern_schema::decide::{RouteFacts, SentAs, route};
use postern_schema::name::{HostName, LocalPart, Mailbox, ReversePath};

/// The rule.
pub static RULE: Rule = Rule::check(
    "FWD003",
    "srs-domain-not-covered",
    Severity::Warning,
    &[Part::Host, Part::Domains, Part::Routes, Part::Relays, Part::Rewriting],
    check,
    include_str!("not_covered.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(srs) = &subject.draft.rewriting.srs else { return };
    let Ok(local) = LocalPart::from_content("SRS0") else { return };
    // Where bounces cannot come back there is an error already.
    if subject.draft.domain(&srs.domain.value).is_none() {
        return;
    }
    let sender = ReversePath::Mailbox(Mailbox::new(local, HostName::Domain(srs.domain.value.clone())));
    let uncovered = forwards(subject).filter(|address| address.forwarding().is_some_and(Forwarding::srs)).find_map(|address| {
        elsewhere(&address, subject).iter().find_map(|target| {
            let facts = RouteFacts { reverse_path: &sender, recipient: &target.mailbox(), sent_as: &SentAs::Sender };
            let hop = route(&facts, subject.model).verdict()?.disposition.accepted()?;
            let mail = Leaving { sender: &sender, author: None, destination: &hop.destination, signed: &[] };
            let found = standing(&mail, subject.model).ok()??;
            (found.spf != SpfStanding::Pass).then(|| (target.mailbox(), hop.destination, found.spf))
        })
    });
    if let Some((target, destination, spf)) = uncovered {
        let message = format!(
            "Mail that is sent on to {target} leaves by {destination}, which the SPF record of {} does not name: it comes to {}",
            srs.domain.value,
            spf.as_str()
        );
        findings.push(
            RULE.at(srs.domain.span.unwrap_or(srs.span), message)
                .help("Say in the relay where it sends from (`spf-include`), or in `site` which addresses mail leaves by"),
        );
    }
}
