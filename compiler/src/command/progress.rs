//! The line on a terminal that says what a long run is at. Only on a terminal, only after a moment, and gone when it ends.

use crate::progress::Progress;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a run stays silent.
const MOMENT: Duration = Duration::from_millis(500);
/// How long a line stands before it is drawn anew.
const PAUSE: Duration = Duration::from_millis(100);

/// Shows what a [`Progress`] is told until it is dropped.
pub struct ProgressLine {
    progress: Progress,
    drawer: Option<(Sender<()>, JoinHandle<()>)>,
}

impl ProgressLine {
    /// Begins to look, if standard error is a terminal.
    pub fn start() -> ProgressLine {
        if !io::stderr().is_terminal() || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return ProgressLine { progress: Progress::default(), drawer: None };
        }
        let progress = Progress::watched();
        let shown = progress.clone();
        let (stop, stopped) = mpsc::channel();
        let draw = move || {
            let mut wait = MOMENT;
            let mut last = String::new();
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let now = shown.now();
                if now != last {
                    // Nobody is left to tell if standard error is gone.
                    let _ = write!(io::stderr(), "\r\x1b[K{now} ...");
                    last = now;
                }
                wait = PAUSE;
            }
            if !last.is_empty() {
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        };
        // Without a thread there is no line, and nothing else is missing.
        let drawer = std::thread::Builder::new().spawn(draw).ok().map(|thread| (stop, thread));
        ProgressLine { progress, drawer }
    }

    /// What the run is to tell its stages to.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.drawer.take() {
            drop(stop);
            // A drawer that panicked has drawn its last.
            let _ = thread.join();
        }
    }
}
