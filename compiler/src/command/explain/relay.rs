//! `explain --relay`: the table of [`crate::reach`], with the line that opens each cell.

use super::json;
use crate::command::Failure;
use crate::model::Model;
use crate::reach::{Cell, table};
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

fn describe(cells: &[Cell], open: bool, model: &Model) -> String {
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
    text.push_str(if open {
        "\nANYBODY MAY SEND TO ANYWHERE: see `postern rule RLY001`\n"
    } else {
        "\nstrangers reach what is ours, and nothing else\n"
    });
    text
}
