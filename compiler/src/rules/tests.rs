//! Every page is a test: its first example must give its code on the line that says so and nothing else, its second must
//! compile clean.

use super::{RULES, Raised};
use crate::certificate::Date;
use crate::compile::{CompileOptions, Compiled, compile};
use crate::report::Severity;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

/// The fenced blocks of a section, each with its info string.
fn examples<'a>(page: &'a str, section: &str) -> Vec<(&'a str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut inside = false;
    let mut open = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(info) if inside && !open => {
                found.push((info, String::new()));
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                if let Some((_, text)) = found.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            None if line.starts_with("## ") => inside = line == format!("## {section}"),
            None => {}
        }
    }
    found
}

/// Compiles the example in a folder of its own: the first block is the site, further ones are files by name. A line
/// `// profile: NAME` in the site puts a profile in force.
fn compile_example(blocks: &[(&str, String)]) -> Compiled {
    let folder = tempfile::tempdir().unwrap();
    for (index, (info, text)) in blocks.iter().enumerate() {
        let name = if index == 0 { "site.kdl" } else { info.split(' ').nth(1).unwrap() };
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let profile = blocks[0].1.lines().find_map(|line| line.strip_prefix("// profile: ")).map(str::to_owned);
    let today = blocks[0].0.split_once("--today ").map(|(_, day)| Date::parse(day).unwrap());
    compile(&folder.path().join("site.kdl"), &CompileOptions { today, profile, ..CompileOptions::default() }).unwrap()
}

/// `// error: RLY001` at the end of a line; where that line cannot hold a comment, `// error below: RLY001` on the one before,
/// or `// error at FILE:LINE: RLY001` anywhere.
fn marks(blocks: &[(&str, String)]) -> BTreeSet<(String, u32, String)> {
    let form = regex::Regex::new(r"(?://|#) (error|warning|note)(?: (below)| at (\S+):(\d+))?: (\S+)$").unwrap();
    let mut found = BTreeSet::new();
    for (index, (info, text)) in blocks.iter().enumerate() {
        let name = if index == 0 { "site.kdl" } else { info.split(' ').nth(1).unwrap() };
        for (line, text) in text.lines().enumerate() {
            let Some(mark) = form.captures(text) else { continue };
            let line = line as u32 + 1 + u32::from(mark.get(2).is_some());
            let place = mark.get(3).map_or((name, line), |file| (file.as_str(), mark[4].parse().unwrap()));
            found.insert((place.0.to_owned(), place.1, format!("{}: {}", &mark[1], &mark[5])));
        }
    }
    found
}

/// The code for what the runtime does not serve. An example of a rule that judges such a thing says so behind its fence, as in
/// `kdl unserved`, and is refused for that as well.
const UNSERVED: &str = "LNG012";

/// What is found besides that something is not served, where the example says so; then it must be found too.
fn take_unserved(blocks: &[(&str, String)], compiled: &mut Compiled) -> bool {
    let says_so = blocks[0].0.split(' ').any(|word| word == "unserved");
    let before = compiled.diagnostics.len();
    if says_so {
        compiled.diagnostics.retain(|finding| finding.code != UNSERVED);
        assert!(compiled.diagnostics.len() < before, "all of this is served: {}", blocks[0].1);
    }
    says_so
}

fn found(compiled: &Compiled, least: Severity) -> BTreeSet<(String, u32, String)> {
    let findings = compiled.diagnostics.iter().filter(|finding| finding.severity >= least);
    let place = |finding: &crate::report::Diagnostic| {
        let source = compiled.sources.source(finding.primary.source);
        (source.path.to_string(), source.line(finding.primary.start), format!("{}: {}", finding.severity.as_str(), finding.code))
    };
    findings.map(place).collect()
}

#[test]
fn every_page_is_true() {
    let mut wrong = Vec::new();
    for rule in RULES.iter() {
        let fails = examples(rule.explain, "Fails");
        let passes = examples(rule.explain, "Passes");
        if fails.is_empty() || passes.is_empty() {
            wrong.push(format!("{}: lacks an example", rule.code));
            continue;
        }
        let mut compiled = compile_example(&fails);
        take_unserved(&fails, &mut compiled);
        // A note that the example is not about does not disturb it.
        let own = format!("{}: {}", rule.severity.as_str(), rule.code);
        let is_meant = |(_, _, mark): &(String, u32, String)| !mark.starts_with("note") || *mark == own;
        let found_here: BTreeSet<_> = found(&compiled, Severity::Note).into_iter().filter(is_meant).collect();
        let marked = marks(&fails);
        if found_here != marked || !marked.iter().any(|(_, _, mark)| *mark == own) {
            wrong.push(format!("{}: marked {marked:?}, found {found_here:?}\n{:#?}", rule.code, compiled.diagnostics));
        }
        let mut compiled = compile_example(&passes);
        let is_refused = take_unserved(&passes, &mut compiled);
        if found(&compiled, Severity::Note).iter().any(is_meant) || compiled.model.is_none() != is_refused {
            wrong.push(format!("{}: the passing example gives {:#?}", rule.code, compiled.diagnostics));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Mistakes that stand in published guides, each as a site: the rule that is meant for it finds it, and nothing else does.
#[test]
fn mistakes_of_published_guides_are_caught() {
    assert!(sites_give_what_they_say("mistakes") >= 10);
}

/// Other forms of a mistake than that of its page, and what only looks like it.
#[test]
fn other_forms_of_a_mistake_are_caught_too() {
    assert!(sites_give_what_they_say("forms") >= 5);
}

/// Compiles every site of a folder of `tests/cases`, and holds the findings against the marks in it; how many there are.
fn sites_give_what_they_say(folder: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases").join(folder);
    let key = std::fs::read_to_string(folder.join("../mistakes/default.pub")).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    visit(&folder, &mut |path, text| {
        if path.extension().is_none_or(|extension| extension != "kdl") {
            return;
        }
        let fence = if text.lines().any(|line| line == "// unserved") { "kdl unserved" } else { "kdl" };
        let blocks = [(fence, text.to_owned()), ("pem default.pub", key.clone())];
        let marks = marks(&blocks);
        let least = if marks.iter().any(|(_, _, mark)| mark.starts_with("note")) { Severity::Note } else { Severity::Warning };
        let mut compiled = compile_example(&blocks);
        take_unserved(&blocks, &mut compiled);
        let found = found(&compiled, least);
        if found != marks || marks.is_empty() {
            let (missing, surplus) = (marks.difference(&found), found.difference(&marks));
            wrong.push(format!(
                "{}: missing {:?}, too many {:?}",
                path.display(),
                missing.collect::<Vec<_>>(),
                surplus.collect::<Vec<_>>()
            ));
        }
        count += 1;
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    count
}

#[test]
fn every_page_has_its_form() {
    for rule in RULES.iter() {
        assert!(rule.explain.starts_with(&format!("# {}: ", rule.code)), "{}: {:?}", rule.code, rule.explain.lines().next());
        for section in ["What it checks", "Why it matters", "Fails", "Passes", "References"] {
            assert!(rule.explain.contains(&format!("\n## {section}\n")), "{} lacks {section}", rule.code);
        }
        assert!(!rule.title().is_empty() && !rule.title().contains(rule.code), "{}", rule.code);
        assert!(rule.explain.lines().all(|line| line.chars().count() <= 130), "{} has a line over 130", rule.code);
    }
}

#[test]
fn codes_and_names_are_unique_and_well_formed() {
    let mut seen = HashSet::new();
    for rule in RULES.iter() {
        assert!(seen.insert(rule.code), "{} twice", rule.code);
        assert!(seen.insert(rule.name), "{} twice", rule.name);
        let (family, number) = rule.code.split_at(3);
        assert!(family.bytes().all(|b| b.is_ascii_uppercase()) && number.len() == 3, "{}", rule.code);
        assert!(number.parse::<u16>().is_ok_and(|number| number > 0), "{}", rule.code);
        assert!(rule.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{}", rule.name);
    }
}

/// A code that the source spells and the registry does not know has no page: `postern rule CODE` would shrug.
#[test]
fn every_code_in_the_source_has_a_page() {
    let known: HashSet<&str> = RULES.iter().map(|rule| rule.code).collect();
    let spelled = regex::Regex::new(r#""([A-Z]{3}[0-9]{3})""#).unwrap();
    let mut unknown = BTreeSet::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        for code in spelled.captures_iter(text).map(|found| found.get(1).unwrap().as_str()) {
            if !known.contains(code) && !path.ends_with("tests.rs") {
                unknown.insert(format!("{code} in {}", path.display()));
            }
        }
    });
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// A page beside no rule is one that nobody reads.
#[test]
fn every_page_is_registered() {
    let pages: HashSet<&str> = RULES.iter().map(|rule| rule.explain).collect();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules"), &mut |path, text| {
        if path.extension().is_some_and(|extension| extension == "md") {
            assert!(pages.contains(text), "{} belongs to no rule", path.display());
        }
    });
}

/// The table of rules, each with a link to its page: there is no second text.
fn table() -> String {
    let mut pages: HashMap<String, String> = HashMap::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    visit(&source.join("src/rules"), &mut |path, text| {
        if let Ok(path) = path.strip_prefix(source.parent().unwrap()) {
            pages.insert(text.to_owned(), path.display().to_string());
        }
    });
    let mut table = "# Everything that can be wrong with a site\n\n`postern rule CODE` prints the page of a code. Whoever is named in the \
                     last column complains of it too, and is chosen with\n`require` in `site` or with `--checker`.\n\n| code | severity \
                     | what | complaints |\n|---|---|---|---|\n"
        .to_owned();
    for rule in RULES.iter() {
        let names: Vec<&str> = super::chk::complainers(rule.code).iter().map(|checker| checker.name()).collect();
        let (page, title) = (&pages[rule.explain], rule.title().replace('|', "\\|"));
        let row = format!("| [{}](../{page}) | {} | {title} | {} |\n", rule.code, rule.severity.as_str(), names.join(", "));
        table.push_str(&row);
    }
    table
}

#[test]
fn the_table_of_rules_is_the_registry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    if std::env::var_os("POSTERN_WRITE_DOCS").is_some() {
        std::fs::write(&path, table()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == table(), "docs/rules.md is not what the registry says: run the tests with POSTERN_WRITE_DOCS=1");
}

#[test]
fn only_checks_have_a_check() {
    let checks = RULES.iter().filter(|rule| matches!(rule.raised, Raised::Check { .. })).count();
    assert!(checks > 20, "{checks}");
}

fn visit(folder: &Path, each: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, each);
        } else {
            each(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}
