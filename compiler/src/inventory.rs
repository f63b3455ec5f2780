//! A site as a flat list: what each thing is called in the words of the site language, its value, and the line behind it. For
//! `show`, `plan` and `inspect`, which print, compare and dump it.

use crate::addresses::Address;
use crate::model::Model;
use postern_schema::name::{Domain, LocalPart};
use postern_schema::site::{
    AddressKind, ArcPolicy, Autoconfig, Chain, Directory, DirectorySecurity, DomainClass, DomainEntry, Forward, Limited, Network,
    NextHop, Origin, Publication, Quarantine, Receiver, Relay, ReportKind, Rewriting, Route, Screen, Site, SpfPolicy,
    TokenIssuer, TokenKey, TokenProof, TokenPublicKey, TransportKind, UserBackend, UserStore,
};
use sha2::{Digest, Sha256};
use std::fmt::{self, Display};
use std::time::Duration;

/// One value in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// What it is of: `limits`, `relay ses`, `domain example.com`, `address info@example.com`.
    pub subject: String,
    /// Its name there: `recipients`, `host`.
    pub name: String,
    /// As one would write it.
    pub value: String,
    /// The line behind it, as far as a snapshot knows.
    pub origin: Origin,
}

impl fmt::Display for Item {
    /// `limits recipients = 1000`, or without a value `address alice@example.com mailbox`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.is_empty() { "" } else { " = " };
        f.pad(&format!("{} {}{equals}{}", self.subject, self.name, self.value))
    }
}

/// Every value of a site, in the order of a site file.
pub fn inventory(model: &Model) -> Vec<Item> {
    let mut items = settings(&model.site);
    items.extend(model.domains.values().flat_map(|entry| domain(entry)));
    items.extend(model.addresses.iter().map(|found| address(&found)));
    items
}

/// Every value but those of domains and addresses.
pub fn settings(site: &Site) -> Vec<Item> {
    let mut list = List { items: Vec::new(), subject: String::new(), origin: Origin::DEFAULT };
    list.host(site);
    list.tls(site);
    for listener in &site.listeners {
        list.of(format!("listen {}", listener.name), listener.origin);
        list.say("kind", listener.kind);
        match &listener.socket {
            Some(path) => list.say("socket", format_args!("unix:{path}")),
            None => {
                list.say("address", join(&listener.addresses));
                list.say("port", listener.port);
            }
        }
        if listener.kind.is_for_peers() && listener.socket.is_none() {
            list.say("from", listener.peers.map_or("this host".to_owned(), |range| range.to_string()));
        }
        if let Some(range) = listener.proxy_from {
            list.say("proxy-protocol-from", range);
        }
        if let Some(range) = listener.xclient_from {
            list.say("xclient-from", range);
        }
    }
    if let Some(web) = &site.web {
        list.of(format!("listen {}", web.name), web.origin);
        list.say("kind", "web");
        list.say("address", join(&web.addresses));
        list.say("port", web.port);
    }
    site.networks.iter().for_each(|network| list.network(network));
    site.users.iter().for_each(|users| list.users(users));
    for transport in &site.transports {
        list.of(format!("transport {}", transport.name), transport.origin);
        list.transport(&transport.kind);
    }
    site.relays.iter().for_each(|relay| list.relay(relay));
    site.routes.iter().enumerate().for_each(|(index, route)| list.route(index + 1, route));
    site.receivers.iter().for_each(|receiver| list.receiver(receiver));
    list.policy(site);
    list.items
}

struct List {
    items: Vec<Item>,
    subject: String,
    origin: Origin,
}

impl List {
    fn of(&mut self, subject: String, origin: Origin) {
        (self.subject, self.origin) = (subject, origin);
    }

    fn say(&mut self, name: &str, value: impl Display) {
        self.say_at(name, value, self.origin);
    }

    fn say_at(&mut self, name: &str, value: impl Display, origin: Origin) {
        self.items.push(Item { subject: self.subject.clone(), name: name.to_owned(), value: value.to_string(), origin });
    }

    fn host(&mut self, site: &Site) {
        self.of("site".to_owned(), Origin::DEFAULT);
        self.say("hostname", &site.hostname);
        self.say("origin", &site.origin_domain);
        self.say_at("postmaster", &site.postmaster, site.postmaster_origin);
        let classes: Vec<&str> = site.notices.classes.iter().map(|class| class.as_str()).collect();
        self.say_at("notify", if classes.is_empty() { "none".to_owned() } else { join(&classes) }, site.notices.origin);
        if let Some(resolver) = site.resolver {
            self.say("resolver", resolver);
        }
        self.say("address", join(&site.addresses));
    }

