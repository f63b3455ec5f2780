//! LIM013: more sessions than a host has memory or file descriptors for.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule = Rule::check("LIM013", "many-sessions", Severity::Warning, &[], check, include_str!("many_sessions.md"));

/// What a session holds in the middle of a message: what was read, one line, the beginning of the body, what is to be written, and
/// the state of TLS.
const SESSION_OCTETS: u64 = 224 << 10;
/// Its socket, and the file of a large message.
const SESSION_FILES: u64 = 2;
/// As much memory as a mail host of today has to spare.
const MOST_OCTETS: u64 = 4 << 30;
/// What systemd lets a service raise its limit to.
const MOST_FILES: u64 = 524_288;

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let limits = &subject.draft.limits;
    let Some(said) = limits.sessions.said() else { return };
    let sessions = u64::from(*said.value);
    let (memory, files) = (sessions * SESSION_OCTETS, sessions * SESSION_FILES);
    if memory <= MOST_OCTETS && files <= MOST_FILES {
        return;
    }
    let disk = sessions.saturating_mul(limits.message_octets.value) >> 30;
    let message = format!(
        "{sessions} sessions at once may take {} GiB of memory, {files} file descriptors, and {disk} GiB of disk for what they send",
        memory >> 30
    );
    findings.push(
        RULE.at(said.span, message)
            .help("Write the number that the host was measured with; who finds no place is asked to come back")
            .postfix(&["default_process_limit", "smtpd_client_connection_count_limit"]),
    );
}
