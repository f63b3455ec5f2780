//! SPF003: a range in which anybody can rent an address.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("SPF003", "spf-wide-range", Severity::Warning, &[], check, include_str!("wide_range.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for domain in subject.draft.domain_nodes() {
        let Some(spf) = &domain.publication.spf else { continue };
        for network in &spf.value.addresses {
            let narrowest = if network.addr().is_ipv4() { 16 } else { 32 };
            if network.prefix_len() < narrowest {
                findings.push(
                    RULE.at(
                        spf.span,
                        format!("{network} may send in the name of {}, which is far more than one sender has", domain.name.value),
                    )
                    .help(format!("Write the networks that are meant, /{narrowest} or narrower")),
                );
            }
        }
    }
}
