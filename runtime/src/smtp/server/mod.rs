//! The server side of one session (RFC 5321): octets in, replies and questions out.
//!
//! It knows the protocol and nothing of mail: whether a sender, a recipient, a password or a message is taken is a [`Question`],
//! which the caller answers with a [`Reply`]. It does no I/O and reads no clock. `net` drives it:
//!
//! ```text
//! greet, or refuse
//! loop: advance(input) -> NeedInput   flush output, read more
//!                         Flush       flush output
//!                         Question    find the reply, answer(reply)
//!                         StartTls    flush output, handshake, tls_started
//!                         Close       flush output, close
//! ```
//!
//! | file | concern |
//! |---|---|
//! | `commands` | one function per verb |
//! | `hello` | what EHLO announces, and the `with` keyword of Received |
//! | `login` | AUTH and its responses |
//! | `content` | DATA and BDAT |

mod commands;
mod content;
mod hello;
mod login;

pub use super::command::{BodyKind, ClientOverride, MailRequest, RecipientRequest};
pub use super::data::Message;

use super::data::Decoder;
use super::sasl::{Credentials, Exchange, SaslStep};
use super::wire::{AUTH_LINE_MAX_OCTETS, COMMAND_LINE_MAX_OCTETS, Line, LineReader};
use bytes::{Buf, BytesMut};
use content::Chunk;
use postern_schema::reply::Reply;
use postern_schema::site::ListenerKind;
use std::sync::Arc;

/// Replies beyond this many octets are to be flushed before more commands are read, so that a client that sends and never
/// reads costs no memory.
const OUTPUT_FULL_OCTETS: usize = 16 << 10;

/// Commands that do nothing, which a client may say between two messages before each further one counts as an error
/// (`smtpd_junk_command_limit`).
const JUNK_FREE: u32 = 100;

/// What a server is like: the same for all sessions of a listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerConfig {
    /// Our name, in the greeting and the reply to EHLO.
    pub hostname: Box<str>,
    /// What the listener is for.
    pub kind: ListenerKind,
    /// A certificate serves, so STARTTLS can be offered.
    pub starttls: bool,
    /// Mechanisms of AUTH by their names in capitals, in the order to announce them; none: AUTH is not offered. Those that end
    /// in `-PLUS` are offered where the TLS channel has a name to bind to (RFC 5802 6).
    pub mechanisms: Vec<Box<str>>,
    /// The largest message, in octets.
    pub message_octets: u64,
    /// The most RCPT commands in one transaction.
    pub recipients: u32,
    /// The most Received fields.
    pub hops: u32,
    /// Whether VRFY is served.
    pub vrfy: bool,
    /// The client may say that it speaks for another (XCLIENT), or passes on what another said (XFORWARD).
    pub xclient: bool,
    /// A CR or LF alone in a message is mended (`smtpd_forbid_bare_newline = normalize`), not refused.
    pub mends_line_ends: bool,
    /// The error that ends a session: so many of them earn the last reply.
    pub errors: u32,
}

/// What the caller is to do next.
#[derive(Debug)]
pub enum Step {
    /// Flush the output, and read more. Also while a question is open: then nothing is consumed.
    NeedInput,
    /// Flush the output, and advance again with the same input: there is more in it.
    Flush,
    /// Answer with [`Server::answer`].
    Question(Question),
    /// Flush the output, do the handshake, and say [`Server::tls_started`]. If it fails, close.
    StartTls,
    /// Flush the output, and close.
    Close,
}

/// What the protocol leaves to the site.
#[derive(Debug)]
pub enum Question {
    /// MAIL: may this be the sender? A new transaction: what was taken of an earlier body is void.
    Mail(MailRequest),
    /// XCLIENT: another client from now on. Not to be refused: who may say it is in the configuration.
    Client(ClientOverride),
    /// XFORWARD: whom the mail is from that comes next; nothing is decided by it. Not to be refused, as above.
    Forwarded(ClientOverride),
    /// RCPT: do we take this recipient?
    Recipient(RecipientRequest),
    /// AUTH: are these right?
    Authenticate(Credentials),
    /// AUTH by a mechanism that is the caller's. The answer may also be a challenge; the client's response to it is the next
    /// question. An exchange that is not gone on with is void.
    Sasl(SaslStep),
    /// The message is there, well formed and within limits. A positive answer makes it ours.
    Message(Message),
}

