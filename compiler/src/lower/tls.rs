//! `tls`: certificates. A chain in the site's folder is read, since it is public; a key never is.

use super::Lowering;
use super::draft::{AcmeDraft, CertificateDraft, Setting, TlsDraft, WebDraft};
use super::file::CHAIN_MAX_OCTETS;
use super::service::EVERY_ADDRESS;
use crate::certificate::{Certificate, read_chain};
use crate::rules::{AUTHORITY_WITHOUT_NAME, CHAIN_HOLDS_KEY, MISPLACED_PROPERTY, NO_CERTIFICATE};
use crate::source::Spanned;
use crate::syntax::View;
use postern_schema::name::Domain;
use postern_schema::site::{Chain, SecretName, TlsVersion, WebUrl};
use std::net::IpAddr;

/// Where authorities ask by http-01 (RFC 8555 8.3).
const HTTP_PORT: u16 = 80;

pub(super) fn lower(lowering: &mut Lowering<'_>) -> TlsDraft {
    let Some(view) = lowering.document.child("tls") else { return TlsDraft::default() };
    let views: Vec<View<'_>> = view.children("certificate").collect();
    TlsDraft {
        span: Some(view.span()),
        certificates: views.iter().filter_map(|view| certificate(view, lowering)).collect(),
        minimum: view
            .child("minimum")
            .and_then(|view| TlsVersion::parse(&view.argument::<String>("version")?.value))
            .unwrap_or_default(),
        acme: view.child("acme").and_then(|view| acme(&view, lowering)),
        self_signed: view.flag("self-signed").filter(|flag| flag.value).map(|flag| flag.span),
    }
}

fn acme(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<AcmeDraft> {
    let address = view.property::<String>("directory")?;
    let Some(directory) = WebUrl::parse(&address.value) else {
        lowering.findings.push(
            AUTHORITY_WITHOUT_NAME
                .at(address.span, format!("{:?} names no host by its name", address.value))
                .help("Write the https: address that the authority gives for its directory"),
        );
        return None;
    };
    Some(AcmeDraft { span: view.span(), directory, contact: view.property("contact"), http: http(view, lowering) })
}

/// The socket for `http-01`.
fn http(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<WebDraft> {
    let challenge = view.property::<String>("challenge");
    if challenge.as_ref().is_none_or(|challenge| challenge.value != "http-01") {
        for property in ["port", "address"] {
            if let Some(span) = view.property_span(property) {
                let message = format!("`{property}` means nothing here: tls-alpn-01 is answered by the listener `web`");
                lowering.findings.push(MISPLACED_PROPERTY.at(span, message).help("Remove it, or write challenge=\"http-01\""));
            }
        }
        return None;
    }
    let addresses = match view.property::<IpAddr>("address") {
        Some(address) => vec![Setting::new(Some(address), EVERY_ADDRESS[0])],
        None => EVERY_ADDRESS.map(Setting::default_of).to_vec(),
    };
    let name = Spanned::new("acme".into(), view.span());
    Some(WebDraft { span: view.span(), name, addresses, port: Setting::new(view.property::<u16>("port"), HTTP_PORT) })
}

fn certificate(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<CertificateDraft> {
    let name = view.argument::<Domain>("name")?;
    let key = view.property::<SecretName>("key-secret")?;
    let (chain, parsed) = match view.property::<SecretName>("chain-secret") {
        Some(secret) => (secret.map(Chain::Credential), Vec::new()),
        None => chain(view.property::<String>("chain")?, lowering)?,
    };
    Some(CertificateDraft { span: view.span(), name, chain, parsed, key })
}

pub(super) fn chain(path: Spanned<String>, lowering: &mut Lowering<'_>) -> Option<(Spanned<Chain>, Vec<Certificate>)> {
    let text = lowering.read(&path, CHAIN_MAX_OCTETS)?;
    if text.contains("PRIVATE KEY-----") {
        lowering.findings.push(
            CHAIN_HOLDS_KEY
                .at(path.span, format!("{:?} holds a private key beside the certificates", path.value))
                .help("Move the key into the credentials folder and name it with key-secret=; and make a new key, if this file was shared")
                .postfix(&["smtpd_tls_chain_files"]),
        );
        return None;
    }
    match read_chain(&text) {
        Ok(parsed) => Some((path.map(|_| Chain::Pem(text.into())), parsed)),
        Err(error) => {
            lowering.findings.push(
                NO_CERTIFICATE
                    .at(path.span, format!("{:?} holds no chain of certificates: {error}", path.value))
                    .help("Write the path of a PEM file: the host's own certificate first, then those that signed it"),
            );
            None
        }
    }
}
