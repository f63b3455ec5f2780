//! dnscontrol JavaScript. `D_EXTEND` adds to the `D()` that the reader has, which keeps its registrar, its provider and its
//! purge settings; the file says `NO_PURGE` where it speaks of that `D()`.

use super::RecordSet;
use postern_schema::record::RecordData;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

/// `postern.js`.
pub fn files(set: &RecordSet) -> Vec<(PathBuf, String)> {
    let mut text = "// Records for mail. In dnsconfig.js, declare each domain first, then load this file:\n\
                    //   D(\"example.com\", REG, DnsProvider(DNS), NO_PURGE);\n\
                    //   require(\"./postern.js\");\n"
        .to_owned();
    for (zone, records) in set.zones() {
        for note in set.notes_on(records) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "// Note: {}.", note.text);
        }
        let _ = writeln!(text, "D_EXTEND({},", json!(zone.as_str()));
        for planned in records {
            let record = &planned.record;
            let name = match record.owner.relative_to(zone) {
                Some("") => "@".to_owned(),
                Some(labels) => labels.to_owned(),
                None => record.owner.to_string(),
            };
            let _ = writeln!(text, "  {}, TTL({})), // {}", call(&name, &record.data), record.ttl_seconds, planned.purpose);
        }
        text.push_str("  END);\n");
    }
    vec![("postern.js".into(), text)]
}

/// The call of a record's function, without its closing bracket.
fn call(name: &str, data: &RecordData) -> String {
    let kind = data.kind();
    let name = json!(name);
    match data {
        RecordData::A(_) | RecordData::Aaaa(_) | RecordData::Cname(_) | RecordData::Ptr(_) => {
            format!("{kind}({name}, {}", json!(data.to_string()))
        }
        RecordData::Mx { preference, exchange } => format!("MX({name}, {preference}, {}", json!(exchange.to_string())),
        RecordData::Txt(text) => format!("TXT({name}, {}", json!(text.as_str())),
        RecordData::Srv { priority, weight, port, target } => {
            format!("SRV({name}, {priority}, {weight}, {port}, {}", json!(target.to_string()))
        }
        RecordData::Tlsa { usage, selector, matching, association } => {
            format!("TLSA({name}, {usage}, {selector}, {matching}, {}", json!(super::hex(association)))
        }
        RecordData::Caa { critical, tag, value } => {
            let critical = if *critical { ", CAA_CRITICAL" } else { "" };
            format!("CAA({name}, {}, {}{critical}", json!(tag), json!(value))
        }
    }
}
