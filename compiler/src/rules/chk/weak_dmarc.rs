//! CHK004: a DMARC policy that asks for nothing.

use super::{is_chosen, receiving};
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::DmarcPolicy;

/// The rule.
pub static RULE: Rule =
    Rule::check("CHK004", "weak-dmarc", Severity::Warning, &[Part::Domains], check, include_str!("weak_dmarc.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    let help = "Write `dmarc policy=\"quarantine\"` once the reports show that all of your own mail passes";
    for domain in receiving(subject.draft) {
        let (span, weakness, help) = match &domain.publication.dmarc {
            None => (domain.name.span, "no DMARC policy, which asks for nothing", help),
            Some(dmarc) if dmarc.value.policy == DmarcPolicy::None => (dmarc.span, "a DMARC policy that asks for nothing", help),
            // RFC 9989: a test is one step milder. That leaves a policy of `reject` something to ask for.
            Some(dmarc) if dmarc.value.testing && dmarc.value.policy == DmarcPolicy::Quarantine => {
                (dmarc.span, "its DMARC policy only as a test, which asks for nothing", "Remove testing=#true")
            }
            Some(_) => continue,
        };
        findings.push(RULE.at(span, format!("{} publishes {weakness}", domain.name.value)).help(help));
    }
}
