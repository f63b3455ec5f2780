//! MTA-STS: policies that senders do not take, or that the own host does not keep.

pub mod enforced_without_certificate;
pub mod max_age_too_long;
pub mod max_age_too_short;
pub mod policy_nowhere;
