//! What the site makes of the judgement of a stranger's message: what becomes of one that fails, where it is set aside, and whose
//! word counts beside DNS (ARC, RFC 8617).

use super::{Origin, Reaction};
use crate::name::{Domain, Mailbox};

/// What becomes of mail that nobody vouches for (RFC 9989).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DmarcReaction {
    /// What the domain in From asks for.
    Honour,
    /// This, whatever that domain asks for.
    Always(Reaction),
}

impl DmarcReaction {
    /// Whether it decides anything.
    pub fn decides(self) -> bool {
        self != DmarcReaction::Always(Reaction::Log)
    }

    /// The word of the site language for `fail=`.
    pub fn as_str(self) -> &'static str {
        match self {
            DmarcReaction::Honour => "honour",
            DmarcReaction::Always(reaction) => reaction.as_str(),
        }
    }
}

/// Where mail is put that is set aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Quarantine {
    /// In the queue, until the operator lets it go.
    Hold,
    /// Where it was going, with a field that filters of mail programs know.
    Mark,
    /// Into this mailbox, and nowhere else.
    To(Mailbox),
}

impl Quarantine {
    /// The words of the site language, and of traces.
    pub fn as_str(&self) -> &'static str {
        match self {
            Quarantine::Hold => "hold",
            Quarantine::Mark => "mark",
            Quarantine::To(_) => "to",
        }
    }
}

/// ARC: whose chains are believed, and in whose name what is sent on is sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArcPolicy {
    /// Hosts that seal (`d=`) and are believed when they say that a message was authentic as it came to them.
    pub trusted: Vec<Domain>,
    /// Where they were said.
    pub trusted_origin: Origin,
    /// The domain whose active key seals mail of strangers that is sent on, and where it was said.
    pub seal: Option<(Domain, Origin)>,
}

impl Default for ArcPolicy {
    /// Believes nobody, and seals nothing.
    fn default() -> ArcPolicy {
        ArcPolicy { trusted: Vec::new(), trusted_origin: Origin::DEFAULT, seal: None }
    }
}
