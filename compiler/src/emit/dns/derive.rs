//! From a site to its records. What the site does not say is not made up: where a record would have to guess, a note says
//! what is missing.
//!
//! The defaults are the cautious ones. SPF ends in `~all`, so that a forwarded message still reaches DKIM and DMARC
//! (RFC 7208 8.5). DMARC begins at `p=none`, which every large receiver asks for and which refuses nothing. A parked domain, of
//! which everything is known, gets the strictest of all.

use super::{Note, Planned, RecordSet, TTL_SECONDS};
use crate::model::Model;
use postern_schema::name::Domain;
use postern_schema::record::{
    DkimKey, Dmarc, DmarcPolicy, Owner, Record, RecordData, RecordKind, Spf, SpfAll, SpfTerm, Target, Text,
};
use postern_schema::site::{DomainClass, Listener, ListenerKind, Relay, RoutePattern, SigningState, Site, Via};

/// The preference of the one MX; room is left on both sides for others that the site does not know of.
const MX_PREFERENCE: u16 = 10;

/// Every record of a site.
pub fn derive(model: &Model) -> RecordSet {
    let mut deriving = Deriving { model, set: RecordSet::default() };
    for (name, entry) in &model.domains {
        match entry.class {
            DomainClass::Parked => deriving.parked(name),
            DomainClass::Local | DomainClass::AliasOf(_) => deriving.served(name),
        }
    }
    deriving.host();
    let mut set = deriving.set;
    set.records.sort();
    set.records.dedup_by(|a, b| a.record == b.record);
    set.reverse.sort();
    set
}

struct Deriving<'a> {
    model: &'a Model,
    set: RecordSet,
}

