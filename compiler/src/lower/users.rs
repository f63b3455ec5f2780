//! `users`: who may log in. Exactly one of those who can knows the users of a store: a password file, Dovecot, an authority for
//! certificates, a directory, or an issuer of tokens. Its public keys are read here; a secret never is.

use super::draft::{Part, SendAsDraft, UsersDraft};
use super::file::PUBLIC_KEY_MAX_OCTETS;
use super::service::boxed;
use super::{Lowering, tls};
use crate::rules::{BACKEND_OF_USERS, DIRECTORY_IN_THE_CLEAR, DN_WITHOUT_USER, NO_TOKEN_KEYS, UNASKABLE_ISSUER, WEAK_TOKEN_KEY};
use crate::source::Spanned;
use crate::syntax::View;
use crate::token_keys::{self, TokenKeysError};
use postern_schema::name::{HostName, Mailbox};
use postern_schema::site::{
    Chain, Directory, DirectorySecurity, Endpoint, SecretName, TokenIssuer, TokenKey, TokenProof, UserBackend, WebUrl,
};
use std::net::IpAddr;

/// The claim that names the user where the site names none.
const USER_CLAIM: &str = "email";
/// The ports of `ldap:` and `ldaps:` (RFC 4516 2).
const LDAP_PORT: u16 = 389;
const LDAPS_PORT: u16 = 636;

pub(super) fn users(lowering: &mut Lowering<'_>) -> Vec<UsersDraft> {
    let views: Vec<View<'_>> = lowering.document.children("users").collect();
    let store = |view: View<'_>| {
        let name = view.argument::<String>("name").filter(|name| lowering.users.is_first(name))?;
        let backend = backend(&view, &name.value, lowering)?;
        let send_as = view.children("may-send-as").filter_map(|view| send_as(&view)).collect();
        let limit = |what| view.child("limit").and_then(|limit| limit.property(what));
        let (messages, new_recipients) = (limit("messages"), limit("new-recipients"));
        Some(UsersDraft { span: view.span(), name: boxed(name), backend, send_as, messages, new_recipients })
    };
    views.into_iter().filter_map(store).collect()
}

fn send_as(view: &View<'_>) -> Option<SendAsDraft> {
    let user = boxed(view.argument::<String>("user")?);
    Some(SendAsDraft { span: view.span(), user, mailboxes: view.arguments::<Mailbox>("addresses") })
}

fn backend(view: &View<'_>, name: &str, lowering: &mut Lowering<'_>) -> Option<Spanned<UserBackend>> {
    let wrong = |span, what: &str| {
        BACKEND_OF_USERS
            .at(span, format!("The users of {name:?} {what}"))
            .help("Write one of `passwd`, `dovecot`, `ldap-bind`, `oauth` and `client-certificate`; a second store is a second `users`")
            .postfix(&["smtpd_sasl_type", "smtpd_sasl_path", "smtpd_tls_CAfile"])
    };
    let known = ["passwd", "dovecot", "client-certificate", "ldap-bind", "oauth"];
    let mut said = known.into_iter().filter_map(|backend| view.child(backend));
    let Some(backend) = said.next() else {
        // What could not be read may have been it.
        if !lowering.gaps.holds(Part::Users) {
            lowering.findings.push(wrong(view.span(), "have no passwords anywhere"));
        }
        return None;
    };
    if let Some(second) = said.next() {
        lowering.findings.push(wrong(second.span(), "have two places for their passwords"));
        return None;
    }
    match backend.name() {
        "passwd" => backend.property::<SecretName>("secret").map(|secret| secret.map(UserBackend::Passwd)),
        "dovecot" => {
            let socket = backend.argument::<Endpoint>("socket")?;
            if let Endpoint::Unix(path) = socket.value {
                return Some(Spanned::new(UserBackend::Dovecot(path), socket.span));
            }
            // Passwords pass over it, and the protocol protects nothing.
            lowering.findings.push(wrong(socket.span, "are asked for over a network, in the clear"));
            None
        }
        "ldap-bind" => directory(&backend, lowering),
        "oauth" => tokens(&backend, lowering),
        _ => {
            let path = backend.property::<String>("authority")?;
            let (chain, _) = tls::chain(path, lowering)?;
            let Chain::Pem(pem) = chain.value else { return None };
            Some(Spanned::new(UserBackend::Certificate(pem), chain.span))
        }
    }
}

