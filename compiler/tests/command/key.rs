//! `postern key`, from the making of a key to its end.

use crate::site::{Folder, GOOD};
use std::os::unix::fs::PermissionsExt;

fn new_key(folder: &Folder, more: &[&str]) -> crate::site::Ran {
    let arguments = [&["key", "new", "site.kdl", "--domain", "example.com", "--credentials", "credentials"], more].concat();
    folder.run(&arguments)
}

fn site(folder: &Folder) -> String {
    std::fs::read_to_string(folder.join("site.kdl")).expect("a site")
}

#[test]
fn a_new_key_is_secret_in_one_half_and_published_in_the_other() {
    let folder = Folder::with(GOOD);
    for (algorithm, selector) in [("rsa", "20261101r"), ("ed25519", "20261101e"), ("ed25519", "20261101eb")] {
        new_key(&folder, &["--algorithm", algorithm, "--today", "2026-11-01"]).ended(0);
        let private = folder.join(&format!("credentials/dkim-example.com-{selector}"));
        assert_eq!(private.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        let private = std::fs::read_to_string(private).expect("a key");
        assert!(private.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let records = folder.run(&["dns", "site.kdl"]).ended(0).out;
        assert!(records.contains(&format!("{selector}._domainkey ")), "{records}");
        for secret in private.lines().filter(|line| !line.starts_with('-')) {
            assert!(!site(&folder).contains(secret) && !records.contains(secret));
        }
    }
    let order: Vec<usize> = ["20261101r\"", "20261101e\"", "20261101eb\"", "mailbox \"alice\""]
        .map(|text| site(&folder).find(text).unwrap_or_else(|| panic!("{text}")))
        .into();
    assert!(order.is_sorted(), "{}", site(&folder));
}

#[test]
fn what_cannot_be_done_leaves_everything_as_it_was() {
    let folder = Folder::with(GOOD);
    for (more, status, why) in [
        (&["--domain", "elsewhere.example"][..], 64, ""),
        (&["--selector", "a_b"], 64, "selector"),
        (&["--today", "yesterday"], 64, "2026-11-21"),
    ] {
        let ran = if more[0] == "--domain" {
            folder.run(&["key", "new", "site.kdl", more[0], more[1], "--credentials", "credentials"])
        } else {
            new_key(&folder, more)
        };
        let ran = ran.ended(status);
        assert!(ran.err.contains(why), "{}", ran.err);
    }
    let parked = folder.run(&["key", "new", "site.kdl", "--domain", "example.net", "--credentials", "credentials"]).ended(64);
    assert!(parked.err.contains("parked"), "{}", parked.err);
    new_key(&folder, &["--selector", "a"]).ended(0);
    new_key(&folder, &["--selector", "A"]).ended(64);
    // A key file of that name is never written over, and the site does not come to name it.
    folder.write("credentials/dkim-example.com-b", "precious");
    let before = site(&folder);
    new_key(&folder, &["--selector", "b"]).ended(1);
    assert_eq!(site(&folder), before);
    assert_eq!(std::fs::read_to_string(folder.join("credentials/dkim-example.com-b")).expect("it stays"), "precious");
    assert!(!folder.join("dkim/example.com.b.pub").exists());
    // A public half that cannot be written takes the private one along.
    std::fs::rename(folder.join("dkim"), folder.join("dkim-moved")).expect("a folder");
    folder.write("dkim", "no folder");
    let moved = before.replace("\"dkim/", "\"dkim-moved/");
    folder.write("site.kdl", &moved);
    let refused = new_key(&folder, &["--selector", "c"]).ended(1);
    assert!(refused.err.contains("nothing was changed"), "{}", refused.err);
    assert_eq!(site(&folder), moved);
    let mut left: Vec<String> = std::fs::read_dir(folder.join("credentials"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!(left, ["dkim-example.com-a", "dkim-example.com-b"]);
    assert_eq!(folder.join("credentials").metadata().expect("a folder").permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_retired_key_leaves_when_its_mail_has_arrived_and_not_before() {
    let folder = Folder::with(GOOD);
    new_key(&folder, &["--selector", "a", "--today", "2026-11-01"]).ended(0);
    let retired = "state=\"retired\" published=\"2026-11-01\" activated=\"2026-11-02\" retired=\"2026-11-10\"";
    folder.write("site.kdl", &site(&folder).replace("state=\"publish\" published=\"2026-11-01\"", retired));
    let rotate =
        |today: &str, more: &[&str]| folder.run(&[&["key", "rotate", "site.kdl", "--today", today], more].concat()).ended(0).out;
    let before = site(&folder);
    assert!(rotate("2026-11-15", &[]).contains("retired until 2026-11-16, then removed"));
    assert!(rotate("2026-11-16", &["--dry-run"]).contains("retired -> removed"));
    assert_eq!(site(&folder), before);
    assert!(rotate("2026-11-16", &[]).contains("retired -> removed"));
    assert!(site(&folder).contains("state=\"removed\"") && site(&folder).contains(" removed=\"2026-11-16\""));
    assert!(!folder.run(&["dns", "site.kdl"]).ended(0).out.contains("_domainkey.example.com"));
    let listed = folder.run(&["key", "list", "site.kdl"]).ended(0).out;
    assert!(listed.contains("a._domainkey.example.com  rsa-sha256  removed"), "{listed}");
    // A hand that is quicker than the queue is stopped.
    folder.write("site.kdl", &site(&folder).replace("removed=\"2026-11-16\"", "removed=\"2026-11-12\""));
    assert!(folder.run(&["check", "site.kdl"]).ended(78).err.contains("DKM009"));
}

#[test]
fn a_key_does_not_sign_on_the_day_that_it_is_published() {
    let folder = Folder::with(GOOD);
    new_key(&folder, &["--selector", "a", "--today", "2026-11-01"]).ended(0);
    folder.write("site.kdl", &site(&folder).replace("state=\"publish\"", "state=\"active\""));
    assert!(folder.run(&["check", "site.kdl", "--today", "2026-11-01"]).ended(78).err.contains("DKM008"));
    folder.run(&["check", "site.kdl", "--today", "2026-11-02"]).ended(0);
    // Nobody has said which day it is.
    folder.run(&["check", "site.kdl"]).ended(0);
}

#[test]
fn a_build_refuses_what_the_one_before_does_not_carry() {
    let folder = Folder::with(GOOD);
    let build = |more: &[&str]| folder.run(&[&["build", "site.kdl", "--out", "out"], more].concat());
    build(&[]).ended(0);
    new_key(&folder, &["--selector", "a", "--today", "2026-11-01"]).ended(0);
    // The key signs before its record was ever built.
    folder.run(&["key", "rotate", "site.kdl", "--today", "2026-11-02"]).ended(0);
    let refused = build(&[]).ended(1);
    assert!(refused.err.contains("a._domainkey.example.com would sign"), "{}", refused.err);
    assert!(refused.err.contains("--allow-key-steps"), "{}", refused.err);
    let planned = folder.run(&["plan", "out", "site.kdl"]).ended(1);
    assert!(
        planned.err.contains("a._domainkey.example.com would sign") && planned.out.contains("a._domainkey"),
        "{}",
        planned.err
    );
    folder.run(&["plan", "out", "site.kdl", "--allow-key-steps"]).ended(2);
    build(&["--check"]).ended(2);
    build(&["--allow-key-steps"]).ended(0);
    build(&[]).ended(0);
    // And it is gone while its mail is under way.
    let signing = site(&folder);
    let line = signing.lines().find(|line| line.trim_start().starts_with("dkim ")).expect("a key");
    folder.write("site.kdl", &signing.replace(line, ""));
    let refused = build(&[]).ended(1);
    assert!(refused.err.contains("a._domainkey.example.com would leave DNS"), "{}", refused.err);
    // Retired it may be, but for how long must be said before it goes.
    let state = |state: &str| signing.replace("state=\"active\"", state);
    folder.write("site.kdl", &state("state=\"retired\" retired=\"2026-11-10\""));
    build(&[]).ended(0);
    folder.write("site.kdl", &state("state=\"removed\""));
    let refused = build(&[]).ended(1);
    assert!(refused.err.contains("does not say since when"), "{}", refused.err);
    assert!(folder.run(&["plan", "out", "site.kdl"]).ended(1).err.contains("does not say since when"));
    folder.write("site.kdl", &state("state=\"removed\" retired=\"2026-11-10\" removed=\"2026-11-17\""));
    build(&[]).ended(0);
}
