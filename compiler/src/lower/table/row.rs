//! One row of a table: whose address it is, where its mail goes, and what of it is refused.

use super::{Listed, Lowering, Scope, Table};
use crate::addresses::{HostId, Written};
use crate::lower::draft::Part;
use crate::report::Diagnostic;
use crate::rules::{BARE_ADDRESS, FOREIGN_DOMAIN, ROW_SHAPE, UNSERVED_ENTRY};
use crate::source::{SourceId, Span, Spanned};
use crate::syntax::grammar::ValueType;
use crate::syntax::nearest;
use crate::syntax::value::{Address, Octets, Typed};
use crate::table::aliases::{self, Destination};
use crate::table::{Piece, Row, destinations};
use postern_schema::name::{DECLARED_LOCAL_PART_MAX_OCTETS, Domain, LocalPart, Mailbox};
use std::borrow::Cow;
use std::sync::Arc;

/// The longest chain of `:include:`.
const INCLUDE_LIMIT: usize = 8;

/// A target as a row says it; without a host it belongs to the domain of the row.
struct Wanted {
    host: Option<HostId>,
    local: LocalPart,
    span: Span,
}

/// The domains of a row.
enum Hosts<'a> {
    One([HostId; 1]),
    All(&'a [HostId]),
}

impl Hosts<'_> {
    fn iter(&self) -> impl Iterator<Item = &HostId> {
        match self {
            Hosts::One(host) => host.iter(),
            Hosts::All(hosts) => hosts.iter(),
        }
    }
}

