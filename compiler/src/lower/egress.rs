//! `transport`, `relay`, `route`: how mail goes on.

use super::Lowering;
use super::draft::{LoginDraft, ReceiverDraft, RelayDraft, RouteDraft, Setting, TransportDraft};
use super::route_table;
use super::service::boxed;
use crate::report::Diagnostic;
use crate::rules::DUPLICATE_NAME;
use crate::source::Spanned;
use crate::syntax::View;
use postern_schema::name::{Domain, HostName};
use postern_schema::site::{Endpoint, RoutePattern, SecretName, TlsLevel, TransportKind, Via};

/// The transport that is there without being declared.
pub(super) const STORE: &str = "store";
/// Where it puts mail, in the state folder.
const STORE_PATH: &str = "mail/{domain}/{user}";
/// The port of mail between hosts (RFC 5321 4.5.4.2).
const SMTP_PORT: u16 = 25;
/// Who runs a program that no user is named for.
const PIPE_USER: &str = "nobody";

pub(super) fn transports(lowering: &mut Lowering<'_>) -> Vec<TransportDraft> {
    let transport = |view: View<'_>| {
        let name = view.argument::<String>("name").filter(|name| lowering.transports.is_first(name))?;
        let kind = transport_kind(&view)?;
        Some(TransportDraft { span: Some(view.span()), name: Setting::new(Some(boxed(name)), Box::default()), kind })
    };
    let mut found: Vec<TransportDraft> = lowering.document.children("transport").filter_map(transport).collect();
    if !found.iter().any(|transport| &*transport.name.value == STORE) {
        let kind = TransportKind::Maildir { path: STORE_PATH.into() };
        found.push(TransportDraft { span: None, name: Setting::default_of(STORE.into()), kind });
    }
    found
}

fn transport_kind(view: &View<'_>) -> Option<TransportKind> {
    let text = |name: &str| view.property::<String>(name).map(|text| text.value.into_boxed_str());
    if let Some(path) = text("maildir") {
        return Some(TransportKind::Maildir { path });
    }
    if let Some(server) = view.property::<Endpoint>("lmtp") {
        return Some(TransportKind::Lmtp { server: server.value });
    }
    if let Some(host) = view.property::<HostName>("smtp") {
        return Some(TransportKind::Smtp {
            host: host.value,
            port: view.property::<u16>("port").map_or(SMTP_PORT, |port| port.value),
            mx: view.property::<bool>("mx").is_some_and(|mx| mx.value),
            tls: level(view.property::<String>("tls")).map_or(TlsLevel::May, |level| level.value),
        });
    }
    if let Some(program) = text("pipe") {
        return Some(TransportKind::Pipe { program, user: text("user").unwrap_or_else(|| PIPE_USER.into()) });
    }
    text("discard")
        .map(|reason| TransportKind::Discard { reason })
        .or_else(|| text("fail").map(|reason| TransportKind::Fail { reason }))
}

pub(super) fn relays(lowering: &mut Lowering<'_>) -> Vec<RelayDraft> {
    let views: Vec<View<'_>> = lowering.document.children("relay").collect();
    let backups: Vec<Option<Spanned<Box<str>>>> = views.iter().map(|view| backup(view, lowering)).collect();
    let relay = |(view, backup): (&View<'_>, Option<Spanned<Box<str>>>)| {
        let name = view.argument::<String>("name").filter(|name| lowering.relays.is_first(name))?;
        let host = view.property::<HostName>("host")?;
        let login = view.child("login");
        // Credentials go to nobody who has not proved to be who they are meant for.
        let default = if login.is_some() { TlsLevel::Verify } else { TlsLevel::May };
        Some(RelayDraft {
            span: view.span(),
            name: boxed(name),
            host,
            port: Setting::new(view.property::<u16>("port"), SMTP_PORT),
            tls: Setting::new(view.child("tls").and_then(|tls| level(tls.argument::<String>("level"))), default),
            login: login.and_then(|view| self::login(&view)),
            rate: view.child("rate").and_then(|rate| rate.argument("rate")),
            backup,
            spf_includes: view.children("spf-include").filter_map(|view| view.argument("domain")).collect(),
            signs_dkim: view.flag("signs-dkim").filter(|flag| flag.value).map(|flag| flag.span),
        })
    };
    views.iter().zip(backups).filter_map(relay).collect()
}

