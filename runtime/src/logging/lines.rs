//! Lines on their way to where they are read. Sessions and deliveries put theirs into memory; one thread writes all that has come
//! together in one call.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long lines gather before they are written: a thread that woke for each of them would cost more than the lines do.
const GATHER: Duration = Duration::from_millis(3);
/// Text that waits to be written; beyond it, whoever logs waits until some is gone.
const WAITING_LIMIT_OCTETS: usize = 4 << 20;

/// See the module.
#[derive(Clone)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Somebody cannot wait until lines have gathered.
    hurry: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// The thread is about to write what it took.
    writing: bool,
    /// Nothing is to gather any more: the process ends.
    hurried: bool,
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
            // Whoever waits for room or for the end is not kept waiting.
            let gathers = |waiting: &mut Waiting| !waiting.hurried && waiting.text.len() < WAITING_LIMIT_OCTETS;
            waiting = self.0.hurry.wait_timeout_while(waiting, GATHER, gathers).unwrap_or_else(PoisonError::into_inner).0;
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
        let mut waiting = self.waiting();
        waiting.hurried = true;
        self.0.hurry.notify_all();
        drop(self.0.changed.wait_timeout_while(waiting, Duration::from_secs(2), is_left));
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_full = |waiting: &mut Waiting| waiting.text.len() > WAITING_LIMIT_OCTETS;
        let mut waiting = self.0.changed.wait_while(self.waiting(), is_full).unwrap_or_else(PoisonError::into_inner);
        let is_first = waiting.text.is_empty();
        waiting.text.extend_from_slice(line);
        let is_full = waiting.text.len() > WAITING_LIMIT_OCTETS;
        drop(waiting);
        // Only one that sleeps has to be woken.
        if is_first {
            self.0.changed.notify_all();
        }
        if is_full {
            self.0.hurry.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
