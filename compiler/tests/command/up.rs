//! `up`, with a shell script in the place of `posternd`: what it is started with, what is said, how it is stopped.

use crate::site::{Folder, GOOD};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

const READY: &str = r#"{"ready":{"digest":"ab","generation":1,"listeners":[{"name":"mx","kind":"mx","address":"127.0.0.1:2525"}],"state":"state"}}"#;

/// The program in a folder of its own, beside a `posternd` that is this script.
///
/// Other programs write both files: a child that another test forks at this moment would inherit a handle of ours, and a
/// program that somebody has open for writing cannot be run.
fn install(folder: &Folder, script: &str) -> PathBuf {
    let programs = folder.join("bin");
    fs::create_dir(&programs).expect("a folder");
    let program = programs.join("postern");
    run(Command::new("cp").arg(env!("CARGO_BIN_EXE_postern")).arg(&program));
    if !script.is_empty() {
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#;
        run(Command::new("sh").args(["-c", write, "sh"]).arg(programs.join("posternd")).arg(script));
    }
    program
}

fn run(command: &mut Command) {
    assert!(command.status().expect("it runs").success(), "{command:?}");
}

fn start(folder: &Folder, script: &str) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(install(folder, script))
        .args(["up", "site.kdl", "--state", "state"])
        .current_dir(folder.path())
        .env("PATH", "/usr/bin:/bin")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    (child, out)
}

fn read_until(out: &mut BufReader<ChildStdout>, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        assert_ne!(out.read_line(&mut text).expect("it reads"), 0, "ended after {text:?}");
    }
    text
}

fn end(mut child: Child) -> (Option<i32>, String) {
    let mut err = String::new();
    child.stderr.take().expect("its complaints").read_to_string(&mut err).expect("UTF-8");
    (child.wait().expect("it ends").code(), err)
}

/// Serves until it is asked to stop; then notes that, and ends with a status of its own.
fn serving() -> String {
    format!(
        "printf '%s\\n' \"$@\" > arguments\n\
         sleep 60 & nap=$!\n\
         trap 'kill $nap; echo asked >> stopped; exit 7' TERM\n\
         trap 'echo interrupted >> stopped' INT HUP\n\
         echo '{READY}'\n\
         while kill -0 $nap; do wait $nap; done"
    )
}

#[test]
fn it_builds_serves_welcomes_and_stops_once_with_the_status_of_the_daemon() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = Folder::with(GOOD);
        fs::create_dir(folder.join("credentials")).expect("a folder");
        let (child, mut out) = start(&folder, &serving());
        let welcome = read_until(&mut out, "Ctrl-C");
        assert!(welcome.contains("mx             127.0.0.1:2525"), "{welcome}");
        assert!(welcome.contains("state/mail/example.com/alice/new/"), "{welcome}");
        assert!(welcome.contains("curl smtp://127.0.0.1:2525/"), "{welcome}");
        kill_process(Pid::from_child(&child), signal).expect("it is there");
        assert_eq!(end(child), (Some(7), String::new()));
        assert_eq!(fs::read_to_string(folder.join("stopped")).expect("a note"), "asked\n");
        let arguments = fs::read_to_string(folder.join("arguments")).expect("a note");
        let wanted =
            ["run", "--snapshot", "state/site", "--state", "state", "--stop-with-parent", "--credentials", "credentials"];
        assert_eq!(arguments.lines().collect::<Vec<_>>(), wanted);
        let mode = fs::metadata(folder.join("state")).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn the_snapshot_listens_on_loopback_and_keeps_mail_below_the_state() {
    let folder = Folder::with(
        &format!(
            "{}transport \"store\" maildir=\"/var/mail/{{domain}}/{{user}}\"\n",
            GOOD.replace("mailbox \"alice\"", "deliver \"disk\"\n    mailbox \"alice\"")
        )
        .replace("transport \"store\"", "transport \"disk\""),
    );
    let (child, mut out) = start(&folder, &serving());
    let welcome = read_until(&mut out, "Ctrl-C");
    assert!(welcome.contains("state/var/mail/example.com/alice/new/"), "{welcome}");
    let dump = folder.run(&["inspect", "state/site", "--table", "listeners"]).ended(0).out;
    assert!(dump.contains("listen mx address = 127.0.0.1 ") && dump.contains("listen mx port = 2525"), "{dump}");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it is there");
    assert_eq!(end(child).0, Some(7));
}

#[test]
fn a_daemon_that_ends_takes_us_along_with_its_words_and_status() {
    for (script, status) in [("echo 'the port is taken' >&2; exit 69", 69), ("exit 0", 0), ("kill -9 $$", 128 + 9)] {
        let folder = Folder::with(GOOD);
        let (child, _out) = start(&folder, script);
        let (code, err) = end(child);
        assert_eq!(code, Some(status), "{err}");
        assert_eq!(err.contains("the port is taken"), script.contains("port"));
    }
}

#[test]
fn a_daemon_that_says_something_else_is_ended() {
    let folder = Folder::with(GOOD);
    let (child, _out) = start(&folder, "echo hello; exec sleep 60");
    let (code, err) = end(child);
    assert_eq!(code, Some(70));
    assert!(err.contains("\"hello\"") && err.contains("release"), "{err}");
}

#[test]
fn a_second_request_ends_a_daemon_that_does_not_stop() {
    let script = format!("trap 'echo asked' TERM\necho '{READY}'\necho > deaf\nwhile :; do sleep 0.1; done");
    let folder = Folder::with(GOOD);
    let (child, mut out) = start(&folder, &script);
    read_until(&mut out, "Ctrl-C");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("it is there");
    kill_process(pid, Signal::TERM).expect("it is there");
    assert_eq!(end(child).0, Some(128 + 9));
}

#[test]
fn without_a_daemon_it_is_unavailable() {
    let folder = Folder::with(GOOD);
    let program = install(&folder, "");
    let run = Command::new(program)
        .args(["up", "site.kdl", "--state", "state"])
        .current_dir(folder.path())
        .env("PATH", "/nonexistent")
        .output();
    let output = run.expect("it runs");
    assert_eq!(output.status.code(), Some(69));
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(err.contains("posternd") && err.contains("PATH"), "{err}");
}
