//! The JSON Schema of the JSON twin, from the grammar: [`schema`]. It allows what this runtime serves, in the short forms too; a
//! text with a constant in it may stand for any value.

use super::node::is_list;
use super::{AT, DEFAULTS, SOURCES, VALUES_AT};
use crate::syntax::grammar::layout::ALLOW;
use crate::syntax::grammar::{NodeSpec, PropertySpec, ROOT, Served, ValueType, Word};
use postern_schema::decide::Reason;
use serde_json::{Map, Value as Json, json};

/// The schema, indented, with a line end: what `postern schema` prints.
pub fn schema() -> String {
    let mut definitions = Map::new();
    definitions.insert(
        "constant".to_owned(),
        json!({"description": "A text with a constant in it.", "type": "string", "pattern": "\\{[A-Za-z][A-Za-z0-9_-]*\\}"}),
    );
    definitions.extend(origins());
    let one = object(&ALLOW, &mut definitions);
    definitions.insert(ALLOW.name.to_owned(), json!({"anyOf": [one, {"type": "array", "items": one}], "description": ALLOW.doc}));
    let mut members = Map::new();
    members.insert("$schema".to_owned(), json!({"type": "string"}));
    members.insert(SOURCES.to_owned(), json!({"type": "array", "items": {"$ref": "#/$defs/source"}}));
    members.insert(DEFAULTS.to_owned(), json!({"type": "array", "items": {"$ref": "#/$defs/default"}}));
    members.extend(children(&ROOT, &mut definitions));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Postern site",
        "description": "A mail site, as the JSON twin of a site file in KDL.",
        "type": "object",
        "properties": members,
        "additionalProperties": false,
        "$defs": definitions,
    });
    format!("{schema:#}\n")
}

/// What a twin says of where its pieces stood, and of what nobody said.
fn origins() -> Map<String, Json> {
    let text = json!({"type": "string"});
    let at = json!({"$ref": "#/$defs/at"});
    let strings = |description: &str, names: &[&str]| {
        let members: Map<String, Json> = names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
        json!({"description": description, "type": "object", "properties": members, "required": names, "additionalProperties": false})
    };
    let mut source = strings("A file that this one is the twin of.", &["path", "sha256"]);
    source["properties"]["sha256"] = json!({"type": "string", "pattern": "^[0-9a-f]{64}$"});
    Map::from_iter([
        ("source".to_owned(), source),
        ("default".to_owned(), strings("A value in force that the site does not say.", &["subject", "name", "value"])),
        (
            "at".to_owned(),
            json!({"description": "File and line that a node or value stood at.", "type": "string", "pattern": ":[1-9][0-9]*$"}),
        ),
        (
            "values-at".to_owned(),
            json!({
                "description": "Where values stood that have another line than their node.",
                "type": "object",
                "additionalProperties": {"anyOf": [at, {"type": "array", "items": at}]},
            }),
        ),
    ])
}

/// The members of the children of a node. What an `include` brings may be required, so the top level requires nothing.
fn children(parent: &'static NodeSpec, definitions: &mut Map<String, Json>) -> Map<String, Json> {
    let mut members = Map::new();
    for spec in parent.children.iter().filter(|spec| spec.served == Served::Yes) {
        let one = node(spec, definitions);
        let value = match spec.many {
            true => json!({"anyOf": [one, {"type": "array", "items": one}, {"type": "null"}], "description": spec.doc}),
            false => json!({"anyOf": [one, {"type": "null"}], "description": spec.doc}),
        };
        members.insert(spec.name.to_owned(), value);
    }
    members
}

/// One node, in every form that it may be written in.
fn node(spec: &'static NodeSpec, definitions: &mut Map<String, Json>) -> Json {
    let mut forms = vec![object(spec, definitions)];
    let needs_more = spec.properties.iter().any(|property| property.required)
        || spec.children.iter().any(|child| child.required)
        || !spec.one_of.is_empty()
        || spec.arguments.get(1).is_some_and(|second| second.required);
    if let Some(first) = spec.arguments.first()
        && !needs_more
    {
        let value = value(&first.kind, definitions);
        if is_list(spec) {
            forms.push(json!({"type": "array", "items": value, "minItems": 1}));
        }
        forms.push(value);
    }
    match forms.len() {
        1 => forms.swap_remove(0),
        _ => json!({"anyOf": forms}),
    }
}