    fn tls(&mut self, site: &Site) {
        self.of("tls".to_owned(), site.tls.origin);
        self.say("self-signed", site.tls.self_signed);
        self.say("minimum", site.tls.minimum.as_str());
        if let Some(acme) = &site.tls.acme {
            self.of("acme".to_owned(), acme.origin);
            self.say("directory", &acme.directory);
            if let Some(contact) = &acme.contact {
                self.say("contact", contact);
            }
            if let Some(http) = &acme.http {
                self.say("challenge", "http-01");
                self.say("address", join(&http.addresses));
                self.say("port", http.port);
            }
            for names in &acme.certificates {
                self.say("certificate", join(names));
            }
        }
        for certificate in &site.tls.certificates {
            self.of(format!("certificate {}", certificate.name), certificate.origin);
            match &certificate.chain {
                // One that was renewed is often of the same length.
                Chain::Pem(pem) => self.say("chain", format!("{} octets of PEM, SHA-256 {}", pem.len(), mark(pem.as_bytes()))),
                Chain::Credential(name) => self.say("chain-secret", name),
            }
            self.say("key-secret", &certificate.key);
        }
    }

    fn network(&mut self, network: &Network) {
        self.of(format!("network {}", network.name), network.origin);
        self.say("ranges", join(&network.ranges));
        if !network.certificates.is_empty() {
            self.say("certificate", join(&network.certificates));
        }
        self.say("relay", network.relay);
        if !network.exempt.is_empty() {
            self.say("exempt", network.exempt.iter().map(|check| check.as_str()).collect::<Vec<_>>().join(" "));
        }
        if network.mends_line_ends {
            self.say("mend-line-ends", true);
        }
        self.say("reason", &network.reason);
    }

    fn users(&mut self, users: &UserStore) {
        self.of(format!("users {}", users.name), users.origin);
        match &users.backend {
            UserBackend::Passwd(secret) => self.say("passwd", secret),
            UserBackend::Dovecot(socket) => self.say("dovecot", format_args!("unix:{socket}")),
            UserBackend::Certificate(pem) => {
                self.say("client-certificate", format!("{} octets of PEM, SHA-256 {}", pem.len(), mark(pem.as_bytes())));
            }
            UserBackend::Directory(directory) => self.directory(directory),
            UserBackend::Tokens(issuer) => self.tokens(issuer),
        }
        if let Some(rate) = users.messages {
            self.say("limit messages", rate);
        }
        if let Some(rate) = users.new_recipients {
            self.say("limit new-recipients", rate);
        }
        for entry in &users.send_as {
            self.say_at(&format!("may-send-as {}", entry.user), join(&entry.mailboxes), entry.origin);
        }
    }

    fn directory(&mut self, directory: &Directory) {
        let scheme = if directory.security == DirectorySecurity::Tls { "ldaps" } else { "ldap" };
        self.say("ldap-bind", format_args!("{scheme}://{}:{}", directory.host, directory.port));
        self.say("starttls", directory.security == DirectorySecurity::StartTls);
        self.say("dn", &directory.dn);
    }

    fn tokens(&mut self, tokens: &TokenIssuer) {
        self.say("oauth issuer", &tokens.issuer);
        self.say("audience", &tokens.audience);
        self.say("user", &tokens.claim);
        match &tokens.proof {
            TokenProof::Keys(keys) => {
                let name = |key: &TokenKey| {
                    let mut octets = Vec::new();
                    let kind = match &key.public {
                        TokenPublicKey::Rsa { modulus, exponent } => {
                            octets.extend_from_slice(modulus);
                            octets.extend_from_slice(exponent);
                            "RS256"
                        }
                        TokenPublicKey::P256(point) => {
                            octets.extend_from_slice(point);
                            "ES256"
                        }
                        TokenPublicKey::Ed25519(key) => {
                            octets.extend_from_slice(key);
                            "EdDSA"
                        }
                    };
                    format!("{kind} {} SHA-256 {}", key.id.as_deref().unwrap_or("without kid"), mark(&octets))
                };
                self.say("jwks", keys.iter().map(name).collect::<Vec<_>>().join(", "));
            }
            TokenProof::Introspection { url, client, secret } => {
                self.say("introspection", url);
                self.say("client", client);
                self.say("secret", secret);
            }
        }
    }