/// One session.
#[derive(Debug)]
pub struct Server {
    config: Arc<ServerConfig>,
    state: State,
    lines: LineReader,
    output: Vec<u8>,
    tls: bool,
    binds: bool,
    identified: bool,
    hello: Option<Hello>,
    authenticated: bool,
    transaction: Option<Transaction>,
    errors: u32,
    junk: u32,
}

/// Where the session is.
#[derive(Debug)]
enum State {
    /// Nothing was said yet.
    Fresh,
    /// A command is awaited.
    Command,
    /// A SASL response is awaited; `None`: by the caller.
    Login(Option<Exchange>),
    /// An answer of the caller is awaited.
    Asked(Asked),
    /// The message is coming in.
    Data,
    /// A chunk of it is.
    Chunk(Chunk),
    /// The handshake is the caller's.
    Handshake,
    /// Nothing more is read.
    Closed,
}

/// The question that is open.
#[derive(Debug)]
enum Asked {
    Mail(Transaction),
    Client { helo: Option<Box<str>>, login: bool },
    Forwarded,
    Recipient,
    Login,
    Message,
}

/// How the client greeted.
#[derive(Debug)]
struct Hello {
    name: Box<str>,
    extended: bool,
}

/// The transaction that MAIL began (RFC 5321 3.3).
#[derive(Debug, Default)]
struct Transaction {
    smtputf8: bool,
    /// BODY=BINARYMIME.
    is_binary: bool,
    declared_octets: u64,
    /// RCPT commands that were decided.
    attempted: u32,
    /// Those among them that were accepted.
    accepted: u32,
    /// The message, as soon as DATA or BDAT has begun it.
    content: Option<Decoder>,
}

impl Server {
    /// A session that has said nothing yet. `tls_active`: TLS began with the first octet (RFC 8314 3.3).
    pub fn new(config: Arc<ServerConfig>, tls_active: bool) -> Server {
        Server {
            config,
            state: State::Fresh,
            lines: LineReader::default(),
            output: Vec::new(),
            tls: tls_active,
            binds: false,
            identified: false,
            hello: None,
            authenticated: false,
            transaction: None,
            errors: 0,
            junk: 0,
        }
    }

    /// Whether the client has spoken before it was greeted, as no honest one does (RFC 5321 4.3.1). The caller may then
    /// [`Server::refuse`].
    pub fn spoke_early(&self, input: &[u8]) -> bool {
        matches!(self.state, State::Fresh) && !input.is_empty()
    }

    /// Whether nothing was said yet.
    pub fn is_fresh(&self) -> bool {
        matches!(self.state, State::Fresh)
    }

    /// Queues the greeting.
    pub fn greet(&mut self) {
        self.say(&Reply::greeting(&self.config.hostname));
        self.state = State::Command;
    }

    /// Queues `reply` as the last one, at any point of the session: a refusal instead of a greeting, a timeout, a shutdown.
    pub fn refuse(&mut self, reply: &Reply) {
        self.say(reply);
        self.state = State::Closed;
    }

