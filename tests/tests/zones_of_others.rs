//! Thirteen zones, one as it should be and twelve with a mistake each, before everybody who looks at ours: what each tool catches,
//! what none of the zone checkers does, and that `dns verify` sees every mistake that a server serves.
#![allow(clippy::unwrap_used)]

use postern::compile::{CompileOptions, compile_text};
use postern::emit::dns::derive;
use postern::live::client::Client;
use postern::live::web::Web;
use postern::live::{Outcome, verify};
use postern_tests::oracle::{is_there, nsd};
use postern_tests::suite;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What is found of a zone.
struct Row {
    name: &'static str,
    /// Whether named-checkzone, kzonecheck and nsd-checkzone refuse it.
    refused: [bool; 3],
    /// What octoDNS says, beyond that there should be more servers.
    octodns: &'static str,
    /// What `dns verify` says that it does not say of the good one; empty where no server serves the zone.
    verify: &'static str,
}

const fn row(name: &'static str, refused: [u8; 3], octodns: &'static str, verify: &'static str) -> Row {
    Row { name, refused: [refused[0] == 1, refused[1] == 1, refused[2] == 1], octodns, verify }
}

const ROWS: [Row; 13] = [
    row("good", [0, 0, 0], "", ""),
    row("cnameother", [1, 1, 1], "", ""),
    row("dmarctypo", [0, 0, 0], "", "Different _dmarc.example.test TXT v=DMARC1; p=none | v=DMARC1; p=rejct"),
    row("dupsoa", [1, 0, 1], "", ""),
    row("mxcname", [1, 0, 0], "which is a CNAME", "can be found: it is an alias"),
    row(
        "mxip",
        [1, 0, 0],
        "that does not exist",
        "Different example.test MX 10 mail.example.test. | 10 192.0.2.25.example.test.",
    ),
    row("nonglue", [1, 0, 0], "that does not exist", "Different example.test MX 10 mail.example.test. | 10 nomail.example.test."),
    row("spf2", [0, 0, 0], "has multiple SPF values", "two SPF records"),
    row("spftypo", [0, 0, 0], "", "permerror"),
    row("tlsabad", [0, 0, 0], "length inconsistent", "Different _25._tcp.mail.example.test TLSA 3 1 1 0123456789abcdef"),
    row("txt256", [1, 0, 1], "string too long", ""),
    row("unbalanced-parens", [1, 1, 0], "unbalanced parentheses", ""),
    row("underscorehost", [1, 0, 0], "", "Different example.test MX 10 mail.example.test. | 10 _mail.example.test."),
];

/// A site with much of what the good zone has.
const SITE: &str = r#"site "mail.example.test" {
    postmaster "alice@example.test"
    address "192.0.2.25" "2001:db8::25"
}
tls { self-signed; }
listen "mx"; listen "submissions"
users "staff" { passwd secret="users"; }
domain "example.test" {
    mailbox "alice"; alias "abuse" "alice"; alias "tls" "alice"
    tls-report "mailto:tls@example.test"
    dane { key sha256="0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"; }
}
route to="*" via="direct"
"#;

#[test]
fn zone_checkers_refuse_what_breaks_a_zone_and_no_more() {
    const STRICT: [&str; 12] = ["-i", "local", "-k", "fail", "-m", "fail", "-M", "fail", "-S", "fail", "-r", "fail"];
    let is_refused =
        |program: &str, arguments: &[&str]| !Command::new(program).args(arguments).output().unwrap().status.success();
    let tools = ["named-checkzone", "kzonecheck", "nsd-checkzone"];
    if !tools.iter().all(|tool| is_there(tool, &["-h"])) {
        return;
    }
    for row in &ROWS {
        let Some(file) = suite::file(&format!("zones/{}.zone", row.name)) else { return };
        let file = file.to_str().unwrap();
        let found = [
            is_refused(tools[0], &[&STRICT[..], &["-n", "fail", "example.test", file]].concat()),
            is_refused(tools[1], &["-o", "example.test", file]),
            is_refused(tools[2], &["example.test", file]),
        ];
        assert_eq!(found, row.refused, "{}: {tools:?}", row.name);
    }
}

#[test]
fn octodns_finds_mistakes_of_mail_among_them() {
    if !is_there("octodns-sync", &["--help"]) {
        return;
    }
    for row in &ROWS {
        let Some(file) = suite::file(&format!("zones/{}.zone", row.name)) else { return };
        let said = octodns(&file);
        let is_of_interest = |line: &&str| {
            line.starts_with("  - ") && !line.contains("least 2 ")
                || line.contains("SyntaxError: ")
                || line.contains("CNAME and other")
        };
        let found: Vec<&str> = said.lines().filter(is_of_interest).collect();
        assert_eq!(found.is_empty(), row.octodns.is_empty(), "{}: {found:#?}", row.name);
        assert!(found.iter().any(|line| line.contains(row.octodns)) || row.octodns.is_empty(), "{}: {found:#?}", row.name);
    }
}

/// What octoDNS says of a zone file under all of its rules.
fn octodns(file: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(file, folder.path().join("example.test.zone")).unwrap();
    let path = folder.path().display();
    let config = format!(
        "manager:\n  validators:\n    enabled: [strict, best-practice]\nproviders:\n  zones:\n    class: octodns_bind.ZoneFileProvider\n    \
         directory: {path}\n    file_extension: .zone\n  yaml:\n    class: octodns.provider.yaml.YamlProvider\n    directory: {path}\n\
         zones:\n  example.test.:\n    sources: [zones]\n    targets: [yaml]\n"
    );
    let config_path = folder.path().join("config.yaml");
    fs::write(&config_path, config).unwrap();
    let output = Command::new("octodns-sync").arg("--config-file").arg(&config_path).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn dns_verify_sees_every_mistake_that_is_served() {
    if !is_there("nsd", &["-v"]) {
        return;
    }
    let mut good = BTreeSet::new();
    for row in ROWS.iter().filter(|row| row.name == "good" || !row.verify.is_empty()) {
        let Some(file) = suite::file(&format!("zones/{}.zone", row.name)) else { return };
        let found = complaints(&fs::read_to_string(file).unwrap());
        if row.name == "good" {
            assert!(!found.is_empty(), "the site is another one than the zone was made for");
            good = found;
        } else {
            assert!(found.difference(&good).any(|line| line.contains(row.verify)), "{}: {found:#?}", row.name);
        }
    }
}

/// What `dns verify` has to say of a zone, served as it is.
fn complaints(zone: &str) -> BTreeSet<String> {
    let model = compile_text("site.kdl", SITE, &CompileOptions::default()).model.unwrap();
    let server = nsd(&[("example.test", zone.to_owned())]);
    let client = Client::new(([127, 0, 0, 1], server.port()).into());
    let found = verify(&client, &Web::of_system(), &model, &derive(&model), &mut |_, _| {});
    let records = found.records.iter().filter(|record| record.outcome != Outcome::Same).map(|record| {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        format!("{:?} {} {} {} | {}", record.outcome, record.name, record.kind, part(&record.wanted), part(&record.found))
    });
    let proofs = found.proofs.iter().filter(|proof| proof.holds != Some(true));
    records.chain(proofs.map(|proof| format!("{}: {}", proof.claim, proof.detail))).collect()
}
