//! Domains and addresses: what is said twice, what leads nowhere, what leads in a circle.

pub mod address_twice;
pub mod alias_domain_target;
pub mod alias_loop;
pub mod dead_content;
pub mod delimiter_hides;
pub mod domain_twice;
pub mod empty_domain;
pub mod expansion_too_large;
pub mod missing_group;
pub mod no_abuse;
pub mod open_relay_domain;
pub mod pattern_without_effect;
pub mod target_missing;
pub mod target_twice;
pub mod unanchored_pattern;
pub mod unreachable_catch_all;
pub mod unusable_domain;
pub mod wide_fan_out;

use crate::report::Severity;
use crate::rules::{Raised, Rule};

/// DOM020: what belongs in a domain of another class. Said where the class is read.
pub static OTHER_CLASS: Rule =
    Rule::new("DOM020", "of-another-class", Severity::Error, Raised::Lowering, include_str!("other_class.md"));