fn object(spec: &'static NodeSpec, definitions: &mut Map<String, Json>) -> Json {
    let mut members = Map::new();
    for (name, kind) in [(AT, "at"), (VALUES_AT, "values-at")] {
        members.insert(name.to_owned(), json!({"$ref": format!("#/$defs/{kind}")}));
    }
    let mut required: Vec<&str> = Vec::new();
    for argument in spec.arguments {
        let one = value(&argument.kind, definitions);
        let schema = match argument.repeating {
            true => json!({"anyOf": [one, {"type": "array", "items": one}]}),
            false => one,
        };
        members.insert(argument.name.to_owned(), described(schema, argument.doc));
        required.extend(argument.required.then_some(argument.name));
    }
    let served = |property: &&PropertySpec| property.served == Served::Yes;
    for property in spec.properties.iter().filter(served) {
        let schema = value(&property.kind, definitions);
        let schema = if property.required { schema } else { json!({"anyOf": [schema, {"type": "null"}]}) };
        members.insert(property.name.to_owned(), described(schema, property.doc));
        required.extend(property.required.then_some(property.name));
    }
    if spec.name == "profile" {
        // A profile holds what a site file holds, each node saying only what differs: that is for the compiler to check.
        return json!({"type": "object", "properties": members, "required": required, "description": spec.doc});
    }
    members.extend(children(spec, definitions));
    members.insert(ALLOW.name.to_owned(), json!({"$ref": "#/$defs/allow"}));
    required.extend(spec.children.iter().filter(|child| child.required && child.served == Served::Yes).map(|child| child.name));
    let mut schema = json!({"type": "object", "properties": members, "required": required, "additionalProperties": false});
    if spec.open {
        schema["additionalProperties"] = json!({"type": ["string", "number", "boolean"]});
    }
    let choices: Vec<Json> = spec
        .one_of
        .iter()
        .filter(|name| spec.property(name).is_some_and(|property| property.served == Served::Yes))
        .map(|name| json!({"required": [name]}))
        .collect();
    if !choices.is_empty() {
        schema["oneOf"] = Json::Array(choices);
    }
    schema
}

fn described(mut schema: Json, doc: &str) -> Json {
    schema["description"] = Json::String(doc.to_owned());
    schema
}

/// A value of a type: those that differ from place to place in place, all others by reference.
fn value(kind: &ValueType, definitions: &mut Map<String, Json>) -> Json {
    let constant = json!({"$ref": "#/$defs/constant"});
    match kind {
        ValueType::Word(words) => json!({"anyOf": [{"enum": served(words)}, constant]}),
        ValueType::Count { least, most } => json!({"anyOf": [{"type": "integer", "minimum": least, "maximum": most}, constant]}),
        ValueType::Weight => json!({"anyOf": [{"type": "integer", "minimum": -1000, "maximum": 1000}, constant]}),
        ValueType::Any => json!({"type": ["string", "number", "boolean"]}),
        kind => {
            let name = kind.name().replace(' ', "-");
            if !definitions.contains_key(&name) {
                let any = json!({"anyOf": [plain(kind), constant], "description": kind.form()});
                definitions.insert(name.clone(), any);
            }
            json!({"$ref": format!("#/$defs/{name}")})
        }
    }
}

fn served(words: &[Word]) -> Vec<&'static str> {
    words.iter().filter(|word| word.served == Served::Yes).map(|word| word.text).collect()
}

/// What JSON Schema can say of a type; the compiler says the rest.
fn plain(kind: &ValueType) -> Json {
    match kind {
        ValueType::Duration => {
            json!({"type": "string", "pattern": "^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2})
        }
        ValueType::Size => json!({"type": "string", "pattern": "^[0-9]+ *([KMGT]i)?B$"}),
        ValueType::Rate => json!({"type": "string", "pattern": "^[0-9]+/([0-9]*[smhdw])+$"}),
        ValueType::Codes => json!({"type": "string", "pattern": "^127[.][0-9., -]+$"}),
        ValueType::Code => json!({"type": "string", "pattern": "^127([.][0-9]{1,3}){3}$"}),
        ValueType::Factor => json!({"type": "number", "minimum": 1, "maximum": 100}),
        ValueType::Port => json!({"type": "integer", "minimum": 0, "maximum": 65535}),
        ValueType::Truth => json!({"type": "boolean"}),
        ValueType::Secret => json!({"type": "string", "pattern": "^[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,127}$"}),
        ValueType::Delimiter => json!({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 1}, {"const": false}]}),
        ValueType::Report => json!({"type": "string", "pattern": "^(mailto:|https://)"}),
        ValueType::WebAddress => json!({"type": "string", "pattern": "^https://"}),
        ValueType::Selector => json!({"type": "string", "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"}),
        ValueType::Fingerprint => json!({"type": "string", "pattern": "^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$"}),
        ValueType::Date => json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
        ValueType::Mailbox => json!({"type": "string", "pattern": "@"}),
        ValueType::Reason => json!({"enum": Reason::ALL.iter().map(|reason| reason.as_str()).collect::<Vec<_>>()}),
        ValueType::ReversePath => json!({"type": "string"}),
        _ => json!({"type": "string", "minLength": 1}),
    }
}

#[cfg(test)]
mod tests {
    use super::schema;
    use std::path::Path;

    #[test]
    fn the_published_schema_is_the_grammar() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/site.schema.json");
        if std::env::var_os("POSTERN_WRITE_DOCS").is_some() {
            std::fs::write(&path, schema()).expect("the schema can be written");
        }
        let published = std::fs::read_to_string(&path).expect("the schema");
        assert!(published == schema(), "site.schema.json is not what the grammar says: run the tests with POSTERN_WRITE_DOCS=1");
    }
}
