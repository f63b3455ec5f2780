//! Notifications of failure, RFC 3464: what a sender reads when a message could not be delivered. A multipart/report (RFC
//! 6522) of three parts: a text for people, the same for programs, and the header of the original. Pure: the deliverer gives
//! the entry, the original header, the time and the id, and puts the result into the queue as a `Generated` message.
//!
//! Recipients are named as the sender gave them, not by what an alias made of them: that is not the sender's to know (RFC 3464
//! 4.2). The original comes back as its header only, also where RET=FULL asked for more (RFC 3461 4.3 leaves the limit to us).

use super::date;
use super::envelope::{QueueEntry, Unreturned};
use super::id::QueueId;
use postern_schema::name::{Domain, Mailbox};
use postern_schema::reply::{EnhancedStatus, Reply, StatusSubject};
use std::fmt::Write;

/// The most of the original header that comes back, in octets.
const HEADER_MAX_OCTETS: usize = 64 << 10;
/// The column that text is broken at.
const TEXT_COLUMNS: usize = 76;

/// A notification, ready for the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bounce {
    /// Whom it is for: the reverse-path of the original.
    pub recipient: Mailbox,
    /// The message, lines ended by CRLF.
    pub octets: Vec<u8>,
    /// It holds octets above 127.
    pub eight_bit: bool,
    /// It needs SMTPUTF8.
    pub smtp_utf8: bool,
}

/// Writes the notification for those recipients of a message that failed, and whose sender was not told and wants to be.
///
/// `None` where there is nobody to tell: a null reverse-path gets no notification (RFC 5321 6.1), NOTIFY may forbid it
/// (RFC 3461 4.1), or nobody failed. `original` begins with the header of the original; what follows the header is not used.
pub fn bounce(entry: &QueueEntry, original: &[u8], hostname: &Domain, id: QueueId, now_seconds: u64) -> Option<Bounce> {
    let recipient = entry.envelope.reverse_path.mailbox()?.clone();
    let failed: Vec<Unreturned<'_>> = entry.unreturned().filter(|failed| failed.recipient.wants_failure_notice()).collect();
    if failed.is_empty() {
        return None;
    }
    let header = header_of(original);
    let boundary = boundary(id, header);
    let report = Report { entry, failed: &failed, hostname, international: entry.envelope.smtp_utf8 };
    let (status_type, header_type) = match report.international {
        // RFC 6533 6
        true => ("message/global-delivery-status", "message/global-headers"),
        false => ("message/delivery-status", "text/rfc822-headers"),
    };
    let (text, status) = (report.text(), report.status());
    let eight_bit = !header.is_ascii() || !text.is_ascii() || !status.is_ascii();
    let encoding = if eight_bit { "8bit" } else { "7bit" };
    let mut octets = format!(
        "From: Mail Delivery System <MAILER-DAEMON@{hostname}>\r\n\
         To: <{recipient}>\r\n\
         Subject: Undelivered Mail Returned to Sender\r\n\
         Date: {}\r\n\
         Message-ID: <{id}@{hostname}>\r\n\
         Auto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         This is a message in MIME format.\r\n",
        date::rfc5322(now_seconds)
    )
    .into_bytes();
    let parts: [(&str, &str, &[u8]); 3] = [
        ("text/plain; charset=utf-8", "Notification", text.as_bytes()),
        (status_type, "Delivery report", status.as_bytes()),
        (header_type, "Header of the undelivered message", header),
    ];
    for (content_type, description, content) in parts {
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Description: {description}\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\n"
        );
        octets.extend_from_slice(head.as_bytes());
        octets.extend_from_slice(content);
    }
    octets.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Some(Bounce { recipient, octets, eight_bit, smtp_utf8: report.international && eight_bit })
}

/// The lines before the first empty one, as far as they are given back.
fn header_of(original: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in original.split_inclusive(|octet| *octet == b'\n') {
        let is_over = matches!(line, b"\r\n" | b"\n") || end + line.len() > HEADER_MAX_OCTETS;
        if is_over || !line.ends_with(b"\n") {
            break;
        }
        end += line.len();
    }
    &original[..end]
}

/// A line that does not occur in the original header: RFC 2046 5.1.1.
fn boundary(id: QueueId, header: &[u8]) -> String {
    let mut boundary = format!("=_{id}");
    while header.windows(boundary.len()).any(|window| window == boundary.as_bytes()) {
        boundary.push('_');
    }
    boundary
}

/// What both readable parts are made of.
struct Report<'a> {
    entry: &'a QueueEntry,
    failed: &'a [Unreturned<'a>],
    hostname: &'a Domain,
    /// UTF-8 may stand in it.
    international: bool,
}

