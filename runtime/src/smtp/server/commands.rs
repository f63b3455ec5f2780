//! What each command does (RFC 5321 4.1.1), but for AUTH, DATA and BDAT, which have files of their own.

use super::{Asked, BodyKind, Hello, JUNK_FREE, Question, Server, State, Step, Transaction};
use crate::smtp::command::{self, Verb};
use postern_schema::reply::Reply;
use postern_schema::site::ListenerKind;

impl Server {
    /// Executes one command. `more`: the client has sent something behind it already.
    pub(super) fn execute(&mut self, line: &[u8], more: bool) -> Option<Step> {
        let (verb, argument) = command::split(line);
        if more && verb.ends_group() {
            self.refuse(&Reply::PIPELINING_ABUSE);
            return None;
        }
        // The octets behind BDAT have to be read even where it is refused.
        if verb == Verb::Bdat {
            return self.bdat(argument);
        }
        if let Some(reply) = self.demand_tls(verb) {
            self.reject(&reply);
            return None;
        }
        if verb.is_junk() {
            self.junk += 1;
            self.errors += u32::from(self.junk > JUNK_FREE);
            if self.errors >= self.config.errors {
                self.refuse(&Reply::TOO_MANY_ERRORS);
                return None;
            }
        }
        let outcome = match verb {
            // RFC 2033 4.1: LMTP has a greeting of its own, and neither of the others.
            Verb::Lhlo if self.is_lmtp() => self.greeted(argument, true),
            Verb::Ehlo | Verb::Helo if self.is_lmtp() => Err(Reply::UNKNOWN_COMMAND),
            Verb::Lhlo => Err(Reply::UNKNOWN_COMMAND),
            Verb::Ehlo => self.greeted(argument, true),
            Verb::Helo => self.greeted(argument, false),
            Verb::Mail => return self.mail(argument).unwrap_or_else(|reply| self.rejected(&reply)),
            Verb::Rcpt => return self.rcpt(argument).unwrap_or_else(|reply| self.rejected(&reply)),
            Verb::Auth => return self.auth(argument).unwrap_or_else(|reply| self.rejected(&reply)),
            Verb::Xclient if self.config.xclient => {
                return self.xclient(argument).unwrap_or_else(|reply| self.rejected(&reply));
            }
            Verb::Xforward if self.believes_peers() => {
                return self.xforward(argument).unwrap_or_else(|reply| self.rejected(&reply));
            }
            Verb::Xclient | Verb::Xforward => Err(Reply::UNKNOWN_COMMAND),
            Verb::Data => self.data(argument),
            Verb::StartTls => self.start_tls(argument),
            Verb::Rset => bare(argument).map(|()| {
                self.transaction = None;
                Reply::RESET
            }),
            Verb::Quit => match bare(argument) {
                Ok(()) => {
                    self.refuse(&Reply::GOODBYE);
                    return None;
                }
                Err(reply) => Err(reply),
            },
            Verb::Noop => Ok(Reply::OK),
            Verb::Help => Ok(Reply::HELP),
            Verb::Vrfy if !self.config.vrfy => Err(Reply::NOT_IMPLEMENTED),
            Verb::Vrfy if argument.is_empty() => Err(Reply::SYNTAX),
            Verb::Vrfy => Ok(Reply::CANNOT_VERIFY),
            Verb::Unserved => Err(Reply::NOT_IMPLEMENTED),
            Verb::Bdat | Verb::Unknown => Err(Reply::UNKNOWN_COMMAND),
        };
        match outcome {
            Ok(reply) => self.say(&reply),
            Err(reply) => self.reject(&reply),
        }
        None
    }

    /// The reply to a command that has to wait for STARTTLS: on a submission listener all but a few do (RFC 3207 4, RFC 8314 3.3).
    pub(super) fn demand_tls(&self, verb: Verb) -> Option<Reply> {
        let waits = match verb {
            Verb::Ehlo
            | Verb::Helo
            | Verb::Lhlo
            | Verb::Noop
            | Verb::Rset
            | Verb::Quit
            | Verb::StartTls
            | Verb::Unserved
            | Verb::Unknown
            | Verb::Xclient
            | Verb::Xforward => false,
            Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Bdat | Verb::Vrfy | Verb::Help | Verb::Auth => true,
        };
        (waits && !self.tls && self.config.kind == ListenerKind::Submission).then_some(Reply::TLS_FIRST)
    }

