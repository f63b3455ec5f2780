//! `postern test`: the promises that a site makes about itself.

use super::site::{self, SiteArguments};
use super::{Failure, Status, complain, print};
use crate::report::View;
use crate::sitetest::{Coverage, SiteTest, coverage};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::fmt::Write;

/// The arguments of `test`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// How the results are shown
    #[arg(long, value_enum, default_value = "human")]
    format: TestFormat,
    /// Name the parts of the site that no test reaches
    #[arg(long)]
    coverage: bool,
}

/// How results are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum TestFormat {
    /// A line for each test
    Human,
    /// One JSON document
    Json,
    /// JUnit XML
    Junit,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let (compiled, model) = arguments.site.model()?;
    let view = site::view(&compiled, &arguments.site.path);
    let coverage = arguments.coverage.then(|| coverage(&compiled.tests, &model));
    print(&match arguments.format {
        TestFormat::Human => human(&compiled.tests, &view) + &coverage.as_ref().map(describe).unwrap_or_default(),
        TestFormat::Json => json(&compiled.tests, coverage.as_ref(), &view),
        TestFormat::Junit => junit(&compiled.tests, coverage.as_ref(), &view),
    })?;
    if compiled.tests.is_empty() {
        complain(&format!("{} has no tests; write `test \"...\" {{ ... }}` into it", arguments.site.path.display()));
    }
    Ok(if compiled.has_failed_tests() { Status::Refused } else { Status::Fine })
}

fn failed(tests: &[SiteTest]) -> usize {
    tests.iter().filter(|test| !test.passed).count()
}

fn human(tests: &[SiteTest], view: &View<'_>) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for test in tests {
        let place = view.place(test.span);
        let word = if test.passed { "ok  " } else { "FAIL" };
        let _ = writeln!(text, "{word}  {}  ({}:{})", test.name, place.path, place.line);
        test.why.iter().for_each(|why| {
            let _ = writeln!(text, "        {why}");
        });
    }
    let _ = writeln!(text, "{} passed, {} failed", tests.len() - failed(tests), failed(tests));
    text
}

/// The most parts that are named to people; programs get all.
const LISTED: usize = 50;

fn describe(coverage: &Coverage) -> String {
    let mut text = format!("{} of {} parts of the site are reached", coverage.reached, coverage.all);
    text.push_str(if coverage.missing.is_empty() { "\n" } else { "; no test reaches\n" });
    for part in coverage.missing.iter().take(LISTED) {
        let _ = writeln!(text, "  {} {}  ({})", part.kind, part.what, part.source.as_deref().unwrap_or("default"));
    }
    if coverage.missing.len() > LISTED {
        let _ = writeln!(text, "  and {} more; --format json names them", coverage.missing.len() - LISTED);
    }
    text
}

fn json(tests: &[SiteTest], coverage: Option<&Coverage>, view: &View<'_>) -> String {
    let one = |test: &SiteTest| {
        let place = view.place(test.span);
        json!({ "name": test.name, "file": place.path, "line": place.line, "passed": test.passed, "why": test.why })
    };
    let all: Vec<serde_json::Value> = tests.iter().map(one).collect();
    let document = json!({ "passed": tests.len() - failed(tests), "failed": failed(tests), "tests": all, "coverage": coverage });
    format!("{document:#}\n")
}

fn junit(tests: &[SiteTest], coverage: Option<&Coverage>, view: &View<'_>) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(text, "<testsuites><testsuite name=\"site\" tests=\"{}\" failures=\"{}\">", tests.len(), failed(tests));
    for test in tests {
        let place = view.place(test.span);
        let (name, path) = (xml(&test.name), xml(&place.path));
        let _ = write!(text, "  <testcase classname=\"{path}\" name=\"{name}\" file=\"{path}\" line=\"{}\"", place.line);
        match test.why.split_first() {
            None => text.push_str("/>\n"),
            Some((first, rest)) => {
                let _ = writeln!(text, "><failure message=\"{}\">{}</failure></testcase>", xml(first), xml(&rest.join("\n")));
            }
        }
    }
    if let Some(coverage) = coverage {
        let _ = writeln!(text, "  <system-out>{}</system-out>", xml(&describe(coverage)));
    }
    text.push_str("</testsuite></testsuites>\n");
    text
}

/// Text in XML 1.0; what it cannot hold is left out.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => out.push(c),
        }
    }
    out
}
