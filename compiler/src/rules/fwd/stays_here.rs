//! FWD005: a forward that goes nowhere else.

use super::forwards;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("FWD005", "forward-stays-here", Severity::Warning, &[Part::Domains], check, include_str!("stays_here.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut last = None;
    for address in forwards(subject) {
        let here = address.targets().find(|target| !subject.graph.is_elsewhere(target));
        let Some(target) = here.filter(|_| last != Some(address.span())) else { continue };
        last = Some(address.span());
        findings.push(
            RULE.at(target.span(), format!("{} is an address of this site, and a forward is for other sites", target.mailbox()))
                .also(address.span(), format!("{address} is forwarded here"))
                .help("Write `alias` instead: mail within the site needs no other sender, and its circles are found when it is compiled")
                .postfix(&["virtual_alias_maps"]),
        );
    }
}
