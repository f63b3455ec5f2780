//! The sockets of a site. A reload binds what is new before it commits to anything, keeps what stays, and closes what is gone;
//! sessions that are open go on in any case.

use super::{Reserve, Stream, entry};
use crate::daemon::Daemon;
use crate::web;
use postern_schema::reply::Reply;
use postern_schema::site::{Listener, Site, WebListener};
use std::collections::HashMap;
use std::fmt;
use std::fs::Permissions;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::task::JoinHandle;

/// Connections that the system holds for us until we accept them.
const BACKLOG: u32 = 1024;
/// Who may open a socket in the file system: our user, and our group.
const SOCKET_MODE: u32 = 0o660;
/// The pause after the system refused us a connection, for want of file descriptors most of all.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often that is said.
const SILENCE: Duration = Duration::from_secs(1);

/// What makes two listeners the same socket. The name counts only where the system chooses the port.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    place: Place,
    name: Option<Box<str>>,
}

/// Where something listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A TCP port.
    Inet(SocketAddr),
    /// A socket in the file system.
    Unix(Box<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Inet(address) => address.fmt(f),
            Place::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

/// A socket that is bound.
enum Socket {
    Inet(TcpListener),
    Unix(UnixListener),
}

/// The open sockets.
#[derive(Default)]
pub struct Listeners {
    open: HashMap<Key, Open>,
}

struct Open {
    local: Place,
    accepting: JoinHandle<()>,
}

/// Sockets that were bound for a site that is not in force yet. Dropping them closes them.
pub struct Prepared {
    fresh: Vec<(Key, Socket)>,
    wanted: Vec<Key>,
}

/// Where a listener of the site is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Its name in the site.
    pub name: Box<str>,
    /// What it is for, in the word of the site language.
    pub kind: &'static str,
    /// The address and port in fact, whoever chose them.
    pub address: Place,
}

/// A socket that cannot be had.
#[derive(Debug)]
pub struct ListenError {
    name: Box<str>,
    place: Place,
    error: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ListenError { name, place, error } = self;
        write!(f, "listener {name} cannot have {place}: ")?;
        match error.kind() {
            _ if matches!(place, Place::Unix(_)) => error.fmt(f),
            io::ErrorKind::AddrInUse => write!(f, "another program listens there; stop it, or choose another port"),
            io::ErrorKind::PermissionDenied => {
                write!(f, "ports below 1024 need root or CAP_NET_BIND_SERVICE; grant it, or choose another port")
            }
            io::ErrorKind::AddrNotAvailable => write!(f, "this host has no such address"),
            _ => error.fmt(f),
        }
    }
}

impl std::error::Error for ListenError {}

impl Listeners {
    /// Binds what the site has beyond what is open.
    ///
    /// # Errors
    /// [`ListenError`] for the first socket that cannot be had; nothing has changed then.
    pub fn prepare(&self, site: &Site) -> Result<Prepared, ListenError> {
        let mut prepared = Prepared { fresh: Vec::new(), wanted: Vec::new() };
        for (key, service) in sockets(site) {
            if !self.open.contains_key(&key) {
                let failed = |error| ListenError { name: service.name().into(), place: key.place.clone(), error };
                let socket = match &key.place {
                    Place::Inet(address) => bind(*address).map(Socket::Inet),
                    Place::Unix(path) => bind_path(path).map(Socket::Unix),
                };
                let socket = socket.map_err(failed)?;
                prepared.fresh.push((key.clone(), socket));
            }
            prepared.wanted.push(key);
        }
        Ok(prepared)
    }

    /// Accepts on the fresh sockets and closes those that the site has no more. Called after the site came into force.
    pub fn commit(&mut self, prepared: Prepared, daemon: &Arc<Daemon>) {
        for (key, socket) in prepared.fresh {
            let local = match &socket {
                Socket::Inet(socket) => socket.local_addr().map(Place::Inet),
                Socket::Unix(_) => Ok(key.place.clone()),
            };
            let Ok(local) = local else { continue };
            let accepting = tokio::spawn(accept(socket, key.clone(), daemon.clone()));
            self.open.insert(key, Open { local, accepting });
        }
        self.open.retain(|key, open| {
            let stays = prepared.wanted.contains(key);
            if !stays {
                open.accepting.abort();
            }
            stays
        });
    }

    /// Accepts no more on any socket.
    pub fn close(&mut self) {
        self.open.drain().for_each(|(_, open)| open.accepting.abort());
    }

    /// Where the listeners of the site are reached, in the order of the site.
    pub fn bound(&self, site: &Site) -> Vec<Bound> {
        let bound = |(key, service): (Key, Service<'_>)| {
            let open = self.open.get(&key)?;
            Some(Bound { name: service.name().into(), kind: service.kind(), address: open.local.clone() })
        };
        sockets(site).filter_map(bound).collect()
    }
}

