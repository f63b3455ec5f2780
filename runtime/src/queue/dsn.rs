//! Notifications, RFC 3464: what a sender reads when a message could not be delivered, takes long, or has arrived and the
//! sender wanted to know. A multipart/report (RFC 6522) of three parts: a text for people, the same for programs, and the header
//! of the original. Pure: the deliverer gives the entry, the original, the time and the id, and puts the result into the queue
//! as a `Generated` message.
//!
//! Recipients are named as the sender gave them, not by what an alias made of them: that is not the sender's to know (RFC 3464
//! 4.2). The original comes back as its header; whole only where a message that failed was sent with RET=FULL and is small
//! (RFC 3461 4.3 leaves the limit to us).

use super::date;
use super::envelope::{Action, QueueEntry, Unreturned};
use super::id::QueueId;
use crate::smtp::command::Return;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use postern_schema::decide::TlsWish;
use postern_schema::name::{Domain, Mailbox};
use postern_schema::reply::{EnhancedStatus, Reply};
use postern_schema::site::Language;
use std::fmt::Write;

mod words;

/// The most of the original header that comes back, in octets.
const HEADER_MAX_OCTETS: usize = 64 << 10;
/// The largest message that comes back whole, in octets (`bounce_size_limit`).
pub const FULL_MAX_OCTETS: u64 = 50_000;
/// Characters of an encoded word, of up to four octets each.
const ENCODED_CHARACTERS: usize = 11;
/// The column that text is broken at.
const TEXT_COLUMNS: usize = 76;

/// A notification, ready for the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bounce {
    /// Whom it is for: the reverse-path of the original, or the owner of the alias that it came through.
    pub recipient: Mailbox,
    /// The message, lines ended by CRLF.
    pub octets: Vec<u8>,
    /// It holds octets above 127.
    pub eight_bit: bool,
    /// It needs SMTPUTF8.
    pub smtp_utf8: bool,
}

/// Who writes a notification, and when.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// Our host.
    pub hostname: &'a Domain,
    /// What the text begins in.
    pub language: Language,
    /// The name of the notification in the queue.
    pub id: QueueId,
    /// The time, in seconds since the epoch.
    pub now_seconds: u64,
}

