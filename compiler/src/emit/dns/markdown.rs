//! Tables for people: what to type into a web panel, why, and what remains to be done by hand.

use super::{Planned, RecordSet};
use postern_schema::record::{MtaStsPolicy, RecordData};
use std::fmt::Write;
use std::path::PathBuf;

/// `records.md`.
pub fn files(set: &RecordSet) -> Vec<(PathBuf, String)> {
    // Writing to a string does not fail.
    let mut text = "# DNS records for mail\n".to_owned();
    for (zone, records) in set.zones() {
        let _ = writeln!(text, "\n## {zone}\n\n| name | type | value | TTL | what for |\n|---|---|---|---|---|");
        records.iter().for_each(|planned| row(&mut text, planned));
        write_long_texts(&mut text, records);
    }
    if !set.reverse.is_empty() {
        text.push_str(
            "\n## Reverse names\n\nTo be set where the addresses come from (the hosting provider's panel, as a rule). Large receivers \
             refuse mail from an address whose name does not lead back to it.\n\n| address's name | type | value |\n|---|---|---|\n",
        );
        for planned in &set.reverse {
            let _ = writeln!(text, "| `{}` | PTR | `{}` |", planned.record.owner.as_str(), planned.record.data);
        }
    }
    for policy in &set.policies {
        let _ = writeln!(
            text,
            "\n## Policy file of {0}\n\nTo be served at `https://mta-sts.{0}{1}`, as `text/plain`:\n\n```text\n{2}```",
            policy.domain,
            MtaStsPolicy::PATH,
            policy.text.replace("\r\n", "\n")
        );
    }
    if !set.notes.is_empty() {
        text.push_str("\n## To do\n\n");
        for note in &set.notes {
            let _ = writeln!(text, "- **{}**: {}.", note.domain, note.text);
        }
    }
    vec![("records.md".into(), text)]
}

fn row(text: &mut String, planned: &Planned) {
    let record = &planned.record;
    let value = match &record.data {
        RecordData::Txt(value) => value.as_str().to_owned(),
        other => other.to_string(),
    };
    let name = record.owner.as_str();
    let kind = record.data.kind();
    let _ = writeln!(text, "| `{name}` | {kind} | `{}` | {} | {} |", cell(&value), record.ttl_seconds, planned.purpose);
}

/// Texts that take more than one string, in pieces, for panels that want them so.
fn write_long_texts(text: &mut String, records: &[Planned]) {
    for planned in records {
        if let RecordData::Txt(value) = &planned.record.data
            && value.strings().len() > 1
        {
            let _ = writeln!(
                text,
                "\nIf the panel takes no more than 255 characters, `{}` is, in one record:\n",
                planned.record.owner.as_str()
            );
            value.strings().iter().for_each(|string| {
                let _ = writeln!(text, "    {string}");
            });
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
