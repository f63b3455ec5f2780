//! What a peer does, and when: a list of (stage, act) over a set of capabilities.

use crate::tls::Identity;
use rustls::ServerConfig;
use std::sync::Arc;

/// The behaviour of a peer. A new one accepts everything, offers no TLS and no AUTH, and keeps what it takes.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) hostname: String,
    pub(super) protocol: Protocol,
    pub(super) extensions: Vec<String>,
    pub(super) tls: TlsMode,
    pub(super) certificate: Option<Arc<ServerConfig>>,
    pub(super) login: Option<(String, String)>,
    pub(super) mechanisms: String,
    pub(super) keeps: bool,
    acts: Vec<(Stage, Act, Option<usize>)>,
}

/// The dialect of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protocol {
    /// RFC 5321.
    #[default]
    Smtp,
    /// RFC 2033: LHLO, and one reply for each recipient after the data.
    Lmtp,
}

/// When TLS begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TlsMode {
    /// Never; STARTTLS is not offered.
    #[default]
    None,
    /// After STARTTLS.
    StartTls,
    /// With the first octet.
    Implicit,
}

/// A moment in a session, just before the peer would reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The greeting.
    Banner,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS; what follows an accepting reply is the handshake.
    StartTls,
    /// The end of AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// Any RCPT.
    AnyRcpt,
    /// The RCPT of one address; goes before [`Stage::AnyRcpt`].
    Rcpt(String),
    /// DATA.
    Data,
    /// After the final dot.
    Dot,
    /// After the final dot, over LMTP, for one recipient; goes before [`Stage::Dot`].
    DotFor(String),
    /// QUIT.
    Quit,
}

impl Stage {
    /// [`Stage::Rcpt`] of an address as it is sent, without brackets.
    pub fn rcpt(address: &str) -> Stage {
        Stage::Rcpt(address.to_owned())
    }
}

/// What a peer does at a stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Says yes.
    Accept,
    /// Says `450 4.2.0`, or `421` where no other temporary reply fits.
    Defer,
    /// Says `550 5.7.1`, or `554` where that is what fits.
    Reject,
    /// Says exactly this, CRLF added at the end. A 2yz or 3yz reply counts as yes.
    Say(String),
    /// Says nothing more, and holds the connection until the other end closes it.
    Hang,
    /// Closes the connection without a reply.
    Drop,
    /// Says yes and closes the connection.
    AcceptThenDrop,
}

impl Default for Script {
    fn default() -> Script {
        Script::new("peer.test")
    }
}

impl Script {
    /// A peer that calls itself so.
    pub fn new(hostname: &str) -> Script {
        Script {
            hostname: hostname.to_owned(),
            protocol: Protocol::Smtp,
            extensions: ["PIPELINING", "SIZE 52428800", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8"].map(str::to_owned).into(),
            tls: TlsMode::None,
            certificate: None,
            login: None,
            mechanisms: "PLAIN LOGIN".to_owned(),
            keeps: true,
            acts: Vec::new(),
        }
    }

    /// A peer that counts messages and keeps none: for load.
    pub fn sink() -> Script {
        Script { keeps: false, ..Script::new("sink.test") }
    }

    /// Does this at that stage, always. The first of several acts for one stage that still holds is the one.
    #[must_use]
    pub fn on(mut self, stage: Stage, act: Act) -> Script {
        self.acts.push((stage, act, None));
        self
    }

    /// Does this at that stage the first so many times, over all connections.
    #[must_use]
    pub fn first(mut self, times: usize, stage: Stage, act: Act) -> Script {
        self.acts.push((stage, act, Some(times)));
        self
    }

    /// Offers TLS with this certificate.
    #[must_use]
    pub fn tls(mut self, mode: TlsMode, identity: &Identity) -> Script {
        self.tls = mode;
        self.certificate = Some(identity.server());
        self
    }

    /// Demands a login before MAIL. AUTH is offered inside TLS alone where there is TLS.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Script {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// The mechanisms that are offered, divided by blanks; `PLAIN` and `LOGIN` work.
    #[must_use]
    pub fn mechanisms(mut self, names: &str) -> Script {
        names.clone_into(&mut self.mechanisms);
        self
    }

    /// Speaks LMTP.
    #[must_use]
    pub fn lmtp(mut self) -> Script {
        self.protocol = Protocol::Lmtp;
        self
    }

    /// Announces these extensions, and STARTTLS and AUTH where they are on.
    #[must_use]
    pub fn extensions(mut self, lines: &[&str]) -> Script {
        self.extensions = lines.iter().map(|line| (*line).to_owned()).collect();
        self
    }

    /// What to do at a stage; uses up one time of an act that has a number of them.
    pub(super) fn act(&mut self, stage: &Stage) -> Act {
        for wanted in [Some(stage.clone()), stage.general()].into_iter().flatten() {
            for (at, act, times) in &mut self.acts {
                match times {
                    _ if *at != wanted => {}
                    Some(0) => {}
                    None => return act.clone(),
                    Some(left) => {
                        *left -= 1;
                        return act.clone();
                    }
                }
            }
        }
        Act::Accept
    }
}

impl Stage {
    fn general(&self) -> Option<Stage> {
        match self {
            Stage::Rcpt(_) => Some(Stage::AnyRcpt),
            Stage::DotFor(_) => Some(Stage::Dot),
            _ => None,
        }
    }
}
