//! Every file and folder of `cases/syntax` is a site whose mistakes are marked where they stand: `// error: CODE` on the guilty
//! line, or `// error above: CODE` and `// error below: CODE` next to a line that cannot hold a comment. JSON has no comments:
//! there a file `NAME.expected` has lines of `LINE CODE`. `// profile: NAME` puts a profile in force. The runner wants exactly
//! these findings, and every code of the compiler's front end in at least one case.

use postern::report::Severity;
use postern::rules::{RULES, Raised};
use postern::source::SourceId;
use postern::syntax::grammar;
use postern::syntax::{LoadOptions, Node, load, parse};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// File, line, severity, code.
type Finding = (String, u32, Severity, String);

struct Case {
    site: PathBuf,
    profile: Option<String>,
    wanted: BTreeSet<Finding>,
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/syntax");
    let cases = listed(&folder).into_iter().filter(|path| path.extension().is_none_or(|extension| extension != "expected"));
    cases.map(|path| if path.is_dir() { folder_case(&path) } else { file_case(path) }).collect()
}

fn file_case(path: PathBuf) -> Case {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let text = std::fs::read_to_string(&path).expect("a case");
    let wanted = match std::fs::read_to_string(path.with_extension("expected")) {
        Ok(expected) => expected.lines().map(|line| expected_line(&name, line)).collect(),
        Err(_) => marked(&name, &text),
    };
    Case { site: path, profile: profile(&text), wanted }
}

fn folder_case(folder: &Path) -> Case {
    let site = folder.join("site.kdl");
    let mut wanted = BTreeSet::new();
    for path in listed(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "kdl")) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        if let Ok(text) = std::fs::read_to_string(&path) {
            wanted.extend(marked(name, &text));
        }
    }
    let profile = profile(&std::fs::read_to_string(&site).expect("a site"));
    Case { site, profile, wanted }
}

fn profile(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.split_once("// profile: ")).map(|(_, name)| name.trim().to_owned())
}

fn expected_line(file: &str, line: &str) -> Finding {
    let (line, code) = line.split_once(' ').expect("a line and a code");
    (file.to_owned(), line.parse().expect("a line"), Severity::Error, code.to_owned())
}

/// The findings that the marks of a text ask for.
fn marked(file: &str, text: &str) -> BTreeSet<Finding> {
    let mut wanted = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        for (mark, offset) in [(":", 0i64), (" above:", -1), (" below:", 1)] {
            for (word, severity) in [("error", Severity::Error), ("warning", Severity::Warning), ("note", Severity::Note)] {
                let Some((_, codes)) = line.split_once(&format!("// {word}{mark}")) else { continue };
                let line = (index as i64 + 1 + offset) as u32;
                wanted.extend(codes.split_whitespace().map(|code| (file.to_owned(), line, severity, code.to_owned())));
            }
        }
    }
    wanted
}

fn found(case: &Case) -> BTreeSet<Finding> {
    let options = LoadOptions { profile: case.profile.clone(), ..LoadOptions::default() };
    let loaded = load(&case.site, &options).expect("a case that can be read");
    let findings = loaded.diagnostics.iter().map(|finding| {
        let source = loaded.sources.source(finding.primary.source);
        assert!(finding.help.as_ref().is_some_and(|help| help.starts_with(char::is_uppercase)), "no help: {finding:?}");
        assert!(!finding.message.ends_with('.'), "{finding:?}");
        (source.path.to_string(), source.line(finding.primary.start), finding.severity, finding.code.to_owned())
    });
    findings.collect()
}

#[test]
fn each_case_has_the_findings_that_it_marks() {
    let mut wrong = String::new();
    for case in cases() {
        let found = found(&case);
        for (what, findings) in [("missing", case.wanted.difference(&found)), ("unexpected", found.difference(&case.wanted))] {
            for (file, line, _, code) in findings {
                wrong.push_str(&format!("{} {file}:{line}: {what} {code}\n", case.site.display()));
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn each_code_has_a_case() {
    let mut marked: BTreeSet<String> = cases().into_iter().flat_map(|case| case.wanted).map(|(.., code)| code).collect();
    // A chain of many files is one of the unit tests.
    marked.insert("INC006".to_owned());
    let known: BTreeSet<String> =
        RULES.iter().filter(|rule| matches!(rule.raised, Raised::Reading)).map(|rule| rule.code.to_owned()).collect();
    assert_eq!(known.difference(&marked).collect::<Vec<_>>(), Vec::<&String>::new(), "codes without a case");
    assert_eq!(marked.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "codes that are not of the front end");
}

/// Every block and property of a tree, as `relay tls` and `relay port=`. What a profile says stands as if it stood outside: there is
/// room for what excludes something else.
fn words(parent: &str, nodes: &[Node], out: &mut BTreeSet<String>) {
    for node in nodes {
        let name = format!("{parent}{} ", node.name.value);
        out.extend(node.properties.iter().map(|property| format!("{name}{}=", property.name.value)));
        words(if node.name.value == "profile" { "" } else { &name }, &node.children, out);
        out.insert(name);
    }
}

/// `cases/language` says everything that the language can say. What is not served is refused as that, and as nothing else.
#[test]
fn the_whole_language_has_an_answer() {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/language/site.kdl");
    for profile in [None, Some("rehearsal".to_owned())] {
        let loaded = load(&site, &LoadOptions { profile, ..LoadOptions::default() }).expect("a site");
        let others: Vec<_> = loaded.diagnostics.iter().filter(|finding| finding.code != "LNG012").collect();
        assert!(others.is_empty(), "{others:#?}");
        assert!(loaded.complete);
    }
    let mut written = BTreeSet::new();
    words("", &parse(SourceId(0), &std::fs::read_to_string(&site).expect("a site")).nodes, &mut written);
    let mut declared = BTreeSet::new();
    grammar::walk(&mut |path, spec| {
        let name: String = path.iter().chain([&spec.name]).map(|name| format!("{name} ")).collect();
        declared.extend(spec.properties.iter().map(|property| format!("{name}{}=", property.name)));
        declared.insert(name);
    });
    assert!(declared.len() > 150);
    assert_eq!(declared.difference(&written).collect::<Vec<_>>(), Vec::<&String>::new(), "words that the case does not say");
}
