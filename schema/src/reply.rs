//! SMTP replies: [`ReplyCode`] (RFC 5321 4.2), [`EnhancedStatus`] (RFC 3463), [`Reply`], and every reply that a Postern server
//! gives. This is the only file in which reply numbers are written; a tidy test holds that.
//!
//! What a peer reads is short and discloses nothing; the log knows the rest.

use crate::decide::Reason;
use std::borrow::Cow;
use std::fmt;
use std::io::Write;

/// Three digits, 200 to 599 (RFC 5321 4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ReplyCode(u16);

impl ReplyCode {
    /// Reads three digits; `None` for anything outside 200 to 599.
    pub fn parse(text: &[u8]) -> Option<ReplyCode> {
        let [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9'] = *text else { return None };
        Some(ReplyCode(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')))
    }

    /// The number.
    pub fn number(self) -> u16 {
        self.0
    }

    /// 2yz: done.
    pub fn is_positive(self) -> bool {
        self.0 / 100 == 2
    }

    /// 3yz: go on.
    pub fn is_intermediate(self) -> bool {
        self.0 / 100 == 3
    }

    /// 4yz: try again later.
    pub fn is_transient(self) -> bool {
        self.0 / 100 == 4
    }

    /// 5yz: do not try again.
    pub fn is_permanent(self) -> bool {
        self.0 / 100 == 5
    }

    /// 421: whoever says it closes the connection, whatever the command was (RFC 5321 3.8).
    pub fn closes_channel(self) -> bool {
        self.0 == 421
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `class.subject.detail` (RFC 3463 2): class 2, 4 or 5, the others 0 to 999.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EnhancedStatus(u8, u16, u16);

impl EnhancedStatus {
    /// Reads `5.1.1` from the whole of `text`.
    pub fn parse(text: &str) -> Option<EnhancedStatus> {
        let mut parts = text.split('.');
        let class = parts.next()?;
        let (subject, detail) = (parts.next()?, parts.next()?);
        if parts.next().is_some() || !matches!(class, "2" | "4" | "5") {
            return None;
        }
        let number = |part: &str| {
            let well_formed = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if well_formed { part.parse().ok() } else { None }
        };
        Some(EnhancedStatus(class.as_bytes()[0] - b'0', number(subject)?, number(detail)?))
    }

    /// 2, 4 or 5.
    pub fn class(self) -> u8 {
        self.0
    }

    /// What it is about: the second number (RFC 3463 3).
    pub fn subject(self) -> StatusSubject {
        match self.1 {
            1 => StatusSubject::Address,
            2 => StatusSubject::Mailbox,
            3 => StatusSubject::MailSystem,
            4 => StatusSubject::Network,
            5 => StatusSubject::Protocol,
            6 => StatusSubject::Content,
            7 => StatusSubject::Policy,
            _ => StatusSubject::Other,
        }
    }
}

/// What an enhanced status is about (RFC 3463 3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum StatusSubject {
    /// Nothing more is known.
    Other,
    /// The address of the sender or recipient.
    Address,
    /// The mailbox: full, closed, too small.
    Mailbox,
    /// The host that has the mailbox.
    MailSystem,
    /// The way there.
    Network,
    /// What was said in the session.
    Protocol,
    /// What is in the message.
    Content,
    /// Security or policy.
    Policy,
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// One reply: a code, perhaps an enhanced status, and one or more lines of text without line ends.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reply {
    /// The code of every line.
    pub code: ReplyCode,
    /// The enhanced status of every line, where there is one.
    pub status: Option<EnhancedStatus>,
    /// Text; `\n` divides lines. Never holds CR.
    pub text: Cow<'static, str>,
}

impl Reply {
    const fn fixed(code: u16, status: Option<(u8, u16, u16)>, text: &'static str) -> Reply {
        let status = match status {
            Some((class, subject, detail)) => Some(EnhancedStatus(class, subject, detail)),
            None => None,
        };
        Reply { code: ReplyCode(code), status, text: Cow::Borrowed(text) }
    }

    fn with_text(self, text: impl Into<Cow<'static, str>>) -> Reply {
        Reply { text: text.into(), ..self }
    }

    /// Appends the wire form: every line with code and status, `-` before all but the last, CRLF after each (RFC 5321 4.2.1).
    /// Characters that would break a line or leave ASCII become `?`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut lines = self.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let divider = if lines.peek().is_some() { '-' } else { ' ' };
            // A `Vec` takes every write, so there is no error to look at.
            let _ = write!(out, "{}{divider}", self.code);
            if let Some(status) = self.status {
                let _ = write!(out, "{status} ");
            }
            out.extend(line.bytes().map(|b| if b.is_ascii_graphic() || b == b' ' { b } else { b'?' }));
            out.extend_from_slice(b"\r\n");
        }
    }

    /// The enhanced status; where there is none, one that says no more than the code does (RFC 3463 3.1).
    pub fn status_or_class(&self) -> EnhancedStatus {
        let class = match self.code {
            code if code.is_transient() => 4,
            code if code.is_permanent() => 5,
            _ => 2,
        };
        self.status.unwrap_or(EnhancedStatus(class, 0, 0))
    }

    /// Builds a reply that a peer sent: the code and the raw text of its lines, joined by `\n`. The enhanced status is taken
    /// from the first line when it is there and its class agrees with the code (RFC 2034 4).
    pub fn from_peer(code: ReplyCode, text: &str) -> Reply {
        let first = text.split([' ', '\n']).next().unwrap_or_default();
        let status = EnhancedStatus::parse(first).filter(|status| u16::from(status.class()) == code.number() / 100);
        let text = match status {
            None => text.to_owned(),
            Some(_) => {
                text.lines().map(|line| line.strip_prefix(first).map_or(line, str::trim_start)).collect::<Vec<_>>().join("\n")
            }
        };
        Reply { code, status, text: Cow::Owned(text) }
    }
}

impl fmt::Display for Reply {
    /// One line for logs and bounces: `550 5.1.1 No such user`, lines joined by a blank.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if !self.text.is_empty() {
            write!(f, " {}", self.text.replace('\n', " "))?;
        }
        Ok(())
    }
}

