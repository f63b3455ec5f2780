//! One file from a web server, over HTTPS (RFC 8461 3.3): verified as a sender of mail would, no redirect followed, and given up
//! beyond 64 KiB or a few seconds.

use super::client::{Answer, Client, Silence};
use postern_schema::record::{MtaStsPolicy, RecordKind};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The most that is read (RFC 8461 3.3 suggests this limit).
const MAX_OCTETS: u64 = 64 * 1024;
/// How long a server may be silent.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How web servers are reached.
#[derive(Clone, Debug)]
pub struct Web {
    config: Arc<ClientConfig>,
    port: u16,
}

/// What came of asking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fetched {
    /// The file.
    Text(String),
    /// The server does not give it, and why.
    Refused(String),
    /// Nothing is known: no answer.
    Silent(String),
}

impl Web {
    /// Verified so, on this port.
    pub fn new(config: Arc<ClientConfig>, port: u16) -> Web {
        Web { config, port }
    }

    /// With the authorities of the system, on port 443. Without any, every server is refused.
    pub fn of_system() -> Web {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Web::new(Arc::new(config), 443)
    }

    /// Fetches `https://HOST/PATH`.
    pub fn fetch(&self, client: &Client, host: &str, path: &str) -> Fetched {
        let addresses = match addresses(client, host) {
            Ok(addresses) if addresses.is_empty() => return Fetched::Refused(format!("{host} has no address")),
            Ok(addresses) => addresses,
            Err(silence) => return Fetched::Silent(silence.to_string()),
        };
        let mut last = Fetched::Silent("no answer".to_owned());
        for address in addresses {
            last = self.fetch_from(SocketAddr::new(address, self.port), host, path);
            if matches!(last, Fetched::Text(_)) {
                break;
            }
        }
        last
    }

    fn fetch_from(&self, address: SocketAddr, host: &str, path: &str) -> Fetched {
        match self.exchange(address, host, path) {
            Ok(answer) => read(&answer),
            Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
                Fetched::Silent(format!("{address} does not answer in time"))
            }
            Err(error) => Fetched::Refused(format!("{address}: {error}")),
        }
    }

    fn exchange(&self, address: SocketAddr, host: &str, path: &str) -> io::Result<Vec<u8>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let socket = TcpStream::connect_timeout(&address, TIMEOUT)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        socket.set_write_timeout(Some(TIMEOUT))?;
        let connection = ClientConnection::new(self.config.clone(), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        // HTTP/1.0: the answer comes in one piece and ends with the connection.
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: postern\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        match stream.take(MAX_OCTETS).read_to_end(&mut answer) {
            // Many servers close without a farewell.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !answer.is_empty() => {}
            other => drop(other?),
        }
        Ok(answer)
    }
}

fn addresses(client: &Client, host: &str) -> Result<Vec<IpAddr>, Silence> {
    let mut found = Vec::new();
    for kind in [RecordKind::A, RecordKind::Aaaa] {
        if let Answer::Found(live) = client.ask(host, kind)? {
            found.extend(live.into_iter().filter_map(|live| live.value.parse::<IpAddr>().ok()));
        }
    }
    Ok(found)
}

fn read(answer: &[u8]) -> Fetched {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Fetched::Refused("what the server answers is no HTTP".to_owned());
    };
    let status = head.lines().next().unwrap_or_default();
    // RFC 8461 3.3: anything but 200 is a failure, a redirect too.
    match status.split(' ').nth(1) {
        Some("200") => Fetched::Text(body.to_owned()),
        _ => Fetched::Refused(format!("the server answers {status:?}")),
    }
}

/// Whether a policy file says what it should: the answer, and what differs.
pub fn says_policy(client: &Client, web: &Web, domain: &str, wanted: &str) -> (Option<bool>, String) {
    match web.fetch(client, &format!("mta-sts.{domain}"), MtaStsPolicy::PATH) {
        Fetched::Silent(why) => (None, why),
        Fetched::Refused(why) => (Some(false), why),
        Fetched::Text(found) => {
            let (wanted, found) = (fields(wanted), fields(&found));
            let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
            let differs = |name: &&&String| wanted.get(**name) != found.get(**name);
            let show = |values: Option<&BTreeSet<String>>| {
                values.map_or("nothing".to_owned(), |values| values.iter().cloned().collect::<Vec<_>>().join(" "))
            };
            let differences: Vec<String> = names
                .iter()
                .filter(differs)
                .map(|name| format!("{name} is {} and should be {}", show(found.get(*name)), show(wanted.get(*name))))
                .collect();
            match differences.as_slice() {
                [] => (Some(true), "the same".to_owned()),
                _ => (Some(false), differences.join("; ")),
            }
        }
    }
}

/// The lines of a policy by their names (RFC 8461 3.2); of those that may repeat, the order means nothing.
fn fields(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        found.entry(name.trim().to_owned()).or_default().insert(value.trim().to_ascii_lowercase());
    }
    found
}
