//! What an operator gets wrong: each time the thing at fault is named, with a way out and the exit status of its kind, and
//! nothing that was there is lost.
#![allow(clippy::unwrap_used)]

use postern_tests::daemon::binaries::binaries;
use postern_tests::daemon::{Daemon, Failure, Options, Outcome, Site};
use postern_tests::scene::{AWKWARD, Scene, kdl};
use postern_tests::tls::Authority;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A site that needs no credential and compiles; `more` is added to it.
fn site(more: &str) -> Site {
    let kdl = format!(
        "site \"mail.example.com\" {{\n    postmaster \"alice@example.com\"\n    address \"192.0.2.25\"\n}}\n\
         domain \"example.com\" {{ mailbox \"alice\" }}\n{more}"
    );
    Site::new(&kdl)
}

const MX: &str = "listen \"mx\" port=0 address=\"127.0.0.1\"\n";

fn built(more: &str) -> Site {
    let site = site(more);
    site.build();
    site
}

/// Fails to start with this status; what it says holds every one of the words.
fn refuses(options: Options, status: i32, words: &[&str]) {
    match Daemon::try_start(options) {
        Ok(daemon) => panic!("it serves: {}", daemon.ready()),
        Err(failure @ Failure { .. }) => {
            assert_eq!(failure.status, status, "{failure}");
            for word in words {
                assert!(failure.stderr.contains(word), "{word:?} is not in: {failure}");
            }
            assert!(!failure.stderr.contains("panicked"), "{failure}");
        }
    }
}

/// The compiler ends with this status; what it says on standard error holds every one of the words.
fn says(outcome: &Outcome, status: i32, words: &[&str]) {
    assert_eq!(outcome.status, status, "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
    for word in words {
        assert!(outcome.stderr.contains(word), "{word:?} is not in: {outcome}");
    }
    assert!(!outcome.stderr.contains("panicked"), "{outcome}");
}

#[test]
fn a_site_that_is_not_there_or_no_file() {
    let site = site(MX);
    let folder = site.path("source").to_str().unwrap().to_owned();
    let missing = site.path("source/none.kdl").to_str().unwrap().to_owned();
    for command in ["check", "build", "show", "test", "dns"] {
        let out = site.path("out").to_str().unwrap().to_owned();
        let more: &[&str] = if command == "build" { &["--out", &out] } else { &[] };
        says(&site.postern(&[&[command, missing.as_str()], more].concat()), 66, &["none.kdl"]);
        says(&site.postern(&[&[command, folder.as_str()], more].concat()), 66, &["source"]);
    }
}

#[test]
fn a_site_that_is_no_text_or_no_kdl() {
    let site = site(MX);
    let source = site.source().to_str().unwrap().to_owned();
    fs::write(site.source(), b"site \"\xff\xfe\"\n").unwrap();
    let outcome = site.postern(&["check", &source]);
    assert!(matches!(outcome.status, 66 | 78) && outcome.stderr.contains("site.kdl"), "{outcome}");
    fs::write(site.source(), "site \"mail.example.com\" {\n").unwrap();
    let outcome = site.postern(&["check", &source]);
    assert!(outcome.status == 78 && format!("{}{}", outcome.stdout, outcome.stderr).contains("site.kdl"), "{outcome}");
    let outcome = site.try_build();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (78, ""), "{outcome}");
    assert!(!site.snapshots().join("current").exists());
}

#[test]
fn a_snapshot_that_is_not_there_or_no_snapshot() {
    let site = built(MX);
    let folder = site.path("empty");
    fs::create_dir(&folder).unwrap();
    refuses(Options::of(&site).snapshot(site.path("none.mdb")), 66, &["none.mdb", "postern build"]);
    refuses(Options::of(&site).snapshot(&folder), 66, &["empty", "postern build"]);
    refuses(Options::of(&site).snapshot(site.source()), 78, &["site.kdl"]);
    assert!(!site.state().join("mail").exists());
}

