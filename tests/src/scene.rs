//! The quickstart's situation, whole and running: the site, its daemon, a DNS server, and a relayhost that demands TLS and a
//! login. What most end-to-end tests begin with.
//!
//! The daemon listens on `127.0.0.1`. A client from there is in the site's trusted network; [`STRANGER`] is on loopback too,
//! and in no network of the site.

use crate::client::Client;
use crate::daemon::{Daemon, Options, Site, passwd_line};
use crate::dns::DnsServer;
use crate::peer::{Peer, Script, TlsMode};
use crate::tls::{Authority, Identity};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// A client address that no site of the tests trusts.
pub const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
/// The user of the quickstart and the password.
pub const LOGIN: (&str, &str) = ("alice", "postern-demo");
/// How the site logs in at its relayhost.
pub const RELAY_LOGIN: (&str, &str) = ("site@relay.test", "relay-secret");
/// The host name of the relayhost.
pub const RELAY_HOST: &str = "relay.test";

/// Names that the daemon can look up. Everything else does not exist.
const ZONE: &str = "
    relay.test A 127.0.0.1
    remote.test MX 10 mx.remote.test
    mx.remote.test A 127.0.0.9
    null.test MX 0 .
";

/// The site of the tests, with its relayhost at a port. Every line of the quickstart has its counterpart here; the ports are
/// the system's choice, and retries are quick.
pub fn kdl(relay_port: u16) -> String {
    format!(
        r#"site "mail.example.com" {{
    origin "example.com"
    postmaster "alice@example.com"
    address "192.0.2.25"
}}
tls {{ self-signed }}
listen "mx" port=0 address="127.0.0.1"
listen "gateway" kind="mx" port=0 address="127.0.0.1" xclient-from="127.0.0.8/30" proxy-protocol-from="127.0.0.12/30"
listen "back" kind="reinject" port=0 from="127.0.0.9"
listen "handed-on" kind="lmtp" port=0 from="127.0.0.9"
listen "submission" port=0 address="127.0.0.1"
listen "submissions" port=0 address="127.0.0.1"
network "here" "127.0.0.1" relay=#true reason="programs on this host"
network "printers" "127.0.0.6" mend-line-ends=#true reason="they know no CRLF"
users "staff" {{ passwd secret="users" }}
domain "example.com" {{
    mailbox "alice"
    mailbox "bob"
    alias "info" "alice" "bob"
    delimiter "+"
}}
parked "parked.example"
relay "upstream" host="{RELAY_HOST}" port={relay_port} {{
    tls "verify"
    login "{user}" secret="relay-password"
}}
route to="*" via="upstream"
queue {{ retry "1s" up-to="2s" }}
log format="json"
"#,
        user = RELAY_LOGIN.0
    )
}

/// See the module.
#[derive(Debug)]
pub struct Scene {
    // The daemon first: what it talks to is still there when it is killed.
    /// The daemon.
    pub daemon: Daemon,
    /// The relayhost.
    pub relay: Peer,
    /// The resolver.
    pub dns: DnsServer,
    /// The site's folders.
    pub site: Site,
    /// The relayhost's certificate.
    pub identity: Identity,
    /// How the site logs in at the relayhost.
    pub relay_login: (String, String),
}

impl Scene {
    /// Compiles the site of [`kdl`] and starts everything.
    pub fn start() -> Scene {
        Scene::with(|kdl| kdl)
    }

    /// The same with a changed site.
    pub fn with(change: impl FnOnce(String) -> String) -> Scene {
        let credentials = [("users", passwd_line(LOGIN.0, LOGIN.1)), ("relay-password", format!("{}\n", RELAY_LOGIN.1))];
        Scene::of(|port| change(kdl(port)), &credentials, RELAY_LOGIN)
    }

    /// Another site, which is told the port of its relayhost, and credentials by name; the relayhost wants this login.
    pub fn of(kdl: impl FnOnce(u16) -> String, credentials: &[(&str, String)], relay_login: (&str, &str)) -> Scene {
        Scene::with_files(kdl, &[], credentials, relay_login)
    }

