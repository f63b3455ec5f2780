//! The record set for programs: each record in presentation form and in its parts. `schemas/records.schema.json`
//! describes it; fields may be added, and keep their meaning.

use super::{Planned, RecordSet};
use postern_schema::record::RecordData;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// `records.json`.
pub fn files(set: &RecordSet) -> Vec<(PathBuf, String)> {
    vec![("records.json".into(), format!("{:#}\n", value(set)))]
}

fn value(set: &RecordSet) -> Value {
    let zones: Vec<Value> = set
        .zones()
        .map(|(zone, records)| json!({ "zone": zone.as_str(), "records": records.iter().map(record).collect::<Vec<_>>() }))
        .collect();
    let notes: Vec<Value> = set.notes.iter().map(|note| json!({ "domain": note.domain.as_str(), "text": note.text })).collect();
    json!({ "zones": zones, "reverse": set.reverse.iter().map(record).collect::<Vec<_>>(), "notes": notes })
}

fn record(planned: &Planned) -> Value {
    let record = &planned.record;
    let mut value = json!({
        "name": record.owner.as_str(),
        "type": record.data.kind().as_str(),
        "ttl": record.ttl_seconds,
        "value": record.data.to_string(),
        "domain": planned.domain.as_str(),
        "purpose": planned.purpose,
    });
    value["data"] = Value::Object(data(&record.data));
    value
}

fn data(data: &RecordData) -> Map<String, Value> {
    let parts = match data {
        RecordData::A(address) => json!({ "address": address.to_string() }),
        RecordData::Aaaa(address) => json!({ "address": address.to_string() }),
        RecordData::Cname(name) | RecordData::Ptr(name) => json!({ "target": format!("{name}.") }),
        RecordData::Mx { preference, exchange } => json!({ "preference": preference, "exchange": exchange.to_string() }),
        RecordData::Txt(text) => json!({ "text": text.as_str(), "strings": text.strings() }),
        RecordData::Srv { priority, weight, port, target } => {
            json!({ "priority": priority, "weight": weight, "port": port, "target": target.to_string() })
        }
        RecordData::Tlsa { usage, selector, matching, association } => json!({
            "usage": usage, "selector": selector, "matching_type": matching, "association": super::hex(association),
        }),
        RecordData::Caa { critical, tag, value } => json!({ "critical": critical, "tag": tag, "value": value }),
    };
    match parts {
        Value::Object(parts) => parts,
        _ => Map::new(),
    }
}
