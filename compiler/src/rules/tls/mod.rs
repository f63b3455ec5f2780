//! TLS: certificates that are missing, or are for somebody else.

pub mod name_not_covered;
pub mod no_tls;
pub mod submission_without_certificate;
