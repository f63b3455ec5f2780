//! Other people's tools over what we write: zone checkers over the zones, octoDNS over its YAML and over both at once, a validator
//! of JSON Schema over findings in SARIF, the twins of sites, and our schemas themselves.
//!
//! A tool that is not installed is skipped, and it is said so. Under `POSTERN_ORACLES=required`, as CI has it, that is a failure.
#![allow(clippy::unwrap_used)]

use postern::compile::{CompileOptions, compile, compile_text};
use postern::emit::dns::{RecordSet, derive, every_format};
use postern::report::{Format, View, render, terminal::Style};
use postern_schema::name::Domain;
use postern_schema::record::{RecordData, Target};
use postern_tests::daemon::binaries::workspace;
use postern_tests::oracle::skip;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Both families, every listener, an internationalised name, a name below another, parked names, and an SPF record of more than
/// one string.
const SITE: &str = r#"site "mail.example.com" {
    postmaster "alice@example.com"
    address "203.0.113.1" "203.0.113.2" "203.0.113.3" "203.0.113.4" "203.0.113.5" "203.0.113.6" "203.0.113.7" "203.0.113.8"
}
tls { self-signed; }
listen "mx"; listen "submission"; listen "submissions"
users "staff" { passwd secret="users"; }
domain "example.com" "lists.example.com" "例え.example" "10-4.example" { mailbox "alice"; alias "abuse" "alice"; }
domain "shop.example" alias-of="example.com"
parked "example.net" "example.org"
route to="*" via="direct"
"#;

/// The records of the site above and of every example.
fn sets() -> Vec<(String, RecordSet)> {
    let everything = compile_text("site.kdl", SITE, &CompileOptions::default());
    let mut sets = vec![("everything".to_owned(), derive(&everything.model.unwrap()))];
    for entry in fs::read_dir(workspace().join("examples")).unwrap().flatten() {
        if let Ok(compiled) = compile(&entry.path().join("site.kdl"), &CompileOptions::default()) {
            sets.push((entry.file_name().into_string().unwrap(), derive(&compiled.model.unwrap())));
        }
    }
    assert!(sets.len() > 10, "{:?}", sets.iter().map(|(name, _)| name).collect::<Vec<_>>());
    sets
}

/// Runs a tool; `None` where it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skip(program);
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

fn assert_accepted(what: &str, output: &Output) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&text));
}

/// Every zone of a set as a whole one, with the SOA and NS that a fragment leaves to its includer, and the host's address where
/// the site does not know it.
fn whole_zones(set: &RecordSet, folder: &Path) -> Vec<(String, PathBuf)> {
    let files = every_format(set).into_iter().filter(|(path, _)| path.starts_with("zone") && !path.ends_with("reverse.zone"));
    let zone = |(path, fragment): (PathBuf, String)| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let file = folder.join(format!("{name}.zone"));
        let head = "@ IN SOA ns1.provider.example. hostmaster.provider.example. 1 7200 3600 1209600 3600\n\
                    @ IN NS ns1.provider.example.\n@ IN NS ns2.provider.example.\n";
        let hosts = set.records.iter().filter_map(|planned| match &planned.record.data {
            RecordData::Mx { exchange: Target::Host(host), .. } if set.reverse.is_empty() => Some(host),
            _ => None,
        });
        let within: BTreeSet<_> = hosts.filter(|host| host.is_within(&Domain::parse(&name).unwrap())).collect();
        let addresses: String = within.iter().map(|host| format!("{host}. IN A 192.0.2.1\n")).collect();
        fs::write(&file, format!("$ORIGIN {name}.\n$TTL 3600\n{head}{addresses}{fragment}")).unwrap();
        (name, file)
    };
    files.map(zone).collect()
}

