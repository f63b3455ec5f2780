//! Rules of the compiler are pairs of files, `x.rs` and `x.md`, and each is registered once under a code of its own.

use super::{Finding, Tree};
use regex::Regex;
use std::collections::BTreeMap;

/// Where rules lie; each family is a folder in it.
pub const FOLDER: &str = "compiler/src/rules/";

/// Every page without a rule, rule without a page, and code that is used twice or stands on no page.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sources: Vec<_> = tree.rust(FOLDER).filter(|file| !file.is_test()).collect();
    let include = Regex::new(r#"include_str!\("([^"]+\.md)"\)"#).unwrap();
    let mut pages: BTreeMap<String, usize> = tree
        .files()
        .iter()
        .filter(|file| is_in_family(&file.path) && file.path.ends_with(".md"))
        .map(|f| (f.path.clone(), 0))
        .collect();
    for file in &sources {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for name in include.captures_iter(&file.text).map(|found| found[1].to_owned()) {
            *pages.entry(format!("{folder}/{name}")).or_default() += 1;
        }
        let is_rule = is_in_family(&file.path) && !file.path.ends_with("/mod.rs") && file.text.contains("fn check");
        if is_rule && tree.file(&file.path.replace(".rs", ".md")).is_none() {
            findings.push(Finding::new(&file.path, 0, "a rule has a page of the same name, x.md"));
        }
    }
    for (path, uses) in pages.into_iter().filter(|(_, uses)| *uses != 1) {
        findings.push(Finding::new(&path, 0, format!("is the page of {uses} rules; a page belongs to one")));
    }
    findings.extend(codes(tree));
    findings
}

fn is_in_family(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|rest| rest.contains('/'))
}

/// Every code that stands in two places, or whose page has another title.
fn codes(tree: &Tree) -> Vec<Finding> {
    let declared = Regex::new(r#"code:\s*"([A-Z]{3}[0-9]{3})""#).unwrap();
    let mut findings = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for file in tree.rust(FOLDER).filter(|file| !file.is_test()) {
        for found in declared.captures_iter(&file.text) {
            let code = found[1].to_owned();
            if let Some(first) = seen.insert(code.clone(), file.path.clone()) {
                findings.push(Finding::new(&file.path, 0, format!("{code} is the code of a rule in {first} already")));
            }
        }
    }
    for file in tree.files().iter().filter(|file| is_in_family(&file.path) && file.path.ends_with(".md")) {
        let title = file.text.lines().next().unwrap_or_default();
        if !seen.keys().any(|code| title.contains(code.as_str())) {
            findings.push(Finding::new(&file.path, 1, "the title of a page names the code of its rule"));
        }
    }
    findings
}

/// Every rule that the list of all rules does not name exactly once.
pub fn registered_once(tree: &Tree) -> Vec<Finding> {
    let Some((list_path, list)) = list(tree) else { return vec![Finding::new(FOLDER, 0, "there is no list RULES")] };
    let declared = Regex::new(r"(?:static|const) ([A-Z][A-Z0-9_]*): Rule\b").unwrap();
    let mut findings = Vec::new();
    for file in tree.rust(FOLDER).filter(|file| !file.is_test()) {
        let code = &file.code().code;
        let module = module(&file.path);
        for name in declared.captures_iter(code).map(|found| found[1].to_owned()) {
            let entry =
                Regex::new(&format!(r"(?:^|[\s,&\[]){}(?:\s*[,\]]|$)", regex::escape(&format!("{module}{name}")))).unwrap();
            let times = entry.find_iter(&list).count();
            if times != 1 {
                findings.push(Finding::new(
                    &file.path,
                    0,
                    format!("{module}{name} stands {times} times in RULES of {list_path}"),
                ));
            }
        }
    }
    findings
}

/// The path of a rule's module as the list writes it: `dom::loops::` for `dom/loops.rs`, `low::` for `low/mod.rs` and `low.rs`.
fn module(path: &str) -> String {
    let inner =
        path.strip_prefix(FOLDER).unwrap_or(path).trim_end_matches(".rs").trim_end_matches("/mod").trim_end_matches("mod");
    if inner.is_empty() { String::new() } else { format!("{}::", inner.replace('/', "::")) }
}

/// The file of the list and what stands between its brackets.
fn list(tree: &Tree) -> Option<(&str, String)> {
    tree.rust(FOLDER).filter(|file| !file.is_test()).find_map(|file| {
        let code = &file.code().code;
        let start = code.find(" RULES:")?;
        let open = start + code[start..].find('=')?;
        let open = open + code[open..].find('[')?;
        let close = open + code[open..].find(']')?;
        Some((file.path.as_str(), code[open + 1..close].replace("super::", "")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "pub static RULE: Rule = Rule { code: \"DOM001\", explain: include_str!(\"loops.md\") };\nfn check() {}";

    #[test]
    fn a_whole_pair_passes() {
        let tree = Tree::of(&[
            ("compiler/src/rules/mod.rs", "pub static RULES: &[&Rule] = &[&dom::loops::RULE];"),
            ("compiler/src/rules/dom/loops.rs", RULE),
            ("compiler/src/rules/dom/loops.md", "# DOM001: a loop"),
        ]);
        assert_eq!((check(&tree), registered_once(&tree)), (vec![], vec![]));
    }

    #[test]
    fn half_a_pair_a_second_code_and_a_missing_entry_are_found() {
        let tree = Tree::of(&[
            ("compiler/src/rules/mod.rs", "pub static RULES: &[&Rule] = &[];"),
            ("compiler/src/rules/dom/loops.rs", RULE),
            ("compiler/src/rules/dom/other.rs", "static RULE: Rule = Rule { code: \"DOM001\" };\nfn check() {}"),
            ("compiler/src/rules/dom/loops.md", "# DOM001: a loop"),
            ("compiler/src/rules/dom/lonely.md", "# DOM009: nobody's"),
        ]);
        let found: Vec<String> = check(&tree).into_iter().map(|finding| finding.to_string()).collect();
        assert_eq!(
            found,
            [
                "compiler/src/rules/dom/other.rs: a rule has a page of the same name, x.md",
                "compiler/src/rules/dom/lonely.md: is the page of 0 rules; a page belongs to one",
                "compiler/src/rules/dom/other.rs: DOM001 is the code of a rule in compiler/src/rules/dom/loops.rs already",
                "compiler/src/rules/dom/lonely.md:1: the title of a page names the code of its rule",
            ]
        );
        assert_eq!(registered_once(&tree).len(), 2);
    }
}
