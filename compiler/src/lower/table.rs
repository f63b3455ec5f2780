//! `mailboxes` and `aliases`: the rows of table files become addresses, in the same book as the nodes of a site file.

mod row;

use super::Lowering;
use super::draft::{DomainDraft, TableDraft};
use crate::addresses::HostId;
use crate::progress::Progress;
use crate::report::{Diagnostic, RowFindings, Severity};
use crate::rules::{EMPTY_TABLE, ROW_SHAPE, TABLE_FORMAT, TABLE_HEADER, UNUSED_COLUMN};
use crate::source::{SourceId, Span, Spanned};
use crate::syntax::grammar::ValueType;
use crate::syntax::value::{self, Typed};
use crate::syntax::{Value, View};
use crate::table::cells::{Column, Records};
use crate::table::{Fault, FaultKind, Format, Piece, aliases, list, pairs};
use postern_schema::name::{HostName, Mailbox};
use postern_schema::site::DomainClass;
use std::collections::HashMap;
use std::sync::Arc;

/// Largest table, in octets.
const TABLE_MAX_OCTETS: u64 = 256 << 20;
/// The most octets of a row that are pointed at.
const SHOWN_OCTETS: u32 = 200;

/// What is known of tables while a site is lowered.
pub(crate) struct Tables {
    /// Every table that was read, in source order.
    pub read: Vec<TableDraft>,
    /// The findings about rows.
    pub rows: RowFindings,
    /// Each file is a source once, however many nodes name it.
    sources: HashMap<String, SourceId>,
    /// Where each is named, by what it is a table of and the first of the domains that its rows lie in.
    named: HashMap<(SourceId, String, Option<HostId>), Span>,
    /// The local domains, and why others take no rows; known once every domain is lowered.
    domains: HashMap<HostId, Result<(), String>>,
    /// `@domain` in `virtual(5)`.
    catch_alls: Vec<(HostId, Spanned<Mailbox>)>,
    progress: Progress,
}

impl Tables {
    pub fn new(first_table: SourceId, progress: Progress) -> Tables {
        Tables {
            read: Vec::new(),
            rows: RowFindings::new(first_table),
            sources: HashMap::new(),
            named: HashMap::new(),
            domains: HashMap::new(),
            catch_alls: Vec::new(),
            progress,
        }
    }

    /// An error as one of the site files: of a row, it stands where its table is named, which may be more places than one.
    pub fn in_site(&self, error: &Diagnostic) -> Vec<Diagnostic> {
        let tables = self.read.iter().filter(|table| table.source == error.primary.source);
        let named: Vec<Diagnostic> = tables.map(|table| Diagnostic { primary: table.file, ..error.clone() }).collect();
        if named.is_empty() { vec![error.clone()] } else { named }
    }
}

/// Where the rows of a table may lie.
pub(super) enum Scope<'a> {
    /// In the domains of one node, all of them where a row has no domain.
    Domain(&'a [HostId]),
    /// In any local domain of the site.
    Site,
}

impl Scope<'_> {
    fn first(&self) -> Option<HostId> {
        match self {
            Scope::Domain(hosts) => hosts.first().copied(),
            Scope::Site => None,
        }
    }
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
            DomainClass::Relay(_) => Err("is a relay domain, whose mail another host keeps".to_owned()),
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
    let rows = std::mem::replace(&mut lowering.tables.rows, RowFindings::new(SourceId(0)));
    lowering.findings.extend(rows.rest());
}

/// `mailboxes file=`.
pub(super) fn mailboxes(view: &View<'_>, scope: &Scope<'_>, lowering: &mut Lowering<'_>) {
    users(view, scope, Listed::Mailboxes, lowering);
}

/// `recipients file=` of a relay domain.
pub(super) fn recipients(view: &View<'_>, hosts: &[HostId], lowering: &mut Lowering<'_>) {
    users(view, &Scope::Domain(hosts), Listed::Recipients, lowering);
}

/// What the addresses of a table with one of them in each row are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Mailboxes,
    Recipients,
}

impl Listed {
    fn node(self) -> &'static str {
        match self {
            Listed::Mailboxes => "mailboxes",
            Listed::Recipients => "recipients",
        }
    }

    fn columns(self) -> &'static [Column] {
        match self {
            Listed::Mailboxes => MAILBOX_COLUMNS,
            Listed::Recipients => &MAILBOX_COLUMNS[..1],
        }
    }
}

