//! A client of HTTPS for the few things that a mail server asks of the web: one request, one connection, and an answer that is
//! bounded in size and time (RFC 9112). No redirect is followed and nothing is kept.

use crate::dns::{Dns, Found};
use postern_schema::name::Domain;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The most that the header of an answer holds.
const HEAD_OCTETS: usize = 16 << 10;
/// The most fields that it has.
const FIELDS_MAX: usize = 64;
/// How long one address may take to answer at all.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// One request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The host, whose certificate must be for this name.
    pub host: &'a Domain,
    /// Its port.
    pub port: u16,
    /// What is asked for; begins with `/`.
    pub path: &'a str,
    /// Who asks: the content of `Authorization`.
    pub authorization: Option<&'a str>,
    /// What is sent, with its media type; `None`: a GET.
    pub body: Option<(&'a str, &'a [u8])>,
    /// The most octets that the answer's content may have.
    pub limit_octets: usize,
    /// How long all of it may take.
    pub patience: Duration,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// 200 and the like.
    pub status: u16,
    /// Its fields, names in lower case.
    pub fields: Vec<(String, String)>,
    /// Its content.
    pub body: Vec<u8>,
}

impl Response {
    /// The first field of a name, which is in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoAnswer(pub String);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoAnswer {}

/// Asks, with this configuration of TLS.
///
/// # Errors
/// [`NoAnswer`] says what went wrong, for people.
pub async fn ask(request: &Request<'_>, tls: Arc<ClientConfig>, dns: &dyn Dns) -> Result<Response, NoAnswer> {
    let host = request.host;
    let asked = async {
        let addresses = match dns.addresses(host).await {
            Found::Records(addresses) => addresses,
            Found::None | Found::Nonexistent => return Err(NoAnswer(format!("{host} has no address"))),
            Found::Bogus => return Err(NoAnswer(format!("DNSSEC validation failed for {host}"))),
            Found::Failed(why) => return Err(NoAnswer(why)),
        };
        let mut last = NoAnswer(format!("{host} has no address"));
        for address in addresses {
            match exchange(request, SocketAddr::new(address, request.port), tls.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    match tokio::time::timeout(request.patience, asked).await {
        Ok(result) => result,
        Err(_) => Err(NoAnswer(format!("{host} gave no answer within {} s", request.patience.as_secs()))),
    }
}

async fn exchange(request: &Request<'_>, address: SocketAddr, tls: Arc<ClientConfig>) -> Result<Response, NoAnswer> {
    let failed = |error: &dyn fmt::Display| NoAnswer(format!("{} at {address}: {error}", request.host));
    let name = ServerName::try_from(request.host.as_str().to_owned()).map_err(|error| failed(&error))?;
    let connecting = tokio::time::timeout(CONNECT_PATIENCE, TcpStream::connect(address));
    let stream = connecting.await.map_err(|_| failed(&"no answer"))?.map_err(|error| failed(&error))?;
    let mut stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|error| failed(&error))?;
    stream.write_all(&written(request)).await.map_err(|error| failed(&error))?;
    let limit = HEAD_OCTETS + 2 * request.limit_octets;
    let mut answer = Vec::new();
    loop {
        if let Some(response) = read(&answer, false, request.limit_octets)? {
            return Ok(response);
        }
        if answer.len() > limit {
            return Err(failed(&"the answer is too long"));
        }
        match stream.read_buf(&mut answer).await {
            // Many servers close without the farewell of TLS; an answer that says its length is whole all the same.
            Ok(0) => break,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Ok(_) => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    read(&answer, true, request.limit_octets)?.ok_or_else(|| failed(&"the answer is cut off"))
}

fn written(request: &Request<'_>) -> Vec<u8> {
    let Request { path, .. } = request;
    let host = match request.port {
        443 => request.host.to_string(),
        port => format!("{}:{port}", request.host),
    };
    let method = if request.body.is_some() { "POST" } else { "GET" };
    let mut out =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Postern\r\nConnection: close\r\n").into_bytes();
    if let Some(authorization) = request.authorization {
        out.extend_from_slice(format!("Authorization: {authorization}\r\n").as_bytes());
    }
    if let Some((kind, body)) = request.body {
        out.extend_from_slice(format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(request.body.map_or(&[], |(_, body)| body));
    out
}

/// Reads an answer, if it is whole; `ended`: nothing more will come.
fn read(octets: &[u8], ended: bool, limit_octets: usize) -> Result<Option<Response>, NoAnswer> {
    let malformed = |what: &dyn fmt::Display| NoAnswer(format!("the answer is no HTTP: {what}"));
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Response::new(&mut fields);
    let begins_at = match head.parse(octets).map_err(|error| malformed(&error))? {
        httparse::Status::Complete(at) => at,
        httparse::Status::Partial if octets.len() > HEAD_OCTETS => return Err(malformed(&"its header is too long")),
        httparse::Status::Partial => return Ok(None),
    };
    let field =
        |field: &httparse::Header<'_>| (field.name.to_ascii_lowercase(), String::from_utf8_lossy(field.value).trim().to_owned());
    let mut response =
        Response { status: head.code.unwrap_or(0), fields: head.headers.iter().map(field).collect(), body: Vec::new() };
    let content = &octets[begins_at..];
    let is_chunked = response.field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let length = response.field("content-length").map(|length| length.parse::<usize>());
    let body = match length {
        _ if is_chunked => unchunked(content, limit_octets)?,
        Some(Err(error)) => return Err(malformed(&error)),
        Some(Ok(length)) if length > limit_octets => return Err(NoAnswer(format!("the answer has {length} octets"))),
        Some(Ok(length)) => content.get(..length).map(<[u8]>::to_vec),
        None if content.len() > limit_octets => return Err(NoAnswer(format!("the answer has more than {limit_octets} octets"))),
        None => ended.then(|| content.to_vec()),
    };
    Ok(body.map(|body| {
        response.body = body;
        response
    }))
}

/// RFC 9112 7.1: the pieces of a content, if the last one is there.
fn unchunked(mut content: &[u8], limit_octets: usize) -> Result<Option<Vec<u8>>, NoAnswer> {
    let malformed = || NoAnswer("the answer is no HTTP: a chunk is malformed".to_owned());
    let mut body = Vec::new();
    loop {
        let (begins_at, length) = match httparse::parse_chunk_size(content).map_err(|_| malformed())? {
            httparse::Status::Partial => return Ok(None),
            httparse::Status::Complete(found) => found,
        };
        if length == 0 {
            return Ok(Some(body));
        }
        let length = usize::try_from(length).ok().filter(|length| body.len().saturating_add(*length) <= limit_octets);
        let length = length.ok_or_else(|| NoAnswer(format!("the answer has more than {limit_octets} octets")))?;
        let Some(piece) = content.get(begins_at..begins_at + length) else { return Ok(None) };
        body.extend_from_slice(piece);
        match content.get(begins_at + length..begins_at + length + 2) {
            None => return Ok(None),
            Some(b"\r\n") => content = &content[begins_at + length + 2..],
            Some(_) => return Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<Option<Response>, NoAnswer> {
        // However the answer is cut, it is whole at its end and not before.
        for cut in 0..text.len() {
            if let Ok(Some(early)) = read(&text.as_bytes()[..cut], false, 64) {
                assert_eq!(read(text.as_bytes(), true, 64), Ok(Some(early)), "{text:?} cut at {cut}");
            }
        }
        read(text.as_bytes(), true, 64)
    }

    #[test]
    fn a_content_by_its_length_by_chunks_and_by_its_end_rfc_9112_6_3() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\nX: y\r\n\r\nhello",
        ] {
            let response = whole(text).unwrap().unwrap();
            assert_eq!((response.status, response.body.as_slice()), (200, b"hello".as_slice()), "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_or_no_http_is_refused() {
        for text in [
            "220 mx.test ESMTP\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n",
        ] {
            assert!(whole(text).is_err(), "{text:?}");
        }
        let long = format!("HTTP/1.0 200 OK\r\n\r\n{}", "x".repeat(65));
        assert!(whole(&long).is_err());
        assert_eq!(whole("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"), Ok(None));
    }
}
