//! What DNSSEC proves (RFC 4035), for DANE alone: everything else asks the plain [`super::Resolver`], since a validator that
//! errs must not keep mail from being routed at all.
//!
//! The validator is hickory's own. It asks the same servers, and is believed only once it has seen that they pass on what it
//! needs: a proof of the root's own keys. Each question ends within a bounded time, and its verdict is kept, failures too, since a
//! chain that cannot be completed costs many questions each time.

use super::{Mx, ResolverError};
use super::{overheard, resolver};
use arc_swap::ArcSwap;
use hickory_resolver::TokioResolver;
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use postern_schema::name::Domain;
use postern_schema::record::RecordKind;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The longest that one question may take, with everything that it takes to prove the answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a verdict is kept: at most, and where there is nothing to go by.
const KEPT: Duration = Duration::from_secs(300);
/// How long one is kept that may be better soon.
const FAILURE_KEPT: Duration = Duration::from_secs(30);
/// The most verdicts that are kept.
const VERDICTS_MAX: usize = 10_000;
/// The most records of one answer that are looked at.
const RECORD_LIMIT: usize = 100;
/// The pauses between two looks at whether the servers help us to validate: while they do not, and once they do.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(3600)];

/// What was proved about a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proven<T> {
    /// These records, and the name that they stand at, which is another one where an alias leads there.
    Secure {
        /// Never none.
        records: Vec<T>,
        /// Where the last alias leads, if that is a host.
        owner: Option<Domain>,
    },
    /// That there is none.
    Nothing,
    /// That the zone is not signed.
    Insecure,
    /// That somebody has changed the answer, or has broken the zone.
    Bogus,
    /// Nothing: no answer. Why, for people.
    Failed(String),
}

/// A TLSA record (RFC 6698 2.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tlsa {
    /// Which certificate is meant: 2 an authority, 3 the host's own.
    pub usage: u8,
    /// What of it: 0 all, 1 its key.
    pub selector: u8,
    /// How: 0 as it is, 1 its SHA-256, 2 its SHA-512.
    pub matching: u8,
    /// The data to compare with.
    pub data: Vec<u8>,
}

impl std::fmt::Display for Tlsa {
    /// As a zone has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Whether proofs can be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ability {
    /// The first look is not over yet.
    Unknown,
    /// They can.
    Proven,
    /// They cannot, and why.
    Missing(Arc<str>),
}

/// See the module.
pub struct Validator {
    resolver: ArcSwap<TokioResolver>,
    anchors: Arc<TrustAnchors>,
    exchanged: Notify,
    ability: tokio::sync::watch::Sender<Ability>,
    verdicts: Mutex<Verdicts>,
}

/// What was proved, with all records of the answer.
type Verdict = Proven<Record>;
/// What was proved of a name and a type, and until when that is believed.
type Verdicts = HashMap<(Box<str>, RecordType), (Verdict, Instant)>;

impl Validator {
    /// Asks the server given, or those of the system, and trusts these keys of the root: without a file, those of the Internet's.
    ///
    /// # Errors
    /// [`ResolverError`] says what cannot be read.
    pub fn new(server: Option<SocketAddr>, anchor: Option<&Path>) -> Result<Validator, ResolverError> {
        let anchors = match anchor {
            None => TrustAnchors::default(),
            Some(path) => TrustAnchors::from_file(path)
                .map_err(|error| ResolverError::new(format!("the trust anchor {}: {error}", path.display())))?,
        };
        let anchors = Arc::new(anchors);
        Ok(Validator {
            resolver: ArcSwap::from_pointee(validating(server, &anchors)?),
            anchors,
            exchanged: Notify::new(),
            ability: Ability::Unknown.into_sender(),
            verdicts: Mutex::default(),
        })
    }

