//! Names and places: addresses, networks, hosts, mailboxes, endpoints, paths, URLs. The names themselves are read by
//! [`postern_schema::name`]; here stands what people write instead of them, and what to tell them.

use super::{Typed, ValueError, name_error};
use ipnet::IpNet;
use postern_schema::name::{DECLARED_LOCAL_PART_MAX_OCTETS as LIMIT_OCTETS, Domain, HostName, LocalPart, Mailbox, NameError};
use postern_schema::record::ReportUri;
use postern_schema::site::{Codes, CodesError, Endpoint, RoutePattern};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A local part of the domain at hand, or a whole mail address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// Without `@`.
    Local(LocalPart),
    /// With it.
    Mailbox(Mailbox),
}

pub(super) fn ip(text: &str) -> Result<IpAddr, ValueError> {
    text.parse().map_err(|_| {
        let help = match text.split_once('/') {
            Some((address, _)) if address.parse::<IpAddr>().is_ok() => format!("Write \"{address}\": one address, not a network"),
            _ => match bracketed_ip(text) {
                Some(address) => format!("Write \"{address}\""),
                None => "Write an IPv4 or IPv6 address: \"192.0.2.1\", \"2001:db8::1\"".to_owned(),
            },
        };
        ValueError::form(format!("{text:?} is no IP address"), help)
    })
}

/// The address in `[192.0.2.1]`, `[2001:db8::1]`, `[IPv6:2001:db8::1]`.
fn bracketed_ip(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let inner = inner.strip_prefix("IPv6:").unwrap_or(inner);
    inner.parse().ok()
}

pub(super) fn cidr(text: &str) -> Result<IpNet, ValueError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let Ok(network) = text.parse::<IpNet>() else {
        let help = match postfix_cidr(text) {
            Some(network) => format!("Write \"{network}\""),
            None if text.contains('%') => {
                "Leave the zone out: a network is looked up by the address alone (RFC 4007 6)".to_owned()
            }
            None => "Write an address and a prefix length: \"192.0.2.0/24\", \"2001:db8::/48\"".to_owned(),
        };
        return Err(ValueError::form(format!("{text:?} is no network"), help));
    };
    if network.trunc() != network {
        // Postfix refuses it too: one of the two numbers is a slip, and only the author knows which.
        let help = format!("Write \"{}\" for the network, or \"{}\" for the one address", network.trunc(), network.addr());
        return Err(ValueError::form(format!("{text:?} has bits set beyond its prefix"), help));
    }
    Ok(network)
}

/// `[2001:db8::]/32`, as `mynetworks` has it.
fn postfix_cidr(text: &str) -> Option<IpNet> {
    let (address, prefix) = text.strip_prefix('[')?.split_once("]/")?;
    IpNet::new(IpAddr::V6(address.parse::<Ipv6Addr>().ok()?), prefix.parse().ok()?).ok()
}

pub(super) fn domain(text: &str) -> Result<Domain, ValueError> {
    Domain::parse(text).map_err(|error| {
        let bare = text.trim_start_matches(['@', '.']).trim_end_matches('/');
        let bare = bare.rsplit_once('@').map_or(bare, |(_, domain)| domain);
        let bare = bare.split_once("://").map_or(bare, |(_, rest)| rest);
        let help = match Domain::parse(bare) {
            Ok(_) => format!("Write \"{bare}\""),
            Err(_) => "Write a domain name: \"example.com\"".to_owned(),
        };
        ValueError::form(name_error("domain name", text, &error), help)
    })
}

pub(super) fn host(text: &str) -> Result<HostName, ValueError> {
    if let Some(address) = text.parse::<IpAddr>().ok().or_else(|| bracketed_ip(text)) {
        return Ok(HostName::Literal(address));
    }
    HostName::parse(text).map_err(|error| {
        let bare = text.split_once("://").map_or(text, |(_, rest)| rest.trim_end_matches('/'));
        let help = host_and_port(bare).map_or_else(
            || "Write a host name or an IP address: \"mail.example.com\", \"192.0.2.1\"".to_owned(),
            |(host, port)| format!("Write \"{host}\", and port={port} beside it"),
        );
        ValueError::form(name_error("host", text, &error), help)
    })
}

/// The halves of `host:587`, `[host]:587`, `[2001:db8::1]:587`, `192.0.2.1:587`.
pub(in crate::syntax) fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let known = bare.parse::<IpAddr>().is_ok() || Domain::parse(bare).is_ok();
    known.then(|| (bare.to_owned(), port))
}

