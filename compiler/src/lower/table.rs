//! `mailboxes` and `aliases`: the rows of table files become addresses, in the same book as the nodes of a site file.

use super::Lowering;
use super::draft::{DomainDraft, Part, TableDraft};
use crate::addresses::{HostId, Written};
use crate::progress::Progress;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::{
    BARE_ADDRESS, EMPTY_TABLE, FOREIGN_DOMAIN, OWNER_ALIAS, ROW_SHAPE, TABLE_FORMAT, TABLE_HEADER, UNSERVED_ENTRY, UNUSED_COLUMN,
};
use crate::source::{SourceId, Span, Spanned};
use crate::syntax::grammar::ValueType;
use crate::syntax::value::{self, Address, Octets, Typed};
use crate::syntax::{Value, View, nearest};
use crate::table::aliases::{self, Destination};
use crate::table::cells::{Column, Records};
use crate::table::{Fault, FaultKind, Format, Piece, Row, destinations, list, pairs};
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use postern_schema::site::DomainClass;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Largest table, in octets.
const TABLE_MAX_OCTETS: u64 = 256 << 20;
/// The most octets of a row that are pointed at.
const SHOWN_OCTETS: u32 = 200;
/// The longest chain of `:include:`.
const INCLUDE_LIMIT: usize = 8;

/// What is known of tables while a site is lowered.
pub(crate) struct Tables {
    /// Every table that was read, in source order.
    pub read: Vec<TableDraft>,
    /// The findings about rows.
    pub rows: RowFindings,
    /// Each file is a source once, however many nodes name it.
    sources: HashMap<String, SourceId>,
    /// The local domains, and why others take no rows; known once every domain is lowered.
    domains: HashMap<HostId, Result<(), String>>,
    /// `@domain` in `virtual(5)`.
    catch_alls: Vec<(HostId, Spanned<Mailbox>)>,
    /// `owner-list` in `aliases(5)`, with the name of the list.
    owners: Vec<(HostId, Spanned<String>)>,
    progress: Progress,
}

impl Tables {
    pub fn new(first_table: SourceId, progress: Progress) -> Tables {
        Tables {
            read: Vec::new(),
            rows: RowFindings::new(first_table),
            sources: HashMap::new(),
            domains: HashMap::new(),
            catch_alls: Vec::new(),
            owners: Vec::new(),
            progress,
        }
    }
}

/// Where the rows of a table may lie.
pub(super) enum Scope<'a> {
    /// In the domains of one node, all of them where a row has no domain.
    Domain(&'a [HostId]),
    /// In any local domain of the site.
    Site,
}

/// A table file whose rows are at hand.
pub(super) struct Table {
    pub source: SourceId,
    pub text: Arc<String>,
    pub format: Format,
    /// Where it is named.
    pub file: Span,
}

impl Table {
    pub fn span(&self, piece: &Piece<'_>) -> Span {
        Span { source: self.source, start: piece.start, length: piece.octets }
    }
}

const MAILBOX_COLUMNS: &[Column] = &[Column { name: "address", required: true }, Column { name: "quota", required: false }];
const ALIAS_COLUMNS: &[Column] = &[Column { name: "address", required: true }, Column { name: "targets", required: true }];

/// The tables that stand beside the domains.
pub(super) fn site_tables(lowering: &mut Lowering<'_>, domains: &[DomainDraft]) {
    for domain in domains {
        let host = lowering.addresses.host(&HostName::Domain(domain.name.value.clone()));
        let standing = match &domain.class.value {
            DomainClass::Local => Ok(()),
            DomainClass::AliasOf(other) => Err(format!("has the addresses of {other}")),
            DomainClass::Parked => Err("is parked and takes no mail".to_owned()),
        };
        lowering.tables.domains.entry(host).or_insert(standing);
    }
    for view in lowering.document.all() {
        match view.name() {
            "mailboxes" => mailboxes(&view, &Scope::Site, lowering),
            "aliases" => aliases(&view, &Scope::Site, lowering),
            _ => {}
        }
    }
}

