//! octoDNS YAML: a file per zone, keys in its natural order, `;` in texts escaped with `\`.

use super::{Planned, RecordSet, rrsets};
use postern_schema::name::Domain;
use postern_schema::record::RecordData;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// `example.com.yaml` for each zone.
pub fn files(set: &RecordSet) -> Vec<(PathBuf, String)> {
    set.zones().map(|(zone, records)| (format!("{zone}.yaml").into(), document(set, zone, records))).collect()
}

fn document(set: &RecordSet, zone: &Domain, records: &[Planned]) -> String {
    let mut names: BTreeMap<NaturalName<'_>, Vec<&[Planned]>> = BTreeMap::new();
    for (first, rrset) in rrsets(records) {
        let name = first.owner.relative_to(zone).unwrap_or(first.owner.as_str());
        names.entry(NaturalName(name)).or_default().push(rrset);
    }
    // Writing to a string does not fail.
    let mut text = format!("---\n# Records for mail in {zone}.\n");
    for note in set.notes_on(records) {
        let _ = writeln!(text, "# Note: {}.", note.text);
    }
    for (name, rrsets) in names {
        let _ = writeln!(text, "{}:", scalar(name.0));
        for rrset in rrsets {
            write_rrset(&mut text, rrset);
        }
    }
    text
}

fn write_rrset(text: &mut String, rrset: &[Planned]) {
    let _ = writeln!(text, "- ttl: {}\n  type: {}", rrset[0].record.ttl_seconds, rrset[0].record.data.kind());
    let values: Vec<Vec<(&str, String)>> = rrset.iter().map(|planned| fields(&planned.record.data)).collect();
    match values.as_slice() {
        [one] => match one.as_slice() {
            [("", value)] => {
                let _ = writeln!(text, "  value: {value}");
            }
            parts => {
                let _ = writeln!(text, "  value:");
                parts.iter().for_each(|(name, value)| {
                    let _ = writeln!(text, "    {name}: {value}");
                });
            }
        },
        several => {
            let _ = writeln!(text, "  values:");
            for parts in several {
                for (index, (name, value)) in parts.iter().enumerate() {
                    let dash = if index == 0 { '-' } else { ' ' };
                    let colon = if name.is_empty() { "" } else { ": " };
                    let _ = writeln!(text, "  {dash} {name}{colon}{value}");
                }
            }
        }
    }
}

/// The parts of a value by name, in alphabetical order as octoDNS insists; a value without parts has an empty name.
fn fields(data: &RecordData) -> Vec<(&'static str, String)> {
    match data {
        RecordData::A(address) => vec![("", address.to_string())],
        RecordData::Aaaa(address) => vec![("", scalar(&address.to_string()))],
        RecordData::Cname(name) | RecordData::Ptr(name) => vec![("", format!("{name}."))],
        RecordData::Txt(value) => vec![("", scalar(&value.as_str().replace(';', "\\;")))],
        RecordData::Mx { preference, exchange } => {
            vec![("exchange", scalar(&exchange.to_string())), ("preference", preference.to_string())]
        }
        RecordData::Srv { priority, weight, port, target } => vec![
            ("port", port.to_string()),
            ("priority", priority.to_string()),
            ("target", scalar(&target.to_string())),
            ("weight", weight.to_string()),
        ],
        RecordData::Tlsa { usage, selector, matching, association } => vec![
            ("certificate_association_data", scalar(&super::hex(association))),
            ("certificate_usage", usage.to_string()),
            ("matching_type", matching.to_string()),
            ("selector", selector.to_string()),
        ],
        RecordData::Caa { critical, tag, value } => {
            vec![("flags", if *critical { "128" } else { "0" }.to_owned()), ("tag", scalar(tag)), ("value", scalar(value))]
        }
    }
}

/// A YAML string that nothing reads as a number or a mark: single quotes, doubled within.
fn scalar(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name in the order that octoDNS wants of keys: runs of digits count as numbers, and a number comes before a text.
#[derive(PartialEq, Eq)]
struct NaturalName<'a>(&'a str);

impl NaturalName<'_> {
    fn parts(&self) -> impl Iterator<Item = (u64, &str)> {
        let is_digit = |c: &char| c.is_ascii_digit();
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let first = rest.chars().next()?;
            let end = rest.find(|c: char| is_digit(&c) != is_digit(&first)).unwrap_or(rest.len());
            let (head, tail) = rest.split_at(end);
            rest = tail;
            Some((head, is_digit(&first)))
        })
        .map(|(part, digits)| if digits { (part.parse().unwrap_or(u64::MAX - 1), "") } else { (u64::MAX, part) })
    }
}

impl Ord for NaturalName<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(other.parts()).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for NaturalName<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
