//! The examples as their readers try them out: from the root of the repository, by the command line.

use crate::site::{Ran, command};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(arguments: &[&str]) -> Ran {
    Ran::of(command().current_dir(root()).args(arguments).output().expect("it runs"))
}

#[test]
fn every_example_passes_and_is_laid_out() {
    let mut count = 0;
    for entry in fs::read_dir(root().join("examples")).expect("the examples") {
        let folder = Path::new("examples").join(entry.expect("an entry").file_name());
        let site = ["site.kdl", "site.json"].map(|name| folder.join(name)).into_iter().find(|site| root().join(site).is_file());
        let site = site.unwrap_or_else(|| panic!("{} has no site", folder.display()));
        let site = site.to_str().expect("UTF-8");
        run(&["check", site, "--deny", "warnings"]).ended(0);
        run(&["test", site]).ended(0).quietly();
        if site.ends_with(".kdl") {
            run(&["fmt", "--check", site]).ended(0).quietly();
        }
        count += 1;
    }
    assert!(count >= 9, "only {count} examples");
}

#[test]
fn the_twin_that_show_writes_builds_the_same_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let out = out.to_str().expect("UTF-8");
    for profile in [&[][..], &["--profile", "staging"]] {
        let with = |arguments: &[&str]| run(&[arguments, profile].concat()).ended(0).out;
        let digest = with(&["build", "examples/gitops/site.kdl", "--out", out]);
        let twin = folder.path().join("site.json");
        fs::write(&twin, with(&["show", "examples/gitops/site.kdl", "--json"])).expect("it writes");
        let twin = twin.to_str().expect("UTF-8");
        assert_eq!(run(&["build", twin, "--out", out]).ended(0).out, digest);
        run(&["test", twin]).ended(0);
        let records = |site: &str| run(&[&["dns", site][..], if site == twin { &[] } else { profile }].concat()).ended(0).out;
        assert_eq!(records(twin), records("examples/gitops/site.kdl"));
    }
}