#[test]
fn zone_checkers_accept_every_zone() {
    let folder = tempfile::tempdir().unwrap();
    for (site, set) in sets() {
        for (zone, file) in whole_zones(&set, folder.path()) {
            let file = file.to_str().unwrap();
            let strict = ["-i", "local", "-k", "fail", "-m", "fail", "-M", "fail", "-S", "fail", "-r", "fail", "-n", "fail"];
            let checkers: [(&str, Vec<&str>); 3] = [
                ("named-checkzone", [&strict[..], &[&zone, file]].concat()),
                ("kzonecheck", vec!["-o", &zone, file]),
                ("nsd-checkzone", vec![&zone, file]),
            ];
            for (program, arguments) in checkers {
                if let Some(output) = run(program, &arguments) {
                    assert_accepted(&format!("{site}, {zone}, {program}"), &output);
                }
            }
        }
    }
}

/// What octoDNS would have otherwise and is no mistake: a second mail host, and in the same file whatever else stands in the zone,
/// such as the web server that a site leads to. Where an SPF record would have to guess, there is none, and a note says so.
fn is_advice(complaint: &str, set: &RecordSet) -> bool {
    let target = complaint.split("in-zone target \"").nth(1).and_then(|rest| rest.split('"').next());
    let is_of_others = |name: &str| set.records.iter().all(|planned| planned.record.owner.to_string() != *name);
    let is_said = |missing: &str| set.notes.iter().any(|note| note.text.contains(missing));
    // Who only forwards mail of a domain does not speak for it.
    let zone = complaint.split("zone \"").nth(1).and_then(|rest| rest.split(".\"").next()).unwrap_or_default();
    let speaks = set.records.iter().any(|planned| planned.record.owner.as_str() == format!("_dmarc.{zone}"));
    // Where nothing listens to the outside, nothing leads there.
    let takes_mail = set.records.iter().any(|planned| planned.record.data.kind().as_str() == "MX");
    complaint.contains("is missing MX records") && !takes_mail
        || complaint.contains("handles mail but is missing") && (!speaks || is_said("no SPF record is given"))
        || complaint.contains("MX record") && complaint.contains("should have at least 2 values")
        || target.is_some_and(|target| complaint.contains("does not exist") && is_of_others(target))
}

#[test]
fn octodns_accepts_its_yaml_and_finds_the_zones_in_it() {
    let folder = tempfile::tempdir().unwrap();
    for (site, set) in sets() {
        let site = folder.path().join(site);
        let yaml = site.join("octodns");
        fs::create_dir_all(&yaml).unwrap();
        for (path, text) in every_format(&set).iter().filter(|(path, _)| path.starts_with("octodns")) {
            fs::write(site.join(path), text).unwrap();
        }
        let zones = whole_zones(&set, &site);
        let config = site.join("config.yaml");
        let mut text = format!(
            "manager:\n  validators:\n    enabled: [strict, best-practice]\nproviders:\n  yaml:\n    class: octodns.provider.yaml.YamlProvider\n    \
             directory: {}\n  zones:\n    class: octodns_bind.ZoneFileProvider\n    directory: {}\n    file_extension: .zone\nzones:\n",
            yaml.display(),
            site.display()
        );
        zones.iter().for_each(|(zone, _)| text += &format!("  {zone}.:\n    sources: [yaml]\n    targets: [yaml]\n"));
        fs::write(&config, &text).unwrap();
        let config = config.to_str().unwrap();
        let Some(output) = run("octodns-validate", &["--config-file", config, "--all"]) else { return };
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let complaints: Vec<&str> = said.lines().filter(|line| line.starts_with("  - ") && !is_advice(line, &set)).collect();
        assert!(complaints.is_empty(), "{}: {complaints:#?}", site.display());
        assert!(output.status.success() || said.contains("  - "), "{}: {said}", site.display());
        // To compare is not to judge once more.
        fs::write(config, text.replace(", best-practice", "")).unwrap();
        for (zone, _) in &zones {
            let zone = format!("{zone}.");
            let arguments = ["--config-file", config, "--a", "yaml", "--b", "zones", "--zone", &zone];
            let Some(output) = run("octodns-compare", &arguments) else { return };
            // Its status says nothing across versions. The zones have name servers of their own.
            let found = String::from_utf8(output.stdout).unwrap();
            assert!(found.starts_with('['), "{zone}: {}", String::from_utf8_lossy(&output.stderr));
            let changes: Vec<&str> =
                found.trim().trim_matches(['[', ']']).split(", <").filter(|change| !change.is_empty()).collect();
            let others: Vec<&&str> =
                changes.iter().filter(|change| !change.contains("NsRecord") && !change.contains("192.0.2.1'")).collect();
            assert!(others.is_empty(), "{zone}: {found}");
        }
    }
}

