//! `routes`: the rows of a table of routes, in CSV or as `transport(5)`.

use super::Lowering;
use super::draft::{RouteDraft, Setting, TableDraft};
use super::egress;
use super::table::{Scope, Table};
use crate::rules::{ROW_SHAPE, UNSERVED_ENTRY};
use crate::source::{Span, Spanned};
use crate::syntax::View;
use crate::syntax::grammar::ValueType;
use crate::syntax::value::Typed;
use crate::table::cells::{Column, Record, Records};
use crate::table::{Format, Piece, Row, pairs};
use postern_schema::name::HostName;
use postern_schema::site::{RoutePattern, TlsLevel, Via};
use std::sync::Arc;

/// The most rows of one table: routes are tried one after the other, for each message.
const ROWS_LIMIT: usize = 1000;

const COLUMNS: &[Column] = &[
    Column { name: "to", required: true },
    Column { name: "via", required: true },
    Column { name: "from", required: false },
    Column { name: "tls", required: false },
];

/// `routes file=`.
pub(super) fn routes(view: &View<'_>, lowering: &mut Lowering<'_>, found: &mut Vec<RouteDraft>) {
    let Some(table) = lowering.open_table(view, &Scope::Site, &[Format::Csv, Format::Tsv, Format::Transport]) else { return };
    let text = Arc::clone(&table.text);
    let mut rows = Vec::new();
    match table.format {
        Format::Transport => {
            for row in pairs::transport_rows(&text) {
                if let Some(row) = lowering.row(&table, row)
                    && has_room(&table, &row.key, rows.len(), lowering)
                {
                    rows.extend(lowering.transport_row(&table, &row));
                }
            }
            // The narrowest pattern wins there, and the first one here.
            rows.sort_by_key(|route| std::cmp::Reverse(narrowness(&route.to.value)));
        }
        format => {
            let separator = if format == Format::Csv { b',' } else { b'\t' };
            let Some(records) = lowering.row(&table, Records::new(&text, separator, COLUMNS)) else { return };
            for record in records {
                if let Some(record) = lowering.row(&table, record)
                    && let Some(to) = &record.cells[0]
                    && has_room(&table, to, rows.len(), lowering)
                {
                    rows.extend(lowering.route_record(&table, &record));
                }
            }
        }
    }
    lowering.tables.read.push(TableDraft { file: table.file, node: "routes", source: table.source, rows: rows.len() });
    found.append(&mut rows);
}

fn has_room(table: &Table, key: &Piece<'_>, rows: usize, lowering: &mut Lowering<'_>) -> bool {
    if rows >= ROWS_LIMIT {
        let finding = ROW_SHAPE.at(table.span(key), format!("A table has at most {ROWS_LIMIT} routes"));
        lowering.row_finding(finding.help("Join routes: `.example.com` stands for everything below example.com"));
    }
    rows < ROWS_LIMIT
}

/// The whole name first, then parents by their length, then everything.
fn narrowness(pattern: &RoutePattern) -> (u8, usize) {
    match pattern {
        RoutePattern::Domain(_) => (2, 0),
        RoutePattern::Below(parent) => (1, parent.as_str().len()),
        RoutePattern::Any => (0, 0),
    }
}

impl Lowering<'_> {
    fn route_record(&mut self, table: &Table, record: &Record<'_>) -> Option<RouteDraft> {
        let [Some(to), Some(via), from, tls] = record.cells.as_slice() else { return None };
        let to = self.pattern(table, to)?;
        let from = match from.as_ref().filter(|from| !from.text.is_empty()) {
            Some(from) => self.pattern(table, from)?,
            None => Setting::default_of(RoutePattern::Any),
        };
        let tls = match tls.as_ref().filter(|tls| !tls.text.is_empty()) {
            Some(tls) => Some(self.level(table, tls)?),
            None => None,
        };
        let via = Spanned::new(via.text.as_ref().to_owned(), table.span(via));
        Some(RouteDraft { span: to.span.unwrap_or(via.span), to, from, via: self.via_row(via)?, tls, from_address: Vec::new() })
    }

    fn transport_row(&mut self, table: &Table, row: &Row<'_>) -> Option<RouteDraft> {
        let to = self.pattern(table, &row.key)?;
        let span = table.span(&row.key);
        let via = self.next_hop(table, row.values.first()?)?;
        Some(RouteDraft { span, to, from: Setting::default_of(RoutePattern::Any), via, tls: None, from_address: Vec::new() })
    }

    /// `transport:nexthop` as one of ours.
    fn next_hop(&mut self, table: &Table, value: &Piece<'_>) -> Option<Spanned<Via>> {
        let span = table.span(value);
        let (transport, next_hop) = value.text.split_once(':').unwrap_or((&value.text, ""));
        match transport {
            "smtp" | "relay" | "" if next_hop.is_empty() => Some(Spanned::new(Via::Direct, span)),
            "smtp" | "relay" | "" => self.relay_at(next_hop, span),
            name if next_hop.is_empty() && self.relays.holds(name) => self.via_row(Spanned::new(name.to_owned(), span)),
            name => {
                let message = format!("Mail for elsewhere is not handed to a transport {name:?}");
                let help = "Write smtp: and a next hop, or the name of a `relay`; to refuse mail, leave it without a route";
                self.row_finding(UNSERVED_ENTRY.at(span, message).help(help).postfix(&["transport_maps"]));
                None
            }
        }
    }

    /// The relay that has this host and port.
    fn relay_at(&mut self, next_hop: &str, span: Span) -> Option<Spanned<Via>> {
        let (host, port) = match next_hop.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') || next_hop.starts_with('[') => (host, port),
            _ => (next_hop, "25"),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = if port == "smtp" { "25" } else { port };
        let wanted = bare.parse().map(HostName::Literal).ok().or_else(|| HostName::parse(bare).ok());
        let name = self.document.children("relay").find_map(|view| {
            let same_port = view.property::<u16>("port").map_or(25, |port| port.value).to_string() == port;
            let same_host = view.property::<HostName>("host").map(|host| host.value) == wanted && wanted.is_some();
            (same_port && same_host).then(|| view.argument::<String>("name")).flatten()
        });
        if let Some(name) = name {
            return self.via_row(Spanned::new(name.value, span));
        }
        if self.relays.is_complete() {
            let message = format!("No relay of this site is {next_hop}");
            let help = format!("Declare it: `relay \"{}\" host=\"{bare}\" port={port}`", bare.split('.').next().unwrap_or(bare));
            self.row_finding(UNSERVED_ENTRY.at(span, message).help(help).postfix(&["transport_maps", "relayhost"]));
        }
        None
    }

    fn via_row(&mut self, name: Spanned<String>) -> Option<Spanned<Via>> {
        egress::via(name, self).map_err(|finding| finding.into_iter().for_each(|finding| self.row_finding(*finding))).ok()
    }

    fn pattern(&mut self, table: &Table, piece: &Piece<'_>) -> Option<Setting<RoutePattern>> {
        match self.typed(table, piece, &ValueType::Selection)? {
            Typed::Selection(pattern) => Some(Setting { value: pattern, span: Some(table.span(piece)) }),
            _ => None,
        }
    }

    fn level(&mut self, table: &Table, piece: &Piece<'_>) -> Option<Spanned<TlsLevel>> {
        match TlsLevel::parse(&piece.text) {
            Some(level) => Some(Spanned::new(level, table.span(piece))),
            None => {
                let finding = ROW_SHAPE.at(table.span(piece), format!("{:?} is no level of TLS", piece.text));
                self.row_finding(finding.help("Write none, may, encrypt or verify"));
                None
            }
        }
    }
}
