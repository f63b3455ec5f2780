//! `build`: the digest, the folder, and that neither place nor time leaves a trace.

use crate::site::{Folder, GOOD, command};
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

fn build(folder: &Folder) -> String {
    let ran = folder.run(&["build", "site.kdl", "--out", "out"]).ended(0).quietly();
    let digest = ran.out.strip_suffix('\n').expect("one line").to_owned();
    assert!(digest.len() == 64 && digest.bytes().all(|octet| octet.is_ascii_hexdigit()), "{digest}");
    digest
}

/// Every file below a folder, by path, with its octets.
fn tree(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("it lists").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                files.push((name, fs::read(&entry).expect("it reads")));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_same_site_gives_the_same_octets_anywhere_and_any_time() {
    let first = Folder::with(GOOD);
    let digest = build(&first);
    let wanted = tree(&first.join("out"));
    assert_eq!(build(&first), digest);
    assert_eq!(tree(&first.join("out")), wanted);

    let file = File::options().write(true).open(first.join("site.kdl")).expect("it opens");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).expect("it is touched");
    assert_eq!(build(&first), digest);

    // Another folder, named from elsewhere by an absolute path, in another language, zone and umask.
    let second = Folder::with(GOOD);
    let elsewhere = Folder::with("");
    let mut run = command();
    run.current_dir(elsewhere.path()).env("LANG", "tr_TR.UTF-8").env("TZ", "Asia/Tokyo").env("HOME", "/nonexistent");
    let output = run.arg("build").arg(second.join("site.kdl")).arg("--out").arg(second.join("out")).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{digest}\n"));
    assert_eq!(tree(&second.join("out")), wanted);
    for (name, octets) in &wanted {
        for place in [first.path(), second.path()] {
            let place = place.as_os_str().as_encoded_bytes();
            assert!(!octets.windows(place.len()).any(|window| window == place), "{name} names a folder of this host");
        }
    }
}

#[test]
fn a_change_that_means_something_changes_the_digest() {
    let digest = build(&Folder::with(GOOD));
    assert_ne!(build(&Folder::with(&GOOD.replace("mailbox \"bob\"", "mailbox \"bob\" quota=\"1GiB\""))), digest);
}

#[test]
fn check_writes_nothing_and_says_what_differs() {
    let folder = Folder::with(GOOD);
    let ran = folder.run(&["build", "site.kdl", "--out", "out", "--check"]).ended(2);
    assert!(!folder.join("out").exists());
    let digest = build(&folder);
    assert_eq!(ran.out.trim_end(), digest);
    let before = tree(&folder.join("out"));
    let ran = folder.run(&["build", "site.kdl", "--out", "out", "--check"]).ended(0).quietly();
    assert_eq!(ran.out.trim_end(), digest);
    folder.write("site.kdl", &GOOD.replace("alias \"info\" \"alice\" \"bob\"", "alias \"info\" \"alice\""));
    let ran = folder.run(&["build", "site.kdl", "--out", "out", "--check"]).ended(2);
    assert!(ran.err.contains("current"), "{}", ran.err);
    assert_eq!(tree(&folder.join("out")), before);
    folder.write("site.kdl", GOOD);
    fs::write(folder.join("out/dns/json/records.json"), "{}").expect("it writes");
    let ran = folder.run(&["build", "site.kdl", "--out", "out", "--check"]).ended(2);
    assert!(ran.err.contains("records.json"), "{}", ran.err);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_with_its_name() {
    let folder = Folder::with(GOOD);
    folder.write("out", "a file");
    let ran = folder.run(&["build", "site.kdl", "--out", "out"]).ended(1);
    assert!(ran.err.contains("out: ") && ran.err.contains("--out"), "{}", ran.err);
    let ran = folder.run(&["build", "site.kdl", "--out", "/proc/nowhere"]).ended(1);
    assert!(ran.err.contains("/proc/nowhere"), "{}", ran.err);
}