fn directory(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<Spanned<UserBackend>> {
    let server = view.argument::<String>("server")?;
    let dn = boxed(view.property::<String>("dn")?);
    let wants_start_tls = view.property::<bool>("starttls").is_some_and(|starttls| starttls.value);
    let unsafe_server = |what: String| {
        DIRECTORY_IN_THE_CLEAR.at(server.span, what).help("Write \"ldaps://HOST\", or \"ldap://HOST\" with starttls=#true")
    };
    let Some((is_tls, host, port)) = place(&server.value) else {
        lowering.findings.push(unsafe_server(format!("{:?} is no server of a directory", server.value)));
        return None;
    };
    let is_here = matches!(&host, HostName::Literal(address) if address.is_loopback());
    let security = match (is_tls, wants_start_tls) {
        (true, false) => DirectorySecurity::Tls,
        (false, true) => DirectorySecurity::StartTls,
        (false, false) if is_here => DirectorySecurity::None,
        (false, false) => {
            lowering.findings.push(unsafe_server("Passwords would go to the directory in the clear".to_owned()));
            return None;
        }
        (true, true) => {
            let what = "TLS is there from the first octet, so StartTLS has nothing to begin".to_owned();
            lowering.findings.push(unsafe_server(what).help("Remove starttls=#true"));
            return None;
        }
    };
    if dn.value.matches(Directory::USER).count() != 1 || !dn.value.contains('=') {
        lowering.findings.push(
            DN_WITHOUT_USER
                .at(dn.span, format!("{:?} is not the name of one user", dn.value))
                .help("Write the name of a user with {user} in its place, as in \"uid={user},ou=people,dc=example,dc=com\""),
        );
        return None;
    }
    let directory = Directory { host, port, security, dn: dn.value };
    Some(Spanned::new(UserBackend::Directory(directory), server.span))
}

/// Whether TLS is there from the first octet, the host, and the port of `ldap[s]://host[:port][/]`.
fn place(text: &str) -> Option<(bool, HostName, u16)> {
    let (scheme, rest) = text.split_once("://")?;
    let (is_tls, usual) = match scheme {
        "ldaps" => (true, LDAPS_PORT),
        "ldap" => (false, LDAP_PORT),
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => {
            (host, port.parse().ok().filter(|port| *port != 0)?)
        }
        _ => (rest, usual),
    };
    let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let host = match literal.parse::<IpAddr>() {
        Ok(address) => HostName::Literal(address),
        Err(_) => HostName::parse(host).ok()?,
    };
    Some((is_tls, host, port))
}

fn tokens(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<Spanned<UserBackend>> {
    let (issuer, audience) = (boxed(view.property::<String>("issuer")?), boxed(view.property::<String>("audience")?));
    let claim = view.property::<String>("user").map_or_else(|| USER_CLAIM.into(), |claim| boxed(claim).value);
    let proof = match view.property::<String>("jwks") {
        Some(path) => TokenProof::Keys(keys(&path, lowering)?),
        None => introspection(view, lowering)?,
    };
    let tokens = TokenIssuer { issuer: issuer.value, audience: audience.value, claim, proof };
    Some(Spanned::new(UserBackend::Tokens(tokens), issuer.span))
}

fn keys(path: &Spanned<String>, lowering: &mut Lowering<'_>) -> Option<Vec<TokenKey>> {
    let text = lowering.read(path, PUBLIC_KEY_MAX_OCTETS * 4)?;
    let finding = match token_keys::read(&text) {
        Ok(keys) => return Some(keys),
        Err(TokenKeysError::Weak { id, bits }) => WEAK_TOKEN_KEY
            .at(path.span, format!("{:?} holds a key of {bits} bits{id}, which can be broken", path.value))
            .help("Ask the issuer for keys of 2048 bits, or of the curve P-256; and take the new file"),
        Err(error) => NO_TOKEN_KEYS
            .at(path.span, format!("{:?} holds no keys that tokens can be checked by: {error}", path.value))
            .help("Save what the issuer shows at its `jwks_uri` there"),
    };
    lowering.findings.push(finding);
    None
}

fn introspection(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<TokenProof> {
    let address = view.property::<String>("introspection")?;
    let Some(url) = WebUrl::parse(&address.value) else {
        lowering.findings.push(
            UNASKABLE_ISSUER
                .at(address.span, format!("{:?} names no host by its name", address.value))
                .help("Write an https: address with the name that the host's certificate is for"),
        );
        return None;
    };
    let is_missing = |property| view.property_span(property).is_none();
    if let Some(missing) = ["client", "secret"].into_iter().find(|property| is_missing(property)) {
        lowering.findings.push(
            UNASKABLE_ISSUER
                .at(address.span, format!("The issuer answers nobody whom it does not know, and `{missing}=` is not there"))
                .help("Write client= and secret=: the name that the issuer has for this host, and the credential that shows it"),
        );
        return None;
    }
    let (client, secret) = (view.property::<String>("client")?, view.property::<SecretName>("secret")?);
    Some(TokenProof::Introspection { url, client: boxed(client).value, secret: secret.value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_host_and_a_port_rfc_4516_2() {
        let said = |text: &str| place(text).map(|(is_tls, host, port)| format!("{is_tls} {host} {port}"));
        assert_eq!(said("ldaps://dir.example").as_deref(), Some("true dir.example 636"));
        assert_eq!(said("ldap://dir.example:3389/").as_deref(), Some("false dir.example 3389"));
        assert_eq!(said("ldap://127.0.0.1").as_deref(), Some("false [127.0.0.1] 389"));
        assert_eq!(said("ldap://[::1]:3389").as_deref(), Some("false [IPv6:::1] 3389"));
        for wrong in
            ["https://a.example", "ldap://", "ldap://a.example/dc=x", "ldap://a.example:x", "ldap://a.example:0", "a.example"]
        {
            assert_eq!(said(wrong), None, "{wrong}");
        }
    }
}