/// The relay that takes over for another; `None` also where there is no relay of that name, which is reported.
fn backup(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<Spanned<Box<str>>> {
    let name = view.child("backup")?.argument::<String>("relay")?;
    if lowering.relays.resolve(&name.value) {
        return Some(boxed(name));
    }
    let finding = lowering.relays.unknown(&name, &[]);
    lowering.findings.extend(finding.map(|finding| finding.postfix(&["smtp_fallback_relay"])));
    None
}

fn login(view: &View<'_>) -> Option<LoginDraft> {
    let user = boxed(view.argument::<String>("user")?);
    let bearer = view.property::<bool>("bearer").is_some_and(|bearer| bearer.value);
    Some(LoginDraft { span: view.span(), user, secret: view.property::<SecretName>("secret")?, bearer })
}

pub(super) fn routes(lowering: &mut Lowering<'_>) -> Vec<RouteDraft> {
    let views: Vec<View<'_>> = lowering.document.all().collect();
    let mut found = Vec::new();
    for view in views {
        match view.name() {
            "route" => found.extend(route(&view, lowering)),
            "routes" => route_table::routes(&view, lowering, &mut found),
            _ => {}
        }
    }
    found
}

fn route(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<RouteDraft> {
    // A name that is not there is reported with all others.
    let via = via(view.property::<String>("via")?, lowering).ok()?;
    Some(RouteDraft {
        span: view.span(),
        to: pattern(view, "to")?,
        from: pattern(view, "from")?,
        via,
        tls: level(view.property::<String>("tls")),
        from_address: ["from-address", "from-address6"].into_iter().filter_map(|name| view.property(name)).collect(),
    })
}

pub(super) fn receivers(lowering: &mut Lowering<'_>) -> Vec<ReceiverDraft> {
    let mut found: Vec<ReceiverDraft> = Vec::new();
    for view in lowering.document.children("destination") {
        let Some(domain) = view.argument::<Domain>("domain") else { continue };
        if let Some(first) = found.iter().find(|receiver| receiver.domain.value == domain.value) {
            let finding = DUPLICATE_NAME
                .at(domain.span, format!("The destination {} is declared twice", domain.value))
                .help("Write one `destination` with the properties of both")
                .also(first.domain.span, "first declared here");
            lowering.findings.push(finding);
            continue;
        }
        found.push(ReceiverDraft {
            span: view.span(),
            domain,
            concurrency: view.property("concurrency"),
            rate: view.property("rate"),
            pause_after_defer: view.property("pause-after-defer"),
        });
    }
    found
}

/// `direct`, or a relay of that name; else the finding, if there is one to make.
pub(super) fn via(name: Spanned<String>, lowering: &mut Lowering<'_>) -> Result<Spanned<Via>, Option<Box<Diagnostic>>> {
    match name.value.as_str() {
        "direct" => Ok(name.map(|_| Via::Direct)),
        relay if lowering.relays.resolve(relay) => Ok(name.map(|relay| Via::Relay(relay.into()))),
        _ => {
            let finding = lowering.relays.unknown(&name, &["direct"]);
            Err(finding.map(|finding| Box::new(finding.postfix(&["relayhost", "transport_maps"]))))
        }
    }
}

/// Every address where nothing is said; `None` where what is said was reported.
fn pattern(view: &View<'_>, name: &str) -> Option<Setting<RoutePattern>> {
    let said = view.property::<RoutePattern>(name);
    if said.is_none() && view.property_span(name).is_some() {
        return None;
    }
    Some(Setting::new(said, RoutePattern::Any))
}

pub(super) fn level(word: Option<Spanned<String>>) -> Option<Spanned<TlsLevel>> {
    let word = word?;
    TlsLevel::parse(&word.value).map(|level| Spanned::new(level, word.span))
}
