//! `site`: the host itself.
//!
//! `origin`, where it is not said: the host's own name if that is a domain of the site; else the nearest domain of the site
//! that the host's name lies in; else the host's own name (`myorigin = $myhostname`).

use super::Lowering;
use super::draft::{DomainDraft, HostDraft, Part, Setting};
use crate::rules::chk::Checker;
use crate::rules::{NO_POSTMASTER, NOTIFY_NONE};
use crate::source::{SourceId, Span, Spanned};
use crate::syntax::View;
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use postern_schema::site::{DomainClass, NoticeClass, Notices};

/// The `site` node, with an `origin` if it was said. Where the node is missing or has no name, which was reported, a name
/// that nobody has stands in.
pub(super) fn lower(lowering: &mut Lowering<'_>) -> (HostDraft, Option<Spanned<Domain>>) {
    let nowhere = Span { source: SourceId(0), start: 0, length: 0 };
    let stand_in = Domain::parse("host.invalid").unwrap_or_else(|_| unreachable!("a constant that is a domain"));
    let Some(view) = lowering.document.child("site") else {
        let postmaster = Setting::default_of(postmaster_at(&stand_in));
        let hostname = Setting::default_of(stand_in);
        let (addresses, checkers) = (Vec::new(), Vec::new());
        let origin_domain = hostname.clone();
        let notices = Setting::default_of(Notices::default().classes);
        let host = HostDraft { span: nowhere, origin_domain, hostname, postmaster, notices, addresses, resolver: None, checkers };
        return (host, None);
    };
    let hostname = Setting::new(view.argument::<Domain>("hostname"), stand_in);
    let origin = view.child("origin").and_then(|child| child.argument::<Domain>("domain"));
    let said = view.child("postmaster");
    if said.is_none() && !lowering.gaps.holds(Part::Host) {
        lowering.findings.push(
            NO_POSTMASTER
                .at(view.name_span(), "The site has no postmaster")
                .help(format!(
                    "Write `postmaster \"you@{}\"` in `site`: an address that a person reads",
                    example_domain(&hostname.value)
                ))
                .postfix(&["2bounce_notice_recipient", "error_notice_recipient"]),
        );
    }
    let postmaster = said.and_then(|child| child.argument::<Mailbox>("mailbox"));
    let postmaster = Setting::new(postmaster, postmaster_at(&hostname.value));
    let addresses = view.child("address").map_or_else(Vec::new, |child| child.arguments("addresses"));
    let required: Vec<Spanned<String>> = view.child("require").map_or_else(Vec::new, |child| child.arguments("checkers"));
    let checker = |word: Spanned<String>| Some(Spanned::new(Checker::parse(&word.value)?, word.span));
    let checkers = required.into_iter().filter_map(checker).collect();
    let resolver = view.child("resolver").and_then(|child| child.argument("server"));
    let origin_domain = hostname.clone();
    let notices = Setting::new(view.child("notify").and_then(|child| notices(&child, lowering)), Notices::default().classes);
    let host = HostDraft { span: view.name_span(), origin_domain, hostname, postmaster, notices, addresses, resolver, checkers };
    (host, origin)
}

/// The classes of a `notify`, each once, in their own order. `none` is no class, so alone it leaves none.
fn notices(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<Spanned<Vec<NoticeClass>>> {
    let said: Vec<Spanned<String>> = view.arguments("classes");
    let span = said.first()?.span;
    let none = said.iter().find(|word| word.value == "none");
    if let (Some(none), Some(class)) = (none, said.iter().find(|word| word.value != "none")) {
        lowering.findings.push(
            NOTIFY_NONE
                .at(none.span, format!("The postmaster is to be told of nothing, and of `{}`", class.value))
                .also(class.span, "this is a class")
                .help("Write `notify \"none\"` alone, or leave `\"none\"` out")
                .postfix(&["notify_classes"]),
        );
    }
    let mut classes: Vec<NoticeClass> = said.iter().filter_map(|word| NoticeClass::parse(&word.value)).collect();
    classes.sort_unstable();
    classes.dedup();
    Some(Spanned::new(classes, span))
}

/// With the origin that was said, or the one that the domains suggest.
pub(super) fn finish(mut host: HostDraft, said: Option<Spanned<Domain>>, domains: &[DomainDraft]) -> HostDraft {
    let is_ours = |name: &Domain| domains.iter().any(|d| d.name.value == *name && d.class.value != DomainClass::Parked);
    let above = std::iter::successors(Some(host.hostname.value.clone()), Domain::parent);
    let default = above.into_iter().find(is_ours).unwrap_or_else(|| host.hostname.value.clone());
    host.origin_domain = Setting::new(said, default);
    host
}

fn postmaster_at(hostname: &Domain) -> Mailbox {
    let local = LocalPart::from_content("postmaster").unwrap_or_else(|_| unreachable!("a constant that is a local part"));
    Mailbox::new(local, HostName::Domain(hostname.clone()))
}

/// `example.com` for `mail.example.com`, for a help that can be copied.
fn example_domain(hostname: &Domain) -> Domain {
    hostname.parent().filter(Domain::is_fully_qualified).unwrap_or_else(|| hostname.clone())
}
