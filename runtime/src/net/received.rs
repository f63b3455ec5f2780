//! The Received field that every message gets on its way in (RFC 5321 4.4).

use crate::queue::{QueueId, date};
use postern_schema::name::Mailbox;
use std::net::IpAddr;

/// What the field tells.
pub struct Facts<'a> {
    /// What the client called itself.
    pub helo: &'a str,
    /// Its address.
    pub client: IpAddr,
    /// Our name.
    pub hostname: &'a str,
    /// The `with` keyword (RFC 3848).
    pub protocol: &'a str,
    /// The user of this host whose program handed it in; then there was no session.
    pub local_user: Option<&'a str>,
    /// Version and cipher of TLS.
    pub protection: Option<&'a str>,
    /// The name of the message in our queue.
    pub id: QueueId,
    /// The recipient, if there is just one: several must not learn of each other (RFC 5321 7.2).
    pub recipient: Option<&'a Mailbox>,
    /// When the transaction began, in milliseconds since the epoch.
    pub arrival_ms: u64,
}

/// The field with its line ends. A user who logged in is not named, and neither is what is private about them.
pub fn field(facts: &Facts<'_>) -> Vec<u8> {
    let client = match facts.client {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    };
    let protection = facts.protection.map_or_else(String::new, |protection| format!("\r\n\t({protection})"));
    let recipient = facts.recipient.map_or_else(String::new, |recipient| format!("\r\n\tfor <{recipient}>"));
    if let Some(user) = facts.local_user {
        let (hostname, id, at) = (facts.hostname, facts.id, date::rfc5322(facts.arrival_ms / 1000));
        return format!("Received: by {hostname} (from {user})\r\n\tid {id}{recipient};\r\n\t{at}\r\n").into_bytes();
    }
    format!(
        "Received: from {} ({client})\r\n\tby {} with {} id {}{protection}{recipient};\r\n\t{}\r\n",
        facts.helo,
        facts.hostname,
        facts.protocol,
        facts.id,
        date::rfc5322(facts.arrival_ms / 1000),
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clause_in_its_place() {
        let recipient = Mailbox::parse("bob@example.com").unwrap();
        let mut facts = Facts {
            helo: "client.example",
            client: "2001:db8::1".parse().unwrap(),
            hostname: "mail.example.com",
            protocol: "ESMTPS",
            local_user: None,
            protection: Some("TLSv1_3 TLS13_AES_256_GCM_SHA384"),
            id: QueueId::parse("0123456789ABCDEF").unwrap(),
            recipient: Some(&recipient),
            arrival_ms: 0,
        };
        assert_eq!(
            String::from_utf8(field(&facts)).unwrap(),
            "Received: from client.example ([IPv6:2001:db8::1])\r\n\tby mail.example.com with ESMTPS id 0123456789ABCDEF\
             \r\n\t(TLSv1_3 TLS13_AES_256_GCM_SHA384)\r\n\tfor <bob@example.com>;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
        facts.local_user = Some("uid 7");
        assert!(field(&facts).starts_with(b"Received: by mail.example.com (from uid 7)\r\n\tid 0123456789ABCDEF\r\n\tfor "));
        facts.local_user = None;
        facts.protection = None;
        facts.recipient = None;
        assert!(String::from_utf8(field(&facts)).unwrap().contains("id 0123456789ABCDEF;\r\n\tThu"));
    }
}
