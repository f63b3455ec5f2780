//! The parameters of MAIL and RCPT (RFC 5321 4.1.1.11): `KEYWORD` or `KEYWORD=value`, each at most once.

use super::BodyKind;
use super::dsn::{Notify, OriginalRecipient, Return, Xtext};
use postern_schema::reply::Reply;

/// The parameters of MAIL; `None`: not given.
#[derive(Default)]
pub(super) struct MailParameters {
    pub(super) size_octets: Option<u64>,
    pub(super) body: Option<BodyKind>,
    pub(super) smtputf8: Option<()>,
    pub(super) require_tls: Option<()>,
    pub(super) ret: Option<Return>,
    pub(super) envelope_id: Option<Xtext>,
    on_behalf_of: Option<()>,
}

/// The parameters of RCPT; `None`: not given.
#[derive(Default)]
pub(super) struct RcptParameters {
    pub(super) notify: Option<Notify>,
    pub(super) original_recipient: Option<OriginalRecipient>,
}

pub(super) fn parse_mail(text: &str) -> Result<MailParameters, Reply> {
    let mut found = MailParameters::default();
    for parameter in split(text) {
        let (keyword, value) = parameter?;
        match keyword.to_ascii_uppercase().as_str() {
            "SIZE" => set(&mut found.size_octets, parse_size(required(value)?))?,
            "BODY" => set(&mut found.body, parse_body(required(value)?))?,
            "SMTPUTF8" => set(&mut found.smtputf8, value.is_none().then_some(()))?,
            "REQUIRETLS" => set(&mut found.require_tls, value.is_none().then_some(()))?,
            "RET" => set(&mut found.ret, Return::parse(required(value)?))?,
            "ENVID" => set(&mut found.envelope_id, Xtext::parse_envelope_id(required(value)?))?,
            // Who submitted it to the client, of which we take no notice (RFC 4954 5).
            "AUTH" => set(&mut found.on_behalf_of, parse_auth(required(value)?))?,
            _ => return Err(Reply::UNKNOWN_PARAMETER),
        }
    }
    Ok(found)
}

pub(super) fn parse_rcpt(text: &str) -> Result<RcptParameters, Reply> {
    let mut found = RcptParameters::default();
    for parameter in split(text) {
        let (keyword, value) = parameter?;
        match keyword.to_ascii_uppercase().as_str() {
            "NOTIFY" => set(&mut found.notify, Notify::parse(required(value)?))?,
            "ORCPT" => set(&mut found.original_recipient, OriginalRecipient::parse(required(value)?))?,
            _ => return Err(Reply::UNKNOWN_PARAMETER),
        }
    }
    Ok(found)
}

/// The parameters, one by one: keyword, and value if there is one.
fn split(text: &str) -> impl Iterator<Item = Result<(&str, Option<&str>), Reply>> {
    text.split(' ').filter(|word| !word.is_empty()).map(|word| {
        let (keyword, value) = match word.split_once('=') {
            None => (word, None),
            Some((keyword, value)) => (keyword, Some(value)),
        };
        let is_keyword = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
            && keyword.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        // RFC 5321 4.1.2 `esmtp-value`, with UTF-8 (RFC 6531 3.3).
        let is_value = value.is_none_or(|value| !value.is_empty() && !value.contains(|c: char| c.is_control() || c == '='));
        if is_keyword && is_value { Ok((keyword, value)) } else { Err(Reply::SYNTAX) }
    })
}

fn required(value: Option<&str>) -> Result<&str, Reply> {
    value.ok_or(Reply::SYNTAX)
}

/// Puts a value in its place: it must be valid, and the first of its kind.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> Result<(), Reply> {
    if place.is_some() || value.is_none() {
        return Err(Reply::SYNTAX);
    }
    *place = value;
    Ok(())
}

/// RFC 1870 5: up to twenty digits. What no `u64` holds is too big for anybody, and is told so.
fn parse_size(value: &str) -> Option<u64> {
    let is_number = value.len() <= 20 && value.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
}

fn parse_body(value: &str) -> Option<BodyKind> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Some(BodyKind::SevenBit),
        "8BITMIME" => Some(BodyKind::EightBit),
        "BINARYMIME" => Some(BodyKind::Binary),
        _ => None,
    }
}

fn parse_auth(value: &str) -> Option<()> {
    (value == "<>" || Xtext::parse(value).is_some()).then_some(())
}
