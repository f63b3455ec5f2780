//! Whole sites through [`compile`]: the examples, several mistakes in one run, and one finding for each.

use super::{CompileOptions, Compiled, compile, compile_loaded, compile_text};
use crate::emit::publish::digest;
use crate::lower::LoopbackPorts;
use crate::report::Severity;
use crate::source::SourceId;
use crate::syntax::{LoadOptions, load, parse};
use postern_schema::decide::Lookup;
use postern_schema::name::Domain;
use postern_schema::site::{DomainClass, TlsLevel, TransportKind};
use std::path::{Path, PathBuf};

fn compiled(text: &str) -> Compiled {
    compile_text("site.kdl", text, &CompileOptions::default())
}

/// Code and line of every error and warning.
fn findings(text: &str) -> Vec<(&'static str, u32)> {
    let compiled = compiled(text);
    let serious = compiled.diagnostics.iter().filter(|finding| finding.severity > Severity::Note);
    serious.map(|finding| (finding.code, compiled.sources.source(finding.primary.source).line(finding.primary.start))).collect()
}

/// The site file of every example, in KDL or JSON.
pub(super) fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = folders
        .flat_map(|folder| ["site.kdl", "site.json"].map(|name| folder.join(name)))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

/// The profiles that a site declares, and none.
pub(super) fn profiles(text: &str) -> Vec<Option<String>> {
    let nodes = parse(SourceId(0), text).nodes.into_iter().filter(|node| node.name.value == "profile");
    let names = nodes.filter_map(|node| node.arguments.first().and_then(|name| name.value.as_str().map(str::to_owned)));
    std::iter::once(None).chain(names.map(Some)).collect()
}

#[test]
fn examples_compile_without_a_note_and_pass_their_tests() {
    let examples = examples();
    assert!(examples.len() >= 9);
    for path in examples {
        for profile in profiles(&std::fs::read_to_string(&path).unwrap()) {
            let options = CompileOptions { profile, ..CompileOptions::default() };
            let compiled = compile(&path, &options).unwrap();
            let what = format!("{} {:?}: {:#?}", path.display(), options.profile, compiled.diagnostics);
            assert!(compiled.diagnostics.is_empty() && compiled.model.is_some(), "{what}");
            assert!(compiled.tests.len() >= 2 && !compiled.has_failed_tests(), "{what}");
        }
    }
}

#[test]
fn the_quickstart_is_small() {
    let text =
        std::fs::read_to_string(examples().into_iter().find(|path| path.ends_with("quickstart/site.kdl")).unwrap()).unwrap();
    assert!(text.lines().count() < 25);
}

const SMALL: &str = r#"
site "mail.example.com" {
    postmaster "alice@example.com"
}
tls { self-signed; }
listen "mx"
domain "example.com" {
    mailbox "alice"
}
"#;

/// The twin of a site that compiles, compiled.
pub(super) fn of_twin(compiled: &Compiled, folder: &Path) -> Compiled {
    let json = compiled.twin(serde_json::Value::Array(Vec::new()));
    let path = folder.join("twin.json");
    let options = LoadOptions { overlays: [(path.clone(), json)].into(), ..LoadOptions::default() };
    compile_loaded(load(&path, &options).unwrap(), &CompileOptions::default())
}

#[test]
fn the_twin_of_an_example_is_the_same_snapshot() {
    for path in examples() {
        let text = std::fs::read_to_string(&path).unwrap();
        let profile = profiles(&text).pop().flatten();
        let compiled = compile(&path, &CompileOptions { profile, ..CompileOptions::default() }).unwrap();
        let twin = of_twin(&compiled, path.parent().unwrap());
        assert!(twin.diagnostics.is_empty() && !twin.has_failed_tests(), "{}: {:#?}", path.display(), twin.diagnostics);
        let digest = |compiled: &Compiled| digest(compiled.model.as_ref().unwrap(), &compiled.sources.digests()).unwrap();
        assert_eq!(digest(&twin), digest(&compiled), "{}", path.display());
        assert_eq!(twin.tests.len(), compiled.tests.len());
    }
}

#[test]
fn a_small_site_has_every_default() {
    let compiled = compiled(SMALL);
    let model = compiled.model.unwrap();
    assert_eq!(model.site.origin_domain.as_str(), "example.com");
    assert_eq!(model.site.listeners[0].port, 25);
    assert_eq!(model.site.transports[0].kind, TransportKind::Maildir { path: "mail/{domain}/{user}".into() });
    assert!(model.site.transports[0].origin.is_default() && model.site.queue.origin.is_default());
    let domain = model.domain(&Domain::parse("example.com").unwrap()).unwrap().unwrap();
    assert_eq!((domain.delimiter, &domain.class, &*domain.transport), (Some('+'), &DomainClass::Local, "store"));
    assert_eq!(model.site.sources.describe(domain.origin), "site.kdl:7");
}

#[test]
fn a_login_is_verified_by_default() {
    let relay = r#"relay "isp" host="smtp.isp.example" port=587 { login "x" secret="isp"; }
relay "plain" host="smtp.plain.example"
route to="a.example" via="isp"
route to="*" via="plain""#;
    let model = compiled(&format!("{SMALL}{relay}")).model.unwrap();
    assert_eq!(model.site.relays.iter().map(|relay| relay.tls).collect::<Vec<_>>(), [TlsLevel::Verify, TlsLevel::May]);
}

