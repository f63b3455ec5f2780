//! Listeners: what is bound twice, and what is missing.

pub mod bound_twice;
pub mod mail_cannot_arrive;
pub mod no_implicit_tls;
pub mod nothing_listens;
pub mod random_port;
pub mod unusual_port;
pub mod web_name_not_covered;
pub mod web_twice;

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// LST020: a listener whose name says no kind.
pub static LISTENER_WITHOUT_KIND: Rule =
    Rule::new("LST020", "listener-without-kind", Severity::Error, Raised::Lowering, include_str!("listener_without_kind.md"));

/// LST022: a property that means nothing for what the listener is for.
pub static MISPLACED_PROPERTY: Rule =
    Rule::new("LST022", "property-of-another-kind", Severity::Error, Raised::Lowering, include_str!("misplaced_property.md"));

/// LST023: LMTP where SMTP is expected.
pub static LMTP_ON_25: Rule =
    Rule::new("LST023", "lmtp-on-port-25", Severity::Error, Raised::Lowering, include_str!("lmtp_on_25.md"));

/// LST021: a spokesman of mail clients at a listener for web pages.
pub static SPOKESMAN_OF_WEB: Rule =
    Rule::new("LST021", "spokesman-of-web", Severity::Error, Raised::Lowering, include_str!("spokesman_of_web.md"));
