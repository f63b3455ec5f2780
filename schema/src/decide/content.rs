//! The end of the message: may it come in, now that it is known whole, and is it set aside?

use super::screen::spared;
use super::sender::{check_listener, may_send_as};
use super::{
    Answer, ArcFact, ClientClass, ContentFacts, DmarcFact, Lookup, LookupFailed, Need, Reason, RelayPermit, StepKind, Trace,
    Verdict, expansion,
};
use crate::name::Mailbox;
use crate::record::DmarcPolicy;
use crate::site::{Check, DmarcReaction, Quarantine, Reaction, Site};
use crate::spf::SpfResult;

/// What is to be done with a message that may come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Handling {
    /// Nothing but delivery.
    Deliver,
    /// It is set aside, there.
    Quarantine(Quarantine),
}

/// What a check comes to.
enum Found {
    /// Nothing against it, for this reason.
    Fine(Reason),
    Aside(Reason),
    Decline(Reason),
    Need(Need),
}

/// Decides a message whose recipients were accepted.
pub fn content(facts: &ContentFacts<'_>, lookup: &dyn Lookup) -> Answer<Handling> {
    let site = lookup.site();
    let mut trace = Trace::default();
    if let Err(reason) = check_listener(facts.client, lookup, &mut trace) {
        return Verdict::decline(reason, trace);
    }
    let class = facts.client.classify(site, &mut trace);
    if let ClientClass::User(user) = class {
        match owns_authors(user, facts.authors, lookup, &mut trace) {
            Ok(true) => {}
            Ok(false) => return Verdict::decline(Reason::AuthorNotOwned, trace),
            Err(failed) => return Verdict::lookup_failed(&failed, trace),
        }
    }
    if class != ClientClass::Anonymous {
        return Verdict::accept(Handling::Deliver, Reason::ContentAccepted, trace);
    }
    // A refusal by one goes before what the other would set aside.
    let mut aside = None;
    let mut accepted = Reason::ContentAccepted;
    for check in [check_spf, check_dmarc] {
        match check(facts, site, &mut trace) {
            Found::Fine(Reason::ContentAccepted) => {}
            Found::Fine(reason) => accepted = reason,
            Found::Aside(reason) => aside = Some(reason),
            Found::Decline(reason) => return Verdict::decline(reason, trace),
            Found::Need(need) => return Answer::Need(need),
        }
    }
    let Some(reason) = aside else { return Verdict::accept(Handling::Deliver, accepted, trace) };
    let (place, origin) = &site.screen.quarantine;
    trace.push(StepKind::Quarantined(place.clone()), *origin);
    Verdict::accept(Handling::Quarantine(place.clone()), reason, trace)
}

/// What is signed in the name of an author has to come from the author (RFC 6409 6.1).
fn owns_authors(user: &str, authors: &[Option<Mailbox>], lookup: &dyn Lookup, trace: &mut Trace) -> Result<bool, LookupFailed> {
    for author in authors {
        let Some(author) = author else { return Ok(false) };
        if !may_send_as(user, author, lookup, trace)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Only what sets mail aside waits for the message: where the site refuses by SPF, it has done so at MAIL.
fn check_spf(facts: &ContentFacts<'_>, site: &Site, trace: &mut Trace) -> Found {
    let fine = Found::Fine(Reason::ContentAccepted);
    let Some((Reaction::Quarantine, origin)) = site.screen.spf_fail else { return fine };
    if spared(site, facts.client.address, Check::Spf, trace) {
        return fine;
    }
    let Some(result) = facts.spf else { return Found::Need(Need::Spf) };
    trace.push(StepKind::Spf(result), origin);
    match result {
        SpfResult::Fail => Found::Aside(Reason::SpfQuarantine),
        SpfResult::TempError => Found::Decline(Reason::SpfUnknown),
        _ => fine,
    }
}

fn check_dmarc(facts: &ContentFacts<'_>, site: &Site, trace: &mut Trace) -> Found {
    let fine = Found::Fine(Reason::ContentAccepted);
    let Some((reaction, origin)) = site.screen.dmarc.filter(|(reaction, _)| reaction.decides()) else { return fine };
    if spared(site, facts.client.address, Check::Dmarc, trace) {
        return fine;
    }
    let Some(fact) = facts.dmarc else { return Found::Need(Need::Dmarc) };
    trace.push(StepKind::Dmarc(fact), origin);
    let policy = match fact {
        DmarcFact::Fail(policy) => policy,
        DmarcFact::TempError => return Found::Decline(Reason::DmarcUnknown),
        // RFC 9989 4.7: a record that is wrong asks for nothing.
        DmarcFact::None | DmarcFact::Pass | DmarcFact::PermError => return fine,
    };
    let wanted = match (reaction, policy) {
        (DmarcReaction::Always(reaction), _) => reaction,
        (DmarcReaction::Honour, DmarcPolicy::Reject) => Reaction::Reject,
        (DmarcReaction::Honour, DmarcPolicy::Quarantine) => Reaction::Quarantine,
        (DmarcReaction::Honour, DmarcPolicy::None) => Reaction::Log,
    };
    if wanted == Reaction::Log {
        return fine;
    }
    // RFC 8617 7.2.1: mailing lists break what DMARC looks at, and say what they found before.
    if !site.arc.trusted.is_empty() {
        let Some(arc) = facts.arc else { return Found::Need(Need::Arc) };
        trace.push(StepKind::Arc(arc), site.arc.trusted_origin);
        if arc == ArcFact::Vouched {
            return Found::Fine(Reason::ArcTrusted);
        }
    }
    match wanted {
        Reaction::Reject => Found::Decline(Reason::DmarcFailed),
        Reaction::Quarantine => Found::Aside(Reason::DmarcQuarantine),
        Reaction::Log => fine,
    }
}

/// The right to put a message that is set aside into the mailbox for such, instead of those that it was for.
pub fn diverted(mailbox: &Mailbox, reason: Reason, lookup: &dyn Lookup) -> RelayPermit {
    RelayPermit::of_site(mailbox.clone(), expansion(mailbox, lookup), reason)
}
