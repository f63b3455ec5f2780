//! `filter`, `policy` and the rest of [`PlannedDraft`]: read although the runtime does not serve them, so that
//! a site that is written today is judged today. That they are not served is said by [`crate::syntax::check()`].

use super::Lowering;
use super::draft::{FilterDraft, FilterProtocol, PlannedDraft, PolicyDraft, Setting};
use super::names::Names;
use super::service::boxed;
use crate::source::Span;
use crate::syntax::View;
use crate::syntax::grammar::Kind;
use postern_schema::site::Endpoint;
use std::time::Duration;

/// How long a filter may take where nobody says so: Postfix's own measure for the content of a message.
const FILTER_PATIENCE: Duration = Duration::from_secs(300);

const KINDS: [&str; 5] = ["mx", "submission", "submissions", "reinject", "lmtp"];

pub(super) fn lower(lowering: &mut Lowering<'_>) -> PlannedDraft {
    let document = lowering.document;
    let mut filters = Names::new(Kind::Filter, false);
    let mut policies = Names::new(Kind::Policy, false);
    let filter_views: Vec<View<'_>> = document.planned("filter").collect();
    let policy_views: Vec<View<'_>> = document.planned("policy").collect();
    for (names, views) in [(&mut filters, &filter_views), (&mut policies, &policy_views)] {
        for name in views.iter().filter_map(|view| view.argument::<String>("name")) {
            names.declare(&name, &mut lowering.findings);
        }
    }
    let listeners: Vec<View<'_>> = document.children("listen").collect();
    PlannedDraft {
        filters: filter_views.iter().filter_map(|view| filter(view, &filters)).collect(),
        policies: policy_views.iter().filter_map(|view| policy(view, &policies)).collect(),
        knows_listeners: listeners.iter().all(|view| kind(view).is_none_or(|kind| KINDS.contains(&kind))),
    }
}

fn filter(view: &View<'_>, names: &Names) -> Option<FilterDraft> {
    let name = view.argument::<String>("name").filter(|name| names.is_first(name))?;
    let milter = view.property::<Endpoint>("milter").map(|endpoint| (endpoint, FilterProtocol::Milter));
    let (endpoint, protocol) =
        milter.or_else(|| view.property::<Endpoint>("smtp").map(|endpoint| (endpoint, FilterProtocol::Smtp)))?;
    let applies = view.child("applies").map_or_else(Vec::new, |applies| applies.arguments::<String>("services"));
    Some(FilterDraft {
        span: view.span(),
        name: boxed(name),
        endpoint,
        protocol,
        returns: view.property::<String>("returns").map(boxed),
        fails_open: fails_open(view),
        timeout: Setting::new(view.property("timeout"), FILTER_PATIENCE),
        applies: applies.into_iter().map(boxed).collect(),
        signs: view.property::<bool>("signs-dkim").filter(|signs| signs.value).map(|signs| signs.span),
    })
}

fn policy(view: &View<'_>, names: &Names) -> Option<PolicyDraft> {
    let name = view.argument::<String>("name").filter(|name| names.is_first(name))?;
    Some(PolicyDraft {
        span: view.span(),
        name: boxed(name),
        endpoint: view.argument("service")?,
        at_end_of_data: view.property::<String>("at").is_some_and(|at| at.value == "end-of-data"),
        fails_open: fails_open(view),
    })
}

fn fails_open(view: &View<'_>) -> Option<Span> {
    view.property::<String>("on-failure").filter(|word| word.value == "accept").map(|word| word.span)
}

/// `kind=`, which the accessors leave out where it is not served.
fn kind<'a>(view: &View<'a>) -> Option<&'a str> {
    view.node().property("kind").and_then(|kind| kind.value.as_str())
}
