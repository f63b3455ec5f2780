//! DMARC: policies that the site cannot keep, that spare the wrong ones, or that nobody hears about; and ARC beside it.

pub mod no_reports;
pub mod report_author;
pub mod report_mailbox;
pub mod reports_elsewhere;
pub mod reports_not_by_mail;
pub mod seal_without_key;
pub mod strict_without_signer;
pub mod trust_without_effect;
pub mod unaligned;
pub mod weaker_below;

#[cfg(test)]
mod tests;
