//! One HTTP/1 request as far as it matters here (RFC 9112): the method, the host and the path. Bodies are not looked at.

use postern_schema::name::Domain;

/// The most fields of a request.
const FIELD_LIMIT: usize = 64;

/// A request that can be answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Whether its method is one that has an answer: GET or HEAD.
    pub is_reading: bool,
    /// Whether no more than the head of the answer is wanted.
    pub is_head: bool,
    /// Whom it is put to; `None` where that is no domain.
    pub host: Option<Domain>,
    /// The path without a query.
    pub path: String,
}

/// What is no HTTP/1 request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// Not by the grammar, or without the one `Host` that it must have.
    NoRequest,
    /// Longer than is read.
    TooLong,
}

/// Reads a request; `None` while its end is not there.
///
/// # Errors
/// [`Malformed`], as soon as that is sure.
pub fn parse(octets: &[u8]) -> Result<Option<Request>, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; FIELD_LIMIT];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(octets) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Malformed::TooLong),
        Err(_) => return Err(Malformed::NoRequest),
    }
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(Malformed::NoRequest);
    };
    let mut hosts = parsed.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host")).map(|field| field.value);
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => std::str::from_utf8(host).map_err(|_| Malformed::NoRequest)?,
        (None, None) if minor == 0 => "",
        // RFC 9112 3.2: none, or more than one.
        _ => return Err(Malformed::NoRequest),
    };
    // RFC 9112 3.2.2: a target with a host of its own overrides the field.
    let (host, target) = match target.strip_prefix("https://") {
        Some(rest) => rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash)),
        None => (host, target),
    };
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    Ok(Some(Request {
        is_reading: matches!(method, "GET" | "HEAD"),
        is_head: method == "HEAD",
        host: domain(host),
        path: path.to_owned(),
    }))
}

/// The name without a port.
fn domain(host: &str) -> Option<Domain> {
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|octet| octet.is_ascii_digit())).map_or(host, |(name, _)| name);
    Domain::parse(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(text: &str) -> String {
        match parse(text.as_bytes()) {
            Ok(None) => "more".to_owned(),
            Ok(Some(Request { is_reading, is_head, host, path })) => {
                let host = host.map(|host| host.to_string()).unwrap_or_default();
                format!("{is_reading} {is_head} {host} {path}")
            }
            Err(malformed) => format!("{malformed:?}"),
        }
    }

    #[test]
    fn method_host_and_path_are_read_and_nothing_else() {
        assert_eq!(asked("GET /a?b=c HTTP/1.1\r\nHost: A.example:443\r\nX: y\r\n\r\n"), "true false a.example /a");
        assert_eq!(asked("HEAD / HTTP/1.1\r\nhost: a.example.\r\n\r\n"), "true true a.example /");
        assert_eq!(asked("GET https://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n"), "true false b.example /x");
        assert_eq!(asked("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\n\r\nx"), "false false a.example /");
        assert_eq!(asked("GET / HTTP/1.0\r\n\r\n"), "true false  /");
        assert_eq!(asked("GET / HTTP/1.1\r\nHost: a.example\r\n"), "more");
        assert_eq!(asked(""), "more");
    }

    #[test]
    fn what_is_no_request_is_said_to_be_none() {
        assert_eq!(asked("GET / HTTP/1.1\r\n\r\n"), "NoRequest");
        assert_eq!(asked("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "NoRequest");
        assert_eq!(asked("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), "NoRequest");
        assert_eq!(asked("GET / HTTP/2.0\r\n\r\n"), "NoRequest");
        assert_eq!(asked("EHLO mail.example.com\r\n"), "NoRequest");
        assert_eq!(asked(&format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(65))), "TooLong");
    }

    proptest! {
        #[test]
        fn any_octets_are_taken_without_harm(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&octets);
        }
    }
}
