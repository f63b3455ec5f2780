//! The same site gives the same bytes: again, from another folder, on another day, under another locale, with other things in
//! the environment and other times on its files.
#![allow(clippy::unwrap_used)]

use postern_tests::daemon::Site;
use postern_tests::daemon::binaries::binaries;
use postern_tests::scene::kdl;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// Every file below a folder that is not a symlink, by relative path.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_file() {
                files.push((entry.path().strip_prefix(folder).unwrap().to_path_buf(), fs::read(entry.path()).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// A site of several files, with enough names that a hash map would give its order away.
fn site() -> Site {
    let more: String =
        (0..200).map(|i| format!("    mailbox \"user{i}\"\n    alias \"alias{i}\" \"user{i}\" \"alice\"\n")).collect();
    let domain = |name: &str| format!("domain \"{name}.example\" {{\n    mailbox \"alice\"\n{more}}}\n");
    let tables = "aliases file=\"virtual\"\n";
    let site = Site::new(&format!("{}include \"domains/*.kdl\"\n{}{}{tables}", kdl(2525), domain("one"), domain("two")));
    let rows: String = (0..20_000).map(|i| format!("row{i}@one.example user{}@two.example\n", i % 200)).collect();
    site.write("virtual", &rows);
    for name in ["three", "four"] {
        site.write(&format!("domains/{name}.kdl"), &domain(name));
    }
    site
}

#[test]
fn a_second_build_gives_the_same_bytes() {
    let site = site();
    let digest = site.build();
    let first = contents(&site.snapshots());
    assert!(first.len() >= 2, "a snapshot and DNS records are due: {first:?}");
    let snapshot = site.snapshots().join("current").canonicalize().unwrap();
    assert_eq!(snapshot.file_name().unwrap().to_str().unwrap(), format!("{digest}.mdb"));
    assert_eq!(site.build(), digest);
    assert!(contents(&site.snapshots()) == first, "the second build changed something");
}

#[test]
fn neither_folder_nor_day_nor_environment_shows() {
    let (here, there) = (site(), site());
    let digest = here.build();
    for (path, _) in contents(&there.path("source")) {
        let file = File::options().write(true).open(there.path("source").join(path)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    }
    let mut command = Command::new(&binaries().postern);
    // A relative path from another folder, and as little else in common as possible.
    command.args(["build", "site.kdl", "--out", "../snapshots"]).current_dir(there.path("source")).env_clear();
    command.env("LANG", "tr_TR.UTF-8").env("TZ", "Pacific/Kiritimati").env("HOME", "/nonexistent");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), digest);
    assert!(contents(&here.snapshots()) == contents(&there.snapshots()), "the artifacts differ");
}

#[test]
fn no_artifact_holds_a_path_of_the_host() {
    let site = site();
    site.build();
    let folder = site.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    for (path, octets) in contents(&site.snapshots()) {
        let found = octets.windows(folder.len()).any(|window| window == folder.as_bytes());
        assert!(!found, "{folder} stands in {}", path.display());
    }
}

#[test]
fn a_comment_changes_the_snapshot_and_not_what_it_decides() {
    let site = site();
    let first = site.build();
    let digest_of_site = |digest: &str| {
        let file = site.snapshots().join(format!("{digest}.mdb"));
        let text = site.postern(&["inspect", file.to_str().unwrap()]).success();
        let line = text.lines().find(|line| line.starts_with("site ")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no site digest in {text}"))
    };
    let kdl = fs::read_to_string(site.source()).unwrap();
    let second = site.rebuild(&format!("{kdl}// nothing\n"));
    assert_ne!(first, second);
    assert_eq!(digest_of_site(&first), digest_of_site(&second));
}

#[test]
fn check_reads_a_folder_that_may_not_be_written() {
    let site = site();
    let before = contents(&site.path("source"));
    let source = site.source();
    let outcome = site.postern(&["check", source.to_str().unwrap()]);
    assert_eq!(outcome.status, 0, "{outcome}");
    assert!(contents(&site.path("source")) == before, "`check` changed the site");
    assert!(!site.snapshots().exists());
}
