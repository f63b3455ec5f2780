//! SCR003: answers that never count, since they are errors of the list.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("SCR003", "list-code-never-counts", Severity::Warning, &[], check, include_str!("dead_code.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for list in &subject.draft.screen.lists {
        let Some(codes) = &list.codes else { continue };
        let dead: Vec<String> = codes.value.dead().collect();
        if dead.is_empty() {
            continue;
        }
        let message = format!("{} says that {} cannot be asked, and counts nothing", dead.join(" and "), list.zone.value);
        findings.push(
            RULE.at(codes.span, message)
                .help("Remove it; where such answers come, ask a resolver of your own, or get a key from the list")
                .postfix(&["postscreen_dnsbl_sites", "rbl_reply_maps"]),
        );
    }
}
