//! The argument of XCLIENT and XFORWARD: `NAME=value` pairs in xtext, as Postfix's XCLIENT_README has them.

use super::Xtext;
use postern_schema::reply::Reply;
use std::net::IpAddr;

/// Attributes that say nothing we go by.
const OTHERS: [&str; 7] = ["NAME", "PORT", "PROTO", "DESTADDR", "DESTPORT", "IDENT", "SOURCE"];
/// What stands for a value that is not there.
const UNAVAILABLE: [&str; 2] = ["[UNAVAILABLE]", "[TEMPUNAVAIL]"];

/// Who somebody says that a session is with.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ClientOverride {
    /// ADDR; `None`: as before.
    pub address: Option<IpAddr>,
    /// HELO.
    pub helo: Option<Box<str>>,
    /// LOGIN; `None`: nobody has logged in.
    pub login: Option<Box<str>>,
}

/// Reads it. An address that is not available is no address to go on with: the one that says so may be trusted with more than its
/// client.
///
/// # Errors
/// The reply to anything else.
pub fn parse_client(argument: &[u8]) -> Result<ClientOverride, Reply> {
    let text = std::str::from_utf8(argument).map_err(|_| Reply::SYNTAX)?;
    let mut said = ClientOverride::default();
    let mut pairs = text.split(' ').filter(|pair| !pair.is_empty()).peekable();
    if pairs.peek().is_none() {
        return Err(Reply::SYNTAX);
    }
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or(Reply::SYNTAX)?;
        let value = Xtext::parse(value).ok_or(Reply::SYNTAX)?.decode();
        let is_there = !UNAVAILABLE.iter().any(|word| word.eq_ignore_ascii_case(&value));
        match name.to_ascii_uppercase().as_str() {
            "ADDR" => {
                let address =
                    if value.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case("IPV6:")) { &value[5..] } else { &value };
                said.address = Some(address.parse::<IpAddr>().map_err(|_| Reply::SYNTAX)?.to_canonical());
            }
            "HELO" if is_there => said.helo = Some(super::parse_hello(value.as_bytes())?),
            "LOGIN" if is_there && value.contains(char::is_control) => return Err(Reply::SYNTAX),
            "LOGIN" if is_there => said.login = Some(value.into()),
            "HELO" | "LOGIN" => {}
            name if OTHERS.contains(&name) => {}
            _ => return Err(Reply::SYNTAX),
        }
    }
    Ok(said)
}
