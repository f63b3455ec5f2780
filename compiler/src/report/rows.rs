//! Findings about the rows of tables: one slip of a script makes a million of them. [`RowFindings`] lets the first of each kind in
//! each file through and counts the others.

use super::{Diagnostic, Severity};
use crate::source::{SourceId, Span};
use std::collections::BTreeMap;

/// The most findings of one kind that one table gets.
pub const ROWS_SHOWN: usize = 20;

/// What was found in rows so far.
#[derive(Debug)]
pub struct RowFindings {
    first_table: SourceId,
    seen: BTreeMap<(&'static str, SourceId), Seen>,
}

#[derive(Debug)]
struct Seen {
    severity: Severity,
    count: usize,
    /// The first that was not shown.
    hidden: Option<Span>,
}

impl RowFindings {
    /// Sources from this one on are tables.
    pub fn new(first_table: SourceId) -> RowFindings {
        RowFindings { first_table, seen: BTreeMap::new() }
    }

    /// Counts a finding, and says whether it is to be shown. What is not in a table always is.
    pub fn admit(&mut self, code: &'static str, severity: Severity, place: Span) -> bool {
        if place.source < self.first_table {
            return true;
        }
        let seen = self.seen.entry((code, place.source)).or_insert(Seen { severity, count: 0, hidden: None });
        seen.count += 1;
        if seen.count > ROWS_SHOWN {
            seen.hidden.get_or_insert(place);
        }
        seen.count <= ROWS_SHOWN
    }

    /// One finding for each kind of which some were not shown.
    pub fn rest(self) -> impl Iterator<Item = Diagnostic> {
        self.seen.into_iter().filter_map(|((code, _), Seen { severity, count, hidden })| {
            let more = count - ROWS_SHOWN.min(count);
            let rows = if more == 1 { "row" } else { "rows" };
            let message = format!("The same is wrong with {more} {rows}, this one and others behind it");
            Some(Diagnostic::new(code, severity, hidden?, message).help("Mend the rows above first, or what writes them"))
        })
    }
}
