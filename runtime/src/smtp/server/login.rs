//! AUTH (RFC 4954 4): the command, and the responses to our challenges.

use super::{Asked, Question, Server, State, Step};
use crate::smtp::command;
use crate::smtp::sasl::{EXTERNAL, Exchange, Mechanism, Progress, SaslStep, decode};
use postern_schema::reply::Reply;

impl Server {
    pub(super) fn auth(&mut self, argument: &[u8]) -> Result<Option<Step>, Reply> {
        if !self.offers_auth() {
            return Err(Reply::AUTH_NOT_OFFERED);
        }
        if !self.hello.as_ref().is_some_and(|hello| hello.extended) {
            return Err(Reply::HELLO_FIRST);
        }
        if self.authenticated || self.transaction.is_some() {
            return Err(Reply::BAD_SEQUENCE);
        }
        let (name, initial) = command::parse_auth(argument)?;
        let name = self.mechanisms().find(|offered| offered.eq_ignore_ascii_case(name)).ok_or(Reply::UNKNOWN_MECHANISM)?;
        let Some(mechanism) = Mechanism::parse(name) else {
            let step = SaslStep::Begin { mechanism: name.into(), initial: initial.map(decode).transpose()? };
            return Ok(self.ask(Asked::Login, Question::Sasl(step)));
        };
        let exchange = Exchange::start(mechanism);
        match initial {
            None => {
                self.challenge(exchange);
                Ok(None)
            }
            Some(response) => self.progress(exchange, response),
        }
    }

    /// The mechanisms that can be used now.
    pub(super) fn mechanisms(&self) -> impl Iterator<Item = &str> {
        self.config.mechanisms.iter().map(|name| &**name).filter(|name| match *name {
            EXTERNAL => self.identified,
            name => self.binds || !name.ends_with("-PLUS"),
        })
    }

    /// Takes a line that answers a challenge.
    pub(super) fn respond(&mut self, line: &[u8]) -> Option<Step> {
        let State::Login(exchange) = std::mem::replace(&mut self.state, State::Command) else { return None };
        let outcome = match (line.trim_ascii_end(), exchange) {
            (b"*", _) => Err(Reply::AUTH_CANCELLED),
            (response, Some(exchange)) => self.progress(exchange, response),
            (response, None) => {
                decode(response).map(|response| self.ask(Asked::Login, Question::Sasl(SaslStep::Response(response))))
            }
        };
        outcome.unwrap_or_else(|reply| {
            self.reject(&reply);
            None
        })
    }

    fn progress(&mut self, exchange: Exchange, response: &[u8]) -> Result<Option<Step>, Reply> {
        match exchange.respond(response)? {
            Progress::Next(exchange) => {
                self.challenge(exchange);
                Ok(None)
            }
            Progress::Complete(credentials) => Ok(self.ask(Asked::Login, Question::Authenticate(credentials))),
        }
    }

    fn challenge(&mut self, exchange: Exchange) {
        self.say(&exchange.challenge());
        self.state = State::Login(Some(exchange));
    }
}
