//! What the mail host publishes: its addresses and their names, what it may call itself, and its keys.

use super::super::{Planned, TTL_SECONDS};
use super::Deriving;
use crate::certificate::read_chain;
use crate::model::Model;
use postern_schema::name::Domain;
use postern_schema::record::{Owner, Record, RecordData, Spf, SpfAll, SpfTerm, Text};
use postern_schema::site::{Chain, Pin, PinOf};
use std::collections::BTreeSet;

impl Deriving<'_> {
    /// The host's addresses, what it may call itself, its reverse names and its keys.
    pub(super) fn host(&mut self) {
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
        if !self.model.domains.contains_key(host) {
            let spf = Spf { terms: vec![SpfTerm::OwnAddresses], all: SpfAll::Fail };
            self.add(&domain, Some(at), RecordData::Txt(Text::from(&spf)), "SPF: the name in EHLO and of bounces");
        }
        self.host_reports(&domain);
        self.host_keys(&domain);
    }

    /// Reports about DANE are about the host (RFC 8460 3): they go where the first domain wants its own.
    fn host_reports(&mut self, domain: &Domain) {
        let host = &self.model.site.hostname;
        let mut wanted = self.model.domains.values().filter_map(|entry| entry.publication.tls_report.as_ref());
        let own = self.model.domains.get(host).is_some_and(|entry| entry.publication.tls_report.is_some());
        if let Some(report) = wanted.next().filter(|_| !own) {
            let owner = Owner::below("_smtp._tls", host);
            self.add(domain, owner, RecordData::Txt(Text::from(report)), "TLS-RPT: where failures with the host are reported");
        }
    }

    /// TLSA for port 25 (RFC 7672 2.2.1), if a domain asks for it.
    fn host_keys(&mut self, domain: &Domain) {
        let model = self.model;
        let asking: Vec<&Domain> =
            model.domains.values().filter(|entry| entry.publication.dane.is_some()).map(|entry| &entry.name).collect();
        let Some(first) = asking.first() else { return };
        let pins = announced(model);
        if !pins.iter().any(|pin| pin.of == PinOf::Host) {
            self.note(
                first,
                format!(
                    "no TLSA record for {}: its chain is a credential, which a build does not read; say `key` in `dane`",
                    model.site.hostname
                ),
            );
            return;
        }
        for pin in pins {
            let (usage, purpose) = match pin.of {
                PinOf::Host => (3, "DANE: a key of the host"),
                PinOf::Authority => (2, "DANE: an authority that certifies the host"),
            };
            let data = RecordData::Tlsa { usage, selector: 1, matching: 1, association: pin.sha256.to_vec() };
            self.add(domain, Owner::below("_25._tcp", &model.site.hostname), data, purpose);
        }
    }
}

/// The keys that TLSA announces: those in the chains of the site and those that `dane` names; none where no domain asks for it.
pub fn announced(model: &Model) -> BTreeSet<Pin> {
    let mut asking = model.domains.values().filter_map(|entry| entry.publication.dane.as_ref()).peekable();
    if asking.peek().is_none() {
        return BTreeSet::new();
    }
    let said: Vec<Pin> = asking.flatten().cloned().collect();
    in_use(model).into_iter().chain(said).collect()
}

/// The keys in the chains that are for the host's name: its own, and those of the authorities.
pub fn in_use(model: &Model) -> BTreeSet<Pin> {
    let site = &model.site;
    let certificates = site.tls.certificates.iter().filter(|certificate| certificate.name == site.hostname);
    let chains = certificates.filter_map(|certificate| match &certificate.chain {
        Chain::Pem(text) => read_chain(text).ok(),
        Chain::Credential(_) => None,
    });
    let pin = |(index, certificate): (usize, &crate::certificate::Certificate)| Pin {
        of: if index == 0 { PinOf::Host } else { PinOf::Authority },
        sha256: certificate.key_sha256,
    };
    chains.flat_map(|chain| chain.iter().enumerate().map(pin).collect::<Vec<_>>()).collect()
}
