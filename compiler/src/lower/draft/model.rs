//! From draft to [`Model`]: places become [`Origin`]s, and nothing else changes.

use super::{DomainDraft, Setting, SignerDraft, SiteDraft};
use crate::model::Model;
use crate::source::{Sources, Span};
use postern_schema::name::Domain;
use postern_schema::site::{
    Acme, Certificate, DkimSigner, DomainEntry, FromAddress, HeaderEdit, Limits, Listener, Logging, Login, Metrics, Network,
    Notices, Origin, QueuePolicy, Receiver, Relay, Route, SendAs, Site, TlsPolicy, Transport, UserStore, WebListener,
};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

impl SiteDraft {
    /// The site without places. Of two domains or addresses with one name the first counts; a rule refuses the second.
    pub fn to_model(&self, sources: &Sources) -> Model {
        let mut domains = BTreeMap::new();
        for domain in &self.domains {
            if let Entry::Vacant(place) = domains.entry(domain.name.value.clone()) {
                place.insert(Arc::new(domain_entry(domain, sources)));
            }
        }
        Model { site: self.site(sources), domains, addresses: Arc::clone(&self.addresses) }
    }

    fn site(&self, sources: &Sources) -> Site {
        Site {
            sources: sources.to_site(),
            hostname: self.host.hostname.value.clone(),
            origin_domain: self.host.origin_domain.value.clone(),
            postmaster: self.host.postmaster.value.clone(),
            postmaster_origin: origin_of(&self.host.postmaster, sources),
            notices: Notices { classes: self.host.notices.value.clone(), origin: origin_of(&self.host.notices, sources) },
            addresses: self.host.addresses.iter().map(|address| address.value).collect(),
            resolver: self.host.resolver.as_ref().map(|resolver| resolver.value),
            listeners: self.listeners(sources),
            web: self.web.first().map(|web| web_listener(web, sources)),
            networks: self.networks(sources),
            users: self.users(sources),
            transports: self.transports(sources),
            relays: self.relays(sources),
            routes: self.routes(sources),
            receivers: self.receivers(sources),
            tls: self.tls(sources),
            screen: self.screen.to_site(&|span| sources.origin(span)),
            arc: self.arc.to_site(sources),
            queue: self.queue(sources),
            headers: self.headers(sources),
            rewriting: self.rewriting.to_site(self, sources),
            limits: self.limits(sources),
            logging: Logging { format: self.log_format.value, origin: origin_of(&self.log_format, sources) },
            reports: self.reports.to_site(sources),
            metrics: self.metrics.as_ref().map(|at| Metrics { listen: at.value, origin: sources.origin(at.span) }),
        }
    }

    fn listeners(&self, sources: &Sources) -> Vec<Listener> {
        let listener = |draft: &super::ListenerDraft| Listener {
            name: draft.name.value.clone(),
            kind: draft.kind.value,
            addresses: draft.addresses.iter().map(|address| address.value).collect(),
            port: draft.port.value,
            socket: draft.socket.as_ref().map(|path| path.value.clone()),
            peers: draft.peers.as_ref().map(|range| range.value),
            proxy_from: draft.proxy_from.as_ref().map(|range| range.value),
            xclient_from: draft.xclient_from.as_ref().map(|range| range.value),
            origin: sources.origin(draft.span),
        };
        self.listeners.iter().map(listener).collect()
    }

    fn networks(&self, sources: &Sources) -> Vec<Network> {
        let network = |draft: &super::NetworkDraft| Network {
            name: draft.name.value.clone(),
            ranges: draft.ranges.iter().map(|range| range.value).collect(),
            certificates: draft.certificates.iter().map(|certificate| certificate.value).collect(),
            relay: draft.relay.value,
            exempt: draft.exempt.iter().map(|check| check.value).collect(),
            mends_line_ends: draft.mends_line_ends.value,
            reason: draft.reason.value.clone(),
            origin: sources.origin(draft.span),
        };
        self.networks.iter().map(network).collect()
    }

    fn users(&self, sources: &Sources) -> Vec<UserStore> {
        let send_as = |draft: &super::SendAsDraft| SendAs {
            user: draft.user.value.clone(),
            mailboxes: draft.mailboxes.iter().map(|mailbox| mailbox.value.clone()).collect(),
            origin: sources.origin(draft.span),
        };
        let store = |draft: &super::UsersDraft| UserStore {
            name: draft.name.value.clone(),
            backend: draft.backend.value.clone(),
            send_as: draft.send_as.iter().map(send_as).collect(),
            messages: draft.messages.as_ref().map(|rate| rate.value),
            new_recipients: draft.new_recipients.as_ref().map(|rate| rate.value),
            origin: sources.origin(draft.span),
        };
        self.users.iter().map(store).collect()
    }

    fn transports(&self, sources: &Sources) -> Vec<Transport> {
        let transport = |draft: &super::TransportDraft| Transport {
            name: draft.name.value.clone(),
            kind: draft.kind.clone(),
            origin: origin(draft.span, sources),
        };
        self.transports.iter().map(transport).collect()
    }

    fn relays(&self, sources: &Sources) -> Vec<Relay> {
        let relay = |draft: &super::RelayDraft| Relay {
            name: draft.name.value.clone(),
            host: draft.host.value.clone(),
            port: draft.port.value,
            tls: draft.tls.value,
            login: draft.login.as_ref().map(|login| Login {
                user: login.user.value.clone(),
                secret: login.secret.value.clone(),
                bearer: login.bearer,
            }),
            rate: draft.rate.as_ref().map(|rate| rate.value),
            backup: draft.backup.as_ref().map(|backup| backup.value.clone()),
            spf_includes: draft.spf_includes.iter().map(|name| name.value.clone()).collect(),
            signs_dkim: draft.signs_dkim.is_some(),
            origin: sources.origin(draft.span),
        };
        self.relays.iter().map(relay).collect()
    }

