//! From a target to a session: hosts in their order, each on its own [`terms`](super::terms), until one says hello at the level
//! that is demanded. How each of them ended is counted for the receiver's TLS report.

use super::dial;
use super::session::{Protection, Session};
use super::target::{Address, Candidate, Target};
use super::terms::{Families, Outset, Policy, Refused, Terms};
use super::tls::Setup;
use crate::daemon::{Daemon, now_ms};
use crate::net::Stream;
use crate::report::tls::{self as report, ResultType};
use crate::smtp::client::{Client, ClientConfig, ClientLogin, ClientStep, Phase};
use crate::smtp::sasl::Credentials;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postern_schema::name::HostName;
use postern_schema::reply::Reply;
use postern_schema::site::{Login, Site, TlsLevel};
use rustls::CertificateError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(60);
/// Submission with TLS from the first octet (RFC 8314 3.3).
const SUBMISSIONS_PORT: u16 = 465;

/// Connects to the first host that answers and says hello at the level that the target demands. `is_reported`: the receiver's TLS
/// report counts what comes of it.
///
/// # Errors
/// What the last host said, or what stands for it.
pub async fn connect(daemon: &Daemon, target: &Target, site: &Site, is_reported: bool) -> Result<Session, Reply> {
    let login = target.login.as_ref().map(|login| credentials(daemon, login)).transpose()?;
    let attempt = Attempt { daemon, target, site, login, is_reported };
    let outset = match Outset::find(daemon, target).await {
        Ok(outset) => outset,
        Err(refused) => {
            let host = target.candidates.first().map(|candidate| &candidate.host);
            return Err(attempt.refuse(host, refused));
        }
    };
    let mut last = Reply::unreachable("No address to connect to".to_owned());
    for host in target.candidates.chunk_by(|one, other| one.host == other.host) {
        match attempt.host(&outset, host).await {
            Ok(session) => return Ok(session),
            Err(reply) => last = reply,
        }
    }
    Err(last)
}

struct Attempt<'a> {
    daemon: &'a Daemon,
    target: &'a Target,
    site: &'a Site,
    login: Option<ClientLogin>,
    is_reported: bool,
}

/// Why a session did not come about.
struct OpenError {
    reply: Reply,
    /// What a TLS report calls it, where it is about TLS.
    result: Option<ResultType>,
    /// It was the handshake that failed.
    in_handshake: bool,
}

impl From<Reply> for OpenError {
    fn from(reply: Reply) -> OpenError {
        OpenError { reply, result: None, in_handshake: false }
    }
}

/// Both ends of a connection, where they have addresses.
#[derive(Clone, Copy, Default)]
struct Ends {
    ours: Option<IpAddr>,
    theirs: Option<IpAddr>,
}

