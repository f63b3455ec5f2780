//! The host itself: its name, its addresses, its postmaster.

pub mod address_twice;
pub mod address_unheard;
pub mod foreign_origin;
pub mod postmaster_elsewhere;
pub mod private_address;
pub mod short_hostname;

use crate::report::Severity;
use crate::rules::{Raised, Rule};
use postern_schema::name::Domain;

/// SIT001: nobody reads mail to postmaster.
pub static NO_POSTMASTER: Rule =
    Rule::new("SIT001", "no-postmaster", Severity::Error, Raised::Lowering, include_str!("no_postmaster.md"));

/// SIT008: told of nothing, and of something.
pub static NOTIFY_NONE: Rule =
    Rule::new("SIT008", "notify-none-and-more", Severity::Error, Raised::Lowering, include_str!("notify_none.md"));

/// Endings of names that are not in the public DNS: reserved by RFC 6761, RFC 6762, RFC 8375 and ICANN, or in wide private
/// use (RFC 6762 G). Those for documentation and tests, `example`, `test` and `invalid`, are left out: they are meant so.
const RESERVED: &[&str] =
    &["local", "localhost", "localdomain", "lan", "internal", "intranet", "private", "corp", "home", "home.arpa"];

/// The ending that keeps a name out of the public DNS.
pub(super) fn reserved_suffix(name: &Domain) -> Option<&'static str> {
    let suffix = |suffix: &&str| Domain::parse(suffix).is_ok_and(|suffix| name.is_within(&suffix));
    RESERVED.iter().copied().find(|word| suffix(word))
}
