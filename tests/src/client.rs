//! An SMTP client that sends exactly what it is told, and reads replies. For tests of the server: it checks nothing, corrects
//! nothing and waits for nothing but a reply.

use crate::tls::{Identity, identified_client, trusting_client};
use crate::wait::PATIENCE;
use crate::wire::Wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::ClientConfig;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The name under which clients ask for a certificate.
const SERVER_NAME: &str = "mail.example.com";

/// A connection. Every method that expects something panics with the whole conversation when it does not come.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
    transcript: String,
}

/// A reply of one or more lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// The text of each line, without code and divider.
    pub lines: Vec<String>,
}

impl Reply {
    /// The lines, joined by `\n`.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The queue id of a message that was taken: the last word.
    pub fn queue_id(&self) -> String {
        self.text().rsplit(' ').next().unwrap_or_default().trim().to_owned()
    }

    /// Whether a line of an EHLO reply announces the extension.
    pub fn offers(&self, extension: &str) -> bool {
        self.lines.iter().any(|line| line.split(' ').next().is_some_and(|word| word.eq_ignore_ascii_case(extension)))
    }
}

impl fmt::Display for Reply {
    /// As it is sent, one line for each line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join("\n    "))
    }
}

/// Reads a reply; `None` if the other end has closed.
///
/// # Errors
/// A timeout, a broken connection, or lines that are no reply.
pub fn read_reply(wire: &mut Wire) -> io::Result<Option<Reply>> {
    let mut lines = Vec::new();
    loop {
        let Some(line) = wire.line()? else {
            let unfinished = io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended within a reply");
            return if lines.is_empty() { Ok(None) } else { Err(unfinished) };
        };
        let code = line.get(..3).and_then(|digits| digits.parse::<u16>().ok());
        let Some(code) = code else { return Err(io::Error::other(format!("{line:?} is no reply"))) };
        lines.push(line.get(4..).unwrap_or_default().to_owned());
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(Some(Reply { code, lines }));
        }
    }
}

impl Client {
    /// Connects and reads nothing.
    pub fn dial(address: SocketAddr) -> Client {
        Client::try_dial(address, PATIENCE).unwrap_or_else(|error| panic!("no connection to {address}: {error}"))
    }

