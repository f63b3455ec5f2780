//! TLS015: a CAA record that keeps the own authority from issuing (RFC 8659, RFC 8657).

use crate::lower::draft::{DomainDraft, Part, SiteDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::name::Domain;
use postern_schema::record::{CaaIssuer, Certificates};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule::check(
    "TLS015",
    "caa-forbids-authority",
    Severity::Error,
    &[Part::Tls, Part::Domains, Part::Host],
    check,
    include_str!("caa_forbids.md"),
);

/// By which names in CAA the authority goes whose directory lies in a domain, as each says of itself.
const AUTHORITIES: &[(&str, &[&str])] = &[
    ("letsencrypt.org", &["letsencrypt.org"]),
    ("pki.goog", &["pki.goog"]),
    ("zerossl.com", &["sectigo.com", "zerossl.com", "trust-provider.com", "usertrust.com", "comodoca.com", "comodo.com"]),
    ("sectigo.com", &["sectigo.com", "trust-provider.com", "usertrust.com", "comodoca.com", "comodo.com"]),
    ("ssl.com", &["ssl.com"]),
    ("buypass.com", &["buypass.com", "buypass.no"]),
    ("digicert.com", &["digicert.com", "symantec.com", "geotrust.com", "rapidssl.com", "thawte.com"]),
];

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(acme) = &subject.model.site.tls.acme else { return };
    let is_of = |known: &&(&str, _)| Domain::parse(known.0).is_ok_and(|known| acme.directory.host.is_within(&known));
    // Of an authority of one's own nobody knows what it calls itself.
    let Some((_, names)) = AUTHORITIES.iter().find(is_of) else { return };
    let challenge = if acme.http.is_some() { "http-01" } else { "tls-alpn-01" };
    let mut told = HashSet::new();
    for name in acme.certificates.iter().flatten() {
        let Some(domain) = asked(name, subject.draft) else { continue };
        if !told.insert(&domain.name.value) {
            continue;
        }
        let of_hosts: Vec<_> =
            domain.publication.caa.iter().filter(|caa| caa.value.certificates == Certificates::Hosts).collect();
        let Some(first) = of_hosts.first() else { continue };
        let own: Vec<_> = of_hosts.iter().filter(|caa| names.contains(&caa.value.issuer.as_str())).collect();
        let (span, message, help) = match own.first() {
            None => (
                first.span,
                format!("{} is kept from issuing for {name}: the CAA record names others alone", names[0]),
                format!("Write `caa issuer=\"{}\"` too", names[0]),
            ),
            Some(caa) if !own.iter().any(|caa| allows(&caa.value, challenge)) => (
                caa.span,
                format!("{} may not issue for {name} by {challenge}, and that is how the daemon answers it", names[0]),
                format!("Write method=\"{challenge}\", or remove method="),
            ),
            Some(_) => continue,
        };
        findings.push(RULE.at(span, message).help(help));
    }
}

/// The domain of the site whose CAA records an authority finds for a name: of the nearest above it that has any (RFC 8659 3).
fn asked<'a>(name: &Domain, draft: &'a SiteDraft) -> Option<&'a DomainDraft> {
    let above = std::iter::successors(Some(name.clone()), Domain::parent);
    above.filter_map(|name| draft.domain(&name)).find(|domain| !domain.publication.caa.is_empty())
}

fn allows(caa: &CaaIssuer, challenge: &str) -> bool {
    caa.method.as_ref().is_none_or(|methods| methods.split(',').any(|method| method.trim() == challenge))
}
