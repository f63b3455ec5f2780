//! `postern test`: the promises that a site makes about itself.

use super::site::{self, SiteArguments};
use super::{Failure, Status, complain, print};
use crate::report::View;
use crate::sitetest::SiteTest;
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
    let (compiled, _) = arguments.site.model()?;
    let view = site::view(&compiled, &arguments.site.path);
    print(&match arguments.format {
        TestFormat::Human => human(&compiled.tests, &view),
        TestFormat::Json => json(&compiled.tests, &view),
        TestFormat::Junit => junit(&compiled.tests, &view),
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

fn json(tests: &[SiteTest], view: &View<'_>) -> String {
    let one = |test: &SiteTest| {
        let place = view.place(test.span);
        json!({ "name": test.name, "file": place.path, "line": place.line, "passed": test.passed, "why": test.why })
    };
    let all: Vec<serde_json::Value> = tests.iter().map(one).collect();
    let document = json!({ "passed": tests.len() - failed(tests), "failed": failed(tests), "tests": all });
    format!("{document:#}\n")
}

fn junit(tests: &[SiteTest], view: &View<'_>) -> String {
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