impl Report<'_> {
    /// For people.
    fn text(&self) -> String {
        let envelope = &self.entry.envelope;
        let accepted = date::rfc5322(envelope.arrival_ms / 1000);
        let mut lines = Lines::default();
        lines.wrap("", &format!("This is the mail server {}.", self.hostname));
        lines.empty();
        let whom = if self.failed.len() == 1 { "the recipient below" } else { "the recipients below" };
        lines.wrap(
            "",
            &format!("The message that you sent on {accepted} could not be delivered to {whom}. It is not tried again."),
        );
        for failed in self.failed {
            lines.empty();
            lines.wrap("", &self.clean(&format!("<{}>", failed.recipient.original())));
            lines.empty();
            lines.wrap("  ", &why(failed));
            let who = match &failed.attempt.remote_mta {
                Some(remote) => format!("The server {remote} said:"),
                None => "The reason was:".into(),
            };
            lines.wrap("  ", &self.clean(&who));
            lines.wrap("    ", &self.clean(&failed.attempt.reply.to_string()));
            lines.wrap("  ", what_next(failed));
        }
        lines.empty();
        lines.wrap(
            "",
            &format!(
                "The header of your message is attached. If you need help, forward this notification to postmaster@{} \
                 and name {}.",
                self.hostname, envelope.id
            ),
        );
        lines.0
    }

    /// For programs.
    fn status(&self) -> String {
        let envelope = &self.entry.envelope;
        let mut fields = Fields::default();
        fields.put("Reporting-MTA", &format!("dns; {}", self.hostname));
        if let Some(envid) = &envelope.envid {
            fields.put("Original-Envelope-Id", &self.clean(&envid.decode()));
        }
        fields.put("X-Postern-Queue-ID", &envelope.id.to_string());
        fields.put("Arrival-Date", &date::rfc5322(envelope.arrival_ms / 1000));
        for failed in self.failed {
            fields.end_group();
            if let Some(orcpt) = &failed.recipient.orcpt {
                fields.put("Original-Recipient", &self.clean(&orcpt.decode()));
            }
            let final_recipient = failed.recipient.original().to_string();
            let address_type = if final_recipient.is_ascii() { "rfc822" } else { "utf-8" };
            fields.put("Final-Recipient", &format!("{address_type}; {}", self.clean(&final_recipient)));
            fields.put("Action", "failed");
            fields.put("Status", &status(failed).to_string());
            // What no peer said is not of type smtp (RFC 3464 2.3.6).
            let diagnostic_type = if failed.attempt.remote_mta.is_some() { "smtp" } else { "X-Postern" };
            if let Some(remote) = &failed.attempt.remote_mta {
                fields.put("Remote-MTA", &format!("dns; {}", self.clean(remote)));
            }
            fields.put("Diagnostic-Code", &format!("{diagnostic_type}; {}", self.clean(&failed.attempt.reply.to_string())));
            fields.put("Last-Attempt-Date", &date::rfc5322(failed.attempt.at_ms / 1000));
        }
        fields.0
    }

    /// Text from elsewhere on one line: nothing in it begins a field, and nothing leaves ASCII but in an international report.
    fn clean(&self, text: &str) -> String {
        let is_fine =
            |c: char| if c.is_ascii() { c == ' ' || c.is_ascii_graphic() } else { self.international && !c.is_control() };
        text.chars().map(|c| if is_fine(c) { c } else { '?' }).collect()
    }
}

fn status(failed: &Unreturned<'_>) -> EnhancedStatus {
    match failed.expired {
        true => Reply::expired(String::new()).status_or_class(),
        false => failed.attempt.reply.status_or_class(),
    }
}

fn why(failed: &Unreturned<'_>) -> String {
    if failed.expired {
        return "The time for which we try to deliver a message is over. This is what the last attempt met with.".into();
    }
    let why = match status(failed).subject() {
        StatusSubject::Address => "The recipient's server does not know this address.",
        StatusSubject::Mailbox => "The mailbox does not take the message.",
        StatusSubject::MailSystem => "The recipient's server cannot take the message.",
        StatusSubject::Network => "There is no way to the recipient's server.",
        StatusSubject::Policy => "The recipient's server does not accept the message from us.",
        StatusSubject::Content => "The recipient's server cannot handle what is in the message.",
        StatusSubject::Protocol | StatusSubject::Other => "The recipient's server refused the message.",
    };
    why.into()
}

fn what_next(failed: &Unreturned<'_>) -> &'static str {
    if failed.expired {
        return "What you can do: send the message again later, or reach the recipient in another way and tell them that \
                their mail server could not be reached.";
    }
    match status(failed).subject() {
        StatusSubject::Address => {
            "What you can do: check the address for typing errors and send the message again. If it is right, ask the \
             recipient in another way whether it still exists."
        }
        StatusSubject::Mailbox => {
            "What you can do: tell the recipient in another way. Their mailbox may be full, closed or too small for the message."
        }
        StatusSubject::MailSystem | StatusSubject::Content => {
            "What you can do: send a smaller or simpler message, for example without attachments."
        }
        StatusSubject::Policy => {
            "What you can do: show this to whoever looks after your mail server. The words of the other server say what it \
             objects to."
        }
        StatusSubject::Network | StatusSubject::Protocol | StatusSubject::Other => {
            "What you can do: check the address. If it is right, show this to whoever looks after your mail server."
        }
    }
}

/// Text for people, broken into lines.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn empty(&mut self) {
        self.0.push_str("\r\n");
    }

    /// One paragraph, each line behind the indent. A word that is longer than a line is broken too, so that no line passes the
    /// limit of RFC 5322 2.1.1.
    fn wrap(&mut self, indent: &str, text: &str) {
        for line in broken(text, TEXT_COLUMNS - indent.len()) {
            // Writing to a string does not fail.
            let _ = write!(self.0, "{indent}{line}\r\n");
        }
    }
}

/// Fields of a delivery status, folded.
#[derive(Default)]
struct Fields(String);

impl Fields {
    fn put(&mut self, name: &str, value: &str) {
        let folded = broken(value, TEXT_COLUMNS - name.len() - 2).join("\r\n\t");
        let _ = write!(self.0, "{name}: {folded}\r\n");
    }

    fn end_group(&mut self) {
        self.0.push_str("\r\n");
    }
}

/// Breaks text at blanks into lines of so many characters, and where a word is longer, within it.
fn broken(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > columns {
            lines.push(String::new());
            used = 0;
        }
        for (place, c) in word.chars().enumerate() {
            if used == columns {
                lines.push(String::new());
                used = 0;
            }
            // The list is never empty.
            let Some(line) = lines.last_mut() else { break };
            if place == 0 && used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push(c);
            used += 1;
        }
    }
    lines
}

#[cfg(test)]
#[path = "dsn/tests.rs"]
mod tests;
