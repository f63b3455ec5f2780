//! Zone-file fragments (RFC 1035 5.1), one per zone, to be read with `$INCLUDE`, and one for the reverse names.

use super::{Planned, RecordSet};
use postern_schema::name::Domain;
use std::fmt::Write;
use std::path::PathBuf;

/// `example.com.zone` for each zone, and `reverse.zone` if there are reverse names.
pub fn files(set: &RecordSet) -> Vec<(PathBuf, String)> {
    let mut files: Vec<(PathBuf, String)> =
        set.zones().map(|(zone, records)| (format!("{zone}.zone").into(), fragment(set, zone, records))).collect();
    if !set.reverse.is_empty() {
        let mut text = "; Reverse names: for the zones of whoever owns the addresses.\n".to_owned();
        set.reverse.iter().for_each(|planned| line(&mut text, &planned.record.owner.to_string(), planned));
        files.push(("reverse.zone".into(), text));
    }
    files
}

fn fragment(set: &RecordSet, zone: &Domain, records: &[Planned]) -> String {
    // Writing to a string does not fail.
    let mut text = format!("; Records for mail in {zone}: a fragment, without SOA and NS.\n");
    for note in set.notes_on(records) {
        let _ = writeln!(text, "; Note: {}.", note.text);
    }
    let _ = writeln!(text, "$ORIGIN {zone}.");
    for planned in records {
        let owner = match planned.record.owner.relative_to(zone) {
            Some("") => "@".to_owned(),
            Some(labels) => labels.to_owned(),
            None => planned.record.owner.to_string(),
        };
        line(&mut text, &owner, planned);
    }
    text
}

fn line(text: &mut String, owner: &str, planned: &Planned) {
    let record = &planned.record;
    let kind = record.data.kind().as_str();
    let _ = writeln!(text, "{owner:<24} {} IN {kind:<5} {}  ; {}", record.ttl_seconds, record.data, planned.purpose);
}