    fn transport(&mut self, kind: &TransportKind) {
        match kind {
            TransportKind::Maildir { path } => self.say("maildir", path),
            TransportKind::Lmtp { server } => self.say("lmtp", server),
            TransportKind::Smtp { host, port, mx, tls } => {
                self.say("smtp", host);
                self.say("port", port);
                self.say("mx", mx);
                self.say("tls", tls);
            }
            TransportKind::Pipe { program, user } => {
                self.say("pipe", program);
                self.say("user", user);
            }
            TransportKind::Discard { reason } => self.say("discard", reason),
            TransportKind::Fail { reason } => self.say("fail", reason),
        }
    }

    fn receiver(&mut self, receiver: &Receiver) {
        self.of(format!("destination {}", receiver.domain), receiver.origin);
        if let Some(concurrency) = receiver.concurrency {
            self.say("concurrency", concurrency);
        }
        if let Some(rate) = receiver.rate {
            self.say("rate", rate);
        }
        if let Some(pause) = receiver.pause_after_defer {
            self.say("pause-after-defer", duration(pause));
        }
    }

    fn relay(&mut self, relay: &Relay) {
        self.of(format!("relay {}", relay.name), relay.origin);
        self.say("host", &relay.host);
        self.say("port", relay.port);
        self.say("tls", relay.tls);
        if let Some(login) = &relay.login {
            self.say("login", &login.user);
            self.say("secret", &login.secret);
            if login.bearer {
                self.say("bearer", true);
            }
        }
        if let Some(rate) = relay.rate {
            self.say("rate", rate);
        }
        if let Some(backup) = &relay.backup {
            self.say("backup", backup);
        }
        if !relay.spf_includes.is_empty() {
            self.say("spf-include", join(&relay.spf_includes));
        }
        self.say("signs-dkim", relay.signs_dkim);
    }

    fn route(&mut self, position: usize, route: &Route) {
        self.of(format!("route {position}"), route.origin);
        self.say("to", &route.to);
        self.say("from", &route.from);
        self.say("via", &route.via);
        if let Some(level) = route.tls {
            self.say("tls", level);
        }
        for address in route.from_address.iter() {
            self.say(if address.is_ipv4() { "from-address" } else { "from-address6" }, address);
        }
    }

    fn screen(&mut self, screen: &Screen) {
        self.of("screen".to_owned(), Origin::DEFAULT);
        for (name, said) in [
            ("sender-domain-exists", screen.require_sender_domain),
            ("fqdn-helo", screen.require_fqdn_helo),
            ("resolvable-helo", screen.require_resolvable_helo),
        ] {
            self.say_at(name, said.is_some(), said.unwrap_or(Origin::DEFAULT));
        }
        if let Some((reaction, origin)) = screen.spf_fail {
            self.say_at("spf fail", reaction.as_str(), origin);
        }
        if let Some((reaction, origin)) = screen.dmarc {
            self.say_at("dmarc fail", reaction.as_str(), origin);
        }
        if screen.authenticates() {
            self.say_at("spf header", screen.received_spf, Origin::DEFAULT);
            self.say_at("dkim partial-body", screen.partial_body, Origin::DEFAULT);
            match &screen.quarantine {
                (Quarantine::To(mailbox), origin) => self.say_at("quarantine to", mailbox, *origin),
                (place, origin) => self.say_at("quarantine", place.as_str(), *origin),
            }
        }
        if let Some((wait, origin)) = screen.greet_wait {
            self.say_at("greet-wait", duration(wait), origin);
            self.say_at("early-talker", screen.early_talker.as_str(), origin);
        }
        for list in &screen.lists {
            // One zone may stand here several times, with other answers.
            let codes = if list.codes.is_any() { String::new() } else { format!(" {}", list.codes) };
            self.say_at(&format!("{} {}{codes}", list.node(), list.zone), format!("weight {}", list.weight), list.origin);
        }
        if !screen.lists.is_empty() {
            self.say_at("threshold", screen.threshold.0, screen.threshold.1);
        }
        if let Some(greylist) = screen.greylist {
            let (after, remember) = (duration(greylist.after), duration(greylist.remember));
            let masks = format!("mask4 {}, mask6 {}, enough {}", greylist.mask4, greylist.mask6, greylist.enough);
            self.say_at("greylist", format!("after {after}, remember {remember}, {masks}"), greylist.origin);
        }
        if let Some(reputation) = screen.reputation {
            let value = format!("halflife {}, limit {}", duration(reputation.halflife), reputation.limit);
            self.say_at("reputation", value, reputation.origin);
        }
        for limit in &screen.limits {
            let what = match limit.what {
                Limited::Connections(most) => format!("{most} connections"),
                Limited::NewConnections(rate) => format!("{}/{} new connections", rate.count, duration(rate.per)),
                Limited::Messages(rate) => format!("{}/{} messages", rate.count, duration(rate.per)),
            };
            self.say_at("limit", format!("{what} per {}", limit.per.as_str()), limit.origin);
        }
    }

