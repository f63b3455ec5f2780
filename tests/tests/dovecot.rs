//! The real Dovecot as a store of users: every mechanism that it offers, from a client of other people, through our submission
//! listener; and what a user hears while it is away.
//!
//! Dovecot or Python that is not installed is skipped, and it is said so; under `POSTERN_ORACLES=required` that is a failure.
#![allow(clippy::unwrap_used)]

use postern_tests::daemon::binaries::workspace;
use postern_tests::scene::{RELAY_LOGIN, Scene, kdl};
use postern_tests::wait::until;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const PASSWORD: &str = "wonderland";

/// A Dovecot with one user and an auth service, and nothing else of it.
struct Dovecot {
    folder: TempDir,
    process: Option<Child>,
}

impl Dovecot {
    fn new() -> Dovecot {
        // The path of a Unix socket has to be short.
        let folder = tempfile::Builder::new().prefix("dc-").tempdir_in("/tmp").unwrap();
        let base = folder.path().display();
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        let users = match user.trim() {
            // Dovecot has users of its own for what needs no rights.
            "root" => String::new(),
            user => format!("default_internal_user = {user}\ndefault_login_user = {user}\nservice anvil {{\n  chroot =\n}}\n"),
        };
        let config = format!(
            "base_dir = {base}/run\nstate_dir = {base}/run\nprotocols =\nssl = no\nlog_path = {base}/log\nauth_failure_delay = 0\n\
             auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-256 anonymous\n\
             passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN {base}/users\n}}\n\
             userdb {{\n  driver = static\n  args = uid=65534 gid=65534 home=/nonexistent\n}}\n\
             service auth {{\n  unix_listener {base}/auth-client {{\n    mode = 0600\n  }}\n}}\n{users}"
        );
        fs::write(folder.path().join("dovecot.conf"), config).unwrap();
        fs::write(folder.path().join("users"), format!("alice:{PASSWORD}\nbob:x:::::: nologin=y\n")).unwrap();
        Dovecot { folder, process: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&mut self) {
        let config = self.path("dovecot.conf");
        let process = Command::new(program()).args(["-F", "-c"]).arg(config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.process = Some(process.unwrap());
        let socket = self.path("auth-client");
        until("Dovecot listens", || std::os::unix::net::UnixStream::connect(&socket).ok());
    }

    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It ends its own processes, which a kill would leave behind.
            let _ = Command::new("kill").arg(process.id().to_string()).status();
            let _ = process.wait();
        }
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

fn program() -> &'static Path {
    Path::new(if Path::new("/usr/sbin/dovecot").exists() { "/usr/sbin/dovecot" } else { "dovecot" })
}

/// Whether a program can be run; where not, it is said, or it is a failure.
fn is_there(program: &Path) -> bool {
    let quiet = || Stdio::null();
    let is_there = Command::new(program).arg("--version").stdin(quiet()).stdout(quiet()).stderr(quiet()).status().is_ok();
    if !is_there {
        assert!(std::env::var_os("POSTERN_ORACLES").is_none(), "{} is not installed", program.display());
        let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not installed; what it would find goes unnoticed", program.display());
    }
    is_there
}

fn log_in(scene: &Scene, user: &str, password: &str, mechanisms: &[&str]) -> Vec<String> {
    let port = scene.daemon.address("submission").port().to_string();
    let script = workspace().join("tests/peers/sasl_login.py");
    let output = Command::new("python3").arg(script).args([&port, user, password]).args(mechanisms).output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), scene.daemon.log());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn whatever_dovecot_offers_is_a_login() {
    if !is_there(program()) || !is_there(Path::new("python3")) {
        return;
    }
    let mut dovecot = Dovecot::new();
    let store = format!("dovecot \"unix:{}\"", dovecot.path("auth-client").display());
    let credentials = [("relay-password", format!("{}\n", RELAY_LOGIN.1))];
    let scene = Scene::of(|port| kdl(port).replace("passwd secret=\"users\"", &store), &credentials, RELAY_LOGIN);

    // While it is away nobody hears "no".
    assert_eq!(log_in(&scene, "alice", PASSWORD, &["PLAIN"]), ["PLAIN 454"]);
    until("the log says why", || scene.daemon.log().contains("is it running").then_some(()));
    dovecot.start();
    // Its mechanisms are asked for again after a few seconds.
    until("the mechanisms are known", || (log_in(&scene, "alice", PASSWORD, &["CRAM-MD5"]) == ["CRAM-MD5 235"]).then_some(()));
    assert_eq!(
        log_in(&scene, "alice", PASSWORD, &["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"]),
        ["PLAIN 235", "LOGIN 235", "CRAM-MD5 235", "DIGEST-MD5 235", "SCRAM-SHA-256 235"]
    );
    // Each failure waits longer for its answer, so there are few.
    assert_eq!(log_in(&scene, "alice", "looking-glass", &["CRAM-MD5"]), ["CRAM-MD5 535"]);
    assert_eq!(log_in(&scene, "bob", "x", &["PLAIN"]), ["PLAIN 535"]);

    // The name that Dovecot has for somebody is the one that may send: of another case is the same user.
    let mut client = scene.mail_program("submission");
    let hello = client.hello();
    assert!(hello.text().contains("AUTH ") && !hello.text().contains("ANONYMOUS"), "{}", hello.text());
    assert_eq!(client.auth_plain("Alice", PASSWORD).code, 235);
    client.expect("MAIL FROM:<bob@example.com>", 553);
    client.expect("MAIL FROM:<alice@example.com>", 250);

    dovecot.stop();
    assert_eq!(log_in(&scene, "alice", PASSWORD, &["CRAM-MD5"]), ["CRAM-MD5 454"]);
    dovecot.start();
    assert_eq!(log_in(&scene, "alice", PASSWORD, &["CRAM-MD5"]), ["CRAM-MD5 235"]);
    assert!(!scene.daemon.log().contains(PASSWORD), "a password is in the log");
}
