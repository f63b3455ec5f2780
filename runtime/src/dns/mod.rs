//! What the runtime asks of DNS, in words: [`Found`], never a bare error. The one implementation that goes to the network is
//! [`Resolver`], an adapter of hickory; tests point it at a server on loopback.

mod resolver;
pub mod secure;

pub use resolver::{Resolver, ResolverError};

use postern_schema::decide::SenderDomain;
use postern_schema::dns::{Answer, Question};
use postern_schema::name::Domain;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// The outcome of one question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found<T> {
    /// These records; never none.
    Records(Vec<T>),
    /// The name exists and has no record of that type.
    None,
    /// The name does not exist.
    Nonexistent,
    /// DNSSEC validation failed: the answer may be forged. Treated as a failure, never as "none".
    Bogus,
    /// No answer, or a server that refused or failed; what went wrong, for the log.
    Failed(String),
}

/// One MX record (RFC 5321 5.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mx {
    /// Lower is tried first.
    pub preference: u16,
    /// The host; `None` is the root, the host of a null MX (RFC 7505).
    pub exchange: Option<Domain>,
}

/// A future that somebody else made.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The questions that a mail server asks. Every one ends within a bounded time.
pub trait Dns: Send + Sync {
    /// The MX records of a domain, in no order. One whose host is no domain name is left out.
    fn mx<'a>(&'a self, domain: &'a Domain) -> Pending<'a, Found<Mx>>;

    /// The addresses of a host, IPv6 first.
    fn addresses<'a>(&'a self, host: &'a Domain) -> Pending<'a, Found<IpAddr>>;

    /// The answer to a question of SPF, DKIM or DMARC. One that is bogus has failed.
    fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Answer>;
}

/// The fact behind [`postern_schema::decide::Need::SenderDomain`]: whether a bounce to the domain could be delivered.
pub async fn sender_domain(dns: &dyn Dns, domain: &Domain) -> SenderDomain {
    match dns.mx(domain).await {
        // RFC 7505 3: a null MX stands alone; beside others it is a mistake and the others count.
        Found::Records(hosts) if hosts.iter().all(|mx| mx.exchange.is_none()) => SenderDomain::NullMx,
        Found::Records(_) => SenderDomain::Found,
        Found::Nonexistent => SenderDomain::Nonexistent,
        Found::Bogus | Found::Failed(_) => SenderDomain::Failed,
        // RFC 5321 5.1: without an MX, the domain's own address is its mail host.
        Found::None => match dns.addresses(domain).await {
            Found::Records(_) => SenderDomain::Found,
            Found::None | Found::Nonexistent => SenderDomain::Nonexistent,
            Found::Bogus | Found::Failed(_) => SenderDomain::Failed,
        },
    }
}
