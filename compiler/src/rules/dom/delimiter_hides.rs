//! DOM005: an address with the delimiter in it, beside the address that is its base.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM005", "delimiter-in-address", Severity::Warning, &[Part::Domains], check, include_str!("delimiter_hides.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let book = &subject.draft.addresses;
    let mut reported = HashSet::new();
    let mut rows = RowFindings::new(subject.draft.first_table);
    let mut delimiters: Vec<Option<(char, Option<Span>)>> = vec![None; book.hosts().count()];
    for domain in subject.draft.domains.iter().rev() {
        if let Some(host) = book.known_host(domain.name.value.as_str()) {
            delimiters[host.index()] = domain.delimiter.value.map(|delimiter| (delimiter, domain.delimiter.span));
        }
    }
    for address in book.declared() {
        let Some((delimiter, said)) = delimiters[address.host().index()] else { continue };
        let folded = address.local();
        let Some((base, _)) = folded.split_once(delimiter) else { continue };
        let Some(shadow) = book.find(address.host(), base).filter(|_| reported.insert(address.span())) else { continue };
        if !rows.admit(RULE.code, RULE.severity, address.span()) {
            continue;
        }
        let finding = RULE
            .at(
                address.span(),
                format!(
                    "{folded} looks like {base} with a detail: mail for {folded}{delimiter}x, or for a slip in it, goes to {base}"
                ),
            )
            .also(shadow.span(), "this address gets it")
            .help("Rename it, or write another `delimiter` for the domain")
            .postfix(&["recipient_delimiter"]);
        findings.push(match said {
            Some(span) => finding.also(span, "the delimiter"),
            None => finding,
        });
    }
    findings.extend(rows.rest());
}
