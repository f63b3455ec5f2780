//! Workflow commands of GitHub Actions, which become annotations on the changed lines of a pull request.

use super::{Diagnostic, Severity, View};
use std::fmt::Write;

/// `::error file=site.kdl,line=3,col=5,endLine=3,endColumn=9,title=DOM001::message`, one line each.
pub fn render(diagnostics: &[Diagnostic], view: &View<'_>) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let place = view.place(diagnostic.primary);
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let help = diagnostic.help.iter().map(|help| format!("\n{help}")).collect::<String>();
        // Writing to a string does not fail.
        let _ = write!(out, "::{command} file={},line={},col={}", property(&place.path), place.line, place.column);
        // A column range means something within one line only.
        if place.end_line == place.line {
            let _ = write!(out, ",endLine={},endColumn={}", place.end_line, place.end_column);
        } else {
            let _ = write!(out, ",endLine={}", place.end_line);
        }
        let _ = writeln!(out, ",title={}::{}", property(diagnostic.code), data(&format!("{}{help}", diagnostic.message)));
    }
    out
}

/// The escapes of a message, as the runner undoes them.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of a property value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
