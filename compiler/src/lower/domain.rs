//! `domain` and `parked`: the domains of the site and the addresses in them.

use super::draft::{DomainDraft, PatternDraft, PublicationDraft, Setting};
use super::egress::STORE;
use super::table::{self, Scope};
use super::{Lowering, publication, signing};
use crate::addresses::{Forwarding, HostId, Written};
use crate::rules::OTHER_CLASS;
use crate::source::{Span, Spanned};
use crate::syntax::View;
use crate::syntax::value::{Address, Delimiter, Octets};
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use postern_schema::site::{DomainClass, NextHop, Onward, Pattern};

/// The delimiter where none is said. Postfix has none by default, and nearly every site then sets this one.
const DELIMITER: char = '+';

pub(super) fn lower(lowering: &mut Lowering<'_>) -> Vec<DomainDraft> {
    let mut found = Vec::new();
    for view in lowering.document.all() {
        match view.name() {
            "domain" => domain(&view, lowering, &mut found),
            "parked" => {
                found.extend(view.arguments::<Domain>("names").into_iter().map(|name| parked(&view, name)));
            }
            _ => {}
        }
    }
    found
}

fn parked(view: &View<'_>, name: Spanned<Domain>) -> DomainDraft {
    DomainDraft {
        span: view.span(),
        class: Spanned::new(DomainClass::Parked, view.name_span()),
        name,
        transport: Setting::default_of(STORE.into()),
        catch_all: None,
        delimiter: Setting::default_of(None),
        patterns: Vec::new(),
        signers: Vec::new(),
        publication: PublicationDraft {
            wildcard: view.property::<bool>("wildcard").is_some_and(|wildcard| wildcard.value),
            ..PublicationDraft::default()
        },
        incomplete: false,
    }
}

/// One entry for each name, each with the same addresses: a bare local part belongs to the name at hand.
fn domain(view: &View<'_>, lowering: &mut Lowering<'_>, found: &mut Vec<DomainDraft>) {
    let names = view.arguments::<Domain>("names");
    let Some(class) = class(view, names.first().map(|name| name.span), lowering) else { return };
    report_strangers(view, &class.value, lowering);
    let transport = transport(view, lowering);
    let delimiter = view.child("delimiter").and_then(|child| child.argument::<Delimiter>("character"));
    let delimiter = Setting::new(delimiter.map(|said| said.map(|delimiter| delimiter.0)), Some(DELIMITER));
    let signers = signing::signers(view, lowering);
    let publication = publication::publication(view, lowering);
    let mut hosts = Vec::new();
    for name in names {
        let host = HostName::Domain(name.value.clone());
        // The addresses of a domain that is listed twice are those of the first: that it is listed twice is mistake enough.
        if found.iter().all(|known| known.name.value != name.value) {
            hosts.push(lowering.addresses.host(&host));
        }
        let catch_all = view.child("catch-all").and_then(|child| child.argument::<Address>("target"));
        found.push(DomainDraft {
            span: view.span(),
            class: class.clone(),
            transport: transport.clone(),
            catch_all: catch_all.map(|target| qualified(target, &host)),
            delimiter: delimiter.clone(),
            patterns: view.children("pattern").filter_map(|view| pattern(&view, &host, lowering)).collect(),
            signers: signers.clone(),
            publication: publication.clone(),
            incomplete: false,
            name,
        });
    }
    for child in view.all() {
        match child.name() {
            "mailbox" => mailbox(&child, &hosts, lowering),
            "alias" => alias(&child, &hosts, lowering),
            "forward" => forward(&child, &hosts, lowering),
            "list" => list(&child, &hosts, lowering),
            "mailboxes" => table::mailboxes(&child, &Scope::Domain(&hosts), lowering),
            "aliases" => table::aliases(&child, &Scope::Domain(&hosts), lowering),
            "recipients" if matches!(class.value, DomainClass::Relay(_)) => table::recipients(&child, &hosts, lowering),
            _ => {}
        }
    }
}

/// `local` where nothing is said; `None` where what is said was reported, or cannot be of any class.
fn class(view: &View<'_>, name: Option<Span>, lowering: &mut Lowering<'_>) -> Option<Spanned<DomainClass>> {
    if view.property_span("alias-of").is_some() {
        let target = view.property::<String>("alias-of")?;
        let other = Domain::parse(&target.value).ok()?;
        return Some(Spanned::new(DomainClass::AliasOf(other), target.span));
    }
    let said = match view.property_span("class") {
        Some(_) => view.property::<String>("class")?,
        None => Spanned::new(String::new(), name.unwrap_or(view.name_span())),
    };
    Some(match said.value.as_str() {
        "relay" => {
            let onward = Onward { via: next_hop(view, lowering)?, listed: view.child("recipients").is_some() };
            Spanned::new(DomainClass::Relay(onward), said.span)
        }
        _ => Spanned::new(DomainClass::Local, said.span),
    })
}

