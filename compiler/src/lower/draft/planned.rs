//! Draft of what a site says and this runtime does not serve yet, as far as a rule judges it beside the refusal: filters, policy
//! services. None of it reaches a model.

use super::Setting;
use crate::source::{Span, Spanned};
use postern_schema::site::{Endpoint, ListenerKind};
use std::time::Duration;

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct PlannedDraft {
    /// `filter`, in the order in which mail goes through them.
    pub filters: Vec<FilterDraft>,
    /// `policy`, in source order.
    pub policies: Vec<PolicyDraft>,
    /// Whether the kind of every `listen` could be read, so that there are no more than those in the draft.
    pub knows_listeners: bool,
}

/// `filter`.
#[derive(Clone, Debug)]
pub struct FilterDraft {
    /// The node.
    pub span: Span,
    /// Its name, unique among filters.
    pub name: Spanned<Box<str>>,
    /// Where it listens.
    pub endpoint: Spanned<Endpoint>,
    /// What is spoken there.
    pub protocol: FilterProtocol,
    /// The listener that mail comes back to.
    pub returns: Option<Spanned<Box<str>>>,
    /// `on-failure="accept"`: mail goes on without it.
    pub fails_open: Option<Span>,
    /// How long it may take.
    pub timeout: Setting<Duration>,
    /// Which mail it sees: words and names of listeners. Empty: what comes from other hosts and from users.
    pub applies: Vec<Spanned<Box<str>>>,
    /// It signs what leaves.
    pub signs: Option<Span>,
}

/// What a filter speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FilterProtocol {
    /// Sendmail's milter protocol, while the client waits.
    Milter,
    /// SMTP, once the message is taken (`content_filter`).
    Smtp,
}

/// Where mail comes from, as `applies` tells it apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow<'a> {
    /// From other hosts or users: through a listener of this name and kind.
    Listener(&'a str, ListenerKind),
    /// Back from a filter, through a listener for peers of this name.
    Returned(&'a str),
}

impl FilterDraft {
    /// Whether it sees mail that comes in this way.
    pub fn sees(&self, flow: Flow<'_>) -> bool {
        let (name, word, unless_said) = match flow {
            Flow::Listener(name, kind) => (name, if kind.requires_login() { "submission" } else { "mx" }, true),
            Flow::Returned(name) => (name, "all", false),
        };
        if self.applies.is_empty() {
            return unless_said;
        }
        self.applies.iter().any(|said| [name, word, "all"].contains(&&*said.value))
    }
}

/// `policy`.
#[derive(Clone, Debug)]
pub struct PolicyDraft {
    /// The node.
    pub span: Span,
    /// Its name, unique among policy services.
    pub name: Spanned<Box<str>>,
    /// Where it listens.
    pub endpoint: Spanned<Endpoint>,
    /// Whether the client waits for it with a whole message on the way (`at="end-of-data"`).
    pub at_end_of_data: bool,
    /// `on-failure="accept"`.
    pub fails_open: Option<Span>,
}