/// Replies of the protocol itself, which no decision about mail stands behind.
impl Reply {
    /// The greeting; RFC 5321 4.3.1: begins with the host name, and names no version.
    pub fn greeting(hostname: &str) -> Reply {
        Reply::fixed(220, None, "").with_text(format!("{hostname} ESMTP"))
    }
    /// EHLO: the host name on the first line, then one extension a line (RFC 5321 4.1.1.1).
    pub fn hello(lines: String) -> Reply {
        Reply::fixed(250, None, "").with_text(lines)
    }
    /// QUIT, RFC 5321 4.1.1.10.
    pub const GOODBYE: Reply = Reply::fixed(221, Some((2, 0, 0)), "Bye");
    /// STARTTLS accepted, RFC 3207 4.
    pub const READY_FOR_TLS: Reply = Reply::fixed(220, Some((2, 0, 0)), "Ready to start TLS");
    /// STARTTLS where no certificate serves, RFC 3207 4.
    pub const TLS_UNAVAILABLE: Reply = Reply::fixed(454, Some((4, 7, 0)), "TLS not available now");
    /// STARTTLS inside TLS.
    pub const TLS_ALREADY: Reply = Reply::fixed(503, Some((5, 5, 1)), "TLS is already on");
    /// A command before TLS where the listener demands it, RFC 3207 4.
    pub const TLS_FIRST: Reply = Reply::fixed(530, Some((5, 7, 0)), "Must issue a STARTTLS command first");
    /// NOOP.
    pub const OK: Reply = Reply::fixed(250, Some((2, 0, 0)), "Ok");
    /// RSET.
    pub const RESET: Reply = Reply::fixed(250, Some((2, 0, 0)), "Flushed");
    /// MAIL accepted.
    pub const SENDER_OK: Reply = Reply::fixed(250, Some((2, 1, 0)), "Sender ok");
    /// RCPT accepted.
    pub const RECIPIENT_OK: Reply = Reply::fixed(250, Some((2, 1, 5)), "Recipient ok");
    /// DATA accepted: send the message.
    pub const START_MAIL: Reply = Reply::fixed(354, None, "End data with <CR><LF>.<CR><LF>");
    /// A BDAT chunk taken, RFC 3030 2.
    pub fn chunk_taken(octets: u64) -> Reply {
        Reply::fixed(250, Some((2, 0, 0)), "").with_text(format!("{octets} octets received"))
    }
    /// The message is durable and ours.
    pub fn queued(id: &str) -> Reply {
        Reply::fixed(250, Some((2, 0, 0)), "").with_text(format!("Ok: queued as {id}"))
    }
    /// VRFY: we neither confirm nor deny, RFC 5321 3.5.3.
    pub const CANNOT_VERIFY: Reply =
        Reply::fixed(252, Some((2, 5, 2)), "Cannot VRFY user, but will accept message and attempt delivery");
    /// HELP.
    pub const HELP: Reply = Reply::fixed(214, Some((2, 0, 0)), "See RFC 5321");
    /// A verb that nobody knows.
    pub const UNKNOWN_COMMAND: Reply = Reply::fixed(500, Some((5, 5, 2)), "Command not recognized");
    /// A verb that we know and do not serve (EXPN, ETRN, TURN).
    pub const NOT_IMPLEMENTED: Reply = Reply::fixed(502, Some((5, 5, 1)), "Command not implemented");
    /// A bad argument.
    pub const SYNTAX: Reply = Reply::fixed(501, Some((5, 5, 4)), "Syntax error in parameters or arguments");
    /// A path that is no mailbox.
    pub const BAD_ADDRESS: Reply = Reply::fixed(501, Some((5, 1, 3)), "Bad address syntax");
    /// The same for MAIL, RFC 3463 3.2.
    pub const BAD_SENDER_ADDRESS: Reply = Reply::fixed(501, Some((5, 1, 7)), "Bad sender address syntax");
    /// A parameter that was not announced, RFC 5321 4.1.1.11.
    pub const UNKNOWN_PARAMETER: Reply = Reply::fixed(555, Some((5, 5, 4)), "Unsupported parameter");
    /// A non-ASCII address without SMTPUTF8, RFC 6531 3.5.
    pub const NEEDS_SMTPUTF8: Reply = Reply::fixed(553, Some((5, 6, 7)), "SMTPUTF8 required");
    /// A command line over the limit, RFC 5321 4.5.3.1.9.
    pub const LINE_TOO_LONG: Reply = Reply::fixed(500, Some((5, 5, 2)), "Line too long");
    /// CR or LF alone in a command line, or a NUL.
    pub const BARE_LINE_END: Reply = Reply::fixed(500, Some((5, 5, 2)), "Bare CR, LF or NUL in command");
    /// A command that does not fit the state.
    pub const BAD_SEQUENCE: Reply = Reply::fixed(503, Some((5, 5, 1)), "Bad sequence of commands");
    /// No EHLO or HELO yet.
    pub const HELLO_FIRST: Reply = Reply::fixed(503, Some((5, 5, 1)), "Send EHLO first");
    /// Input after a command that ends a pipeline group, RFC 2920 3.1 and RFC 3207 4.2.
    pub const PIPELINING_ABUSE: Reply = Reply::fixed(554, Some((5, 5, 0)), "Improper use of SMTP command pipelining");
    /// DATA without one accepted recipient.
    pub const NO_VALID_RECIPIENTS: Reply = Reply::fixed(554, Some((5, 5, 1)), "No valid recipients");
    /// Too many recipients in one transaction, RFC 5321 4.5.3.1.10.
    pub const TOO_MANY_RECIPIENTS: Reply = Reply::fixed(452, Some((4, 5, 3)), "Too many recipients");
    /// Over the size that was announced, RFC 1870 6.
    pub const TOO_BIG: Reply = Reply::fixed(552, Some((5, 3, 4)), "Message size exceeds fixed limit");
    /// A bare CR, a bare LF or a NUL in a message from outside, RFC 5321 2.3.8.
    pub const BARE_LINE_END_IN_MESSAGE: Reply = Reply::fixed(554, Some((5, 6, 0)), "Message holds a bare CR, LF or NUL");
    /// A text line that nobody could pass on, RFC 5321 4.5.3.1.6.
    pub const TEXT_LINE_TOO_LONG: Reply = Reply::fixed(554, Some((5, 6, 0)), "Message holds an over-long line");
    /// More Received fields than a message that does not loop has, RFC 5321 6.3.
    pub const TOO_MANY_HOPS: Reply = Reply::fixed(554, Some((5, 4, 6)), "Too many hops");
    /// More header than is looked at.
    pub const HEADER_TOO_LARGE: Reply = Reply::fixed(554, Some((5, 6, 0)), "Message header is too large");
    /// A snapshot or table could not be read.
    pub const LOCAL_ERROR: Reply = Reply::fixed(451, Some((4, 3, 0)), "Local error in processing, try again later");
    /// The spool did not take the message.
    pub const INSUFFICIENT_STORAGE: Reply = Reply::fixed(452, Some((4, 3, 1)), "Insufficient system storage");
    /// Too many sessions, or the daemon is going down, RFC 5321 3.8.
    pub const SERVICE_CLOSING: Reply = Reply::fixed(421, Some((4, 3, 2)), "Service not available, closing transmission channel");
    /// Too many sessions at once.
    pub const TOO_MANY_CONNECTIONS: Reply = Reply::fixed(421, Some((4, 7, 0)), "Too many connections, try again later");
    /// More messages than one client may send in a time.
    pub const TOO_MANY_MESSAGES: Reply = Reply::fixed(450, Some((4, 7, 1)), "Too many messages, try again later");
    /// More people written to for the first time than one user may in a time.
    pub const TOO_MANY_NEW_RECIPIENTS: Reply = Reply::fixed(450, Some((4, 7, 1)), "Too many new recipients, try again later");
    /// Spoken before the greeting, RFC 5321 4.3.1; 554 instead of a greeting, RFC 5321 3.1.
    pub const SPOKE_EARLY: Reply = Reply::fixed(554, Some((5, 5, 0)), "You spoke before you were greeted");
    /// Nothing came for too long, RFC 5321 4.5.3.2.7.
    pub const TIMEOUT: Reply = Reply::fixed(421, Some((4, 4, 2)), "Timeout, closing transmission channel");
    /// Too many errors in one session.
    pub const TOO_MANY_ERRORS: Reply = Reply::fixed(421, Some((4, 7, 0)), "Too many errors, closing transmission channel");
    /// AUTH succeeded, RFC 4954 4.
    pub const AUTHENTICATED: Reply = Reply::fixed(235, Some((2, 7, 0)), "Authentication successful");
    /// AUTH failed; the same for an unknown user and a wrong password.
    pub const BAD_CREDENTIALS: Reply = Reply::fixed(535, Some((5, 7, 8)), "Authentication credentials invalid");
    /// The client gave up with `*`, RFC 4954 4.
    pub const AUTH_CANCELLED: Reply = Reply::fixed(501, Some((5, 7, 0)), "Authentication cancelled");
    /// A response that is not base64, RFC 4954 4.
    pub const AUTH_MALFORMED: Reply = Reply::fixed(501, Some((5, 5, 2)), "Cannot decode response");
    /// A mechanism that is not offered, RFC 4954 4.
    pub const UNKNOWN_MECHANISM: Reply = Reply::fixed(504, Some((5, 5, 4)), "Unrecognized authentication type");
    /// The user store could not be read, RFC 4954 6.
    pub const AUTH_UNAVAILABLE: Reply = Reply::fixed(454, Some((4, 7, 0)), "Temporary authentication failure");
    /// Too many logins failed of late, from this address or for this account, RFC 4954 6. Says nothing of the password.
    pub const AUTH_LOCKED: Reply = Reply::fixed(454, Some((4, 7, 0)), "Too many failed logins, try again later");
    /// AUTH where none is offered.
    pub const AUTH_NOT_OFFERED: Reply = Reply::fixed(503, Some((5, 5, 1)), "Authentication not enabled");
    /// A SASL challenge: base64, perhaps empty, RFC 4954 4.
    pub fn challenge(base64: String) -> Reply {
        Reply::fixed(334, None, "").with_text(base64)
    }
}

