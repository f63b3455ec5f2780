//! RCPT: do we take this recipient, and whom does it stand for? This is where relaying is allowed or not.

use super::expand::{End, ExpandError, Resolved, SentAs, expand, follow, resolve};
use super::route::{find_route, relayed};
use super::screen::screen;
use super::sender::check_listener;
use super::{
    Answer, ClientClass, Lookup, LookupFailed, Need, Reason, RecipientFacts, SrsFact, StepKind, Trace, Verdict, rewrite,
};
use crate::name::{ForwardPath, HostName, LocalPart, Mailbox, ReversePath};
use crate::site::DomainClass;
use crate::srs::is_srs;

/// The right to put one recipient into the queue. Only this module makes one, and the spool takes nothing else: there is no
/// path to the queue past the decision.
#[derive(Clone, PartialEq, Debug)]
pub struct RelayPermit {
    recipient: Mailbox,
    expansion: Vec<End>,
    reason: Reason,
}

impl RelayPermit {
    /// The recipient as the client gave it; a bare `postmaster` is completed with the host's name.
    pub fn recipient(&self) -> &Mailbox {
        &self.recipient
    }

    /// The addresses that mail for it ends at: at least one, each once.
    pub fn expansion(&self) -> &[End] {
        &self.expansion
    }

    /// Why it was given.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// For somebody whom the site itself names: an archive, or a mailbox for what is set aside.
    pub(super) fn of_site(recipient: Mailbox, expansion: Vec<End>, reason: Reason) -> RelayPermit {
        RelayPermit { recipient, expansion, reason }
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
            return permit(recipient, None, vec![site.postmaster.clone().into()], Reason::LocalRecipient, lookup, trace);
        }
    };
    if let Some(srs) = site.rewriting.srs.as_ref().filter(|srs| recipient.domain() == Some(&srs.domain))
        && is_srs(recipient.local.as_str())
    {
        let Some(fact) = facts.srs else { return Answer::Need(Need::Srs(recipient)) };
        trace.push(StepKind::SrsBounce(recipient.clone(), fact.as_str()), srs.origin);
        return accept_bounce(facts, recipient, fact, lookup, trace);
    }
    if let Some(target) = rewrite::recipient(facts.client, &recipient, site, &mut trace) {
        return accept_rewritten(facts, class, recipient, target, lookup, trace);
    }
    match resolve(&recipient, lookup, &mut trace) {
        Err(failed) => Verdict::lookup_failed(&failed, trace),
        Ok(Resolved::Mailbox(_) | Resolved::Listed(..)) => plain(recipient, Reason::LocalRecipient, trace),
        // What a filter gives back was expanded before it got it: an address that still stands for others is one that the
        // filter itself writes to.
        Ok(resolved @ (Resolved::Others { .. } | Resolved::Forwarded { .. })) => {
            let (kept, targets) = follow(recipient.clone().into(), resolved);
            // What a filter gives back was forwarded before it got it: this is the copy that stays. An address that only stands
            // for others is one that the filter itself writes to.
            if kept.is_some() && matches!(class, ClientClass::Peer(_)) {
                return plain(recipient, Reason::LocalRecipient, trace);
            }
            permit(recipient, kept, targets, Reason::LocalRecipient, lookup, trace)
        }
        // Mail that could go nowhere is not taken, be it asked for or not.
        Ok(Resolved::Relayed(via)) => match relayed(via.as_ref(), facts.reverse_path, &recipient, site, &mut trace) {
            None => Verdict::decline(Reason::NoRoute, trace),
            Some(_) => plain(recipient, Reason::RelayDomain, trace),
        },
        Ok(Resolved::Unknown) => Verdict::decline(Reason::UnknownMailbox, trace),
        Ok(Resolved::Parked) => Verdict::decline(Reason::NullMxDomain, trace),
        Ok(Resolved::Elsewhere) => accept_elsewhere(facts, class, recipient, lookup, trace),
    }
}

/// The addresses that a notification of our own to this address ends at. Where the site cannot say, the address itself:
/// its delivery is decided by [`super::route`] again and waits there.
pub fn expansion(recipient: &Mailbox, lookup: &dyn Lookup) -> Vec<End> {
    match expand(vec![recipient.clone().into()], lookup, &mut Trace::default()) {
        Ok(expansion) if !expansion.is_empty() => expansion,
        _ => vec![recipient.clone().into()],
    }
}

/// The recipient that has forwarded this message before, as its Delivered-To fields say. It would come round for ever.
pub fn forwarding_loop<'a>(permits: &[&'a RelayPermit], delivered_to: &[Mailbox]) -> Option<&'a Mailbox> {
    let ends = permits.iter().flat_map(|permit| &permit.expansion);
    let mut forwarders = ends.filter_map(|end| match &end.sent_as {
        SentAs::Forwarder { by, .. } => Some(by),
        SentAs::Sender | SentAs::Owner(_) => None,
    });
    forwarders.find(|by| delivered_to.iter().any(|seen| seen.folded() == by.folded()))
}

fn plain(recipient: Mailbox, reason: Reason, trace: Trace) -> Answer<RelayPermit> {
    let expansion = vec![recipient.clone().into()];
    Verdict::accept(RelayPermit { recipient, expansion, reason }, reason, trace)
}

