//! A [`Site`] as the entries of its tables, and back.

use super::codec::{Damaged, Stored};
use super::{Table, key};
use crate::name::{Domain, Mailbox};
use crate::site::{Origin, Site, Sources};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The entries of one table, in key order.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// The entries of every table that holds the site's small parts, each in key order.
pub fn encode(site: &Site) -> Vec<(Table, Entries)> {
    let settings: BTreeMap<&str, Vec<u8>> = [
        ("sources", site.sources.0.encode()),
        ("hostname", site.hostname.encode()),
        ("origin-domain", site.origin_domain.encode()),
        ("postmaster", (site.postmaster.clone(), site.postmaster_origin).encode()),
        ("notices", site.notices.encode()),
        ("addresses", site.addresses.encode()),
        ("resolver", site.resolver.encode()),
        ("web", site.web.encode()),
        ("tls", site.tls.encode()),
        ("screen", site.screen.encode()),
        ("arc", site.arc.encode()),
        ("headers", site.headers.encode()),
        ("rewriting", site.rewriting.encode()),
        ("queue", site.queue.encode()),
        ("limits", site.limits.encode()),
        ("logging", site.logging.encode()),
        ("metrics", site.metrics.encode()),
        ("reports", site.reports.encode()),
    ]
    .into();
    let settings = settings.into_iter().map(|(name, octets)| (name.as_bytes().to_vec(), octets)).collect();
    vec![
        (Table::Settings, settings),
        (Table::Listeners, list(&site.listeners)),
        (Table::Networks, list(&site.networks)),
        (Table::Users, list(&site.users)),
        (Table::Transports, list(&site.transports)),
        (Table::Relays, list(&site.relays)),
        (Table::Routes, list(&site.routes)),
        (Table::Receivers, list(&site.receivers)),
    ]
}

fn list<T: Stored>(items: &[T]) -> Entries {
    items.iter().enumerate().map(|(index, item)| (key::position(index as u32).to_vec(), item.encode())).collect()
}

/// Reads a site back through a function that gives every entry of a table in key order.
///
/// # Errors
/// The function's own, or [`Damaged`] for entries that [`encode`] did not make.
pub fn decode<E: From<Damaged>>(mut entries: impl FnMut(Table) -> Result<Entries, E>) -> Result<Site, E> {
    let settings: BTreeMap<Vec<u8>, Vec<u8>> = entries(Table::Settings)?.into_iter().collect();
    let setting = |name: &str| settings.get(name.as_bytes()).map(Vec::as_slice).ok_or(Damaged("a setting is missing"));
    let (postmaster, postmaster_origin) = <(Mailbox, Origin)>::decode(setting("postmaster")?)?;
    Ok(Site {
        sources: Sources(Vec::<Box<str>>::decode(setting("sources")?)?),
        hostname: Domain::decode(setting("hostname")?)?,
        origin_domain: Domain::decode(setting("origin-domain")?)?,
        postmaster,
        postmaster_origin,
        notices: Stored::decode(setting("notices")?)?,
        addresses: Vec::<IpAddr>::decode(setting("addresses")?)?,
        resolver: Stored::decode(setting("resolver")?)?,
        web: Stored::decode(setting("web")?)?,
        tls: Stored::decode(setting("tls")?)?,
        screen: Stored::decode(setting("screen")?)?,
        arc: Stored::decode(setting("arc")?)?,
        headers: Stored::decode(setting("headers")?)?,
        rewriting: Stored::decode(setting("rewriting")?)?,
        queue: Stored::decode(setting("queue")?)?,
        limits: Stored::decode(setting("limits")?)?,
        logging: Stored::decode(setting("logging")?)?,
        metrics: Stored::decode(setting("metrics")?)?,
        reports: Stored::decode(setting("reports")?)?,
        listeners: unlist(entries(Table::Listeners)?)?,
        networks: unlist(entries(Table::Networks)?)?,
        users: unlist(entries(Table::Users)?)?,
        transports: unlist(entries(Table::Transports)?)?,
        relays: unlist(entries(Table::Relays)?)?,
        routes: unlist(entries(Table::Routes)?)?,
        receivers: unlist(entries(Table::Receivers)?)?,
    })
}

fn unlist<T: Stored>(entries: Entries) -> Result<Vec<T>, Damaged> {
    entries.iter().map(|(_, octets)| T::decode(octets)).collect()
}
