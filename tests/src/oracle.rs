//! Programs of others that our output is held against: whether they are there, and servers among them.
//!
//! One that is not installed is skipped, and it is said so. Under `CI=true`, or `POSTERN_ORACLES=required`,
//! that is a failure.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Says that a program is not there, and what that costs.
///
/// # Panics
/// Where every program has to be there.
pub fn skip(name: &str) {
    let is_required = std::env::var_os("POSTERN_ORACLES").is_some() || std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!is_required, "{name} is not installed");
    // Not by `eprintln!`, which the test runner keeps to itself.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {name} is not installed; what it would find goes unnoticed");
}

/// Whether a program can be run; where not, it is said, or it is a failure.
///
/// # Panics
/// If it is not there and has to be.
pub fn is_there(program: &str, arguments: &[&str]) -> bool {
    let quiet = || Stdio::null();
    let runs = Command::new(program).args(arguments).stdin(quiet()).stdout(quiet()).stderr(quiet()).status();
    let is_there = runs.is_ok_and(|status| status.code() != Some(127) && (program != "python3" || status.success()));
    if !is_there {
        let name = arguments.last().filter(|_| program == "python3").unwrap_or(&program);
        skip(name);
    }
    is_there
}

/// A port that is free for both protocols.
pub fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address.port();
        }
    }
}

/// A process that ends with its test.
#[derive(Debug)]
pub struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server, and waits until it takes connections.
///
/// # Panics
/// If it does not; with what it said.
pub fn start(program: &str, arguments: &[&str], port: u16, log: &Path) -> Server {
    let log_file = fs::File::create(log).unwrap();
    let child = Command::new(program).args(arguments).stdout(log_file.try_clone().unwrap()).stderr(log_file).spawn().unwrap();
    let server = Server(child);
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "{program}: {}", fs::read_to_string(log).unwrap());
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// An nsd that serves these zones.
#[derive(Debug)]
pub struct Nsd {
    port: u16,
    _server: Server,
    _folder: TempDir,
}

impl Nsd {
    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Serves zones: each by its name, with its text.
///
/// # Panics
/// If it does not start.
pub fn nsd(zones: &[(&str, String)]) -> Nsd {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let port = free_port();
    let mut config = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  zonesdir: \"{path}\"\n  database: \"\"\n  username: \"\"\n  chroot: \"\"\n  \
         pidfile: \"{path}/pid\"\n  xfrdfile: \"{path}/xfrd\"\n  zonelistfile: \"{path}/list\"\nremote-control:\n  control-enable: no\n"
    );
    for (zone, text) in zones {
        fs::write(folder.path().join(format!("{zone}.zone")), text).unwrap();
        config += &format!("zone:\n  name: {zone}\n  zonefile: {zone}.zone\n");
    }
    fs::write(folder.path().join("nsd.conf"), config).unwrap();
    let server = start("nsd", &["-d", "-c", &format!("{path}/nsd.conf")], port, &folder.path().join("log"));
    Nsd { port, _server: server, _folder: folder }
}