    /// Consumes what it can of `input`, up to the next thing that the caller has to do.
    pub fn advance(&mut self, input: &mut BytesMut) -> Step {
        loop {
            let step = match &mut self.state {
                State::Fresh | State::Asked(_) => Some(Step::NeedInput),
                State::Handshake => Some(Step::StartTls),
                State::Closed => Some(Step::Close),
                State::Command | State::Login(_) if self.output.len() > OUTPUT_FULL_OCTETS => Some(Step::Flush),
                State::Command | State::Login(_) => self.read_line(input),
                State::Data => self.read_data(input),
                State::Chunk(_) => self.read_chunk(input),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Answers the open question; without one, nothing happens. A positive reply means yes, any other no, and one that closes
    /// the channel (RFC 5321 3.8) ends the session.
    pub fn answer(&mut self, reply: &Reply) {
        let asked = match std::mem::replace(&mut self.state, State::Command) {
            State::Asked(asked) => asked,
            other => return self.state = other,
        };
        let yes = reply.code.is_positive();
        match asked {
            Asked::Mail(transaction) => self.transaction = yes.then_some(transaction),
            // The session begins anew, as this client.
            Asked::Client { helo, login } => {
                self.hello = helo.map(|name| Hello { name, extended: true });
                (self.authenticated, self.transaction) = (login, None);
            }
            Asked::Forwarded => {}
            Asked::Recipient => self.count_recipient(yes),
            Asked::Login if reply.code.is_intermediate() => self.state = State::Login(None),
            Asked::Login => self.authenticated = yes,
            Asked::Message => {
                self.say_for_the_others(reply);
                self.transaction = None;
                if yes {
                    (self.errors, self.junk) = (0, 0);
                }
            }
        }
        // A refused recipient counts only until one was accepted: an address harvester finds none (RFC 5321 7.3), an honest
        // list has some that are gone.
        let has_recipient = self.transaction.as_ref().is_some_and(|transaction| transaction.accepted > 0);
        if reply.code.closes_channel() {
            self.refuse(reply);
        } else if reply.code.is_permanent() && !has_recipient {
            self.reject(reply);
        } else {
            self.say(reply);
        }
    }

    /// The handshake is done. The session begins anew: whatever was said in plaintext is forgotten (RFC 3207 4.2).
    pub fn tls_started(&mut self) {
        if matches!(self.state, State::Handshake) {
            self.tls = true;
            self.hello = None;
            self.transaction = None;
            self.state = State::Command;
        }
    }

    /// The TLS channel has a name that a login can be bound to.
    pub fn bind_channel(&mut self) {
        self.binds = true;
    }

    /// The client has shown a certificate that stands for a user, so it may log in by EXTERNAL (RFC 4422 A).
    pub fn identify(&mut self) {
        self.identified = true;
    }

    /// Replies that are to be sent. The caller clears what it has sent.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Octets of the message that are held here; never more than the size limit.
    pub fn body_octets(&self) -> usize {
        self.content().map_or(0, Decoder::body_octets)
    }

    /// Takes the content that came so far, so that a large message need not stay in memory: the pieces and the body of the
    /// [`Message`] make up the whole. They are void unless that question comes, and at the latest when the next transaction
    /// begins.
    pub fn take_body(&mut self) -> Vec<u8> {
        self.transaction.as_mut().and_then(|transaction| transaction.content.as_mut()).map_or_else(Vec::new, Decoder::take_body)
    }

    /// The name that the client gave in EHLO or HELO.
    pub fn helo(&self) -> Option<&str> {
        self.hello.as_ref().map(|hello| &*hello.name)
    }

    /// Whether TLS is active.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether the client has logged in.
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// The errors that the client has made since its last message.
    pub fn errors(&self) -> u32 {
        self.errors
    }

    /// Whether a message is coming in.
    pub fn is_receiving(&self) -> bool {
        matches!(self.state, State::Data | State::Chunk(_))
    }

    fn content(&self) -> Option<&Decoder> {
        self.transaction.as_ref()?.content.as_ref()
    }

    fn read_line(&mut self, input: &mut BytesMut) -> Option<Step> {
        let response = matches!(self.state, State::Login(_));
        let is_auth = response || input.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH"));
        let limit_octets = if is_auth { AUTH_LINE_MAX_OCTETS } else { COMMAND_LINE_MAX_OCTETS };
        match self.lines.next(input, limit_octets) {
            Line::Incomplete => return Some(Step::NeedInput),
            Line::TooLong => self.fail_line(&Reply::LINE_TOO_LONG),
            Line::BareLineEnd => self.fail_line(&Reply::BARE_LINE_END),
            Line::Complete(octets) => {
                let line = &input[..octets];
                let step = if response { self.respond(line) } else { self.execute(line, input.len() > octets) };
                input.advance(octets);
                return step;
            }
        }
        None
    }

    /// A line that cannot be read ends an exchange of AUTH too (RFC 4954 4).
    fn fail_line(&mut self, reply: &Reply) {
        self.state = State::Command;
        self.reject(reply);
    }

    fn ask(&mut self, asked: Asked, question: Question) -> Option<Step> {
        self.state = State::Asked(asked);
        Some(Step::Question(question))
    }

    fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    /// LMTP: the reply to a message is said once for each recipient that was accepted, and this is for all but one of them
    /// (RFC 2033 4.2).
    fn say_for_the_others(&mut self, reply: &Reply) {
        if self.is_lmtp() && !reply.code.closes_channel() {
            let accepted = self.transaction.as_ref().map_or(0, |transaction| transaction.accepted);
            (1..accepted).for_each(|_| self.say(reply));
        }
    }

    fn is_lmtp(&self) -> bool {
        self.config.kind == ListenerKind::Lmtp
    }

    /// Replies to an error, or ends the session if that was one too many.
    fn reject(&mut self, reply: &Reply) {
        self.errors += 1;
        if self.errors >= self.config.errors {
            self.refuse(&Reply::TOO_MANY_ERRORS);
        } else {
            self.say(reply);
        }
    }
}

#[cfg(test)]
mod tests;
