//! What the runtime asks of DNS, in words: [`Found`], never a bare error. The one implementation that goes to the network is
//! [`Resolver`], an adapter of hickory, behind a [`Memory`] of what failed and of what is under way; tests point it at a server on loopback.

mod memory;
pub mod overheard;
mod resolver;
pub mod secure;
mod under_way;

pub use memory::Memory;
pub use resolver::{Resolver, ResolverError};

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
