//! The client of Dovecot's authentication protocol, version 1: Dovecot has the users, and does every mechanism that it offers.
//!
//! ```text
//! Dovecot: VERSION 1 2, MECH name properties.., SPID, CUID, COOKIE, DONE      us: VERSION 1 2, CPID
//! us:      AUTH 1 mechanism parameters.. resp=base64
//! Dovecot: CONT 1 base64          us: CONT 1 base64          as often as it takes
//!          OK 1 user=name ..  |  FAIL 1 user=name reason=.. temp
//! ```
//!
//! Fields are divided by tabs. Each exchange has a connection of its own, so there are no more of them than sessions, one that is
//! given up takes nobody with it, and a Dovecot that was restarted is found again. Who may try is for [`super::Guesses`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// How long Dovecot may take to greet, and to decide: it delays refusals by itself, by up to 17 seconds.
const GREETING_PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_PATIENCE: Duration = Duration::from_secs(40);
/// The longest line that is read; Dovecot's own limit is half of it.
const LINE_OCTETS: usize = 16 << 10;
/// The most lines of a greeting.
const GREETING_LINES: usize = 100;
/// How long a list of mechanisms is good, and how long Dovecot is left alone that did not give one.
const KNOWN: Duration = Duration::from_secs(60);
const UNKNOWN: Duration = Duration::from_secs(3);
/// The request of a connection.
const REQUEST: &str = "1";

/// Why Dovecot did not decide. Names the socket, and never what was sent over it.
#[derive(Debug)]
pub struct DovecotError {
    socket: Box<str>,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Io(io::Error),
    Silent,
    Closed,
    Protocol(&'static str),
    Temporary,
}

impl fmt::Display for DovecotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dovecot at {}: ", self.socket)?;
        match &self.why {
            Why::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                write!(f, "its socket is not for this user; set user= or group= of its unix_listener")
            }
            Why::Io(error) => write!(f, "{error}; is it running, and is this the socket of its auth service?"),
            Why::Silent => f.write_str("it does not answer"),
            Why::Closed => f.write_str("it closed the connection; its own log says why"),
            Why::Protocol(what) => write!(f, "{what}; is this the socket of its auth service?"),
            Why::Temporary => f.write_str("it cannot decide now; its own log says why"),
        }
    }
}

impl std::error::Error for DovecotError {}

/// What is known of every Dovecot that a site names: which mechanisms it offers.
#[derive(Default)]
pub struct Dovecot {
    known: Mutex<HashMap<Box<str>, Known>>,
}

#[derive(Clone)]
struct Known {
    mechanisms: Option<Vec<Box<str>>>,
    until: Instant,
}

impl Dovecot {
    /// The mechanisms that this Dovecot offers, in its own order; `None` where it never said.
    pub async fn mechanisms(&self, socket: &str) -> Option<Vec<Box<str>>> {
        let last = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(socket).cloned();
        if let Some(last) = last.as_ref().filter(|last| last.until > Instant::now()) {
            return last.mechanisms.clone();
        }
        let (mechanisms, keep) = match Conversation::open(socket).await {
            Ok((_, mechanisms)) => (Some(mechanisms), KNOWN),
            Err(error) => {
                tracing::error!(%error, "mechanisms of login are not known");
                (last.and_then(|last| last.mechanisms), UNKNOWN)
            }
        };
        let known = Known { mechanisms: mechanisms.clone(), until: Instant::now() + keep };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(socket.into(), known);
        mechanisms
    }
}

/// What Dovecot said to a step.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The client is to answer this.
    Challenge(Vec<u8>),
    /// This user has logged in, by the name that Dovecot has for them.
    Yes(Box<str>),
    /// Nobody has; the name that was claimed, where Dovecot says it.
    No(Box<str>),
}