/// What takes more than one row to see.
pub(super) fn finish(lowering: &mut Lowering<'_>, domains: &mut [DomainDraft]) {
    for (host, target) in std::mem::take(&mut lowering.tables.catch_alls) {
        let name = lowering.addresses.host_name(host).clone();
        let Some(domain) = domains.iter_mut().find(|domain| Some(&domain.name.value) == name.domain()) else { continue };
        match &domain.catch_all {
            None => domain.catch_all = Some(target),
            Some(first) => {
                let finding = Diagnostic::error("LNG008", target.span, format!("{name} has a catch-all already"));
                let finding = finding.also(first.span, "first declared here").help("Remove one of the two");
                lowering.row_finding(finding);
            }
        }
    }
    for (host, list) in std::mem::take(&mut lowering.tables.owners) {
        if lowering.addresses.find(host, &list.value).is_some_and(|address| address.is_alias()) {
            let message = format!("Bounces of mail to {} go to whoever wrote it, not to its owner", list.value);
            let finding = OWNER_ALIAS.at(list.span, message);
            lowering.row_finding(finding.help("Use a mailing list manager where the owner has to hear of bounces"));
        }
    }
    let rows = std::mem::replace(&mut lowering.tables.rows, RowFindings::new(SourceId(0)));
    lowering.findings.extend(rows.rest());
}

/// `mailboxes file=`.
pub(super) fn mailboxes(view: &View<'_>, scope: &Scope<'_>, lowering: &mut Lowering<'_>) {
    let Some(table) = lowering.open_table(view, &[Format::Csv, Format::Tsv, Format::List]) else { return };
    let before = lowering.addresses.declarations();
    let text = Arc::clone(&table.text);
    match table.format {
        Format::List => {
            for row in list::rows(&text) {
                let Some(row) = lowering.row(&table, row) else { continue };
                if let Some(path) = row.values.first() {
                    let place = table.span(path);
                    let message = "Where mail is kept is not read from here: every mailbox of a domain is kept alike";
                    let help = "Write `deliver` in the domain, and remove the second word of each line";
                    lowering.row_finding(UNUSED_COLUMN.at(place, message).help(help).postfix(&["virtual_mailbox_maps"]));
                }
                lowering.mailbox_row(&table, scope, row.line, &row.key, None);
            }
        }
        format => {
            let separator = if format == Format::Csv { b',' } else { b'\t' };
            let Some(records) = lowering.row(&table, Records::new(&text, separator, MAILBOX_COLUMNS)) else { return };
            for record in records {
                let Some(record) = lowering.row(&table, record) else { continue };
                let [Some(address), quota] = record.cells.as_slice() else { continue };
                lowering.mailbox_row(&table, scope, record.line, address, quota.as_ref());
            }
        }
    }
    let rows = lowering.addresses.declarations() - before;
    lowering.tables.read.push(TableDraft { file: table.file, node: "mailboxes", source: table.source, rows });
}

/// `aliases file=`.
pub(super) fn aliases(view: &View<'_>, scope: &Scope<'_>, lowering: &mut Lowering<'_>) {
    let Some(table) = lowering.open_table(view, &[Format::Csv, Format::Tsv, Format::Aliases, Format::Virtual]) else { return };
    let before = lowering.addresses.declarations();
    let text = Arc::clone(&table.text);
    match table.format {
        Format::Aliases => aliases::rows(&text).for_each(|row| {
            if let Some(row) = lowering.row(&table, row) {
                lowering.alias_row(&table, scope, &row);
            }
        }),
        Format::Virtual => pairs::virtual_rows(&text).for_each(|row| {
            if let Some(row) = lowering.row(&table, row) {
                lowering.virtual_row(&table, scope, &row);
            }
        }),
        format => {
            let separator = if format == Format::Csv { b',' } else { b'\t' };
            let Some(records) = lowering.row(&table, Records::new(&text, separator, ALIAS_COLUMNS)) else { return };
            for record in records {
                let Some(record) = lowering.row(&table, record) else { continue };
                lowering.alias_record(&table, scope, record.line, record.cells);
            }
        }
    }
    let rows = lowering.addresses.declarations() - before;
    lowering.tables.read.push(TableDraft { file: table.file, node: "aliases", source: table.source, rows });
}

