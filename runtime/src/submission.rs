//! What becomes of the header of a message as it comes in: what the site takes out of it and adds to it, and what it lacks
//! (RFC 6409 8). In this order, before anybody signs it:
//!
//! 1. fields that the site removes, then fields that it adds (`headers`);
//! 2. Date and Message-ID (and From, of programs of this host), where mail of our own clients has none;
//! 3. addresses that the site rewrites ([`postern_schema::decide::rewrite`]), in mail of our own clients.
//!
//! Mail of strangers is completed by nobody, and its addresses stay: what they wrote is theirs, and may be signed. [`crate::authentication::intake`] calls it.

pub mod addresses;

use crate::authentication::header::Header;
use crate::queue::{QueueId, date};
use crate::site::Generation;
use postern_schema::decide::{Client, Trace, rewrite};
use postern_schema::site::{HeaderChange, HeaderEdit, ListenerKind, Site};
use std::net::IpAddr;
use std::sync::Arc;

/// What is to be done to one header.
#[derive(Debug, Default)]
pub struct Rework {
    edits: Vec<HeaderEdit>,
    completion: Option<Completion>,
    rewriting: Option<HeaderRewriting>,
}

/// Whose addresses are rewritten, and by which site.
#[derive(Debug)]
pub struct HeaderRewriting {
    /// The site.
    pub generation: Arc<Generation>,
    /// The listener that it came in by.
    pub listener: Box<str>,
    /// The client's address.
    pub address: IpAddr,
}

impl HeaderRewriting {
    fn apply(&self, header: &Header) -> Option<Header> {
        let site = self.generation.site();
        let client = Client { listener: &self.listener, address: self.address, user: None, certificate: &[] };
        addresses::rewrite_header(header, &site.origin_domain, |mailbox, slot| {
            rewrite::header(client, mailbox, slot, site, &mut Trace::default())
        })
    }
}

/// What a message of a client of our own gets where it lacks it.
#[derive(Debug)]
pub struct Completion {
    /// When it came, in milliseconds since the epoch.
    pub arrival_ms: u64,
    /// Its name in our queue.
    pub id: QueueId,
    /// Our name.
    pub hostname: Box<str>,
    /// The From field, where a program of this host left it out.
    pub author: Option<Box<str>>,
}

impl Rework {
    /// What the site says of mail that came in by a listener of that kind. `completion`: it is from a client of our own.
    pub fn new(site: &Site, kind: ListenerKind, completion: Option<Completion>) -> Rework {
        let edits = site.headers.iter().filter(|edit| edit.at.covers(kind)).cloned().collect();
        Rework { edits, completion, rewriting: None }
    }

    /// The same, and addresses are rewritten.
    pub fn and_rewriting(self, rewriting: Option<HeaderRewriting>) -> Rework {
        Rework { rewriting, ..self }
    }

    /// Does it.
    pub fn apply(&self, header: Header) -> Header {
        let header = header.without(|field| {
            self.edits.iter().any(
                |edit| matches!(&edit.change, HeaderChange::Remove(name) if field.name.eq_ignore_ascii_case(name.as_bytes())),
            )
        });
        let mut added = String::new();
        for edit in &self.edits {
            if let HeaderChange::Add(name, value) = &edit.change {
                added += &format!("{name}: {value}\r\n");
            }
        }
        if let Some(completion) = &self.completion {
            if let Some(author) = completion.author.as_ref().filter(|_| !header.has("from")) {
                added += &format!("From: {author}\r\n");
            }
            if !header.has("date") {
                added += &format!("Date: {}\r\n", date::rfc5322(completion.arrival_ms / 1000));
            }
            if !header.has("message-id") {
                let Completion { arrival_ms, id, hostname, .. } = completion;
                added += &format!("Message-ID: <{arrival_ms}.{id}@{hostname}>\r\n");
            }
        }
        let header = header.with(added.as_bytes());
        self.rewriting.as_ref().and_then(|rewriting| rewriting.apply(&header)).unwrap_or(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_schema::site::{Origin, Service};

    fn rework(header: &str) -> String {
        let edit = |change| HeaderEdit { change, at: Service::All, origin: Origin::DEFAULT };
        let edits = vec![edit(HeaderChange::Add("X-Site".into(), "b".into())), edit(HeaderChange::Remove("x-site".into()))];
        let id = QueueId::parse("0123456789ABCDEF").unwrap();
        let completion = Some(Completion { arrival_ms: 7, id, hostname: "mx.test".into(), author: None });
        let header = Rework { edits, completion, rewriting: None }.apply(Header::new(header.as_bytes().to_vec()));
        String::from_utf8(header.octets().to_vec()).unwrap()
    }

    const LACKING: &str = "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nMessage-ID: <7.0123456789ABCDEF@mx.test>\r\n";

    #[test]
    fn what_is_lacking_is_added_and_what_the_site_removes_is_gone_rfc_6409_8() {
        let given = "From: a\r\nX-SITE: theirs\r\n folded\r\nMessage-Id: <1@a>\r\nDATE: now\r\n\r\n";
        assert_eq!(rework(given), "From: a\r\nMessage-Id: <1@a>\r\nDATE: now\r\nX-Site: b\r\n\r\n");
        assert_eq!(rework("From: a\r\n\r\n"), format!("From: a\r\nX-Site: b\r\n{LACKING}\r\n"));
        assert_eq!(rework("From: a\r\n"), format!("From: a\r\nX-Site: b\r\n{LACKING}"));
    }

    #[test]
    fn text_without_a_header_gets_one() {
        assert_eq!(rework("\r\n"), format!("X-Site: b\r\n{LACKING}\r\n"));
        assert_eq!(rework("Dear Bob\r\n\r\n"), format!("X-Site: b\r\n{LACKING}\r\nDear Bob\r\n\r\n"));
        assert_eq!(rework("Subject: a\r\nDear Bob\r\n"), format!("Subject: a\r\nX-Site: b\r\n{LACKING}\r\nDear Bob\r\n"));
    }
}
