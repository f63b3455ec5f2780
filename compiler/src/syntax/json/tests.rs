//! The JSON twin: its mapping, its places, its mistakes, and that it is the same tree as KDL.

use super::{parse, schema, twin};
use crate::source::{SourceId, Sources, Span, Spanned};
use crate::syntax::check::{Extent, check};
use crate::syntax::grammar::{NodeSpec, ROOT, Served, allowed_in_profile};
use crate::syntax::{LoadOptions, Node, Value, load, parse as kdl};
use proptest::prelude::*;
use serde_json::Value as Json;

const SOURCE: SourceId = SourceId(0);

fn read(text: &str) -> Vec<Node> {
    let (parsed, _) = parse(SOURCE, text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    parsed.nodes
}

/// The twin of the nodes of a text.
fn to_json(text: &str, nodes: &[Node]) -> String {
    let mut sources = Sources::new(std::path::Path::new(""));
    sources.add("site.kdl", text.to_owned()).expect("one source");
    twin(nodes, &sources, sources.next_id(), Json::Array(Vec::new()))
}

fn codes(text: &str) -> Vec<(&'static str, String)> {
    let place = |span: Span| text[span.start as usize..(span.start + span.length) as usize].to_owned();
    parse(SOURCE, text).0.diagnostics.iter().map(|finding| (finding.code, place(finding.primary))).collect()
}

/// The same tree for those who do not look at places, nor at the order of nodes of different names.
fn bare(nodes: &[Node]) -> Vec<Node> {
    let nowhere = Span { source: SOURCE, start: 0, length: 0 };
    let mut nodes: Vec<Node> = nodes.to_vec();
    nodes.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    for node in &mut nodes {
        node.span = nowhere;
        node.name.span = nowhere;
        node.arguments.iter_mut().for_each(|argument| argument.span = nowhere);
        for property in &mut node.properties {
            property.name.span = nowhere;
            property.value.span = nowhere;
        }
        node.children = bare(&node.children);
    }
    nodes
}

#[test]
fn the_mapping() {
    let json = r#"{
        "$schema": "https://example.com/schema.json",
        "site": {"hostname": "mail.example.com", "origin": "example.com", "address": ["192.0.2.1", "2001:db8::1"]},
        "listen": [{"name": "mx", "port": 25, "address": null}, "submission"],
        "tls": {"self-signed": true},
        "let": {"egress": "192.0.2.1"},
        "profile": {"name": "staging", "site": "mail.staging.example"},
        "network": {"name": "office", "ranges": "192.0.2.0/24", "relay": true}
    }"#;
    let text = r#"
        site "mail.example.com" { origin "example.com"; address "192.0.2.1" "2001:db8::1"; }
        listen "mx" port=25
        listen "submission"
        tls { self-signed #true; }
        let egress="192.0.2.1"
        profile "staging" { site "mail.staging.example"; }
        network "office" "192.0.2.0/24" relay=#true
    "#;
    assert_eq!(bare(&read(json)), bare(&kdl::parse(SOURCE, text).nodes));
}

#[test]
fn places_are_those_of_the_json() {
    let json = r#"{"listen": {"name": "é", "port": 25}}"#;
    let nodes = read(json);
    let place = |span: Span| &json[span.start as usize..(span.start + span.length) as usize];
    assert_eq!(place(nodes[0].name.span), "\"listen\"");
    assert_eq!(place(nodes[0].arguments[0].span), "\"é\"");
    assert_eq!(place(nodes[0].properties[0].name.span), "\"port\"");
    assert_eq!(place(nodes[0].properties[0].value.span), "25");
}

#[test]
fn strings_and_numbers() {
    let nodes = read(r#"{"let": {"a": "\u00e9\ud83d\ude00\n\/", "b": -1.5e3, "c": 170141183460469231731687303715884105727}}"#);
    let values: Vec<&Value> = nodes[0].properties.iter().map(|property| &property.value.value).collect();
    assert_eq!(values, [&Value::String("é😀\n/".into()), &Value::Float(-1500.0), &Value::Integer(i128::MAX)]);
}

#[test]
fn what_is_no_json_is_told_at_its_place() {
    for (text, place) in [
        ("", ""),
        ("{", ""),
        ("{\"a\" 1}", "1"),
        ("{\"a\": 1,}", "}"),
        ("[1,]", "]"),
        ("{\"a\": 01}", "01"),
        ("{\"a\": 1.}", "1."),
        ("{\"a\": 1e999}", "1e999"),
        ("{\"a\": \"x\n\"}", "\""),
        ("{\"a\": \"\\x\"}", "\\"),
        ("{\"a\": \"\\ud800\"}", "\\"),
        ("{\"a\": \"\\u00é0\"}", "\\"),
        ("{} é", "é"),
        ("// x", "/"),
        ("{'a': 1}", "'"),
        ("{\"a\": tru}", "t"),
    ] {
        assert_eq!(codes(text), [("JSN001", place.to_owned())], "{text}");
    }
    assert_eq!(codes(&"[".repeat(100_000)).len(), 1);
    assert_eq!(codes(&"{\"a\":".repeat(100_000)).len(), 1);
}

#[test]
fn what_is_no_site_is_told_too() {
    assert_eq!(codes("[]"), [("JSN003", "[]".to_owned())]);
    assert_eq!(codes(r#"{"site": {"hostname": ["a"]}}"#), [("JSN003", "[\"a\"]".to_owned())]);
    assert_eq!(codes(r#"{"log": {"format": "text", "format": "json"}}"#), [("JSN002", "\"format\"".to_owned())]);
    assert_eq!(codes(r#"{"network": {"ranges": "192.0.2.1"}}"#), [("JSN004", "\"network\"".to_owned())]);
}

/// Whether a value is what a schema says, as far as ours say anything.
fn fits(schema: &Json, value: &Json, root: &Json) -> bool {
    let each = |(word, said): (&String, &Json)| match word.as_str() {
        "$ref" => fits(&root["$defs"][said.as_str().expect("a name").trim_start_matches("#/$defs/")], value, root),
        "anyOf" => said.as_array().expect("choices").iter().any(|choice| fits(choice, value, root)),
        "oneOf" => said.as_array().expect("choices").iter().filter(|choice| fits(choice, value, root)).count() == 1,
        "enum" => said.as_array().expect("words").contains(value),
        "type" => match said {
            Json::Array(types) => types.iter().any(|one| is_a(one, value)),
            one => is_a(one, value),
        },
        "properties" => value.as_object().is_none_or(|members| {
            members.iter().all(|(name, value)| said.get(name).is_none_or(|schema| fits(schema, value, root)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|members| {
            let mut others = members.iter().filter(|(name, _)| schema["properties"].get(name.as_str()).is_none());
            others.all(|(_, value)| *said != Json::Bool(false) && fits(said, value, root))
        }),
        "required" => value.as_object().is_none_or(|members| {
            said.as_array().expect("names").iter().all(|name| members.contains_key(name.as_str().expect("a name")))
        }),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(said, item, root))),
        "pattern" => {
            value.as_str().is_none_or(|text| regex::Regex::new(said.as_str().expect("a pattern")).expect("valid").is_match(text))
        }
        "minimum" => value.as_f64().is_none_or(|number| number >= said.as_f64().expect("a number")),
        "maximum" => value.as_f64().is_none_or(|number| number <= said.as_f64().expect("a number")),
        "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= said.as_u64().expect("a length")),
        "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= said.as_u64().expect("a length")),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= said.as_u64().expect("a length")),
        "description" | "title" | "$schema" | "$defs" => true,
        other => panic!("the schema says {other}, which is not checked here"),
    };
    schema.as_object().is_none_or(|words| words.iter().all(each))
}

fn is_a(kind: &Json, value: &Json) -> bool {
    match kind.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("the schema says {other}"),
    }
}

fn root() -> Json {
    serde_json::from_str(&schema()).expect("JSON")
}

#[test]
fn the_schema_takes_sites_and_refuses_slips() {
    let root = root();
    for (site, fine) in [
        (
            r#"{"site": {"hostname": "mail.example.com", "postmaster": "a@example.com"}, "listen": ["mx", {"name": "submission", "port": 587}]}"#,
            true,
        ),
        (
            r#"{"site": "mail.example.com", "tls": {"self-signed": true}, "parked": {"names": ["example.net", "example.org"]}}"#,
            true,
        ),
        (r#"{"listen": {"name": "mx", "port": "{port}"}, "let": {"port": 25, "x": "y"}, "log": {"format": null}}"#, true),
        (r#"{"tls": {"certificate": {"name": "mail.example.com", "chain-secret": "c", "key-secret": "k"}}}"#, true),
        (
            r#"{"tls": {"certificate": {"name": "mail.example.com", "chain-secret": "c", "chain": "x", "key-secret": "k"}}}"#,
            false,
        ),
        (r#"{"tls": {"certificate": {"name": "mail.example.com", "chain": "x"}}}"#, false),
        (r#"{"site": {"origin": "example.com"}}"#, false),
        (r#"{"lsiten": "mx"}"#, false),
        (r#"{"listen": {"name": "mx", "port": 70000}}"#, false),
        (r#"{"log": {"format": "jsn"}}"#, false),
        (r#"{"filter": {"name": "x", "milter": "inet:127.0.0.1:1"}}"#, false),
        (r#"{"queue": {"lifetime": "5 days"}}"#, false),
    ] {
        assert_eq!(fits(&root, &serde_json::from_str(site).expect("JSON"), &root), fine, "{site}");
    }
}

/// KDL for a declaration, with pieces left out and repeated as the dice fall; `served`: only what passes the checks.
fn written(spec: &NodeSpec, choose: &mut dyn FnMut(u32) -> u32, depth: usize, served: bool) -> String {
    let mut text = spec.name.to_owned();
    for argument in spec.arguments {
        if !argument.required && choose(2) == 0 {
            break;
        }
        for _ in 0..if argument.repeating { 1 + choose(3) } else { 1 } {
            text.push_str(&format!(" {}", quoted(argument.kind.sample())));
        }
    }
    for property in spec.properties.iter().filter(|property| !served || property.served == Served::Yes) {
        let wanted = match spec.one_of.contains(&property.name) {
            true if served => spec.one_of[0] == property.name,
            false if served && property.beside.is_some() => property.beside == Some(spec.one_of[0]),
            _ => property.required || property.instead_of.is_none() && choose(2) == 0,
        };
        if wanted {
            text.push_str(&format!(" {}={}", property.name, quoted(property.kind.sample())));
        }
    }
    if spec.open {
        text.push_str(" answer=42 factor=1.5 on=#true");
    }
    let children = if spec.name == "profile" { ROOT.children } else { spec.children };
    let children: Vec<&NodeSpec> = children
        .iter()
        .filter(|child| spec.name != "profile" || allowed_in_profile(child))
        .filter(|child| !served || child.served == Served::Yes)
        .collect();
    if depth < 4 && !children.is_empty() {
        text.push_str(" {\n");
        for child in children {
            let least = u32::from(child.required);
            for _ in 0..if child.many { choose(3).max(least) } else { choose(2).max(least) } {
                text.push_str(&written(child, choose, depth + 1, served));
            }
        }
        text.push('}');
    }
    text.push('\n');
    text
}

#[test]
fn what_passes_the_checks_passes_the_schema() {
    let root = root();
    let mut state = 7u64;
    let mut choose = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32 % below
    };
    for _ in 0..200 {
        let served = ROOT.children.iter().filter(|spec| spec.served == Served::Yes);
        let text: String = served.map(|spec| written(spec, &mut choose, 0, true)).collect();
        let nodes = kdl::parse(SOURCE, &text).nodes;
        assert_eq!(check(&nodes, Extent::Part), [], "{text}");
        let json = to_json(&text, &nodes);
        assert!(fits(&root, &serde_json::from_str(&json).expect("JSON"), &root), "{json}");
    }
}

#[test]
fn the_twins_of_the_examples_pass_the_schema() {
    let root = root();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for entry in std::fs::read_dir(examples).expect("the examples") {
        let path = entry.expect("an entry").path().join("site.kdl");
        let Ok(loaded) = load(&path, &LoadOptions::default()) else { continue };
        let unsaid = serde_json::json!([{"subject": "limits", "name": "hops", "value": "100"}]);
        let json = twin(&loaded.nodes, &loaded.sources, loaded.sources.next_id(), unsaid);
        assert!(fits(&root, &serde_json::from_str(&json).expect("JSON"), &root), "{json}");
    }
}

/// Samples of words stand without quotes.
fn quoted(sample: &str) -> String {
    let is_word = sample.starts_with(|c: char| c.is_ascii_lowercase()) || sample == "1.2";
    if is_word { format!("\"{sample}\"") } else { sample.to_owned() }
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn kdl_and_its_twin_are_one_tree(numbers in proptest::collection::vec(any::<u32>(), 50..400)) {
        let mut at = 0;
        let mut choose = |below: u32| {
            at += 1;
            numbers[at % numbers.len()].rotate_left(at as u32) % below
        };
        let mut text = String::new();
        for spec in ROOT.children {
            for _ in 0..choose(3) {
                text.push_str(&written(spec, &mut choose, 0, false));
            }
        }
        // A node that stands once may not be repeated: the twin has one place for it.
        let mut nodes = kdl::parse(SOURCE, &text).nodes;
        let mut seen = std::collections::BTreeSet::new();
        nodes.retain(|node| ROOT.child(&node.name.value).is_some_and(|spec| spec.many) || seen.insert(node.name.value.clone()));
        let json = to_json(&text, &nodes);
        prop_assert_eq!(bare(&read(&json)), bare(&nodes), "{}\n{}", text, json);
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,100}|[\\[\\]{}\",:0-9a-z\\\\ u]{0,60}") {
        for finding in parse(SOURCE, &text).0.diagnostics {
            let start = finding.primary.start as usize;
            prop_assert!(text.get(start..start + finding.primary.length as usize).is_some(), "{:?}", finding);
        }
    }
}

#[test]
fn a_value_keeps_its_kind() {
    let node = |value: Value| Node {
        name: Spanned::new("let".into(), Span { source: SOURCE, start: 0, length: 0 }),
        arguments: Vec::new(),
        properties: vec![crate::syntax::Property {
            name: Spanned::new("x".into(), Span { source: SOURCE, start: 0, length: 0 }),
            value: Spanned::new(value, Span { source: SOURCE, start: 0, length: 0 }),
        }],
        children: Vec::new(),
        span: Span { source: SOURCE, start: 0, length: 0 },
    };
    for value in [Value::String("1".into()), Value::Integer(1), Value::Float(1.0), Value::Bool(false), Value::Integer(-(1 << 62))]
    {
        let nodes = vec![node(value)];
        assert_eq!(bare(&read(&to_json("", &nodes))), bare(&nodes));
    }
}
