//! The checks of a stranger at RCPT, for a recipient that would be taken: what it did before, how it greeted, which lists know it,
//! and whether it has come back after it was asked to.
//!
//! They come last, so that nothing is asked of DNS for mail that is refused anyway, and so that who may relay does not hang on
//! them. What is written to a postmaster passes them all: whoever is refused by mistake has to be able to say so (RFC 5321 4.5.1).

use super::{Answer, Need, Reason, RecipientFacts, RelayPermit, SenderDomain, StepKind, Trace, Verdict};
use crate::name::{Domain, ForwardPath, HostName};
use crate::site::{Check, Greylist, Origin, Site};
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

/// What is known of a stranger beside its address and envelope. A field is empty until [`Need`] asked for it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ScreenFacts<'a> {
    /// What it said in EHLO or HELO; the answer to [`Need::Helo`].
    pub helo: Option<&'a str>,
    /// The answer to [`Need::HeloDomain`].
    pub helo_domain: Option<SenderDomain>,
    /// The answer to [`Need::Lists`]: every answer of every list; a list that says nothing of it has none.
    pub lists: Option<&'a [Listing]>,
    /// The answer to [`Need::Greylist`].
    pub greylist: Option<GreylistFact>,
    /// The answer to [`Need::Reputation`].
    pub reputation: Option<ReputationFact>,
}

impl ScreenFacts<'_> {
    /// A client that nothing speaks against: for questions that are about the envelope alone.
    pub const CLEAR: ScreenFacts<'static> = ScreenFacts {
        helo: Some("client.invalid"),
        helo_domain: Some(SenderDomain::Found),
        lists: Some(&[]),
        greylist: Some(GreylistFact::Passed),
        reputation: Some(ReputationFact::Good),
    };
}

/// What one list says of a client: one address (RFC 5782 2.1).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Listing {
    /// The zone of the list.
    pub zone: Domain,
    /// Its answer.
    pub code: Ipv4Addr,
}

impl Listing {
    /// Reads `zen.spamhaus.org=127.0.0.2`; without a code, the usual one (RFC 5782 2.3).
    pub fn parse(text: &str) -> Option<Listing> {
        let (zone, code) = text.split_once('=').unwrap_or((text, "127.0.0.2"));
        Some(Listing { zone: Domain::parse(zone).ok()?, code: code.parse().ok()? })
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.zone, self.code)
    }
}

/// A value that test blocks and `explain` name by a word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident => $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word of test blocks and `explain`.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// Reads the word of test blocks and `explain`.
            pub fn parse(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }
    };
}

words! {
    /// Where a client, a sender and a recipient stand with the greylist.
    GreylistFact {
        /// Never seen together, or too long ago.
        New => "new",
        /// Seen, and not long enough ago.
        Waiting => "waiting",
        /// They have come back, or the client has shown often enough that it does.
        Passed => "passed",
    }
}

words! {
    /// What a client did before comes to.
    ReputationFact {
        /// Nothing much.
        Good => "good",
        /// Too much of late.
        Poor => "poor",
    }
}

/// Who does not come back within this was not asked (RFC 5321 4.5.4.1 has senders try for four to five days; most come within
/// hours).
const COMES_BACK: Duration = Duration::from_secs(2 * 86_400);

impl GreylistFact {
    /// Where a client stands that came first so long ago with this sender and recipient, and has not been let through since.
    pub fn after(waited: Duration, policy: &Greylist) -> GreylistFact {
        match waited {
            waited if waited >= COMES_BACK => GreylistFact::New,
            waited if waited < policy.after => GreylistFact::Waiting,
            _ => GreylistFact::Passed,
        }
    }
}

/// Judges a recipient that was decided already, by who sends to it.
pub(super) fn screen<'a>(facts: &'a RecipientFacts<'a>, site: &'a Site, verdict: Verdict<RelayPermit>) -> Answer<RelayPermit> {
    let is_accepted = matches!(verdict.disposition, super::Disposition::Accept(_));
    // Whoever guesses at addresses is not told which there are.
    if !(is_accepted || verdict.reason == Reason::UnknownMailbox) || !facts.client.is_stranger(site) {
        return Answer::Verdict(verdict);
    }
    if is_postmaster(facts.forward_path) {
        return Answer::Verdict(verdict);
    }
    let Verdict { disposition, reason, trace } = verdict;
    let mut screening = Screening { facts, site, trace };
    let checks: &[Stage<'a>] = if is_accepted {
        &[Screening::reputation, Screening::fqdn_helo, Screening::resolvable_helo, Screening::lists_and_greylist]
    } else {
        &[Screening::reputation]
    };
    for check in checks {
        match check(&mut screening) {
            Ok(()) => {}
            Err(Stop::Need(need)) => return Answer::Need(need),
            Err(Stop::Decline(reason)) => return Verdict::decline(reason, screening.trace),
        }
    }
    Answer::Verdict(Verdict { disposition, reason, trace: screening.trace })
}

fn is_postmaster(recipient: &ForwardPath) -> bool {
    match recipient {
        ForwardPath::Postmaster => true,
        ForwardPath::Mailbox(mailbox) => &*mailbox.local.folded() == "postmaster",
    }
}

/// Why a check ends before it has passed.
enum Stop {
    Need(Need),
    Decline(Reason),
}

/// One question about a stranger, in the order that they are asked.
type Stage<'a> = fn(&mut Screening<'a>) -> Result<(), Stop>;

