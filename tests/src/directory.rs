//! A directory that knows how to bind (RFC 4511 4.2), with StartTLS where it has a certificate, and that can fail in the ways that a
//! directory fails. It reads BER by itself, so that what the daemon writes is read by somebody else.

use crate::acceptor::Acceptor;
use crate::tls::Identity;
use rustls::{ServerConnection, StreamOwned};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a directory does when somebody binds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mood {
    /// It decides.
    #[default]
    Fine,
    /// It says that it is busy (51).
    Busy,
    /// It closes the connection.
    Rude,
    /// It sends what is no LDAP.
    Confused,
}

/// See the module.
#[derive(Debug)]
pub struct Directory {
    acceptor: Acceptor,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    users: HashMap<String, String>,
    identity: Mutex<Option<Identity>>,
    mood: Mutex<Mood>,
    binds: Mutex<Vec<(String, bool)>>,
}

trait Channel: Read + Write {}
impl<T: Read + Write> Channel for T {}

impl Directory {
    /// Knows these names and passwords.
    pub fn start(users: &[(&str, &str)]) -> Directory {
        let users = users.iter().map(|(dn, password)| ((*dn).to_owned(), (*password).to_owned())).collect();
        let shared = Arc::new(Shared { users, ..Shared::default() });
        let inner = shared.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // A client that goes away is no failure of the directory.
        let acceptor = Acceptor::serve(listener, move |_, stream| drop(serve(stream, &inner)));
        Directory { acceptor: acceptor.unwrap(), shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.acceptor.address()
    }

    /// Offers StartTLS with this certificate from now on.
    pub fn identify(&self, identity: &Identity) {
        *self.shared.identity.lock().unwrap() = Some(identity.clone());
    }

    /// Behaves like that from now on.
    pub fn feel(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// The names that were bound to, and whether inside TLS.
    pub fn binds(&self) -> Vec<(String, bool)> {
        self.shared.binds.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut channel: Box<dyn Channel> = Box::new(stream.try_clone()?);
    let mut is_tls = false;
    loop {
        let (_, message) = element(&mut *channel)?;
        let mut message = message.as_slice();
        let (_, id) = element(&mut message)?;
        let (operation, content) = element(&mut message)?;
        let answer = |tag: u8, code: u8| wrap(0x30, &[wrap(2, &id), wrap(tag, &[10, 1, code, 4, 0, 4, 0])].concat());
        match operation {
            0x60 => {
                let mut content = content.as_slice();
                element(&mut content)?;
                let (_, dn) = element(&mut content)?;
                let (_, password) = element(&mut content)?;
                let [dn, password] = [dn, password].map(|octets| String::from_utf8_lossy(&octets).into_owned());
                let is_right = shared.users.get(&dn) == Some(&password);
                shared.binds.lock().unwrap().push((dn, is_tls));
                match *shared.mood.lock().unwrap() {
                    // An empty password is a bind as nobody, which succeeds (RFC 4513 5.1.2).
                    Mood::Fine if is_right || password.is_empty() => channel.write_all(&answer(0x61, 0))?,
                    Mood::Fine => channel.write_all(&answer(0x61, 49))?,
                    Mood::Busy => channel.write_all(&answer(0x61, 51))?,
                    Mood::Rude => return Ok(()),
                    Mood::Confused => channel.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?,
                }
            }
            0x77 => {
                let Some(identity) = shared.identity.lock().unwrap().clone() else {
                    channel.write_all(&answer(0x78, 2))?;
                    continue;
                };
                channel.write_all(&answer(0x78, 0))?;
                let connection = ServerConnection::new(identity.server()).map_err(io::Error::other)?;
                channel = Box::new(StreamOwned::new(connection, stream.try_clone()?));
                is_tls = true;
            }
            _ => return Ok(()),
        }
    }
}

/// The tag and the content of the next element.
fn element(from: &mut (impl Read + ?Sized)) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    from.read_exact(&mut head)?;
    let mut length = usize::from(head[1]);
    if length >= 0x80 {
        let mut octets = vec![0; length - 0x80];
        from.read_exact(&mut octets)?;
        length = octets.iter().fold(0, |sum, octet| sum * 256 + usize::from(*octet));
    }
    let mut content = vec![0; length];
    from.read_exact(&mut content)?;
    Ok((head[0], content))
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, content.len() as u8], content].concat()
}
