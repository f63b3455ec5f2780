//! `spf`, `dmarc`, `mta-sts`, `tls-report`, `dane`, `caa`, `autoconfig`, `bimi`: what a domain publishes of itself.

use super::Lowering;
use super::draft::PublicationDraft;
use super::file::CHAIN_MAX_OCTETS;
use crate::certificate::key_digest;
use crate::rules::NO_KEY_TO_PIN;
use crate::source::Spanned;
use crate::syntax::View;
use ipnet::IpNet;
use postern_schema::name::Domain;
use postern_schema::record::{Bimi, CaaIssuer, Certificates, Dmarc, DmarcPolicy, MtaStsMode, ReportUri, SpfAll, TlsReport};
use postern_schema::site::{Autoconfig, LoginName, MtaSts, Pin, PinOf, SpfPolicy};
use std::time::Duration;

/// How long others keep an MTA-STS policy where nothing is said: weeks, as RFC 8461 3.2 expects.
const MAX_AGE: Duration = Duration::from_secs(4 * 7 * 24 * 60 * 60);
/// IMAP and POP3 over TLS (RFC 8314 3.2, 3.1).
const IMAPS_PORT: u16 = 993;
const POP3S_PORT: u16 = 995;
const HTTPS_PORT: u16 = 443;

/// The blocks of one `domain` node.
pub(super) fn publication(view: &View<'_>, lowering: &mut Lowering<'_>) -> PublicationDraft {
    let spanned = |name: &str| view.child(name);
    PublicationDraft {
        spf: spanned("spf").map(|view| Spanned::new(spf(&view), view.span())),
        dmarc: spanned("dmarc").and_then(|view| Some(Spanned::new(dmarc(&view)?, view.span()))),
        mta_sts: spanned("mta-sts").and_then(|view| Some(Spanned::new(mta_sts(&view)?, view.span()))),
        tls_report: spanned("tls-report").and_then(|view| Some(Spanned::new(tls_report(&view)?, view.span()))),
        dane: switched_on(view, "dane").map(|view| Spanned::new(pins(&view, lowering), view.span())),
        caa: view.children("caa").filter_map(|view| Some(Spanned::new(caa(&view)?, view.span()))).collect(),
        autoconfig: switched_on(view, "autoconfig").map(|view| Spanned::new(autoconfig(&view), view.span())),
        wildcard: view.flag("wildcard").is_some_and(|flag| flag.value),
        bimi: spanned("bimi").and_then(|view| Some(Spanned::new(bimi(&view)?, view.span()))),
    }
}

/// A block that is on by being there, unless it says `#false`.
fn switched_on<'a>(view: &View<'a>, name: &str) -> Option<View<'a>> {
    view.flag(name).filter(|flag| flag.value)?;
    view.child(name)
}

fn spf(view: &View<'_>) -> SpfPolicy {
    let all = view.child("all").and_then(|view| view.argument::<String>("result"));
    SpfPolicy {
        addresses: view.children("address").flat_map(|view| view.arguments::<IpNet>("networks")).map(|net| net.value).collect(),
        includes: view.children("include").filter_map(|view| view.argument::<Domain>("domain")).map(|name| name.value).collect(),
        all: all.and_then(|all| SpfAll::parse(&all.value)).unwrap_or(SpfAll::SoftFail),
    }
}

fn dmarc(view: &View<'_>) -> Option<Dmarc> {
    let policy = |name: &str| view.property::<String>(name).and_then(|word| DmarcPolicy::parse(&word.value));
    Some(Dmarc {
        policy: policy("policy")?,
        subdomains: policy("subdomains"),
        nonexistent: policy("nonexistent"),
        testing: view.property::<bool>("testing").is_some_and(|testing| testing.value),
        organization: view.property::<bool>("organization").is_some_and(|on| on.value),
        reports: view.property::<ReportUri>("reports").map(|uri| uri.value).into_iter().collect(),
    })
}

