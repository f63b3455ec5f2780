//! Lines as Postfix writes them, for programs that read its log: pflogsumm counts them, fail2ban's `postfix` filter bans by them.
//! Only what those programs look for has Postfix's words; everything else stands under the name `postfix/postern` as it is.

use super::event::Fields;
use super::lines::Lines;
use crate::daemon::now_ms;
use crate::queue::date;
use postern_schema::decide::Reason;
use postern_schema::reply::Reply;
use std::io::Write;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The layer that writes them.
pub(super) struct Form {
    /// The first label of the host's name, as syslog has it.
    host: String,
    lines: Lines,
}

impl Form {
    /// For a host.
    pub(super) fn new(hostname: &str, lines: Lines) -> Form {
        Form { host: hostname.split('.').next().unwrap_or(hostname).to_owned(), lines }
    }
}

impl<S: Subscriber> Layer<S> for Form {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let stamp = date::syslog(now_ms() / 1000);
        let pid = std::process::id();
        let mut text = String::new();
        for (program, line) in lines(*event.metadata().level(), &Fields::of(event)) {
            text.push_str(&format!("{stamp} {} postfix/{program}[{pid}]: {line}\n", self.host));
        }
        // It goes to memory, which does not fail.
        let _ = self.lines.clone().write_all(text.as_bytes());
    }
}

/// What Postfix would have said, and which of its programs.
fn lines(level: Level, fields: &Fields) -> Vec<(&'static str, String)> {
    let [id, from, to, peer] = ["id", "from", "to", "peer"].map(|name| fields.value(name).trim_matches(['<', '>']));
    match fields.value("message") {
        "queued" => {
            let login = fields.find("user").map_or(String::new(), |user| format!(", sasl_method=PLAIN, sasl_username={user}"));
            let arrived = ("smtpd", format!("{id}: client=unknown[{peer}]{login}"));
            vec![arrived, active(id, from, fields.value("octets"), fields.value("recipients"))]
        }
        "attempt" => vec![attempt(id, to, fields)],
        "removed" => vec![("qmgr", format!("{id}: removed"))],
        "sender notified" => {
            let notice = fields.value("notice");
            let told = ("bounce", format!("{id}: sender non-delivery notification: {notice}"));
            vec![told, active(notice, "", fields.value("octets"), "1")]
        }
        "decision" => match fields.value("disposition") {
            "accept" => Vec::new(),
            _ => vec![("smtpd", rejected(peer, from, fields.find("to").map(|_| to), fields.value("reason")))],
        },
        "refused" => {
            vec![(
                "smtpd",
                format!("warning: Connection concurrency limit exceeded: unknown[{peer}]: {}", fields.value("reason")),
            )]
        }
        "login refused" => {
            let user = fields.value("user");
            vec![(
                "smtpd",
                format!("warning: unknown[{peer}]: SASL PLAIN authentication failed: wrong password, sasl_username={user}"),
            )]
        }
        message => {
            let severity = match level {
                Level::ERROR => "error: ",
                Level::WARN => "warning: ",
                _ => "",
            };
            vec![("postern", format!("{severity}{message}:{}", fields.rest().replace('\n', " ")))]
        }
    }
}

fn active(id: &str, from: &str, octets: &str, recipients: &str) -> (&'static str, String) {
    ("qmgr", format!("{id}: from=<{from}>, size={octets}, nrcpt={recipients} (queue active)"))
}

fn attempt(id: &str, to: &str, fields: &Fields) -> (&'static str, String) {
    let (via, status) = (fields.value("via"), fields.value("status"));
    let program = match via.split_once(':') {
        _ if via.contains('[') => "smtp",
        Some(("pipe", _)) => "pipe",
        Some(("lmtp", _)) => "lmtp",
        Some(("maildir", _)) => "virtual",
        _ => "error",
    };
    // Postfix names what has expired only by its sender; a bounce is what it amounts to.
    let status = if status == "expired" { "bounced" } else { status };
    let delay_ms = fields.count("delay_ms");
    let dsn = fields.find("dsn").map_or_else(|| usual_dsn(status), str::to_owned);
    let reply = fields.value("reply").replace('\n', " ");
    let (seconds, hundredths) = (delay_ms / 1000, delay_ms % 1000 / 10);
    (program, format!("{id}: to=<{to}>, relay={via}, delay={seconds}.{hundredths:02}, dsn={dsn}, status={status} ({reply})"))
}