    fn routes(&self, sources: &Sources) -> Vec<Route> {
        let route = |draft: &super::RouteDraft| Route {
            to: draft.to.value.clone(),
            from: draft.from.value.clone(),
            via: draft.via.value.clone(),
            tls: draft.tls.as_ref().map(|level| level.value),
            from_address: FromAddress::of(draft.from_address.iter().map(|address| address.value)),
            origin: sources.origin(draft.span),
        };
        self.routes.iter().map(route).collect()
    }

    fn receivers(&self, sources: &Sources) -> Vec<Receiver> {
        let receiver = |draft: &super::ReceiverDraft| Receiver {
            domain: draft.domain.value.clone(),
            concurrency: draft.concurrency.as_ref().map(|count| count.value),
            rate: draft.rate.as_ref().map(|rate| rate.value),
            pause_after_defer: draft.pause_after_defer.as_ref().map(|pause| pause.value),
            origin: sources.origin(draft.span),
        };
        self.receivers.iter().map(receiver).collect()
    }

    /// The names of each certificate that the daemon gets: the host's, then those that each domain is served at.
    fn certificates_to_get(&self) -> Vec<Vec<Domain>> {
        let is_named = |name: &Domain| self.tls.certificates.iter().any(|certificate| certificate.name.value == *name);
        let host = [self.host.hostname.value.clone()].to_vec();
        let served = self.domains.iter().map(|domain| domain.web_names().map(|(name, _)| name).collect::<Vec<_>>());
        let served = served.filter(|_| !self.web.is_empty());
        let groups = std::iter::once(host).chain(served);
        groups
            .map(|names| names.into_iter().filter(|name| !is_named(name)).collect::<Vec<_>>())
            .filter(|names| !names.is_empty())
            .collect()
    }

    fn tls(&self, sources: &Sources) -> TlsPolicy {
        let certificate = |draft: &super::CertificateDraft| Certificate {
            name: draft.name.value.clone(),
            chain: draft.chain.value.clone(),
            key: draft.key.value.clone(),
            origin: sources.origin(draft.span),
        };
        TlsPolicy {
            certificates: self.tls.certificates.iter().map(certificate).collect(),
            self_signed: self.tls.self_signed.is_some(),
            acme: self.tls.acme.as_ref().map(|draft| Acme {
                directory: draft.directory.clone(),
                contact: draft.contact.as_ref().map(|contact| contact.value.clone()),
                certificates: self.certificates_to_get(),
                http: draft.http.as_ref().map(|http| web_listener(http, sources)),
                origin: sources.origin(draft.span),
            }),
            minimum: self.tls.minimum,
            origin: origin(self.tls.span, sources),
        }
    }

    fn queue(&self, sources: &Sources) -> QueuePolicy {
        QueuePolicy {
            retry: self.queue.retry.value,
            factor_percent: self.queue.factor_percent.value,
            retry_cap: self.queue.retry_cap.value,
            lifetime: self.queue.lifetime.value,
            bounce_lifetime: self.queue.bounce_lifetime.value,
            warn_after: self.queue.warn_after.value,
            language: self.queue.language.value,
            origin: origin(self.queue.span, sources),
        }
    }

    fn headers(&self, sources: &Sources) -> Vec<HeaderEdit> {
        let edit = |draft: &super::HeaderDraft| HeaderEdit {
            change: draft.change.value.clone(),
            at: draft.at,
            origin: sources.origin(draft.change.span),
        };
        self.headers.iter().map(edit).collect()
    }

    fn limits(&self, sources: &Sources) -> Limits {
        Limits {
            message_octets: self.limits.message_octets.value,
            recipients: self.limits.recipients.value,
            hops: self.limits.hops.value,
            mailbox_octets: self.limits.mailbox_octets.as_ref().map(|octets| octets.value),
            sessions: self.limits.sessions.value,
            vrfy: self.limits.vrfy.value,
            origin: origin(self.limits.span, sources),
        }
    }
}

fn domain_entry(draft: &DomainDraft, sources: &Sources) -> DomainEntry {
    DomainEntry {
        name: draft.name.value.clone(),
        class: draft.class.value.clone(),
        transport: draft.transport.value.clone(),
        catch_all: draft.catch_all.as_ref().map(|target| (target.value.clone(), sources.origin(target.span))),
        delimiter: draft.delimiter.value,
        patterns: draft.patterns.iter().map(|pattern| pattern.pattern.clone()).collect(),
        publication: draft.publication.to_site(),
        signers: draft.signers.iter().map(|signer| dkim_signer(signer, sources)).collect(),
        origin: sources.origin(draft.name.span),
    }
}

fn dkim_signer(draft: &SignerDraft, sources: &Sources) -> DkimSigner {
    DkimSigner {
        selector: draft.selector.value.clone(),
        public_key: draft.public_key.value.public.clone(),
        key: draft.key.as_ref().map(|key| key.value.clone()),
        state: draft.state.value,
        origin: sources.origin(draft.span),
    }
}

fn origin(span: Option<Span>, sources: &Sources) -> Origin {
    span.map_or(Origin::DEFAULT, |span| sources.origin(span))
}

fn origin_of<T>(setting: &Setting<T>, sources: &Sources) -> Origin {
    origin(setting.span, sources)
}

fn web_listener(draft: &super::WebDraft, sources: &Sources) -> WebListener {
    WebListener {
        name: draft.name.value.clone(),
        addresses: draft.addresses.iter().map(|address| address.value).collect(),
        port: draft.port.value,
        origin: sources.origin(draft.span),
    }
}
