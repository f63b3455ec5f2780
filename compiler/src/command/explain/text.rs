//! An explanation for people.

use crate::explain::{Explanation, HopExplained, Outcome, StepExplained, Timetable};
use std::fmt::Write;

/// The whole explanation, with what a recording of DNS came to.
pub(super) fn describe(explanation: &Explanation, recorded: &[String]) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let who = explanation.user.as_deref().map(|user| format!(", logged in as {user}")).unwrap_or_default();
    let shown = explanation.certificate.as_deref().map(|shown| format!(", holder of certificate {shown}")).unwrap_or_default();
    let _ = writeln!(text, "client {}{who}{shown}, listener {}", explanation.client, explanation.listener);
    for fact in &explanation.facts {
        let answer = fact.answer.as_ref().map_or("not given".to_owned(), |answer| format!("taken to be {answer}"));
        let _ = writeln!(text, "the daemon asks: {} of {} ({answer})", fact.name, fact.of);
    }
    for finding in recorded {
        let _ = writeln!(text, "as DNS answered: {finding}");
    }
    for stage in &explanation.stages {
        let path = match stage.name {
            "MAIL" => format!("FROM:<{}>", explanation.from),
            "RCPT" => format!("TO:<{}>", explanation.to),
            _ => "(the whole message)".to_owned(),
        };
        decision(&mut text, &format!("{} {path}", stage.name), &stage.outcome, &stage.steps);
        if !stage.outcome.reply.is_empty() {
            let _ = writeln!(text, "  the client reads: {}", stage.outcome.reply);
        }
    }
    if !explanation.signed_by.is_empty() {
        let _ = writeln!(text, "  signed by {}", explanation.signed_by.join(", "));
    }
    explanation.hops.iter().for_each(|hop| self::hop(&mut text, hop));
    if !explanation.limits.is_empty() {
        text.push_str("\nlimits\n");
        for limit in &explanation.limits {
            let most = if limit.name == "message" { octets(limit.most) } else { limit.most.to_string() };
            let per = limit.per.as_ref().map(|per| format!(" {per}")).unwrap_or_default();
            line(&mut text, &format!("{} {most}{per}", limit.name), limit.source.as_deref());
        }
    }
    if let Some(retry) = &explanation.retry {
        text.push_str("\nattempts, while each fails for now\n");
        line(&mut text, &timetable(retry), retry.source.as_deref());
    }
    let outcome = &explanation.outcome;
    let _ = writeln!(text, "\n{}: {}", outcome.disposition, outcome.reason);
    if outcome.disposition == "undecided" {
        text.push_str("say what the daemon would find: --dns FILE, or --fact ");
        text.push_str(missing(explanation));
        text.push_str("; or --fact good for all that speaks for the client\n");
    }
    text
}

/// The fact that is missing, with a value that speaks for the client.
fn missing(explanation: &Explanation) -> &'static str {
    match explanation.facts.last().map(|fact| fact.name) {
        Some("spf") => "spf=pass",
        Some("dmarc") => "dmarc=pass",
        Some("srs") => "srs=good",
        Some("helo") => "helo=mx.example.net, or --helo mx.example.net",
        Some("helo-domain") => "helo-domain=found",
        Some("listed") => "listed=none, or for each list listed=zen.spamhaus.org=127.0.0.2",
        Some("greylist") => "greylist=passed",
        Some("reputation") => "reputation=good",
        _ => "sender-domain=found",
    }
}

/// The next hop of one address.
pub(super) fn hop(text: &mut String, hop: &HopExplained) {
    let destination = hop.destination.as_deref().unwrap_or("nowhere");
    decision(text, &format!("delivery to {}: {destination}", hop.recipient), &hop.outcome, &hop.steps);
    let details = [
        hop.mailbox.as_ref().filter(|mailbox| **mailbox != hop.recipient).map(|mailbox| format!("as {mailbox}")),
        hop.sender.as_ref().map(|sender| match sender.as_str() {
            "srs" => "with a sender of this site that leads bounces back".to_owned(),
            sender => format!("with the sender {sender}"),
        }),
        hop.endpoint.as_ref().map(|endpoint| format!("to {endpoint}")),
        hop.backup.as_ref().map(|backup| format!("where that cannot be reached, by {backup}")),
        hop.tls.map(|level| match level {
            "none" => "without TLS".to_owned(),
            "may" => "over TLS where the other side offers it".to_owned(),
            "published" => "over TLS as the other side publishes: DANE, else MTA-STS, else where it offers it".to_owned(),
            "dane-or-verify" => "over TLS, by DANE where the other side has it, else verified".to_owned(),
            level => format!("over TLS, {level} at least"),
        }),
        hop.requiretls.then(|| "to a host that offers REQUIRETLS".to_owned()),
        hop.login.as_ref().map(|login| format!("logged in as {login}")),
        (!hop.leaves_from.is_empty()).then(|| {
            let addresses: Vec<String> = hop.leaves_from.iter().map(ToString::to_string).collect();
            format!("seen to come from {}", addresses.join(" or "))
        }),
        hop.spf.map(|spf| format!("receivers find SPF {}, and DMARC {}", spf.as_str(), hop.dmarc.unwrap_or_default())),
        hop.quota_octets.map(|quota| format!("as long as the mailbox holds no more than {}", octets(quota))),
    ];
    for detail in details.into_iter().flatten() {
        let _ = writeln!(text, "  {detail}");
    }
}

fn decision(text: &mut String, what: &str, outcome: &Outcome, steps: &[StepExplained]) {
    let _ = writeln!(text, "\n{what}");
    for step in steps {
        line(text, &step.text, step.source.as_deref());
    }
    let _ = writeln!(text, "  {} ({})", outcome.disposition, outcome.reason);
}

fn line(text: &mut String, what: &str, source: Option<&str>) {
    let source = source.map(|source| format!("  ({source})")).unwrap_or_default();
    let _ = writeln!(text, "    {what}{source}");
}

/// The first attempts one by one, the rest as a count: `at once, 5m, 15m, … 71 in 5d`.
fn timetable(retry: &Timetable) -> String {
    const LISTED: usize = 8;
    let mut times: Vec<String> = retry.attempts_seconds.iter().take(LISTED).map(|seconds| duration(*seconds)).collect();
    if let Some(first) = times.first_mut() {
        *first = "at once".to_owned();
    }
    let rest = if retry.attempts_seconds.len() > LISTED { ", …" } else { "" };
    let count = retry.attempts_seconds.len();
    format!(
        "{}{rest}: {count} in {}, each pause up to a tenth longer or shorter",
        times.join(", "),
        duration(retry.lifetime_seconds)
    )
}

/// `30MiB`, as a site says it; octets where that is not exact.
fn octets(count: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fitting = units.iter().find(|(size, _)| count >= *size && count.is_multiple_of(*size));
    fitting.map_or_else(|| format!("{count} octets"), |(size, unit)| format!("{}{unit}", count / size))
}

/// `1d2h5m`, without what is zero.
fn duration(seconds: u64) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}