/// Replies that a client makes up for a peer that gave none, so that logs, bounces and the queue know one form only.
impl Reply {
    /// No connection could be made.
    pub fn unreachable(text: String) -> Reply {
        Reply::fixed(450, Some((4, 4, 1)), "").with_text(text)
    }
    /// The connection broke, or the peer was silent for too long.
    pub fn lost(text: String) -> Reply {
        Reply::fixed(450, Some((4, 4, 2)), "").with_text(text)
    }
    /// The peer's answers are no SMTP.
    pub fn babble(text: String) -> Reply {
        Reply::fixed(450, Some((4, 5, 0)), "").with_text(text)
    }
    /// TLS could not be had at the level that the site demands.
    pub fn tls_failed(text: String) -> Reply {
        Reply::fixed(450, Some((4, 7, 5)), "").with_text(text)
    }
    /// The peer offers no way to log in that we speak.
    pub fn login_unavailable(text: String) -> Reply {
        Reply::fixed(450, Some((4, 7, 0)), "").with_text(text)
    }
    /// Our own trouble on the way out: a file, a credential, a snapshot.
    pub fn local_trouble(text: String) -> Reply {
        Reply::fixed(451, Some((4, 3, 0)), "").with_text(text)
    }
    /// The mailbox holds as much as it may, RFC 3463 3.3.
    pub fn mailbox_full(text: String) -> Reply {
        Reply::fixed(452, Some((4, 2, 2)), "").with_text(text)
    }
    /// DNS did not answer.
    pub fn dns_failed(text: String) -> Reply {
        Reply::fixed(451, Some((4, 4, 3)), "").with_text(text)
    }
    /// DNS says that the destination does not exist, RFC 3463 3.2.
    pub fn no_such_domain(text: String) -> Reply {
        Reply::fixed(550, Some((5, 1, 2)), "").with_text(text)
    }
    /// The destination takes no mail, RFC 7505 4.
    pub fn null_mx(text: String) -> Reply {
        Reply::fixed(556, Some((5, 1, 10)), "").with_text(text)
    }
    /// The way leads back to us, RFC 5321 5.1 and RFC 3463 3.5.
    pub fn loops_back(text: String) -> Reply {
        Reply::fixed(554, Some((5, 4, 6)), "").with_text(text)
    }
    /// The peer cannot take this message: it lacks SMTPUTF8, RFC 6531 3.5.
    pub fn peer_lacks_smtputf8(text: String) -> Reply {
        Reply::fixed(550, Some((5, 6, 7)), "").with_text(text)
    }
    /// The peer does not promise to pass it on under TLS alone, RFC 8689 4.2.1.
    pub fn peer_lacks_requiretls(text: String) -> Reply {
        Reply::fixed(550, Some((5, 7, 30)), "").with_text(text)
    }
    /// The peer announced a smaller size, RFC 1870 6.
    pub fn peer_size(text: String) -> Reply {
        Reply::fixed(552, Some((5, 3, 4)), "").with_text(text)
    }
    /// It stayed in the queue for its whole lifetime, RFC 3463 3.5.
    pub fn expired(text: String) -> Reply {
        Reply::fixed(550, Some((5, 4, 7)), "").with_text(text)
    }
    /// The site says that mail for this recipient fails.
    pub fn site_refuses(text: String) -> Reply {
        Reply::fixed(550, Some((5, 2, 1)), "").with_text(text)
    }
    /// What the exit status of a program means that was given a message (sysexits(3), as Postfix's pipe(8) reads them).
    pub fn of_exit_status(status: i32, text: String) -> Reply {
        let (code, status) = match status {
            0 => (250, (2, 0, 0)),
            65 => (550, (5, 6, 0)),
            67 => (550, (5, 1, 1)),
            68 => (550, (5, 1, 2)),
            71 | 75 => (450, (4, 3, 0)),
            73 => (550, (5, 2, 0)),
            76 => (550, (5, 5, 0)),
            77 => (550, (5, 7, 0)),
            78 => (550, (5, 3, 5)),
            _ => (550, (5, 3, 0)),
        };
        Reply::fixed(code, Some(status), "").with_text(text)
    }
    /// Delivered here.
    pub fn delivered(text: String) -> Reply {
        Reply::fixed(250, Some((2, 0, 0)), "").with_text(text)
    }
    /// It is held until the operator lets it go; what the queue shows of it.
    pub fn held(reason: Reason) -> Reply {
        Reply::fixed(450, Some((4, 7, 1)), "").with_text(format!("Held: {reason}"))
    }
    /// The operator deleted it.
    pub fn deleted(text: String) -> Reply {
        Reply::fixed(550, Some((5, 7, 0)), "").with_text(text)
    }
}

