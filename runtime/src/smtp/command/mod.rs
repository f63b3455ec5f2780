//! Parses one command line (RFC 5321 4.1.1): the verb, then the argument that this verb takes.
//!
//! Whether a command fits the state of the session is for [`super::server`] to say, which asks that before it has an argument
//! parsed. A fault is the reply that it earns; the client never comes by here.

mod client;
mod dsn;
mod parameters;
mod path;

pub use client::{ClientOverride, parse_client};
pub use dsn::{Notify, OriginalRecipient, Return, Xtext};

use postern_schema::name::{ForwardPath, HostName, ReversePath};
use postern_schema::reply::Reply;
use std::net::IpAddr;

/// What a command line begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// RFC 5321 4.1.1.1.
    Ehlo,
    /// RFC 5321 4.1.1.1.
    Helo,
    /// RFC 2033 4.1.
    Lhlo,
    /// RFC 5321 4.1.1.2.
    Mail,
    /// RFC 5321 4.1.1.3.
    Rcpt,
    /// RFC 5321 4.1.1.4.
    Data,
    /// RFC 3030 2.
    Bdat,
    /// RFC 5321 4.1.1.5.
    Rset,
    /// RFC 5321 4.1.1.6.
    Vrfy,
    /// RFC 5321 4.1.1.8.
    Help,
    /// RFC 5321 4.1.1.9.
    Noop,
    /// RFC 5321 4.1.1.10.
    Quit,
    /// RFC 3207 4.
    StartTls,
    /// RFC 4954 4.
    Auth,
    /// Postfix's XCLIENT_README.
    Xclient,
    /// Postfix's XFORWARD_README.
    Xforward,
    /// EXPN, ETRN, TURN, and SEND, SOML and SAML of RFC 821: known, and not served.
    Unserved,
    /// Anything else.
    Unknown,
}

impl Verb {
    fn parse(word: &[u8]) -> Verb {
        let mut upper = [0; 8];
        let Some(upper) = upper.get_mut(..word.len()) else { return Verb::Unknown };
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        match &*upper {
            b"EHLO" => Verb::Ehlo,
            b"HELO" => Verb::Helo,
            b"LHLO" => Verb::Lhlo,
            b"MAIL" => Verb::Mail,
            b"RCPT" => Verb::Rcpt,
            b"DATA" => Verb::Data,
            b"BDAT" => Verb::Bdat,
            b"RSET" => Verb::Rset,
            b"VRFY" => Verb::Vrfy,
            b"HELP" => Verb::Help,
            b"NOOP" => Verb::Noop,
            b"QUIT" => Verb::Quit,
            b"STARTTLS" => Verb::StartTls,
            b"AUTH" => Verb::Auth,
            b"XCLIENT" => Verb::Xclient,
            b"XFORWARD" => Verb::Xforward,
            b"EXPN" | b"ETRN" | b"TURN" | b"SEND" | b"SOML" | b"SAML" => Verb::Unserved,
            _ => Verb::Unknown,
        }
    }

    /// Whether it brings no mail nearer, however often it is said.
    pub fn is_junk(self) -> bool {
        matches!(self, Verb::Ehlo | Verb::Helo | Verb::Lhlo | Verb::Noop | Verb::Rset | Verb::Vrfy | Verb::Help)
    }

    /// Whether a client has to wait for the reply before it sends anything else: what may follow depends on it (RFC 2920 3.1,
    /// RFC 3207 4, RFC 4954 4). NOOP and VRFY are of this kind too, but clients exist that do not wait, and nothing is at stake.
    pub fn ends_group(self) -> bool {
        matches!(self, Verb::Ehlo | Verb::Helo | Verb::Lhlo | Verb::Data | Verb::StartTls | Verb::Auth | Verb::Xclient)
    }
}

/// Splits a line into verb and argument; the line end and blanks before it are dropped (RFC 5321 4.1.1).
pub fn split(line: &[u8]) -> (Verb, &[u8]) {
    let line = line.trim_ascii_end();
    match line.iter().position(|&octet| octet == b' ') {
        None => (Verb::parse(line), b""),
        Some(at) => (Verb::parse(&line[..at]), line[at + 1..].trim_ascii_start()),
    }
}

/// What the client says of the octets of the message: the value of BODY.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BodyKind {
    /// Nothing, or that all of them are ASCII (RFC 6152 2).
    #[default]
    SevenBit,
    /// Lines of text may hold octets beyond ASCII (RFC 6152 2).
    EightBit,
    /// Parts may hold anything, so it comes by BDAT (RFC 3030 3).
    Binary,
}

