//! Every format is read back by a small reader of its own here, and must hold the same records.

use super::*;
use serde_json::Value;

/// Owner, kind, and value in presentation form.
type Triple = (String, String, String);

fn wanted(set: &RecordSet) -> BTreeSet<Triple> {
    let triple = |planned: &Planned| {
        let record = &planned.record;
        (record.owner.as_str().to_owned(), record.data.kind().to_string(), record.data.to_string())
    };
    set.records.iter().map(triple).collect()
}

fn absolute(name: &str, zone: &str) -> String {
    match name {
        "@" | "" => zone.to_owned(),
        name if name.ends_with('.') => name.trim_end_matches('.').to_owned(),
        name => format!("{name}.{zone}"),
    }
}

/// A text as one string, in the presentation form that the schema gives it.
fn text(value: &str) -> String {
    let mut strings = Vec::new();
    let mut rest = value;
    while rest.len() > 255 {
        strings.push(&rest[..255]);
        rest = &rest[255..];
    }
    strings.push(rest);
    strings
        .iter()
        .map(|string| format!("\"{}\"", string.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect::<Vec<_>>()
        .join(" ")
}

fn read_zone(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let mut found = BTreeSet::new();
    for (path, content) in files {
        let mut origin = String::new();
        assert_ne!(path.as_os_str(), "reverse.zone", "no reverse names here");
        for line in content.lines().filter(|line| !line.starts_with(';')) {
            if let Some(name) = line.strip_prefix("$ORIGIN ") {
                origin = name.trim_end_matches('.').to_owned();
                continue;
            }
            let (entry, _comment) = line.split_once("  ; ").expect("a purpose");
            let mut words = entry.split_whitespace();
            let mut word = || words.next().expect("a word").to_owned();
            let (owner, ttl, class, kind) = (word(), word(), word(), word());
            assert_eq!((ttl.as_str(), class.as_str()), ("3600", "IN"));
            found.insert((absolute(&owner, &origin), kind, words.collect::<Vec<_>>().join(" ")));
        }
    }
    found
}

fn read_nsupdate(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let mut found = BTreeSet::new();
    for line in files.iter().flat_map(|(_, content)| content.lines()) {
        if let Some(rest) = line.strip_prefix("update add ") {
            let mut parts = rest.splitn(4, ' ');
            let mut part = || parts.next().expect("a part").to_owned();
            let (owner, _ttl, kind, value) = (part(), part(), part(), part());
            found.insert((absolute(&owner, ""), kind, value));
        } else {
            assert!(["zone ", "update delete ", "send", ";"].iter().any(|start| line.starts_with(start)), "{line}");
        }
    }
    found
}

fn json(files: &[(PathBuf, String)]) -> Vec<Value> {
    files.iter().map(|(_, content)| serde_json::from_str(content).expect("JSON")).collect()
}

fn string(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().expect("a list").clone()
}

fn read_json(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let mut found = BTreeSet::new();
    for zone in list(&json(&files)[0]["zones"]) {
        for record in list(&zone["records"]) {
            found.insert((string(&record["name"]), string(&record["type"]), string(&record["value"])));
            if record["type"] == "TXT" {
                assert_eq!(text(&string(&record["data"]["text"])), record["value"]);
            }
        }
    }
    found
}

fn read_route53(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let mut found = BTreeSet::new();
    for batch in json(&files) {
        for change in list(&batch["Changes"]) {
            let set = &change["ResourceRecordSet"];
            for value in list(&set["ResourceRecords"]) {
                found.insert((absolute(&string(&set["Name"]), ""), string(&set["Type"]), string(&value["Value"])));
            }
        }
    }
    found
}

fn resources(files: &[(PathBuf, String)], kind: &str) -> Vec<Value> {
    let resources = json(files)[0]["resource"][kind].as_object().expect("resources").clone();
    resources.into_iter().map(|(_, resource)| resource).collect()
}

fn read_terraform_route53(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let mut found = BTreeSet::new();
    for resource in resources(&files, "aws_route53_record") {
        let kind = string(&resource["type"]);
        for value in list(&resource["records"]) {
            let value = string(&value);
            let value = if kind == "TXT" { format!("\"{}\"", value.replace("\"\"", "\" \"")) } else { value };
            found.insert((string(&resource["name"]), kind.clone(), value));
        }
    }
    found
}

fn read_cloudflare(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let dotted = |name: String| if name == "." { name } else { format!("{name}.") };
    let mut found = BTreeSet::new();
    for resource in resources(&files, "cloudflare_dns_record") {
        let kind = string(&resource["type"]);
        let data = &resource["data"];
        let content = || string(&resource["content"]);
        let value = match kind.as_str() {
            "MX" => format!("{} {}", resource["priority"], dotted(content())),
            "CNAME" => dotted(content()),
            "SRV" => {
                format!("{} {} {} {}", data["priority"], data["weight"], data["port"], dotted(string(&data["target"])))
            }
            "TLSA" => {
                format!("{} {} {} {}", data["usage"], data["selector"], data["matching_type"], string(&data["certificate"]))
            }
            "CAA" => format!("{} {} \"{}\"", data["flags"], string(&data["tag"]), string(&data["value"])),
            _ => content(),
        };
        found.insert((string(&resource["name"]), kind, value));
    }
    found
}

/// Reads the calls; the arguments are JSON but for `CAA_CRITICAL` and the trailing `TTL(n)`.
fn read_dnscontrol(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let mut found = BTreeSet::new();
    let mut zone = String::new();
    for line in files[0].1.lines().filter(|line| !line.starts_with("//") && *line != "  END);") {
        if let Some(rest) = line.strip_prefix("D_EXTEND(") {
            zone = serde_json::from_str(rest.trim_end_matches(',')).expect("a name");
            continue;
        }
        let (call, _purpose) = line.trim().split_once(", TTL(3600)), // ").expect("a call");
        let (kind, arguments) = call.split_once('(').expect("a bracket");
        let arguments = arguments.replace("CAA_CRITICAL", "\"critical\"");
        let arguments: Vec<Value> = serde_json::from_str(&format!("[{arguments}]")).expect("arguments");
        let (name, rest) = arguments.split_first().expect("a name");
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = match kind {
            "TXT" => text(&string(&rest[0])),
            "CAA" => format!("{} {} \"{}\"", if rest.len() > 2 { 128 } else { 0 }, plain(&rest[0]), plain(&rest[1])),
            _ => rest.iter().map(plain).collect::<Vec<_>>().join(" "),
        };
        found.insert((absolute(&string(name), &zone), kind.to_owned(), value));
    }
    found
}

/// Reads the little of YAML that we write: names, then a list of maps, whose values are scalars, maps, or lists of either.
fn read_octodns(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let mut found = BTreeSet::new();
    for (path, content) in files {
        let zone = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let (mut name, mut kind) = (String::new(), String::new());
        let mut parts: Vec<(String, String)> = Vec::new();
        let flush = |name: &str, kind: &str, parts: &mut Vec<(String, String)>, found: &mut BTreeSet<Triple>| {
            if !parts.is_empty() {
                found.insert((absolute(name, &zone), kind.to_owned(), octodns_value(kind, parts)));
                parts.clear();
            }
        };
        for line in content.lines().filter(|line| *line != "---" && !line.starts_with('#')) {
            if !line.starts_with([' ', '-']) {
                flush(&name, &kind, &mut parts, &mut found);
                name = unquote(line.strip_suffix(':').expect("a name"));
            } else if line.starts_with("- ttl: ") {
                flush(&name, &kind, &mut parts, &mut found);
            } else if let Some(word) = line.strip_prefix("  type: ") {
                kind = word.to_owned();
            } else if line == "  value:" || line == "  values:" {
            } else if let Some(value) = line.strip_prefix("  value: ") {
                parts.push((String::new(), unquote(value)));
            } else {
                let inner = match line.strip_prefix("  - ") {
                    Some(inner) => {
                        flush(&name, &kind, &mut parts, &mut found);
                        inner
                    }
                    None => line.trim_start(),
                };
                match inner.split_once(": ").filter(|_| !inner.starts_with('\'')) {
                    Some((part, value)) => parts.push((part.to_owned(), unquote(value))),
                    None => parts.push((String::new(), unquote(inner))),
                }
            }
        }
        flush(&name, &kind, &mut parts, &mut found);
    }
    found
}

fn octodns_value(kind: &str, parts: &[(String, String)]) -> String {
    let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.is_sorted(), "octoDNS wants sorted keys: {names:?}");
    let part = |wanted: &str| parts.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()).expect("a part");
    match kind {
        "TXT" => text(&part("").replace("\\;", ";")),
        "MX" => format!("{} {}", part("preference"), part("exchange")),
        "SRV" => format!("{} {} {} {}", part("priority"), part("weight"), part("port"), part("target")),
        "CAA" => format!("{} {} \"{}\"", part("flags"), part("tag"), part("value")),
        "TLSA" => format!(
            "{} {} {} {}",
            part("certificate_usage"),
            part("selector"),
            part("matching_type"),
            part("certificate_association_data")
        ),
        _ => part(""),
    }
}

