//! The mail host and its addresses: whether those who look for it find it, and whether those who hear from it can tell its name.
//! Each answer says whether the claim holds, `None` where DNS did not answer, and what was found.

use super::client::{Answer, Client, Silence};
use postern_schema::name::Domain;
use postern_schema::record::{Owner, RecordKind};
use std::net::IpAddr;

/// An MX names a host with addresses, and no alias (RFC 2181 10.3).
pub fn reachable(client: &Client, host: &Domain) -> (Option<bool>, String) {
    let mut addresses = Vec::new();
    for kind in [RecordKind::A, RecordKind::Aaaa] {
        match client.ask(host.as_str(), kind) {
            Err(silence) => return (None, silence.to_string()),
            Ok(Answer::Found(found)) if found.iter().any(|live| live.is_behind_alias) => {
                return (Some(false), "it is an alias, which an MX may not name".to_owned());
            }
            Ok(Answer::Found(found)) => addresses.extend(found.into_iter().map(|live| live.value)),
            Ok(Answer::Nothing | Answer::Nonexistent) => {}
        }
    }
    if addresses.is_empty() { (Some(false), "it has no address".to_owned()) } else { (Some(true), addresses.join(" ")) }
}

/// The address has the name of the host among those of its names that lead back to it (RFC 1912 2.1).
pub fn named(client: &Client, address: IpAddr, host: &Domain) -> (Option<bool>, String) {
    match names(client, address.to_canonical()) {
        Err(silence) => (None, silence.to_string()),
        Ok((names, _)) if names.is_empty() => (Some(false), "it has no name".to_owned()),
        Ok((names, confirmed)) => {
            let is_host = confirmed.iter().any(|name| name == host.as_str());
            let detail =
                if is_host || confirmed.is_empty() { names.join(" ") } else { format!("{} (not {host})", confirmed.join(" ")) };
            let detail = if confirmed.is_empty() { format!("{detail}, which does not lead back") } else { detail };
            (Some(is_host), detail)
        }
    }
}

/// The names of an address, then those of them that lead back to it.
fn names(client: &Client, address: IpAddr) -> Result<(Vec<String>, Vec<String>), Silence> {
    let Answer::Found(found) = client.ask(Owner::reverse(address).as_str(), RecordKind::Ptr)? else {
        return Ok(Default::default());
    };
    let all: Vec<String> = found.into_iter().map(|live| live.value.trim_end_matches('.').to_owned()).collect();
    let kind = if address.is_ipv4() { RecordKind::A } else { RecordKind::Aaaa };
    let mut confirmed = Vec::new();
    for name in &all {
        if let Answer::Found(found) = client.ask(name, kind)?
            && found.iter().any(|live| live.value.parse() == Ok(address))
        {
            confirmed.push(name.clone());
        }
    }
    Ok((all, confirmed))
}
