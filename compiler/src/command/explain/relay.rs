//! `explain --relay`: the table of [`crate::reach`], with the line that opens each cell.

use super::json;
use crate::command::Failure;
use crate::model::Model;
use crate::reach::{Cell, table};
use crate::rules::chooses_destination;
use crate::rules::probe::{is_anybody, open_paths};
use serde::Serialize;
use std::fmt::Write;

/// What a program reads.
#[derive(Serialize)]
struct Table {
    /// Whether anybody may send to anywhere without a login, as the relay proof has it.
    open: bool,
    cells: Vec<Cell>,
}

pub(super) fn run(model: &Model, for_programs: bool) -> Result<String, Failure> {
    let cells = table(model);
    let open = is_anybody(&open_paths(model));
    if for_programs { json(&Table { open, cells }) } else { Ok(describe(&cells, open, model)) }
}

/// A row of the table for people: what several recipients of a kind have in common stands in one.
#[derive(PartialEq, Eq)]
struct Row<'a> {
    kind: &'static str,
    example: &'a str,
    /// How many more recipients it is true of.
    more: usize,
    disposition: &'a str,
    reason: &'a str,
    source: &'a str,
}

impl Row<'_> {
    fn shown(&self) -> String {
        if self.more == 0 { self.example.to_owned() } else { format!("{} and {} like it", self.example, self.more) }
    }
}

fn rows<'a>(cells: &[&'a Cell]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for cell in cells {
        let source = cell.source.as_deref().unwrap_or("default");
        let (kind, disposition, reason) = (cell.recipient.as_str(), cell.disposition, &*cell.reason);
        let same =
            |row: &&mut Row<'_>| (row.kind, row.disposition, row.reason, row.source) == (kind, disposition, reason, source);
        match rows.iter_mut().find(same) {
            Some(row) => row.more += 1,
            None => rows.push(Row { kind, example: &cell.example, more: 0, disposition, reason, source }),
        }
    }
    rows
}

/// The clients of a listener, those together to whom the same happens, each lot with its rows.
fn clients<'a>(cells: &'a [Cell], listener: &str) -> Vec<(Vec<String>, Vec<Row<'a>>)> {
    let of_listener: Vec<&Cell> = cells.iter().filter(|cell| *cell.listener == *listener).collect();
    let mut lots: Vec<(Vec<String>, Vec<Row<'_>>)> = Vec::new();
    for of_client in of_listener.chunk_by(|one, other| one.client == other.client) {
        let (client, rows) = (of_client[0].client.to_string(), rows(of_client));
        match lots.iter_mut().find(|(_, known)| *known == rows) {
            Some((clients, _)) => clients.push(client),
            None => lots.push((vec![client], rows)),
        }
    }
    lots
}

fn describe(cells: &[Cell], open: bool, model: &Model) -> String {
    let mut listeners: Vec<&str> = Vec::new();
    for cell in cells {
        if !listeners.contains(&&*cell.listener) {
            listeners.push(&cell.listener);
        }
    }
    let tables: Vec<_> = listeners.iter().map(|listener| (*listener, clients(cells, listener))).collect();
    let all_rows = || tables.iter().flat_map(|(_, lots)| lots).flat_map(|(_, rows)| rows);
    let width = |of: &dyn Fn(&Row<'_>) -> usize| all_rows().map(of).max().unwrap_or_default();
    let (kinds, examples, reasons) =
        (width(&|row| row.kind.len()), width(&|row| row.shown().len()), width(&|row| row.reason.len()));
    let mut text = String::new();
    for (listener, lots) in &tables {
        // Writing to a string does not fail.
        let kind = model.site.listener(listener).map(|found| format!(" ({}, port {})", found.kind, found.port));
        let _ = writeln!(text, "listener {listener}{}", kind.unwrap_or_default());
        for (clients, rows) in lots {
            let _ = writeln!(text, "  {}", clients.join("; "));
            for row in rows {
                let (shown, Row { kind, disposition, reason, source, .. }) = (row.shown(), row);
                let _ = writeln!(text, "    {kind:<kinds$}  {shown:<examples$}  {disposition:<6}  {reason:<reasons$}  {source}");
            }
        }
        text.push('\n');
    }
    let chosen = model.domains.values().flat_map(|domain| &domain.patterns).find(|pattern| chooses_destination(pattern));
    if let Some(pattern) = chosen {
        let place = model.site.sources.describe(pattern.origin);
        let _ = writeln!(
            text,
            "WHOEVER WRITES TO US CHOOSES WHERE MAIL GOES ON TO, by the pattern at {place}: see `postern rule RLY007`"
        );
    }
    text.push_str(if open {
        "ANYBODY MAY SEND TO ANYWHERE: see `postern rule RLY001`\n"
    } else if chosen.is_some() {
        ""
    } else {
        "strangers reach what is ours, and nothing else\n"
    });
    text
}
