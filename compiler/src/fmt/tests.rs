//! The layout: examples, and that nothing is lost, nothing changes its meaning, and twice is as good as once.

use super::format;
use crate::source::{SourceId, Span};
use crate::syntax::{Node, parse, read};
use proptest::prelude::*;

const SOURCE: SourceId = SourceId(0);

#[track_caller]
fn formats(text: &str, wanted: &str) {
    let formatted = format(SOURCE, text).expect("a text without mistakes");
    assert_eq!(formatted, wanted);
    assert_eq!(format(SOURCE, &formatted).expect("a text without mistakes"), formatted);
}

#[test]
fn statements_have_lines_and_levels() {
    formats("\u{feff}a  1   x = 2;b\n\n\n\n  c\n", "a 1 x=2; b\n\nc\n");
    formats("a; b {\n c; d; };e\nf", "a\nb {\n    c; d\n}\ne\nf\n");
    formats("a {\n\n  b\n\n\n  c\n\n}\n", "a {\n    b\n\n    c\n}\n");
    formats("a { b;c }\nd {}\ne {\n}\n", "a { b; c; }\nd {}\ne {\n}\n");
    formats("", "");
    formats("\n\n", "");
    formats("a\r\nb\r\n", "a\nb\n");
}

#[test]
fn a_block_is_broken_when_it_grows_too_long() {
    let long = "x".repeat(110);
    formats(&format!("a {{ b \"{long}\"; c; }}\n"), &format!("a {{\n    b \"{long}\"\n    c\n}}\n"));
}

#[test]
fn comments_stay() {
    formats(
        "// one\n\n\n//two\na 1// three\nbbb /* four */ 2 // five\n",
        "// one\n\n//two\na 1              // three\nbbb /* four */ 2 // five\n",
    );
    formats(
        "a { // one\n  b // two\n  // three\n} // four\n// five",
        "a { // one\n    b // two\n    // three\n} // four\n// five\n",
    );
    formats("/* a\n   b */ c\n", "/* a\n   b */\nc\n");
    formats("a; /* one */ b\n", "a /* one */\nb\n");
    formats("a /* one */ { b; }\n", "a /* one */ { b; }\n");
    formats("a { /* one */ }\n", "a { /* one */\n}\n");
}

#[test]
fn continued_lines_stay_continued() {
    formats("a 1 \\ // one\n 2\\\n3\n", "a 1 \\ // one\n    2 \\\n    3\n");
    formats("x {\n a 1 \\\n 2\n}\n", "x {\n    a 1 \\\n        2\n}\n");
}

#[test]
fn what_is_taken_out_stays_out() {
    formats("/-a 1\nb /-  1 /- x = 2 /-{\n  c\n} { d; }\n", "/- a 1\nb /-1 /-x=2 /-{\n  c\n} { d; }\n");
    formats("/-  // one\na\nb\n", "/-  // one\na\nb\n");
}

#[test]
fn strings_are_left_as_they_are() {
    let text = "a \"\"\"\n  x\n  \"\"\" #\"\\\"# bare \"quoted\"\n";
    formats(text, text);
}

#[test]
fn a_text_with_mistakes_is_left_alone() {
    let wrong = format(SOURCE, "a 5x\n").expect_err("a mistake");
    assert_eq!(wrong.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["KDL012"]);
}

/// The tree without places.
fn bare(nodes: &[Node]) -> Vec<Node> {
    let nowhere = Span { source: SOURCE, start: 0, length: 0 };
    let strip = |node: &Node| {
        let mut node = node.clone();
        node.span = nowhere;
        node.name.span = nowhere;
        node.arguments.iter_mut().for_each(|argument| argument.span = nowhere);
        for property in &mut node.properties {
            property.name.span = nowhere;
            property.value.span = nowhere;
        }
        node.children = bare(&node.children);
        node
    };
    nodes.iter().map(strip).collect()
}

/// Every comment, without blanks at its end.
fn comments(text: &str) -> Vec<String> {
    let tokens = read::tokens(text, usize::MAX).expect("no limit");
    let comment = |token: &read::Token| match token.kind {
        read::TokenKind::LineComment | read::TokenKind::BlockComment { .. } => Some(token.of(text).trim_end().to_owned()),
        read::TokenKind::Continuation => token.of(text).find("//").map(|start| token.of(text)[start..].trim_end().to_owned()),
        _ => None,
    };
    tokens.iter().filter_map(comment).collect()
}

const PIECES: [&str; 30] = [
    "a",
    "b 1",
    " ",
    "\n",
    "\n\n",
    "\r\n",
    ";",
    "{",
    "}",
    " {",
    " {\n",
    "\n}\n",
    " }",
    "// c\n",
    " // d\n",
    "/* e */",
    "/* f\n g */",
    " \\\n",
    " \\ // h\n",
    " \"x y\"",
    " k=1",
    " k = \"v\"",
    "/-",
    " /-2",
    " /-{ z; }",
    " #true",
    "\t",
    "名 \"é\"",
    " #\"r\"#",
    " \"\"\"\n  m\n  \"\"\"",
];

proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn meaning_and_comments_are_kept_and_twice_is_once(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        let Ok(formatted) = format(SOURCE, &text) else { return Ok(()) };
        prop_assert_eq!(bare(&parse(SOURCE, &formatted).nodes), bare(&parse(SOURCE, &text).nodes), "{:?}\n{:?}", text, formatted);
        prop_assert_eq!(comments(&formatted), comments(&text), "{:?}\n{:?}", text, formatted);
        prop_assert_eq!(format(SOURCE, &formatted), Ok(formatted.clone()), "{:?}\n{:?}", text, formatted);
    }
}