    /// [`Scene::of`] with files beside the site file.
    pub fn with_files(
        kdl: impl FnOnce(u16) -> String, files: &[(&str, &str)], credentials: &[(&str, String)], relay_login: (&str, &str),
    ) -> Scene {
        let authority = Authority::new();
        let identity = authority.issue(RELAY_HOST);
        let relay_login = (relay_login.0.to_owned(), relay_login.1.to_owned());
        let relay = Peer::start(demanding(&identity, &relay_login));
        let dns = DnsServer::start(ZONE);
        let site = Site::new(&kdl(relay.address().port()));
        for (name, text) in files {
            site.write(name, text);
        }
        for (name, text) in credentials {
            site.credential(name, text);
        }
        let pem: PathBuf = authority.write(&site.path(""));
        site.build();
        let daemon = Daemon::start(Options::of(&site).dns(dns.address()).authority(&pem));
        Scene { daemon, relay, dns, site, identity, relay_login }
    }

    /// Replaces the daemon, by one that is started in whatever way.
    #[must_use]
    pub fn replace_daemon(self, replace: impl FnOnce(Daemon) -> Daemon) -> Scene {
        Scene { daemon: replace(self.daemon), ..self }
    }

    /// The script that the relayhost begins with, to build others on.
    pub fn relay_script(&self) -> Script {
        demanding(&self.identity, &self.relay_login)
    }

    /// A client that nothing is known of, at the listener for mail from outside, greeted.
    pub fn stranger(&self) -> Client {
        let mut client = Client::dial_from(STRANGER, self.daemon.address("mx")).expect("loopback has all of 127/8");
        client.expect_reply(220);
        client.hello();
        client
    }

    /// A program on the same host, which may relay, greeted.
    pub fn trusted(&self) -> Client {
        let mut client = Client::connect(self.daemon.address("mx"));
        client.hello();
        client
    }

    /// A mail program that has not logged in yet, inside TLS: STARTTLS at `submission`, at once at `submissions`.
    pub fn mail_program(&self, listener: &str) -> Client {
        let address = self.daemon.address(listener);
        if listener == "submissions" {
            let mut client = Client::connect_tls(address);
            client.hello();
            return client;
        }
        let mut client = Client::connect(address);
        client.hello();
        client.start_tls();
        client.hello();
        client
    }

    /// A mail program that has logged in as [`LOGIN`].
    pub fn user(&self, listener: &str) -> Client {
        let mut client = self.mail_program(listener);
        assert_eq!(client.auth_plain(LOGIN.0, LOGIN.1).code, 235, "{}", client.transcript());
        client
    }
}

fn demanding(identity: &Identity, login: &(String, String)) -> Script {
    Script::new(RELAY_HOST).tls(TlsMode::StartTls, identity).login(&login.0, &login.1)
}

/// A small message with what transfer tends to break: a line that begins with a dot, a line of one dot, octets beyond ASCII,
/// trailing blanks and an empty line at the end.
pub const AWKWARD: &[u8] = b"From: a@remote.test\r\nTo: info@example.com\r\nSubject: awkward\r\nMessage-ID: <1@remote.test>\r\n\
    Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n.one dot\r\n..two\r\n.\r\n\xc3\xa4 \xff\r\nblanks  \r\n\tFrom here\r\nFrom there\r\n\r\n";

/// [`AWKWARD`] by the user of [`LOGIN`], who may write in no other name.
pub fn awkward_of_user() -> Vec<u8> {
    let text = AWKWARD.strip_prefix(b"From: a@remote.test").expect("it begins so");
    [b"From: alice@example.com", text].concat()
}

/// A message as a Maildir holds it: LF ends its lines.
pub fn stored(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for (index, octet) in message.iter().enumerate() {
        if !(*octet == b'\r' && message.get(index + 1) == Some(&b'\n')) {
            out.push(*octet);
        }
    }
    out
}

/// The header fields above a message that was sent, in order, each with its continuation lines unfolded; what was sent must
/// stand below them octet by octet. Line ends are LF.
///
/// # Panics
/// If it does not.
pub fn fields_above(found: &[u8], sent: &[u8]) -> Vec<(String, String)> {
    let Some(above) = found.strip_suffix(sent) else {
        panic!("what was sent does not stand below:\n{}\nin\n{}", sent.escape_ascii(), found.escape_ascii());
    };
    let text = std::str::from_utf8(above).expect("fields of ours are ASCII").replace("\r\n", "\n");
    let text = text.replace("\n\t", " ").replace("\n ", " ");
    let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines().map(|line| field(line).unwrap_or_else(|| panic!("{line:?} is no header field"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_above_is_unfolded() {
        let found = b"A: 1\nReceived: from x\n\tby y;\n z\nSubject: s\n\nbody\n";
        let fields = fields_above(found, &stored(b"Subject: s\r\n\r\nbody\r\n"));
        let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(text, ["A=1", "Received=from x by y; z"]);
    }
}
