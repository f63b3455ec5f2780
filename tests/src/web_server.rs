//! A server of HTTPS that answers as a test tells it: one request for each connection. It stands for issuers of tokens and
//! authorities.

use crate::acceptor::Acceptor;
use crate::tls::Identity;
use rustls::{ServerConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// `GET`, `POST`.
    pub method: String,
    /// With its query.
    pub path: String,
    /// Fields, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The content.
    pub body: String,
}

impl Asked {
    /// The first field of a name in lower case, or nothing.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// What is answered: status, further fields, content.
pub type Told = (u16, Vec<(String, String)>, String);

/// See the module.
#[derive(Debug)]
pub struct WebServer {
    acceptor: Acceptor,
    identity: Arc<Mutex<Option<Identity>>>,
}

impl WebServer {
    /// Answers so. Before [`WebServer::identify`], it closes every connection.
    pub fn start(answer: impl Fn(Asked) -> Told + Send + Sync + 'static) -> WebServer {
        let identity: Arc<Mutex<Option<Identity>>> = Arc::default();
        let inner = identity.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let acceptor = Acceptor::serve(listener, move |_, stream| {
            let identity = inner.lock().unwrap().clone();
            if let Some(identity) = identity {
                // A client that goes away is no failure of the server.
                drop(serve(stream, &identity, &answer));
            }
        });
        WebServer { acceptor: acceptor.unwrap(), identity }
    }

    /// Shows this certificate from now on.
    pub fn identify(&self, identity: &Identity) {
        *self.identity.lock().unwrap() = Some(identity.clone());
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.acceptor.address()
    }

    /// How many have asked.
    pub fn asked(&self) -> usize {
        self.acceptor.accepted()
    }
}

fn serve(stream: TcpStream, identity: &Identity, answer: &impl Fn(Asked) -> Told) -> io::Result<()> {
    let connection = ServerConnection::new(identity.server()).map_err(io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut fields = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = fields.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let (status, more, content) = answer(Asked { method, path, fields, body: String::from_utf8_lossy(&body).into_owned() });
    let more: String = more.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let stream = reader.get_mut();
    write!(stream, "HTTP/1.1 {status} So\r\nContent-Length: {}\r\n{more}\r\n{content}", content.len())?;
    stream.flush()?;
    stream.conn.send_close_notify();
    stream.flush()
}
