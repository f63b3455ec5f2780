//! SIT002: a host name that other hosts do not take for one.

use super::reserved_suffix;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("SIT002", "unusable-hostname", Severity::Warning, &[Part::Host], check, include_str!("short_hostname.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let hostname = &subject.draft.host.hostname;
    let Some(span) = hostname.span else { return };
    let why = if !hostname.value.is_fully_qualified() {
        "it has a single label".to_owned()
    } else if let Some(suffix) = reserved_suffix(&hostname.value) {
        format!(".{suffix} is not in the public DNS")
    } else {
        return;
    };
    findings.push(
        RULE.at(span, format!("Other hosts refuse the greeting {}: {why}", hostname.value))
            .help("Write the host's whole public name, such as \"mail.example.com\": its address must point back to it")
            .postfix(&["myhostname", "smtp_helo_name"]),
    );
}