impl Attempt<'_> {
    /// A session with one host, by any of its addresses.
    async fn host(&self, outset: &Outset, candidates: &[Candidate]) -> Result<Session, Reply> {
        let host = &candidates[0].host;
        let terms = match outset.terms(self.daemon, host, port(&candidates[0].address), families(candidates)).await {
            Ok(terms) => terms,
            Err(refused) => return Err(self.refuse(Some(host), refused)),
        };
        let mut last = Reply::unreachable(format!("{host} has no address to connect to"));
        let mut left: Vec<&Candidate> = candidates.iter().collect();
        while !left.is_empty() {
            let (stream, place) = dial::first(&left, self.target.from_address).await?;
            let candidate = left.remove(place);
            match self.open(stream, candidate, &terms).await {
                Ok(session) => return Ok(session),
                // RFC 5321 5.1: the next address is for those that cannot be reached or are out of service, and a refusal of
                // one host says nothing of the next.
                Err(reply) => {
                    tracing::info!(peer = %candidate, reply = reply.to_string(), "session failed");
                    // A refused login or greeting is about us or the host, not about the message: it must not bounce for it.
                    last = match reply.code.is_permanent() {
                        true => Reply::unreachable(format!("{host} refused the session: {reply}")),
                        false => reply,
                    };
                }
            }
        }
        Err(last)
    }

    /// A session over a connection, without TLS after all where that failed and is not demanded.
    async fn open(&self, stream: Stream, candidate: &Candidate, terms: &Terms) -> Result<Session, Reply> {
        let ends = Ends { ours: stream.local_ip(), theirs: ip(&candidate.address) };
        let is_demanded = !terms.level.allows_plaintext();
        let level = match terms.level {
            TlsLevel::May if !terms.is_witnessed() && self.daemon.client_tls.is_broken(&candidate.address) => TlsLevel::None,
            level => level,
        };
        let setup = match level {
            TlsLevel::None => None,
            _ => match self.daemon.client_tls.setup(terms, &candidate.host) {
                Ok(setup) => Some(setup),
                Err(why) => return Err(Reply::tls_failed(why.to_string())),
            },
        };
        let opened = self.say_hello(stream, candidate, terms, level, setup.as_ref()).await;
        let opened = match opened {
            Err(error) if error.in_handshake && !is_demanded => {
                self.record(&candidate.host, ends, &terms.policy, Some((error.result, &error.reply)));
                self.daemon.client_tls.note_broken(&candidate.address);
                tracing::info!(peer = %candidate, reply = error.reply.to_string(), "TLS failed, going on without");
                // RFC 7435 3: where protection is welcome but not demanded, mail goes without it rather than not at all.
                let unreachable = |error| Reply::unreachable(format!("{candidate}: {error}"));
                let stream = dial::one(&candidate.address, self.target.from_address).await.map_err(unreachable)?;
                return self.say_hello(stream, candidate, terms, TlsLevel::None, None).await.map_err(|error| error.reply);
            }
            opened => opened,
        };
        match opened {
            Ok(session) => {
                self.record_success(&session, candidate, ends, terms, setup.as_ref());
                Ok(session)
            }
            Err(error) => {
                if error.result.is_some() {
                    self.record(&candidate.host, ends, &terms.policy, Some((error.result, &error.reply)));
                }
                Err(error.reply)
            }
        }
    }

    async fn say_hello(
        &self, stream: Stream, candidate: &Candidate, terms: &Terms, level: TlsLevel, setup: Option<&Setup>,
    ) -> Result<Session, OpenError> {
        let peer: Arc<str> = candidate.to_string().into();
        let reached = level.max(TlsLevel::Encrypt);
        let lost = |error| Reply::lost(format!("{candidate}: {error}"));
        let (mut stream, mut active) = (stream, TlsLevel::None);
        // RFC 8314 3.3: on this port, TLS begins with the first octet.
        if let (Some(setup), true) = (setup, port(&candidate.address) == SUBMISSIONS_PORT) {
            stream = handshake(stream, candidate, setup, &terms.policy).await?;
            active = reached;
        }
        let helo = self.site.hostname.as_str().into();
        let lmtp = self.target.lmtp;
        let client = Client::new(ClientConfig { helo, tls: level, login: self.login.clone(), lmtp }, active);
        let mut session = Session::new(stream, client, peer, lmtp);
        loop {
            match (session.step(&mut false).await, setup) {
                (ClientStep::Ready, _) => break,
                (ClientStep::StartTls, Some(setup)) => {
                    session.flush().await.map_err(lost)?;
                    session.stream = handshake(session.stream, candidate, setup, &terms.policy).await?;
                    session.client.tls_started(reached);
                }
                (ClientStep::Failed(failure), _) => {
                    let is_plain = session.stream.protection().is_none();
                    // The client itself says so where STARTTLS is not offered, or refused.
                    let is_missing = failure.reply.status == Reply::tls_failed(String::new()).status;
                    let is_missing = is_missing && is_plain && matches!(failure.phase, Phase::Hello | Phase::StartTls);
                    let result = is_missing.then_some(ResultType::StarttlsNotSupported);
                    return Err(OpenError { reply: failure.reply, result, in_handshake: false });
                }
                _ => return Err(Reply::lost(format!("{candidate}: the session ended before it began")).into()),
            }
        }
        let protection = session.stream.protection();
        let reached = if protection.is_some() { reached } else { TlsLevel::None };
        session.protection = Protection { wanted: self.target.tls, reached };
        tracing::info!(
            peer = &*session.peer,
            tls_wanted = self.target.tls.as_str(),
            tls_policy = terms.policy.as_str(),
            tls_level = reached.as_str(),
            tls = protection.as_deref().unwrap_or("none"),
            login = session.client.mechanism(),
            "connected"
        );
        Ok(session)
    }

    /// Counts a session that is open: it may be less protected than its domain would like.
    fn record_success(&self, session: &Session, candidate: &Candidate, ends: Ends, terms: &Terms, setup: Option<&Setup>) {
        let plaintext = Reply::tls_failed("STARTTLS is not offered".to_owned());
        let unlisted = Reply::tls_failed("the MTA-STS policy does not name the host".to_owned());
        let untrusted;
        let witness = setup.and_then(|setup| setup.witness.as_ref()?.get());
        let is_listed = |policy: &Policy| match policy {
            Policy::Sts(policy) => policy.covers(&candidate.host.to_string()),
            Policy::Site | Policy::Dane(_) => true,
        };
        let failure = match (session.protection.reached, witness) {
            (TlsLevel::None, _) => Some((Some(ResultType::StarttlsNotSupported), &plaintext)),
            (_, Some(error)) => {
                untrusted = Reply::tls_failed(error.to_string());
                Some((Some(result_of(error, &terms.policy)), &untrusted))
            }
            _ if !is_listed(&terms.policy) => Some((Some(ResultType::StsWebpkiInvalid), &unlisted)),
            _ => None,
        };
        self.record(&candidate.host, ends, &terms.policy, failure);
    }

    /// Counts what became of one session, for the receiver's TLS report (RFC 8460).
    fn record(&self, host: &HostName, ends: Ends, policy: &Policy, failure: Option<(Option<ResultType>, &Reply)>) {
        let Some(domain) = self.target.domain.as_ref().filter(|_| self.is_reported && self.target.tls > TlsLevel::None) else {
            return;
        };
        let text = match policy {
            Policy::Site => Vec::new(),
            Policy::Dane(dane) => dane.records.iter().map(ToString::to_string).collect(),
            Policy::Sts(policy) => policy.to_string().lines().map(str::to_owned).collect(),
        };
        let text: Vec<&str> = text.iter().map(String::as_str).collect();
        let hosts: Vec<&str> = match policy {
            Policy::Sts(policy) => policy.patterns.iter().map(|pattern| &**pattern).collect(),
            Policy::Site | Policy::Dane(_) => Vec::new(),
        };
        let mx = host.to_string();
        let session = report::Session {
            policy_type: policy.kind(),
            policy_domain: match policy {
                Policy::Dane(dane) => dane.base.as_str(),
                Policy::Site | Policy::Sts(_) => domain.as_str(),
            },
            policy: &text,
            policy_hosts: &hosts,
            mx: &mx,
            address: ends.theirs,
            from: ends.ours,
            failure: failure.map(|(result, reply)| (result.unwrap_or(ResultType::ValidationFailure), reply.text.as_ref())),
        };
        self.daemon.reports.record_tls(self.site, domain.as_str(), session, now_ms());
    }

    /// Counts and logs a host that is not met at all.
    fn refuse(&self, host: Option<&HostName>, refused: Refused) -> Reply {
        let Refused { reply, result, policy } = refused;
        if let Some(host) = host {
            self.record(host, Ends::default(), &policy, Some((Some(result), &reply)));
            tracing::info!(peer = %host, reply = reply.to_string(), tls_policy = policy.as_str(), "session failed");
        }
        reply
    }
}

