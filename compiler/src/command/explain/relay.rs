//! `explain --relay`: the table of [`crate::reach`], with the line that opens each cell.

use super::json;
use crate::command::Failure;
use crate::model::Model;
use crate::reach::{Cell, ClientKind, RecipientKind, table};
use serde::Serialize;
use std::fmt::Write;

/// What a program reads.
#[derive(Serialize)]
struct Table {
    /// Whether a stranger without a login may send to somewhere else, by whatever way.
    open: bool,
    cells: Vec<Cell>,
}

pub(super) fn run(model: &Model, for_programs: bool) -> Result<String, Failure> {
    let cells = table(model);
    let open = cells.iter().any(is_open);
    if for_programs { json(&Table { open, cells }) } else { Ok(describe(&cells, model)) }
}

fn is_open(cell: &Cell) -> bool {
    let is_stranger = matches!(cell.client, ClientKind::Stranger { .. });
    is_stranger && cell.recipient == RecipientKind::Elsewhere && cell.disposition == "accept"
}

fn describe(cells: &[Cell], model: &Model) -> String {
    let mut text = String::new();
    let width = |of: &dyn Fn(&Cell) -> usize| cells.iter().map(of).max().unwrap_or_default();
    let (kinds, examples, reasons) =
        (width(&|cell| cell.recipient.as_str().len()), width(&|cell| cell.example.len()), width(&|cell| cell.reason.len()));
    let mut before: Option<&Cell> = None;
    for cell in cells {
        // Writing to a string does not fail.
        if before.is_none_or(|before| before.listener != cell.listener) {
            let gap = if before.is_some() { "\n" } else { "" };
            let kind = model.site.listener(&cell.listener).map(|found| format!(" ({}, port {})", found.kind, found.port));
            let _ = writeln!(text, "{gap}listener {}{}", cell.listener, kind.unwrap_or_default());
        }
        if before.is_none_or(|before| before.listener != cell.listener || before.client != cell.client) {
            let _ = writeln!(text, "  {}", cell.client);
        }
        let _ = writeln!(
            text,
            "    {:<kinds$}  {:<examples$}  {:<6}  {:<reasons$}  {}",
            cell.recipient.as_str(),
            cell.example,
            cell.disposition,
            cell.reason,
            cell.source.as_deref().unwrap_or("default"),
        );
        before = Some(cell);
    }
    text.push_str(match cells.iter().find(|cell| is_open(cell)) {
        None => "\nstrangers reach what is ours, and nothing else\n",
        Some(_) => "\nSTRANGERS REACH OTHER HOSTS\n",
    });
    text
}
