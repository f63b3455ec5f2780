//! Findings and the ways to show them.

mod diagnostic;

pub use diagnostic::{Diagnostic, Label, Severity, sort};