impl Lowering<'_> {
    pub(super) fn mailbox_row(
        &mut self, table: &Table, scope: &Scope<'_>, listed: Listed, line: u32, key: &Piece<'_>, quota: Option<&Piece<'_>>,
    ) {
        let Some((hosts, local)) = self.key(table, scope, key) else { return };
        let quota = match quota.filter(|quota| !quota.text.is_empty()) {
            None => None,
            Some(quota) => match self.typed(table, quota, &ValueType::Size) {
                Some(Typed::Octets(Octets(octets))) => Some(Spanned::new(octets, table.span(quota))),
                _ => return,
            },
        };
        let written = Written { span: table.span(key), origin: self.sources.row(table.source, line) };
        for host in hosts.iter() {
            match listed {
                Listed::Mailboxes => self.addresses.mailbox(*host, &local, written, quota.clone()),
                Listed::Recipients => self.addresses.relayed(*host, &local, written),
            }
        }
    }

    pub(super) fn alias_record(&mut self, table: &Table, scope: &Scope<'_>, line: u32, cells: Vec<Option<Piece<'_>>>) {
        let [Some(key), Some(cell)] = cells.as_slice() else { return };
        // Within a cell, what was quoted has moved; then the whole cell is the place.
        let moved = matches!(cell.text, Cow::Owned(_));
        let offset = cell.start as usize + usize::from(cell.octets as usize > cell.text.len());
        let Some(mut values) = self.row(table, destinations(&cell.text, offset)) else { return };
        if values.is_empty() {
            let message = format!("The alias {} leads nowhere", key.text);
            let finding = ROW_SHAPE.at(table.span(key), message);
            return self.row_finding(finding.help("Write who gets its mail, or remove the row"));
        }
        if moved {
            values.iter_mut().for_each(|value| (value.start, value.octets) = (cell.start, cell.octets));
        }
        let mut wanted = Vec::with_capacity(values.len());
        values.iter().for_each(|value| wanted.extend(self.target(table, value)));
        self.declare_alias(table, scope, line, key, &wanted);
    }

    pub(super) fn alias_row(&mut self, table: &Table, scope: &Scope<'_>, row: &Row<'_>) {
        let mut wanted = Vec::with_capacity(row.values.len());
        for value in &row.values {
            self.destination(table, value, &mut Vec::new(), &mut wanted);
        }
        self.declare_alias(table, scope, row.line, &row.key, &wanted);
    }

    /// One destination of `aliases(5)`; `open` are the files that are being included.
    fn destination(&mut self, table: &Table, value: &Piece<'_>, open: &mut Vec<SourceId>, wanted: &mut Vec<Wanted>) {
        let (message, help) = match Destination::of(value) {
            Destination::Address => return wanted.extend(self.target(table, value)),
            Destination::Include(path) => return self.include(table, value, &path, open, wanted),
            Destination::Command(command) => (
                format!("Mail is not handed to a command from an alias: {command:?}"),
                "Write a mailbox here, and let the command read its Maildir".to_owned(),
            ),
            Destination::File(path) => (
                format!("Mail is not appended to a file: {path:?}"),
                "Write a mailbox here: its Maildir keeps each message in a file of its own".to_owned(),
            ),
            Destination::Unaliased(name) => (
                format!("Every address is looked up, so `\\{name}` cannot pass its own alias by"),
                format!("Declare a mailbox under another name for what is kept, and write that; else write {name} alone"),
            ),
            Destination::Special(word) => (
                format!("{word:?} is not a destination here"),
                "Write an address, or remove the alias: what no rule allows is refused".to_owned(),
            ),
        };
        let finding = UNSERVED_ENTRY.at(table.span(value), message).help(help);
        self.row_finding(finding.postfix(&["alias_maps", "allow_mail_to_commands", "allow_mail_to_files"]));
    }

    fn include(&mut self, table: &Table, value: &Piece<'_>, path: &str, open: &mut Vec<SourceId>, wanted: &mut Vec<Wanted>) {
        let place = table.span(value);
        let read_before = self.findings.len();
        let Some(source) = self.table_source(&Spanned::new(path.to_owned(), place)) else {
            // What `read` has said counts as one of its kind like every finding about a row.
            let said: Vec<Diagnostic> = self.findings.drain(read_before..).collect();
            return said.into_iter().for_each(|finding| self.row_finding(finding));
        };
        if open.contains(&source) || open.len() >= INCLUDE_LIMIT {
            let message = format!("{path:?} includes itself in a circle, or lies more than {INCLUDE_LIMIT} deep");
            return self.row_finding(UNSERVED_ENTRY.at(place, message).help("Remove one `:include:` of the chain"));
        }
        open.push(source);
        let inner = Table { source, text: Arc::clone(&self.sources.source(source).text), ..*table };
        for values in aliases::included(&inner.text) {
            for value in self.row(&inner, values).unwrap_or_default() {
                self.destination(&inner, &value, open, wanted);
            }
        }
        open.pop();
    }

    pub(super) fn virtual_row(&mut self, table: &Table, scope: &Scope<'_>, row: &Row<'_>) {
        let key = &row.key.text;
        let span = table.span(&row.key);
        if key.starts_with('/') {
            let finding = UNSERVED_ENTRY.at(span, "An expression is not looked up from a table");
            return self.row_finding(finding.help("Write `pattern` in the domain").postfix(&["virtual_alias_maps"]));
        }
        if let Some(domain) = key.strip_prefix('@') {
            return self.catch_all_row(table, scope, row, domain);
        }
        if !key.contains('@') && self.is_domain_in(scope, key) {
            let message = format!("The domain {key} is declared in the site file, and needs no row");
            return self.row_finding(UNSERVED_ENTRY.at(span, message).help("Remove the row").postfix(&["virtual_alias_domains"]));
        }
        let mut wanted = Vec::with_capacity(row.values.len());
        row.values.iter().for_each(|value| wanted.extend(self.target(table, value)));
        self.declare_alias(table, scope, row.line, &row.key, &wanted);
    }

    fn catch_all_row(&mut self, table: &Table, scope: &Scope<'_>, row: &Row<'_>, domain: &str) {
        let Some(host) = self.domain_of(table, scope, &row.key, domain) else { return };
        let span = table.span(&row.key);
        let (message, help) = match row.values.as_slice() {
            [value] => match value.text.strip_prefix('@') {
                None => {
                    let Some(Wanted { host: at, local, span }) = self.target(table, value) else { return };
                    let target = Mailbox::new(local, self.addresses.host_name(at.unwrap_or(host)).clone());
                    return self.tables.catch_alls.push((host, Spanned::new(target, span)));
                }
                Some(other) => (
                    "A whole domain is not mapped by a row".to_owned(),
                    format!("Write `domain \"{domain}\" alias-of=\"{other}\"` in the site file"),
                ),
            },
            values => (
                format!("The catch-all of {domain} has {} targets, and one is the most", values.len()),
                "Declare an alias of these addresses, and write its name here".to_owned(),
            ),
        };
        self.row_finding(UNSERVED_ENTRY.at(span, message).help(help).postfix(&["virtual_alias_maps"]));
    }

    fn declare_alias(&mut self, table: &Table, scope: &Scope<'_>, line: u32, key: &Piece<'_>, wanted: &[Wanted]) {
        let Some((hosts, local)) = self.key(table, scope, key) else { return };
        // Without a target that can be read, there is a finding for each already.
        if wanted.is_empty() {
            return;
        }
        let written = Written { span: table.span(key), origin: self.sources.row(table.source, line) };
        for host in hosts.iter() {
            let before = self.addresses.targets_so_far();
            for target in wanted {
                self.addresses.target(target.host.unwrap_or(*host), &target.local, target.span);
            }
            self.addresses.alias(*host, &local, written, before);
        }
    }

    /// The domains and the local part that a row is for.
    fn key<'s>(&mut self, table: &Table, scope: &Scope<'s>, key: &Piece<'_>) -> Option<(Hosts<'s>, LocalPart)> {
        let (local, hosts) = match split(&key.text) {
            (local, Some(domain)) => (local, Hosts::One([self.domain_of(table, scope, key, domain)?])),
            (local, None) => match scope {
                Scope::Domain(hosts) => (local, Hosts::All(hosts)),
                Scope::Site => {
                    let message = format!("{:?} has no domain, and this table is for all of them", key.text);
                    let finding = BARE_ADDRESS.at(table.span(key), message);
                    let help = format!("Write {}@ and its domain, or name the table in a `domain`", key.text);
                    self.row_finding(finding.help(help).postfix(&["virtual_alias_maps", "myorigin"]));
                    return None;
                }
            },
        };
        match LocalPart::parse(local) {
            Ok(local) if local.as_str().len() <= DECLARED_LOCAL_PART_MAX_OCTETS => Some((hosts, local)),
            _ => {
                self.typed(table, &Piece { text: Cow::Borrowed(local), ..key.clone() }, &ValueType::LocalPart);
                None
            }
        }
    }

    /// The domain of a row, if rows may be in it.
    fn domain_of(&mut self, table: &Table, scope: &Scope<'_>, key: &Piece<'_>, name: &str) -> Option<HostId> {
        let host = match self.addresses.known_host(name) {
            Some(host) => Some(host),
            None => match Domain::parse(name) {
                Ok(domain) => self.addresses.known_host(domain.as_str()),
                Err(_) => {
                    self.typed(table, &Piece { text: Cow::Borrowed(name), ..key.clone() }, &ValueType::Domain);
                    return None;
                }
            },
        };
        let (why, help) = match scope {
            Scope::Domain(hosts) => match host.filter(|host| hosts.contains(host)) {
                Some(host) => return Some(host),
                None => (
                    "is not the domain that this table stands in".to_owned(),
                    "Move the row into the table of its domain, or the table out of the domain".to_owned(),
                ),
            },
            Scope::Site => match host.and_then(|host| Some((host, self.tables.domains.get(&host)?))) {
                Some((host, Ok(()))) => return Some(host),
                Some((_, Err(why))) => (why.clone(), "Remove the row, or change the class of the domain".to_owned()),
                // It may be one that could not be read.
                None if self.gaps.holds(Part::Domains) => return None,
                None => ("is no domain of this site".to_owned(), self.unknown_domain(name)),
            },
        };
        let finding = FOREIGN_DOMAIN.at(table.span(key), format!("{name} {why}")).help(help);
        self.row_finding(finding.postfix(&["virtual_alias_domains", "virtual_mailbox_domains", "mydestination"]));
        None
    }

    fn unknown_domain(&self, name: &str) -> String {
        let known = self.tables.domains.keys().filter_map(|host| self.addresses.host_name(*host).domain());
        let mut known: Vec<&str> = known.map(Domain::as_str).collect();
        known.sort_unstable();
        match nearest(name, known) {
            Some(near) => format!("Write {near}, or declare `domain \"{name}\"`"),
            None => format!("Declare `domain \"{name}\"`, or remove the row"),
        }
    }

    fn is_domain_in(&self, scope: &Scope<'_>, name: &str) -> bool {
        let host = Domain::parse(name).ok().and_then(|domain| self.addresses.known_host(domain.as_str()));
        host.is_some_and(|host| match scope {
            Scope::Domain(hosts) => hosts.contains(&host),
            Scope::Site => self.tables.domains.contains_key(&host),
        })
    }

    /// A target; one that is no address is reported.
    fn target(&mut self, table: &Table, value: &Piece<'_>) -> Option<Wanted> {
        let span = table.span(value);
        if let (local, Some(host)) = split(&value.text)
            && let Some(host) = self.addresses.known_host(host)
            && let Ok(local) = LocalPart::parse(local)
        {
            return Some(Wanted { host: Some(host), local, span });
        }
        match self.typed(table, value, &ValueType::Address)? {
            Typed::Address(Address::Local(local)) => Some(Wanted { host: None, local, span }),
            Typed::Address(Address::Mailbox(mailbox)) => {
                Some(Wanted { host: Some(self.addresses.host(&mailbox.host)), local: mailbox.local, span })
            }
            _ => None,
        }
    }
}

/// Local part and host; an `@` within quotes divides nothing.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((local, host)) if !(text.starts_with('"') && text.ends_with('"')) => (local, Some(host)),
        _ => (text, None),
    }
}
