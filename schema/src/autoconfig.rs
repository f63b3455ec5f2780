//! The settings of mail programs in the form that Thunderbird and its kin fetch (`config-v1.1.xml`, draft-ietf-mailmaint-autoconfig),
//! and in that of PACC: the compiler writes the file for a web server of others, the daemon serves it. Only what needs TLS is offered.

use crate::name::Domain;
use crate::site::{Autoconfig, ListenerKind, LoginName, Site};
use std::fmt::Write;

/// Where the file is, below the domain itself and below `autoconfig.` and the domain.
pub const PATH: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
/// Where programs look for it below `autoconfig.` and the domain; older than `/.well-known/`.
pub const OLD_PATH: &str = "/mail/config-v1.1.xml";

/// The file of a domain.
pub fn document(site: &Site, domain: &Domain, autoconfig: &Autoconfig) -> String {
    // Host names, ports and constants: nothing here needs escaping. Writing to a string does not fail.
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n  <emailProvider id=\"{domain}\">\n    \
         <domain>{domain}</domain>\n    <displayName>{domain}</displayName>\n    <displayShortName>{domain}</displayShortName>\n"
    );
    let mut server = |element: &str, protocol: &str, host: &Domain, port: u16, socket: &str| {
        let username = match autoconfig.login {
            LoginName::LocalPart => "%EMAILLOCALPART%",
            LoginName::Address => "%EMAILADDRESS%",
        };
        let _ = write!(
            text,
            "    <{element} type=\"{protocol}\">\n      <hostname>{host}</hostname>\n      <port>{port}</port>\n      \
             <socketType>{socket}</socketType>\n      <authentication>password-cleartext</authentication>\n      \
             <username>{username}</username>\n    </{element}>\n"
        );
    };
    for (protocol, place) in [("imap", &autoconfig.imap), ("pop3", &autoconfig.pop3)] {
        if let Some((host, port)) = place {
            server("incomingServer", protocol, host, *port, "SSL");
        }
    }
    // The first is the one that a program takes (RFC 8314 3.3).
    for (kind, socket) in [(ListenerKind::Submissions, "SSL"), (ListenerKind::Submission, "STARTTLS")] {
        if let Some(listener) = site.public_listener(kind) {
            server("outgoingServer", "smtp", &site.hostname, listener.port, socket);
        }
    }
    text + "  </emailProvider>\n</clientConfig>\n"
}

/// Where the file of PACC is, below `ua-auto-config.` and the domain (draft-ietf-mailmaint-pacc).
pub const PACC_PATH: &str = "/.well-known/user-agent-configuration.json";

/// The file of PACC for a domain. It knows no ports: what is at another than the usual one is left out.
pub fn pacc_document(site: &Site, domain: &Domain, autoconfig: &Autoconfig) -> String {
    let submission = site.public_listener(ListenerKind::Submissions).map(|listener| (site.hostname.clone(), listener.port));
    let by_host = [("imap", &autoconfig.imap, 993), ("pop3", &autoconfig.pop3, 995), ("smtp", &submission, 465)];
    let by_host = by_host.into_iter().filter_map(|(protocol, place, usual)| {
        let (host, _) = place.as_ref().filter(|(_, port)| *port == usual)?;
        Some(format!("\"{protocol}\":{{\"host\":\"{host}\"}}"))
    });
    let by_url = [("jmap", &autoconfig.jmap), ("caldav", &autoconfig.caldav), ("carddav", &autoconfig.carddav)];
    let by_url = by_url.into_iter().filter_map(|(protocol, place)| {
        let (host, port) = place.as_ref()?;
        let port = if *port == 443 { String::new() } else { format!(":{port}") };
        Some(format!("\"{protocol}\":{{\"url\":\"https://{host}{port}/.well-known/{protocol}\"}}"))
    });
    let protocols: Vec<String> = by_host.chain(by_url).collect();
    format!(
        "{{\"protocols\":{{{}}},\"authentication\":{{\"password\":true}},\"info\":{{\"provider\":{{\"name\":\"{domain}\"}}}}}}\n",
        protocols.join(",")
    )
}
