//! The end of the message: may it come in, now that it is known whole?

use super::sender::check_listener;
use super::{Answer, ClientClass, ContentFacts, DmarcFact, Lookup, Need, Reason, StepKind, Trace, Verdict};
use crate::record::DmarcPolicy;

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
    let is_stranger = matches!(facts.client.classify(site, &mut trace), ClientClass::Anonymous);
    let Some((true, origin)) = site.screen.dmarc_honour.filter(|_| is_stranger) else {
        return Verdict::accept(Handling::Deliver, Reason::ContentAccepted, trace);
    };
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
