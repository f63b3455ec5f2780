//! DOM004: one address declared twice.

use crate::addresses::Form;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::{Rule, Subject};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule::check("DOM004", "address-twice", Severity::Error, &[], check, include_str!("address_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    // A node with several names stands for several domains with the same addresses: each mistake in it is said once.
    let mut reported = HashSet::new();
    let mut rows = RowFindings::new(subject.draft.first_table);
    for (second, first) in subject.draft.addresses.repeated() {
        if !reported.insert(second.span()) || !rows.admit(RULE.code, RULE.severity, second.span()) {
            continue;
        }
        let (finding, help) = match (first.form(), second.form()) {
            (Form::Alias, Form::Alias) => ("declared twice", "Write all targets in one alias"),
            (Form::Mailbox, Form::Mailbox) | (Form::Relayed, Form::Relayed) => ("declared twice", "Remove one of the two"),
            (Form::Relayed, _) | (_, Form::Relayed) => (
                "an alias, and listed among the recipients",
                "Remove one of the two: mail for an alias does not reach the other host",
            ),
            (Form::List, _) | (_, Form::List) => (
                "an address of a mailing list, and declared besides",
                "Remove one of the two: `list` declares the address, and the same with -bounces, -owner, -request and the like",
            ),
            (Form::Forward, Form::Mailbox) | (Form::Mailbox, Form::Forward) => (
                "both a mailbox and a forward",
                "Remove `mailbox`, and write keep-copy=#true behind the forward if a copy is to stay",
            ),
            (Form::Forward, _) | (_, Form::Forward) => ("declared twice", "Write all targets in one alias or forward"),
            _ => (
                "both a mailbox and an alias",
                "Remove one of the two; to keep a copy as well, give the mailbox another name and list that in the alias",
            ),
        };
        findings.push(
            RULE.at(second.span(), format!("{second} is {finding}"))
                .also(first.span(), "first declared here")
                .help(help)
                .postfix(&["virtual_alias_maps", "virtual_mailbox_maps"]),
        );
    }
    findings.extend(rows.rest());
}
