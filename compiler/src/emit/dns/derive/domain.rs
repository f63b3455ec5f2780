//! What a domain publishes: where its mail goes, who sends in its name, what becomes of the rest, and where users log in.

use super::{Deriving, spf_of};
use crate::emit::dns::WebFile;
use postern_schema::autoconfig;
use postern_schema::name::Domain;
use postern_schema::record::{
    CaaIssuer, DkimKey, Dmarc, DmarcPolicy, Owner, PaccDigest, RecordData, ReportPermission, Spf, SpfAll, Target, Text,
};
use postern_schema::site::{DomainEntry, ListenerKind, SigningState, SpfPolicy};

/// The preference of the one MX; room is left on both sides for others that the site does not know of.
const MX_PREFERENCE: u16 = 10;
/// The preference of an MX behind others.
const BACKUP_PREFERENCE: u16 = 20;

impl Deriving<'_> {
    /// A domain that mail is taken for and sent from.
    pub(super) fn served(&mut self, domain: &Domain, entry: &DomainEntry) {
        let site = &self.model.site;
        let at = Some(Owner::at(domain));
        let publication = &entry.publication;
        let preference = if entry.class.is_backup() { BACKUP_PREFERENCE } else { MX_PREFERENCE };
        if site.public_listener(ListenerKind::Mx).is_some() {
            let exchange = Target::Host(site.hostname.clone());
            self.add(domain, at.clone(), RecordData::Mx { preference, exchange }, "where mail to the domain goes");
        } else {
            self.note(domain, "no listener of kind mx can be reached from elsewhere, so no MX leads to it".to_owned());
        }
        if entry.class.is_backup() {
            let text =
                format!("the other MX of {domain}, and all its other records, are for the site that has its mailboxes to say");
            return self.note(domain, text);
        }
        self.spf(domain, &publication.spf);
        let plain = Dmarc::plain(DmarcPolicy::None);
        self.dmarc(domain, publication.dmarc.as_ref().unwrap_or(&plain));
        self.signing_keys(domain, entry);
        self.mta_sts(domain, entry);
        if let Some(report) = &publication.tls_report {
            let owner = Owner::below("_smtp._tls", domain);
            self.add(domain, owner, RecordData::Txt(Text::from(report)), "TLS-RPT: where failures of TLS are reported");
        }
        if !publication.caa.is_empty() {
            for data in CaaIssuer::records(&publication.caa) {
                self.add(domain, at.clone(), data, "CAA: who may issue certificates");
            }
        }
        if let Some(bimi) = &publication.bimi {
            let owner = Owner::below("default._bimi", domain);
            self.add(domain, owner, RecordData::Txt(Text::from(bimi)), "BIMI: the logo that mail programs may show");
        }
        if let Some(issuer) = publication.caa.iter().find(|caa| caa.persist && caa.account.is_none()) {
            let name = &issuer.issuer;
            self.note(domain, format!("no lasting record for {name}: it would be for anybody who asks; say `account=` in `caa`"));
        }
        for lasting in publication.caa.iter().filter_map(CaaIssuer::persistent) {
            let owner = Owner::below("_validation-persist", domain);
            self.add(domain, owner, RecordData::Txt(lasting), "ACME: an authority that takes this for control of the domain");
        }
        self.clients(domain, entry);
        self.wildcard(domain, entry);
    }

    /// Who invents a name below the domain can neither send from it nor expect mail to it. Names that exist, if only because
    /// another one lies below them, are not covered (RFC 4592 2.2.1): DMARC speaks for those.
    fn wildcard(&mut self, domain: &Domain, entry: &DomainEntry) {
        if entry.publication.wildcard {
            let owner = || Owner::below("*", domain);
            let data = RecordData::Mx { preference: 0, exchange: Target::None };
            self.add(domain, owner(), data, "names that do not exist take no mail");
            let spf = Spf { terms: Vec::new(), all: SpfAll::Fail };
            self.add(domain, owner(), RecordData::Txt(Text::from(&spf)), "SPF: nobody sends in names that do not exist");
        }
    }

    fn spf(&mut self, domain: &Domain, policy: &SpfPolicy) {
        match spf_of(&self.model.site, domain, policy) {
            Ok(spf) => {
                let data = RecordData::Txt(Text::from(&spf));
                self.add(domain, Some(Owner::at(domain)), data, "SPF: hosts that send in the domain's name");
            }
            Err(relays) => {
                let names: Vec<String> = relays.iter().map(|relay| format!("{} ({})", relay.name, relay.host)).collect();
                self.note(
                    domain,
                    format!(
                        "mail from {domain} leaves through the relay {}, and the site does not say which addresses that one sends \
                         from: no SPF record is given for {domain}, since it would be wrong; say `spf-include` in the relay",
                        names.join(", ")
                    ),
                );
            }
        }
    }

    fn dmarc(&mut self, domain: &Domain, dmarc: &Dmarc) {
        let owner = Owner::below("_dmarc", domain);
        self.add(domain, owner, RecordData::Txt(Text::from(dmarc)), "DMARC: what receivers do with mail that fails");
        for receiver in dmarc.reports.iter().filter_map(|uri| uri.mail_domain()) {
            // Within one organisation nobody asks (RFC 9990).
            if receiver.is_within(domain) || domain.is_within(&receiver) {
                continue;
            }
            if self.holding(&receiver).next().is_some() {
                let owner = Owner::below(&format!("{domain}._report._dmarc"), &receiver);
                let zone_domain = receiver.clone();
                self.add(
                    &zone_domain,
                    owner,
                    RecordData::Txt(Text::from(&ReportPermission)),
                    "DMARC: takes reports about another domain",
                );
            } else {
                self.note(
                    domain,
                    format!("DMARC reports go to {receiver}, which must say so: TXT \"{ReportPermission}\" at {domain}._report._dmarc.{receiver}"),
                );
            }
        }
    }

    /// A key is in DNS from before it signs until what it signed has arrived.
    fn signing_keys(&mut self, domain: &Domain, entry: &DomainEntry) {
        for signer in &entry.signers {
            let valid = || DkimKey::Valid(signer.public_key.clone());
            let (key, purpose) = match signer.state {
                SigningState::Publish => (valid(), "DKIM: a key that will sign"),
                SigningState::Active => (valid(), "DKIM: the key that signs"),
                SigningState::Retired => (valid(), "DKIM: a key that has signed"),
                SigningState::Revoked => (DkimKey::Revoked, "DKIM: a key that is not to be believed"),
                SigningState::Removed => continue,
            };
            let owner = Owner::below(&format!("{}._domainkey", signer.selector), domain);
            self.add(domain, owner, RecordData::Txt(Text::from(&key)), purpose);
        }
    }

    fn mta_sts(&mut self, domain: &Domain, entry: &DomainEntry) {
        let Some(mta_sts) = &entry.publication.mta_sts else { return };
        let policy = mta_sts.policy(&self.model.site.hostname);
        let owner = Owner::below("_mta-sts", domain);
        self.add(domain, owner, RecordData::Txt(Text::from(&policy.record())), "MTA-STS: the policy has this version");
        self.web_name(domain, "mta-sts", mta_sts.web_host.as_ref(), "MTA-STS: where the policy file is");
        self.set.policies.push(WebFile { domain: domain.clone(), text: policy.to_string() });
    }

    /// A name below the domain that a web server answers for: the one that is named, or ourselves.
    fn web_name(&mut self, domain: &Domain, label: &str, web_host: Option<&Domain>, purpose: &'static str) {
        let site = &self.model.site;
        match web_host.or(site.web.is_some().then_some(&site.hostname)) {
            Some(host) => self.add(domain, Owner::below(label, domain), RecordData::Cname(host.clone()), purpose),
            None => self.note(
                domain,
                format!(
                    "{label}.{domain} must lead to a web server, and the site names none: say `web-host=`, or `listen \"web\"` for this host"
                ),
            ),
        }
    }

    /// Where users' programs hand in mail, and where they read it.
    fn clients(&mut self, domain: &Domain, entry: &DomainEntry) {
        let site = &self.model.site;
        for (labels, kind) in [("_submissions._tcp", ListenerKind::Submissions), ("_submission._tcp", ListenerKind::Submission)] {
            let listener = site.public_listener(kind).map(|listener| (site.hostname.clone(), listener.port));
            self.service(domain, labels, listener, "where users' programs send through");
        }
        let Some(autoconfig) = &entry.publication.autoconfig else { return };
        self.service(domain, "_imaps._tcp", autoconfig.imap.clone(), "where users' programs read mail");
        self.service(domain, "_pop3s._tcp", autoconfig.pop3.clone(), "where users' programs fetch mail");
        let services = [
            ("_jmap._tcp", &autoconfig.jmap, "where users' programs read mail by JMAP"),
            ("_caldavs._tcp", &autoconfig.caldav, "where calendars are"),
            ("_carddavs._tcp", &autoconfig.carddav, "where address books are"),
        ];
        for (labels, place, purpose) in services {
            if place.is_some() {
                self.service(domain, labels, place.clone(), purpose);
            }
        }
        // Without TLS from the first byte, none is offered (RFC 8314 4.1).
        self.service(domain, "_imap._tcp", None, "");
        self.service(domain, "_pop3._tcp", None, "");
        self.web_name(domain, "autoconfig", autoconfig.web_host.as_ref(), "settings for mail programs");
        self.set.settings.push(WebFile { domain: domain.clone(), text: autoconfig::document(site, domain, autoconfig) });
        if autoconfig.pacc {
            let text = autoconfig::pacc_document(site, domain, autoconfig);
            let owner = Owner::below("_ua-auto-config", domain);
            self.add(domain, owner, RecordData::Txt(PaccDigest::of(&text).into()), "PACC: the digest of the settings");
            self.web_name(domain, "ua-auto-config", autoconfig.web_host.as_ref(), "PACC: settings for mail programs");
            self.set.pacc.push(WebFile { domain: domain.clone(), text });
        }
        // Our own listener has no answer for Outlook, which puts its question elsewhere than below `/.well-known/`.
        if let Some(host) = autoconfig.web_host.clone() {
            self.add(domain, Owner::below("autodiscover", domain), RecordData::Cname(host.clone()), "settings for Outlook");
            let data = RecordData::Srv { priority: 0, weight: 1, port: 443, target: Target::Host(host) };
            self.add(domain, Owner::below("_autodiscover._tcp", domain), data, "settings for Outlook");
        }
    }

    /// Where a service is, or that there is none (RFC 6186 3.4, RFC 8314 5.1).
    fn service(&mut self, domain: &Domain, labels: &str, place: Option<(Domain, u16)>, purpose: &'static str) {
        let (data, purpose) = match place {
            Some((host, port)) => (RecordData::Srv { priority: 0, weight: 1, port, target: Target::Host(host) }, purpose),
            None => (RecordData::Srv { priority: 0, weight: 0, port: 0, target: Target::None }, "not offered"),
        };
        self.add(domain, Owner::below(labels, domain), data, purpose);
    }

    /// A domain that takes no mail and sends none: everything says so.
    pub(super) fn parked(&mut self, domain: &Domain, entry: &DomainEntry) {
        let at = Some(Owner::at(domain));
        self.add(domain, at.clone(), RecordData::Mx { preference: 0, exchange: Target::None }, "null MX: takes no mail");
        let spf = Spf { terms: Vec::new(), all: SpfAll::Fail };
        self.add(domain, at, RecordData::Txt(Text::from(&spf)), "SPF: nobody sends in the domain's name");
        let dmarc = Dmarc { nonexistent: Some(DmarcPolicy::Reject), ..Dmarc::plain(DmarcPolicy::Reject) };
        let owner = Owner::below("_dmarc", domain);
        self.add(domain, owner, RecordData::Txt(Text::from(&dmarc)), "DMARC: refuse what claims to come from it");
        let owner = Owner::below("*._domainkey", domain);
        self.add(domain, owner, RecordData::Txt(Text::from(&DkimKey::Revoked)), "DKIM: no key signs for it");
        self.wildcard(domain, entry);
    }
}
