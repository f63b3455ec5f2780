//! More of other people's tools over what we write: an authoritative server with checkdmarc in front of it, a server that takes
//! our updates and gives the zone back, and the client library of Route 53.
//!
//! A tool that is not installed is skipped, and it is said so. Under `POSTERN_ORACLES=required`, as CI has it, that is a failure.
#![allow(clippy::unwrap_used)]

use postern::compile::{CompileOptions, compile};
use postern::emit::dns::{DnsFormat, RecordSet, derive};
use postern_tests::daemon::binaries::workspace;
use postern_tests::oracle::{free_port, is_there, nsd, start};
use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

fn everything() -> RecordSet {
    let path = workspace().join("examples/dns-records/site.kdl");
    derive(&compile(&path, &CompileOptions::default()).unwrap().model.unwrap())
}

/// The whole zone of a domain: what `--name-server` makes.
fn whole_zone(set: &RecordSet, zone: &str) -> String {
    let authority = postern::emit::dns::Authority {
        name_servers: vec![postern_schema::name::Domain::parse("ns1.provider.example").unwrap()],
        hostmaster: postern_schema::name::Mailbox::parse("first.last@example.com").unwrap(),
        serial: 7,
    };
    let files = postern::emit::dns::whole(set, &authority);
    files.into_iter().find(|(path, _)| path.to_str() == Some(&format!("{zone}.zone"))).unwrap().1
}