pub(super) fn endpoint(text: &str) -> Result<Endpoint, ValueError> {
    let wrong = || ValueError::form(format!("{text:?} is no endpoint"), "Write \"inet:host:port\" or \"unix:/path/to/socket\"");
    if let Some(path) = text.strip_prefix("unix:").or_else(|| text.strip_prefix("local:")) {
        return if path.starts_with('/') && path.len() < 108 { Ok(Endpoint::Unix(path.into())) } else { Err(wrong()) };
    }
    let (name, port) =
        host_and_port(text.strip_prefix("inet:").unwrap_or(text)).filter(|(_, port)| *port != 0).ok_or_else(wrong)?;
    let host = host(&name).map_err(|_| wrong())?;
    Ok(Endpoint::Inet { host, port })
}

pub(super) fn socket(text: &str) -> Result<SocketAddr, ValueError> {
    let wrong = || ValueError::form(format!("{text:?} is no address with a port"), "Write \"127.0.0.1:9100\" or \"[::1]:9100\"");
    text.parse().map_err(|_| wrong())
}

pub(super) fn mailbox(text: &str) -> Result<Mailbox, ValueError> {
    Mailbox::parse(text).map_err(|error| {
        let bare = text.trim().trim_start_matches("mailto:").trim_start_matches('<').trim_end_matches('>');
        let bare = bare.rsplit_once('<').map_or(bare, |(_, address)| address);
        let help = match Mailbox::parse(bare) {
            Ok(_) => format!("Write \"{bare}\""),
            Err(_) => "Write a whole mail address: \"alice@example.com\"".to_owned(),
        };
        ValueError::form(name_error("mail address", text, &error), help)
    })
}

pub(super) fn local_part(text: &str) -> Result<LocalPart, ValueError> {
    // An `@` would need quotes in a local part: here it is always a whole address by mistake.
    if let Some((local, _)) = text.rsplit_once('@')
        && !text.starts_with('"')
    {
        let message = format!("{text:?} is a whole address, and only what stands before the @ belongs here");
        return Err(ValueError::form(message, format!("Write {local:?}")));
    }
    let declared = LocalPart::parse(text).and_then(|local| match local.as_str().len() {
        octets if octets > LIMIT_OCTETS => Err(NameError::TooLong { octets, limit_octets: LIMIT_OCTETS }),
        _ => Ok(local),
    });
    declared
        .map_err(|error| ValueError::form(name_error("local part", text, &error), "Write what stands before the @: \"alice\""))
}

pub(super) fn address(text: &str) -> Result<Address, ValueError> {
    if text.contains('@') {
        return mailbox(text).map(Address::Mailbox);
    }
    local_part(text).map(Address::Local)
}

pub(super) fn selection(text: &str) -> Result<RoutePattern, ValueError> {
    if text == "*" {
        return Ok(RoutePattern::Any);
    }
    if let Some(below) = text.strip_prefix("*.").or_else(|| text.strip_prefix("@.")) {
        let message = format!("{text:?} is no set of addresses");
        return Err(ValueError::form(message, format!("Write \".{below}\" for everything below {below}")));
    }
    let (below, name) = match text.strip_prefix('.') {
        Some(name) => (true, name),
        None => (false, text.strip_prefix('@').unwrap_or(text)),
    };
    let help = "Write \"*\" for all, \"example.com\" for a domain, or \".example.com\" for what lies below it";
    match Domain::parse(name) {
        Ok(domain) if below => Ok(RoutePattern::Below(domain)),
        Ok(domain) => Ok(RoutePattern::Domain(domain)),
        Err(_) if name.contains('@') => {
            Err(ValueError::form(format!("{text:?} is one address, and a route is for domains"), help))
        }
        Err(error) => Err(ValueError::form(name_error("set of addresses", text, &error), help)),
    }
}

