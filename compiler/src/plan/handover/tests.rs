//! Each step between two builds that keys do not survive, and each that they do.

use super::handovers;
use crate::certificate::read_chain;
use crate::compile::{CompileOptions, compile};
use crate::model::Model;

/// A key that others may have: the sample of RFC 8032 7.1.
const KEYS: [&str; 2] = [
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
];

/// A site whose domain holds these lines.
fn model(lines: &str, chain: Option<&str>) -> Model {
    let folder = tempfile::tempdir().unwrap();
    for (name, key) in ["a.pub", "b.pub"].into_iter().zip(KEYS) {
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n");
        std::fs::write(folder.path().join(name), pem).unwrap();
    }
    let mut tls = "self-signed".to_owned();
    if let Some(chain) = chain {
        std::fs::write(folder.path().join("chain.pem"), chain).unwrap();
        tls = "certificate \"mail.example.com\" chain=\"chain.pem\" key-secret=\"key\"".to_owned();
    }
    let text = format!(
        "site \"mail.example.com\" {{\n    postmaster \"alice@example.com\"\n}}\ntls {{ {tls}; }}\nlisten \"mx\"\n\
         domain \"example.com\" {{\n    mailbox \"alice\"\n{lines}\n}}\n"
    );
    std::fs::write(folder.path().join("site.kdl"), text).unwrap();
    let compiled = compile(&folder.path().join("site.kdl"), &CompileOptions::default()).unwrap();
    compiled.model.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

fn key(selector: &str, file: &str, state: &str) -> String {
    let secret = if matches!(state, "removed" | "revoked") { String::new() } else { format!(" key-secret=\"{file}\"") };
    format!("dkim \"{selector}\" algorithm=\"ed25519-sha256\" public-key=\"{file}\"{secret} state=\"{state}\"\n")
}

fn between(old: &str, new: &str) -> Vec<String> {
    let kind = |step: &super::Handover| format!("{step:?}").split('(').next().unwrap_or_default().to_owned();
    handovers(&model(old, None), &model(new, None), &[]).iter().map(kind).collect()
}

#[test]
fn a_dkim_key_takes_one_step_at_a_time() {
    let states = ["publish", "active", "retired", "revoked", "removed"];
    let steps = [
        // From none, which is not there at all.
        ("", "publish", ""),
        ("", "active", "SignsUnpublished"),
        ("", "retired", ""),
        ("publish", "active", ""),
        ("publish", "removed", ""),
        ("publish", "", ""),
        ("active", "retired", ""),
        ("active", "revoked", ""),
        ("active", "removed", "RemovedInUse"),
        ("active", "", "RemovedInUse"),
        ("retired", "active", ""),
        ("retired", "removed", ""),
        ("retired", "", "RemovedInUse"),
        ("revoked", "active", "SignsUnpublished"),
        ("removed", "active", "SignsUnpublished"),
        ("removed", "", ""),
    ];
    let line = |state: &str| if state.is_empty() { String::new() } else { key("a", "a.pub", state) };
    for (old, new, wanted) in steps {
        let wanted: Vec<&str> = [wanted].into_iter().filter(|wanted| !wanted.is_empty()).collect();
        assert_eq!(between(&line(old), &line(new)), wanted, "{old} -> {new}");
    }
    for state in states {
        assert_eq!(between(&line(state), &line(state)), [""; 0], "{state}");
    }
    assert_eq!(between(&key("a", "a.pub", "active"), &key("a", "b.pub", "active")), ["KeyReplaced"]);
    let rotated = key("a", "a.pub", "retired") + &key("b", "b.pub", "active");
    assert_eq!(between(&(key("a", "a.pub", "active") + &key("b", "b.pub", "publish")), &rotated), [""; 0]);
    assert_eq!(between(&key("a", "a.pub", "active"), &rotated), ["SignsUnpublished"]);
}

#[test]
fn a_tlsa_record_is_added_before_its_predecessor_goes() {
    let pins = |digits: &str| {
        let key = |digit: char| format!("key sha256=\"{}\"\n", digit.to_string().repeat(64));
        format!("dane {{\n{}}}", digits.chars().map(key).collect::<String>())
    };
    for (old, new, wanted) in [
        ("1", "1", &[][..]),
        ("1", "12", &[]),
        ("12", "2", &[]),
        ("12", "23", &[]),
        ("1", "2", &["PinsReplaced"]),
        ("12", "34", &["PinsReplaced"]),
    ] {
        assert_eq!(between(&pins(old), &pins(new)), wanted, "{old} -> {new}");
    }
    assert_eq!(between("", &pins("1")), [""; 0]);
    assert_eq!(between(&pins("1"), ""), [""; 0]);
}

#[test]
fn a_certificate_has_a_key_that_was_announced_before() {
    let certificate = || rcgen::generate_simple_self_signed(vec!["mail.example.com".to_owned()]).unwrap().cert.pem();
    let (old, next) = (certificate(), certificate());
    let digest = |pem: &str| postern_schema::snapshot::digest_hex(&read_chain(pem).unwrap()[0].key_sha256);
    let announcing = |pem: &str| format!("dane {{\nkey sha256=\"{}\"\n}}", digest(pem));
    let before = model(&announcing(&next), Some(&old));
    assert_eq!(handovers(&before, &model(&announcing(&next), Some(&next)), &[]), []);
    assert_eq!(handovers(&model("dane", Some(&old)), &before, &[]), []);
    let unannounced = handovers(&model("dane", Some(&old)), &model(&announcing(&old), Some(&next)), &[]);
    assert!(matches!(unannounced[..], [super::Handover::UnannouncedKey(_)]), "{unannounced:?}");
    let replaced = handovers(&model("dane", Some(&old)), &model("dane", Some(&next)), &[]);
    assert!(matches!(replaced[..], [super::Handover::PinsReplaced(_)]), "{replaced:?}");
}