fn unquote(scalar: &str) -> String {
    match scalar.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => inner.replace("''", "'"),
        None => scalar.to_owned(),
    }
}

fn read_markdown(files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    let rows = files[0].1.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 6);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let (name, kind, value) = (cells[0].trim_matches('`'), cells[1], cells[2].trim_matches('`'));
        let value = if kind == "TXT" { text(value) } else { value.to_owned() };
        (name.to_owned(), kind.to_owned(), value)
    })
    .collect()
}

fn read(format: DnsFormat, files: Vec<(PathBuf, String)>) -> BTreeSet<Triple> {
    match format {
        DnsFormat::Zone => read_zone(files),
        DnsFormat::Octodns => read_octodns(files),
        DnsFormat::Dnscontrol => read_dnscontrol(files),
        DnsFormat::TerraformCloudflare => read_cloudflare(files),
        DnsFormat::TerraformRoute53 => read_terraform_route53(files),
        DnsFormat::Route53 => read_route53(files),
        DnsFormat::Nsupdate => read_nsupdate(files),
        DnsFormat::Json => read_json(files),
        DnsFormat::Markdown => read_markdown(files),
    }
}

#[test]
fn every_format_carries_the_same_records() {
    let without_reverse = |model: &Model| RecordSet { reverse: Vec::new(), ..derive(model) };
    for set in [every_kind(), without_reverse(&direct()), without_reverse(&fixture::model())] {
        for format in DnsFormat::ALL {
            assert_eq!(read(format, format.files(&set)), wanted(&set), "{}", format.as_str());
        }
    }
}

