//! sendmail(1) as programs of a host use it: while the daemon runs and while it does not, with what nobody should be able to put
//! into its drop folder.
#![allow(clippy::unwrap_used)]

use postern_tests::daemon::binaries::binaries;
use postern_tests::scene::Scene;
use postern_tests::wait::until;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the daemon's binary by another name, with this on its standard input.
fn run(state: &Path, name: &str, arguments: &[&str], input: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join(name);
    symlink(&binaries().posternd, &program).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).env("STATE_DIRECTORY", state).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn accepted(state: &Path, arguments: &[&str], input: &str) {
    let output = run(state, "sendmail", arguments, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn mail_of(scene: &Scene, address: &str, messages: usize) -> Vec<String> {
    scene.site.maildir(address).wait_for(messages).into_iter().map(|octets| String::from_utf8(octets).unwrap()).collect()
}

#[test]
fn recipients_from_the_header_reach_mailboxes_and_bcc_stays_secret() {
    let scene = Scene::start();
    let message = "To: info@example.com\nBcc: bob@example.com, friend@elsewhere.test\nSubject: report\n\nline\n.\nlast\n";
    accepted(&scene.site.state(), &["-t", "-oi", "-f", "alice@example.com", "-F", "Nightly"], message);
    let found = mail_of(&scene, "alice@example.com", 1).remove(0);
    assert!(found.contains("\n.\nlast\n") && !found.contains("Bcc"), "{found}");
    for wanted in ["Received: by mail.example.com (from ", "\nDate: ", "\nMessage-ID: <", "\nFrom: \"Nightly\" <"] {
        assert!(found.contains(wanted), "{wanted:?} in\n{found}");
    }
    assert_eq!(scene.relay.wait_for(1)[0].reverse_path, "alice@example.com");
    assert_eq!(scene.relay.wait_for(1)[0].recipients, ["friend@elsewhere.test"]);
}

#[test]
fn what_was_handed_in_while_the_daemon_was_away_is_delivered_when_it_is_back() {
    let scene = Scene::start();
    let state = scene.site.state();
    let scene = scene.replace_daemon(|daemon| {
        let options = daemon.options().clone();
        daemon.stop();
        accepted(&state, &["bob@example.com"], "Subject: away\n\nhello\n.\nnot this\n");
        let listed = run(&state, "sendmail", &["-bp"], "");
        let said = String::from_utf8(listed.stderr).unwrap();
        assert_eq!(listed.status.code(), Some(0), "{said}");
        assert!(said.contains("no daemon runs") && said.contains("1 more message waits"), "{said}");
        postern_tests::daemon::Daemon::start(options)
    });
    let found = mail_of(&scene, "bob@example.com", 1).remove(0);
    assert!(found.contains("\n\nhello\n") && !found.contains("not this"), "{found}");
    until("the drop folder is empty", || (fs::read_dir(state.join("drop")).unwrap().count() == 0).then_some(()));
}

#[test]
fn whoever_is_refused_comes_back_to_the_sender() {
    let scene = Scene::start();
    accepted(
        &scene.site.state(),
        &["-f", "alice@example.com", "nobody@example.com", "bob@example.com"],
        "Subject: two\n\nhello\n",
    );
    assert!(mail_of(&scene, "bob@example.com", 1)[0].contains("Subject: two"));
    let notice = mail_of(&scene, "alice@example.com", 1).remove(0);
    assert!(notice.contains("nobody@example.com") && notice.contains("5.1.1") && notice.contains("Subject: two"), "{notice}");
    assert!(!notice.contains("bob@example.com"), "{notice}");
}

/// RFC 3461 4.1, 4.4: `-N` and `-V`.
#[test]
fn whoever_asks_is_told_of_success_and_by_which_name_it_was_asked() {
    let scene = Scene::start();
    let asked = ["-N", "success,failure", "-V", "run+2B42", "-f", "alice@example.com", "bob@example.com"];
    accepted(&scene.site.state(), &asked, "Subject: asked\n\nhello\n");
    let notice = mail_of(&scene, "alice@example.com", 1).remove(0);
    for wanted in ["Original-Envelope-Id: run+42", "Action: delivered", "bob@example.com", "Subject: asked"] {
        assert!(notice.contains(wanted), "{wanted:?} in\n{notice}");
    }
    accepted(
        &scene.site.state(),
        &["-N", "never", "-f", "alice@example.com", "nobody@example.com"],
        "Subject: unasked\n\nhello\n",
    );
    let why = "a recipient of a local message was refused";
    until("it is refused", || scene.daemon.log().contains(why).then_some(()));
    accepted(&scene.site.state(), &["-f", "alice@example.com", "alice@example.com"], "Subject: last\n\nhello\n");
    let found = mail_of(&scene, "alice@example.com", 2);
    assert!(found.iter().all(|text| !text.contains("unasked")), "{found:?}");
}

#[test]
fn a_program_can_speak_smtp_to_it() {
    let scene = Scene::start();
    let said = "EHLO me\r\nMAIL FROM:<alice@example.com>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n\
                Subject: bs\r\n\r\n..dot\r\n.\r\nQUIT\r\n";
    let output = run(&scene.site.state(), "sendmail", &["-bs"], said);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.starts_with("220 ") && text.contains("\r\n354 ") && text.contains("\r\n221 "),
        "{text}"
    );
    assert!(mail_of(&scene, "bob@example.com", 1)[0].ends_with("\n\n.dot\n"));
}

#[test]
fn statuses_are_those_of_sysexits_and_newaliases_fails_nobody() {
    let scene = Scene::start();
    let state = scene.site.state();
    let status = |arguments: &[&str]| run(&state, "sendmail", arguments, "x\n").status.code();
    assert_eq!((status(&[]), status(&["-Z"]), status(&["-bd"])), (Some(64), Some(64), Some(64)));
    let nowhere = run(&state.join("nowhere"), "sendmail", &["bob@example.com"], "x\n");
    assert_eq!(nowhere.status.code(), Some(73));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("start the daemon once"));
    let output = run(&state, "newaliases", &[], "");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("postern build"));
    assert!(status(&["-bp"]) == Some(0) && status(&["-bi"]) == Some(0));
}

#[test]
fn what_is_no_message_is_set_aside_and_hurts_nobody() {
    let scene = Scene::start();
    let (state, folder) = (scene.site.state(), scene.site.state().join("drop"));
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o7777, 0o3733);
    assert_eq!(fs::metadata(&state).unwrap().mode() & 0o777, 0o711);
    assert_eq!(fs::metadata(state.join("spool")).unwrap().mode() & 0o077, 0);
    let secret = scene.site.path("credentials/users");
    symlink(&secret, folder.join("mail-link")).unwrap();
    fs::hard_link(&secret, folder.join("mail-hard")).unwrap();
    fs::create_dir(folder.join("mail-folder")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("mail-pipe")).status().unwrap().success());
    fs::write(folder.join("mail-text"), "no slip\n\nhello\n").unwrap();
    fs::write(folder.join("mail-sender"), "{\"from\":\"a b@c\\r\\nx\",\"to\":[\"bob@example.com\"],\"whole\":false}\nhello\r\n")
        .unwrap();
    until("all are set aside", || {
        let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.into_iter().all(|name| name.starts_with("bad-")).then_some(())
    });
    accepted(&state, &["bob@example.com"], "Subject: on\n\nit goes on\n");
    assert_eq!(mail_of(&scene, "bob@example.com", 1).len(), 1);
    assert_eq!(scene.relay.messages(), 0);
}
