//! A running `posternd`.

use super::binaries::binaries;
use super::{Outcome, Site};
use crate::wait::{self, PATIENCE};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

/// How a daemon is started.
#[derive(Clone, Debug)]
pub struct Options {
    snapshot: PathBuf,
    state: PathBuf,
    credentials: PathBuf,
    log: PathBuf,
    dns: Option<SocketAddr>,
    authority: Option<PathBuf>,
    trust_anchor: Option<PathBuf>,
    environment: Vec<(String, String)>,
    disk: Option<String>,
}

impl Options {
    /// Serves the last snapshot of the site, with its credentials and its state.
    pub fn of(site: &Site) -> Options {
        Options {
            snapshot: site.snapshots(),
            state: site.state(),
            credentials: site.path("credentials"),
            log: site.path("posternd.log"),
            dns: None,
            authority: None,
            trust_anchor: None,
            environment: Vec::new(),
            disk: None,
        }
    }

    /// Asks this resolver.
    #[must_use]
    pub fn dns(mut self, address: SocketAddr) -> Options {
        self.dns = Some(address);
        self
    }

    /// The same with the resolver that the site names.
    #[must_use]
    pub fn resolver_of_site(mut self) -> Options {
        self.dns = None;
        self
    }

    /// Trusts this authority, a PEM file, and no other.
    #[must_use]
    pub fn authority(mut self, pem: &Path) -> Options {
        self.authority = Some(pem.to_path_buf());
        self
    }

    /// Believes DNSSEC by the root keys in this file.
    #[must_use]
    pub fn trust_anchor(mut self, file: &Path) -> Options {
        self.trust_anchor = Some(file.to_path_buf());
        self
    }

    /// Serves this snapshot or folder.
    #[must_use]
    pub fn snapshot(mut self, path: impl Into<PathBuf>) -> Options {
        self.snapshot = path.into();
        self
    }

    /// Uses this state folder.
    #[must_use]
    pub fn state(mut self, path: impl Into<PathBuf>) -> Options {
        self.state = path.into();
        self
    }

    /// Runs with this in its environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Options {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its state lies on a disk of its own in memory, of a size such as `200m`, which nobody else sees but by way of
    /// `/proc/PID/root`. Needs `unshare` and a system that lets everybody have namespaces.
    #[must_use]
    pub fn disk(mut self, size: &str) -> Options {
        self.disk = Some(size.to_owned());
        self
    }

    fn program(&self) -> Command {
        let posternd = &binaries().posternd;
        let Some(size) = &self.disk else { return Command::new(posternd) };
        fs::create_dir_all(&self.state).expect("the state folder is ours");
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c"]);
        command
            .arg("mount -t tmpfs -o size=$1 none \"$2\" && shift 2 && exec \"$@\"")
            .arg("sh")
            .arg(size)
            .arg(&self.state)
            .arg(posternd);
        command
    }

    fn command(&self) -> Command {
        let mut command = self.program();
        command.arg("run");
        for (name, path) in [("--snapshot", &self.snapshot), ("--state", &self.state), ("--credentials", &self.credentials)] {
            command.arg(name).arg(path);
        }
        if let Some(dns) = self.dns {
            command.arg("--dns").arg(dns.to_string());
        }
        if let Some(anchor) = &self.trust_anchor {
            command.arg("--trust-anchor").arg(anchor);
        }
        if let Some(pem) = &self.authority {
            command.env("SSL_CERT_FILE", pem).env_remove("SSL_CERT_DIR");
        }
        command.envs(self.environment.iter().cloned());
        command
    }
}

/// A daemon that did not start.
#[derive(Debug)]
pub struct Failure {
    /// The exit status; -1 if it was killed, by a signal or because it was neither ready nor gone in time.
    pub status: i32,
    /// Standard error.
    pub stderr: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "posternd did not start, exit status {}:\n{}", self.status, self.stderr)
    }
}

/// A daemon that serves. Killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    options: Options,
    ready: Value,
}

