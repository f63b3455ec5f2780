//! DOM013: an alias that lists one address twice.

use crate::addresses::folded;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::{Rule, Subject};
use std::collections::{HashMap, HashSet};

/// The rule.
pub static RULE: Rule = Rule::check("DOM013", "target-twice", Severity::Warning, &[], check, include_str!("target_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    let mut rows = RowFindings::new(subject.draft.first_table);
    // Most aliases have one target.
    for alias in subject.draft.addresses.declared().filter(|alias| alias.targets().len() > 1) {
        let mut seen = HashMap::new();
        for target in alias.targets() {
            if let Some(first) = seen.insert((target.host(), folded(target.local())), target.span())
                && reported.insert(target.span())
                && rows.admit(RULE.code, RULE.severity, target.span())
            {
                findings.push(
                    RULE.at(target.span(), format!("{target} is a target of this alias already"))
                        .also(first, "first listed here")
                        .help("Remove it, or write the address that was meant: each address gets one copy"),
                );
            }
        }
    }
    findings.extend(rows.rest());
}
