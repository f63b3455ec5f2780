//! Log lines on standard error, in the form that the site asks for; `POSTERN_LOG` filters them (`info` when unset). Beside them,
//! whatever is said of a message is kept for `posternd trace` ([`history`]), and what happens is counted ([`crate::metrics`]).
//!
//! Levels by meaning: `error` is damage or a bug, `warn` is for the operator to act on, `info` is one line per decision and
//! per delivery attempt, `debug` is for developers. No line holds a secret or the content of a message.

mod event;
pub mod history;
mod lines;
mod postfix;
pub mod postmaster;

pub use event::Fields;

use crate::metrics::Counters;
use crate::state::State;
use history::History;
use lines::Lines;
use postern_schema::site::{LogFormat, Site};
use postmaster::Gathered;
use std::io;
use std::sync::Arc;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

/// What is said unless `POSTERN_LOG` asks for something else. The resolver's own words about an answer hold all of it, and what follows from
/// the answer is said by who asked.
const WANTED: &str = "info,hickory_net=error,hickory_proto=error,hickory_resolver=error";

type Output = Box<dyn Layer<Registry> + Send + Sync>;

/// Changes the form of the lines while the daemon runs, and writes out what is left when it is dropped.
pub struct Logging {
    form: reload::Handle<Output, Registry>,
    lines: Lines,
    history: Lines,
}

impl Logging {
    /// Starts to log, to keep the history of messages, and to count.
    pub fn start(site: &Site, state: &State, counters: &Arc<Counters>, gathered: &Arc<Gathered>) -> Logging {
        gathered.want(site);
        let lines = Lines::start(io::stderr());
        let (layer, form) = reload::Layer::new(output(site, &lines));
        let wanted = EnvFilter::try_from_env("POSTERN_LOG").unwrap_or_else(|_| EnvFilter::new(WANTED));
        let history = Lines::start(History::open(&state.history_folder()));
        let kept = history.clone();
        let kept = fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(move || kept.clone());
        // What was known of a message is too long for a log, and wanted when somebody asks for its life.
        let of_messages = filter_fn(|event| {
            let has = |name| event.fields().field(name).is_some();
            has("id") && (*event.level() <= tracing::Level::INFO || has("recording"))
        });
        // A second start in one process, as tests make it, keeps the first one's output.
        let _ = tracing_subscriber::registry()
            .with(layer.with_filter(wanted))
            .with(kept.with_target(false).with_filter(of_messages))
            .with(counters.layer(gathered).with_filter(LevelFilter::INFO))
            .try_init();
        Logging { form, lines, history }
    }

    /// Goes on as this site has it.
    pub fn change(&self, site: &Site) {
        // The layer is gone only when the process ends.
        let _ = self.form.reload(output(site, &self.lines));
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.lines.drain();
        self.history.drain();
    }
}

fn output(site: &Site, lines: &Lines) -> Output {
    let lines = lines.clone();
    if site.logging.format == LogFormat::Postfix {
        return postfix::Form::new(site.hostname.as_str(), lines).boxed();
    }
    let layer = fmt::layer().with_writer(move || lines.clone()).with_target(false).with_ansi(false);
    match site.logging.format {
        LogFormat::Text | LogFormat::Postfix => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    }
}
