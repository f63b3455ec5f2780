//! Log lines on standard error, in the form that the site asks for; `POSTERN_LOG` filters them (`info` when unset).
//!
//! Levels by meaning: `error` is damage or a bug, `warn` is for the operator to act on, `info` is one line per decision and
//! per delivery attempt, `debug` is for developers. No line holds a secret or the content of a message.

use postern_schema::site::LogFormat;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

type Output = Box<dyn Layer<Registry> + Send + Sync>;

/// Text that waits to be written; beyond it, whoever logs waits until some is gone.
const WAITING_LIMIT_OCTETS: usize = 4 << 20;

/// Changes the form of the lines while the daemon runs, and writes out what is left when it is dropped.
pub struct Logging {
    form: reload::Handle<Output, Registry>,
    lines: Lines,
}

impl Logging {
    /// Starts to log.
    pub fn start(format: LogFormat) -> Logging {
        let lines = Lines::start();
        let (layer, form) = reload::Layer::new(output(format, &lines));
        let filter = EnvFilter::try_from_env("POSTERN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
        // A second start in one process, as tests make it, keeps the first one's output.
        let _ = tracing_subscriber::registry().with(layer).with(filter).try_init();
        Logging { form, lines }
    }

    /// Goes on in this form.
    pub fn change(&self, format: LogFormat) {
        // The layer is gone only when the process ends.
        let _ = self.form.reload(output(format, &self.lines));
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.lines.drain();
    }
}

fn output(format: LogFormat, lines: &Lines) -> Output {
    let lines = lines.clone();
    let lines = fmt::layer().with_writer(move || lines.clone()).with_target(false).with_ansi(false);
    match format {
        LogFormat::Text | LogFormat::Postfix => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    }
}

/// Lines on their way to standard error. Sessions and deliveries put theirs into memory; one thread writes all that has come
/// together in one call.
#[derive(Clone)]
struct Lines(Arc<Shared>);

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
    fn start() -> Lines {
        let lines = Lines(Arc::new(Shared::default()));
        let writer = lines.clone();
        if let Err(error) = std::thread::Builder::new().name("log".into()).spawn(move || writer.write_out()) {
            let _ = writeln!(io::stderr(), "the thread that writes the log cannot be started: {error}");
        }
        lines
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self) {
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
            let _ = io::stderr().write_all(&taken);
            taken.clear();
        }
    }

    /// Waits, but not for ever, until everything is written.
    fn drain(&self) {
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
