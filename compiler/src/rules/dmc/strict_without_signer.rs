//! DMC001: a policy that only DKIM can keep.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::standing::own_mail;
use postern_schema::record::DmarcPolicy;

/// The rule.
pub static RULE: Rule = Rule::check(
    "DMC001",
    "strict-dmarc-without-dkim",
    Severity::Error,
    &[Part::Host, Part::Domains, Part::Routes, Part::Relays],
    check,
    include_str!("strict_without_signer.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut last = None;
    for domain in &subject.draft.domains {
        let Some(dmarc) = domain.publication.dmarc.as_ref().filter(|dmarc| dmarc.value.policy > DmarcPolicy::None) else {
            continue;
        };
        let name = &domain.name.value;
        let mail = own_mail(name, subject.model).unwrap_or_default();
        let Some(unsigned) = mail.iter().find(|mail| !mail.is_signed) else { continue };
        // What a node says, it says of all of its names.
        if last.replace(domain.span) == Some(domain.span) {
            continue;
        }
        let policy = dmarc.value.policy;
        let message = if mail.iter().any(|mail| mail.is_signed) {
            format!("Nobody signs mail of {name} that leaves {}, and its policy is `{policy}`", unsigned.way(&subject.model.site))
        } else {
            format!("Nobody signs mail of {name}, and its policy is `{policy}`")
        };
        findings.push(
            RULE.at(dmarc.span, message)
                .help("Make a key with `postern key new`, or begin with policy=\"none\" and read the reports"),
        );
    }
}
