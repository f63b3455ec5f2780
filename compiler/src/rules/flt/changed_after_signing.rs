//! FLT010: a filter that may change what another has signed.

use super::{is_signer, share_mail};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("FLT010", "changed-after-signing", Severity::Warning, &[], check, include_str!("changed_after_signing.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let filters = &subject.draft.planned.filters;
    for (index, filter) in filters.iter().enumerate().filter(|(_, filter)| !is_signer(filter)) {
        let signer = filters[..index].iter().find(|first| is_signer(first) && share_mail(subject.draft, first, filter));
        if let Some(signer) = signer {
            findings.push(
                RULE.at(
                    filter.name.span,
                    format!(
                        "{:?} sees mail that {:?} has signed, and breaks the signature if it changes it",
                        filter.name.value, signer.name.value
                    ),
                )
                .also(signer.name.span, "signed here")
                .help("Put the signer last")
                .postfix(&["smtpd_milters"]),
            );
        }
    }
}
