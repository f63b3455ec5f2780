//! MAIL: may this client send as that reverse-path?

use super::screen::spared;
use super::{
    Answer, Client, ClientClass, Lookup, LookupFailed, Need, Reason, SenderDomain, SenderFacts, StepKind, Trace, Verdict,
};
use crate::name::{HostName, LocalPart, Mailbox};
use crate::site::{AddressKind, Check, DomainClass, Listener, Reaction};
use crate::spf::SpfResult;

/// Decides the reverse-path of a transaction.
pub fn sender(facts: &SenderFacts<'_>, lookup: &dyn Lookup) -> Answer<()> {
    let site = lookup.site();
    let mut trace = Trace::default();
    let listener = site.listener(facts.client.listener);
    // RFC 8314 3.3: neither a password nor a user's mail in the clear. The protocol refuses both before it comes to this.
    if let Some(listener) = listener.filter(|listener| listener.kind.requires_login() && !facts.is_tls) {
        trace.push(StepKind::Plaintext(listener.name.clone()), listener.origin);
        return Verdict::decline(Reason::EncryptionRequired, trace);
    }
    if let Err(reason) = check_listener(facts.client, lookup, &mut trace) {
        return Verdict::decline(reason, trace);
    }
    match facts.client.classify(site, &mut trace) {
        ClientClass::User(user) => match facts.reverse_path.mailbox() {
            // A user's program may send notifications, which carry the null path (RFC 5321 4.5.5).
            None => Verdict::accept((), Reason::SenderAccepted, trace),
            Some(mailbox) => match may_send_as(user, mailbox, lookup, &mut trace) {
                Ok(true) => Verdict::accept((), Reason::SenderAccepted, trace),
                Ok(false) => Verdict::decline(Reason::SenderNotOwned, trace),
                Err(failed) => Verdict::lookup_failed(&failed, trace),
            },
        },
        ClientClass::Trusted(_) | ClientClass::Certified(_) | ClientClass::Peer(_) | ClientClass::Local => {
            Verdict::accept((), Reason::SenderAccepted, trace)
        }
        ClientClass::Anonymous => match check_sender_domain(facts, lookup, &mut trace) {
            Ok(()) => check_spf(facts, lookup, trace),
            Err(Stop::Need(need)) => Answer::Need(need),
            Err(Stop::Decline(reason)) => Verdict::decline(reason, trace),
            Err(Stop::Failed(failed)) => Verdict::lookup_failed(&failed, trace),
        },
    }
}

/// Whether the listener takes mail from this client at all. Asked again at RCPT, since a reload may come between.
pub(super) fn check_listener(client: Client<'_>, lookup: &dyn Lookup, trace: &mut Trace) -> Result<(), Reason> {
    let site = lookup.site();
    match site.listener(client.listener) {
        None if client.is_local(site) => Ok(()),
        // The listener was removed by a reload while the session was open: what it allowed is not known any more.
        None => {
            trace.push_default(StepKind::UnknownListener(client.listener.into()));
            Err(Reason::LookupFailed)
        }
        Some(listener @ Listener { name, kind, origin, .. }) => {
            trace.push(StepKind::Listener(name.clone(), *kind), *origin);
            if !listener.admits(client.address) {
                trace.push(StepKind::NoPeer(name.clone()), *origin);
                return Err(Reason::PeerNotListed);
            }
            if kind.requires_login() && client.user.is_none() { Err(Reason::AuthenticationRequired) } else { Ok(()) }
        }
    }
}

/// Why a check ends before it has passed.
enum Stop {
    Need(Need),
    Decline(Reason),
    Failed(LookupFailed),
}

