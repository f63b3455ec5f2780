//! `domain` and `parked`: the domains of the site and the addresses in them.

use super::draft::{AddressDraft, AddressForm, DomainDraft, PatternDraft, Setting};
use super::egress::STORE;
use super::{Lowering, signing};
use crate::source::{Span, Spanned};
use crate::syntax::View;
use crate::syntax::value::{Address, Octets};
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use postern_schema::site::{DomainClass, Pattern};

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
        addresses: Vec::new(),
        signers: Vec::new(),
    }
}

/// One entry for each name, each with the same addresses: a bare local part belongs to the name at hand.
fn domain(view: &View<'_>, lowering: &mut Lowering<'_>, found: &mut Vec<DomainDraft>) {
    let names = view.arguments::<Domain>("names");
    let Some(class) = class(view, names.first().map(|name| name.span)) else { return };
    let transport = transport(view, lowering);
    let delimiter = Setting::new(view.child("delimiter").and_then(|child| child.argument::<char>("character")), DELIMITER);
    let delimiter = Setting { value: Some(delimiter.value), span: delimiter.span };
    let signers = signing::signers(view, lowering);
    for name in names {
        let host = HostName::Domain(name.value.clone());
        let catch_all = view.child("catch-all").and_then(|child| child.argument::<Address>("target"));
        found.push(DomainDraft {
            span: view.span(),
            class: class.clone(),
            transport: transport.clone(),
            catch_all: catch_all.map(|target| qualified(target, &host)),
            delimiter: delimiter.clone(),
            patterns: view.children("pattern").filter_map(|view| pattern(&view, &host, lowering)).collect(),
            addresses: view.all().filter_map(|view| address(&view, &host)).collect(),
            signers: signers.clone(),
            name,
        });
    }
}

/// `local` where nothing is said; `None` where what is said was reported, or cannot be of any class.
fn class(view: &View<'_>, name: Option<Span>) -> Option<Spanned<DomainClass>> {
    if view.property_span("alias-of").is_some() {
        let target = view.property::<String>("alias-of")?;
        let other = Domain::parse(&target.value).ok()?;
        return Some(Spanned::new(DomainClass::AliasOf(other), target.span));
    }
    let span = match view.property_span("class") {
        Some(_) => view.property::<String>("class")?.span,
        None => name.unwrap_or(view.name_span()),
    };
    Some(Spanned::new(DomainClass::Local, span))
}

fn transport(view: &View<'_>, lowering: &mut Lowering<'_>) -> Setting<Box<str>> {
    let default = Setting::default_of(STORE.into());
    let Some(name) = view.child("deliver").and_then(|child| child.argument::<String>("transport")) else { return default };
    if lowering.transports.resolve(&name.value) {
        return Setting { value: name.value.as_str().into(), span: Some(name.span) };
    }
    let finding = lowering.transports.unknown(&name, &[]);
    lowering.findings.extend(finding.map(|finding| finding.postfix(&["virtual_transport"])));
    default
}

fn address(view: &View<'_>, host: &HostName) -> Option<AddressDraft> {
    let form = match view.name() {
        "mailbox" => {
            AddressForm::Mailbox { quota_octets: view.property::<Octets>("quota").map(|quota| quota.map(|octets| octets.0)) }
        }
        "alias" => {
            let targets = view.arguments::<Address>("targets");
            AddressForm::Alias(targets.into_iter().map(|target| qualified(target, host)).collect())
        }
        _ => return None,
    };
    // An alias without targets, or with none that could be read, was reported.
    let leads_nowhere = matches!(&form, AddressForm::Alias(targets) if targets.is_empty());
    let local = view.argument::<LocalPart>("local-part").filter(|_| !leads_nowhere)?;
    Some(AddressDraft { span: view.span(), local, form })
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
