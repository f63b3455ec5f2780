//! Includes, constants and profiles, on files in a folder of their own.

use super::{LoadError, LoadOptions, Loaded, glob, load, load_text};
use crate::syntax::{Document, Value};
use postern_schema::name::Domain;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn loaded(folder: &TempDir) -> Loaded {
    load(&folder.path().join("site.kdl"), &LoadOptions::default()).expect("a site")
}

/// File, line and code of each finding.
fn said(loaded: &Loaded) -> Vec<String> {
    let each = loaded.diagnostics.iter().map(|finding| {
        let source = loaded.sources.source(finding.primary.source);
        format!("{}:{} {}", source.path, source.line(finding.primary.start), finding.code)
    });
    each.collect()
}

fn names(loaded: &Loaded) -> Vec<String> {
    Document::new(&loaded.nodes)
        .children("domain")
        .filter_map(|domain| domain.argument::<Domain>("names"))
        .map(|name| name.value.to_string())
        .collect()
}

const SITE: &str = "site \"mail.example.com\"\n";

#[test]
fn includes_are_put_in_place_in_order_of_their_names() {
    let folder = folder(&[
        ("site.kdl", &format!("{SITE}domain \"a.example\"\ninclude \"domains/*.kdl\"\ndomain \"z.example\"\n")),
        ("domains/b.kdl", "domain \"b.example\"\ninclude \"more/d.json\"\n"),
        ("domains/c.kdl", "domain \"c.example\"\n"),
        ("domains/.hidden.kdl", "domain \"hidden.example\"\n"),
        ("domains/readme.txt", "not a site\n"),
        ("domains/more/d.json", "{\"domain\": {\"names\": [\"d.example\"]}}"),
    ]);
    let loaded = loaded(&folder);
    assert_eq!(said(&loaded), Vec::<String>::new());
    assert_eq!(names(&loaded), ["a.example", "b.example", "d.example", "c.example", "z.example"]);
    let paths: Vec<&str> = loaded.sources.iter().map(|(_, source)| &*source.path).collect();
    assert_eq!(paths, ["site.kdl", "domains/b.kdl", "domains/more/d.json", "domains/c.kdl"]);
}

#[test]
fn mistakes_in_an_included_file_are_told_there() {
    let folder = folder(&[("site.kdl", &format!("{SITE}include \"x.kdl\"\n")), ("x.kdl", "\nlisten \"mx\" prot=25\n")]);
    assert_eq!(said(&loaded(&folder)), ["x.kdl:2 LNG002"]);
}

#[test]
fn a_missing_file_is_a_finding_unless_it_is_optional() {
    let folder = folder(&[(
        "site.kdl",
        &format!("{SITE}include \"no.kdl\"\ninclude \"no/*.kdl\"\ninclude \"no.kdl\" \"no/*.kdl\" optional=#true\ninclude 5\n"),
    )]);
    let loaded = loaded(&folder);
    assert_eq!(said(&loaded), ["site.kdl:2 INC001", "site.kdl:3 INC001", "site.kdl:5 LNG006"]);
    assert!(!loaded.complete);
}

#[test]
fn a_circle_is_refused_with_its_chain() {
    let folder = folder(&[
        ("site.kdl", &format!("{SITE}include \"a.kdl\"\n")),
        ("a.kdl", "include \"b.kdl\"\n"),
        ("b.kdl", "include \"a.kdl\"\ninclude \"*.kdl\"\n"),
    ]);
    let loaded = loaded(&folder);
    assert_eq!(said(&loaded), ["b.kdl:1 INC002", "b.kdl:2 INC002"]);
    let chain: Vec<&str> = loaded.diagnostics[0].secondary.iter().map(|label| label.text.as_str()).collect();
    assert_eq!(chain, ["included from here", "included from here"]);
}

#[test]
fn a_file_is_read_once() {
    let folder = folder(&[
        ("site.kdl", &format!("{SITE}include \"a.kdl\"\ninclude \"./x/../a.kdl\"\n")),
        ("a.kdl", "parked \"a.example\"\n"),
    ]);
    let loaded = loaded(&folder);
    assert_eq!(said(&loaded), ["site.kdl:3 INC005"]);
    assert_eq!(loaded.nodes.len(), 2);
}

