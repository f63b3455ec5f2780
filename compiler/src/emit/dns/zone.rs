//! Zone files (RFC 1035 5.1), one per zone: fragments to be read with `$INCLUDE`, or whole zones where the name servers are
//! given; and one for the reverse names.

use super::{Planned, RecordSet, TTL_SECONDS};
use postern_schema::name::{Domain, Mailbox};
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

/// What a zone has beside our records, so that it can stand alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authority {
    /// The name servers, the primary first; at least one.
    pub name_servers: Vec<Domain>,
    /// Who answers for the zone.
    pub hostmaster: Mailbox,
    /// The serial number: it must grow with each change (RFC 1982).
    pub serial: u32,
}

/// Whole zones: SOA, NS, and our records.
pub fn whole(set: &RecordSet, authority: &Authority) -> Vec<(PathBuf, String)> {
    let Authority { name_servers, hostmaster, serial } = authority;
    // RFC 1035 8: the first dot that is none of the local part divides it from the domain.
    let local = hostmaster.local.as_str().replace('.', "\\.");
    let primary = name_servers.first().map(Domain::to_string).unwrap_or_default();
    // RFC 1912 2.2: refresh, retry, expire; RFC 2308 5: how long a name stays unknown.
    let mut head =
        format!("@ {TTL_SECONDS} IN SOA {primary}. {local}.{}. {serial} 7200 3600 1209600 {TTL_SECONDS}\n", hostmaster.host);
    name_servers.iter().for_each(|server| head += &format!("@ {TTL_SECONDS} IN NS {server}.\n"));
    let zone = |(zone, records): (&Domain, &[Planned])| {
        let text = fragment(set, zone, records);
        let origin = format!("$ORIGIN {zone}.\n");
        let text = text.replacen(": a fragment, without SOA and NS.", ".", 1).replacen(&origin, &format!("{origin}{head}"), 1);
        (format!("{zone}.zone").into(), text)
    };
    set.zones().map(zone).collect()
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