fn mta_sts(view: &View<'_>) -> Option<MtaSts> {
    Some(MtaSts {
        mode: MtaStsMode::parse(&view.property::<String>("mode")?.value)?,
        max_age: view.property::<Duration>("max-age").map_or(MAX_AGE, |age| age.value),
        web_host: view.property::<Domain>("web-host").map(|host| host.value),
    })
}

fn tls_report(view: &View<'_>) -> Option<TlsReport> {
    let reports: Vec<ReportUri> = view.arguments::<ReportUri>("addresses").into_iter().map(|uri| uri.value).collect();
    (!reports.is_empty()).then_some(TlsReport { reports })
}

fn pins(view: &View<'_>, lowering: &mut Lowering<'_>) -> Vec<Spanned<Pin>> {
    let mut found = Vec::new();
    for (name, of) in [("key", PinOf::Host), ("authority", PinOf::Authority)] {
        for view in view.children(name) {
            found.extend(pin(&view, lowering).map(|sha256| Spanned::new(Pin { of, sha256 }, view.span())));
        }
    }
    found
}

fn pin(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<[u8; 32]> {
    if let Some(path) = view.property::<String>("file") {
        let text = lowering.read(&path, CHAIN_MAX_OCTETS)?;
        let finding = match key_digest(&text) {
            Ok(digest) => return Some(digest),
            Err(error) => NO_KEY_TO_PIN.at(path.span, format!("{:?} holds no key to announce: {error}", path.value)),
        };
        lowering.findings.push(finding.help("Write the path of a certificate or a public key in PEM"));
        return None;
    }
    let text = view.property::<String>("sha256")?;
    let digest = octets(&text.value);
    if digest.is_none() {
        lowering.findings.push(
            NO_KEY_TO_PIN
                .at(text.span, format!("{:?} is no SHA-256: 64 hexadecimal digits", text.value))
                .help("Write file= and the path of the certificate, and it is computed"),
        );
    }
    digest
}

fn octets(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut octets = [0; 32];
    for (octet, pair) in octets.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(octets)
}

fn caa(view: &View<'_>) -> Option<CaaIssuer> {
    Some(CaaIssuer {
        issuer: view.property::<Domain>("issuer")?.value,
        certificates: view
            .property::<String>("certificates")
            .and_then(|word| Certificates::parse(&word.value))
            .unwrap_or_default(),
        account: view.property::<String>("account").map(|account| account.value.into()),
        method: view.property::<String>("method").map(|method| method.value.into()),
        wildcards: view.property::<bool>("wildcards").is_some_and(|wildcards| wildcards.value),
        persist: view.property::<bool>("persist").is_some_and(|persist| persist.value),
        reports: view.property::<ReportUri>("reports").map(|uri| uri.value),
    })
}

fn autoconfig(view: &View<'_>) -> Autoconfig {
    let server = |name: &str, default: u16| {
        let view = view.child(name)?;
        let port = view.property::<u16>("port").map_or(default, |port| port.value);
        Some((view.argument::<Domain>("host")?.value, port))
    };
    Autoconfig {
        web_host: view.property::<Domain>("web-host").map(|host| host.value),
        login: view.property::<String>("login").and_then(|word| LoginName::parse(&word.value)).unwrap_or_default(),
        imap: server("imap", IMAPS_PORT),
        pop3: server("pop3", POP3S_PORT),
        jmap: server("jmap", HTTPS_PORT),
        caldav: server("caldav", HTTPS_PORT),
        carddav: server("carddav", HTTPS_PORT),
        pacc: view.property::<bool>("pacc").is_some_and(|pacc| pacc.value),
    }
}

fn bimi(view: &View<'_>) -> Option<Bimi> {
    Some(Bimi {
        logo: view.property::<String>("logo")?.value.into(),
        certificate: view.property::<String>("certificate").map(|certificate| certificate.value.into()),
    })
}
