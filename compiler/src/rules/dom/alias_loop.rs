//! DOM002: addresses that lead in a circle. The walk is [`crate::rules::graph`].

use crate::lower::draft::Part;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::graph::{Circle, Hop, Role};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("DOM002", "alias-loop", Severity::Error, &[], check, include_str!("alias_loop.md"));

/// The most places that are pointed at beside the first.
const LABELLED: usize = 6;
/// The most addresses of one circle that are written out.
const WRITTEN: usize = 16;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let gaps = subject.draft.gaps;
    // What takes the addresses that nobody has may take one that could not be read.
    let is_certain = |hop: &Hop| match hop.role {
        Role::Alias | Role::Forward | Role::Rewrite | Role::Archive | Role::Quarantine => true,
        Role::Pattern | Role::CatchAll => !gaps.holds(Part::Domains),
        Role::Postmaster => !gaps.holds(Part::Host) && !gaps.holds(Part::Domains),
    };
    let loops = subject.graph.loops.iter().filter(|circle| circle.hops.iter().all(is_certain));
    let mut rows = RowFindings::new(subject.draft.first_table);
    let found = loops.filter_map(finding);
    findings.extend(found.filter(|finding| rows.admit(RULE.code, RULE.severity, finding.primary)));
    findings.extend(rows.rest());
    let more = subject.graph.more_loops;
    if let Some(last) = subject.graph.loops.last().and_then(|circle| circle.hops.first()).filter(|_| more > 0) {
        let finding = RULE.at(last.span, format!("There are {more} circles more"));
        findings.push(finding.help("Mend the others first, or what writes them"));
    }
}

fn finding(circle: &Circle) -> Option<Diagnostic> {
    let (first, rest) = circle.hops.split_first()?;
    let mut path: Vec<String> = circle.hops.iter().take(WRITTEN).map(|hop| hop.address.to_string()).collect();
    path.extend((circle.grows || circle.hops.len() > WRITTEN).then(|| "…".to_owned()));
    let finding = if circle.grows {
        RULE.at(first.span, format!("Mail goes on to ever new addresses: {}", path.join(" → ")))
            .help("Let the pattern not match what it makes itself")
    } else if first.role == Role::CatchAll && rest.is_empty() {
        // It names an address that nobody has, and so takes that as well: DOM003 says so.
        return None;
    } else if rest.is_empty() {
        RULE.at(first.span, format!("{} leads to itself", first.address))
            .help("Remove it from its own targets; to keep a copy as well, give the mailbox another name and list that")
    } else {
        path.push(first.address.to_string());
        RULE.at(first.span, format!("Mail goes in a circle: {}", path.join(" → ")))
            .help("Break the circle at one of these places")
    };
    let finding = finding.postfix(&["virtual_alias_maps", "alias_maps", "virtual_alias_recursion_limit"]);
    let places = rest.iter().filter(|hop| hop.span != first.span).take(LABELLED);
    Some(places.fold(finding, |finding, hop| finding.also(hop.span, format!("{} is sent on here", hop.address))))
}