fn check_sender_domain(facts: &SenderFacts<'_>, lookup: &dyn Lookup, trace: &mut Trace) -> Result<(), Stop> {
    let domain = facts.reverse_path.mailbox().and_then(Mailbox::domain);
    let (Some(origin), Some(domain)) = (lookup.site().screen.require_sender_domain, domain) else { return Ok(()) };
    // Our own domains need no DNS: the site says that they exist.
    match lookup.domain(domain) {
        Err(failed) => return Err(Stop::Failed(failed)),
        Ok(Some(entry)) if entry.class != DomainClass::Parked => return Ok(()),
        Ok(_) => {}
    }
    if spared(lookup.site(), facts.client.address, Check::SenderDomain, trace) {
        return Ok(());
    }
    let Some(found) = facts.sender_domain else { return Err(Stop::Need(Need::SenderDomain(domain.clone()))) };
    trace.push(StepKind::SenderDomain(domain.clone(), found.as_str()), origin);
    match found {
        SenderDomain::Found => Ok(()),
        SenderDomain::Nonexistent => Err(Stop::Decline(Reason::SenderDomainNonexistent)),
        SenderDomain::NullMx => Err(Stop::Decline(Reason::SenderDomainNullMx)),
        SenderDomain::Failed => Err(Stop::Decline(Reason::SenderDomainUnknown)),
    }
}

/// Asked only where the site refuses by it: otherwise SPF is one of the facts of DMARC, and waits for the message.
fn check_spf(facts: &SenderFacts<'_>, lookup: &dyn Lookup, mut trace: Trace) -> Answer<()> {
    let Some((Reaction::Reject, origin)) = lookup.site().screen.spf_fail else {
        return Verdict::accept((), Reason::SenderAccepted, trace);
    };
    if spared(lookup.site(), facts.client.address, Check::Spf, &mut trace) {
        return Verdict::accept((), Reason::SenderAccepted, trace);
    }
    let Some(result) = facts.spf else { return Answer::Need(Need::Spf) };
    trace.push(StepKind::Spf(result), origin);
    match result {
        SpfResult::Fail => Verdict::decline(Reason::SpfFailed, trace),
        SpfResult::TempError => Verdict::decline(Reason::SpfUnknown, trace),
        _ => Verdict::accept((), Reason::SenderAccepted, trace),
    }
}

/// A user may send as their own mailbox, and as whatever `may-send-as` adds. The own mailbox of `alice@example.com` is just
/// that; of `alice`, it is the mailbox `alice` in any local domain of the site. A detail after the delimiter stays theirs.
pub(super) fn may_send_as(user: &str, sender: &Mailbox, lookup: &dyn Lookup, trace: &mut Trace) -> Result<bool, LookupFailed> {
    let folded = sender.folded();
    for store in &lookup.site().users {
        for entry in store.send_as.iter().filter(|entry| &*entry.user == user) {
            if entry.mailboxes.iter().any(|mailbox| mailbox.folded() == folded) {
                trace.push(StepKind::MaySendAs(sender.clone()), entry.origin);
                return Ok(true);
            }
        }
    }
    if owns(user, &folded, lookup, trace)? {
        return Ok(true);
    }
    trace.push_default(StepKind::MayNotSendAs(sender.clone()));
    Ok(false)
}

fn owns(user: &str, folded: &Mailbox, lookup: &dyn Lookup, trace: &mut Trace) -> Result<bool, LookupFailed> {
    let Some(domain) = folded.domain() else { return Ok(false) };
    let Some(entry) = lookup.domain(domain)? else { return Ok(false) };
    if entry.class != DomainClass::Local {
        return Ok(false);
    }
    let plain = match entry.delimiter.and_then(|delimiter| folded.local.as_str().split_once(delimiter)) {
        Some((base, _)) if !base.is_empty() => LocalPart::from_content(base).unwrap_or_else(|_| folded.local.clone()),
        _ => folded.local.clone(),
    };
    let user = user.to_lowercase();
    let is_named = match user.rsplit_once('@') {
        Some(_) => Mailbox::new(plain.clone(), HostName::Domain(domain.clone())).to_string() == user,
        None => plain.as_str() == user,
    };
    if !is_named {
        return Ok(false);
    }
    match lookup.address(domain, plain.as_str())? {
        Some(address) if matches!(address.kind, AddressKind::Mailbox { .. }) => {
            trace.push(StepKind::OwnMailbox, address.origin);
            Ok(true)
        }
        _ => Ok(false),
    }
}
