//! The checks of a stranger that have settings of their own, and the names of all of them.

use super::Origin;
use std::time::Duration;

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// A check of a stranger, of which a network may be spared.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Check { $($(#[$doc])* $name,)* }

        impl Check {
            /// Every check.
            pub const ALL: &'static [Check] = &[$(Check::$name,)*];

            /// The word of the site language.
            pub fn as_str(self) -> &'static str {
                match self { $(Check::$name => $word,)* }
            }
        }
    };
}

checks! {
    /// The pause before the greeting.
    GreetWait => "greet-wait",
    /// Connections and messages of one client.
    Limit => "limit",
    /// What a client did before.
    Reputation => "reputation",
    /// A full host name in EHLO.
    FqdnHelo => "fqdn-helo",
    /// A host name in EHLO that DNS knows.
    ResolvableHelo => "resolvable-helo",
    /// A sender whose domain exists.
    SenderDomain => "sender-domain-exists",
    /// SPF of the sender.
    Spf => "spf",
    /// DMARC of the author.
    Dmarc => "dmarc",
    /// Block lists and welcome lists.
    Dnsbl => "dnsbl",
    /// Greylisting.
    Greylist => "greylist",
}

impl Check {
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Check> {
        Check::ALL.iter().copied().find(|check| check.as_str() == word)
    }
}

/// Asks a client that nobody knows to come back later (RFC 6647).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Greylist {
    /// How long it must wait.
    pub after: Duration,
    /// How long what has passed stays known, from its last message on.
    pub remember: Duration,
    /// The prefix that counts as one IPv4 client.
    pub mask4: u8,
    /// The prefix that counts as one IPv6 client.
    pub mask6: u8,
    /// Clients of which so many messages have passed are asked no more.
    pub enough: u32,
    /// Where it was said.
    pub origin: Origin,
}

impl Default for Greylist {
    /// Postgrey's measures, and the prefixes that large senders spread their retries over.
    fn default() -> Greylist {
        Greylist {
            after: Duration::from_secs(300),
            remember: Duration::from_secs(35 * 86_400),
            mask4: 24,
            mask6: 64,
            enough: 5,
            origin: Origin::DEFAULT,
        }
    }
}

/// Points that a client collects by what goes wrong with it, and that fade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reputation {
    /// The time in which half of them fade.
    pub halflife: Duration,
    /// From so many on, its mail is deferred.
    pub limit: u32,
    /// Where it was said.
    pub origin: Origin,
}

impl Reputation {
    /// Points that are too many where the site does not say: twenty errors, or five refusals as spam.
    pub const LIMIT: u32 = 20;
}
