//! Log lines on standard error, in the form that the site asks for; `POSTERN_LOG` filters them (`info` when unset).
//!
//! Levels by meaning: `error` is damage or a bug, `warn` is for the operator to act on, `info` is one line per decision and
//! per delivery attempt, `debug` is for developers. No line holds a secret or the content of a message.

use postern_schema::site::LogFormat;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

type Output = Box<dyn Layer<Registry> + Send + Sync>;

/// Changes the form of the lines while the daemon runs.
pub struct Logging(reload::Handle<Output, Registry>);

impl Logging {
    /// Starts to log.
    pub fn start(format: LogFormat) -> Logging {
        let (layer, handle) = reload::Layer::new(output(format));
        let filter = EnvFilter::try_from_env("POSTERN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
        // A second start in one process, as tests make it, keeps the first one's output.
        let _ = tracing_subscriber::registry().with(layer).with(filter).try_init();
        Logging(handle)
    }

    /// Goes on in this form.
    pub fn change(&self, format: LogFormat) {
        // The layer is gone only when the process ends.
        let _ = self.0.reload(output(format));
    }
}

fn output(format: LogFormat) -> Output {
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    }
}
