//! DOM005: an address with the delimiter in it, beside the address that is its base.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use std::collections::{HashMap, HashSet};

/// The rule.
pub static RULE: Rule =
    Rule::check("DOM005", "delimiter-in-address", Severity::Warning, &[Part::Domains], check, include_str!("delimiter_hides.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut reported = HashSet::new();
    for domain in &subject.draft.domains {
        let Some(delimiter) = domain.delimiter.value else { continue };
        let locals: HashMap<String, _> = domain.addresses.iter().map(|address| (address.local.value.folded(), address)).collect();
        for address in &domain.addresses {
            let folded = address.local.value.folded();
            let Some((base, _)) = folded.split_once(delimiter) else { continue };
            let Some(shadow) = locals.get(base).filter(|_| reported.insert(address.local.span)) else { continue };
            let finding = RULE
                .at(
                    address.local.span,
                    format!("{folded} looks like {base} with a detail: mail for {folded}{delimiter}x, or for a slip in it, goes to {base}"),
                )
                .also(shadow.local.span, "this address gets it")
                .help("Rename it, or write another `delimiter` for the domain")
                .postfix(&["recipient_delimiter"]);
            findings.push(match domain.delimiter.span {
                Some(span) => finding.also(span, "the delimiter"),
                None => finding,
            });
        }
    }
}