#[test]
fn a_chain_has_an_end() {
    let files: Vec<(String, String)> = (0..20).map(|n| (format!("{n}.kdl"), format!("include \"{}.kdl\"\n", n + 1))).collect();
    let mut files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let site = format!("{SITE}include \"0.kdl\"\n");
    files.push(("site.kdl", &site));
    assert_eq!(said(&loaded(&folder(&files))), ["7.kdl:1 INC006"]);
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let outside = folder(&[("secret.kdl", "parked \"a.example\"\n")]);
    let secret = outside.path().join("secret.kdl");
    let site = format!(
        "{SITE}include \"../secret.kdl\"\ninclude \"{}\"\ninclude \"link.kdl\"\ninclude \"linked/*.kdl\"\n",
        secret.display()
    );
    let folder = folder(&[("site.kdl", &site)]);
    std::os::unix::fs::symlink(&secret, folder.path().join("link.kdl")).expect("a link");
    std::os::unix::fs::symlink(outside.path(), folder.path().join("linked")).expect("a link");
    let loaded = loaded(&folder);
    assert_eq!(said(&loaded), ["site.kdl:2 INC003", "site.kdl:3 INC003", "site.kdl:4 INC003", "site.kdl:5 INC003"]);
    assert_eq!(loaded.nodes.len(), 1);
    let options = LoadOptions { allow_outside: true, ..LoadOptions::default() };
    let loaded = load(&folder.path().join("site.kdl"), &options).expect("a site");
    assert_eq!(said(&loaded), ["site.kdl:2 INC003", "site.kdl:4 INC005", "site.kdl:5 INC005"]);
}

#[test]
fn files_that_cannot_be_read() {
    let folder = folder(&[("site.kdl", &format!("{SITE}include \"folder\"\ninclude \"latin.kdl\"\n")), ("folder/x", "")]);
    fs::write(folder.path().join("latin.kdl"), b"parked \"a\xe9\"").expect("a file");
    assert_eq!(said(&loaded(&folder)), ["site.kdl:2 INC004", "site.kdl:3 INC004"]);
    let load = |path: &Path| load(path, &LoadOptions::default()).expect_err("an error");
    assert!(matches!(load(folder.path()), LoadError::IsFolder { .. }));
    assert!(matches!(load(&folder.path().join("none.kdl")), LoadError::Unreadable { .. }));
    assert!(matches!(load(&folder.path().join("latin.kdl")), LoadError::NotUtf8 { offset: 9, .. }));
    assert!(matches!(load(Path::new("/dev/zero")), LoadError::NotAFile { .. }));
    let large = fs::File::create(folder.path().join("large.kdl")).expect("a file");
    large.set_len(super::SOURCE_MAX_OCTETS + 1).expect("a length");
    assert!(matches!(load(&folder.path().join("large.kdl")), LoadError::TooLarge { .. }));
}

#[test]
fn an_overlay_takes_the_place_of_a_file() {
    let folder = folder(&[("site.kdl", &format!("{SITE}include \"a.kdl\"\n")), ("a.kdl", "listen \"mx\"\n")]);
    let mut options = LoadOptions::default();
    options.overlays.insert(folder.path().join("a.kdl"), "lsiten \"mx\"\n".to_owned());
    let loaded = load(&folder.path().join("site.kdl"), &options).expect("a site");
    assert_eq!(said(&loaded), ["a.kdl:1 LNG001"]);
}

