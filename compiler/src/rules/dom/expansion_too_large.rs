//! DOM006: an alias that leads to more addresses than the daemon expands.

use crate::addresses::{Address, Target};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::graph::Direct;
use crate::rules::{Rule, Subject};
use postern_schema::decide::{Answer, Client, EXPANSION_LIMIT, Reason, RecipientFacts, ScreenFacts, accept};
use postern_schema::name::{ForwardPath, ReversePath};
use postern_schema::site::ListenerKind;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr};

/// The rule.
pub static RULE: Rule = Rule::check(
    "DOM006",
    "expansion-too-large",
    Severity::Error,
    &[Part::Domains, Part::Listeners],
    check,
    include_str!("expansion_too_large.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(listener) = subject.model.site.listeners.iter().find(|listener| listener.kind == ListenerKind::Mx) else { return };
    // A loop ends in the same verdict, and has its own finding.
    if !subject.graph.loops.is_empty() {
        return;
    }
    let client = Client { listener: &listener.name, address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), user: None, certificate: &[] };
    let book = &subject.draft.addresses;
    // The daemon is asked about those alone that may be too large, and the narrower first: whatever leads to one that is too
    // large is so itself.
    let mut wide: Vec<Address<'_>> =
        book.declared().filter(|alias| subject.graph.fan_out(alias.id()) > EXPANSION_LIMIT).collect();
    wide.sort_by_key(|alias| (subject.graph.fan_out(alias.id()), alias.id()));
    let mut too_large = BTreeSet::new();
    for alias in wide {
        let leads_to_one = |target: Target<'_>| match subject.graph.direct(book, &target) {
            Direct::Declared(address) => too_large.contains(&address.id()),
            _ => false,
        };
        if alias.targets().any(leads_to_one) || is_refused(alias, client, subject) {
            too_large.insert(alias.id());
        }
    }
    let mut reported = HashSet::new();
    let mut rows = RowFindings::new(subject.draft.first_table);
    for alias in too_large.into_iter().map(|id| book.address(id)) {
        if reported.insert(alias.span()) && rows.admit(RULE.code, RULE.severity, alias.span()) {
            findings.push(
                RULE.at(alias.span(), format!("{alias} leads to more than {EXPANSION_LIMIT} addresses"))
                    .help("Use a mailing list manager: each recipient then gets a message of their own")
                    .postfix(&["virtual_alias_expansion_limit"]),
            );
        }
    }
    findings.extend(rows.rest());
}

fn is_refused(alias: Address<'_>, client: Client<'_>, subject: &Subject<'_>) -> bool {
    let Some(path) = alias.mailbox().map(ForwardPath::Mailbox) else { return false };
    let facts =
        RecipientFacts { client, reverse_path: &ReversePath::Null, forward_path: &path, screen: ScreenFacts::CLEAR, srs: None };
    matches!(accept(&facts, subject.model), Answer::Verdict(verdict) if verdict.reason == Reason::ExpansionTooLarge)
}