/// What MAIL asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailRequest {
    /// The sender.
    pub reverse_path: ReversePath,
    /// SIZE: what the client believes the message to have, in octets (RFC 1870 5).
    pub size_octets: Option<u64>,
    /// BODY.
    pub body: BodyKind,
    /// SMTPUTF8: addresses and header fields may hold UTF-8 (RFC 6531 3.4).
    pub smtputf8: bool,
    /// REQUIRETLS: every hop is to be verified (RFC 8689 2).
    pub require_tls: bool,
    /// RET (RFC 3461 4.3).
    pub ret: Option<Return>,
    /// ENVID (RFC 3461 4.4).
    pub envelope_id: Option<Xtext>,
}

/// What RCPT asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecipientRequest {
    /// The recipient.
    pub forward_path: ForwardPath,
    /// NOTIFY (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// ORCPT (RFC 3461 4.2).
    pub original_recipient: Option<OriginalRecipient>,
}

/// Reads the argument of MAIL: `FROM:<path> parameters`.
///
/// # Errors
/// The reply to a bad argument.
pub fn parse_mail(argument: &[u8]) -> Result<MailRequest, Reply> {
    let (path, rest) = path::split(argument, "FROM:", Reply::BAD_SENDER_ADDRESS)?;
    let parameters = parameters::parse_mail(rest)?;
    let smtputf8 = parameters.smtputf8.is_some();
    if !path.is_ascii() && !smtputf8 {
        return Err(Reply::NEEDS_SMTPUTF8);
    }
    Ok(MailRequest {
        reverse_path: path::parse_reverse(path).ok_or(Reply::BAD_SENDER_ADDRESS)?,
        size_octets: parameters.size_octets,
        body: parameters.body.unwrap_or_default(),
        smtputf8,
        require_tls: parameters.require_tls.is_some(),
        ret: parameters.ret,
        envelope_id: parameters.envelope_id,
    })
}

/// Reads the argument of RCPT: `TO:<path> parameters`. `smtputf8`: whether MAIL asked for it.
///
/// # Errors
/// The reply to a bad argument.
pub fn parse_rcpt(argument: &[u8], smtputf8: bool) -> Result<RecipientRequest, Reply> {
    let (path, rest) = path::split(argument, "TO:", Reply::BAD_ADDRESS)?;
    let parameters = parameters::parse_rcpt(rest)?;
    if !path.is_ascii() && !smtputf8 {
        return Err(Reply::NEEDS_SMTPUTF8);
    }
    Ok(RecipientRequest {
        forward_path: path::parse_forward(path).ok_or(Reply::BAD_ADDRESS)?,
        notify: parameters.notify,
        original_recipient: parameters.original_recipient,
    })
}

/// Reads the argument of EHLO or HELO: a domain or an address literal (RFC 5321 4.1.1.1). Many a device sends a bare address, or
/// an IPv6 literal without its tag, and is let in.
///
/// # Errors
/// The reply to anything else.
pub fn parse_hello(argument: &[u8]) -> Result<Box<str>, Reply> {
    let text = std::str::from_utf8(argument).map_err(|_| Reply::SYNTAX)?;
    if let Ok(name) = HostName::parse(text) {
        return Ok(name.to_string().into());
    }
    let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    address.parse::<IpAddr>().map(|_| text.into()).map_err(|_| Reply::SYNTAX)
}

/// Reads the argument of BDAT: a number of octets, and whether this is the last chunk (RFC 3030 2). `None` for anything else:
/// then nobody knows where the chunk ends.
pub fn parse_bdat(argument: &[u8]) -> Option<(u64, bool)> {
    let text = std::str::from_utf8(argument).ok()?;
    let (count, last) = match text.split_once(' ') {
        None => (text, false),
        Some((count, word)) if word.trim_start().eq_ignore_ascii_case("LAST") => (count, true),
        Some(_) => return None,
    };
    if !count.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    Some((count.parse().ok()?, last))
}

/// Reads the argument of AUTH: the mechanism's name, and the initial response if there is one (RFC 4954 4).
///
/// # Errors
/// The reply to anything else.
pub fn parse_auth(argument: &[u8]) -> Result<(&str, Option<&[u8]>), Reply> {
    let text = std::str::from_utf8(argument).map_err(|_| Reply::SYNTAX)?;
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    match (words.next(), words.next(), words.next()) {
        (Some(mechanism), response, None) => Ok((mechanism, response.map(str::as_bytes))),
        _ => Err(Reply::SYNTAX),
    }
}

#[cfg(test)]
mod tests;
