//! A connection with or without TLS around it, whichever side began it, or one that never leaves the host.

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, ServerConfig};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// Plain TCP, TLS over it, or a Unix socket.
pub enum Stream {
    /// As it came.
    Plain(TcpStream),
    /// After a handshake.
    Tls(Box<TlsStream<TcpStream>>),
    /// To a service of this host, which needs no TLS.
    Local(UnixStream),
}

impl Stream {
    /// Does the server's part of a handshake.
    ///
    /// # Errors
    /// What the peer or the network did wrong, or that TLS is on already or has no place here.
    pub async fn accept_tls(self, config: Arc<ServerConfig>) -> io::Result<Stream> {
        match self {
            Stream::Plain(stream) => Ok(Stream::Tls(Box::new(TlsAcceptor::from(config).accept(stream).await?.into()))),
            Stream::Tls(_) | Stream::Local(_) => Err(io::Error::other("TLS is not for this connection")),
        }
    }

    /// Does the client's part of a handshake with the peer of that name.
    ///
    /// # Errors
    /// As for [`Stream::accept_tls`].
    pub async fn connect_tls(self, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Stream> {
        match self {
            Stream::Plain(stream) => Ok(Stream::Tls(Box::new(TlsConnector::from(config).connect(name, stream).await?.into()))),
            Stream::Tls(_) | Stream::Local(_) => Err(io::Error::other("TLS is not for this connection")),
        }
    }

    /// Our own address; `None` where the connection has none.
    pub fn local_ip(&self) -> Option<IpAddr> {
        let stream = match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_ref().0,
            Stream::Local(_) => return None,
        };
        stream.local_addr().ok().map(|address| address.ip())
    }

    /// `TLSv1_3 TLS13_AES_256_GCM_SHA384`, for logs and the Received field; `None` without TLS.
    pub fn protection(&self) -> Option<String> {
        let Stream::Tls(stream) = self else { return None };
        let connection = &stream.get_ref().1;
        Some(format!("{:?} {:?}", connection.protocol_version()?, connection.negotiated_cipher_suite()?.suite()))
    }
}

impl Stream {
    /// The certificates that a client has shown to a server, its own first; it has shown that it holds the key of that one.
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        let Stream::Tls(stream) = self else { return None };
        let TlsStream::Server(stream) = &**stream else { return None };
        stream.get_ref().1.peer_certificates()
    }

    /// Whether TLS is on.
    pub fn is_tls(&self) -> bool {
        matches!(self, Stream::Tls(_))
    }

    /// The host that a client has asked a server for, in its handshake (RFC 6066 3).
    pub fn asked_for(&self) -> Option<&str> {
        let Stream::Tls(stream) = self else { return None };
        let TlsStream::Server(stream) = &**stream else { return None };
        stream.get_ref().1.server_name()
    }

    /// What names the TLS channel of a server to both of its ends and to nobody else (RFC 9266 2); TLS 1.3 alone has it for sure.
    pub fn exporter(&self) -> Option<[u8; 32]> {
        let Stream::Tls(stream) = self else { return None };
        let TlsStream::Server(stream) = &**stream else { return None };
        let connection = stream.get_ref().1;
        if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return None;
        }
        connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok()
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Local(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, octets),
            Stream::Local(stream) => Pin::new(stream).poll_write(context, octets),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Local(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Local(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