/// `check-jsonschema` with a schema and documents.
fn validate(schema: &Path, documents: &[PathBuf]) -> Option<Output> {
    // The schema of SARIF has patterns that only the older kind of regular expressions allows.
    let options = ["--regex-variant", "nonunicode", "--schemafile"].map(String::from);
    let paths = std::iter::once(schema).chain(documents.iter().map(PathBuf::as_path)).map(|path| path.display().to_string());
    let arguments: Vec<String> = options.into_iter().chain(paths).collect();
    run("check-jsonschema", &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn findings_in_sarif_are_sarif() {
    let folder = tempfile::tempdir().unwrap();
    let schema = workspace().join("tests/cases/sarif/sarif-schema-2.1.0.json");
    let mut documents = Vec::new();
    // Cases with findings of every kind, an included file, and none.
    let cases = workspace().join("compiler/tests/cases/syntax");
    let sites = ["structure.kdl", "shape.kdl", "strings.kdl", "includes/site.kdl", "twin.json"].map(|name| cases.join(name));
    for (index, site) in sites.into_iter().chain([workspace().join("examples/quickstart/site.kdl")]).enumerate() {
        let compiled = compile(&site, &CompileOptions::default()).unwrap();
        let view = View::new(&compiled.sources, &site, workspace());
        let path = folder.path().join(format!("{index}.sarif"));
        fs::write(&path, render(Format::Sarif, &compiled.diagnostics, &view, &Style::of_stderr())).unwrap();
        documents.push(path);
    }
    let Some(output) = validate(&schema, &documents) else { return };
    assert_accepted("check-jsonschema, SARIF", &output);
    let broken = folder.path().join("broken.sarif");
    fs::write(&broken, fs::read_to_string(&documents[0]).unwrap().replace("\"error\"", "\"wrong\"")).unwrap();
    assert!(!validate(&schema, &[broken]).unwrap().status.success(), "the schema takes a level that there is not");
}

#[test]
fn our_schemas_are_schemas_and_twins_are_sites() {
    let folder = tempfile::tempdir().unwrap();
    let schemas: Vec<String> = fs::read_dir(workspace().join("compiler/schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let arguments: Vec<&str> = std::iter::once("--check-metaschema").chain(schemas.iter().map(String::as_str)).collect();
    let Some(output) = run("check-jsonschema", &arguments) else { return };
    assert_accepted("check-jsonschema, our schemas", &output);

    let mut documents = vec![workspace().join("examples/nixos-appliance/site.json")];
    for entry in fs::read_dir(workspace().join("examples")).unwrap().flatten() {
        let Ok(compiled) = compile(&entry.path().join("site.kdl"), &CompileOptions::default()) else { continue };
        let path = folder.path().join(entry.file_name()).with_extension("json");
        fs::write(&path, compiled.twin(serde_json::Value::Array(Vec::new()))).unwrap();
        documents.push(path);
    }
    assert!(documents.len() > 8);
    let schema = workspace().join("compiler/schemas/site.schema.json");
    assert_accepted("check-jsonschema, twins", &validate(&schema, &documents).unwrap());
}

/// What Nix makes of the site in its language is the JSON beside it. Nix is in no way needed to build or test this, so that a
/// machine without it is nothing to speak of.
#[test]
fn nix_writes_the_site_of_the_appliance() {
    let folder = workspace().join("examples/nixos-appliance");
    let site = folder.join("site.nix");
    let arguments = ["--eval", "--strict", "--json", site.to_str().unwrap()];
    let Ok(output) = Command::new("nix-instantiate").args(arguments).output() else { return };
    assert_accepted("nix-instantiate", &output);
    let written: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.join("site.json")).unwrap()).unwrap();
    assert_eq!(written, kept);
}
