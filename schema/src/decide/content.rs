//! The end of the message: may it come in, now that it is known whole?

use super::screen::spared;
use super::sender::{check_listener, may_send_as};
use super::{Answer, ClientClass, ContentFacts, DmarcFact, Lookup, Need, Reason, StepKind, Trace, Verdict};
use crate::record::DmarcPolicy;
use crate::site::Check;

/// What is to be done with a message that may come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handling {
    /// Nothing but delivery.
    Deliver,
    /// It is marked as one that its reader should not trust.
    Quarantine,
}

/// Decides a message whose recipients were accepted.
pub fn content(facts: &ContentFacts<'_>, lookup: &dyn Lookup) -> Answer<Handling> {
    let site = lookup.site();
    let mut trace = Trace::default();
    if let Err(reason) = check_listener(facts.client, lookup, &mut trace) {
        return Verdict::decline(reason, trace);
    }
    let class = facts.client.classify(site, &mut trace);
    // What is signed in the name of an author has to come from the author (RFC 6409 6.1).
    if let ClientClass::User(user) = class {
        for author in facts.authors {
            match author.as_ref().map(|author| may_send_as(user, author, lookup, &mut trace)) {
                Some(Ok(true)) => {}
                Some(Ok(false)) | None => return Verdict::decline(Reason::AuthorNotOwned, trace),
                Some(Err(failed)) => return Verdict::lookup_failed(&failed, trace),
            }
        }
    }
    let Some((true, origin)) = site.screen.dmarc_honour.filter(|_| class == ClientClass::Anonymous) else {
        return Verdict::accept(Handling::Deliver, Reason::ContentAccepted, trace);
    };
    if spared(site, facts.client.address, Check::Dmarc, &mut trace) {
        return Verdict::accept(Handling::Deliver, Reason::ContentAccepted, trace);
    }
    let Some(fact) = facts.dmarc else { return Answer::Need(Need::Dmarc) };
    trace.push(StepKind::Dmarc(fact), origin);
    match fact {
        DmarcFact::Fail(DmarcPolicy::Reject) => Verdict::decline(Reason::DmarcFailed, trace),
        DmarcFact::Fail(DmarcPolicy::Quarantine) => Verdict::accept(Handling::Quarantine, Reason::DmarcQuarantine, trace),
        DmarcFact::TempError => Verdict::decline(Reason::DmarcUnknown, trace),
        // RFC 9989 4.7: a record that is wrong asks for nothing.
        DmarcFact::None | DmarcFact::Pass | DmarcFact::Fail(DmarcPolicy::None) | DmarcFact::PermError => {
            Verdict::accept(Handling::Deliver, Reason::ContentAccepted, trace)
        }
    }
}
