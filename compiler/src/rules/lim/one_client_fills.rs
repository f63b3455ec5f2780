//! LIM014: one client may take every session.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{ClientLimit, Limited};

/// The rule.
pub static RULE: Rule =
    Rule::check("LIM014", "one-client-fills", Severity::Warning, &[], check, include_str!("one_client_fills.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let draft = subject.draft;
    let said = draft.screen.limits.iter().filter_map(|limit| match limit.what {
        Limited::Connections(most) => Some((most, Some(limit.span))),
        Limited::NewConnections(_) | Limited::Messages(_) => None,
    });
    let default = match ClientLimit::CONNECTIONS.what {
        Limited::Connections(most) => (most, None),
        Limited::NewConnections(_) | Limited::Messages(_) => return,
    };
    let (most, span) = said.min_by_key(|(most, _)| *most).unwrap_or(default);
    let sessions = &draft.limits.sessions;
    if most < sessions.value {
        return;
    }
    let Some(place) = span.or(sessions.span) else { return };
    let message =
        format!("One client may hold {most} connections, and the site has {} in all: nobody else finds a place", sessions.value);
    let finding = RULE
        .at(place, message)
        .help("Write `limit connections=` in `screen` with a small part of `sessions=` in `limits`")
        .postfix(&["smtpd_client_connection_count_limit", "default_process_limit"]);
    findings.push(match sessions.span.filter(|other| *other != place) {
        Some(other) => finding.also(other, "all sessions"),
        None => finding,
    });
}
