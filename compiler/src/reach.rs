//! Who may send to whom: every class of client against every class of recipient, over every listener. The table that
//! `postern explain SITE --relay` prints, and the proof that strangers reach our own domains and nothing else.
//!
//! Each cell is one question to the daemon's own decisions ([`crate::explain`]), asked for one client that stands for its
//! class. The classes of clients without a login are the regions of [`crate::rules::probe`], in which no decision can differ.

use crate::explain::{Explanation, Question, explain};
use crate::model::Model;
use crate::rules::probe::{recipients_elsewhere, regions};
use postern_schema::decide::DmarcFact;
use postern_schema::name::{ForwardPath, HostName, LocalPart, Mailbox, ReversePath};
use postern_schema::site::{AddressKind, DomainClass};
use postern_schema::spf::SpfResult;
use serde::Serialize;
use std::net::IpAddr;

/// One cell of the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cell {
    /// The listener's name.
    pub listener: String,
    /// Who sends.
    pub client: ClientKind,
    /// To whom.
    pub recipient: RecipientKind,
    /// The address that stood for the recipients.
    pub example: String,
    /// `accept`, `reject` or `defer`; `undecided` where DNS would be asked first.
    pub disposition: &'static str,
    /// The name of the reason.
    pub reason: String,
    /// The line that opens or shuts it: the last one that the decision read.
    pub source: Option<String>,
}

/// A class of clients.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ClientKind {
    /// Without a login, from an address that no network of the site holds.
    Stranger {
        /// The address that stood for them.
        address: IpAddr,
    },
    /// Without a login, from a network of the site.
    Network {
        /// Its name.
        name: String,
        /// The range.
        range: String,
        /// The address that stood for it.
        address: IpAddr,
    },
    /// Logged in.
    User,
}

/// A class of recipients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientKind {
    /// A mailbox or alias of a local domain.
    Ours,
    /// A local part that nobody has, in a local domain.
    NobodyHere,
    /// Any address of a parked domain.
    Parked,
    /// Any other domain.
    Elsewhere,
}

impl RecipientKind {
    /// The word of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            RecipientKind::Ours => "ours",
            RecipientKind::NobodyHere => "nobody-here",
            RecipientKind::Parked => "parked",
            RecipientKind::Elsewhere => "elsewhere",
        }
    }
}

/// The whole table: by listener, then by client, then by recipient.
pub fn table(model: &Model) -> Vec<Cell> {
    let recipients = recipients(model);
    let mut cells = Vec::new();
    for listener in &model.site.listeners {
        for client in clients(model) {
            // A login is taken on some listeners alone.
            if matches!(client, ClientKind::User) && !listener.kind.requires_login() {
                continue;
            }
            for (kind, recipient) in &recipients {
                cells.extend(cell(model, &listener.name, &client, *kind, recipient));
            }
        }
    }
    cells
}

fn cell(model: &Model, listener: &str, client: &ClientKind, kind: RecipientKind, recipient: &Mailbox) -> Option<Cell> {
    let (address, user) = match client {
        ClientKind::Stranger { address } | ClientKind::Network { address, .. } => (Some(*address), None),
        ClientKind::User => (None, Some("user".to_owned())),
    };
    let question = Question {
        client: address,
        user,
        listener: Some(listener.to_owned()),
        // The null path may be used by everybody, so what is decided is the recipient alone.
        from: ReversePath::Null,
        to: ForwardPath::Mailbox(recipient.clone()),
        sender_domain: None,
        spf: Some(SpfResult::Pass),
        dmarc: Some(DmarcFact::Pass),
        author: None,
    };
    let found = explain(&question, model).ok()?;
    Some(Cell {
        listener: listener.to_owned(),
        client: client.clone(),
        recipient: kind,
        example: recipient.to_string(),
        disposition: found.outcome.disposition,
        reason: found.outcome.reason.clone(),
        source: source(&found),
    })
}

fn source(found: &Explanation) -> Option<String> {
    found.stages.last()?.steps.iter().rev().find_map(|step| step.source.clone())
}

fn clients(model: &Model) -> Vec<ClientKind> {
    let of_region = |region: crate::rules::probe::Region| match model.site.network(region.representative) {
        Some(network) => Some(ClientKind::Network {
            name: network.name.to_string(),
            range: region.range.to_string(),
            address: region.representative,
        }),
        None if region.range.prefix_len() == 0 => Some(ClientKind::Stranger { address: region.representative }),
        None => None,
    };
    let mut found: Vec<ClientKind> = regions(&model.site).into_iter().filter_map(of_region).collect();
    if !model.site.users.is_empty() {
        found.push(ClientKind::User);
    }
    found
}

/// One recipient of each class that the site has.
fn recipients(model: &Model) -> Vec<(RecipientKind, Mailbox)> {
    let mailbox = |local: &str, host: HostName| LocalPart::from_content(local).ok().map(|local| Mailbox::new(local, host));
    let mut found = Vec::new();
    let own = model.addresses.iter().find(|(_, entry)| matches!(entry.kind, AddressKind::Mailbox { .. }));
    let own = own.or_else(|| model.addresses.iter().next());
    found.extend(
        own.and_then(|((domain, local), _)| Some((RecipientKind::Ours, mailbox(local, HostName::Domain(domain.clone()))?))),
    );
    let strict = model.domains.values().find(|d| d.class == DomainClass::Local && d.catch_all.is_none() && d.patterns.is_empty());
    found.extend(strict.and_then(|domain| {
        let free = (0..64)
            .map(|n| format!("nobody{n}"))
            .find(|local| !model.addresses.contains_key(&(domain.name.clone(), local.as_str().into())))?;
        Some((RecipientKind::NobodyHere, mailbox(&free, HostName::Domain(domain.name.clone()))?))
    }));
    let parked = model.domains.values().find(|domain| domain.class == DomainClass::Parked);
    found.extend(
        parked.and_then(|domain| Some((RecipientKind::Parked, mailbox("someone", HostName::Domain(domain.name.clone()))?))),
    );
    found.extend(recipients_elsewhere(model).into_iter().map(|recipient| (RecipientKind::Elsewhere, recipient)));
    found
}

#[cfg(test)]
mod tests;
