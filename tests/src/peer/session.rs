//! One session of a peer: reads commands, asks the script, replies, records.

use super::{Act, Protocol, Script, Shared, Stage, TlsMode, Transaction};
use crate::wire::Wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io;
use std::net::TcpStream;
use std::time::Duration;

/// How long a peer waits for its client. Longer than any test: a peer that gives up first would hide a client that hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs a session to its end. A connection that breaks is no fault of the peer's.
pub(super) fn run(number: usize, stream: TcpStream, shared: &Shared) {
    if let Ok(wire) = Wire::new(stream, PATIENCE) {
        let _ = Session { number, wire, shared, helo: String::new(), user: None, envelope: None }.run();
    }
}

struct Session<'a> {
    number: usize,
    wire: Wire,
    shared: &'a Shared,
    helo: String,
    user: Option<String>,
    envelope: Option<Envelope>,
}

#[derive(Default)]
struct Envelope {
    reverse_path: String,
    parameters: String,
    recipients: Vec<String>,
    chunks: Vec<u8>,
}

/// Whether the session goes on, and whether the stage was passed.
enum Next {
    Passed,
    Failed,
    Close,
}

impl Session<'_> {
    fn with_script<T>(&self, read: impl FnOnce(&mut Script) -> T) -> T {
        read(&mut self.shared.script.lock().unwrap())
    }

    fn run(&mut self) -> io::Result<()> {
        if self.with_script(|script| script.tls) == TlsMode::Implicit {
            self.start_tls()?;
        }
        let hostname = self.with_script(|script| script.hostname.clone());
        let Next::Passed = self.play(&Stage::Banner, &format!("220 {hostname} ESMTP"))? else { return Ok(()) };
        while let Some(line) = self.wire.line()? {
            if self.with_script(|script| script.keeps) {
                self.shared.record.lock().unwrap().commands.push((self.number, line.clone()));
            }
            if let Next::Close = self.command(&line)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn command(&mut self, line: &str) -> io::Result<Next> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" | "LHLO" => self.hello(verb, argument),
            "STARTTLS" if self.offers_starttls() => match self.play(&Stage::StartTls, "220 2.0.0 Go ahead")? {
                Next::Passed => {
                    self.start_tls()?;
                    self.helo.clear();
                    self.user = None;
                    Ok(Next::Passed)
                }
                next => Ok(next),
            },
            "AUTH" => self.auth(argument),
            "MAIL" => self.mail(argument),
            "RCPT" => self.rcpt(argument),
            "DATA" => self.data(),
            "BDAT" => self.bdat(argument),
            "RSET" => {
                self.envelope = None;
                self.reply("250 2.0.0 Ok")
            }
            "NOOP" => self.reply("250 2.0.0 Ok"),
            "QUIT" => {
                self.play(&Stage::Quit, "221 2.0.0 Bye")?;
                Ok(Next::Close)
            }
            _ => self.reply("500 5.5.2 Command not recognized"),
        }
    }

    fn reply(&mut self, text: &str) -> io::Result<Next> {
        self.wire.send(format!("{text}\r\n").as_bytes())?;
        Ok(Next::Passed)
    }

    /// Does what the script says at a stage.
    fn play(&mut self, stage: &Stage, yes: &str) -> io::Result<Next> {
        let act = self.with_script(|script| script.act(stage));
        let (soft, hard) = match stage {
            Stage::Banner => ("421 4.3.2 Not now", "554 5.7.1 No mail here"),
            Stage::StartTls => ("454 4.7.0 TLS not available", "502 5.5.1 No TLS here"),
            Stage::Auth => ("454 4.7.0 Cannot check that now", "535 5.7.8 Wrong"),
            Stage::Data | Stage::Dot | Stage::DotFor(_) => ("451 4.3.0 Not now", "554 5.6.0 Never"),
            _ => ("450 4.2.0 Not now", "550 5.7.1 Never"),
        };
        match act {
            Act::Accept => self.reply(yes),
            Act::AcceptThenDrop => {
                self.reply(yes)?;
                Ok(Next::Close)
            }
            Act::Defer => self.reply(soft).map(|_| Next::Failed),
            Act::Reject => self.reply(hard).map(|_| Next::Failed),
            Act::Say(text) => {
                self.reply(&text)?;
                Ok(if text.starts_with(['2', '3']) { Next::Passed } else { Next::Failed })
            }
            Act::Drop => Ok(Next::Close),
            Act::Hang => {
                // Whatever still comes is read and left alone, until the other end has enough.
                while self.wire.line()?.is_some() {}
                Ok(Next::Close)
            }
        }
    }

    fn offers_starttls(&self) -> bool {
        !self.wire.is_tls() && self.with_script(|script| script.tls) == TlsMode::StartTls
    }

    fn start_tls(&mut self) -> io::Result<()> {
        let config = self.with_script(|script| script.certificate.clone());
        self.wire.start_tls_server(config.ok_or_else(|| io::Error::other("the script has no certificate"))?)
    }

    fn hello(&mut self, verb: &str, argument: &str) -> io::Result<Next> {
        argument.clone_into(&mut self.helo);
        self.envelope = None;
        let mut lines = self.with_script(|script| [vec![script.hostname.clone()], script.extensions.clone()].concat());
        if verb.eq_ignore_ascii_case("HELO") {
            lines.truncate(1);
        } else {
            if self.offers_starttls() {
                lines.push("STARTTLS".to_owned());
            }
            let (login, tls, mechanisms) =
                self.with_script(|script| (script.login.is_some(), script.tls, script.mechanisms.clone()));
            if login && (self.wire.is_tls() || tls == TlsMode::None) {
                lines.push(format!("AUTH {mechanisms}"));
            }
        }
        let last = lines.len() - 1;
        let reply: Vec<String> =
            lines.iter().enumerate().map(|(i, line)| format!("250{}{line}", if i == last { ' ' } else { '-' })).collect();
        self.play(&Stage::Hello, &reply.join("\r\n"))
    }

    /// PLAIN and LOGIN, RFC 4954 4.
    fn auth(&mut self, argument: &str) -> io::Result<Next> {
        let Some((user, password)) = self.with_script(|script| script.login.clone()) else {
            return self.reply("503 5.5.1 AUTH not offered");
        };
        let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
        let given = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let response = if initial.is_empty() { self.challenge("")? } else { decode(initial) };
                response.splitn(3, '\0').skip(1).map(str::to_owned).collect::<Vec<_>>()
            }
            "LOGIN" => {
                let name = if initial.is_empty() { self.challenge("Username:")? } else { decode(initial) };
                vec![name, self.challenge("Password:")?]
            }
            _ => return self.reply("504 5.5.4 No such mechanism"),
        };
        if given != [user.clone(), password] {
            self.shared.record.lock().unwrap().logins_refused += 1;
            return self.reply("535 5.7.8 Authentication credentials invalid");
        }
        let next = self.play(&Stage::Auth, "235 2.7.0 Welcome")?;
        if let Next::Passed = next {
            self.user = Some(user);
        }
        Ok(next)
    }

    fn challenge(&mut self, text: &str) -> io::Result<String> {
        self.reply(&format!("334 {}", BASE64.encode(text)))?;
        Ok(decode(&self.wire.line()?.unwrap_or_default()))
    }

    fn mail(&mut self, argument: &str) -> io::Result<Next> {
        if self.with_script(|script| script.login.is_some()) && self.user.is_none() {
            return self.reply("530 5.7.0 Authentication required");
        }
        let Some((reverse_path, parameters)) = path(argument, "FROM:") else { return self.reply("501 5.5.4 Bad MAIL") };
        if self.envelope.is_some() {
            return self.reply("503 5.5.1 Nested MAIL");
        }
        let next = self.play(&Stage::Mail, "250 2.1.0 Ok")?;
        if let Next::Passed = next {
            self.envelope = Some(Envelope { reverse_path, parameters, ..Envelope::default() });
        }
        Ok(next)
    }

    fn rcpt(&mut self, argument: &str) -> io::Result<Next> {
        let Some((recipient, _)) = path(argument, "TO:") else { return self.reply("501 5.5.4 Bad RCPT") };
        if self.envelope.is_none() {
            return self.reply("503 5.5.1 RCPT before MAIL");
        }
        let next = self.play(&Stage::Rcpt(recipient.clone()), "250 2.1.5 Ok")?;
        if let (Next::Passed, Some(envelope)) = (&next, &mut self.envelope) {
            envelope.recipients.push(recipient);
        }
        Ok(next)
    }

    /// RFC 3030 2. [`Stage::Data`] is played at the first chunk, [`Stage::Dot`] at the last.
    fn bdat(&mut self, argument: &str) -> io::Result<Next> {
        let (size, last) = argument.split_once(' ').map_or((argument, false), |(size, word)| (size, word == "LAST"));
        let octets = self.wire.octets(size.parse().map_err(io::Error::other)?)?;
        let Some(envelope) = self.envelope.as_mut().filter(|envelope| !envelope.recipients.is_empty()) else {
            return self.reply("503 5.5.1 No valid recipients");
        };
        envelope.chunks.extend_from_slice(&octets);
        if last {
            let data = std::mem::take(&mut envelope.chunks);
            return self.take(data);
        }
        self.play(&Stage::Data, "250 2.0.0 Chunk")
    }

    fn data(&mut self) -> io::Result<Next> {
        if self.envelope.as_ref().is_none_or(|envelope| envelope.recipients.is_empty()) {
            return self.reply("554 5.5.1 No valid recipients");
        }
        let next = self.play(&Stage::Data, "354 Go ahead")?;
        let Next::Passed = next else { return Ok(next) };
        let data = self.wire.data()?;
        self.take(data)
    }

    fn take(&mut self, data: Vec<u8>) -> io::Result<Next> {
        let Envelope { reverse_path, parameters, recipients, .. } = self.envelope.take().unwrap_or_default();
        let (keeps, protocol) = self.with_script(|script| (script.keeps, script.protocol));
        let mut transaction = Transaction {
            connection: self.number,
            helo: self.helo.clone(),
            is_tls: self.wire.is_tls(),
            user: self.user.clone(),
            reverse_path,
            parameters,
            recipients,
            data: if keeps { data } else { Vec::new() },
            accepted: false,
        };
        let stages = match protocol {
            Protocol::Smtp => vec![Stage::Dot],
            Protocol::Lmtp => transaction.recipients.iter().cloned().map(Stage::DotFor).collect(),
        };
        let mut last = Ok(Next::Passed);
        for stage in stages {
            // An act that says yes is as good as said: the client may be gone before the record is made.
            let said_yes = matches!(self.peek(&stage), Act::Accept | Act::AcceptThenDrop);
            last = self.play(&stage, "250 2.0.0 Ok: taken");
            transaction.accepted |= said_yes || matches!(last, Ok(Next::Passed));
            if !matches!(last, Ok(Next::Passed | Next::Failed)) {
                break;
            }
        }
        self.record(transaction, keeps);
        last
    }

    fn peek(&self, stage: &Stage) -> Act {
        self.with_script(|script| script.clone().act(stage))
    }

    fn record(&self, transaction: Transaction, keeps: bool) {
        let mut record = self.shared.record.lock().unwrap();
        record.messages += usize::from(transaction.accepted);
        if keeps {
            record.transactions.push(transaction);
        }
        self.shared.changed.notify_all();
    }
}

fn decode(base64: &str) -> String {
    BASE64.decode(base64.trim()).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
}

/// `FROM:<path> parameters` taken apart. A `>` inside quotes belongs to the path.
fn path(argument: &str, keyword: &str) -> Option<(String, String)> {
    let head = argument.get(..keyword.len())?;
    let rest = argument[keyword.len()..].trim_start().strip_prefix('<').filter(|_| head.eq_ignore_ascii_case(keyword))?;
    let mut quoted = false;
    let end = rest.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '>' && !quoted
    })?;
    Some((rest[..end.0].to_owned(), rest[end.0 + 1..].trim().to_owned()))
}
