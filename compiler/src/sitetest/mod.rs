//! The site's own `test` blocks: one envelope each, and what must become of it. They run over the compiled site, with the
//! daemon's own decisions; `check`, `build` and `test` all run them.

mod coverage;
mod draft;
mod run;

pub use coverage::{Coverage, Part, coverage};
pub(crate) use draft::lower;
pub use draft::{ExpectDraft, TestDraft};
pub use run::{SiteTest, run};

#[cfg(test)]
mod tests;