/// The reason that lets this client send elsewhere.
fn relaying(class: ClientClass<'_>) -> Result<Reason, Reason> {
    match class {
        ClientClass::User(_) => Ok(Reason::AuthenticatedRelay),
        ClientClass::Trusted(_) => Ok(Reason::TrustedNetwork),
        ClientClass::Certified(_) => Ok(Reason::TrustedCertificate),
        ClientClass::Peer(_) => Ok(Reason::TrustedPeer),
        ClientClass::Local => Ok(Reason::LocalSubmission),
        ClientClass::Anonymous => Err(Reason::RelayDenied),
    }
}

fn accept_elsewhere(
    facts: &RecipientFacts<'_>, class: ClientClass<'_>, recipient: Mailbox, lookup: &dyn Lookup, mut trace: Trace,
) -> Answer<RelayPermit> {
    let reason = match relaying(class) {
        Ok(reason) => reason,
        Err(reason) => return Verdict::decline(reason, trace),
    };
    // Mail that could go nowhere is not taken: the sender hears of it now and not after days in the queue.
    if find_route(facts.reverse_path, &recipient, lookup.site(), &mut trace).is_none() {
        return Verdict::decline(Reason::NoRoute, trace);
    }
    plain(recipient, reason, trace)
}

/// A recipient that a `rewrite` turns into another. Whether the client may have it is decided by the one that it gave.
fn accept_rewritten(
    facts: &RecipientFacts<'_>, class: ClientClass<'_>, recipient: Mailbox, target: Mailbox, lookup: &dyn Lookup,
    mut trace: Trace,
) -> Answer<RelayPermit> {
    let reason = match given_class(&recipient, lookup) {
        Err(failed) => return Verdict::lookup_failed(&failed, trace),
        Ok(Some(DomainClass::Parked)) => return Verdict::decline(Reason::NullMxDomain, trace),
        Ok(Some(_)) => Reason::LocalRecipient,
        Ok(None) => match relaying(class) {
            Ok(reason) => reason,
            Err(reason) => return Verdict::decline(reason, trace),
        },
    };
    match resolve(&target, lookup, &mut trace) {
        Err(failed) => Verdict::lookup_failed(&failed, trace),
        Ok(Resolved::Unknown) => Verdict::decline(Reason::UnknownMailbox, trace),
        Ok(Resolved::Parked) => Verdict::decline(Reason::NullMxDomain, trace),
        Ok(Resolved::Elsewhere) if find_route(facts.reverse_path, &target, lookup.site(), &mut trace).is_none() => {
            Verdict::decline(Reason::NoRoute, trace)
        }
        Ok(_) => permit(recipient, None, vec![target.into()], reason, lookup, trace),
    }
}

fn given_class(recipient: &Mailbox, lookup: &dyn Lookup) -> Result<Option<DomainClass>, LookupFailed> {
    match recipient.domain() {
        Some(domain) => Ok(lookup.domain(domain)?.map(|entry| entry.class.clone())),
        None => Ok(None),
    }
}

/// A recipient in the form of SRS. It takes what receivers send to the sender of a message about that message, and nothing else:
/// whoever has one must not write to the original sender through us.
fn accept_bounce(
    facts: &RecipientFacts<'_>, recipient: Mailbox, fact: &SrsFact, lookup: &dyn Lookup, mut trace: Trace,
) -> Answer<RelayPermit> {
    let sender = match fact {
        SrsFact::Good(sender) => sender.clone(),
        SrsFact::Forged => return Verdict::decline(Reason::SrsInvalid, trace),
        SrsFact::Expired => return Verdict::decline(Reason::SrsExpired, trace),
        SrsFact::Unknown => return Verdict::decline(Reason::SrsUnknown, trace),
    };
    if !may_bounce(facts.reverse_path) {
        return Verdict::decline(Reason::SrsNotBounce, trace);
    }
    match resolve(&sender, lookup, &mut trace) {
        Err(failed) => return Verdict::lookup_failed(&failed, trace),
        Ok(Resolved::Elsewhere) if find_route(facts.reverse_path, &sender, lookup.site(), &mut trace).is_none() => {
            return Verdict::decline(Reason::NoRoute, trace);
        }
        Ok(_) => {}
    }
    permit(recipient, None, vec![sender.into()], Reason::BounceReturned, lookup, trace)
}

/// Notifications have the null path (RFC 5321 4.5.5); some hosts write them in the name of these instead.
fn may_bounce(reverse_path: &ReversePath) -> bool {
    match reverse_path {
        ReversePath::Null => true,
        ReversePath::Mailbox(mailbox) => matches!(&*mailbox.local.folded(), "mailer-daemon" | "postmaster"),
    }
}

/// `kept`: where it ends beside what the targets lead to.
fn permit(
    recipient: Mailbox, kept: Option<End>, targets: Vec<End>, reason: Reason, lookup: &dyn Lookup, mut trace: Trace,
) -> Answer<RelayPermit> {
    match expand(targets, lookup, &mut trace) {
        Ok(mut expansion) => {
            let is_there = |kept: &End| expansion.iter().any(|end| end.mailbox.folded() == kept.mailbox.folded());
            if let Some(kept) = kept.filter(|kept| !is_there(kept)) {
                expansion.insert(0, kept);
            }
            // An expansion that ends nowhere is a loop, which the compiler refuses; a snapshot of ours does not hold one.
            if expansion.is_empty() {
                return Verdict::decline(Reason::ExpansionTooLarge, trace);
            }
            Verdict::accept(RelayPermit { recipient, expansion, reason }, reason, trace)
        }
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