    /// Connects and reads nothing; every later read ends in an error after `patience`.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_dial(address: SocketAddr, patience: Duration) -> io::Result<Client> {
        Client::over(TcpStream::connect_timeout(&address, patience)?, patience)
    }

    /// Connects from another address of the loopback network, such as `127.0.0.9`, so that a site can tell clients apart.
    ///
    /// # Errors
    /// What the system says.
    pub fn dial_from(source: IpAddr, address: SocketAddr) -> io::Result<Client> {
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
        let family = if source.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket(family, SocketType::STREAM, None)?;
        bind(&socket, &SocketAddr::new(source, 0))?;
        connect(&socket, &address)?;
        Client::over(TcpStream::from(socket), PATIENCE)
    }

    fn over(stream: TcpStream, patience: Duration) -> io::Result<Client> {
        Ok(Client { wire: Wire::new(stream, patience)?, transcript: String::new() })
    }

    /// Connects and expects the greeting.
    pub fn connect(address: SocketAddr) -> Client {
        let mut client = Client::dial(address);
        client.expect_reply(220);
        client
    }

    /// Connects with TLS from the first octet, and expects the greeting.
    pub fn connect_tls(address: SocketAddr) -> Client {
        let mut client = Client::dial(address);
        client.tls();
        client.expect_reply(220);
        client
    }

    /// Turns TLS on here and now, without a command and without verification.
    pub fn tls(&mut self) {
        self.tls_as(trusting_client(), SERVER_NAME);
    }

    /// Turns TLS on here and now in this way, towards a server of that name.
    pub fn tls_as(&mut self, config: Arc<ClientConfig>, name: &str) {
        self.wire.start_tls_client(config, name).unwrap_or_else(|error| self.fail(&format!("no TLS: {error}")));
        self.transcript.push_str("-- TLS\n");
    }

    /// Sends STARTTLS and turns TLS on, with a certificate of its own.
    pub fn start_tls_as(&mut self, identity: &Identity) {
        self.expect("STARTTLS", 220);
        self.tls_as(identified_client(identity), SERVER_NAME);
    }

    /// Sends STARTTLS and turns TLS on.
    pub fn start_tls(&mut self) {
        self.expect("STARTTLS", 220);
        self.tls();
    }

    /// Sends octets as they are.
    ///
    /// # Errors
    /// A timeout or a broken connection.
    pub fn try_send(&mut self, octets: &[u8]) -> io::Result<()> {
        if octets.len() <= 1024 {
            self.transcript.push_str(&format!("C: {}\n", octets.escape_ascii()));
        } else {
            self.transcript.push_str(&format!("C: {} octets\n", octets.len()));
        }
        self.wire.send(octets)
    }

    /// Sends octets as they are.
    pub fn send(&mut self, octets: &[u8]) {
        self.try_send(octets).unwrap_or_else(|error| self.fail(&error.to_string()));
    }

    /// Sends several lines in one write, CRLF after each.
    pub fn pipeline(&mut self, lines: &[&str]) {
        self.send(lines.iter().flat_map(|line| [line, "\r\n"]).collect::<String>().as_bytes());
    }

    /// Reads a reply; `None` if the server has closed.
    ///
    /// # Errors
    /// As for [`read_reply`].
    pub fn try_reply(&mut self) -> io::Result<Option<Reply>> {
        let reply = read_reply(&mut self.wire)?;
        let text = reply.as_ref().map_or("-- closed".to_owned(), |reply| format!("S: {reply}"));
        self.transcript.push_str(&text);
        self.transcript.push('\n');
        Ok(reply)
    }

    /// Reads a reply.
    pub fn reply(&mut self) -> Reply {
        match self.try_reply() {
            Ok(Some(reply)) => reply,
            Ok(None) => self.fail("the server closed where a reply was due"),
            Err(error) => self.fail(&error.to_string()),
        }
    }

    /// Sends a line and reads the reply.
    pub fn command(&mut self, line: &str) -> Reply {
        self.pipeline(&[line]);
        self.reply()
    }

    /// Reads a reply that must have this code.
    pub fn expect_reply(&mut self, code: u16) -> Reply {
        let reply = self.reply();
        if reply.code != code { self.fail(&format!("{code} was due")) } else { reply }
    }

    /// Sends a line and reads a reply that must have this code.
    pub fn expect(&mut self, line: &str, code: u16) -> Reply {
        self.pipeline(&[line]);
        self.expect_reply(code)
    }

    /// Expects that the server closes, and says nothing before it does.
    pub fn expect_close(&mut self) {
        match self.try_reply() {
            Ok(None) => {}
            Ok(Some(_)) => self.fail("the server spoke where it should close"),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => self.fail(&error.to_string()),
        }
    }

    /// EHLO.
    pub fn hello(&mut self) -> Reply {
        self.expect("EHLO client.test", 250)
    }

    /// AUTH PLAIN with an initial response; the reply may be anything.
    pub fn auth_plain(&mut self, user: &str, password: &str) -> Reply {
        self.command(&format!("AUTH PLAIN {}", BASE64.encode(format!("\0{user}\0{password}"))))
    }

    /// One transaction, command by command: MAIL, RCPTs and the message, to which dot-stuffing and the final dot are added.
    /// The reply is that to the message, or the first that was no yes.
    pub fn send_message(&mut self, from: &str, to: &[&str], message: &[u8]) -> Reply {
        let mut reply = self.command(&format!("MAIL FROM:<{from}>"));
        for recipient in to {
            if reply.code / 100 != 2 {
                return reply;
            }
            reply = self.command(&format!("RCPT TO:<{recipient}>"));
        }
        if reply.code / 100 != 2 {
            return reply;
        }
        let reply = self.command("DATA");
        if reply.code != 354 {
            return reply;
        }
        self.send(&stuff(message));
        self.reply()
    }

    /// QUIT, and the end of the connection.
    pub fn quit(mut self) {
        self.expect("QUIT", 221);
        self.expect_close();
    }

    /// Everything said so far.
    pub fn transcript(&self) -> &str {
        &self.transcript
    }

    /// The connection below.
    pub fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{why}, after:\n{}", self.transcript)
    }
}

/// A message as it stands after DATA: dots doubled at line starts, a CRLF at the end if there is none, and the final dot
/// (RFC 5321 4.5.2).
pub fn stuff(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 16);
    let mut at_line_start = true;
    for &octet in message {
        if at_line_start && octet == b'.' {
            out.push(b'.');
        }
        out.push(octet);
        at_line_start = out.ends_with(b"\r\n");
    }
    if !at_line_start {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}
