//! [`WebUrl`]: where something is asked for over HTTPS (RFC 9110 4.2.2). Without user, password and fragment, and with a host that
//! has a name, since its certificate has to be for it.

use crate::name::Domain;
use std::fmt;

/// An `https:` address whose host is a domain name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WebUrl {
    /// The host.
    pub host: Domain,
    /// The TCP port.
    pub port: u16,
    /// Path and query; begins with `/`.
    pub path: Box<str>,
}

impl WebUrl {
    /// The port of an address that names none.
    const PORT: u16 = 443;

    /// Reads `https://host[:port][/path]`; `None` for everything else.
    pub fn parse(text: &str) -> Option<WebUrl> {
        let rest = text.strip_prefix("https://")?;
        if !rest.bytes().all(|octet| octet.is_ascii_graphic()) || rest.contains('#') {
            return None;
        }
        let (place, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => (host, port.parse().ok()?),
            Some(_) => return None,
            None => (place, WebUrl::PORT),
        };
        let path = if path.starts_with('/') { path.into() } else { format!("/{path}").into() };
        Some(WebUrl { host: Domain::parse(host).ok()?, port, path })
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WebUrl { host, port, path } = self;
        match *port {
            WebUrl::PORT => write!(f, "https://{host}{path}"),
            port => write!(f, "https://{host}:{port}{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_and_read_again() {
        for (text, written) in [
            ("https://id.example", "https://id.example/"),
            ("https://ID.example:443/a?b=c", "https://id.example/a?b=c"),
            ("https://id.example:8443/a", "https://id.example:8443/a"),
            ("https://id.example?x", "https://id.example/?x"),
        ] {
            let url = WebUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), written);
            assert_eq!(WebUrl::parse(written), Some(url));
        }
        for wrong in
            ["http://id.example/", "https://", "https://u@id.example/", "https://id.example/#a", "https://a:b/", "https://a b/"]
        {
            assert_eq!(WebUrl::parse(wrong), None, "{wrong}");
        }
    }
}
