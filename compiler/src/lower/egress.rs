//! `transport`, `relay`, `route`: how mail goes on.

use super::Lowering;
use super::draft::{LoginDraft, RelayDraft, RouteDraft, Setting, TransportDraft};
use super::route_table;
use super::service::boxed;
use crate::report::Diagnostic;
use crate::source::Spanned;
use crate::syntax::View;
use postern_schema::name::HostName;
use postern_schema::site::{RoutePattern, SecretName, TlsLevel, TransportKind, Via};

/// The transport that is there without being declared.
pub(super) const STORE: &str = "store";
/// Where it puts mail, in the state folder.
const STORE_PATH: &str = "mail/{domain}/{user}";
/// The port of mail between hosts (RFC 5321 4.5.4.2).
const SMTP_PORT: u16 = 25;

pub(super) fn transports(lowering: &mut Lowering<'_>) -> Vec<TransportDraft> {
    let transport = |view: View<'_>| {
        let name = view.argument::<String>("name").filter(|name| lowering.transports.is_first(name))?;
        let path = view.property::<String>("maildir")?;
        Some(TransportDraft {
            span: Some(view.span()),
            name: Setting::new(Some(boxed(name)), Box::default()),
            kind: TransportKind::Maildir { path: path.value.into() },
        })
    };
    let mut found: Vec<TransportDraft> = lowering.document.children("transport").filter_map(transport).collect();
    if !found.iter().any(|transport| &*transport.name.value == STORE) {
        let kind = TransportKind::Maildir { path: STORE_PATH.into() };
        found.push(TransportDraft { span: None, name: Setting::default_of(STORE.into()), kind });
    }
    found
}

pub(super) fn relays(lowering: &mut Lowering<'_>) -> Vec<RelayDraft> {
    let relay = |view: View<'_>| {
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
            spf_includes: view.children("spf-include").filter_map(|view| view.argument("domain")).collect(),
            signs_dkim: view.flag("signs-dkim").filter(|flag| flag.value).map(|flag| flag.span),
        })
    };
    lowering.document.children("relay").filter_map(relay).collect()
}

fn login(view: &View<'_>) -> Option<LoginDraft> {
    let user = boxed(view.argument::<String>("user")?);
    Some(LoginDraft { span: view.span(), user, secret: view.property::<SecretName>("secret")? })
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
    })
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
