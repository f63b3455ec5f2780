//! One line a finding, as compilers have always printed them: what `vim`, `emacs` and `grep` users jump by.

use super::{Diagnostic, View};
use std::fmt::Write;

/// `site.kdl:3:5: error: DOM001: message; help`, one line each.
pub fn render(diagnostics: &[Diagnostic], view: &View<'_>) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let place = view.place(diagnostic.primary);
        let severity = diagnostic.severity.as_str();
        // Writing to a string does not fail.
        let _ = write!(out, "{}:{}:{}: {severity}: {}: ", place.path, place.line, place.column, diagnostic.code);
        out.push_str(&one_line(&diagnostic.message));
        if let Some(help) = &diagnostic.help {
            let _ = write!(out, "; {}", one_line(help));
        }
        out.push('\n');
    }
    out
}

/// A text without line ends and other control characters, which would break the format or drive a terminal.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