    fn rejected(&mut self, reply: &Reply) -> Option<Step> {
        self.reject(reply);
        None
    }

    /// EHLO and HELO. A bad one changes nothing, a good one resets the transaction (RFC 5321 4.1.4).
    fn greeted(&mut self, argument: &[u8], extended: bool) -> Result<Reply, Reply> {
        let name = command::parse_hello(argument)?;
        self.hello = Some(Hello { name, extended });
        self.transaction = None;
        Ok(Reply::hello(if extended { self.extensions() } else { self.config.hostname.to_string() }))
    }

    fn mail(&mut self, argument: &[u8]) -> Result<Option<Step>, Reply> {
        if self.hello.is_none() {
            return Err(Reply::HELLO_FIRST);
        }
        if self.transaction.is_some() {
            return Err(Reply::BAD_SEQUENCE);
        }
        let request = command::parse_mail(argument)?;
        // RFC 8689 2: announced under TLS alone.
        if request.require_tls && !self.tls {
            return Err(Reply::UNKNOWN_PARAMETER);
        }
        let declared_octets = request.size_octets.unwrap_or(0);
        // RFC 1870 6.1: refused before any of it was sent.
        if declared_octets > self.config.message_octets {
            return Err(Reply::TOO_BIG);
        }
        let is_binary = request.body == BodyKind::Binary;
        let transaction = Transaction { smtputf8: request.smtputf8, is_binary, declared_octets, ..Transaction::default() };
        Ok(self.ask(Asked::Mail(transaction), Question::Mail(request)))
    }

    fn xclient(&mut self, argument: &[u8]) -> Result<Option<Step>, Reply> {
        if self.transaction.is_some() {
            return Err(Reply::BAD_SEQUENCE);
        }
        let said = command::parse_client(argument)?;
        let asked = Asked::Client { helo: said.helo.clone(), login: said.login.is_some() };
        Ok(self.ask(asked, Question::Client(said)))
    }

    /// Whether what the client says of others is believed, for the log.
    pub(super) fn believes_peers(&self) -> bool {
        self.config.xclient || self.config.kind.is_for_peers()
    }

    fn xforward(&mut self, argument: &[u8]) -> Result<Option<Step>, Reply> {
        if self.transaction.is_some() {
            return Err(Reply::BAD_SEQUENCE);
        }
        let said = command::parse_client(argument)?;
        Ok(self.ask(Asked::Forwarded, Question::Forwarded(said)))
    }

    fn rcpt(&mut self, argument: &[u8]) -> Result<Option<Step>, Reply> {
        let Some(transaction) = &self.transaction else { return Err(Reply::BAD_SEQUENCE) };
        // Once a chunk of the message is there, the envelope is closed (RFC 3030 2).
        if transaction.content.is_some() {
            return Err(Reply::BAD_SEQUENCE);
        }
        let request = command::parse_rcpt(argument, transaction.smtputf8)?;
        // No error of the client's: it is to send the rest in another transaction (RFC 5321 4.5.3.1.10).
        if transaction.attempted >= self.config.recipients {
            self.say(&Reply::TOO_MANY_RECIPIENTS);
            return Ok(None);
        }
        Ok(self.ask(Asked::Recipient, Question::Recipient(request)))
    }

    pub(super) fn count_recipient(&mut self, accepted: bool) {
        if let Some(transaction) = &mut self.transaction {
            transaction.attempted += 1;
            transaction.accepted += u32::from(accepted);
        }
    }

    /// Input behind STARTTLS was refused before: it could have been put there by somebody else (RFC 3207 6).
    fn start_tls(&mut self, argument: &[u8]) -> Result<Reply, Reply> {
        bare(argument)?;
        if self.tls {
            return Err(Reply::TLS_ALREADY);
        }
        if !self.config.starttls {
            return Err(Reply::TLS_UNAVAILABLE);
        }
        self.state = State::Handshake;
        Ok(Reply::READY_FOR_TLS)
    }
}

/// For commands that take no argument (RFC 5321 4.1.1.5).
pub(super) fn bare(argument: &[u8]) -> Result<(), Reply> {
    if argument.is_empty() { Ok(()) } else { Err(Reply::SYNTAX) }
}
