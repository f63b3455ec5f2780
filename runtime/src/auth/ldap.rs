//! A client of directories that knows one thing: whether a user's name and password are good, by binding with them (RFC 4511 4.2).
//! The messages are in [`message`]. Each bind has a connection of its own, since a bind is what a connection is.

pub mod message;

use crate::deliver::tls::ClientTls;
use crate::dns::{Dns, Found};
use message::{Answer, Kind, MESSAGE_MAX_OCTETS};
use postern_schema::name::HostName;
use postern_schema::site::{Directory, DirectorySecurity};
use rustls::pki_types::ServerName;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

/// All that one bind may take, from the wait for a place on.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one address may take to be there.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// How many binds there are at once, over all directories.
static BINDS: Semaphore = Semaphore::const_new(16);
/// The longest login name that a directory is asked about.
const USER_MAX_OCTETS: usize = 256;

/// RFC 4511 A.1: what a server answers for a wrong password or a name that nobody has. Everything else is no decision.
const SUCCESS: u32 = 0;
const NO: [u32; 3] = [
    32, // noSuchObject
    48, // inappropriateAuthentication: the entry has no password
    49, // invalidCredentials
];

/// Why a directory did not decide. Names the server, never what was sent to it.
#[derive(Debug)]
pub struct DirectoryError {
    server: String,
    why: String,
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the directory at {}: {}", self.server, self.why)
    }
}

impl std::error::Error for DirectoryError {}

trait Channel: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Channel for T {}

/// Whether the directory knows this user by this password. An empty password is refused here: a server takes it for a client that
/// wants to be nobody, and says yes (RFC 4513 5.1.2).
///
/// # Errors
/// [`DirectoryError`]: the caller answers "try again later", never "no".
pub async fn bind(
    directory: &Directory, tls: &ClientTls, dns: &dyn Dns, user: &str, password: &str,
) -> Result<bool, DirectoryError> {
    if password.is_empty() || user.is_empty() || user.len() > USER_MAX_OCTETS {
        return Ok(false);
    }
    let bound = tokio::time::timeout(PATIENCE, async {
        let _place = BINDS.acquire().await.map_err(|_| "closed".to_owned())?;
        let mut conversation = Conversation { channel: open(directory, dns).await?, input: Vec::new() };
        match directory.security {
            DirectorySecurity::None => {}
            DirectorySecurity::Tls => conversation = conversation.encrypt(directory, tls).await?,
            DirectorySecurity::StartTls => {
                match conversation.ask(&message::start_tls(1), 1, Kind::Extended).await? {
                    // What a stranger has put behind the answer would be taken for the server's.
                    SUCCESS if conversation.input.is_empty() => {}
                    SUCCESS => return Err("it said more before TLS began".to_owned()),
                    code => return Err(format!("it refuses StartTLS (result {code})")),
                }
                conversation = conversation.encrypt(directory, tls).await?;
            }
        }
        let dn = message::name_of(&directory.dn, user);
        let code = conversation.ask(&message::bind(2, &dn, password), 2, Kind::Bind).await?;
        // The answer is there; whether the farewell arrives changes nothing.
        let _ = conversation.channel.write_all(&message::unbind(3)).await;
        match code {
            SUCCESS => Ok(true),
            code if NO.contains(&code) => Ok(false),
            code => Err(format!("it cannot decide (result {code})")),
        }
    });
    let result = bound.await.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
    result.map_err(|why| DirectoryError { server: format!("{}:{}", directory.host, directory.port), why })
}

async fn open(directory: &Directory, dns: &dyn Dns) -> Result<Box<dyn Channel>, String> {
    let addresses: Vec<IpAddr> = match &directory.host {
        HostName::Literal(address) => vec![*address],
        HostName::Domain(host) => match dns.addresses(host).await {
            Found::Records(addresses) => addresses,
            Found::None | Found::Nonexistent => return Err("it has no address".to_owned()),
            Found::Bogus => return Err("DNSSEC validation failed for it".to_owned()),
            Found::Failed(why) => return Err(why),
        },
    };
    let mut last = "it has no address".to_owned();
    for address in addresses {
        let address = SocketAddr::new(address, directory.port);
        match tokio::time::timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(Box::new(stream)),
            Ok(Err(error)) => last = format!("{address}: {error}"),
            Err(_) => last = format!("{address} does not answer"),
        }
    }
    Err(last)
}

struct Conversation {
    channel: Box<dyn Channel>,
    input: Vec<u8>,
}

impl Conversation {
    async fn encrypt(self, directory: &Directory, tls: &ClientTls) -> Result<Conversation, String> {
        let name = match &directory.host {
            HostName::Literal(address) => ServerName::from(*address),
            HostName::Domain(host) => ServerName::try_from(host.as_str().to_owned()).map_err(|error| error.to_string())?,
        };
        let config = tls.verifying().map_err(|why| why.to_string())?;
        let channel = TlsConnector::from(config).connect(name, self.channel).await.map_err(|error| error.to_string())?;
        Ok(Conversation { channel: Box::new(channel), input: Vec::new() })
    }

    /// The result of one request.
    async fn ask(&mut self, request: &[u8], id: u32, kind: Kind) -> Result<u32, String> {
        self.channel.write_all(request).await.map_err(|error| error.to_string())?;
        self.channel.flush().await.map_err(|error| error.to_string())?;
        loop {
            match message::read(&self.input) {
                Ok(Some((answer, octets))) => {
                    self.input.drain(..octets);
                    return match answer {
                        Answer { id: found, kind: of, code } if found == id && of == kind => Ok(code),
                        // RFC 4511 4.4.1: it is about to close the connection.
                        Answer { id: 0, code, .. } => Err(format!("it hung up (result {code})")),
                        _ => Err("it answers what was not asked".to_owned()),
                    };
                }
                Ok(None) if self.input.len() <= MESSAGE_MAX_OCTETS => {}
                Ok(None) | Err(_) => return Err("it does not speak LDAP".to_owned()),
            }
            if self.channel.read_buf(&mut self.input).await.map_err(|error| error.to_string())? == 0 {
                return Err("it closed the connection".to_owned());
            }
        }
    }
}
