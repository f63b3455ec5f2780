//! One SMTP connection, plain or TLS, with blocking reads that time out. Shared by the client and the peer; knows lines and
//! the dot, and no command.

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The longest line that the harness reads, in octets: a peer that never ends a line fails a test instead of filling memory.
const LINE_LIMIT_OCTETS: u64 = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct Wire {
    stream: Option<BufReader<Stream>>,
    is_tls: bool,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Client(stream) => stream.read(buffer),
            Stream::Server(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(octets),
            Stream::Client(stream) => stream.write(octets),
            Stream::Server(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Client(stream) => stream.flush(),
            Stream::Server(stream) => stream.flush(),
        }
    }
}

impl Wire {
    /// Takes a connected socket; every read and write ends in an error after `patience`.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub fn new(stream: TcpStream, patience: Duration) -> io::Result<Wire> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Wire { stream: Some(BufReader::with_capacity(1 << 16, Stream::Plain(stream))), is_tls: false })
    }

    fn stream(&mut self) -> io::Result<&mut BufReader<Stream>> {
        self.stream.as_mut().ok_or_else(|| io::Error::other("the TLS handshake failed before"))
    }

    /// Whether TLS is on.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The other end's address.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub fn peer_address(&self) -> io::Result<SocketAddr> {
        self.socket()?.peer_addr()
    }

    /// The socket below.
    ///
    /// # Errors
    /// After a TLS handshake that failed there is none.
    pub fn socket(&self) -> io::Result<&TcpStream> {
        match self.stream.as_ref().map(BufReader::get_ref) {
            None => Err(io::Error::other("the TLS handshake failed before")),
            Some(Stream::Plain(stream)) => Ok(stream),
            Some(Stream::Client(stream)) => Ok(&stream.sock),
            Some(Stream::Server(stream)) => Ok(&stream.sock),
        }
    }

    /// The client's end of the TLS channel, where there is one.
    pub fn client_tls(&self) -> Option<&ClientConnection> {
        match self.stream.as_ref().map(BufReader::get_ref) {
            Some(Stream::Client(stream)) => Some(&stream.conn),
            _ => None,
        }
    }

    /// One line without its line end, which may be CRLF or LF; `None` once the other end has closed.
    ///
    /// # Errors
    /// A timeout, a broken connection, or a line over the limit.
    pub fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.raw_line(&mut line)?;
        match line.strip_suffix(b"\n") {
            None if line.is_empty() => Ok(None),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended within a line")),
            Some(text) => Ok(Some(String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)).into_owned())),
        }
    }

    fn raw_line(&mut self, line: &mut Vec<u8>) -> io::Result<usize> {
        let octets = match self.stream()?.take(LINE_LIMIT_OCTETS).read_until(b'\n', line) {
            // A TLS peer that closes without a goodbye; SMTP has its own end.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            other => other?,
        };
        if octets as u64 == LINE_LIMIT_OCTETS {
            return Err(io::Error::other("a line is over the limit"));
        }
        Ok(octets)
    }

    /// Reads mail data up to `CRLF . CRLF` and takes the dot-stuffing off (RFC 5321 4.5.2). Only CRLF ends a line here.
    ///
    /// # Errors
    /// As for [`Wire::line`], and an end of the connection before the dot.
    pub fn data(&mut self) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        let mut line = Vec::new();
        loop {
            let after_crlf = data.is_empty() || data.ends_with(b"\r\n");
            line.clear();
            if self.raw_line(&mut line)? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended within mail data"));
            }
            match line.as_slice() {
                b".\r\n" if after_crlf => return Ok(data),
                [b'.', rest @ ..] if after_crlf => data.extend_from_slice(rest),
                rest => data.extend_from_slice(rest),
            }
        }
    }

    /// So many octets as they come, for BDAT (RFC 3030).
    ///
    /// # Errors
    /// A timeout, or the end of the connection before them.
    pub fn octets(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        self.stream()?.take(count as u64).read_to_end(&mut octets)?;
        match octets.len() == count {
            true => Ok(octets),
            false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended within a chunk")),
        }
    }

    /// Sends octets as they are.
    ///
    /// # Errors
    /// A timeout or a broken connection.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let stream = self.stream()?.get_mut();
        stream.write_all(octets)?;
        stream.flush()
    }

    /// Whether input has been read ahead of what was asked for.
    pub fn has_buffered(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| !stream.buffer().is_empty())
    }

    /// Turns TLS on as a client, handshake included.
    ///
    /// # Errors
    /// The handshake's own.
    pub fn start_tls_client(&mut self, config: Arc<ClientConfig>, name: &str) -> io::Result<()> {
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, self.take_plain()?);
        stream.conn.complete_io(&mut stream.sock)?;
        self.set(Stream::Client(Box::new(stream)));
        Ok(())
    }

    /// Turns TLS on as a server, handshake included.
    ///
    /// # Errors
    /// The handshake's own.
    pub fn start_tls_server(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, self.take_plain()?);
        stream.conn.complete_io(&mut stream.sock)?;
        self.set(Stream::Server(Box::new(stream)));
        Ok(())
    }

    fn take_plain(&mut self) -> io::Result<TcpStream> {
        match self.stream.take().map(BufReader::into_inner) {
            Some(Stream::Plain(stream)) => Ok(stream),
            _ => Err(io::Error::other("TLS is on already")),
        }
    }

    fn set(&mut self, stream: Stream) {
        self.stream = Some(BufReader::with_capacity(1 << 16, stream));
        self.is_tls = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// What a peer reads as mail data from these octets.
    fn data_of(octets: &[u8]) -> io::Result<Vec<u8>> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        sender.write_all(octets).unwrap();
        drop(sender);
        Wire::new(listener.accept().unwrap().0, Duration::from_secs(10)).unwrap().data()
    }

    #[test]
    fn only_crlf_dot_crlf_ends_data() {
        assert_eq!(data_of(b".\r\n").unwrap(), b"");
        assert_eq!(data_of(b"..\r\n..a\r\na.\r\n.\r\n").unwrap(), b".\r\n.a\r\na.\r\n");
        assert_eq!(data_of(b"a\n.\r\nb\r\n.\n\r\n.\r\n").unwrap(), b"a\n.\r\nb\r\n\n\r\n");
        assert!(data_of(b"a\n.\r\n").is_err());
    }
}