impl Reason {
    /// What a peer is told. One reply per reason; the reason's name goes to the log.
    pub fn reply(self) -> Reply {
        match self {
            Reason::SenderAccepted => Reply::SENDER_OK,
            Reason::ContentAccepted | Reason::DmarcQuarantine | Reason::SpfQuarantine | Reason::ArcTrusted => {
                Reply::fixed(250, Some((2, 0, 0)), "Ok")
            }
            Reason::SpfFailed => Reply::fixed(550, Some((5, 7, 23)), "Client may not send for this domain (SPF)"),
            Reason::SpfUnknown => Reply::fixed(451, Some((4, 7, 24)), "SPF could not be looked up"),
            Reason::DmarcFailed => Reply::fixed(550, Some((5, 7, 26)), "Not authentic, says the domain in From (DMARC)"),
            Reason::CannotSign => Reply::fixed(451, Some((4, 7, 5)), "Message cannot be signed now"),
            Reason::DmarcUnknown => Reply::fixed(451, Some((4, 7, 26)), "DMARC could not be looked up"),
            Reason::LocalRecipient
            | Reason::RelayDomain
            | Reason::AuthenticatedRelay
            | Reason::TrustedNetwork
            | Reason::TrustedCertificate
            | Reason::TrustedPeer
            | Reason::LocalSubmission
            | Reason::LocalDelivery
            | Reason::BounceReturned
            | Reason::Archived
            | Reason::Routed => Reply::RECIPIENT_OK,
            Reason::SrsInvalid => Reply::fixed(550, Some((5, 1, 1)), "No such bounce address here"),
            Reason::SrsExpired => Reply::fixed(550, Some((5, 1, 6)), "Bounce address has expired"),
            Reason::SrsNotBounce => Reply::fixed(550, Some((5, 7, 1)), "Address takes bounces only"),
            Reason::SrsUnknown => Reply::fixed(451, Some((4, 3, 0)), "Bounce address cannot be checked now"),
            Reason::ForwardingLoop => Reply::fixed(554, Some((5, 4, 6)), "Mail forwarding loop"),
            Reason::MailboxGone => Reply::fixed(450, Some((4, 2, 1)), "Mailbox unavailable"),
            Reason::PeerNotListed => Reply::fixed(554, Some((5, 7, 1)), "Not for you"),
            Reason::RelayDenied => Reply::fixed(554, Some((5, 7, 1)), "Relay access denied"),
            Reason::UnknownMailbox => Reply::fixed(550, Some((5, 1, 1)), "No such user here"),
            Reason::NullMxDomain => Reply::fixed(556, Some((5, 1, 10)), "Domain takes no mail"),
            Reason::EncryptionRequired => Reply::TLS_FIRST,
            Reason::AuthenticationRequired => Reply::fixed(530, Some((5, 7, 0)), "Authentication required"),
            Reason::SenderNotOwned => Reply::fixed(553, Some((5, 7, 1)), "Sender address not owned by user"),
            Reason::AuthorNotOwned => Reply::fixed(550, Some((5, 7, 1)), "From address not owned by user"),
            Reason::SenderDomainNonexistent => Reply::fixed(550, Some((5, 1, 8)), "Sender domain does not exist"),
            Reason::SenderDomainNullMx => Reply::fixed(550, Some((5, 7, 27)), "Sender domain takes no mail"),
            Reason::SenderDomainUnknown => Reply::fixed(451, Some((4, 1, 8)), "Sender domain could not be looked up"),
            Reason::ClientListed => Reply::fixed(554, Some((5, 7, 1)), "Client host is on a block list"),
            Reason::Greylisted => Reply::fixed(451, Some((4, 7, 1)), "Greylisted, try again in some minutes"),
            Reason::PoorReputation => Reply::fixed(450, Some((4, 7, 1)), "Too many errors of late, try again later"),
            Reason::HeloNotFqdn => Reply::fixed(504, Some((5, 5, 2)), "Greet with a full host name"),
            Reason::HeloUnresolvable => Reply::fixed(450, Some((4, 7, 1)), "Host name of the greeting not found"),
            Reason::ExpansionTooLarge => Reply::fixed(451, Some((4, 2, 4)), "Recipient expands to too many addresses"),
            Reason::NoRoute => Reply::fixed(451, Some((4, 4, 0)), "No route to destination"),
            Reason::LookupFailed => Reply::LOCAL_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn several_lines_repeat_code_and_status() {
        let reply = Reply { text: "a\nb".into(), ..Reply::OK };
        assert_eq!(wire(&reply), "250-2.0.0 a\r\n250 2.0.0 b\r\n");
        assert_eq!(wire(&Reply::challenge(String::new())), "334 \r\n");
    }

    #[test]
    fn no_text_breaks_a_line() {
        assert_eq!(wire(&Reply { text: "a\rb\u{e9}".into(), ..Reply::OK }), "250 2.0.0 a?b??\r\n");
    }

    #[test]
    fn a_peers_status_is_taken_when_its_class_fits() {
        let code = ReplyCode::parse(b"550").unwrap();
        let reply = Reply::from_peer(code, "5.1.1 No such user\n5.1.1 really");
        assert_eq!(reply.to_string(), "550 5.1.1 No such user really");
        assert_eq!(Reply::from_peer(code, "4.1.1 odd").status, None);
        assert_eq!(Reply::from_peer(code, "").to_string(), "550");
    }

    #[test]
    fn a_reply_without_status_has_that_of_its_class() {
        let status = |code: &[u8], text| Reply::from_peer(ReplyCode::parse(code).unwrap(), text).status_or_class();
        assert_eq!(status(b"450", "later").to_string(), "4.0.0");
        assert_eq!(status(b"550", "no").to_string(), "5.0.0");
        assert_eq!(status(b"550", "5.1.1 no").to_string(), "5.1.1");
        assert_eq!(status(b"550", "5.1.1 no").subject(), StatusSubject::Address);
        assert_eq!(status(b"550", "5.99.1 no").subject(), StatusSubject::Other);
    }

    #[test]
    fn codes_outside_the_rfc_are_none() {
        for text in [&b"199"[..], b"600", b"25", b"2500", b"2x0"] {
            assert_eq!(ReplyCode::parse(text), None);
        }
        for text in ["1.0.0", "5.1", "5.1.1.1", "5.1.1000", "5..1", "5.+1.1"] {
            assert_eq!(EnhancedStatus::parse(text), None);
        }
    }
}
