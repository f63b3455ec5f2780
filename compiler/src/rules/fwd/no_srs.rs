//! FWD001: a forward that asks for SRS in a site that has none.

use super::forwards;
use crate::addresses::Forwarding;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("FWD001", "no-srs", Severity::Error, &[Part::Rewriting], check, include_str!("no_srs.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if subject.draft.rewriting.srs.is_some() {
        return;
    }
    let asking = forwards(subject).find(|address| address.forwarding().is_some_and(Forwarding::srs));
    if let Some(first) = asking {
        findings.push(
            RULE.at(first.span(), format!("{first} is forwarded with SRS, and the site does not say with which secret"))
                .help("Write `srs secret=\"srs\"` beside the domains: the name of a file in the credentials folder")
                .postfix(&["sender_canonical_maps"]),
        );
    }
}
