//! What one message must keep within, from the connection to the next hop.

use postern_schema::decide::{Client, Hop};
use postern_schema::name::Mailbox;
use postern_schema::site::{Check, ClientLimit, Destination, Limited, Origin, Rate, Site};
use serde::Serialize;

/// A limit that the message must keep within.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LimitExplained {
    /// Its name: as in `limits`; `connections` and `messages` of one client; `greet-wait`; `users staff`,
    /// `relay ses` and `destination gmail.com`.
    pub name: String,
    /// The most; sizes in octets.
    pub most: u64,
    /// What is counted, and over what: `per ip`, `messages in 60s`; `None` where the name says it.
    pub per: Option<String>,
    /// `site.kdl:12`; `None` for a default.
    pub source: Option<String>,
}

/// The limits on the way in.
pub(super) fn incoming(client: Client<'_>, site: &Site) -> Vec<LimitExplained> {
    let mut found = Vec::new();
    if client.is_stranger(site) {
        if let Some((wait, origin)) = site.screen.greet_wait.filter(|_| site.spares(client.address, Check::GreetWait).is_none()) {
            found.push(limit("greet-wait", wait.as_secs(), Some("seconds before the greeting"), origin, site));
        }
        let said = site.screen.limits.iter();
        let has_connections = site.screen.limits.iter().any(|limit| matches!(limit.what, Limited::Connections(_)));
        let default = (!has_connections).then_some(&ClientLimit::CONNECTIONS);
        let is_limited = site.spares(client.address, Check::Limit).is_none();
        found.extend(said.chain(default).filter(|_| is_limited).map(|said| of_client(said, site)));
    }
    if client.user.is_some() {
        // Which store knows the user is found out at the login.
        let limited = site.users.iter().filter_map(|store| Some((store, store.messages?)));
        found.extend(limited.map(|(store, rate)| {
            let per = format!("messages per user in {}s", rate.per.as_secs());
            limit(&format!("users {}", store.name), rate.count, Some(&per), store.origin, site)
        }));
    }
    let limits = &site.limits;
    let of_message = |name, most| limit(name, most, None, limits.origin, site);
    found.extend([
        of_message("message", limits.message_octets),
        of_message("recipients", limits.recipients.into()),
        of_message("hops", limits.hops.into()),
        of_message("sessions", limits.sessions.into()),
    ]);
    found
}

/// The limits on the way out, which slow mail down and refuse none of it.
pub(super) fn outgoing(hop: &Hop, recipient: &Mailbox, site: &Site) -> Vec<LimitExplained> {
    let mut found = Vec::new();
    if let Destination::Relay { name, .. } = &hop.destination
        && let Some(relay) = site.relay(name)
        && let Some(rate) = relay.rate
    {
        found.push(of_rate(&format!("relay {name}"), rate, relay.origin, site));
    }
    let receiver = site.receivers.iter().find(|receiver| recipient.domain() == Some(&receiver.domain));
    if let Some(receiver) = receiver {
        let name = format!("destination {}", receiver.domain);
        if let Some(concurrency) = receiver.concurrency {
            found.push(limit(&name, concurrency.into(), Some("connections at once"), receiver.origin, site));
        }
        found.extend(receiver.rate.map(|rate| of_rate(&name, rate, receiver.origin, site)));
    }
    found
}

fn of_client(said: &ClientLimit, site: &Site) -> LimitExplained {
    let per = format!("per {}", said.per.as_str());
    let in_time = |name: &str, rate: Rate| {
        let per = format!("{per} in {}s", rate.per.as_secs());
        limit(name, rate.count, Some(&per), said.origin, site)
    };
    match said.what {
        Limited::Connections(most) => limit("connections", most.into(), Some(&per), said.origin, site),
        Limited::NewConnections(rate) => in_time("new connections", rate),
        Limited::Messages(rate) => in_time("messages", rate),
    }
}

fn of_rate(name: &str, rate: Rate, origin: Origin, site: &Site) -> LimitExplained {
    limit(name, rate.count, Some(&format!("messages in {}s", rate.per.as_secs())), origin, site)
}

fn limit(name: &str, most: u64, per: Option<&str>, origin: Origin, site: &Site) -> LimitExplained {
    let source = (!origin.is_default()).then(|| site.sources.describe(origin));
    LimitExplained { name: name.to_owned(), most, per: per.map(str::to_owned), source }
}