/// Where mail of a relay domain goes; `None` where the name is not there, which is reported with all names that are not.
fn next_hop(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<Option<NextHop>> {
    if view.property_span("via").is_none() {
        return Some(None);
    }
    let name = view.property::<String>("via")?.value;
    if lowering.transports.resolve(&name) {
        return Some(Some(NextHop::Transport(name.into())));
    }
    lowering.relays.resolve(&name).then(|| Some(NextHop::Relay(name.into())))
}

/// Says what stands in a domain and is looked at in domains of another class alone.
fn report_strangers(view: &View<'_>, class: &DomainClass, lowering: &mut Lowering<'_>) {
    if matches!(class, DomainClass::Relay(_)) {
        for child in view.all() {
            let help = match child.name() {
                "forward" | "list" => "Move it into a domain whose mail is kept here, or let the other host do it",
                "mailbox" | "mailboxes" => "Name the addresses that the other host has in a table: `recipients file=\"…\"`",
                "pattern" | "catch-all" | "delimiter" => "Remove it: the other host knows what its addresses are",
                "deliver" => "Write via= behind the name of the domain instead",
                _ => continue,
            };
            let message = format!("A relay domain has no `{}`: its mail is kept by another host", child.name());
            lowering.findings.push(OTHER_CLASS.at(child.name_span(), message).help(help));
        }
        return;
    }
    // A property that nobody knows may be the class.
    if view.node().properties.iter().any(|property| view.spec().property(&property.name.value).is_none()) {
        return;
    }
    let via = view.property_span("via").map(|span| ("via=", span));
    let recipients = view.child("recipients").map(|child| ("recipients", child.name_span()));
    for (what, span) in via.into_iter().chain(recipients) {
        let message = format!("`{what}` is for relay domains, and this one is {class}");
        let finding = OTHER_CLASS.at(span, message).help("Write class=\"relay\" if another host keeps the mail, or remove this");
        lowering.findings.push(finding.postfix(&["relay_domains", "relay_recipient_maps"]));
    }
}

fn transport(view: &View<'_>, lowering: &mut Lowering<'_>) -> Setting<Box<str>> {
    let default = Setting::default_of(STORE.into());
    let Some(name) = view.child("deliver").and_then(|child| child.argument::<String>("transport")) else { return default };
    if lowering.transports.resolve(&name.value) {
        return Setting { value: name.value.as_str().into(), span: Some(name.span) };
    }
    default
}

fn written(view: &View<'_>, local: &Spanned<LocalPart>, lowering: &Lowering<'_>) -> Written {
    Written { span: local.span, origin: lowering.sources.origin(view.span()) }
}

fn mailbox(view: &View<'_>, hosts: &[HostId], lowering: &mut Lowering<'_>) {
    let Some(local) = view.argument::<LocalPart>("local-part") else { return };
    let quota = view.property::<Octets>("quota").map(|quota| quota.map(|octets| octets.0));
    let written = written(view, &local, lowering);
    for host in hosts {
        lowering.addresses.mailbox(*host, &local.value, written, quota.clone());
    }
}

fn alias(view: &View<'_>, hosts: &[HostId], lowering: &mut Lowering<'_>) {
    let targets = view.arguments::<Address>("targets");
    // An alias without targets, or with none that could be read, was reported.
    let Some(local) = view.argument::<LocalPart>("local-part").filter(|_| !targets.is_empty()) else { return };
    let written = written(view, &local, lowering);
    let book = &mut lowering.addresses;
    for host in hosts {
        let before = book.targets_so_far();
        for target in &targets {
            match &target.value {
                Address::Local(local) => book.target(*host, local, target.span),
                Address::Mailbox(mailbox) => {
                    let elsewhere = book.host(&mailbox.host);
                    book.target(elsewhere, &mailbox.local, target.span);
                }
            }
        }
        book.alias(*host, &local.value, written, before);
    }
}

fn forward(view: &View<'_>, hosts: &[HostId], lowering: &mut Lowering<'_>) {
    let targets = view.arguments::<Mailbox>("targets");
    let Some(local) = view.argument::<LocalPart>("local-part").filter(|_| !targets.is_empty()) else { return };
    let is_on = |name| view.property::<bool>(name).is_some_and(|on| on.value);
    let how = Forwarding::new(is_on("srs"), is_on("keep-copy"));
    let written = written(view, &local, lowering);
    let book = &mut lowering.addresses;
    for host in hosts {
        let before = book.targets_so_far();
        for target in &targets {
            let elsewhere = book.host(&target.value.host);
            book.target(elsewhere, &target.value.local, target.span);
        }
        book.forward(*host, &local.value, written, before, how);
    }
}

/// What a list manager has beside the address of a list (Mailman 3 `SUBADDRESS_NAMES`; `-subscribe` and `-unsubscribe` are RFC 2142 6's).
const LIST_PARTS: [&str; 8] = ["bounces", "confirm", "join", "leave", "owner", "request", "subscribe", "unsubscribe"];

fn list(view: &View<'_>, hosts: &[HostId], lowering: &mut Lowering<'_>) {
    let Some(local) = view.argument::<LocalPart>("local-part") else { return };
    let Some(name) = view.property::<String>("via") else { return };
    if !lowering.transports.resolve(&name.value) {
        return;
    }
    let written = written(view, &local, lowering);
    let parts = LIST_PARTS.iter().filter_map(|part| LocalPart::from_content(&format!("{}-{part}", local.value.as_str())).ok());
    for local in std::iter::once(local.value.clone()).chain(parts) {
        for host in hosts {
            lowering.addresses.list(*host, &local, written, &name.value);
        }
    }
}

fn pattern(view: &View<'_>, host: &HostName, lowering: &Lowering<'_>) -> Option<PatternDraft> {
    let expression = view.argument::<String>("expression")?;
    let target = view.argument::<String>("target")?;
    let whole = if target.value.contains('@') { target.value.clone() } else { format!("{}@{host}", target.value) };
    // The grammar has tried the expression already, so it compiles.
    let pattern = Pattern::new(&expression.value, &whole, lowering.sources.origin(expression.span)).ok()?;
    Some(PatternDraft { expression: expression.span, target: target.span, pattern })
}

/// A bare local part belongs to the domain that it stands in.
fn qualified(target: Spanned<Address>, host: &HostName) -> Spanned<Mailbox> {
    target.map(|target| match target {
        Address::Local(local) => Mailbox::new(local, host.clone()),
        Address::Mailbox(mailbox) => mailbox,
    })
}