#[test]
fn a_certificate_that_cannot_be_read_or_does_not_fit() {
    let tls = "tls {\n    certificate \"mail.example.com\" chain=\"mail.pem\" key-secret=\"tls-mail\"\n}\n";
    let site = site(&format!("{MX}{tls}"));
    let says_chain = |outcome: Outcome| {
        assert_eq!(outcome.status, 78, "{outcome}");
        assert!(outcome.stderr.contains("mail.pem"), "{outcome}");
    };
    says_chain(site.try_build());
    fs::create_dir(site.path("source/mail.pem")).unwrap();
    says_chain(site.try_build());
    fs::remove_dir(site.path("source/mail.pem")).unwrap();
    site.write("mail.pem", "no certificate");
    says_chain(site.try_build());

    let authority = Authority::new();
    let (mine, other) = (authority.issue("mail.example.com"), authority.issue("mail.example.com"));
    site.write("mail.pem", &mine.chain);
    site.build();
    refuses(Options::of(&site), 78, &["tls-mail"]);
    site.credential("tls-mail", "no key");
    refuses(Options::of(&site), 78, &["mail.example.com", "key"]);
    site.credential("tls-mail", &other.key);
    refuses(Options::of(&site), 78, &["mail.example.com", "key"]);
    site.credential("tls-mail", &mine.key);
    Daemon::start(Options::of(&site)).stop();
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let site = built(&format!("listen \"mx\" port={port} address=\"127.0.0.1\"\n"));
    refuses(Options::of(&site), 1, &[&port.to_string(), "mx"]);
    drop(taken);
    Daemon::start(Options::of(&site)).stop();
}

#[test]
fn a_state_folder_in_use_or_in_the_way() {
    let scene = Scene::start();
    refuses(scene.daemon.options().clone(), 1, &["state"]);
    // The first one did not notice.
    assert_eq!(scene.stranger().send_message("", &["bob@example.com"], AWKWARD).code, 250);
    scene.site.maildir("bob@example.com").wait_for(1);
    scene.daemon.control(&["status"]).success();

    let site = built(MX);
    fs::write(site.path("file"), "mine").unwrap();
    refuses(Options::of(&site).state(site.path("file")), 1, &["file"]);
    assert_eq!(fs::read_to_string(site.path("file")).unwrap(), "mine");
}

#[test]
fn a_state_folder_of_another_version() {
    let site = built(MX);
    Daemon::start(Options::of(&site)).stop();
    let format = find_format(&site.state()).expect("the spool says its format");
    let before = fs::read(&format).unwrap();
    fs::write(&format, "99\n").unwrap();
    refuses(Options::of(&site), 1, &["99"]);
    assert_eq!(fs::read(&format).unwrap(), b"99\n");
    fs::write(&format, before).unwrap();
    Daemon::start(Options::of(&site)).stop();
}

/// The file in which the queue says its format.
fn find_format(state: &Path) -> Option<std::path::PathBuf> {
    let spool = fs::read_dir(state.join("spool")).ok()?;
    spool.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        path.is_file() && (name.contains("format") || name.contains("version"))
    })
}

#[test]
fn a_state_folder_that_may_not_be_written() {
    // Root may write anywhere: only a read-only file system or an immutable folder would stop it.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let site = built(MX);
    let folder = site.path("locked");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    refuses(Options::of(&site).state(folder.join("state")), 1, &["locked"]);
}

#[test]
fn a_daemon_that_does_not_answer() {
    let site = built(MX);
    for arguments in [["status"], ["reload"]] {
        let outcome = Outcome::of(Command::new(&binaries().posternd).args(arguments).arg("--state").arg(site.state()));
        says(&outcome, 69, &["state"]);
    }
}

#[test]
fn a_command_line_that_means_nothing() {
    for program in [&binaries().postern, &binaries().posternd] {
        for arguments in [&["no-such-command"][..], &["--no-such-flag"], &[]] {
            let outcome = Outcome::of(Command::new(program).args(arguments));
            assert_eq!(outcome.status, 64, "{}: {outcome}", program.display());
            assert!(!outcome.stderr.is_empty(), "{outcome}");
        }
    }
}

#[test]
fn a_credential_that_is_missing_defers_and_says_so() {
    let scene = Scene::with(|kdl| kdl);
    fs::remove_file(scene.site.path("credentials/relay-password")).unwrap();
    assert_eq!(scene.trusted().send_message("alice@example.com", &["friend@elsewhere.test"], AWKWARD).code, 250);
    postern_tests::wait::until("the reason in the log", || scene.daemon.log().contains("relay-password").then_some(()));
    assert_eq!(scene.relay.messages(), 0);
    scene.site.credential("relay-password", "relay-secret\n");
    scene.relay.wait_for(1);
    assert!(!kdl(0).contains("relay-secret"));
}
