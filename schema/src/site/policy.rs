//! Settings of which a site has one set each: TLS, screen, queue, limits, logging.

use super::{Acme, ClientLimit, ClientList, DmarcReaction, Greylist, Origin, Quarantine, Reputation, SecretName};
use crate::name::Domain;
use std::net::SocketAddr;
use std::time::Duration;

/// Certificates of the listeners.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsPolicy {
    /// Certificates, the default one first.
    pub certificates: Vec<Certificate>,
    /// Make a certificate at the first start when none is named: for trying out, since nobody can verify it.
    pub self_signed: bool,
    /// Who makes certificates for the names that the site serves; `None`: nobody.
    pub acme: Option<Acme>,
    /// The oldest protocol version that is spoken.
    pub minimum: TlsVersion,
    /// Where it was said.
    pub origin: Origin,
}

/// A version of TLS that is served.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            TlsVersion::Tls12 => "1.2",
            TlsVersion::Tls13 => "1.3",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<TlsVersion> {
        [TlsVersion::Tls12, TlsVersion::Tls13].into_iter().find(|version| version.as_str() == text)
    }
}

/// A certificate and the key that belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// The host name that it is for.
    pub name: Domain,
    /// The chain, which is public.
    pub chain: Chain,
    /// The credential that holds the PEM private key.
    pub key: SecretName,
    /// Where it was said.
    pub origin: Origin,
}

/// Where a certificate chain stands: PEM, leaf first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chain {
    /// In the site's folder when it was compiled: these are its octets.
    Pem(Box<str>),
    /// In the credentials folder of the runtime, for chains that are renewed without a build.
    Credential(SecretName),
}

/// What is asked before mail is taken from a stranger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Screen {
    /// Refuse a sender whose domain does not exist or takes no mail (`reject_unknown_sender_domain`), and where it was said.
    pub require_sender_domain: Option<Origin>,
    /// Refuse a client that does not greet with a full host name or its address (`reject_non_fqdn_helo_hostname`).
    pub require_fqdn_helo: Option<Origin>,
    /// Refuse, for now, a client that greets with a name that DNS does not know (`reject_unknown_helo_hostname`).
    pub require_resolvable_helo: Option<Origin>,
    /// What becomes of mail that its sender's SPF record forbids, and where it was said; `None`: SPF alone decides nothing.
    pub spf_fail: Option<(Reaction, Origin)>,
    /// Whether a Received-SPF field says what SPF came to (RFC 7208 9.1).
    pub received_spf: bool,
    /// What becomes of mail that DMARC does not vouch for (RFC 9989), and where it was said; `None`: it is not looked at.
    pub dmarc: Option<(DmarcReaction, Origin)>,
    /// Whether a signature counts that covers only the beginning of the body (`l=`, RFC 6376 8.2).
    pub partial_body: bool,
    /// Where mail is put that is set aside, and where it was said.
    pub quarantine: (Quarantine, Origin),
    /// How long a stranger waits for the greeting, so that one who does not wait shows, and where it was said.
    pub greet_wait: Option<(Duration, Origin)>,
    /// What becomes of a client that talks before the greeting.
    pub early_talker: Reaction,
    /// What one client may do at once, or in a time.
    pub limits: Vec<ClientLimit>,
    /// Lists of clients that others keep.
    pub lists: Vec<ClientList>,
    /// The sum of weights at which a client is refused, and where it was said.
    pub threshold: (i32, Origin),
    /// Whether unknown clients are asked to come back, and how.
    pub greylist: Option<Greylist>,
    /// Whether clients are deferred by what they did before, and when.
    pub reputation: Option<Reputation>,
}

impl Default for Screen {
    /// Asks for nothing.
    fn default() -> Screen {
        Screen {
            require_sender_domain: None,
            require_fqdn_helo: None,
            require_resolvable_helo: None,
            spf_fail: None,
            received_spf: false,
            dmarc: None,
            partial_body: false,
            quarantine: (Quarantine::Mark, Origin::DEFAULT),
            greet_wait: None,
            early_talker: Reaction::default(),
            limits: Vec::new(),
            lists: Vec::new(),
            threshold: (Screen::THRESHOLD, Origin::DEFAULT),
            greylist: None,
            reputation: None,
        }
    }
}

impl Screen {
    /// The threshold of a site that names none: one listing of the usual weight.
    pub const THRESHOLD: i32 = 1;

    /// Whether a check here needs strangers' mail judged.
    pub fn authenticates(&self) -> bool {
        self.spf_fail.is_some() || self.dmarc.is_some()
    }
}

/// What becomes of mail that fails a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reaction {
    /// It is refused.
    #[default]
    Reject,
    /// It is set aside.
    Quarantine,
    /// It is only said: in the log, and in the message.
    Log,
}

