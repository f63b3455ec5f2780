//! RCPT: do we take this recipient, and whom does it stand for? This is where relaying is allowed or not.

use super::expand::{ExpandError, Resolved, expand, resolve};
use super::route::{find_route, relayed};
use super::screen::screen;
use super::sender::check_listener;
use super::{Answer, ClientClass, Lookup, Reason, RecipientFacts, StepKind, Trace, Verdict};
use crate::name::{ForwardPath, HostName, LocalPart, Mailbox};

/// The right to put one recipient into the queue. Only [`accept`] makes one, and the spool takes nothing else: there is no
/// path to the queue past the decision.
#[derive(Clone, PartialEq, Debug)]
pub struct RelayPermit {
    recipient: Mailbox,
    expansion: Vec<Mailbox>,
    reason: Reason,
}

impl RelayPermit {
    /// The recipient as the client gave it; a bare `postmaster` is completed with the host's name.
    pub fn recipient(&self) -> &Mailbox {
        &self.recipient
    }

    /// The addresses that mail for it ends at: at least one, each once.
    pub fn expansion(&self) -> &[Mailbox] {
        &self.expansion
    }

    /// Why it was given.
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

/// Decides one recipient of a transaction whose sender was accepted: first by whose it is, then by who sends to it.
pub fn accept(facts: &RecipientFacts<'_>, lookup: &dyn Lookup) -> Answer<RelayPermit> {
    match recipient(facts, lookup) {
        Answer::Verdict(verdict) => screen(facts, lookup.site(), verdict),
        need => need,
    }
}

fn recipient(facts: &RecipientFacts<'_>, lookup: &dyn Lookup) -> Answer<RelayPermit> {
    let site = lookup.site();
    let mut trace = Trace::default();
    if let Err(reason) = check_listener(facts.client, lookup, &mut trace) {
        return Verdict::decline(reason, trace);
    }
    let class = facts.client.classify(site, &mut trace);
    let recipient = match facts.forward_path {
        ForwardPath::Mailbox(mailbox) => mailbox.clone(),
        // RFC 5321 4.5.1: a bare <Postmaster> is always ours.
        ForwardPath::Postmaster => {
            trace.push(StepKind::Postmaster(site.postmaster.clone()), site.postmaster_origin);
            let recipient = postmaster_here(lookup);
            return permit(recipient, vec![site.postmaster.clone()], Reason::LocalRecipient, lookup, trace);
        }
    };
    match resolve(&recipient, lookup, &mut trace) {
        Err(failed) => Verdict::lookup_failed(&failed, trace),
        Ok(Resolved::Mailbox(_)) => {
            let expansion = vec![recipient.clone()];
            Verdict::accept(RelayPermit { recipient, expansion, reason: Reason::LocalRecipient }, Reason::LocalRecipient, trace)
        }
        Ok(Resolved::Others(targets)) => permit(recipient, targets, Reason::LocalRecipient, lookup, trace),
        // Mail that could go nowhere is not taken, be it asked for or not.
        Ok(Resolved::Relayed(via)) => match relayed(via.as_ref(), facts.reverse_path, &recipient, site, &mut trace) {
            None => Verdict::decline(Reason::NoRoute, trace),
            Some(_) => {
                let expansion = vec![recipient.clone()];
                Verdict::accept(RelayPermit { recipient, expansion, reason: Reason::RelayDomain }, Reason::RelayDomain, trace)
            }
        },
        Ok(Resolved::Unknown) => Verdict::decline(Reason::UnknownMailbox, trace),
        Ok(Resolved::Parked) => Verdict::decline(Reason::NullMxDomain, trace),
        Ok(Resolved::Elsewhere) => accept_elsewhere(facts, class, recipient, lookup, trace),
    }
}

/// The addresses that a notification of our own to this address ends at. Where the site cannot say, the address itself:
/// its delivery is decided by [`super::route`] again and waits there.
pub fn expansion(recipient: &Mailbox, lookup: &dyn Lookup) -> Vec<Mailbox> {
    match expand(vec![recipient.clone()], lookup, &mut Trace::default()) {
        Ok(expansion) if !expansion.is_empty() => expansion,
        _ => vec![recipient.clone()],
    }
}

fn accept_elsewhere(
    facts: &RecipientFacts<'_>, class: ClientClass<'_>, recipient: Mailbox, lookup: &dyn Lookup, mut trace: Trace,
) -> Answer<RelayPermit> {
    let reason = match class {
        ClientClass::User(_) => Reason::AuthenticatedRelay,
        ClientClass::Trusted(_) => Reason::TrustedNetwork,
        ClientClass::Local => Reason::LocalSubmission,
        ClientClass::Anonymous => return Verdict::decline(Reason::RelayDenied, trace),
    };
    // Mail that could go nowhere is not taken: the sender hears of it now and not after days in the queue.
    if find_route(facts.reverse_path, &recipient, lookup.site(), &mut trace).is_none() {
        return Verdict::decline(Reason::NoRoute, trace);
    }
    let expansion = vec![recipient.clone()];
    Verdict::accept(RelayPermit { recipient, expansion, reason }, reason, trace)
}

fn permit(
    recipient: Mailbox, targets: Vec<Mailbox>, reason: Reason, lookup: &dyn Lookup, mut trace: Trace,
) -> Answer<RelayPermit> {
    match expand(targets, lookup, &mut trace) {
        // An expansion that ends nowhere is a loop, which the compiler refuses; a snapshot of ours does not hold one.
        Ok(expansion) if expansion.is_empty() => Verdict::decline(Reason::ExpansionTooLarge, trace),
        Ok(expansion) => Verdict::accept(RelayPermit { recipient, expansion, reason }, reason, trace),
        Err(ExpandError::TooLarge) => Verdict::decline(Reason::ExpansionTooLarge, trace),
        Err(ExpandError::Lookup(failed)) => Verdict::lookup_failed(&failed, trace),
    }
}

fn postmaster_here(lookup: &dyn Lookup) -> Mailbox {
    let site = lookup.site();
    match LocalPart::from_content("postmaster") {
        Ok(local) => Mailbox::new(local, HostName::Domain(site.hostname.clone())),
        Err(_) => site.postmaster.clone(),
    }
}