    fn policy(&mut self, site: &Site) {
        self.screen(&site.screen);
        self.of("queue".to_owned(), site.queue.origin);
        self.say("retry", duration(site.queue.retry));
        self.say("factor", f64::from(site.queue.factor_percent) / 100.0);
        self.say("up-to", duration(site.queue.retry_cap));
        self.say("lifetime", duration(site.queue.lifetime));
        self.say("bounce-lifetime", duration(site.queue.bounce_lifetime));
        self.say("warn-after", duration(site.queue.warn_after));
        self.say("language", site.queue.language.as_str());
        for edit in &site.headers {
            self.of("headers".to_owned(), edit.origin);
            self.say(edit.at.as_str(), &edit.change);
        }
        self.rewriting(&site.rewriting);
        self.arc(&site.arc);
        self.of("limits".to_owned(), site.limits.origin);
        self.say("message", octets(site.limits.message_octets));
        self.say("recipients", site.limits.recipients);
        self.say("hops", site.limits.hops);
        if let Some(most) = site.limits.mailbox_octets {
            self.say("mailbox", octets(most));
        }
        self.say("sessions", site.limits.sessions);
        self.say("vrfy", site.limits.vrfy);
        self.of("log".to_owned(), site.logging.origin);
        self.say("format", site.logging.format.as_str());
        if let Some(metrics) = site.metrics {
            self.of("metrics".to_owned(), metrics.origin);
            self.say("listen", metrics.listen);
        }
        for kind in ReportKind::ALL {
            if let Some(reporter) = site.reports.reporter(kind) {
                self.of(format!("reports {}", kind.as_str()), reporter.origin);
                self.say("from", &reporter.from);
                self.say("organization", site.reports.organization.as_deref().unwrap_or(site.hostname.as_str()));
            }
        }
        if let Some(reporter) = &site.reports.failure {
            self.of("reports failure".to_owned(), reporter.origin);
            self.say("from", &reporter.from);
        }
    }
}

impl List {
    fn arc(&mut self, arc: &ArcPolicy) {
        if !arc.trusted.is_empty() {
            let trusted: Vec<&str> = arc.trusted.iter().map(Domain::as_str).collect();
            self.of("arc".to_owned(), arc.trusted_origin);
            self.say("trust", trusted.join(" "));
        }
        if let Some((domain, origin)) = &arc.seal {
            self.of("arc".to_owned(), *origin);
            self.say("seal", domain);
        }
    }

    fn rewriting(&mut self, said: &Rewriting) {
        for rewrite in &said.rewrites {
            self.of("rewrite".to_owned(), rewrite.origin);
            let name = format!("{} {} at {}", rewrite.place.as_str(), rewrite.from, rewrite.at.as_str());
            self.say(&name, &rewrite.to);
        }
        for masquerade in &said.masquerades {
            self.of("masquerade".to_owned(), masquerade.origin);
            let except = masquerade.except.iter().map(LocalPart::as_str).collect::<Vec<_>>();
            self.say(
                masquerade.domain.as_str(),
                if except.is_empty() { String::new() } else { format!("except {}", except.join(" ")) },
            );
        }
        for archive in &said.archives {
            self.of("archive".to_owned(), archive.origin);
            self.say(&archive.to.to_string(), &archive.when);
        }
        if let Some(srs) = &said.srs {
            self.of("srs".to_owned(), srs.origin);
            self.say("domain", &srs.domain);
            self.say("secret", &srs.secret);
        }
    }
}

