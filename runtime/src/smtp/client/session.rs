//! What each reply leads to, phase by phase.

use super::login::{self, LoginExchange};
use super::transaction::Progress;
use super::{Capabilities, Client, ClientStep, Outcome, Phase};
use postern_schema::reply::Reply;
use postern_schema::site::TlsLevel;

impl Client {
    /// Takes one reply. `more`: something stands behind it already.
    pub(super) fn take_reply(&mut self, reply: Reply, more: bool) -> Option<ClientStep> {
        // RFC 5321 3.8: a peer may say this at any time, and closes then.
        if reply.code.closes_channel() {
            return Some(self.abort(reply));
        }
        match self.phase {
            Phase::Greeting if reply.code.is_positive() => {
                self.say_hello();
                None
            }
            Phase::Hello => self.take_hello(reply),
            Phase::StartTls => self.take_starttls(reply, more),
            Phase::Login => self.take_login(reply),
            Phase::Envelope => self.take_envelope(reply),
            // RFC 3030 3: each chunk has its reply.
            Phase::Body | Phase::Final if reply.code.is_positive() && self.chunks.take_reply() => None,
            Phase::Final if self.chunks.is_open() => Some(self.abort(reply)),
            // A refusal before the content is complete. Nobody can tell what the peer makes of the rest.
            Phase::Body if !reply.code.is_positive() && !reply.code.is_intermediate() => Some(self.abort(reply)),
            Phase::Final => self.take_final(reply),
            Phase::Quit => {
                self.phase = Phase::Closed;
                None
            }
            Phase::Greeting if !reply.code.is_intermediate() => Some(self.abort(reply)),
            _ => Some(self.babble(&reply)),
        }
    }

    /// Ends the session at a reply that is none to what we said.
    fn babble(&mut self, reply: &Reply) -> ClientStep {
        self.abort(Reply::babble(format!("The peer answered out of turn: {reply}")))
    }

    pub(super) fn say_hello(&mut self) {
        let verb = match (self.config.lmtp, self.fallback) {
            (true, _) => "LHLO",
            (false, false) => "EHLO",
            (false, true) => "HELO",
        };
        let line = format!("{verb} {}", self.config.helo);
        self.say(&line);
        self.capabilities = Capabilities::default();
        self.phase = Phase::Hello;
    }

    fn take_hello(&mut self, reply: Reply) -> Option<ClientStep> {
        if reply.code.is_positive() {
            if !self.fallback {
                self.capabilities = Capabilities::parse(&reply.text);
            }
            return self.protect();
        }
        // RFC 5321 3.2: a server that does not know EHLO is spoken to in the old way.
        if reply.code.is_permanent() && !self.fallback && !self.config.lmtp {
            self.fallback = true;
            self.say_hello();
            return None;
        }
        Some(if reply.code.is_intermediate() { self.babble(&reply) } else { self.abort(reply) })
    }

    /// Goes on with TLS if that is wanted and can be had, or without it if that is allowed.
    fn protect(&mut self) -> Option<ClientStep> {
        if self.active == TlsLevel::None && self.config.tls > TlsLevel::None && self.capabilities.starttls {
            self.say("STARTTLS");
            self.phase = Phase::StartTls;
            return None;
        }
        self.log_in()
    }

    fn take_starttls(&mut self, reply: Reply, more: bool) -> Option<ClientStep> {
        if more {
            // RFC 3207 6: it was put there by somebody who hopes that we take it for the peer's once TLS is on.
            return Some(self.abort(Reply::tls_failed("The peer sent plaintext behind its reply to STARTTLS".into())));
        }
        if reply.code.is_positive() {
            self.phase = Phase::Handshake;
            return None;
        }
        self.log_in()
    }

    /// Checks the protection that was reached, and sends AUTH if we are to log in.
    fn log_in(&mut self) -> Option<ClientStep> {
        let demanded = match (self.config.tls, &self.config.login) {
            // A password never goes out in plaintext, whatever else may.
            (level, Some(_)) if level.allows_plaintext() => TlsLevel::Encrypt,
            (level, None) if level.allows_plaintext() => TlsLevel::None,
            (level, _) => level,
        };
        if self.active < demanded {
            let text = format!("The site demands TLS at level {demanded}, and the session is at {}", self.active);
            return Some(self.abort(Reply::tls_failed(text)));
        }
        let Some(login) = &self.config.login else {
            self.phase = Phase::Ready;
            return None;
        };
        let Some((line, exchange)) = login::begin(login, self.capabilities.mechanisms) else {
            let ours = if login.bearer { "neither XOAUTH2 nor OAUTHBEARER" } else { "none of SCRAM-SHA-256, PLAIN and LOGIN" };
            return Some(self.abort(Reply::login_unavailable(format!("The peer offers {ours}"))));
        };
        self.mechanism = line.split(' ').nth(1).map(Box::from);
        self.say(&line);
        self.exchange = exchange;
        self.phase = Phase::Login;
        None
    }

    fn take_login(&mut self, reply: Reply) -> Option<ClientStep> {
        let exchange = std::mem::replace(&mut self.exchange, LoginExchange::Over);
        if reply.code.is_positive() {
            if !exchange.may_succeed() {
                return Some(self.abort(Reply::login_unavailable("The peer has not proved that it knows the password".into())));
            }
            self.phase = Phase::Ready;
            return None;
        }
        if !reply.code.is_intermediate() {
            return Some(self.abort(reply));
        }
        match exchange.respond(reply.text.trim()) {
            Some((response, exchange)) => {
                self.say(&response);
                self.exchange = exchange;
                None
            }
            None => Some(self.babble(&reply)),
        }
    }

    fn take_envelope(&mut self, reply: Reply) -> Option<ClientStep> {
        let envelope = self.envelope.as_mut()?;
        match envelope.take_reply(&reply) {
            Progress::Waiting => {
                envelope.write_commands(&self.capabilities, &mut self.output);
                None
            }
            Progress::Over { unfinished } => {
                self.unfinished = unfinished;
                self.finish(&reply)
            }
            Progress::Body => {
                self.phase = Phase::Body;
                None
            }
            // RFC 2920 3.1: DATA was sent in one group with recipients who were all refused. The message is for nobody.
            Progress::NoRecipients if !self.config.lmtp => {
                self.output.extend_from_slice(b".\r\n");
                self.phase = Phase::Final;
                None
            }
            // Whatever the code says, it is not about this message.
            Progress::NotReset => Some(self.abort(Reply::babble(format!("The peer would not reset: {reply}")))),
            Progress::NoRecipients | Progress::Babble => Some(self.babble(&reply)),
        }
    }

    fn take_final(&mut self, reply: Reply) -> Option<ClientStep> {
        if reply.code.is_intermediate() {
            return Some(self.babble(&reply));
        }
        // RFC 2033 4.2: one reply for each recipient that was accepted.
        if self.config.lmtp && self.envelope.as_mut()?.take_final_reply(&reply) {
            return None;
        }
        self.finish(&reply)
    }

    /// Ends the transaction: `reply` is for every recipient that has none of its own.
    fn finish(&mut self, reply: &Reply) -> Option<ClientStep> {
        let replies = self.envelope.take()?.conclude(reply);
        self.phase = Phase::Ready;
        Some(ClientStep::Done(Outcome { replies, reusable: true }))
    }
}
