//! [`Dns`] over hickory: the system's resolvers, or one that the operator names.

use super::{Dns, Found, Mx, Pending};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use postern_schema::dns::{Answer, Question};
use postern_schema::name::Domain;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The longest that one question may take, whatever the resolver's own retries add up to (RFC 7208 4.6.4 wants 20 s at
/// least for all of an SPF check; one question gets half of it).
const DEADLINE: Duration = Duration::from_secs(10);
/// The most records of one answer that are looked at.
const RECORD_LIMIT: usize = 100;

/// A caching resolver. Cheap to share; make one and keep it.
pub struct Resolver(TokioResolver);

/// The system's resolver configuration, or a trust anchor, cannot be read.
#[derive(Debug)]
pub struct ResolverError(String);

impl fmt::Display for ResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DNS cannot be asked: {}; --dns IP:PORT names another resolver than the system's", self.0)
    }
}

impl std::error::Error for ResolverError {}

impl ResolverError {
    pub(super) fn new(why: String) -> ResolverError {
        ResolverError(why)
    }
}

impl Resolver {
    /// Asks the server given, over UDP and TCP; without one, those of `/etc/resolv.conf`.
    ///
    /// # Errors
    /// [`ResolverError`] if the system's configuration is unreadable.
    pub fn new(server: Option<SocketAddr>) -> Result<Resolver, ResolverError> {
        builder(server)?.build().map(Resolver).map_err(|error| ResolverError(error.to_string()))
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Vec<Record>, Found<()>> {
        // With the trailing dot: the system's search domains have no say in where mail goes.
        let query = self.0.lookup(format!("{name}."), kind);
        match tokio::time::timeout(DEADLINE, query).await {
            Err(_) => Err(Found::Failed(format!("no answer for {name} {kind} within {} s", DEADLINE.as_secs()))),
            Ok(Ok(lookup)) => {
                let records = lookup.answers().iter().filter(|record| record.record_type() == kind);
                Ok(records.take(RECORD_LIMIT).cloned().collect())
            }
            Ok(Err(error)) if error.is_nx_domain() => Err(Found::Nonexistent),
            Ok(Err(error)) if error.is_no_records_found() => Err(Found::None),
            Ok(Err(NetError::Dns(DnsError::DnssecBogus))) => Err(Found::Bogus),
            Ok(Err(error)) => Err(Found::Failed(format!("{name} {kind}: {error}"))),
        }
    }
}

/// What every resolver here begins with.
pub(super) fn builder(server: Option<SocketAddr>) -> Result<ResolverBuilder<TokioRuntimeProvider>, ResolverError> {
    let mut builder = match server {
        Some(server) => TokioResolver::builder_with_config(one_server(server), TokioRuntimeProvider::default()),
        None => TokioResolver::builder_tokio().map_err(|error| ResolverError(error.to_string()))?,
    };
    harden(builder.options_mut());
    Ok(builder)
}

fn one_server(address: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    let server = NameServerConfig::new(address.ip(), true, connections.into());
    ResolverConfig::from_parts(None, vec![], vec![server])
}

fn harden(options: &mut ResolverOpts) {
    options.use_hosts_file = ResolveHosts::Never;
    options.ndots = 1;
    options.timeout = Duration::from_secs(3);
    options.attempts = 1;
}

impl Dns for Resolver {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Pending<'a, Found<Mx>> {
        Box::pin(async move {
            match self.lookup(domain.as_str(), RecordType::MX).await {
                Err(other) => other.without_records(),
                Ok(records) => Found::of(records.iter().filter_map(mx_of).collect()),
            }
        })
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Answer> {
        Box::pin(async move {
            match self.lookup(&question.name, RecordType::from(question.kind.number())).await {
                Ok(records) => match records.iter().filter_map(value_of).collect::<Vec<_>>() {
                    values if values.is_empty() => Answer::Nothing,
                    values => Answer::Found(values),
                },
                Err(Found::Nonexistent) => Answer::Nonexistent,
                Err(Found::Records(_) | Found::None) => Answer::Nothing,
                Err(Found::Bogus) => Answer::Failed("the answer may be forged (DNSSEC)".into()),
                Err(Found::Failed(why)) => Answer::Failed(why.into()),
            }
        })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Pending<'a, Found<IpAddr>> {
        Box::pin(async move {
            let host = host.as_str();
            let (v6, v4) = tokio::join!(self.lookup(host, RecordType::AAAA), self.lookup(host, RecordType::A));
            match (v6, v4) {
                (Ok(v6), Ok(v4)) => Found::of(v6.iter().chain(&v4).filter_map(address_of).collect()),
                (Ok(some), Err(_)) | (Err(_), Ok(some)) => Found::of(some.iter().filter_map(address_of).collect()),
                // A failure weighs more than "none": the other family may be where the address is.
                (Err(failed @ (Found::Failed(_) | Found::Bogus)), Err(_)) | (Err(_), Err(failed)) => failed.without_records(),
            }
        })
    }
}

/// A value as [`Answer::Found`] has it.
fn value_of(record: &Record) -> Option<Box<str>> {
    let name = |name: &Name| Box::from(name.to_ascii().trim_end_matches('.'));
    Some(match &record.data {
        RData::A(address) => address.0.to_string().into(),
        RData::AAAA(address) => address.0.to_string().into(),
        RData::MX(mx) => format!("{} {}", mx.preference, name(&mx.exchange)).into(),
        RData::PTR(host) => name(&host.0),
        RData::TXT(text) => String::from_utf8_lossy(&text.txt_data.concat()).into(),
        _ => return None,
    })
}

pub(super) fn mx_of(record: &Record) -> Option<Mx> {
    let RData::MX(mx) = &record.data else { return None };
    let name = mx.exchange.to_ascii();
    let exchange = if name == "." { None } else { Some(Domain::parse(&name).ok()?) };
    Some(Mx { preference: mx.preference, exchange })
}

pub(super) fn address_of(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

impl Found<()> {
    fn without_records<T>(self) -> Found<T> {
        match self {
            Found::Records(_) | Found::None => Found::None,
            Found::Nonexistent => Found::Nonexistent,
            Found::Bogus => Found::Bogus,
            Found::Failed(why) => Found::Failed(why),
        }
    }
}

impl<T> Found<T> {
    fn of(records: Vec<T>) -> Found<T> {
        if records.is_empty() { Found::None } else { Found::Records(records) }
    }
}
