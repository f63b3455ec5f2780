//! `rewrite`, `masquerade`, `archive` and `srs`: addresses that turn into others beyond what a domain says of its own.

use super::Lowering;
use super::draft::{ArchiveDraft, MasqueradeDraft, RewriteDraft, RewritingDraft, Setting, SrsDraft};
use crate::rules::REWRITE_FORM;
use crate::source::Spanned;
use crate::syntax::View;
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use postern_schema::site::{Archived, Place, SecretName, Service, Stage, Whose};

pub(super) fn lower(lowering: &mut Lowering<'_>, origin: &Domain) -> RewritingDraft {
    let document = lowering.document;
    let mut draft = RewritingDraft::default();
    for view in document.all() {
        match view.name() {
            "rewrite" => draft.rewrites.extend(rewrite(&view, origin, lowering)),
            "masquerade" => masquerade(&view, &mut draft.masquerades),
            "archive" => draft.archives.extend(archive(&view, lowering)),
            "srs" if draft.srs.is_none() => draft.srs = srs(&view, origin),
            _ => {}
        }
    }
    draft
}

fn rewrite(view: &View<'_>, origin: &Domain, lowering: &mut Lowering<'_>) -> Option<RewriteDraft> {
    let place = Place::parse(&view.argument::<String>("place")?.value)?;
    let at = match view.property_span("at") {
        Some(_) => Stage::parse(&view.property::<String>("at")?.value)?,
        None => Stage::Arrival(Service::All),
    };
    let (from, to) = (view.argument::<String>("from")?, view.argument::<String>("to")?);
    // A bare word is an address of the origin, as everywhere in mail of this host.
    let from = whose(&from, Some(origin), lowering);
    let to = whose(&to, None, lowering);
    Some(RewriteDraft { span: view.span(), place, from: from?, to: to?, at })
}

fn whose(text: &Spanned<String>, origin: Option<&Domain>, lowering: &mut Lowering<'_>) -> Option<Spanned<Whose>> {
    let said = &*text.value;
    let found = match said.strip_prefix('@') {
        Some(name) => Domain::parse(name).map(Whose::Domain),
        None => match origin.filter(|_| !said.contains('@')) {
            Some(origin) => LocalPart::parse(said).map(|local| Mailbox::new(local, HostName::Domain(origin.clone()))),
            None => Mailbox::parse(said),
        }
        .map(Whose::Mailbox),
    };
    match found {
        Ok(found) => Some(Spanned::new(found, text.span)),
        Err(error) => {
            let finding = REWRITE_FORM.at(text.span, format!("{said:?} is no mail address and no domain: {error}"));
            let help = "Write \"alice@example.com\", or \"@example.com\" for every address of a domain";
            lowering.findings.push(finding.help(help).postfix(&["canonical_maps", "smtp_generic_maps"]));
            None
        }
    }
}

fn masquerade(view: &View<'_>, found: &mut Vec<MasqueradeDraft>) {
    let except = view.child("except").map_or_else(Vec::new, |child| child.arguments::<LocalPart>("local-parts"));
    let except: Vec<LocalPart> = except.into_iter().map(|local| local.value).collect();
    let domains = view.arguments::<Domain>("domains");
    found.extend(domains.into_iter().map(|domain| MasqueradeDraft { domain, except: except.clone() }));
}

fn archive(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<ArchiveDraft> {
    let to = view.property::<Mailbox>("to")?;
    let Some(when) = view.property::<String>("when") else {
        return view.property_span("when").is_none().then(|| ArchiveDraft { to, when: Setting::default_of(Archived::All) });
    };
    match Archived::parse(&when.value) {
        Some(archived) => Some(ArchiveDraft { to, when: Setting { value: archived, span: Some(when.span) } }),
        None => {
            let finding = REWRITE_FORM.at(when.span, format!("{:?} does not say which mail", when.value));
            let help = "Write when=\"from:example.com\" or when=\"to:alice@example.com\", or leave it out for all mail";
            lowering.findings.push(finding.help(help).postfix(&["sender_bcc_maps", "recipient_bcc_maps"]));
            None
        }
    }
}

fn srs(view: &View<'_>, origin: &Domain) -> Option<SrsDraft> {
    let secret = view.property::<SecretName>("secret")?;
    if view.property_span("domain").is_some() && view.property::<Domain>("domain").is_none() {
        return None;
    }
    Some(SrsDraft { span: view.span(), domain: Setting::new(view.property("domain"), origin.clone()), secret })
}
