//! Findings for programs: one JSON object a line. The fields are described by `schemas/diagnostic.schema.json`; they may
//! grow in number, and keep their meaning.

use super::{Diagnostic, View};
use crate::source::Span;
use serde_json::{Value, json};

/// One object a line.
pub fn render(diagnostics: &[Diagnostic], view: &View<'_>) -> String {
    diagnostics.iter().map(|diagnostic| format!("{}\n", object(diagnostic, view))).collect()
}

/// One finding.
pub fn object(diagnostic: &Diagnostic, view: &View<'_>) -> Value {
    let mut spans = vec![span(diagnostic.primary, true, &diagnostic.label, view)];
    spans.extend(diagnostic.secondary.iter().map(|label| span(label.span, false, &label.text, view)));
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity.as_str(),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "postfix": diagnostic.postfix,
        "allowed": diagnostic.allowed,
        "spans": spans,
    })
}

fn span(span: Span, primary: bool, label: &str, view: &View<'_>) -> Value {
    let place = view.place(span);
    json!({
        "file": place.path,
        "primary": primary,
        "label": label,
        "start_octet": span.start,
        "end_octet": span.start + span.length,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    })
}
