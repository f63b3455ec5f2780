//! CHK003: a key that is long enough today and is being phased out.

use super::is_chosen;
use crate::certificate::Key;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("CHK003", "phased-out-key", Severity::Warning, &[Part::Tls], check, include_str!("phased_out_key.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    if !is_chosen(RULE.code, &subject.checkers) {
        return;
    }
    for node in &subject.draft.tls.certificates {
        if let Some(Key::Rsa(bits @ 2048..3072)) = node.parsed.first().map(|certificate| certificate.key) {
            findings.push(
                RULE.at(node.chain.span, format!("The host's key is RSA of {bits} bits, which is being phased out"))
                    .help("Make a new key, P-256 or RSA of 3072 bits, and have it certified")
                    .postfix(&["smtpd_tls_cert_file"]),
            );
        }
    }
}
