//! Changes to the text of a site, each at a place that the compiler named. All of them are written, or none.

use super::super::Failure;
use super::super::replace::replace;
use super::super::site::SiteArguments;
use crate::source::{Sources, Span};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Changes that are made together.
#[derive(Default)]
pub(super) struct Edit {
    /// By source and place: what stands there, and what shall.
    changes: BTreeMap<(usize, u32), (u32, String)>,
}

impl Edit {
    /// Puts a text into the place of another.
    pub(super) fn replace(&mut self, span: Span, text: String) {
        self.changes.insert((usize::from(span.source.0), span.start), (span.length, text));
    }

    /// Puts a text behind another.
    pub(super) fn append(&mut self, span: Span, text: &str) {
        let place = self.changes.entry((usize::from(span.source.0), span.start + span.length)).or_default();
        place.1.push_str(text);
    }

    /// Whether there is nothing to change.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Writes the changed files, and compiles the site again: if it does not compile any more, everything is as before.
    pub(super) fn apply(&self, sources: &Sources, site: &SiteArguments) -> Result<(), Failure> {
        let mut before: Vec<(PathBuf, &str)> = Vec::new();
        let restore = |before: &[(PathBuf, &str)]| before.iter().for_each(|(path, text)| drop(replace(path, text)));
        for (index, (_, source)) in sources.iter().enumerate() {
            let changes: Vec<_> = self.changes.range((index, 0)..(index + 1, 0)).collect();
            if changes.is_empty() {
                continue;
            }
            let mut text = String::clone(&source.text);
            // From the end, so that the places before stay true.
            for ((_, start), (length, new)) in changes.into_iter().rev() {
                let range = *start as usize..(*start + *length) as usize;
                text.replace_range(range, new);
            }
            let path = sources.folder().join(&*source.path);
            before.push((path.clone(), source.text.as_str()));
            if let Err(error) = replace(&path, &text) {
                restore(&before);
                return Err(Failure::refused(format!("{}: {error}; nothing was changed", path.display())));
            }
        }
        site.model().map(drop).inspect_err(|_| restore(&before))
    }
}
