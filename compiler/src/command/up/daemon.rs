//! The `posternd` that `up` runs: found, started, waited for, stopped. Whatever happens to it or is asked of us comes as one
//! [`Event`] after the other.

use super::super::{Failure, Status, daemon_program};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde::Deserialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What `posternd` says on standard output once it serves.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Ready {
    /// The digest of its snapshot.
    pub digest: String,
    /// What it listens on.
    pub listeners: Vec<ReadyListener>,
    /// Its state folder.
    pub state: PathBuf,
}

/// A listener that was bound.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct ReadyListener {
    /// Its name in the site.
    pub name: String,
    /// `mx`, `submission` or `submissions`.
    pub kind: String,
    /// Where it is.
    pub address: SocketAddr,
}

#[derive(Deserialize)]
struct Line {
    ready: Ready,
}

/// What happens next.
#[derive(Debug)]
pub enum Event {
    /// It serves.
    Ready(Ready),
    /// We were asked to stop.
    Stop,
    /// It has ended, with this status to pass on.
    Exited(Status),
}

/// What the threads report.
enum Report {
    Line(io::Result<String>),
    Signal,
    Exited,
}

/// A running `posternd`.
pub struct Daemon {
    child: Child,
    pid: Pid,
    reports: Receiver<Report>,
}

impl Daemon {
    /// Starts it. Its standard error is ours.
    pub fn start(snapshots: &Path, state: &Path, credentials: &Path) -> Result<Daemon, Failure> {
        // Before the child, so that no signal in between can leave it behind.
        let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])
            .map_err(|error| Failure::internal(format!("signals cannot be waited for: {error}")))?;
        let program = daemon_program();
        let mut command = Command::new(&program);
        command.arg("run").arg("--snapshot").arg(snapshots).arg("--state").arg(state).arg("--stop-with-parent");
        if credentials.is_dir() {
            command.arg("--credentials").arg(credentials);
        }
        // In a process group of its own: the interrupt key reaches us alone, and we pass it on once.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let what = format!("{} cannot be started: {error}", program.display());
            Failure::unavailable(what + "; it belongs beside `postern`, or into PATH")
        })?;
        let pid = Pid::from_child(&child);
        let (sender, reports) = channel();
        if let Some(output) = child.stdout.take() {
            watch_output(output, sender.clone());
        }
        watch_signals(signals, sender.clone());
        watch_exit(pid, sender);
        Ok(Daemon { child, pid, reports })
    }

    /// Waits for what happens next.
    pub fn next(&mut self) -> Result<Event, Failure> {
        let broken = |why: String| Failure::internal(format!("posternd is not understood: {why}"));
        match self.reports.recv().map_err(|error| broken(error.to_string()))? {
            Report::Signal => Ok(Event::Stop),
            Report::Exited => {
                let status = self.child.wait().map_err(|error| broken(error.to_string()))?;
                let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(70);
                Ok(Event::Exited(match code {
                    0 => Status::Fine,
                    code => Status::Of(u8::try_from(code).unwrap_or(70)),
                }))
            }
            Report::Line(line) => {
                let line = line.map_err(|error| broken(error.to_string()))?;
                serde_json::from_str::<Line>(&line).map(|line| Event::Ready(line.ready)).map_err(|error| {
                    self.kill();
                    broken(format!("it says {line:?}: {error}; are both of one release?"))
                })
            }
        }
    }

    /// Asks it to finish what it is at, and to end.
    pub fn stop(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it at once; what it acknowledged is on disk.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        // It is not reaped before `next` has said that it exited, so the number is still its own; an error means that it
        // has just ended, which `next` will say.
        let _ = kill_process(self.pid, signal);
    }
}

/// The first line alone means something; the rest is read so that nobody blocks on a full pipe.
fn watch_output(output: ChildStdout, reports: Sender<Report>) {
    thread::spawn(move || {
        let mut lines = BufReader::new(output).lines();
        if let Some(line) = lines.next() {
            // An error means that the main thread has left, and with it everybody who listens.
            let _ = reports.send(Report::Line(line));
        }
        lines.for_each(drop);
    });
}

fn watch_signals(mut signals: Signals, reports: Sender<Report>) {
    thread::spawn(move || signals.forever().try_for_each(|_| reports.send(Report::Signal)));
}

/// Waits without reaping, so that the process number stays taken until [`Daemon::next`] lets it go.
fn watch_exit(pid: Pid, reports: Sender<Report>) {
    thread::spawn(move || {
        while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            .is_err_and(|error| error == rustix::io::Errno::INTR)
        {}
        let _ = reports.send(Report::Exited);
    });
}
