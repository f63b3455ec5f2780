//! USR004: a user who sends in the name of a domain that is not ours.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use crate::syntax::nearest;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule =
    Rule::check("USR004", "send-as-elsewhere", Severity::Warning, &[Part::Domains], check, include_str!("send_as_elsewhere.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    // A host that only sends has no domains: those that it sends for are looked after elsewhere.
    if draft.domains.is_empty() {
        return;
    }
    let mut reported = HashSet::new();
    for mailbox in draft.users.iter().flat_map(|users| &users.send_as).flat_map(|entry| &entry.mailboxes) {
        let Some(domain) = mailbox.value.domain().filter(|domain| draft.domain(domain).is_none()) else { continue };
        // A route for mail from there shows that it is meant.
        if draft.routes.iter().any(|route| route.from.value.to_string() == domain.as_str()) || !reported.insert(domain) {
            continue;
        }
        let finding = RULE
            .at(mailbox.span, format!("{domain} is no domain of this site: its SPF and DKIM do not vouch for mail from here"))
            .postfix(&["smtpd_sender_login_maps"]);
        findings.push(match nearest(domain.as_str(), draft.domains.iter().map(|domain| domain.name.value.as_str())) {
            Some(near) => finding.help(format!("Write \"{}@{near}\"", mailbox.value.local)),
            None => {
                finding.help(format!("Declare the domain, or lead its mail out by its own relay: `route from=\"{domain}\" …`"))
            }
        });
    }
}