/// The values of a domain.
pub fn domain(entry: &DomainEntry) -> Vec<Item> {
    let mut list = List { items: Vec::new(), subject: format!("domain {}", entry.name), origin: entry.origin };
    list.say("class", &entry.class);
    if let DomainClass::Relay(onward) = &entry.class {
        list.say("via", onward.via.as_ref().map_or("the routes", NextHop::name));
        list.say("recipients", if onward.listed { "those listed" } else { "all" });
    }
    if entry.class == DomainClass::Local {
        list.say("deliver", &entry.transport);
        list.say("delimiter", entry.delimiter.map_or("none".to_owned(), String::from));
        for pattern in &entry.patterns {
            list.say_at(&format!("pattern {}", pattern.expression()), pattern.target(), pattern.origin);
        }
        if let Some((target, origin)) = &entry.catch_all {
            list.say_at("catch-all", target, *origin);
        }
    }
    for signer in &entry.signers {
        let key = signer.key.as_ref().map(|key| format!(", key-secret {key}")).unwrap_or_default();
        let value = format!("{}, {}{key}", signer.public_key.algorithm(), signer.state);
        list.say_at(&format!("dkim {}", signer.selector), value, signer.origin);
    }
    list.publication(&entry.publication);
    list.items
}

impl List {
    /// What a domain's owner says of it in DNS; what follows from the rest of the site is for `postern dns`.
    fn publication(&mut self, said: &Publication) {
        if said.spf != SpfPolicy::default() {
            let (addresses, includes) = (join(&said.spf.addresses), join(&said.spf.includes));
            self.say("spf", [said.spf.all.as_str(), &*addresses, &*includes].join(" ").trim());
        }
        if let Some(dmarc) = &said.dmarc {
            self.say("dmarc", dmarc);
        }
        if let Some(sts) = &said.mta_sts {
            self.say("mta-sts", format!("{}, max-age {}", sts.mode, duration(sts.max_age)));
            sts.web_host.iter().for_each(|host| self.say("mta-sts web-host", host));
        }
        if let Some(report) = &said.tls_report {
            self.say("tls-report", report);
        }
        if let Some(pins) = &said.dane {
            self.say("dane", format!("{} keys beside those of the chain", pins.len()));
        }
        for issuer in &said.caa {
            self.say(&format!("caa {} {}", issuer.certificates.as_str(), issuer.issuer), issuer);
        }
        if let Some(autoconfig) = &said.autoconfig {
            self.say("autoconfig", true);
            let Autoconfig { imap, pop3, jmap, caldav, carddav, .. } = autoconfig;
            let places = [("imap", imap), ("pop3", pop3), ("jmap", jmap), ("caldav", caldav), ("carddav", carddav)];
            for (name, place) in places {
                if let Some((host, port)) = place {
                    self.say(&format!("autoconfig {name}"), format!("{host}:{port}"));
                }
            }
            if autoconfig.pacc {
                self.say("autoconfig pacc", true);
            }
            autoconfig.web_host.iter().for_each(|host| self.say("autoconfig web-host", host));
        }
        if let Some(bimi) = &said.bimi {
            self.say("bimi", bimi);
        }
    }
}

/// An address and what it is.
pub fn address(found: &Address<'_>) -> Item {
    let (name, value) = match found.to_kind() {
        AddressKind::Mailbox { quota_octets: None } => ("mailbox", String::new()),
        AddressKind::Mailbox { quota_octets: Some(quota) } => ("mailbox", format!("quota {}", octets(quota))),
        AddressKind::Relayed => ("recipient", String::new()),
        AddressKind::Alias(targets) => ("alias", mailboxes(&targets)),
        AddressKind::Forward { targets, srs, keep_copy } => {
            let words = [(srs, " srs"), (keep_copy, " keep-copy")];
            let said = words.iter().filter(|(is_on, _)| *is_on).map(|(_, word)| *word).collect::<String>();
            ("forward", mailboxes(&targets) + &said)
        }
        AddressKind::List { transport } => ("list", format!("via {transport}")),
    };
    Item {
        subject: format!("address {}@{}", found.local(), found.host_name()),
        name: name.to_owned(),
        value,
        origin: found.origin(),
    }
}

fn mailboxes(targets: &[Forward]) -> String {
    join(&targets.iter().map(|target| &target.mailbox).collect::<Vec<_>>())
}

/// The first octets of a digest: enough to see that two are not the same.
fn mark(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().take(8).map(|octet| format!("{octet:02x}")).collect()
}

fn join<T: Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

/// `5m`, `2h`, `5d`: the largest unit that leaves nothing over.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let fits = units.iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    fits.map_or_else(|| format!("{seconds}s"), |(unit, name)| format!("{}{name}", seconds / unit))
}

/// `50MiB`: the largest unit that leaves nothing over.
fn octets(octets: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fits = units.iter().find(|(unit, _)| octets > 0 && octets.is_multiple_of(*unit));
    fits.map_or_else(|| octets.to_string(), |(unit, name)| format!("{}{name}", octets / unit))
}
