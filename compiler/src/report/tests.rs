//! Each way to show findings, held against a file in `goldens/`.

use super::terminal::Style;
use super::*;
use crate::source::{Sources, Span};
use std::path::Path;

const SITE: &str = "site \"mail.example.com\"\n\ndomain \"例え.example\" {\n    mailbox \"alice\"\n    mailbox \"alice\"\n}\n";
const MORE: &str = "domain \"xn--r8jz45g.example\"\n";

fn sources() -> Sources {
    let mut sources = Sources::new(Path::new("/srv/site"));
    sources.add("site.kdl", SITE.to_owned()).expect("room");
    sources.add("domains/more.kdl", MORE.to_owned()).expect("room");
    sources
}

/// The n-th place, from 0, where a text stands in a file.
fn span(sources: &Sources, file: u16, needle: &str, nth: usize) -> Span {
    let (id, source) = sources.iter().nth(usize::from(file)).expect("a file");
    let (start, found) = source.text.match_indices(needle).nth(nth).expect("the text");
    Span { source: id, start: start as u32, length: found.len() as u32 }
}

fn findings(sources: &Sources) -> Vec<Diagnostic> {
    vec![
        Diagnostic::error("SECOND", span(sources, 0, "\"alice\"", 1), "mailbox \"alice\" is declared twice")
            .label("again here")
            .also(span(sources, 0, "\"alice\"", 0), "first declared here")
            .help("Remove one of the two")
            .postfix(&["virtual_mailbox_maps"]),
        Diagnostic::error("FIRST", span(sources, 1, "\"xn--r8jz45g.example\"", 0), "例え.example is declared twice: 100%")
            .also(span(sources, 0, "\"例え.example\"", 0), "first declared here")
            .help("Remove one of the two,\nsince a domain has one class"),
        Diagnostic::warning("THIRD", span(sources, 0, "site", 0), "no network may relay"),
    ]
}

fn rendered(format: Format) -> String {
    let sources = sources();
    let view = View::new(&sources, Path::new("mail/site.kdl"), Path::new("/srv"));
    let style = Style { colour: false, unicode: true, graphics: true, width: 80 };
    render(format, &findings(&sources), &view, &style)
}

/// Compares with a file beside this one; `POSTERN_BLESS=1` writes it anew.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/goldens").join(name);
    if std::env::var_os("POSTERN_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("it writes");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{} differs; look at it, and set POSTERN_BLESS=1 if it is right", path.display());
}

#[test]
fn for_people() {
    golden("human.txt", &rendered(Format::Human));
}

#[test]
fn for_screen_readers() {
    let sources = sources();
    let view = View::new(&sources, Path::new("site.kdl"), Path::new("/srv"));
    let style = Style { colour: false, unicode: false, graphics: false, width: 80 };
    golden("narrated.txt", &terminal::render(&findings(&sources), &view, &style));
}

#[test]
fn for_narrow_terminals_without_unicode() {
    let sources = sources();
    let view = View::new(&sources, Path::new("site.kdl"), Path::new("/srv"));
    let style = Style { colour: false, unicode: false, graphics: true, width: 40 };
    golden("narrow.txt", &terminal::render(&findings(&sources), &view, &style));
}

#[test]
fn for_editors() {
    golden("short.txt", &rendered(Format::Short));
}

#[test]
fn for_github() {
    golden("github.txt", &rendered(Format::Github));
}

#[test]
fn for_programs() {
    golden("json.txt", &rendered(Format::Json));
}

#[test]
fn for_code_scanning() {
    golden("sarif.json", &rendered(Format::Sarif));
}