/// A mail address with `{1}` to `{9}` in it: one that parses when the groups are filled in.
pub(super) fn template(text: &str) -> Result<Typed, ValueError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        let close = rest[open..].find('}').map(|length| open + length);
        match close.map(|close| &rest[open + 1..close]) {
            Some("1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9") => filled.push('x'),
            _ => {
                let message = format!("{text:?} has a brace that is no group");
                return Err(ValueError::form(message, "Write {1} to {9} for the groups of the pattern"));
            }
        }
        rest = &rest[close.map_or(rest.len(), |close| close + 1)..];
    }
    filled.push_str(rest);
    let whole = if filled.contains('@') { Mailbox::parse(&filled).map(drop) } else { LocalPart::parse(&filled).map(drop) };
    match whole {
        Ok(()) => Ok(Typed::Text(text.to_owned())),
        Err(error) => {
            Err(ValueError::form(name_error("mail address", text, &error), "Write an address such as \"sales+{1}@example.com\""))
        }
    }
}

pub(super) fn path_template(text: &str) -> Result<Typed, ValueError> {
    let unknown = text.split('{').skip(1).find(|rest| !rest.starts_with("domain}") && !rest.starts_with("user}"));
    if unknown.is_some() {
        let message = format!("{text:?} has a brace that is neither {{domain}} nor {{user}}");
        return Err(ValueError::form(message, "Write a path such as \"/var/mail/{domain}/{user}\""));
    }
    path(text)
}

pub(super) fn path(text: &str) -> Result<Typed, ValueError> {
    if text.is_empty() || text.contains('\0') {
        return Err(ValueError::form(format!("{text:?} is no path"), "Write the path of a file"));
    }
    Ok(Typed::Text(text.to_owned()))
}

pub(super) fn url(text: &str) -> Result<Typed, ValueError> {
    let scheme = text.split(':').next().unwrap_or_default();
    let rest = text.get(scheme.len() + 1..).unwrap_or_default();
    let fits = match scheme {
        "mailto" => Mailbox::parse(rest.split('?').next().unwrap_or_default()).is_ok(),
        "https" | "http" | "ldap" | "ldaps" => {
            rest.strip_prefix("//").is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty())
        }
        _ => false,
    } && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if fits {
        return Ok(Typed::Text(text.to_owned()));
    }
    let help = match Mailbox::parse(text) {
        Ok(_) => format!("Write \"mailto:{text}\""),
        Err(_) => "Write \"https://example.com/\", or \"mailto:\" and an address".to_owned(),
    };
    Err(ValueError::form(format!("{text:?} is no URL"), help))
}

pub(super) fn report(text: &str) -> Result<ReportUri, ValueError> {
    if let Some((address, limit)) = text.rsplit_once('!')
        && !limit.is_empty()
        && limit.bytes().all(|octet| octet.is_ascii_alphanumeric())
    {
        let message =
            format!("The size limit `!{limit}` is gone from DMARC (RFC 9989): receivers ignore it, or the whole address");
        return Err(ValueError::form(message, format!("Write \"{address}\"")));
    }
    ReportUri::parse(text).ok_or_else(|| {
        let help = match Mailbox::parse(text) {
            Ok(_) => format!("Write \"mailto:{text}\""),
            Err(_) => "Write \"mailto:\" and a mail address, or \"https://\" and a host".to_owned(),
        };
        ValueError::form(format!("{text:?} is nowhere that reports can go"), help)
    })
}

/// As it stands in a list of tags, so without what divides tags.
pub(super) fn web_address(text: &str) -> Result<Typed, ValueError> {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let fits = !rest.is_empty() && !rest.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic() && b != b';' && b != b',');
    let wrong = || ValueError::form(format!("{text:?} is no https: address"), "Write \"https://example.com/logo.svg\"");
    if fits { Ok(Typed::Text(text.to_owned())) } else { Err(wrong()) }
}

pub(super) fn codes(text: &str) -> Result<Codes, ValueError> {
    Codes::parse(text).map_err(|error| {
        let what = match error {
            CodesError::Form => format!("{text:?} is no answer of a list"),
            CodesError::Backwards => format!("A range in {text:?} begins above its end"),
            CodesError::Elsewhere => format!("{text:?} is not in 127.0.0.0/8, and every answer of a list is (RFC 5782 2.1)"),
        };
        ValueError::form(what, "Write \"127.0.0.2\", \"127.0.0.2-11\", or several with blanks between them")
    })
}

pub(super) fn code(text: &str) -> Result<IpAddr, ValueError> {
    let code = text.parse::<Ipv4Addr>().ok().filter(Ipv4Addr::is_loopback);
    let wrong = || ValueError::form(format!("{text:?} is no answer of a list (RFC 5782 2.1)"), "Write \"127.0.0.2\"");
    code.map(IpAddr::V4).ok_or_else(wrong)
}
