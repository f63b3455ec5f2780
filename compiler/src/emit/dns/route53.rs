//! Route 53 change batches, for `aws route53 change-resource-record-sets --change-batch file://...`. UPSERT replaces a whole
//! set of records, so the comment names the sets that may hold texts of others.

use super::{Planned, RecordSet, rrsets};
use postern_schema::name::Domain;
use postern_schema::record::{Record, RecordKind};
use serde_json::{Value, json};
use std::path::PathBuf;

/// `example.com.json` for each zone.
pub fn files(set: &RecordSet) -> Vec<(PathBuf, String)> {
    set.zones().map(|(zone, records)| (format!("{zone}.json").into(), format!("{:#}\n", batch(zone, records)))).collect()
}

fn batch(zone: &Domain, records: &[Planned]) -> Value {
    let shared: Vec<String> =
        rrsets(records).filter(|(first, _)| is_shared(first)).map(|(first, _)| first.owner.to_string()).collect();
    let comment = match shared.as_slice() {
        [] => format!("Mail for {zone}"),
        names => format!("Mail for {zone}. Replaces every TXT at {}: add those of others first", names.join(" ")),
    };
    let changes: Vec<Value> = rrsets(records)
        .map(|(first, rrset)| {
            let values: Vec<Value> = rrset.iter().map(|planned| json!({ "Value": planned.record.data.to_string() })).collect();
            json!({
                "Action": "UPSERT",
                "ResourceRecordSet": {
                    "Name": first.owner.to_string(),
                    "Type": first.data.kind().as_str(),
                    "TTL": first.ttl_seconds,
                    "ResourceRecords": values,
                },
            })
        })
        .collect();
    json!({ "Comment": comment, "Changes": changes })
}

/// Whether others may keep records of this owner and kind: texts at a name that no protocol owns.
pub(super) fn is_shared(record: &Record) -> bool {
    record.data.kind() == RecordKind::Txt && !record.owner.is_underscored()
}
