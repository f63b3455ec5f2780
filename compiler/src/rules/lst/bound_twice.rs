//! LST001: two listeners on one address and port.

use crate::lower::draft::{ListenerDraft, Part};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};

/// The rule.
pub static RULE: Rule =
    Rule::check("LST001", "bound-twice", Severity::Error, &[Part::Listeners], check, include_str!("bound_twice.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let listeners = &subject.draft.listeners;
    for (index, listener) in listeners.iter().enumerate() {
        if let Some(first) = listeners[..index].iter().find(|first| collide(first, listener)) {
            let span = listener.port.span.unwrap_or(listener.name.span);
            findings.push(
                RULE.at(
                    span,
                    format!(
                        "The listeners {:?} and {:?} both want port {}",
                        first.name.value, listener.name.value, listener.port.value
                    ),
                )
                .also(first.port.span.unwrap_or(first.name.span), "the first")
                .help("Give one of the two another port= or address=")
                .postfix(&["master.cf", "inet_interfaces"]),
            );
        }
    }
}

fn collide(a: &ListenerDraft, b: &ListenerDraft) -> bool {
    // Port 0 is a new one each time.
    if a.port.value != b.port.value || a.port.value == 0 {
        return false;
    }
    a.addresses.iter().any(|a| {
        b.addresses.iter().any(|b| {
            let same_family = a.value.is_ipv4() == b.value.is_ipv4();
            a.value == b.value || same_family && (a.value.is_unspecified() || b.value.is_unspecified())
        })
    })
}