#[test]
fn several_names_share_their_addresses_but_not_their_bare_targets() {
    let text =
        SMALL.replace("domain \"example.com\" {", "domain \"example.com\" \"example.org\" {\n    alias \"info\" \"alice\"");
    let model = compiled(&text).model.unwrap();
    let targets = |name: &str| format!("{:?}", model.address(&Domain::parse(name).unwrap(), "info").unwrap().unwrap().kind);
    assert!(targets("example.org").contains("alice@example.org"), "{}", targets("example.org"));
    assert!(targets("example.com").contains("alice@example.com"));
}

#[test]
fn every_mistake_is_found_in_one_run_and_once() {
    let text = r#"site "mail.example.com" {
    postmaster "nobody@example.com"
}
tls { self-signed; }
listen "mx"
listen "other" kind="mx" port=25
domain "example.com" "example.com" {
    mailbox "alice"
    alias "a" "b"
    alias "b" "a"
}
network "all" "::/0" relay=#true
relay "isp" host="smtp.isp.example" port=587 {
    tls "encrypt"
    login "x" secret="isp"
}
route to="*" via="ips"
limits recipients=10
"#;
    assert_eq!(
        findings(text),
        [
            ("DOM003", 2),
            ("LST001", 6),
            ("DOM001", 7),
            ("DOM002", 9),
            ("RLY001", 12),
            ("RTE004", 14),
            ("NAM001", 17),
            ("LIM001", 18)
        ]
    );
}

#[test]
fn an_error_is_not_followed_by_others_that_it_causes() {
    // Without the error each of these sites is clean.
    let unknown_relay_host = format!("{SMALL}relay \"isp\" hots=\"smtp.isp.example\"\nroute to=\"*\" via=\"isp\"\n");
    assert_eq!(findings(&unknown_relay_host), [("LNG002", 10)]);
    let unknown_block = format!("{SMALL}rout to=\"*\" via=\"isp\"\nrelay \"isp\" host=\"smtp.isp.example\"\n");
    assert_eq!(findings(&unknown_block), [("LNG001", 10)]);
    let wrong_certificate = SMALL.replace("self-signed;", "certificate \"mail.example.com\" chain=\"no.pem\" key-secret=\"k\";");
    assert_eq!(findings(&wrong_certificate), [("FIL001", 5)]);
    let wrong_mailbox = SMALL.replace("mailbox \"alice\"", "mailbox \"alice@\"");
    assert_eq!(findings(&wrong_mailbox), [("LNG007", 8)]);
    let no_site = SMALL.replace("site \"mail.example.com\"", "stie \"mail.example.com\"");
    assert_eq!(findings(&no_site), [("LNG001", 2)]);
    let wrong_users = format!("{SMALL}listen \"submission\"\nusers \"staff\" {{ passwd; }}\nroute to=\"*\" via=\"direct\"\n");
    assert_eq!(findings(&wrong_users), [("LNG011", 11)]);
}

#[test]
fn an_error_does_not_hide_others_that_it_has_nothing_to_do_with() {
    let relay = format!("{SMALL}relay \"isp\" host=\"smtp.isp.example\" prot=587\nroute to=\"*\" via=\"ips\"\n");
    assert_eq!(findings(&relay), [("LNG002", 10), ("NAM001", 11)]);
    let domains = format!(
        "{}domain \"example.org\" {{\n    mailbox \"bob@\"\n}}\n",
        SMALL.replace("mailbox \"alice\"", "mailbox \"alice\"\n    alias \"info\" \"alcie\" \"bob@example.org\"")
    );
    assert_eq!(findings(&domains), [("DOM003", 9), ("LNG007", 12)]);
    let unreadable_name = format!("{SMALL}relay host=\"smtp.isp.example\"\nroute to=\"*\" via=\"isp\"\n");
    assert_eq!(findings(&unreadable_name), [("LNG004", 10)], "the nameless relay may be the one");
}

#[test]
fn loopback_moves_ports_and_maildirs_but_not_what_is_checked() {
    let text = format!(
        "{SMALL}listen \"submission\"\nlisten \"second\" kind=\"submission\" port=588\nusers \"u\" {{ passwd secret=\"u\"; }}\n\
         route to=\"*\" via=\"direct\"\ntransport \"store\" maildir=\"/var/mail/{{domain}}/{{user}}\"\n"
    )
    .replace("mailbox \"alice\"", "mailbox \"alice\"\n    deliver \"store\"");
    let options = CompileOptions { loopback: Some(LoopbackPorts::default()), ..CompileOptions::default() };
    let compiled = compile_text("site.kdl", &text, &options);
    let site = compiled.model.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics)).site;
    assert_eq!(site.listeners.iter().map(|listener| listener.port).collect::<Vec<_>>(), [2525, 2587, 2588]);
    assert!(site.listeners.iter().all(|listener| listener.addresses.iter().all(|address| address.is_loopback())));
    assert_eq!(site.transports[0].kind, TransportKind::Maildir { path: "var/mail/{domain}/{user}".into() });
}