/// One exchange.
pub struct Conversation {
    socket: Box<str>,
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Conversation {
    /// Connects, and learns the mechanisms that can be used.
    ///
    /// # Errors
    /// [`DovecotError`].
    pub async fn open(socket: &str) -> Result<(Conversation, Vec<Box<str>>), DovecotError> {
        let failed = |why| DovecotError { socket: socket.into(), why };
        let greeted = tokio::time::timeout(GREETING_PATIENCE, async {
            let stream = UnixStream::connect(socket).await.map_err(|error| failed(Why::Io(error)))?;
            let mut conversation = Conversation { socket: socket.into(), stream, buffer: Vec::new() };
            let mechanisms = conversation.greet().await.map_err(failed)?;
            Ok((conversation, mechanisms))
        });
        greeted.await.unwrap_or_else(|_| Err(failed(Why::Silent)))
    }

    /// Begins the exchange. `client` is where the user is; there is TLS around it, or we would not ask.
    ///
    /// # Errors
    /// [`DovecotError`].
    pub async fn begin(&mut self, mechanism: &str, client: IpAddr, initial: Option<&[u8]>) -> Result<Step, DovecotError> {
        // `nologin`: nobody hands the session on to another process of Dovecot. The response has to come last.
        let mut line = format!("AUTH\t{REQUEST}\t{mechanism}\tservice=smtp\tnologin\tsecured\trip={client}");
        if let Some(initial) = initial {
            line += "\tresp=";
            STANDARD.encode_string(initial, &mut line);
        }
        self.ask(line + "\n").await
    }

    /// Takes the client's response to a challenge.
    ///
    /// # Errors
    /// [`DovecotError`].
    pub async fn respond(&mut self, response: &[u8]) -> Result<Step, DovecotError> {
        self.ask(format!("CONT\t{REQUEST}\t{}\n", STANDARD.encode(response))).await
    }

    async fn greet(&mut self) -> Result<Vec<Box<str>>, Why> {
        // Each connection has to have another number, whichever process makes it.
        let mut number = [0; 4];
        aws_lc_rs::rand::fill(&mut number).map_err(|_| Why::Protocol("there is no randomness"))?;
        let number = (u32::from_le_bytes(number) >> 1) | 1;
        self.stream.write_all(format!("VERSION\t1\t2\nCPID\t{number}\n").as_bytes()).await.map_err(Why::Io)?;
        let (mut mechanisms, mut is_version_known) = (Vec::new(), false);
        for _ in 0..GREETING_LINES {
            let line = self.line().await?;
            let mut fields = line.split('\t');
            match fields.next() {
                Some("VERSION") if fields.next() == Some("1") => is_version_known = true,
                Some("VERSION") => return Err(Why::Protocol("it speaks another version of the protocol")),
                Some("MECH") => mechanisms.extend(mechanism(fields)),
                Some("DONE") if is_version_known => return Ok(mechanisms),
                Some("DONE") => break,
                _ => {}
            }
        }
        Err(Why::Protocol("it does not greet as Dovecot does"))
    }

    async fn ask(&mut self, line: String) -> Result<Step, DovecotError> {
        let answer = tokio::time::timeout(ANSWER_PATIENCE, async {
            self.stream.write_all(line.as_bytes()).await.map_err(Why::Io)?;
            loop {
                if let Some(step) = answer(&self.line().await?)? {
                    return Ok(step);
                }
            }
        });
        let result = answer.await.unwrap_or(Err(Why::Silent));
        result.map_err(|why| DovecotError { socket: self.socket.clone(), why })
    }

    async fn line(&mut self) -> Result<String, Why> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                let line = self.buffer.drain(..=end).take(end).collect();
                return String::from_utf8(line).map_err(|_| Why::Protocol("it does not speak UTF-8"));
            }
            if self.buffer.len() > LINE_OCTETS {
                return Err(Why::Protocol("its lines have no end"));
            }
            if self.stream.read_buf(&mut self.buffer).await.map_err(Why::Io)? == 0 {
                return Err(Why::Closed);
            }
        }
    }
}

/// A mechanism that a user can log in by: `name`, then properties. One without a user, one that is for Dovecot's own use, and those
/// that need of the TLS channel what Dovecot cannot know, are none.
fn mechanism<'a>(mut fields: impl Iterator<Item = &'a str>) -> Option<Box<str>> {
    let name = fields.next()?;
    // RFC 4422 3.1.
    let is_name = (1..=20).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit() || octet == b'-' || octet == b'_');
    let is_bound = name.ends_with("-PLUS") || matches!(name, "EXTERNAL" | "ANONYMOUS");
    let is_other = fields.any(|property| matches!(property, "anonymous" | "private"));
    (is_name && !is_bound && !is_other).then(|| name.into())
}

/// What a line says; `None`: nothing about the request.
fn answer(line: &str) -> Result<Option<Step>, Why> {
    let mut fields = line.split('\t');
    let verb = fields.next().unwrap_or_default();
    if !matches!(verb, "OK" | "CONT" | "FAIL") {
        return Ok(None);
    }
    if fields.next() != Some(REQUEST) {
        return Err(Why::Protocol("it answers what was not asked"));
    }
    if verb == "CONT" {
        let challenge = STANDARD.decode(fields.next().unwrap_or_default());
        return challenge
            .map(|challenge| Some(Step::Challenge(challenge)))
            .map_err(|_| Why::Protocol("its challenge is no base64"));
    }
    let (mut user, mut is_barred) = (Box::default(), verb == "FAIL");
    for field in fields {
        match field.split_once('=').unwrap_or((field, "")) {
            ("user", name) => user = unescape(name),
            ("temp", _) | ("code", "temp_fail") => return Err(Why::Temporary),
            // The password is right, and its user may not log in.
            ("nologin", _) => is_barred = true,
            _ => {}
        }
    }
    match is_barred {
        true => Ok(Some(Step::No(user))),
        false if user.is_empty() || user.contains(char::is_control) => Err(Why::Protocol("it says yes to nobody")),
        false => Ok(Some(Step::Yes(user))),
    }
}

/// Dovecot writes what would break a line as octet 1 and a letter.
fn unescape(text: &str) -> Box<str> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.extend(match character {
            '\u{1}' => characters.next().map(|escaped| match escaped {
                '0' => '\0',
                '1' => '\u{1}',
                't' => '\t',
                'r' => '\r',
                'n' => '\n',
                other => other,
            }),
            other => Some(other),
        });
    }
    out.into()
}

#[cfg(test)]
mod tests;
