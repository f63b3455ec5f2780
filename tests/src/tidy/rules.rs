//! Rules of the compiler are pairs of files, `x.rs` and `x.md`, and each is registered once, under a code of its own.

use super::{Finding, Tree};
use std::collections::BTreeMap;

/// Where rules lie; each family is a folder in it.
pub const FOLDER: &str = "compiler/src/rules/";

/// A rule as the compiler registers it.
#[derive(Clone, Copy, Debug)]
pub struct Registered<'a> {
    /// Three letters and three digits.
    pub code: &'a str,
    /// In kebab-case.
    pub name: &'a str,
    /// The whole text of its page.
    pub page: &'a str,
}

/// Every code or name that is used twice, page that is not the page of one rule, title without the code, and check without a
/// page.
pub fn check(tree: &Tree, registered: &[Registered<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeMap::new();
    for rule in registered {
        for word in [rule.code, rule.name] {
            if let Some(first) = seen.insert(word, rule.code) {
                findings.push(Finding::new(FOLDER, 0, format!("{word} stands for a rule already, {first}")));
            }
        }
        // A code that no short example shows has a paragraph and no page.
        if rule.page.starts_with('#') && !rule.page.starts_with(&format!("# {}: ", rule.code)) {
            findings.push(Finding::new(FOLDER, 0, format!("the page of {} begins with `# {}: `", rule.code, rule.code)));
        }
        if !is_code(rule.code) {
            findings.push(Finding::new(FOLDER, 0, format!("{} is no code: three letters, three digits", rule.code)));
        }
    }
    for file in tree.files().iter().filter(|file| is_in_family(&file.path)) {
        if file.path.ends_with(".md") {
            let rules = registered.iter().filter(|rule| rule.page == file.text).count();
            if rules != 1 {
                findings.push(Finding::new(&file.path, 0, format!("is the page of {rules} registered rules; write it for one")));
            }
        } else if file.is_rust() && !file.is_test() && file.code().functions().iter().any(|function| function.name == "check") {
            let page = file.path.replace(".rs", ".md");
            if tree.file(&page).is_none() {
                findings.push(Finding::new(&file.path, 0, "a check has a page beside it, x.rs and x.md"));
            }
        }
    }
    findings
}

fn is_code(code: &str) -> bool {
    code.len() == 6 && code.bytes().enumerate().all(|(at, b)| if at < 3 { b.is_ascii_uppercase() } else { b.is_ascii_digit() })
}

fn is_in_family(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|rest| rest.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPS: Registered<'_> = Registered { code: "DOM001", name: "loops", page: "# DOM001: a loop" };
    const FILES: &[(&str, &str)] =
        &[("compiler/src/rules/dom/loops.rs", "fn check() {}"), ("compiler/src/rules/dom/loops.md", "# DOM001: a loop")];

    #[test]
    fn a_whole_pair_passes() {
        assert_eq!(check(&Tree::of(FILES), &[LOOPS]), []);
    }

    #[test]
    fn half_a_pair_a_second_code_and_a_missing_entry_are_found() {
        let found = |files: &[(&str, &str)], registered: &[Registered<'_>]| {
            check(&Tree::of(files), registered).into_iter().map(|finding| finding.what).collect::<Vec<_>>()
        };
        assert_eq!(found(FILES, &[]), ["is the page of 0 registered rules; write it for one"]);
        assert_eq!(found(&FILES[..1], &[LOOPS]), ["a check has a page beside it, x.rs and x.md"]);
        assert_eq!(found(&[], &[LOOPS, LOOPS]).len(), 2);
        assert_eq!(found(&[], &[Registered { code: "DOM2", ..LOOPS }]).len(), 2);
    }
}