struct Screening<'a> {
    facts: &'a RecipientFacts<'a>,
    site: &'a Site,
    trace: Trace,
}

impl Screening<'_> {
    /// Whether the client is in a network that is spared the check.
    fn is_spared(&mut self, check: Check) -> bool {
        spared(self.site, self.facts.client.address, check, &mut self.trace)
    }

    fn reputation(&mut self) -> Result<(), Stop> {
        let Some(asked) = self.site.screen.reputation else { return Ok(()) };
        if self.is_spared(Check::Reputation) {
            return Ok(());
        }
        let Some(fact) = self.facts.screen.reputation else { return Err(Stop::Need(Need::Reputation)) };
        self.trace.push(StepKind::Reputation(fact), asked.origin);
        match fact {
            ReputationFact::Good => Ok(()),
            ReputationFact::Poor => Err(Stop::Decline(Reason::PoorReputation)),
        }
    }

    fn helo(&self) -> Result<&str, Stop> {
        self.facts.screen.helo.ok_or(Stop::Need(Need::Helo))
    }

    fn fqdn_helo(&mut self) -> Result<(), Stop> {
        let Some(origin) = self.site.screen.require_fqdn_helo else { return Ok(()) };
        if self.is_spared(Check::FqdnHelo) {
            return Ok(());
        }
        let helo: Box<str> = self.helo()?.into();
        let is_full = is_full_name(&helo);
        self.trace.push(StepKind::Helo(helo, is_full), origin);
        if is_full { Ok(()) } else { Err(Stop::Decline(Reason::HeloNotFqdn)) }
    }

    fn resolvable_helo(&mut self) -> Result<(), Stop> {
        let Some(origin) = self.site.screen.require_resolvable_helo else { return Ok(()) };
        if self.is_spared(Check::ResolvableHelo) {
            return Ok(());
        }
        let found = match HostName::parse(self.helo()?) {
            Ok(HostName::Literal(_)) => return Ok(()),
            Ok(HostName::Domain(domain)) => {
                let Some(found) = self.facts.screen.helo_domain else { return Err(Stop::Need(Need::HeloDomain(domain))) };
                self.trace.push(StepKind::HeloDomain(domain, found.as_str()), origin);
                found
            }
            Err(_) => SenderDomain::Nonexistent,
        };
        match found {
            // A host that takes no mail has a name all the same.
            SenderDomain::Found | SenderDomain::NullMx => Ok(()),
            SenderDomain::Nonexistent | SenderDomain::Failed => Err(Stop::Decline(Reason::HeloUnresolvable)),
        }
    }

    fn lists_and_greylist(&mut self) -> Result<(), Stop> {
        let welcome = self.lists()?;
        let Some(asked) = self.site.screen.greylist else { return Ok(()) };
        if let Some((zone, origin)) = welcome {
            self.trace.push(StepKind::Welcome(zone), origin);
            return Ok(());
        }
        if self.is_spared(Check::Greylist) {
            return Ok(());
        }
        let Some(fact) = self.facts.screen.greylist else { return Err(Stop::Need(Need::Greylist)) };
        self.trace.push(StepKind::Greylist(fact), asked.origin);
        match fact {
            GreylistFact::Passed => Ok(()),
            GreylistFact::New | GreylistFact::Waiting => Err(Stop::Decline(Reason::Greylisted)),
        }
    }

    /// Adds up what the lists say. Returns the first that the client is welcome by.
    fn lists(&mut self) -> Result<Option<(Domain, Origin)>, Stop> {
        let screen = &self.site.screen;
        if screen.lists.is_empty() || self.is_spared(Check::Dnsbl) {
            return Ok(None);
        }
        let Some(said) = self.facts.screen.lists else { return Err(Stop::Need(Need::Lists)) };
        let (mut sum, mut welcome) = (0_i32, None);
        for list in &screen.lists {
            let counts = |listing: &&Listing| listing.zone == list.zone && list.codes.count(listing.code);
            let Some(listing) = said.iter().find(counts) else { continue };
            sum = sum.saturating_add(list.weight);
            self.trace.push(StepKind::Listed(listing.clone(), list.weight), list.origin);
            if list.weight < 0 && welcome.is_none() {
                welcome = Some((list.zone.clone(), list.origin));
            }
        }
        let (threshold, origin) = screen.threshold;
        self.trace.push(StepKind::ListSum(sum, threshold), origin);
        if sum >= threshold { Err(Stop::Decline(Reason::ClientListed)) } else { Ok(welcome) }
    }
}

/// Whether the client is in a network that is spared the check, which is noted.
pub(super) fn spared(site: &Site, client: std::net::IpAddr, check: Check, trace: &mut Trace) -> bool {
    let network = site.spares(client, check);
    if let Some(network) = network {
        trace.push(StepKind::Spared(network.name.clone(), check), network.origin);
    }
    network.is_some()
}

/// Whether a client has greeted as RFC 5321 4.1.1.1 wants it: with a full host name, or its address in brackets.
fn is_full_name(helo: &str) -> bool {
    match HostName::parse(helo) {
        Ok(HostName::Literal(_)) => true,
        // RFC 3696 2: a top-level domain is never all digits, so this is an address without its brackets.
        Ok(HostName::Domain(domain)) => {
            domain.as_str().rsplit_once('.').is_some_and(|(_, top)| !top.bytes().all(|octet| octet.is_ascii_digit()))
        }
        Err(_) => false,
    }
}
