//! Test suites of other people. They are no part of this tree: they lie beside it, in `../shared/data`, or where
//! `POSTERN_DATA` says, and a test that does not find its suite says so.

use crate::daemon::binaries::workspace;
use saphyr::{LoadableYamlNode, YamlOwned};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// A file of the suites; `None` where it is not there, which is said on standard error.
pub fn file(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("POSTERN_DATA").map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    let file = folder.join(path);
    if !file.is_file() {
        // Not by `eprintln!`, which the test runner keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no {}; POSTERN_DATA may name another folder", file.display());
        return None;
    }
    Some(file)
}

/// The documents of a YAML file of the suites.
pub fn yaml(path: &str) -> Option<Vec<YamlOwned>> {
    let text = fs::read_to_string(file(path)?).unwrap();
    Some(YamlOwned::load_from_str(&text).unwrap())
}

/// Prints a score where the test runner does not hide it, and fails if anything did.
pub fn score(name: &str, cases: usize, failed: &[String]) {
    let _ = writeln!(std::io::stderr(), "SCORE {name}: {} of {cases}", cases - failed.len());
    assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
}

/// What a scalar says, as text.
pub fn text(node: &YamlOwned) -> String {
    let number =
        || node.as_integer().map(|number| number.to_string()).or_else(|| node.as_floating_point().map(|n| n.to_string()));
    node.as_str().map(str::to_owned).or_else(number).unwrap_or_default()
}

/// The entries of a mapping.
pub fn entries(node: &YamlOwned) -> Vec<(String, &YamlOwned)> {
    node.as_mapping().into_iter().flatten().map(|(key, value)| (text(key), value)).collect()
}