impl Daemon {
    /// Starts one and waits until it serves.
    ///
    /// # Panics
    /// If it does not, with its log.
    pub fn start(options: Options) -> Daemon {
        Daemon::try_start(options).unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Starts one and waits until it serves or ends.
    ///
    /// # Errors
    /// [`Failure`], if it ends, or is not ready within [`PATIENCE`].
    pub fn try_start(options: Options) -> Result<Daemon, Failure> {
        // A file, since a pipe that nobody reads would stop the daemon; appended to, since a restart goes on in it.
        let log = File::options().create(true).append(true).open(&options.log).expect("the log is in our own folder");
        let before = log.metadata().map_or(0, |data| data.len());
        let mut command = options.command();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("posternd can be run");
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        // Reads to the end, so that a daemon that says more is never stopped by a full pipe.
        thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let first = lines.recv_timeout(PATIENCE);
        let ready = first.as_ref().ok().and_then(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(ready) = ready.as_ref().and_then(|value| value.get("ready")) {
            return Ok(Daemon { child, options, ready: ready.clone() });
        }
        if first != Err(RecvTimeoutError::Disconnected) {
            let _ = child.kill();
        }
        let status = child.wait().ok().and_then(|status| status.code()).unwrap_or(-1);
        let said = fs::read(&options.log).unwrap_or_default();
        let stderr = String::from_utf8_lossy(&said[usize::try_from(before).unwrap_or(0)..]).into_owned();
        let stderr = first.map_or(stderr.clone(), |line| format!("{stderr}first line of standard output: {line}\n"));
        Err(Failure { status, stderr })
    }

    /// The first address of a listener.
    ///
    /// # Panics
    /// If there is no such listener.
    pub fn address(&self, listener: &str) -> SocketAddr {
        let found = self.ready["listeners"].as_array().into_iter().flatten().find(|entry| entry["name"] == listener);
        let address = found.and_then(|entry| entry["address"].as_str()).and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("no listener {listener} in {}", self.ready))
    }

    /// The digest of the snapshot that it began with.
    pub fn digest(&self) -> &str {
        self.ready["digest"].as_str().unwrap_or_default()
    }

    /// Everything that it said once it was ready.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// How it was started.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `posternd` with a word of the control socket, such as `reload`, and `--state`.
    pub fn control(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(Command::new(&binaries().posternd).args(arguments).arg("--state").arg(&self.options.state))
    }

    /// `posternd status --json`.
    ///
    /// # Panics
    /// If the daemon does not answer in JSON.
    pub fn status(&self) -> Value {
        let text = self.control(&["status", "--json"]).success();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Everything that it logged, and those before it in the same state folder.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.options.log).unwrap_or_default()
    }

    /// The events of its log with this message, where the site logs JSON.
    pub fn events(&self, message: &str) -> Vec<Value> {
        let log = self.log();
        let all = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        all.filter(|event| event["message"] == message).collect()
    }

    /// Of every attempt in its log: the recipient, the status and the reply.
    pub fn attempts(&self) -> Vec<(String, String, String)> {
        let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let events = self.events("attempt");
        events.iter().map(|event| (text(event, "to"), text(event, "status"), text(event, "reply"))).collect()
    }

    /// What was known of a message and what DNS said, once that is in its history.
    pub fn recording(&self, id: &str) -> String {
        wait::until("the history is written", || {
            let outcome = self.control(&["trace", id, "--dns"]);
            (outcome.status == 0).then_some(outcome.stdout)
        })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        // The child is not waited for yet, so its number is still its own.
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("Linux numbers processes so")).expect("it is not 0");
        kill_process(pid, signal).unwrap_or_else(|error| panic!("signal to {}: {error}", self.child.id()));
    }

    /// Stops it with SIGTERM, and waits for its end.
    ///
    /// # Panics
    /// If it does not end in time, or with another status than 0.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        let ended = wait::poll(PATIENCE, || self.child.try_wait().expect("it is our child"));
        let status = ended.unwrap_or_else(|| panic!("it still runs {PATIENCE:?} after SIGTERM; it logged:\n{}", self.log()));
        assert!(status.success(), "after SIGTERM: {status}; it logged:\n{}", self.log());
    }

    /// Kills it at once, as a power failure would end it but for the disk.
    pub fn kill(mut self) -> ExitStatus {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child")
    }

    /// Kills it and starts another on the same folders.
    ///
    /// # Panics
    /// If that does not start.
    pub fn restart(self) -> Daemon {
        let options = self.options.clone();
        self.kill();
        Daemon::start(options)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The memory that it holds now and the most that it ever held, in octets (`VmRSS` and `VmHWM`).
    pub fn resident_octets(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if thread::panicking() {
            eprintln!("--- log of posternd\n{}", self.log());
        }
    }
}
