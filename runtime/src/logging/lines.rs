//! Lines on their way to where they are read. Sessions and deliveries put theirs into memory; one thread writes all that has come
//! together in one call.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Text that waits to be written; beyond it, whoever logs waits until some is gone.
const WAITING_LIMIT_OCTETS: usize = 4 << 20;

/// See the module.
#[derive(Clone)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// The thread is about to write what it took.
    writing: bool,
}

impl Lines {
    /// Starts the thread that writes.
    pub(super) fn start(sink: impl Write + Send + 'static) -> Lines {
        let lines = Lines(Arc::new(Shared::default()));
        let writer = lines.clone();
        if let Err(error) = std::thread::Builder::new().name("log".into()).spawn(move || writer.write_out(sink)) {
            let _ = writeln!(io::stderr(), "the thread that writes the log cannot be started: {error}");
        }
        lines
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self, mut sink: impl Write) {
        let mut taken = Vec::new();
        loop {
            let mut waiting = self.waiting();
            waiting.writing = false;
            self.0.changed.notify_all();
            while waiting.text.is_empty() {
                waiting = self.0.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut taken, &mut waiting.text);
            waiting.writing = true;
            drop(waiting);
            // A log that nobody reads any more must not stop the mail.
            let _ = sink.write_all(&taken);
            taken.clear();
        }
    }

    /// Waits, but not for ever, until everything is written.
    pub(super) fn drain(&self) {
        let is_left = |waiting: &mut Waiting| waiting.writing || !waiting.text.is_empty();
        drop(self.0.changed.wait_timeout_while(self.waiting(), Duration::from_secs(2), is_left));
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_full = |waiting: &mut Waiting| waiting.text.len() > WAITING_LIMIT_OCTETS;
        let mut waiting = self.0.changed.wait_while(self.waiting(), is_full).unwrap_or_else(PoisonError::into_inner);
        waiting.text.extend_from_slice(line);
        self.0.changed.notify_all();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