fn usual_dsn(status: &str) -> String {
    let class = match status {
        "sent" => 2,
        "deferred" => 4,
        _ => 5,
    };
    format!("{class}.0.0")
}

/// The reply of a reason, with the address behind its codes where Postfix has it.
fn rejected(peer: &str, from: &str, to: Option<&str>, reason: &str) -> String {
    // Every decision has a reason with a reply.
    let reply = Reason::parse(reason).map_or(Reply::LOCAL_ERROR, Reason::reply);
    let status = reply.status.map_or(String::new(), |status| format!(" {status}"));
    let (code, text) = (format!("{}{status}", reply.code), reply.text.replace('\n', " "));
    // Where fail2ban's filter looks for Postfix's words, they stand before ours.
    let text = match Reason::parse(reason) {
        Some(Reason::RelayDenied) => "Relay access denied".to_owned(),
        Some(Reason::UnknownMailbox) => format!("Recipient address rejected: User unknown: {text}"),
        Some(Reason::SenderDomainNonexistent | Reason::SenderDomainNullMx) => {
            format!("Sender address rejected: Domain not found: {text}")
        }
        _ => text,
    };
    let (stage, whom) = to.map_or(("MAIL", from), |to| ("RCPT", to));
    let recipient = to.map_or(String::new(), |to| format!(" to=<{to}>"));
    format!("NOQUEUE: reject: {stage} from unknown[{peer}]: {code} <{whom}>: {text}; from=<{from}>{recipient} proto=ESMTP")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(fields: Fields) -> Vec<String> {
        lines(Level::INFO, &fields).into_iter().map(|(program, line)| format!("{program}: {line}")).collect()
    }

    #[test]
    fn a_message_has_the_lines_of_postfix() {
        let queued =
            [("message", "queued"), ("id", "A1"), ("from", "a@b.c"), ("peer", "192.0.2.1"), ("octets", "9"), ("recipients", "2")];
        assert_eq!(
            said(queued.into()),
            ["smtpd: A1: client=unknown[192.0.2.1]", "qmgr: A1: from=<a@b.c>, size=9, nrcpt=2 (queue active)"]
        );
        let attempt = [
            ("message", "attempt"),
            ("id", "A1"),
            ("to", "d@e.f"),
            ("via", "mx.e.f[192.0.2.2]:25"),
            ("status", "deferred"),
            ("delay_ms", "1234"),
            ("dsn", "4.7.1"),
            ("reply", "451 4.7.1 later"),
        ];
        assert_eq!(
            said(attempt.into()),
            ["smtp: A1: to=<d@e.f>, relay=mx.e.f[192.0.2.2]:25, delay=1.23, dsn=4.7.1, status=deferred (451 4.7.1 later)"]
        );
    }

    #[test]
    fn a_refusal_says_the_reply_that_the_peer_saw() {
        let fields = [
            ("message", "decision"),
            ("disposition", "reject"),
            ("reason", "relay-denied"),
            ("peer", "192.0.2.1"),
            ("from", "<a@b.c>"),
            ("to", "<d@e.f>"),
        ];
        let line = said(fields.into()).remove(0);
        assert!(line.starts_with("smtpd: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 5"), "{line}");
        assert!(line.contains(" <d@e.f>: ") && line.ends_with("; from=<a@b.c> to=<d@e.f> proto=ESMTP"), "{line}");
    }

    #[test]
    fn a_failed_login_is_what_fail2ban_looks_for() {
        let line = said([("message", "login refused"), ("peer", "192.0.2.1"), ("user", "eve")].into()).remove(0);
        assert!(line.starts_with("smtpd: warning: unknown[192.0.2.1]: SASL PLAIN authentication failed:"), "{line}");
    }
}