fn succeeded(what: &str, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{what}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// checkdmarc asks an nsd that serves our zones, whole and as they are.
#[test]
fn checkdmarc_finds_nothing_wrong_with_what_nsd_serves() {
    if !is_there("nsd", &["-v"]) || !is_there("python3", &["-c", "import checkdmarc"]) {
        return;
    }
    let set = everything();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let zones = ["example.com", "example.org", "example.net"].map(|zone| (zone, whole_zone(&set, zone)));
    let server = nsd(&zones);
    let port = server.port();
    let script = r#"
import sys, json, dns.resolver
from checkdmarc import dmarc, spf, smtp_tls_reporting, mta_sts
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.port, resolver.timeout = ["127.0.0.1"], int(sys.argv[1]), 5
for domain in ["example.com", "news.example.com"]:
    record = dmarc.query_dmarc_record(domain, resolver=resolver)
    dmarc.parse_dmarc_record(record["record"], domain, resolver=resolver)
    text = spf.query_spf_record(domain, resolver=resolver)["record"]
    assert text.startswith("v=spf1 "), text
found = dmarc.query_dmarc_record("example.net", resolver=resolver)["record"]
parsed = dmarc.parse_dmarc_record(found, "example.net", resolver=resolver)
assert parsed["tags"]["p"]["value"] == "reject" and parsed["tags"]["np"]["value"] == "reject", parsed
parked = spf.query_spf_record("example.net", resolver=resolver)["record"]
assert spf.parse_spf_record(parked, "example.net", resolver=resolver)["parsed"]["all"] == "fail"
report = smtp_tls_reporting.query_smtp_tls_reporting_record("example.com", resolver=resolver)["record"]
assert len(smtp_tls_reporting.parse_smtp_tls_reporting_record(report)["tags"]["rua"]["value"]) == 2
sts = mta_sts.query_mta_sts_record("example.com", resolver=resolver)["record"]
assert mta_sts.parse_mta_sts_record(sts)["tags"]["id"]
policy = mta_sts.parse_mta_sts_policy(open(sys.argv[2], newline="").read())
assert policy["policy"]["mode"] == "testing" and policy["policy"]["mx"] == ["mail.example.com"], policy
print("checked")
"#;
    fs::write(folder.path().join("policy"), &set.policies[0].text).unwrap();
    let output = Command::new("python3").args(["-c", script, &port.to_string(), &format!("{path}/policy")]).output().unwrap();
    assert_eq!(succeeded("checkdmarc", &output).lines().last(), Some("checked"));
}

/// Our script brings a zone of knotd to the state that our zone file describes, whatever stood there, and once more changes nothing.
#[test]
fn nsupdate_brings_a_zone_to_what_the_zone_file_says() {
    if !is_there("knotd", &["-V"]) || !is_there("nsupdate", &["-V"]) || !is_there("kdig", &["-V"]) {
        return;
    }
    let set = everything();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let port = free_port();
    let head = "@ 3600 SOA ns1.provider.example. h.example.com. 1 7200 3600 1209600 3600\n@ 3600 NS ns1.provider.example.\n";
    let mut config = format!(
        "server:\n  listen: 127.0.0.1@{port}\n  rundir: \"{path}\"\n  user: root\ndatabase:\n  storage: \"{path}/db\"\nacl:\n  - id: local\n    \
         address: 127.0.0.1\n    action: [update, transfer]\ntemplate:\n  - id: default\n    storage: \"{path}\"\n    acl: local\nzone:\n"
    );
    let zones: Vec<String> = ["example.com", "example.org", "example.net"].map(str::to_owned).into();
    for zone in &zones {
        // What stood there before: an older MX and a text of somebody else's.
        fs::write(
            folder.path().join(format!("{zone}.zone")),
            format!("{head}@ 60 MX 5 old.example.\n@ 3600 TXT \"of others\"\n"),
        )
        .unwrap();
        config += &format!("  - domain: {zone}\n    file: \"{zone}.zone\"\n");
    }
    fs::create_dir(folder.path().join("db")).unwrap();
    fs::write(folder.path().join("knot.conf"), config).unwrap();
    let _server = start("knotd", &["-c", &format!("{path}/knot.conf")], port, &folder.path().join("log"));
    let (_, script) = DnsFormat::Nsupdate.files(&set).remove(0);
    fs::write(folder.path().join("script"), format!("server 127.0.0.1 {port}\n{script}")).unwrap();
    for _ in 0..2 {
        succeeded("nsupdate", &Command::new("nsupdate").arg(format!("{path}/script")).output().unwrap());
        for zone in &zones {
            let arguments = ["@127.0.0.1", "-p", &port.to_string(), zone, "AXFR", "+noall", "+answer"];
            let transferred = succeeded("kdig", &Command::new("kdig").args(arguments).output().unwrap());
            let ours = set.records.iter().filter(|planned| planned.zone.as_str() == zone).map(|planned| &planned.record);
            let mut wanted: BTreeSet<String> = ours
                .map(|record| format!("{} {} {}", record.owner, record.data.kind(), record.data.to_string().to_lowercase()))
                .collect();
            wanted.insert(format!("{zone}. TXT \"of others\""));
            let found: BTreeSet<String> = transferred
                .lines()
                .filter(|line| !line.starts_with(';') && !line.is_empty())
                .map(|line| {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    (words[0].to_owned(), words[3].to_owned(), words[4..].join(" ").to_lowercase())
                })
                .filter(|(_, kind, _)| kind != "SOA" && kind != "NS")
                .map(|(owner, kind, value)| format!("{owner} {kind} {value}"))
                .collect();
            assert_eq!(found, wanted, "{zone}");
        }
    }
}

/// The parameters of a Route 53 call, as Amazon's own library checks them before it sends any.
#[test]
fn botocore_takes_the_change_batches() {
    if !is_there("python3", &["-c", "import botocore"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = DnsFormat::Route53.files(&everything());
    assert!(files.len() >= 3);
    let script = r#"
import sys, json, botocore.session, botocore.validate
model = botocore.session.get_session().get_service_model("route53").operation_model("ChangeResourceRecordSets")
for path in sys.argv[1:]:
    batch = json.load(open(path))
    report = botocore.validate.ParamValidator().validate({"HostedZoneId": "Z1", "ChangeBatch": batch}, model.input_shape)
    assert not report.has_errors(), report.generate_report()
    kinds = model.input_shape.members["ChangeBatch"].members["Changes"].member.members["ResourceRecordSet"].members["Type"].enum
    for change in batch["Changes"]:
        found = change["ResourceRecordSet"]
        assert found["Type"] in kinds, found
        if found["Type"] == "TXT":
            assert all(value["Value"].startswith('"') for value in found["ResourceRecords"]), found
print("checked")
"#;
    let mut command = Command::new("python3");
    command.args(["-c", script]);
    for (path, text) in files {
        fs::write(folder.path().join(&path), text).unwrap();
        command.arg(folder.path().join(&path));
    }
    assert_eq!(succeeded("botocore", &command.output().unwrap()).trim(), "checked");
}
