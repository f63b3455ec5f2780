//! Exit statuses, and what stands on which stream.

use crate::site::{Folder, GOOD};

/// A site with one error, on line 3.
fn wrong() -> String {
    GOOD.replace("    address", "    adress")
}

/// A site that compiles, with a warning: nothing refers to the relay.
fn warned() -> String {
    format!("{GOOD}relay \"spare\" host=\"smtp.provider.example\" {{ tls \"verify\"; }}\n")
}

fn failing() -> String {
    GOOD.replace("expect \"reject\" reason=\"relay-denied\"", "expect \"accept\"")
}

#[test]
fn a_good_site_is_fine() {
    let ran = Folder::with(GOOD).run(&["check", "site.kdl"]).ended(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "site.kdl: no errors; 1 allowed by the site\n"));
}

#[test]
fn a_site_that_does_not_compile_is_78_for_everything_that_compiles_first() {
    let folder = Folder::with(&wrong());
    let explain = ["explain", "site.kdl", "--client", "192.0.2.1", "--from", "", "--to", "a@b.example"];
    let commands: [&[&str]; 10] = [
        &["check", "site.kdl"],
        &["build", "site.kdl", "--out", "out"],
        &["build", "site.kdl", "--out", "out", "--check"],
        &["show", "site.kdl"],
        &explain,
        &["test", "site.kdl"],
        &["plan", "site.kdl", "site.kdl"],
        &["dns", "site.kdl"],
        &["dns", "verify", "site.kdl"],
        &["up", "site.kdl"],
    ];
    for command in commands {
        let ran = folder.run(command).ended(78);
        assert_eq!(ran.out, "", "{command:?}");
        assert!(ran.err.contains("site.kdl:3"), "{command:?}: {}", ran.err);
        assert!(ran.err.contains("1 error"), "{command:?}: {}", ran.err);
    }
    assert!(!folder.join("out").exists());
    assert!(!folder.join(".postern").exists());
}

#[test]
fn warnings_pass_unless_they_are_denied() {
    let folder = Folder::with(&warned());
    folder.run(&["check", "site.kdl"]).ended(0);
    folder.run(&["check", "site.kdl", "--deny", "warnings"]).ended(1);
    let ran = folder.run(&["build", "site.kdl", "--out", "out", "--deny", "warnings"]).ended(1);
    assert_eq!(ran.out, "");
    assert!(!folder.join("out").exists());
    let ran = folder.run(&["build", "site.kdl", "--out", "out"]).ended(0);
    assert_eq!(ran.out.len(), 65);
    assert!(ran.err.contains("NAM003"), "{}", ran.err);
}

#[test]
fn failed_tests_of_the_site_are_1() {
    let folder = Folder::with(&failing());
    folder.run(&["check", "site.kdl"]).ended(1);
    folder.run(&["build", "site.kdl", "--out", "out"]).ended(1);
    assert!(!folder.join("out").exists());
    let ran = folder.run(&["test", "site.kdl"]).ended(1);
    assert!(ran.out.starts_with("FAIL  strangers cannot relay  (site.kdl:16)\n"), "{}", ran.out);
    assert!(ran.out.ends_with("0 passed, 1 failed\n"), "{}", ran.out);
}

#[test]
fn an_input_that_is_not_there_is_66() {
    let folder = Folder::with(GOOD);
    for command in [
        &["check", "missing.kdl"][..],
        &["build", "missing.kdl", "--out", "out"],
        &["inspect", "missing.mdb"],
        &["plan", "site.kdl", "missing.mdb"],
        &["explain", "missing.mdb", "--client", "192.0.2.1", "--from", "", "--to", "a@b.example"],
    ] {
        let ran = folder.run(command).ended(66);
        assert!(ran.err.contains("missing."), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
    folder.run(&["check", "."]).ended(66);
    folder.write("latin1.kdl", "");
    std::fs::write(folder.join("latin1.kdl"), b"site \"\xe9\"").expect("it writes");
    folder.run(&["check", "latin1.kdl"]).ended(66);
    folder.write(&format!("{}.mdb", "0".repeat(64)), "no snapshot");
    let ran = folder.run(&["inspect", &format!("{}.mdb", "0".repeat(64))]).ended(66);
    assert!(ran.err.contains("cut or damaged"), "{}", ran.err);
}

#[test]
fn wrong_arguments_are_64() {
    let folder = Folder::with(GOOD);
    for command in [
        &[][..],
        &["chekc", "site.kdl"],
        &["check"],
        &["check", "site.kdl", "--format", "xml"],
        &["build", "site.kdl"],
        &["rule", "XYZ999"],
        &["dns"],
        &["dns", "verify"],
        &["dns", "verify", "site.kdl", "--resolver", "dns.example"],
        &["dns", "site.kdl", "--domain", "elsewhere.example"],
        &["explain", "site.kdl", "--client", "localhost", "--from", "", "--to", "a@b.example"],
        &["explain", "site.kdl", "--client", "192.0.2.1", "--from", "no-at", "--to", "a@b.example"],
        &["explain", "site.kdl", "--client", "192.0.2.1", "--from", "", "--to", "a@b.example", "--listener", "smtp"],
        &["explain", "site.kdl", "--client", "192.0.2.1", "--from", "", "--to", "a@b.example", "--fact", "moon=full"],
        &["inspect", "site.mdb", "--table", "everything"],
    ] {
        let ran = folder.run(command).ended(64);
        assert_eq!(ran.out, "", "{command:?}");
        assert_ne!(ran.err, "", "{command:?}");
    }
}

#[test]
fn help_and_version_are_results() {
    let folder = Folder::with(GOOD);
    for command in [&["--help"][..], &["--version"], &["build", "--help"]] {
        let ran = folder.run(command).ended(0).quietly();
        assert!(ran.out.contains("postern"), "{}", ran.out);
        assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
    }
}

#[test]
fn machine_formats_of_check_are_its_result() {
    let folder = Folder::with(&wrong());
    let json = folder.run(&["check", "site.kdl", "--format", "json"]).ended(78).quietly();
    let finding: serde_json::Value = serde_json::from_str(json.out.lines().next().expect("a line")).expect("JSON");
    assert_eq!(finding["spans"][0]["line"], 3);
    let sarif = folder.run(&["check", "site.kdl", "--format", "sarif"]).ended(78).quietly();
    let log: serde_json::Value = serde_json::from_str(&sarif.out).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let short = folder.run(&["check", "site.kdl", "--format", "short"]).ended(78).quietly();
    assert!(short.out.starts_with("site.kdl:3:5: error: "), "{}", short.out);
    let github = folder.run(&["check", "site.kdl", "--format", "github"]).ended(78).quietly();
    assert!(github.out.starts_with("::error file=site.kdl,line=3,"), "{}", github.out);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::Stdio;
    let folder = Folder::with(GOOD);
    let mut child = crate::site::command()
        .current_dir(folder.path())
        .args(["rule"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
