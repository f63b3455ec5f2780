//! The shape of a file: how it begins, how long it is, how long its functions are.

use super::{Allowed, Finding, Tree};

/// The most lines of a file.
pub const FILE_LINES: usize = 600;
/// The most lines of a function, from `fn` to the closing brace.
pub const FUNCTION_LINES: usize = 100;

/// Every Rust file says at its top what it is.
pub fn openings(tree: &Tree) -> Vec<Finding> {
    let silent = tree.rust("").filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| Finding::new(&file.path, 1, "begin with `//!`: what it is, what it is not, who calls it")).collect()
}

/// No Rust file is over [`FILE_LINES`].
pub fn file_lengths(tree: &Tree, allowed: &Allowed) -> Vec<Finding> {
    let long = tree.rust("").filter_map(|file| {
        let lines = file.text.lines().count();
        let what = format!("{lines} lines; {FILE_LINES} is the limit: a file is one idea");
        (lines > FILE_LINES).then(|| (file.path.clone(), Finding::new(&file.path, 0, what)))
    });
    allowed.filter("lines", long.collect())
}

/// No function is over [`FUNCTION_LINES`].
pub fn function_lengths(tree: &Tree, allowed: &Allowed) -> Vec<Finding> {
    let mut long = Vec::new();
    for file in tree.rust("") {
        for function in file.code().functions().into_iter().filter(|function| function.lines > FUNCTION_LINES) {
            let what = format!("fn {} has {} lines; {FUNCTION_LINES} is the limit", function.name, function.lines);
            long.push((format!("{} {}", file.path, function.name), Finding::new(&file.path, function.line, what)));
        }
    }
    allowed.filter("function", long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breach_is_found() {
        let long_file = format!("//! x\n{}", "\n".repeat(FILE_LINES));
        let long_function = format!("//! x\nfn f() {{\n{}}}\n", "\n".repeat(FUNCTION_LINES));
        let tree = Tree::of(&[("a.rs", "fn f() {}"), ("b.rs", &long_file), ("c.rs", &long_function), ("d.md", "")]);
        let allowed = Allowed::default();
        assert_eq!(openings(&tree).iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["a.rs"]);
        assert_eq!(file_lengths(&tree, &allowed).iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["b.rs"]);
        assert_eq!(function_lengths(&tree, &allowed), [Finding::new("c.rs", 2, "fn f has 102 lines; 100 is the limit")]);
    }
}