#[test]
fn globs() {
    for (pattern, name) in
        [("*.kdl", "a.kdl"), ("*", ""), ("a*b*c", "aXbYbc"), ("?", "é"), ("a", "a"), ("**", "x"), ("*a*", "bab")]
    {
        assert!(glob::matches(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in [("*.kdl", "a.kd"), ("?", ""), ("a*b", "ac"), ("", "a"), ("a", "ab")] {
        assert!(!glob::matches(pattern, name), "{pattern} {name}");
    }
    assert!(!glob::matches(&"*a".repeat(50), &"a".repeat(5000).replace("aa", "ab")[..49]));
}

fn text(text: &str, profile: Option<&str>) -> Loaded {
    load_text("site.kdl", text, &LoadOptions { profile: profile.map(str::to_owned), ..LoadOptions::default() })
}

#[test]
fn constants() {
    let loaded = text(
        "site \"{host}.example.com\"\nlet host=\"mail\" port=2525 unused=1\nlisten \"mx\" port=\"{port}\" address=\"{adress}\"\n\
         transport \"store\" maildir=\"/mail/{domain}/{user}\"\nnetwork \"n\" \"192.0.2.1\" reason=\"as {host} {said}\"\n",
        None,
    );
    assert_eq!(said(&loaded), ["site.kdl:2 LET003", "site.kdl:3 LET002", "site.kdl:5 LET002"]);
    assert_eq!(loaded.nodes[0].arguments[0].value, Value::String("mail.example.com".into()));
    assert_eq!(loaded.nodes[1].property("port").map(|port| &port.value), Some(&Value::Integer(2525)));
    assert_eq!(loaded.nodes[3].property("reason").map(|reason| &reason.value), Some(&Value::String("as mail {said}".into())));
    let loaded = text(&format!("{SITE}let a=1 user=2\nlet a=2\nlet b=#null\nlog format=\"{{a}}\"\n"), None);
    assert_eq!(
        said(&loaded),
        ["site.kdl:2 LET004", "site.kdl:3 LET001", "site.kdl:4 LET003", "site.kdl:4 LNG006", "site.kdl:5 LNG006"]
    );
}

const VARIANTS: &str = r#"
let relay-host="smtp.isp.example"
site "mail.example.com" {
    origin "example.com"
    address "203.0.113.25"
}
relay "isp" host="{relay-host}" port=587 { tls "verify"; }
route to="example.org" via="isp"
network "office" "192.0.2.0/24" relay=#true
screen { dmarc honour=#true; }
profile "staging" {
    screen { dmarc fail="quarantine"; }
    let relay-host="sink.staging.example"
    site "mail.staging.example" { address "10.0.0.25"; }
    relay "isp" port=2525
    route to="*" via="isp"
    network "office" relay=#false
    network "lab" "10.0.0.0/8"
}
profile "broken" { relay "isp" prot=25; include "x"; }
"#;

#[test]
fn a_profile_is_laid_over_the_site() {
    let loaded = text(&VARIANTS.replace("prot=25; include \"x\";", "port=26"), Some("staging"));
    assert_eq!(said(&loaded), Vec::<String>::new());
    let document = Document::new(&loaded.nodes);
    let site = document.child("site").expect("site");
    assert_eq!(site.argument::<Domain>("hostname").map(|name| name.value.to_string()).as_deref(), Some("mail.staging.example"));
    assert!(site.child("origin").is_some());
    assert_eq!(site.child("address").expect("address").arguments::<std::net::IpAddr>("addresses").len(), 1);
    let relay = document.child("relay").expect("relay");
    assert_eq!(relay.property::<u16>("port").map(|port| port.value), Some(2525));
    assert_eq!(
        relay.property::<postern_schema::name::HostName>("host").map(|host| host.value.to_string()).as_deref(),
        Some("sink.staging.example")
    );
    assert!(relay.child("tls").is_some());
    let routes: Vec<String> = document
        .children("route")
        .filter_map(|route| route.property::<postern_schema::site::RoutePattern>("to"))
        .map(|to| to.value.to_string())
        .collect();
    assert_eq!(routes, ["*", "example.org"]);
    let office = document
        .children("network")
        .find(|network| network.argument::<String>("name").is_some_and(|name| name.value == "office"));
    let office = office.expect("office");
    assert_eq!(office.property::<bool>("relay").map(|relay| relay.value), Some(false));
    assert_eq!(office.arguments::<ipnet::IpNet>("ranges").len(), 1);
    let screen = loaded.nodes.iter().find(|node| node.name.value == "screen").expect("screen");
    let given: Vec<&str> = screen.children[0].properties.iter().map(|property| &*property.name.value).collect();
    assert_eq!(given, ["fail"], "it excludes the site's honour=");
}

#[test]
fn a_profile_that_is_not_in_force_is_checked_all_the_same() {
    let loaded = text(VARIANTS, None);
    assert_eq!(said(&loaded), ["site.kdl:20 LNG002", "site.kdl:20 LNG001"]);
    assert_eq!(loaded.nodes.len(), 5);
}

#[test]
fn an_unknown_profile_is_an_error() {
    let loaded = text(VARIANTS, Some("stagin"));
    let finding = loaded.diagnostics.first().expect("a finding");
    assert_eq!((finding.code, finding.help.as_deref()), ("PRF001", Some("Write --profile staging")));
}
