//! What a long run is at: [`Progress`] is told each stage, and whoever shows it (a command, on a terminal) looks when it likes.
//! Nothing that is compiled depends on it.

use std::sync::{Arc, Mutex, PoisonError};

/// Where a run says what it is at. Clones share it; the default one is not shown to anybody.
#[derive(Clone, Default, Debug)]
pub struct Progress(Option<Arc<Mutex<String>>>);

impl Progress {
    /// One that somebody looks at.
    pub fn watched() -> Progress {
        Progress(Some(Arc::default()))
    }

    /// Says what begins now: "reading aliases.csv".
    pub fn stage(&self, what: impl FnOnce() -> String) {
        if let Some(stage) = &self.0 {
            *stage.lock().unwrap_or_else(PoisonError::into_inner) = what();
        }
    }

    /// What was said last.
    pub fn now(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |stage| stage.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
