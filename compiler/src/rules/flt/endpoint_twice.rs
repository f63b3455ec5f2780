//! FLT001: two filters at one socket.

use super::{is_same, share_mail};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::source::Span;

/// The rule.
pub static RULE: Rule = Rule::check("FLT001", "endpoint-twice", Severity::Error, &[], check, include_str!("endpoint_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let planned = &subject.draft.planned;
    for (index, filter) in planned.filters.iter().enumerate() {
        // One daemon may stand here twice with two settings, as long as no message goes through it twice.
        let same = planned.filters[..index].iter().find(|first| {
            let is_one = first.protocol == filter.protocol && !share_mail(subject.draft, first, filter);
            is_same(&first.endpoint.value, &filter.endpoint.value) && !is_one
        });
        if let Some(first) = same {
            findings.push(finding(&filter.name.value, &first.name.value, filter.endpoint.span, first.endpoint.span));
        }
    }
    for policy in &planned.policies {
        if let Some(filter) = planned.filters.iter().find(|filter| is_same(&filter.endpoint.value, &policy.endpoint.value)) {
            findings.push(finding(&policy.name.value, &filter.name.value, policy.endpoint.span, filter.endpoint.span));
        }
    }
}

fn finding(name: &str, first: &str, span: Span, first_span: Span) -> Diagnostic {
    RULE.at(span, format!("{first:?} and {name:?} are at one socket, and only one daemon can listen there"))
        .also(first_span, "the first")
        .help("Give one of the two daemons another port; SaMMA and Messasy both come with 20026")
        .postfix(&["smtpd_milters", "non_smtpd_milters"])
}
