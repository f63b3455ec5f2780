//! FWD004: a forward that keeps the sender.

use super::{elsewhere, forwards};
use crate::addresses::Forwarding;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("FWD004", "forward-without-srs", Severity::Warning, &[Part::Domains], check, include_str!("without_srs.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut last = None;
    for address in forwards(subject).filter(|address| !address.forwarding().is_some_and(Forwarding::srs)) {
        // A node with several names says the same of each domain.
        let Some(target) = elsewhere(&address, subject).into_iter().next().filter(|_| last != Some(address.span())) else {
            continue;
        };
        last = Some(address.span());
        let message = format!(
            "Mail for {address} goes on to {} with its sender, whose SPF record does not name this host",
            target.mailbox()
        );
        findings.push(
            RULE.at(address.span(), message)
                .help("Write srs=#true, and `srs secret=\"srs\"` beside the domains")
                .postfix(&["sender_canonical_maps"]),
        );
    }
}
