//! Places and values of nodes, and texts that would bring a parser down.

use super::{parse, parse_within};
use crate::source::{SourceId, Sources};
use crate::syntax::{Node, Value};
use std::path::Path;

fn nodes(text: &str) -> Vec<Node> {
    let mut sources = Sources::new(Path::new(""));
    let id = sources.add("site.kdl", text.to_owned()).expect("one source");
    let parsed = parse(id, text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    parsed.nodes
}

fn place(text: &str, span: crate::source::Span) -> &str {
    &text[span.start as usize..][..span.length as usize]
}

#[test]
fn places_are_exact() {
    let text = "\u{feff}// 例え\n  例え \"é\" /* c */ port = 25 (// no\n".replace("(", "")
        + "\n/- gone 1 {\n}\nb \\ // more\n   #\"r\"# x=\"\\u{e9}\" {\n  c;  d 1.5\n}\n";
    let nodes = nodes(&text);
    assert_eq!(nodes.len(), 2);
    assert_eq!(place(&text, nodes[0].name.span), "例え");
    assert_eq!(place(&text, nodes[0].arguments[0].span), "\"é\"");
    assert_eq!(place(&text, nodes[0].properties[0].name.span), "port");
    assert_eq!(place(&text, nodes[0].properties[0].value.span), "25");
    assert_eq!(place(&text, nodes[0].span), "例え \"é\" /* c */ port = 25");
    assert_eq!(nodes[1].arguments[0].value, Value::String("r".into()));
    assert_eq!(place(&text, nodes[1].arguments[0].span), "#\"r\"#");
    assert_eq!(place(&text, nodes[1].properties[0].value.span), "\"\\u{e9}\"");
    assert_eq!(nodes[1].properties[0].value.value, Value::String("é".into()));
    assert_eq!(place(&text, nodes[1].children[1].span), "d 1.5");
    assert_eq!(nodes[1].children[1].arguments[0].value, Value::Float(1.5));
}

#[test]
fn strings_of_several_lines() {
    let text = "a \"\"\"\n    one\n      two\n    \"\"\" #\"\"\"\n  x\\y\n  \"\"\"#\n";
    let nodes = nodes(text);
    assert_eq!(nodes[0].arguments[0].value, Value::String("one\n  two".into()));
    assert_eq!(nodes[0].arguments[1].value, Value::String("x\\y".into()));
}

#[test]
fn what_would_overflow_a_stack_or_never_end_is_no_danger() {
    let id = SourceId(0);
    for text in [
        "{".repeat(100_000),
        "}".repeat(100_000),
        "a{".repeat(100_000),
        "a{".repeat(32) + &"}".repeat(32),
        "/*".repeat(100_000),
        format!("/*{}*/", "*".repeat(100_000)),
        "/-".repeat(100_000),
        format!("{}{}", "a /-{".repeat(32), "}".repeat(32)),
        format!("{}{}", "a /-{".repeat(31), "}".repeat(31)),
        "a /-b ".repeat(20_000),
        "\"".repeat(100_000),
        "'a ".repeat(50_000),
        "#".repeat(100_000),
        "=".repeat(100_000),
        "a=b;".repeat(20_000),
        "a ".repeat(50_000),
        "a\\\n".repeat(20_000),
        "(".repeat(100_000),
        "a {} ".repeat(10_000),
        "\"\"\"\n".repeat(10_000),
        "#\"\"\"\n".repeat(10_000),
    ] {
        let start = std::time::Instant::now();
        parse(id, &text);
        assert!(start.elapsed().as_secs() < 20, "{}…", &text[..20]);
    }
}

#[test]
fn a_text_of_too_many_pieces_is_refused() {
    let parsed = parse_within(SourceId(0), "a 1\na 2\n", 7);
    assert_eq!(parsed.diagnostics.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["KDL002"]);
    assert_eq!(parse_within(SourceId(0), "a 1\na 2\n", 8).nodes.len(), 2);
}