/// Writes the notification about some recipients of a message, those of them that the sender wants to hear of.
///
/// `None` where there is nobody to tell: a null reverse-path gets no notification (RFC 5321 6.1), NOTIFY may forbid it
/// (RFC 3461 4.1), or nothing is to be told. `original` begins with the header of the original, and where it is to come back
/// whole it holds all of it.
pub fn notice(entry: &QueueEntry, about: &[Unreturned<'_>], original: &[u8], author: &Author<'_>) -> Option<Bounce> {
    let recipient = entry.envelope.return_path(about.first()?.recipient)?.clone();
    let about: Vec<Unreturned<'_>> = about.iter().filter(|one| one.recipient.wants_notice(one.action)).copied().collect();
    // What matters most gives the notification its subject.
    let gravity = |action: Action| match action {
        Action::Failed | Action::Expired => 2,
        Action::Delayed => 1,
        Action::Delivered | Action::Relayed => 0,
    };
    let action = about.iter().map(|one| one.action).max_by_key(|action| gravity(*action))?;
    let header = header_of(original);
    let envelope = &entry.envelope;
    let can_be_whole = envelope.body_octets <= FULL_MAX_OCTETS && envelope.body_octets == original.len() as u64;
    // RFC 8689 5: what was to travel under TLS alone does not come back whole.
    let is_whole =
        envelope.ret == Some(Return::Full) && envelope.tls_wish != TlsWish::Required && gravity(action) == 2 && can_be_whole;
    let returned = if is_whole { original } else { header };
    let boundary = boundary(author.id, returned);
    let report = Report { entry, about: &about, author, international: envelope.smtp_utf8 };
    let (status_type, returned_type) = match (report.international, is_whole) {
        // RFC 6533 6
        (true, true) => ("message/global-delivery-status", "message/global"),
        (true, false) => ("message/global-delivery-status", "message/global-headers"),
        (false, true) => ("message/delivery-status", "message/rfc822"),
        (false, false) => ("message/delivery-status", "text/rfc822-headers"),
    };
    let (text, text_encoding) = report.text(action);
    let status = report.status();
    let eight_bit = !returned.is_ascii() || !text.is_ascii() || !status.is_ascii();
    let encoding = if eight_bit { "8bit" } else { "7bit" };
    let Author { hostname, id, .. } = author;
    let mut octets = format!(
        "From: Mail Delivery System <MAILER-DAEMON@{hostname}>\r\n\
         To: <{recipient}>\r\n\
         Subject: {}\r\n\
         Date: {}\r\n\
         Message-ID: <{id}@{hostname}>\r\n\
         Auto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         This is a message in MIME format.\r\n",
        encoded_word(words::subject(action).of(author.language)),
        date::rfc5322(author.now_seconds)
    )
    .into_bytes();
    let what = if is_whole { "The message" } else { "Header of the message" };
    let parts: [(&str, &str, &str, &[u8]); 3] = [
        ("text/plain; charset=utf-8", "Notification", text_encoding.unwrap_or(encoding), text.as_bytes()),
        (status_type, "Delivery report", encoding, status.as_bytes()),
        (returned_type, what, encoding, returned),
    ];
    for (content_type, description, encoding, content) in parts {
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

/// Whether a message was written by a program or came through a list: nobody waits for it, so nobody is told that it is late
/// (RFC 3834 2).
pub fn is_automatic(original: &[u8]) -> bool {
    let header = String::from_utf8_lossy(header_of(original)).to_ascii_lowercase();
    header.lines().filter_map(|line| line.split_once(':')).any(|(name, value)| match name {
        "auto-submitted" => !value.trim().starts_with("no"),
        "precedence" => ["bulk", "list", "junk"].contains(&value.trim()),
        "list-id" => true,
        _ => false,
    })
}

/// A field's text: as it is, or in encoded words of at most 75 characters, one a line (RFC 2047 2).
fn encoded_word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let word = |piece: &[char]| format!("=?utf-8?B?{}?=", BASE64.encode(piece.iter().collect::<String>()));
    characters.chunks(ENCODED_CHARACTERS).map(word).collect::<Vec<_>>().join("\r\n\t")
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
    about: &'a [Unreturned<'a>],
    author: &'a Author<'a>,
    /// UTF-8 may stand in it.
    international: bool,
}

impl Report<'_> {
    /// For people: in the site's language first, and in English for whoever does not read that. With its encoding, where it
    /// needs one of its own.
    fn text(&self, action: Action) -> (String, Option<&'static str>) {
        let english = self.text_in(Language::English, action);
        let language = self.author.language;
        if language == Language::English {
            return (english, None);
        }
        let both = format!("{}\r\n-- \r\n\r\n{english}", self.text_in(language, action));
        let mut encoded = BASE64.encode(both);
        let lines = encoded.len() / TEXT_COLUMNS;
        (1..=lines).rev().for_each(|line| encoded.insert_str(line * TEXT_COLUMNS, "\r\n"));
        (encoded, Some("base64"))
    }

    fn text_in(&self, language: Language, action: Action) -> String {
        let envelope = &self.entry.envelope;
        let accepted = date::rfc5322(envelope.arrival_ms / 1000);
        let fill = |words: &words::Words, with: &str| words.of(language).replacen("{}", with, 1);
        let mut lines = Lines::new(language);
        lines.wrap("", &fill(&words::SERVER, self.author.hostname.as_str()));
        lines.empty();
        lines.wrap("", &fill(&words::news(action), &accepted));
        for one in self.about {
            let subject = status(one).subject();
            lines.empty();
            lines.wrap("", &self.clean(&format!("<{}>", one.recipient.original())));
            lines.empty();
            lines.wrap("  ", words::why(one.action, subject).of(language));
            let who = match &one.attempt.remote_mta {
                Some(remote) => fill(&words::SERVER_SAID, &self.clean(remote)),
                None => words::REASON.of(language).to_owned(),
            };
            lines.wrap("  ", &who);
            lines.wrap("    ", &self.clean(&one.attempt.reply.to_string()));
            if let Some(advice) = words::what_next(one.action, subject) {
                lines.wrap("  ", advice.of(language));
            }
        }
        lines.empty();
        let help = fill(&words::HELP, self.author.hostname.as_str()).replacen("{}", &envelope.id.to_string(), 1);
        lines.wrap("", &help);
        lines.text
    }

    /// For programs.
    fn status(&self) -> String {
        let envelope = &self.entry.envelope;
        let mut fields = Fields::default();
        fields.put("Reporting-MTA", &format!("dns; {}", self.author.hostname));
        if let Some(envid) = &envelope.envid {
            fields.put("Original-Envelope-Id", &self.clean(&envid.decode()));
        }
        fields.put("X-Postern-Queue-ID", &envelope.id.to_string());
        fields.put("Arrival-Date", &date::rfc5322(envelope.arrival_ms / 1000));
        for failed in self.about {
            fields.end_group();
            if let Some(orcpt) = &failed.recipient.orcpt {
                fields.put("Original-Recipient", &self.clean(&orcpt.decode()));
            }
            let final_recipient = failed.recipient.original().to_string();
            let address_type = if final_recipient.is_ascii() { "rfc822" } else { "utf-8" };
            fields.put("Final-Recipient", &format!("{address_type}; {}", self.clean(&final_recipient)));
            fields.put("Action", word(failed.action));
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

/// The word of RFC 3464 2.3.3.
fn word(action: Action) -> &'static str {
    match action {
        Action::Failed | Action::Expired => "failed",
        Action::Delayed => "delayed",
        Action::Delivered => "delivered",
        Action::Relayed => "relayed",
    }
}

fn status(one: &Unreturned<'_>) -> EnhancedStatus {
    match one.action {
        Action::Expired => Reply::expired(String::new()).status_or_class(),
        _ => one.attempt.reply.status_or_class(),
    }
}

/// Text for people, broken into lines.
struct Lines {
    text: String,
    columns: usize,
}

impl Lines {
    fn new(language: Language) -> Lines {
        // A Japanese character takes two columns.
        let columns = if language == Language::Japanese { TEXT_COLUMNS / 2 } else { TEXT_COLUMNS };
        Lines { text: String::new(), columns }
    }

    fn empty(&mut self) {
        self.text.push_str("\r\n");
    }

    /// One paragraph, each line behind the indent. A word that is longer than a line is broken too, so that no line passes the
    /// limit of RFC 5322 2.1.1.
    fn wrap(&mut self, indent: &str, text: &str) {
        for line in broken(text, self.columns - indent.len()) {
            // Writing to a string does not fail.
            let _ = write!(self.text, "{indent}{line}\r\n");
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