async fn handshake(stream: Stream, candidate: &Candidate, setup: &Setup, policy: &Policy) -> Result<Stream, OpenError> {
    let failed = |why: &dyn std::fmt::Display, result| OpenError {
        reply: Reply::tls_failed(format!("TLS with {candidate} failed: {why}")),
        result: Some(result),
        in_handshake: true,
    };
    match tokio::time::timeout(HANDSHAKE_PATIENCE, stream.connect_tls(setup.config.clone(), setup.name.clone())).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            let result = inner.map_or(ResultType::ValidationFailure, |inner| result_of(inner, policy));
            Err(failed(&error, result))
        }
        Err(_) => Err(failed(&"no answer", ResultType::ValidationFailure)),
    }
}

/// What a TLS report calls an error (RFC 8460 4.3).
fn result_of(error: &rustls::Error, policy: &Policy) -> ResultType {
    let rustls::Error::InvalidCertificate(error) = error else { return ResultType::ValidationFailure };
    match (error, policy) {
        (CertificateError::Expired | CertificateError::ExpiredContext { .. }, _) => ResultType::CertificateExpired,
        (CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }, _) => {
            ResultType::CertificateHostMismatch
        }
        (CertificateError::UnknownIssuer, Policy::Site | Policy::Sts(_)) => ResultType::CertificateNotTrusted,
        (_, Policy::Dane(_)) => ResultType::TlsaInvalid,
        _ => ResultType::CertificateNotTrusted,
    }
}

fn families(candidates: &[Candidate]) -> Families {
    let has = |wanted: fn(&SocketAddr) -> bool| {
        candidates.iter().any(|candidate| matches!(&candidate.address, Address::Inet(address) if wanted(address)))
    };
    Families { v4: has(SocketAddr::is_ipv4), v6: has(SocketAddr::is_ipv6) }
}

fn port(address: &Address) -> u16 {
    match address {
        Address::Inet(address) => address.port(),
        Address::Unix(_) => 0,
    }
}

fn ip(address: &Address) -> Option<IpAddr> {
    match address {
        Address::Inet(address) => Some(address.ip()),
        Address::Unix(_) => None,
    }
}

fn credentials(daemon: &Daemon, login: &Login) -> Result<ClientLogin, Reply> {
    let password = daemon.credentials.read_line(&login.secret).map_err(|error| Reply::local_trouble(error.to_string()))?;
    let mut nonce = [0; 18];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Reply::local_trouble("no randomness to log in with".to_owned()))?;
    Ok(ClientLogin {
        credentials: Credentials { user: login.user.clone(), password: password.into() },
        bearer: login.bearer,
        nonce: STANDARD.encode(nonce).into(),
    })
}