impl Reaction {
    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            Reaction::Reject => "reject",
            Reaction::Quarantine => "quarantine",
            Reaction::Log => "log",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Reaction> {
        [Reaction::Reject, Reaction::Quarantine, Reaction::Log].into_iter().find(|known| known.as_str() == text)
    }
}

/// Retry and lifetime of queued mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueuePolicy {
    /// The pause after the first failure (`minimal_backoff_time`).
    pub retry: Duration,
    /// What each further pause is longer by, in hundredths: 200 doubles it.
    pub factor_percent: u32,
    /// The longest pause (`maximal_backoff_time`).
    pub retry_cap: Duration,
    /// How long a message may stay (`maximal_queue_lifetime`).
    pub lifetime: Duration,
    /// How long a bounce may stay (`bounce_queue_lifetime`).
    pub bounce_lifetime: Duration,
    /// When the sender is told that a message still waits (`delay_warning_time`); zero: never.
    pub warn_after: Duration,
    /// The language of notices to senders.
    pub language: Language,
    /// Where it was said.
    pub origin: Origin,
}

impl QueuePolicy {
    /// The shortest pause, whatever a site says: an attempt must not follow itself.
    pub const PAUSE_MIN: Duration = Duration::from_secs(1);

    /// The pause after so many failures, before it is spread: the first is `retry`, each further one longer by the factor, up to
    /// the cap.
    pub fn pause(&self, failures: u16) -> Duration {
        let cap_ms = self.retry_cap.max(QueuePolicy::PAUSE_MIN).as_millis();
        let factor = u128::from(self.factor_percent.max(100));
        let mut pause_ms = self.retry.max(QueuePolicy::PAUSE_MIN).as_millis();
        for _ in 1..failures {
            if pause_ms >= cap_ms || factor == 100 {
                break;
            }
            pause_ms = pause_ms.saturating_mul(factor) / 100;
        }
        Duration::from_millis(u64::try_from(pause_ms.min(cap_ms)).unwrap_or(u64::MAX))
    }
}

impl Default for QueuePolicy {
    /// Postfix's schedule, the lifetimes of RFC 5321 4.5.4.1, and a word to the sender after four hours.
    fn default() -> QueuePolicy {
        QueuePolicy {
            retry: Duration::from_secs(300),
            factor_percent: 200,
            retry_cap: Duration::from_secs(7200),
            lifetime: Duration::from_secs(5 * 86_400),
            bounce_lifetime: Duration::from_secs(86_400),
            warn_after: Duration::from_secs(4 * 3600),
            language: Language::English,
            origin: Origin::DEFAULT,
        }
    }
}

/// The language of notices to senders. Every notice is English; another language stands before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// English alone.
    English,
    /// Japanese, then English.
    Japanese,
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 2] = [Language::English, Language::Japanese];

    /// The word of the site language (BCP 47).
    pub fn as_str(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Japanese => "ja",
        }
    }
}

/// Sizes and counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The largest message, in octets (`message_size_limit`).
    pub message_octets: u64,
    /// The most recipients of one transaction (`smtpd_recipient_limit`); RFC 5321 4.5.3.1.8 wants at least 100.
    pub recipients: u32,
    /// The most Received fields (`hopcount_limit`); RFC 5321 6.3 wants at least 100.
    pub hops: u32,
    /// What a mailbox holds that has no quota of its own (`virtual_mailbox_limit`); `None`: as much as the disk.
    pub mailbox_octets: Option<u64>,
    /// Sessions at once over all listeners.
    pub sessions: u32,
    /// Whether VRFY is answered at all, with 252; `false`: it is not implemented.
    pub vrfy: bool,
    /// Where it was said.
    pub origin: Origin,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_octets: 50 << 20,
            recipients: 1000,
            hops: 100,
            mailbox_octets: None,
            sessions: 2000,
            vrfy: true,
            origin: Origin::DEFAULT,
        }
    }
}

/// How the daemon logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Logging {
    /// The form of a line.
    pub format: LogFormat,
    /// Where it was said.
    pub origin: Origin,
}

impl Default for Logging {
    fn default() -> Logging {
        Logging { format: LogFormat::Text, origin: Origin::DEFAULT }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// `key=value` text for people.
    Text,
    /// One JSON object a line.
    Json,
    /// As Postfix writes it, for pflogsumm and fail2ban.
    Postfix,
}

impl LogFormat {
    /// Every form.
    pub const ALL: [LogFormat; 3] = [LogFormat::Text, LogFormat::Json, LogFormat::Postfix];

    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
            LogFormat::Postfix => "postfix",
        }
    }
}

/// Numbers for Prometheus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metrics {
    /// Where they are served, over HTTP.
    pub listen: SocketAddr,
    /// Where it was said.
    pub origin: Origin,
}
