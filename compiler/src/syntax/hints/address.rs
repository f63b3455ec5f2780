//! IP addresses, networks, `host:port` and `[host]:port` without quotes.

use super::{Hint, quoted};
use crate::syntax::Value;
use crate::syntax::value::host_and_port;
use ipnet::IpNet;
use std::net::IpAddr;

pub(super) fn judge(word: &str) -> Option<Hint> {
    // `::1` and `fe80::1` are fine as they are: only what KDL cannot read is a mistake.
    if !super::plain::is_unreadable(word) {
        return None;
    }
    let bracketed = word.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let what = if word.parse::<IpAddr>().is_ok() {
        "an IP address"
    } else if word.parse::<IpNet>().is_ok() {
        "a network"
    } else if bracketed.is_some_and(|(_, rest)| rest.is_empty()) {
        "an address in brackets"
    } else if host_and_port(word).is_some() {
        return Some(with_port(word));
    } else {
        return None;
    };
    Some(Hint {
        code: "KDL010",
        message: format!("`{word}` is {what} without quotes"),
        instead: quoted(word),
        meaning: Value::String(word.to_owned()),
    })
}

fn with_port(word: &str) -> Hint {
    let code = if word.starts_with('[') { "KDL037" } else { "KDL010" };
    let message = format!("`{word}` is a host with a port, without quotes");
    Hint { code, message, instead: quoted(word), meaning: Value::String(word.to_owned()) }
}
