//! One slip of the keyboard is one finding, at the line of the slip. Each file of `cases/slips` is a family of slips in the
//! examples: which example, the code of the one finding, the line as it is (`-`), as it is written by mistake (`+`), and, where
//! the finding belongs to another line, how many lines further down that is (`!`).
//!
//! The files are made by the tool at the end: `POSTERN_WRITE_DOCS=1 cargo test -p postern --test slips` writes them anew after an
//! example has changed. It never writes a slip with more or less than one finding; it fails and shows it.

mod slips {
    pub mod tool;
}

use postern::compile::{CompileOptions, compile_loaded};
use postern::report::Severity;
use postern::syntax::{LoadOptions, load};
use std::fs;
use std::path::{Path, PathBuf};

/// A slip in an example.
#[derive(Clone, Debug)]
pub struct Slip {
    example: String,
    code: String,
    /// The line as it is.
    right: String,
    /// The lines that stand there by mistake; none where the line was lost.
    wrong: Vec<String>,
    /// How far the line of the finding is below the first of those.
    below: i64,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn families() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/slips")
}

/// The text of an example, with the slip in it, and the line that the slip begins on.
fn slipped(text: &str, slip: &Slip) -> Option<(String, u32)> {
    let mut lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| *line == slip.right)?;
    lines.splice(at..=at, slip.wrong.iter().map(String::as_str));
    Some((lines.join("\n") + "\n", at as u32 + 1))
}

/// Code, line and message of each error and warning of an example with another text.
fn findings(name: &str, text: &str) -> Vec<(&'static str, u32, String)> {
    let path = path(name);
    let options = LoadOptions { overlays: [(path.clone(), text.to_owned())].into(), ..LoadOptions::default() };
    let compiled = compile_loaded(load(&path, &options).expect("a site"), &CompileOptions::default());
    let serious = compiled.diagnostics.iter().filter(|finding| finding.severity > Severity::Note);
    let each = serious.map(|finding| {
        let line = compiled.sources.source(finding.primary.source).line(finding.primary.start);
        (finding.code, line, finding.message.clone())
    });
    each.collect()
}

fn path(example: &str) -> PathBuf {
    root().join("examples").join(example).join("site.kdl")
}

fn example(name: &str) -> String {
    let path = path(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(family: &str) -> Vec<Slip> {
    let mut slips: Vec<Slip> = Vec::new();
    for line in family.lines() {
        let (mark, rest) = line.split_at(line.len().min(1));
        match (mark, slips.last_mut()) {
            ("/" | "", _) => {}
            ("-", _) if line.starts_with("--- ") => {
                let (example, code) = line[4..].split_once(' ').expect("an example and a code");
                let (example, code) = (example.to_owned(), code.to_owned());
                slips.push(Slip { example, code, right: String::new(), wrong: Vec::new(), below: 0 });
            }
            ("-", Some(slip)) => slip.right = rest.to_owned(),
            ("+", Some(slip)) => slip.wrong.push(rest.to_owned()),
            ("!", Some(slip)) => slip.below = rest.parse().expect("a number of lines"),
            _ => panic!("no slip has the line {line:?}"),
        }
    }
    slips
}

#[test]
fn one_slip_is_one_finding_at_its_line() {
    if std::env::var_os("POSTERN_WRITE_DOCS").is_some() {
        slips::tool::write();
    }
    let mut wrong = String::new();
    let mut count = 0;
    for entry in fs::read_dir(families()).expect("the families") {
        let path = entry.expect("an entry").path();
        let family = path.file_stem().expect("a name").to_string_lossy().into_owned();
        for slip in read(&fs::read_to_string(&path).expect("a family")) {
            count += 1;
            let said = slipped(&example(&slip.example), &slip);
            let said = said.map(|(text, line)| (findings(&slip.example, &text), i64::from(line) + slip.below));
            let right = said.as_ref().is_some_and(
                |(found, line)| matches!(found.as_slice(), [(code, at, _)] if *code == slip.code && i64::from(*at) == *line),
            );
            if !right {
                wrong.push_str(&format!("{family}, {}, {:?}: {said:?}\n", slip.example, slip.wrong));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 150, "only {count} slips are left");
}