#[test]
fn every_format_says_what_is_left_to_do() {
    let set = derive(&fixture::model());
    assert!(!set.notes.is_empty());
    for format in DnsFormat::ALL.into_iter().filter(|format| *format != DnsFormat::Route53) {
        let text: String = format.files(&set).into_iter().map(|(_, text)| text).collect();
        assert!(text.contains("no SPF record is given for example.com"), "{}", format.as_str());
    }
}

#[test]
fn octodns_keys_are_in_natural_order() {
    let (_, text) = &DnsFormat::Octodns.files(&every_kind())[0];
    let names: Vec<&str> = text.lines().filter(|line| line.starts_with('\'')).collect();
    let wanted = [
        "''",
        "'*._domainkey'",
        "'_25._tcp.mail'",
        "'_imaps._tcp'",
        "'_submissions._tcp'",
        "'autoconfig'",
        "'mail'",
        "'mail9'",
        "'mail10'",
    ];
    assert_eq!(names, wanted.map(|name| format!("{name}:")));
}

#[test]
fn texts_of_others_survive_an_nsupdate() {
    let (_, script) = &DnsFormat::Nsupdate.files(&derive(&direct()))[0];
    assert!(!script.contains("update delete example.com. TXT"), "{script}");
    assert!(script.contains("update delete _dmarc.example.com. TXT"), "{script}");
    assert!(script.contains("update delete example.com. MX"), "{script}");
}

#[test]
fn reverse_names_are_a_task_and_no_deployment() {
    let set = derive(&direct());
    for format in [DnsFormat::Zone, DnsFormat::Json, DnsFormat::Markdown] {
        let text: String = format.files(&set).into_iter().map(|(_, text)| text).collect();
        assert!(text.contains("25.113.0.203.in-addr.arpa"), "{}", format.as_str());
    }
    for format in [DnsFormat::Octodns, DnsFormat::Nsupdate, DnsFormat::Route53, DnsFormat::TerraformRoute53] {
        let text: String = format.files(&set).into_iter().map(|(_, text)| text).collect();
        assert!(!text.contains("arpa"), "{}", format.as_str());
    }
}

#[test]
fn paths_stay_in_the_folder_and_differ() {
    let files = every_format(&derive(&direct()));
    let paths: BTreeSet<&PathBuf> = files.iter().map(|(path, _)| path).collect();
    assert_eq!(paths.len(), files.len());
    assert!(paths.iter().all(|path| path.components().all(|part| matches!(part, std::path::Component::Normal(_)))));
}
