//! The direction of dependencies, as the manifests say it: `compiler -> schema <- runtime`, `tests -> all`.

use super::{Finding, Tree};

/// What the manifest of a crate must not name. Dependencies that come in through others are for `cargo deny`.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "schema/Cargo.toml",
        &[
            "postern",
            "posternd",
            "postern-tests",
            "kdl",
            "miette",
            "tokio",
            "rustls",
            "hickory-proto",
            "hickory-resolver",
            "mail-auth",
            "rand",
            "getrandom",
            "chrono",
            "time",
            "serde_json",
        ],
    ),
    ("compiler/Cargo.toml", &["posternd", "postern-tests", "tokio", "hickory-resolver", "mail-auth", "rand"]),
    ("runtime/Cargo.toml", &["postern", "postern-tests", "kdl", "miette", "heed"]),
];

/// Crates that no manifest names: one TLS library, with one provider.
const NOWHERE: &[&str] = &["ring", "openssl", "native-tls"];

/// Every dependency that goes against the direction, and every version that is not stated at the root.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with("/Cargo.toml") && !file.path.contains("fuzz")) {
        let forbidden = FORBIDDEN.iter().find(|(path, _)| *path == file.path).map_or(&[][..], |(_, names)| names);
        for (line, name, rest) in dependencies(&file.text) {
            if forbidden.contains(&name) || NOWHERE.contains(&name) {
                findings.push(Finding::new(&file.path, line, format!("{name} is against the direction of dependencies")));
            }
            if !rest.contains("workspace = true") {
                findings.push(Finding::new(&file.path, line, format!("state the version of {name} once, at the root")));
            }
        }
    }
    findings
}

/// The names in the tables of dependencies: line from 1, name, and the rest of the line after it.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str, String)> {
    let mut inside = false;
    manifest.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            inside = table.trim_end_matches(']').ends_with("dependencies");
            return None;
        }
        let (key, value) = line.split_once('=').filter(|(key, _)| inside && !key.starts_with('#'))?;
        let key = key.trim();
        let (name, attribute) = key.split_once('.').unwrap_or((key, ""));
        Some((index + 1, name, format!("{attribute} = {value}").replace("  ", " ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_direction_and_a_second_version_are_found() {
        let tree = Tree::of(&[
            ("schema/Cargo.toml", "[package]\nname = \"x\"\n[dependencies]\nheed.workspace = true\ntokio.workspace = true\n"),
            (
                "runtime/Cargo.toml",
                "[dependencies]\npostern-schema = { workspace = true }\n[dev-dependencies]\npostern.workspace = true\n",
            ),
            ("compiler/Cargo.toml", "[dependencies]\nclap = \"4\"\n[lints]\nworkspace = true\n"),
            ("tests/Cargo.toml", "[dependencies]\nposternd.workspace = true\nring.workspace = true\n"),
        ]);
        let found: Vec<(String, usize)> = check(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect();
        let wanted = [("schema/Cargo.toml", 5), ("runtime/Cargo.toml", 4), ("compiler/Cargo.toml", 2), ("tests/Cargo.toml", 3)];
        assert_eq!(found, wanted.map(|(path, line)| (path.to_owned(), line)));
    }
}