impl Deriving<'_> {
    /// A domain that mail is taken for and sent from.
    fn served(&mut self, domain: &Domain) {
        let site = &self.model.site;
        let at = Some(Owner::at(domain));
        if public_listener(site, ListenerKind::Mx).is_some() {
            let exchange = Target::Host(site.hostname.clone());
            self.add(domain, at.clone(), RecordData::Mx { preference: MX_PREFERENCE, exchange }, "where mail to the domain goes");
        } else {
            self.note(domain, "no listener of kind mx can be reached from elsewhere, so no MX leads to it".to_owned());
        }
        match egress(site, domain).as_slice() {
            [] => {
                let terms = self.own_addresses();
                let spf = Spf { terms, all: SpfAll::SoftFail };
                self.add(domain, at, RecordData::Txt(Text::from(&spf)), "SPF: hosts that send in the domain's name");
            }
            relays => {
                let names: Vec<String> = relays.iter().map(|relay| format!("{} ({})", relay.name, relay.host)).collect();
                self.note(
                    domain,
                    format!(
                        "mail from {domain} leaves through the relay {}, and the site does not say which addresses that one sends \
                         from: no SPF record is given for {domain}, since it would be wrong; publish the one that the provider names",
                        names.join(", ")
                    ),
                );
            }
        }
        let dmarc = Dmarc { policy: DmarcPolicy::None, nonexistent: None };
        let owner = Owner::below("_dmarc", domain);
        self.add(domain, owner, RecordData::Txt(Text::from(&dmarc)), "DMARC: what receivers do with mail that fails");
        self.signing_keys(domain);
        self.service(domain, "_submissions._tcp", ListenerKind::Submissions);
        self.service(domain, "_submission._tcp", ListenerKind::Submission);
    }

    /// A key is in DNS from before it signs until what it signed has arrived.
    fn signing_keys(&mut self, domain: &Domain) {
        let model = self.model;
        for signer in model.domains.get(domain).iter().flat_map(|entry| &entry.signers) {
            let (key, purpose) = match signer.state {
                SigningState::Publish => (DkimKey::Valid(signer.public_key.clone()), "DKIM: a key that will sign"),
                SigningState::Active => (DkimKey::Valid(signer.public_key.clone()), "DKIM: the key that signs"),
                SigningState::Retired => (DkimKey::Valid(signer.public_key.clone()), "DKIM: a key that has signed"),
                SigningState::Revoked => (DkimKey::Revoked, "DKIM: a key that is not to be believed"),
                SigningState::Removed => continue,
            };
            let owner = Owner::below(&format!("{}._domainkey", signer.selector), domain);
            self.add(domain, owner, RecordData::Txt(Text::from(&key)), purpose);
        }
    }

    /// Where users' programs hand in mail, or that they cannot (RFC 6186 3.1, RFC 8314 5.1).
    fn service(&mut self, domain: &Domain, labels: &'static str, kind: ListenerKind) {
        let site = &self.model.site;
        let (data, purpose) = match public_listener(site, kind) {
            Some(listener) => {
                let target = Target::Host(site.hostname.clone());
                (RecordData::Srv { priority: 0, weight: 1, port: listener.port, target }, "where users' programs send through")
            }
            None => (RecordData::Srv { priority: 0, weight: 0, port: 0, target: Target::None }, "not offered"),
        };
        self.add(domain, Owner::below(labels, domain), data, purpose);
    }

    /// A domain that takes no mail and sends none: everything says so.
    fn parked(&mut self, domain: &Domain) {
        let at = Some(Owner::at(domain));
        self.add(domain, at.clone(), RecordData::Mx { preference: 0, exchange: Target::None }, "null MX: takes no mail");
        let spf = Spf { terms: Vec::new(), all: SpfAll::Fail };
        self.add(domain, at, RecordData::Txt(Text::from(&spf)), "SPF: nobody sends in the domain's name");
        let dmarc = Dmarc { policy: DmarcPolicy::Reject, nonexistent: Some(DmarcPolicy::Reject) };
        let owner = Owner::below("_dmarc", domain);
        self.add(domain, owner, RecordData::Txt(Text::from(&dmarc)), "DMARC: refuse what claims to come from it");
        let owner = Owner::below("*._domainkey", domain);
        self.add(domain, owner, RecordData::Txt(Text::from(&DkimKey::Revoked)), "DKIM: no key signs for it");
    }

    /// The host itself: its addresses, what it may call itself, and its reverse names.
    fn host(&mut self) {
        let site = &self.model.site;
        let host = &site.hostname;
        // The domain of the site that the host lies in; the host itself where it lies in none.
        let domain = self.holding(host).next().unwrap_or_else(|| host.clone());
        let at = Owner::at(host);
        for address in &site.addresses {
            self.add(&domain, Some(at.clone()), RecordData::address(*address), "the host's address");
            let record =
                Record { owner: Owner::reverse(*address), data: RecordData::Ptr(host.clone()), ttl_seconds: TTL_SECONDS };
            let planned = Planned { zone: self.zone(host), record, domain: domain.clone(), purpose: "the address's name" };
            self.set.reverse.push(planned);
        }
        if site.addresses.is_empty() {
            self.note(
                &domain,
                format!("the site names no public address: no A and AAAA for {host}, and SPF refers to {host} by name; say `address` in the site block"),
            );
        }
        // A name has one SPF record at most (RFC 7208 3.2); where the host has the name of a domain, that one's covers it.
        let has_spf = self.set.records.iter().any(|planned| {
            planned.record.owner == at && planned.record.data.kind() == RecordKind::Txt || planned.domain == *host
        });
        if !has_spf {
            let spf = Spf { terms: vec![SpfTerm::OwnAddresses], all: SpfAll::Fail };
            self.add(&domain, Some(at), RecordData::Txt(Text::from(&spf)), "SPF: the name in EHLO and of bounces");
        }
    }

    fn own_addresses(&self) -> Vec<SpfTerm> {
        let site = &self.model.site;
        if site.addresses.is_empty() {
            return vec![SpfTerm::AddressesOf(site.hostname.clone())];
        }
        site.addresses.iter().map(|address| SpfTerm::Ip(address.to_canonical())).collect()
    }

    fn add(&mut self, domain: &Domain, owner: Option<Owner>, data: RecordData, purpose: &'static str) {
        match owner {
            Some(owner) => {
                let record = Record { owner, data, ttl_seconds: TTL_SECONDS };
                let planned = Planned { zone: self.zone(domain), record, domain: domain.clone(), purpose };
                self.set.records.push(planned);
            }
            None => self.note(domain, format!("{domain} is too long a name for a record below it ({purpose})")),
        }
    }

    fn note(&mut self, domain: &Domain, text: String) {
        self.set.notes.push(Note { domain: domain.clone(), text });
    }

    /// The topmost domain of the site that holds a name. A host outside of every domain is taken to lie in its parent's zone.
    fn zone(&self, name: &Domain) -> Domain {
        let topmost = self.holding(name).last();
        topmost.or_else(|| name.parent().filter(Domain::is_fully_qualified)).unwrap_or_else(|| name.clone())
    }

    /// The domains of the site that hold a name, the nearest first.
    fn holding(&self, name: &Domain) -> impl Iterator<Item = Domain> {
        let ancestors = std::iter::successors(Some(name.clone()), Domain::parent);
        ancestors.filter(|name| self.model.domains.contains_key(name))
    }
}

/// The first listener of a kind that others than this host can reach.
fn public_listener(site: &Site, kind: ListenerKind) -> Option<&Listener> {
    let is_public = |listener: &&Listener| listener.addresses.iter().any(|address| !address.is_loopback());
    site.listeners.iter().filter(|listener| listener.kind == kind).find(is_public)
}

/// The relays that mail from a domain can leave through.
fn egress<'a>(site: &'a Site, domain: &Domain) -> Vec<&'a Relay> {
    let mut relays: Vec<&Relay> = Vec::new();
    for route in &site.routes {
        let covers = match &route.from {
            RoutePattern::Any => true,
            RoutePattern::Domain(from) => from == domain,
            RoutePattern::Below(parent) => domain != parent && domain.is_within(parent),
        };
        if !covers {
            continue;
        }
        if let Via::Relay(name) = &route.via
            && let Some(relay) = site.relay(name)
            && !relays.iter().any(|known| known.name == relay.name)
        {
            relays.push(relay);
        }
        // First match wins: behind a route to everywhere, nothing is reached.
        if route.to == RoutePattern::Any {
            break;
        }
    }
    relays
}
