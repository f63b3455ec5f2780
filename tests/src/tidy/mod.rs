//! Checks of the source tree: what ARCHITECTURE.md promises and no compiler holds. Each check is a function from a [`Tree`] to
//! [`Finding`]s; `tests/tidy.rs` runs them over the workspace, and the unit tests in here over trees that break the rule, so
//! that no check passes by seeing nothing.
//!
//! A text-matching check can be fooled. It is there for the honest mistake, and its price is that an exception is a line in
//! `tests/tidy-allow.txt` with a reason.

pub mod allow;
pub mod imports;
pub mod manifests;
pub mod map;
pub mod replies;
pub mod rules;
pub mod rust;
pub mod shape;
pub mod tree;
pub mod wording;

pub use allow::Allowed;
pub use tree::{Finding, SourceFile, Tree};

/// Fails with every finding, one a line.
///
/// # Panics
/// If there is one.
pub fn assert_none(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
}
