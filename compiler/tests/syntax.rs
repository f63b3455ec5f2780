//! Every file of `cases/syntax` is a site whose mistakes are marked where they stand: `// error: CODE` on the guilty line, or
//! `// error above: CODE` and `// error below: CODE` next to a line that cannot hold a comment. The runner wants exactly these
//! findings, and every code of the compiler's front end in at least one case.

use postern::report::Severity;
use postern::syntax::{CODES, LoadOptions, load_text};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

type Finding = (u32, Severity, String);

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/syntax");
    let entries = std::fs::read_dir(folder).expect("the folder of cases");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("a case").path()).collect();
    cases.sort();
    cases
}

/// The findings that the marks of a text ask for.
fn marked(text: &str) -> BTreeSet<Finding> {
    let mut wanted = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        for (mark, offset) in [(":", 0i64), (" above:", -1), (" below:", 1)] {
            for (word, severity) in [("error", Severity::Error), ("warning", Severity::Warning), ("note", Severity::Note)] {
                let Some((_, codes)) = line.split_once(&format!("// {word}{mark}")) else { continue };
                let line = (index as i64 + 1 + offset) as u32;
                wanted.extend(codes.split_whitespace().map(|code| (line, severity, code.to_owned())));
            }
        }
    }
    wanted
}

fn found(path: &Path, text: &str) -> BTreeSet<Finding> {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
    let loaded = load_text(name, text, &LoadOptions::default());
    let findings = loaded.diagnostics.iter().map(|finding| {
        let line = loaded.sources.source(finding.primary.source).line(finding.primary.start);
        assert!(finding.help.as_ref().is_some_and(|help| help.starts_with(char::is_uppercase)), "{name}: no help: {finding:?}");
        assert!(!finding.message.ends_with('.'), "{name}: {finding:?}");
        (line, finding.severity, finding.code.to_owned())
    });
    findings.collect()
}

#[test]
fn each_case_has_the_findings_that_it_marks() {
    let mut wrong = String::new();
    for path in cases() {
        let text = std::fs::read_to_string(&path).expect("a case");
        let (wanted, found) = (marked(&text), found(&path, &text));
        for (line, _, code) in wanted.difference(&found) {
            wrong.push_str(&format!("{}:{line}: missing {code}\n", path.display()));
        }
        for (line, _, code) in found.difference(&wanted) {
            wrong.push_str(&format!("{}:{line}: unexpected {code}\n", path.display()));
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn each_code_has_a_case() {
    let mut marked: BTreeSet<String> =
        cases().iter().flat_map(|path| marked(&std::fs::read_to_string(path).expect("a case"))).map(|(.., code)| code).collect();
    // Sixteen million pieces are too much for a case: a unit test with a smaller limit has it.
    marked.insert("KDL003".to_owned());
    let missing: Vec<&str> = CODES.iter().map(|code| code.code).filter(|code| !marked.contains(*code)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "codes without a case");
    let unknown: Vec<&String> = marked.iter().filter(|code| !CODES.iter().any(|known| known.code == code.as_str())).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "codes that are not in the list");
}