/// What a socket is for.
#[derive(Clone, Copy)]
enum Service<'a> {
    Mail(&'a Listener),
    Web(&'a WebListener),
    /// For an authority that asks by http-01.
    Challenge(&'a WebListener),
}

impl<'a> Service<'a> {
    fn name(self) -> &'a str {
        match self {
            Service::Mail(listener) => &listener.name,
            Service::Web(web) | Service::Challenge(web) => &web.name,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Service::Mail(listener) => listener.kind.as_str(),
            Service::Web(_) => "web",
            Service::Challenge(_) => "http-01",
        }
    }

    fn keys(self) -> impl Iterator<Item = Key> + 'a {
        let (addresses, port, socket) = match self {
            Service::Mail(listener) => (&listener.addresses, listener.port, listener.socket.as_deref()),
            Service::Web(web) | Service::Challenge(web) => (&web.addresses, web.port, None),
        };
        let name = (port == 0 && socket.is_none()).then(|| self.name().into());
        let ports = addresses.iter().map(move |address| Place::Inet(SocketAddr::new(*address, port)));
        let paths = socket.map(|path| Place::Unix(path.into()));
        ports.chain(paths).map(move |place| Key { place, name: name.clone() })
    }
}

/// Every socket of a site, in its order.
fn sockets(site: &Site) -> impl Iterator<Item = (Key, Service<'_>)> {
    let services = site.listeners.iter().map(Service::Mail).chain(site.web.iter().map(Service::Web));
    let challenges = site.tls.acme.iter().filter_map(|acme| acme.http.as_ref());
    let services = services.chain(challenges.map(Service::Challenge));
    services.flat_map(|service| service.keys().map(move |key| (key, service)))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    if address.is_ipv6() {
        // `::` must not take the IPv4 port of a listener of its own.
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A socket that is there and that nobody answers at is what an earlier process has left.
fn bind_path(path: &str) -> io::Result<UnixListener> {
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
        Err(_) => {}
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AddrInUse, "another program listens there")),
    }
    let socket = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(SOCKET_MODE))?;
    Ok(socket)
}

async fn accept(socket: Socket, key: Key, daemon: Arc<Daemon>) {
    // Thousands may be refused in a second, and one line for each would fill the disk.
    let mut last_said: Option<Instant> = None;
    loop {
        match take(&socket).await {
            Ok((stream, peer)) => start(stream, peer, &key, &daemon),
            Err(error) => {
                let is_dismissed = Reserve::is_for(&error)
                    && daemon
                        .reserve
                        .dismiss(async { take(&socket).await.map(|(stream, _)| stream) }, &farewell(&key, &daemon))
                        .await;
                if last_said.is_none_or(|at| at.elapsed() > SILENCE) {
                    last_said = Some(Instant::now());
                    tracing::warn!(%error, at = %key.place, "cannot accept");
                }
                if !is_dismissed {
                    // The next try would fail at once, and so on for ever.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn take(socket: &Socket) -> io::Result<(Stream, IpAddr)> {
    match socket {
        Socket::Inet(socket) => socket.accept().await.map(|(stream, peer)| (Stream::Plain(stream), peer.ip())),
        Socket::Unix(socket) => socket.accept().await.map(|(stream, _)| (Stream::Local(stream), Ipv4Addr::LOCALHOST.into())),
    }
}

/// What a client is told that cannot be served; nothing, where it would have to be told inside TLS.
fn farewell(key: &Key, daemon: &Daemon) -> Vec<u8> {
    let generation = daemon.current.generation();
    let mut out = Vec::new();
    if let Some((_, Service::Mail(listener))) = sockets(generation.site()).find(|(other, _)| other == key)
        && !listener.kind.is_implicit_tls()
    {
        Reply::TOO_MANY_CONNECTIONS.write(&mut out);
    }
    out
}

/// Which listener the socket stands for is asked of the site in force: its name or kind may have changed since it was bound.
fn start(stream: Stream, peer: IpAddr, key: &Key, daemon: &Arc<Daemon>) {
    let generation = daemon.current.generation();
    match sockets(generation.site()).find(|(other, _)| other == key) {
        Some((_, Service::Mail(listener))) => drop(tokio::spawn(entry::serve(stream, peer, listener.clone(), daemon.clone()))),
        Some((_, Service::Web(_))) => match stream {
            Stream::Plain(stream) => drop(tokio::spawn(web::serve(stream, peer, daemon.clone()))),
            Stream::Tls(_) | Stream::Local(_) => {}
        },
        Some((_, Service::Challenge(_))) => match stream {
            Stream::Plain(stream) => drop(tokio::spawn(web::serve_challenge(stream, peer, daemon.clone()))),
            Stream::Tls(_) | Stream::Local(_) => {}
        },
        None => {}
    }
}
