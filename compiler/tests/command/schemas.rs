//! What the commands print for programs is what the published schemas say, and the schemas are strict enough to notice.

use crate::site::{Folder, GOOD};
use serde_json::{Map, Value};
use std::path::Path;

/// A value against the part of JSON Schema that our schemas use. An object may have no field that the schema does not describe:
/// others may add some, we describe all.
fn check(schema: &Value, value: &Value, at: &str) {
    for word in schema.as_object().expect("a schema").keys() {
        let known = ["$schema", "title", "description", "type", "properties", "required", "items", "enum", "anyOf", "minimum"];
        let known = known.contains(&word.as_str()) || ["maximum", "minItems", "maxLength"].contains(&word.as_str());
        assert!(known, "{at}: the schema says {word}, which is not checked here");
    }
    if let Some(choices) = schema.get("anyOf") {
        let fits = |choice: &Value| std::panic::catch_unwind(|| check(choice, value, at)).is_ok();
        assert!(choices.as_array().expect("choices").iter().any(fits), "{at}: {value} is none of {choices}");
        return;
    }
    if let Some(choices) = schema.get("enum") {
        assert!(choices.as_array().expect("choices").contains(value), "{at}: {value} is none of {choices}");
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.iter().any(|wanted| wanted == kind), "{at}: {value} is no {}", schema["type"]);
    let limit = |word: &str| schema.get(word).map(|limit| limit.as_i64().expect("a number"));
    match value {
        Value::Number(number) => {
            let number = number.as_i64().expect("no larger numbers");
            assert!(limit("minimum").is_none_or(|least| number >= least), "{at}: {number}");
            assert!(limit("maximum").is_none_or(|most| number <= most), "{at}: {number}");
        }
        Value::String(text) => assert!(limit("maxLength").is_none_or(|most| text.chars().count() as i64 <= most), "{at}"),
        Value::Array(items) => {
            assert!(limit("minItems").is_none_or(|least| items.len() as i64 >= least), "{at}");
            items.iter().enumerate().for_each(|(index, item)| check(&schema["items"], item, &format!("{at}[{index}]")));
        }
        Value::Object(fields) => check_object(schema, fields, at),
        Value::Null | Value::Bool(_) => {}
    }
}

fn check_object(schema: &Value, fields: &Map<String, Value>, at: &str) {
    let properties = schema["properties"].as_object().expect("properties");
    for (name, value) in fields {
        let described = properties.get(name).unwrap_or_else(|| panic!("{at}: {name} is not described"));
        check(described, value, &format!("{at}.{name}"));
    }
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        assert!(fields.contains_key(name.as_str().expect("a name")), "{at}: {name} is missing");
    }
}

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{name}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn what_is_printed_is_what_the_schemas_say() {
    let folder = Folder::with(GOOD);
    folder.write("wrong.kdl", &GOOD.replace("    address", "    adress").replace("\"alice\" \"bob\"", "\"alice\" \"carol\""));
    folder.write("changed.kdl", &GOOD.replace("    mailbox \"bob\"\n", "").replace(" \"bob\"", ""));
    folder.write("failing.kdl", &GOOD.replace("relay-denied", "no-route"));
    let explain = ["explain", "site.kdl", "--client", "198.51.100.9", "--from", "x@evil.example", "--json", "--to"];
    folder.write("keyed.kdl", GOOD);
    let new_key =
        ["key", "new", "keyed.kdl", "--domain", "example.com", "--credentials", "credentials", "--algorithm", "ed25519"];
    folder.run(&new_key).ended(0);
    let cases: [(&str, Vec<&str>, i32); 12] = [
        ("diagnostic", vec!["check", "wrong.kdl", "--format", "json"], 78),
        ("explain", [&explain[..], &["info@example.com"]].concat(), 0),
        ("explain", [&explain[..], &["a@elsewhere.example"]].concat(), 0),
        ("test", vec!["test", "site.kdl", "--format", "json"], 0),
        ("test", vec!["test", "failing.kdl", "--format", "json"], 1),
        ("test", vec!["test", "site.kdl", "--format", "json", "--coverage"], 0),
        ("reach", vec!["explain", "site.kdl", "--relay", "--json"], 0),
        ("plan", vec!["plan", "site.kdl", "changed.kdl", "--json"], 2),
        ("plan", vec!["plan", "site.kdl", "site.kdl", "--json"], 0),
        // Nobody listens there: every outcome is "cannot tell".
        ("verify", vec!["dns", "verify", "site.kdl", "--json", "--resolver", "127.0.0.1:1"], 69),
        ("keys", vec!["key", "list", "keyed.kdl", "--json"], 0),
        ("records", vec!["dns", "site.kdl", "--format", "json"], 0),
    ];
    for (name, arguments, status) in cases {
        let out = folder.run(&arguments).ended(status).out;
        let values: Vec<Value> = serde_json::Deserializer::from_str(&out).into_iter().map(|value| value.expect("JSON")).collect();
        assert!(!values.is_empty(), "{arguments:?}");
        values.iter().for_each(|value| check(&schema(name), value, name));
    }
}

#[test]
#[should_panic(expected = "is missing")]
fn a_missing_field_is_noticed() {
    check(&schema("plan"), &serde_json::json!({ "changes": [], "dns": [] }), "plan");
}
