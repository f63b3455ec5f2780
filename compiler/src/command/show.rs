//! `postern show`: what is in force, and why (`postconf`).

use super::site::{self, SiteArguments};
use super::{Failure, Status, print};
use crate::inventory::{Item, inventory};
use crate::lower::draft::{Setting, SiteDraft, TableDraft};
use crate::report::View;
use crate::source::{Sources, Span};
use clap::Args;
use postern_schema::site::{Origin, Sources as Stored};
use serde_json::json;
use std::collections::HashMap;

/// The arguments of `show`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// Only what the site does not say, and is in force all the same
    #[arg(long, conflicts_with = "json")]
    defaults: bool,
    /// The JSON twin of the site, which compiles to the same snapshot, and the defaults beside it
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let (compiled, model) = arguments.site.model()?;
    let places = compiled.draft.as_ref().map(|draft| said(draft, &compiled.sources)).unwrap_or_default();
    let mut items = inventory(&model);
    if let Some(draft) = &compiled.draft {
        // A row has a place as a node has one; what is shown of a table is how many it has.
        let tables = compiled.sources.stored(draft.first_table);
        items.retain(|item| item.origin.is_default() || item.origin.file < tables);
        items.extend(draft.tables.iter().map(|table| rows(table, &compiled.sources)));
    }
    for item in &mut items {
        if let Some(origin) = places.get(&(item.subject.clone(), item.name.clone())) {
            item.origin = *origin;
        }
    }
    items.retain(|item| item.origin.is_default() || !(arguments.defaults || arguments.json));
    let text = if arguments.json {
        compiled.twin(items.iter().map(json).collect())
    } else {
        let view = site::view(&compiled, &arguments.site.path);
        items.iter().map(|item| format!("{item:<56}  # {}\n", source(item, &model.site.sources, &view))).collect()
    };
    print(&text).map(|()| Status::Fine)
}

/// `aliases virtual.csv rows = 1000000`.
fn rows(table: &TableDraft, sources: &Sources) -> Item {
    Item {
        subject: format!("{} {}", table.node, sources.source(table.source).path),
        name: "rows".to_owned(),
        value: table.rows.to_string(),
        origin: sources.origin(table.file),
    }
}

fn json(item: &Item) -> serde_json::Value {
    json!({ "subject": item.subject, "name": item.name, "value": item.value })
}

/// `default`, or file and line as they look from the current folder.
fn source(item: &Item, files: &Stored, view: &View<'_>) -> String {
    match item.origin.is_default() {
        true => "default".to_owned(),
        false => view.below(&files.describe(item.origin)),
    }
}

/// Where each value with a default was said, or that it was not: a snapshot knows the line of the whole block alone.
fn said(draft: &SiteDraft, sources: &Sources) -> HashMap<(String, String), Origin> {
    let mut places = Places { found: HashMap::new(), sources };
    let host = &draft.host;
    places.setting("site", "hostname", &host.hostname);
    places.setting("site", "origin", &host.origin_domain);
    places.setting("site", "postmaster", &host.postmaster);
    places.note("site", "address", host.addresses.first().map(|address| address.span));
    places.note("tls", "self-signed", draft.tls.self_signed);
    for web in &draft.web {
        let subject = format!("listen {}", web.name.value);
        places.setting(&subject, "port", &web.port);
        places.note(&subject, "address", web.addresses.iter().find_map(|address| address.span));
    }
    for listener in &draft.listeners {
        let subject = format!("listen {}", listener.name.value);
        places.setting(&subject, "port", &listener.port);
        places.note(&subject, "address", listener.addresses.iter().find_map(|address| address.span));
    }
    for network in &draft.networks {
        let subject = format!("network {}", network.name.value);
        places.setting(&subject, "relay", &network.relay);
        places.setting(&subject, "reason", &network.reason);
    }
    for relay in &draft.relays {
        let subject = format!("relay {}", relay.name.value);
        places.setting(&subject, "port", &relay.port);
        places.setting(&subject, "tls", &relay.tls);
        places.note(&subject, "login", relay.login.as_ref().map(|login| login.user.span));
        places.note(&subject, "secret", relay.login.as_ref().map(|login| login.secret.span));
    }
    for (index, route) in draft.routes.iter().enumerate() {
        let subject = format!("route {}", index + 1);
        places.setting(&subject, "to", &route.to);
        places.setting(&subject, "from", &route.from);
    }
    for domain in &draft.domains {
        let subject = format!("domain {}", domain.name.value);
        places.setting(&subject, "deliver", &domain.transport);
        places.setting(&subject, "delimiter", &domain.delimiter);
    }
    places.policy(draft);
    places.found
}

struct Places<'a> {
    found: HashMap<(String, String), Origin>,
    sources: &'a Sources,
}

impl Places<'_> {
    fn note(&mut self, subject: &str, name: &str, span: Option<Span>) {
        let origin = span.map_or(Origin::DEFAULT, |span| self.sources.origin(span));
        self.found.insert((subject.to_owned(), name.to_owned()), origin);
    }

    fn setting<T>(&mut self, subject: &str, name: &str, setting: &Setting<T>) {
        self.note(subject, name, setting.span);
    }

    fn policy(&mut self, draft: &SiteDraft) {
        let (queue, limits) = (&draft.queue, &draft.limits);
        self.setting("queue", "retry", &queue.retry);
        self.setting("queue", "factor", &queue.factor_percent);
        self.setting("queue", "up-to", &queue.retry_cap);
        self.setting("queue", "lifetime", &queue.lifetime);
        self.setting("queue", "bounce-lifetime", &queue.bounce_lifetime);
        self.setting("limits", "message", &limits.message_octets);
        self.setting("limits", "recipients", &limits.recipients);
        self.setting("limits", "hops", &limits.hops);
        self.note("limits", "mailbox", limits.mailbox_octets.as_ref().map(|octets| octets.span));
        self.setting("limits", "sessions", &limits.sessions);
        self.setting("log", "format", &draft.log_format);
    }
}