fn users(view: &View<'_>, scope: &Scope<'_>, listed: Listed, lowering: &mut Lowering<'_>) {
    let Some(table) = lowering.open_table(view, scope, &[Format::Csv, Format::Tsv, Format::List]) else { return };
    let before = lowering.addresses.declarations();
    let text = Arc::clone(&table.text);
    match table.format {
        Format::List => {
            let mut is_said = false;
            for row in list::rows(&text) {
                let Some(row) = lowering.row(&table, row) else { continue };
                if listed == Listed::Mailboxes
                    && let Some(path) = row.values.first()
                    && !std::mem::replace(&mut is_said, true)
                {
                    let place = table.span(path);
                    let message = "Where mail is kept is not read from here: every mailbox of a domain is kept alike";
                    let help = "Write `deliver` in the domain, and remove the second word of each line";
                    lowering.row_finding(UNUSED_COLUMN.at(place, message).help(help).postfix(&["virtual_mailbox_maps"]));
                }
                lowering.mailbox_row(&table, scope, listed, row.line, &row.key, None);
            }
        }
        format => {
            let separator = if format == Format::Csv { b',' } else { b'\t' };
            let Some(records) = lowering.row(&table, Records::new(&text, separator, listed.columns())) else { return };
            for record in records {
                let Some(record) = lowering.row(&table, record) else { continue };
                let [Some(address), quota @ ..] = record.cells.as_slice() else { continue };
                let quota = quota.first().and_then(Option::as_ref);
                lowering.mailbox_row(&table, scope, listed, record.line, address, quota);
            }
        }
    }
    let rows = lowering.addresses.declarations() - before;
    lowering.tables.read.push(TableDraft { file: table.file, node: listed.node(), source: table.source, rows });
}

/// `aliases file=`.
pub(super) fn aliases(view: &View<'_>, scope: &Scope<'_>, lowering: &mut Lowering<'_>) {
    let Some(table) = lowering.open_table(view, scope, &[Format::Csv, Format::Tsv, Format::Aliases, Format::Virtual]) else {
        return;
    };
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

impl Lowering<'_> {
    /// Reads the file that a node names; what is wrong with it is reported.
    pub(super) fn open_table(&mut self, view: &View<'_>, scope: &Scope<'_>, formats: &[Format]) -> Option<Table> {
        let path = view.property::<String>("file")?;
        let said = view.property::<String>("format");
        if said.is_none() && view.property_span("format").is_some() {
            return None;
        }
        let told = said.map_or_else(|| Format::of_file(&path.value), |word| Format::parse(&word.value));
        let Some(format) = told.filter(|format| formats.contains(format)) else {
            let words: Vec<String> = formats.iter().map(|format| format!("\"{}\"", format.as_str())).collect();
            let message = match told {
                Some(format) => format!("A table of {} is not written as {:?}", view.name(), format.as_str()),
                None => format!("The name {:?} does not tell how the table is written", path.value),
            };
            self.findings
                .push(TABLE_FORMAT.at(path.span, message).help(format!("Write format= and one of {}", words.join(", "))));
            return None;
        };
        self.tables.progress.stage(|| format!("reading {}", path.value));
        let source = self.table_source(&path)?;
        // Read again, each of its rows would be there twice.
        if let Some(first) = self.tables.named.insert((source, view.name().to_owned(), scope.first()), path.span) {
            let finding = Diagnostic::error("LNG008", path.span, format!("The table {:?} is read already", path.value));
            self.findings.push(finding.also(first, "first named here").help("Remove one of the two"));
            return None;
        }
        let text = Arc::clone(&self.sources.source(source).text);
        if text.trim_start_matches('\u{feff}').trim().is_empty() && matches!(format, Format::List | Format::Aliases) {
            let message = format!("The table {:?} is empty", path.value);
            self.findings.push(EMPTY_TABLE.at(path.span, message).help("Remove it, or look for what should have written it"));
        }
        // A row has a line, and a line that is one has some octets.
        let lines = self.sources.source(source).lines();
        self.addresses.reserve(lines.min(text.len() / 8));
        Some(Table { source, text, format, file: path.span })
    }

    fn table_source(&mut self, path: &Spanned<String>) -> Option<SourceId> {
        let name = path.value.trim_start_matches("./");
        if let Some(source) = self.tables.sources.get(name) {
            return Some(*source);
        }
        let text = self.read(path, TABLE_MAX_OCTETS)?;
        let source = self.sources.add(name, text)?;
        self.tables.sources.insert(name.to_owned(), source);
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

#[cfg(test)]
mod tests;
