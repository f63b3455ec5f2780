//! The map and the tree agree: what ARCHITECTURE.md and README.md name exists, and no part of a crate is missing from the map.

use super::{Finding, Tree};
use regex::Regex;

/// The map.
pub const MAP: &str = "ARCHITECTURE.md";
/// Documents whose paths are checked.
const DOCUMENTS: &[&str] = &[MAP, "README.md"];
/// Paths that come into being when somebody follows the text.
const MADE_LATER: &[&str] = &["target/", ".postern/"];

/// Every path in backticks or in a link that is not there.
pub fn paths_exist(tree: &Tree) -> Vec<Finding> {
    let path = Regex::new(r"(?:`|\]\()([A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*/?)(?:`|\))").unwrap();
    let mut findings = Vec::new();
    for file in DOCUMENTS.iter().filter_map(|path| tree.file(path)) {
        for (index, line) in file.text.lines().enumerate() {
            for name in path.captures_iter(line).map(|found| found.get(1).unwrap().as_str()).filter(|name| is_path(name)) {
                if !tree.holds(name) {
                    findings.push(Finding::new(&file.path, index + 1, format!("{name} does not exist")));
                }
            }
        }
    }
    findings
}

/// A slash, or a document or manifest of the root. `postern-schema`, `decide` and `site.kdl` are no paths of this tree.
fn is_path(name: &str) -> bool {
    let is_root_file =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && [".md", ".toml"].iter().any(|end| name.ends_with(end));
    (name.contains('/') || is_root_file) && !MADE_LATER.iter().any(|prefix| name.starts_with(prefix))
}

/// Every folder `<crate>/src/<part>` that the map does not name.
pub fn map_is_whole(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.file(MAP) else { return vec![Finding::new(MAP, 0, "is not there")] };
    let parts = tree.folders().filter(|folder| {
        let is_part = matches!(folder.split('/').collect::<Vec<_>>()[..], ["schema" | "compiler" | "runtime", "src", _]);
        is_part && tree.holds(&format!("{folder}/mod.rs"))
    });
    let missing = parts.filter(|folder| !map.text.contains(&format!("`{folder}/`")));
    missing.map(|folder| Finding::new(MAP, 0, format!("does not name `{folder}/`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_gone_and_a_part_that_is_not_named_are_found() {
        let tree = Tree::of(&[
            (
                MAP,
                "`schema/src/site/` and `schema/src/old.rs`, `postern-schema`, `x.rs`, `GONE.md`, [x](docs/gone.md)\n`target/release/postern`",
            ),
            ("schema/src/site/mod.rs", ""),
            ("runtime/src/net/mod.rs", ""),
            ("runtime/src/net/inner/mod.rs", ""),
        ]);
        let found: Vec<String> = paths_exist(&tree).into_iter().chain(map_is_whole(&tree)).map(|finding| finding.what).collect();
        let wanted = ["schema/src/old.rs", "GONE.md", "docs/gone.md"].map(|path| format!("{path} does not exist"));
        assert_eq!(found, [&wanted[..], &["does not name `runtime/src/net/`".to_owned()]].concat());
    }
}