    /// From now on another server is asked. What was proved by the old one is forgotten, and whether the new one helps us to validate
    /// is looked at before anything else is said.
    ///
    /// # Errors
    /// [`ResolverError`]: the old one is asked still.
    pub fn exchange(&self, server: Option<SocketAddr>) -> Result<(), ResolverError> {
        self.resolver.store(Arc::new(validating(server, &self.anchors)?));
        self.verdicts().clear();
        self.ability.send_replace(Ability::Unknown);
        self.exchanged.notify_one();
        Ok(())
    }

    /// Looks again and again whether proofs can be had, and says so in the log when it changes.
    pub async fn watch(&self) {
        loop {
            let found = self.look().await;
            let is_proven = found == Ability::Proven;
            if self.ability.send_replace(found.clone()) != found {
                match &found {
                    Ability::Missing(why) => tracing::warn!(
                        why = &**why,
                        "DNSSEC cannot be had from the resolver, so DANE is not available: mail that demands it waits"
                    ),
                    _ => tracing::info!("DNSSEC is validated: DANE is available"),
                }
            }
            // An exchange cuts it short.
            let _ = tokio::time::timeout(LOOK_AGAIN[usize::from(is_proven)], self.exchanged.notified()).await;
        }
    }

    /// The root proves its own keys, or nothing below it can be proved.
    async fn look(&self) -> Ability {
        match self.ask(".", RecordType::NS).await {
            Proven::Secure { .. } => Ability::Proven,
            Proven::Nothing | Proven::Insecure => Ability::Missing("the root is not signed there".into()),
            Proven::Bogus => Ability::Missing("the resolver does not pass on the signatures of the root".into()),
            Proven::Failed(why) => Ability::Missing(why.into()),
        }
    }

    /// Whether proofs can be had, once that is known.
    pub async fn ability(&self) -> Ability {
        let mut ability = self.ability.subscribe();
        let known = ability.wait_for(|ability| *ability != Ability::Unknown).await;
        known.map_or(Ability::Unknown, |ability| ability.clone())
    }

    /// Whether proofs can be had, as far as that is known.
    pub fn ability_now(&self) -> Ability {
        self.ability.borrow().clone()
    }

    /// The MX records of a domain.
    pub async fn mx(&self, domain: &Domain) -> Proven<Mx> {
        self.prove(domain.as_str(), RecordType::MX).await.filter(resolver::mx_of)
    }

    /// The addresses of one family. Only one that the host has should be asked for: the absence of the other cannot always be
    /// proved where aliases are.
    pub async fn addresses(&self, host: &Domain, is_v6: bool) -> Proven<IpAddr> {
        let kind = if is_v6 { RecordType::AAAA } else { RecordType::A };
        self.prove(host.as_str(), kind).await.filter(resolver::address_of)
    }

    /// The TLSA records of a port of a host (RFC 6698 3).
    pub async fn tlsa(&self, host: &Domain, port: u16) -> Proven<Tlsa> {
        let name = format!("_{port}._tcp.{host}");
        let proven = self.prove(&name, RecordType::TLSA).await.filter(tlsa_of);
        overheard::note_proof(&name, RecordKind::Tlsa, &proven);
        proven
    }

    fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        // What is guarded is whole at every moment, also after a panic.
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn prove(&self, name: &str, kind: RecordType) -> Verdict {
        let key = (Box::from(name), kind);
        let now = Instant::now();
        if let Some((verdict, until)) = self.verdicts().get(&key)
            && *until > now
        {
            return verdict.clone();
        }
        let verdict = self.ask(&format!("{name}."), kind).await;
        let kept = match &verdict {
            Proven::Secure { records, .. } => {
                let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
                Duration::from_secs(ttl.into()).min(KEPT)
            }
            Proven::Nothing | Proven::Insecure => KEPT,
            Proven::Bogus | Proven::Failed(_) => FAILURE_KEPT,
        };
        let mut verdicts = self.verdicts();
        if verdicts.len() >= VERDICTS_MAX {
            verdicts.retain(|_, (_, until)| *until > now);
            if verdicts.len() >= VERDICTS_MAX {
                verdicts.clear();
            }
        }
        verdicts.insert(key, (verdict.clone(), now + kept));
        verdict
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Verdict {
        let resolver = self.resolver.load_full();
        match tokio::time::timeout(DEADLINE, resolver.lookup(name, kind)).await {
            Err(_) => Proven::Failed(format!("no proof for {name} {kind} within {} s", DEADLINE.as_secs())),
            Ok(Ok(lookup)) => judge(&lookup, kind),
            Ok(Err(NetError::Dns(DnsError::DnssecBogus))) => Proven::Bogus,
            Ok(Err(NetError::Dns(DnsError::Nsec { proof, .. }))) => negative(proof),
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(none)))) => {
                let soa = none.soa.iter().map(|soa| soa.proof);
                let proofs = soa.chain(none.authorities.iter().flat_map(|all| all.iter()).map(|record| record.proof));
                proofs.reduce(weaker).map_or(Proven::Insecure, negative)
            }
            Ok(Err(error)) => Proven::Failed(format!("{name} {kind}: {error}")),
        }
    }
}

fn validating(server: Option<SocketAddr>, anchors: &Arc<TrustAnchors>) -> Result<TokioResolver, ResolverError> {
    let mut builder = resolver::builder(server)?.with_trust_anchor(anchors.clone());
    // The verdicts are kept here.
    builder.options_mut().cache_size = 512;
    builder.build().map_err(|error| ResolverError::new(error.to_string()))
}

impl Ability {
    fn into_sender(self) -> tokio::sync::watch::Sender<Ability> {
        tokio::sync::watch::Sender::new(self)
    }
}

/// The less reassuring of two proofs.
fn weaker(one: Proof, other: Proof) -> Proof {
    let rank = |proof: Proof| match proof {
        Proof::Bogus => 0,
        Proof::Indeterminate => 1,
        Proof::Insecure => 2,
        Proof::Secure => 3,
    };
    if rank(one) <= rank(other) { one } else { other }
}

fn negative(proof: Proof) -> Verdict {
    match proof {
        Proof::Secure => Proven::Nothing,
        Proof::Insecure | Proof::Indeterminate => Proven::Insecure,
        Proof::Bogus => Proven::Bogus,
    }
}

fn judge(lookup: &Lookup, kind: RecordType) -> Verdict {
    let counts = |record: &&Record| record.record_type() == kind || record.record_type() == RecordType::CNAME;
    let all: Vec<&Record> = lookup.answers().iter().filter(counts).take(RECORD_LIMIT).collect();
    let proof = all.iter().map(|record| record.proof).reduce(weaker).unwrap_or(Proof::Indeterminate);
    let records: Vec<Record> = all.into_iter().filter(|record| record.record_type() == kind).cloned().collect();
    if proof != Proof::Secure || records.is_empty() {
        return negative(proof);
    }
    let owner = Domain::parse(records[0].name.to_ascii().trim_end_matches('.')).ok();
    Proven::Secure { records, owner }
}

impl Verdict {
    fn filter<T>(self, read: impl Fn(&Record) -> Option<T>) -> Proven<T> {
        match self {
            Proven::Secure { records, owner } => {
                let records: Vec<T> = records.iter().filter_map(read).collect();
                if records.is_empty() { Proven::Nothing } else { Proven::Secure { records, owner } }
            }
            Proven::Nothing => Proven::Nothing,
            Proven::Insecure => Proven::Insecure,
            Proven::Bogus => Proven::Bogus,
            Proven::Failed(why) => Proven::Failed(why),
        }
    }
}

fn tlsa_of(record: &Record) -> Option<Tlsa> {
    let RData::TLSA(tlsa) = &record.data else { return None };
    Some(Tlsa {
        usage: tlsa.cert_usage.into(),
        selector: tlsa.selector.into(),
        matching: tlsa.matching.into(),
        data: tlsa.cert_data.clone(),
    })
}