#[test]
fn code_scanning_shows_the_page_of_a_rule() {
    let sources = sources();
    let view = View::new(&sources, Path::new("site.kdl"), Path::new("."));
    let rule = crate::rules::RULES[0];
    let finding = Diagnostic::error(rule.code, span(&sources, 0, "site", 0), "wrong");
    let log: serde_json::Value = serde_json::from_str(&sarif::render(&[finding], &view)).expect("JSON");
    let shown = &log["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(shown["id"], rule.code);
    assert_eq!(shown["help"]["markdown"], rule.explain);
    assert_eq!(log["runs"][0]["results"][0]["ruleIndex"], 0);
}

#[test]
fn colour_comes_only_when_asked_for_and_links_never() {
    let sources = sources();
    let view = View::new(&sources, Path::new("site.kdl"), Path::new("/srv"));
    let plain = Style { colour: false, unicode: true, graphics: true, width: 80 };
    assert!(!terminal::render(&findings(&sources), &view, &plain).contains('\u{1b}'));
    let coloured = terminal::render(&findings(&sources), &view, &Style { colour: true, ..plain });
    assert!(coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}]"), "{coloured:?}");
}

#[test]
fn a_file_cannot_drive_the_terminal() {
    let mut sources = Sources::new(Path::new("."));
    let id = sources.add("a.csv", "x\u{1b}]0;owned\u{7},\u{9b}1m,wrong\n".to_owned()).expect("room");
    let text = &sources.source(id).text;
    let start = text.find("wrong").expect("the text") as u32;
    let finding = Diagnostic::error("FIRST", Span { source: id, start, length: 5 }, "bad \u{1b}[2J row");
    let view = View::new(&sources, Path::new("site.kdl"), Path::new("."));
    for graphics in [true, false] {
        let style = Style { colour: false, unicode: true, graphics, width: 80 };
        let shown = terminal::render(std::slice::from_ref(&finding), &view, &style);
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(shown.contains("wrong"), "{shown}");
    }
    assert!(!short::render(&[finding], &view).contains('\u{1b}'));
}

#[test]
fn fingerprints_survive_lines_added_above() {
    let prints = |text: &str| {
        let mut sources = Sources::new(Path::new("."));
        let id = sources.add("site.kdl", text.to_owned()).expect("room");
        let find = |nth| {
            let (start, found) = text.match_indices("alias").nth(nth).expect("the text");
            Diagnostic::error("FIRST", Span { source: id, start: start as u32, length: found.len() as u32 }, "bad")
        };
        let view = View::new(&sources, Path::new("site.kdl"), Path::new("."));
        let log: serde_json::Value = serde_json::from_str(&sarif::render(&[find(0), find(1)], &view)).expect("JSON");
        let print = |index: usize| log["runs"][0]["results"][index]["partialFingerprints"]["primaryLocationLineHash"].clone();
        (print(0), print(1))
    };
    let before = prints("alias a\nalias a\n");
    assert_eq!(before, prints("// new\n\nalias a\nalias a\n"));
    assert_ne!(before.0, before.1);
}

#[test]
fn paths_are_shown_as_seen_from_here() {
    let sources = sources();
    let path = |site: &str, here: &str| {
        let view = View::new(&sources, Path::new(site), Path::new(here));
        view.path(sources.iter().nth(1).expect("a file").0)
    };
    assert_eq!(path("site.kdl", "/srv/site"), "domains/more.kdl");
    assert_eq!(path("./mail/site.kdl", "/srv"), "mail/domains/more.kdl");
    assert_eq!(path("/srv/mail/site.kdl", "/srv"), "mail/domains/more.kdl");
    assert_eq!(path("/etc/mail/site.kdl", "/srv"), "/etc/mail/domains/more.kdl");
    assert_eq!(path("../mail/site.kdl", "/srv"), "../mail/domains/more.kdl");
}

#[test]
fn counts_read_like_a_sentence() {
    let sources = sources();
    assert_eq!(Counts::of(&findings(&sources)).to_string(), "2 errors, 1 warning");
    assert_eq!(Counts::default().to_string(), "no errors");
    assert_eq!(Counts { errors: 0, warnings: 2, notes: 1 }.to_string(), "2 warnings, 1 note");
}
