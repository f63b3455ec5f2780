//! Terraform (and OpenTofu) in its JSON syntax, for two providers. Zone identifiers come in through a variable, since no site
//! knows them.

use super::{Planned, RecordSet, rrsets};
use postern_schema::record::RecordData;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// `postern.tf.json` with `aws_route53_record`, one for each set of records.
pub fn route53(set: &RecordSet) -> Vec<(PathBuf, String)> {
    let mut resources = Map::new();
    for (zone, records) in set.zones() {
        for (first, rrset) in rrsets(records) {
            let values: Vec<String> = rrset.iter().map(|planned| aws_value(&planned.record.data)).collect();
            let resource = json!({
                "zone_id": zone_id(zone.as_str()),
                "name": literal(first.owner.as_str()),
                "type": first.data.kind().as_str(),
                "ttl": first.ttl_seconds,
                "records": values,
            });
            insert(&mut resources, first, resource);
        }
    }
    document(set, "aws_route53_record", resources)
}

/// `postern.tf.json` with `cloudflare_dns_record` of provider 5, one for each record.
pub fn cloudflare(set: &RecordSet) -> Vec<(PathBuf, String)> {
    let mut resources = Map::new();
    for planned in &set.records {
        insert(&mut resources, &planned.record, cloudflare_record(planned));
    }
    document(set, "cloudflare_dns_record", resources)
}

fn cloudflare_record(planned: &Planned) -> Value {
    let record = &planned.record;
    let mut resource = json!({
        "zone_id": zone_id(planned.zone.as_str()),
        "name": literal(record.owner.as_str()),
        "type": record.data.kind().as_str(),
        "ttl": record.ttl_seconds,
        "comment": literal(planned.purpose),
    });
    match &record.data {
        // A proxy in front of a mail host would take its port 25 away.
        RecordData::A(_) | RecordData::Aaaa(_) => {
            resource["content"] = json!(record.data.to_string());
            resource["proxied"] = json!(false);
        }
        RecordData::Cname(name) | RecordData::Ptr(name) => {
            resource["content"] = json!(name.as_str());
            resource["proxied"] = json!(false);
        }
        RecordData::Mx { preference, exchange } => {
            resource["content"] = json!(bare(&exchange.to_string()));
            resource["priority"] = json!(preference);
        }
        RecordData::Txt(text) => resource["content"] = json!(literal(&text.to_string())),
        RecordData::Srv { priority, weight, port, target } => {
            let target = bare(&target.to_string());
            resource["priority"] = json!(priority);
            resource["data"] = json!({ "priority": priority, "weight": weight, "port": port, "target": target });
        }
        RecordData::Tlsa { usage, selector, matching, association } => {
            let certificate = super::hex(association);
            resource["data"] =
                json!({ "usage": usage, "selector": selector, "matching_type": matching, "certificate": certificate });
        }
        RecordData::Caa { critical, tag, value } => {
            let flags = if *critical { 128 } else { 0 };
            resource["data"] = json!({ "flags": flags, "tag": tag, "value": literal(value) });
        }
    }
    resource
}

/// A host without its trailing dot; the root stays a dot.
fn bare(name: &str) -> String {
    name.strip_suffix('.').filter(|name| !name.is_empty()).unwrap_or(name).to_owned()
}

/// The provider puts the outer quotes around a text itself, and wants the inner ones of a long text.
fn aws_value(data: &RecordData) -> String {
    match data {
        RecordData::Txt(text) => literal(&text.strings().join("\"\"")),
        other => literal(&other.to_string()),
    }
}

/// A text in which Terraform finds no template.
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn zone_id(zone: &str) -> String {
    format!("${{var.postern_zone_ids[\"{zone}\"]}}")
}

fn insert(resources: &mut Map<String, Value>, record: &postern_schema::record::Record, resource: Value) {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let owner: String = record.owner.as_str().replace('*', "wildcard").chars().map(plain).collect();
    let name = format!("{}_{owner}", record.data.kind().as_str().to_ascii_lowercase());
    // Two owners that differ in a dot and an underscore, or two values of one owner.
    let free = (2..).map(|count| format!("{name}_{count}")).find(|name| !resources.contains_key(name));
    let name = if resources.contains_key(&name) { free.unwrap_or(name) } else { name };
    resources.insert(name, resource);
}

fn document(set: &RecordSet, kind: &str, resources: Map<String, Value>) -> Vec<(PathBuf, String)> {
    let zones: Vec<&str> = set.zones().map(|(zone, _)| zone.as_str()).collect();
    let notes: Vec<&str> = set.notes.iter().map(|note| note.text.as_str()).collect();
    let document = json!({
        "//": { "about": "Records for mail", "notes": notes },
        "variable": { "postern_zone_ids": {
            "type": "map(string)",
            "description": format!("The provider's identifier of each zone: {}", zones.join(", ")),
        }},
        "resource": { kind: resources },
    });
    vec![("postern.tf.json".into(), format!("{document:#}\n"))]
}
