//! A script for `nsupdate` (RFC 2136): a set of records is deleted and added in one message, which the server takes as a whole.
//! Texts at a name that no protocol owns are added only: others may keep texts there.

use super::route53::is_shared;
use super::{RecordSet, rrsets};
use std::fmt::Write;
use std::path::PathBuf;

/// `postern.nsupdate`.
pub fn files(set: &RecordSet) -> Vec<(PathBuf, String)> {
    let mut text = String::new();
    // Writing to a string does not fail.
    for (zone, records) in set.zones() {
        let _ = writeln!(text, "; Records for mail in {zone}.");
        for note in set.notes_on(records) {
            let _ = writeln!(text, "; Note: {}.", note.text);
        }
        let _ = writeln!(text, "zone {zone}.");
        for (first, rrset) in rrsets(records) {
            let (owner, kind) = (&first.owner, first.data.kind());
            if is_shared(first) {
                let _ = writeln!(text, "; Texts of others at {owner} stay; delete an older v=spf1 there by hand.");
            } else {
                let _ = writeln!(text, "update delete {owner} {kind}");
            }
            for planned in rrset {
                let _ = writeln!(text, "update add {owner} {} {kind} {}", planned.record.ttl_seconds, planned.record.data);
            }
        }
        text.push_str("send\n");
    }
    vec![("postern.nsupdate".into(), text)]
}