/// A target as a row says it; without a host it belongs to the domain of the row.
struct Wanted {
    host: Option<HostId>,
    local: LocalPart,
    span: Span,
}

impl Lowering<'_> {
    /// Reads the file that a node names; what is wrong with it is reported.
    pub(super) fn open_table(&mut self, view: &View<'_>, formats: &[Format]) -> Option<Table> {
        let path = view.property::<String>("file")?;
        let said = view.property::<String>("format");
        if said.is_none() && view.property_span("format").is_some() {
            return None;
        }
        let told = said.map_or_else(|| Format::of_file(&path.value), |word| Format::parse(&word.value));
        let Some(format) = told.filter(|format| formats.contains(format)) else {
            let words: Vec<String> = formats.iter().map(|format| format!("\"{}\"", format.as_str())).collect();
            let message = format!("The name {:?} does not tell how the table is written", path.value);
            self.findings.push(TABLE_FORMAT.at(path.span, message).help(format!("Write format= and one of {}", words.join(", "))));
            return None;
        };
        self.tables.progress.stage(|| format!("reading {}", path.value));
        let source = self.table_source(&path)?;
        let text = Arc::clone(&self.sources.source(source).text);
        if text.trim_start_matches('\u{feff}').trim().is_empty() && matches!(format, Format::List | Format::Aliases) {
            let message = format!("The table {:?} is empty", path.value);
            self.findings.push(EMPTY_TABLE.at(path.span, message).help("Remove it, or look for what should have written it"));
        }
        Some(Table { source, text, format, file: path.span })
    }

    fn table_source(&mut self, path: &Spanned<String>) -> Option<SourceId> {
        if let Some(source) = self.tables.sources.get(&path.value) {
            return Some(*source);
        }
        let text = self.read(path, TABLE_MAX_OCTETS)?;
        let source = self.sources.add(path.value.trim_start_matches("./"), text)?;
        self.tables.sources.insert(path.value.clone(), source);
        Some(source)
    }

    /// Reports something about a row, if there is not enough of its kind already.
    pub(super) fn row_finding(&mut self, finding: Diagnostic) {
        if self.tables.rows.admit(finding.code, finding.severity, finding.primary) {
            self.findings.push(finding);
        }
    }

    /// What was read, or a finding.
    pub(super) fn row<T>(&mut self, table: &Table, read: Result<T, Fault>) -> Option<T> {
        let Fault { start, octets, kind } = match read {
            Ok(read) => return Some(read),
            Err(fault) => fault,
        };
        // A row may be longer than anybody reads.
        let shown = table.text.floor_char_boundary((start + octets.min(SHOWN_OCTETS)) as usize);
        let span = Span { source: table.source, start, length: shown as u32 - start };
        let finding = match kind {
            FaultKind::NoText(message) => ROW_SHAPE.at(span, message).help("Write the table as UTF-8 text, one row a line"),
            FaultKind::Header { message, help } => TABLE_HEADER.at(span, message).help(help),
            FaultKind::Shape { message, help } => ROW_SHAPE.at(span, message).help(help),
        };
        self.row_finding(finding);
        None
    }

    fn mailbox_row(&mut self, table: &Table, scope: &Scope<'_>, line: u32, key: &Piece<'_>, quota: Option<&Piece<'_>>) {
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
            self.addresses.mailbox(*host, &local, written, quota.clone());
        }
    }

    fn alias_record(&mut self, table: &Table, scope: &Scope<'_>, line: u32, cells: Vec<Option<Piece<'_>>>) {
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

    fn alias_row(&mut self, table: &Table, scope: &Scope<'_>, row: &Row<'_>) {
        let mut wanted = Vec::with_capacity(row.values.len());
        for value in &row.values {
            self.destination(table, value, &mut Vec::new(), &mut wanted);
        }
        self.declare_alias(table, scope, row.line, &row.key, &wanted);
        if let Some(list) = row.key.text.get(..6).filter(|head| head.eq_ignore_ascii_case("owner-")).map(|_| &row.key.text[6..])
            && let Some((hosts, local)) = self.key(table, scope, &row.key)
        {
            let list = local.folded().strip_prefix("owner-").unwrap_or(list).to_owned();
            let span = table.span(&row.key);
            self.tables.owners.extend(hosts.iter().map(|host| (*host, Spanned::new(list.clone(), span))));
        }
    }

    /// One destination of `aliases(5)`; `open` are the files that are being included.
    fn destination(&mut self, table: &Table, value: &Piece<'_>, open: &mut Vec<SourceId>, wanted: &mut Vec<Wanted>) {
        let (message, help) = match Destination::of(value) {
            Destination::Address => return wanted.extend(self.target(table, value)),
            Destination::Include(path) => return self.include(table, value, &path, open, wanted),
            Destination::Command(command) => (
                format!("Mail is not handed to a command from an alias: {command:?}"),
                "Write a mailbox here, and let the command read that; or a mail address of a program that speaks LMTP".to_owned(),
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

    fn include(
        &mut self, table: &Table, value: &Piece<'_>, path: &str, open: &mut Vec<SourceId>, wanted: &mut Vec<Wanted>,
    ) {
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

    fn virtual_row(&mut self, table: &Table, scope: &Scope<'_>, row: &Row<'_>) {
        let key = &row.key.text;
        let span = table.span(&row.key);
        if key.starts_with('/') {
            let finding = UNSERVED_ENTRY.at(span, "An expression is not looked up from a table");
            return self.row_finding(finding.help("Write `pattern` in the domain").postfix(&["virtual_alias_maps"]));
        }
        if let Some(domain) = key.strip_prefix('@') {
            return self.catch_all_row(table, scope, row, domain);
        }
        if !key.contains('@') && key.contains('.') && self.is_domain_of_site(key) {
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
    fn key<'s>(&mut self, table: &Table, scope: &Scope<'s>, key: &Piece<'_>) -> Option<(Cow<'s, [HostId]>, LocalPart)> {
        let (local, hosts) = match split(&key.text) {
            (local, Some(domain)) => (local, Cow::Owned(vec![self.domain_of(table, scope, key, domain)?])),
            (local, None) => match scope {
                Scope::Domain(hosts) => (local, Cow::Borrowed(*hosts)),
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
            Ok(local) => Some((hosts, local)),
            Err(_) => {
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
        match nearest(name, known.into_iter()) {
            Some(near) => format!("Write {near}, or declare `domain \"{name}\"`"),
            None => format!("Declare `domain \"{name}\"`, or remove the row"),
        }
    }

    fn is_domain_of_site(&self, name: &str) -> bool {
        let known = Domain::parse(name).ok().and_then(|domain| self.addresses.known_host(domain.as_str()));
        known.is_some_and(|host| self.addresses.count_in(host) > 0 || self.tables.domains.contains_key(&host))
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

    /// A piece as a value of the language; what is wrong with it is reported in the same words.
    pub(super) fn typed(&mut self, table: &Table, piece: &Piece<'_>, kind: &ValueType) -> Option<Typed> {
        match value::read(kind, &Value::String(piece.text.as_ref().to_owned())) {
            Ok(typed) => Some(typed),
            Err(error) => {
                let finding = error.to_diagnostic(table.span(piece));
                debug_assert!(finding.severity == Severity::Error, "a value that cannot be read is an error");
                self.row_finding(finding);
                None
            }
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
