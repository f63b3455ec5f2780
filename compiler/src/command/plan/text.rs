//! A plan for people.

use crate::plan::{AddressEffect, Change, DnsStep, Plan, QueueEffect, RecipientEffect, When};
use std::fmt::Write;

/// The most lines of one kind; programs get all.
const LISTED: usize = 30;

/// The whole plan.
pub(super) fn describe(plan: &Plan, digest: &str) -> String {
    let mut text = String::new();
    if plan.is_empty() {
        text.push_str("no differences\n");
    }
    lines(&mut text, "", plan.changes.iter().map(change));
    lines(&mut text, "addresses, from now on", plan.addresses.iter().map(addresses));
    lines(
        &mut text,
        "mail for elsewhere",
        plan.routes.iter().map(|route| format!("~ from <{}> to {}: {} -> {}", route.from, route.to, route.old, route.new)),
    );
    lines(
        &mut text,
        "who may send to whom",
        plan.relaying.iter().map(|cell| {
            let (old, new) = (cell.old.unwrap_or("not there"), cell.new.unwrap_or("not there"));
            format!("~ {} by {} to {}: {old} -> {new}", cell.client, cell.listener, cell.recipient.as_str())
        }),
    );
    dns(&mut text, &plan.dns);
    if let Some(effect) = &plan.queue {
        queue(&mut text, effect);
    }
    if !plan.is_empty() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\nto put exactly this in force: posternd reload --plan {digest}");
    }
    text
}

fn lines(text: &mut String, title: &str, lines: impl ExactSizeIterator<Item = String>) {
    let count = lines.len();
    if count > 0 && !title.is_empty() {
        let _ = writeln!(text, "\n{title}:");
    }
    for line in lines.take(LISTED) {
        let _ = writeln!(text, "{line}");
    }
    if count > LISTED {
        let _ = writeln!(text, "  and {} more; --json names them", count - LISTED);
    }
}

fn change(change: &Change) -> String {
    let what = if change.name.is_empty() { change.subject.clone() } else { format!("{} {}", change.subject, change.name) };
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("~ {what}: {old} -> {new}"),
        (None, new) => format!("+ {what} = {}", new.as_deref().unwrap_or_default()),
        (Some(old), None) => format!("- {what} = {old}"),
    }
}

fn addresses(effect: &AddressEffect) -> String {
    let counted = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let unknown =
        effect.unknown_accepted.map(|accepted| format!("whatever nobody has {}", if accepted { "accepted" } else { "refused" }));
    let parts = [counted(effect.accepted, "accepted"), counted(effect.refused, "refused"), unknown];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let named = effect.accepted + effect.refused;
    let more = if named > effect.examples.len() { ", …" } else { "" };
    let examples = if named > 0 { format!(": {}{more}", effect.examples.join(", ")) } else { String::new() };
    format!("~ {}: {}{examples}", effect.domain, parts.join(", "))
}

fn dns(text: &mut String, steps: &[DnsStep]) {
    for (index, step) in steps.iter().enumerate() {
        let what = match step.when {
            When::Before => "DNS, before the reload",
            When::Reload => "reload",
            When::After => "DNS, after the reload",
            When::Later => "DNS, when the old site's last message is delivered",
        };
        let wait = if step.wait_seconds > 0 { format!("wait {}, then ", hours(step.wait_seconds)) } else { String::new() };
        let colon = if step.when == When::Reload { "" } else { ":" };
        let gap = if index == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}step {}: {wait}{what}{colon}", index + 1);
        let signed = step.remove.iter().map(|record| ('-', record)).chain(step.add.iter().map(|record| ('+', record)));
        signed.for_each(|(sign, record)| {
            let _ = writeln!(text, "{sign} {record}");
        });
    }
}

fn hours(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3600);
    match (days, hours) {
        (0, hours) => format!("{hours}h"),
        (days, 0) => format!("{days}d"),
        (days, hours) => format!("{days}d{hours}h"),
    }
}

fn queue(text: &mut String, effect: &QueueEffect) {
    let QueueEffect { messages, moved, lost } = effect;
    let _ = writeln!(
        text,
        "\nqueue: {messages} messages; for {} recipients the way changes, for {} there is none any more",
        moved.len(),
        lost.len()
    );
    let line = |sign: char| {
        move |found: &RecipientEffect| format!("{sign} {} to {}: {} -> {}", found.id, found.recipient, found.old, found.new)
    };
    lines(text, "", lost.iter().map(line('!')));
    lines(text, "", moved.iter().map(line('~')));
}
