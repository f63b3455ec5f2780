//! What a site's postmaster is told of, by class: Postfix's `notify_classes`, which its users know.

use super::Origin;

/// A kind of trouble.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NoticeClass {
    /// Mail that was returned to its sender.
    Bounce,
    /// A notice that could not be delivered, so that nobody heard of it.
    DoubleBounce,
    /// Mail whose sender was told that it still waits.
    Delay,
    /// A client or message that the site's rules refused.
    Policy,
    /// A client that broke the protocol.
    Protocol,
    /// Mail that was put off for want of something: room on the disk, memory, descriptors.
    Resource,
    /// What must not happen: damage, or a mistake in the program.
    Software,
}

impl NoticeClass {
    /// Every class.
    pub const ALL: [NoticeClass; 7] = [
        NoticeClass::Bounce,
        NoticeClass::DoubleBounce,
        NoticeClass::Delay,
        NoticeClass::Policy,
        NoticeClass::Protocol,
        NoticeClass::Resource,
        NoticeClass::Software,
    ];

    /// The word of the site language, which is Postfix's.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeClass::Bounce => "bounce",
            NoticeClass::DoubleBounce => "2bounce",
            NoticeClass::Delay => "delay",
            NoticeClass::Policy => "policy",
            NoticeClass::Protocol => "protocol",
            NoticeClass::Resource => "resource",
            NoticeClass::Software => "software",
        }
    }

    /// The class of a word.
    pub fn parse(word: &str) -> Option<NoticeClass> {
        NoticeClass::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// What the postmaster of a site is told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notices {
    /// The classes, each once.
    pub classes: Vec<NoticeClass>,
    /// Where they were said.
    pub origin: Origin,
}

impl Default for Notices {
    /// Postfix's: what only the operator can mend.
    fn default() -> Notices {
        Notices { classes: vec![NoticeClass::Resource, NoticeClass::Software], origin: Origin::DEFAULT }
    }
}
