//! dkimpy, another implementation of DKIM, in both directions: it verifies what we sign and signs what we verify, over every
//! shape of a body and header that tends to go wrong.
//!
//! Where it is not installed the test is skipped, and says so; under `POSTERN_ORACLES=required` that is a failure.
#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use postern_tests::daemon::binaries::workspace;
use postern_tests::oracle::skip;
use postern_tests::signatures::{SigningKey, verify, whole};
use postern_tests::suite;
use posternd::authentication::intake::Purpose;
use posternd::authentication::seal::Sealing;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const HEADER: &str = "Received: from a.example\r\n\tby b.example; Sat, 21 Nov 2026 12:00:00 +0000\r\nFrom: Alice <alice@example.com>\r\n\
    To: bob@example.net,\r\n carol@example.net\r\nSubject:   many    blanks \t and\r\n\ta fold  \r\nDATE: Sat, 21 Nov 2026 12:00:00 +0000\r\n\
    Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nX-Other: 1\r\n";

/// Shapes of bodies, and of headers.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let bodies: &[(&str, &str)] = &[
        ("empty", ""),
        ("one empty line", "\r\n"),
        ("three empty lines", "\r\n\r\n\r\n"),
        ("one line", "Hello.\r\n"),
        ("no line end", "Hello."),
        ("empty lines at the end", "Hello.\r\n\r\n\r\n"),
        ("blank lines at the end", "Hello.\r\n \r\n\t\r\n"),
        ("blanks only", " \t \r\n"),
        ("blanks only, no line end", " \t "),
        ("blanks at line ends", "Hello. \t\r\nBye.\t \r\n"),
        ("blanks within", "a  b\tc \t d\r\n"),
        ("blanks in front", "  a\r\n\tb\r\n"),
        ("empty lines within", "a\r\n\r\n\r\nb\r\n"),
        ("dots", ".\r\n..\r\n.a\r\n"),
        ("UTF-8", "Grüße, 例え\r\n"),
        ("a long line", &"x".repeat(998)),
        ("empty lines in front", "\r\n\r\nHello.\r\n"),
        ("blanks, then no line end", "Hello.\r\n  "),
    ];
    let mut messages: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for (name, body) in bodies {
        messages.push((name, format!("{HEADER}\r\n{body}").into_bytes()));
    }
    let large: String = (0..40_000).map(|line| format!("Line {line} of a large message. \r\n")).collect();
    messages.push(("large", format!("{HEADER}\r\n{large}").into_bytes()));
    messages.push(("several of one field", format!("{HEADER}Cc: a@example.net\r\nCc: b@example.net\r\n\r\nx\r\n").into_bytes()));
    messages.push(("an empty field", format!("{HEADER}Reply-To:\r\n\r\nx\r\n").into_bytes()));
    messages.push((
        "list fields",
        format!("{HEADER}List-Id: <l.example>\r\nList-Unsubscribe: <mailto:u@l.example>\r\n\r\nx\r\n").into_bytes(),
    ));
    messages
}

struct Dkimpy {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Dkimpy {
    /// `None` where Python or dkimpy is not there.
    fn start() -> Option<Dkimpy> {
        let venv = workspace().join("target/oracles/bin/python");
        let python = if venv.is_file() { venv } else { "python3".into() };
        let is_there =
            Command::new(&python).args(["-c", "import dkim, nacl"]).output().is_ok_and(|output| output.status.success());
        if !is_there {
            skip("dkimpy");
            return None;
        }
        let mut command = Command::new(python);
        command.arg(workspace().join("tests/peers/dkimpy.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Some(Dkimpy { child, input, output })
    }

    fn ask(&mut self, job: &Value) -> Value {
        writeln!(self.input, "{job}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Dkimpy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn both_directions() {
    let keys = [("r", SigningKey::rsa()), ("e", SigningKey::ed25519())];
    let records = || keys.iter().map(|(selector, key)| (format!("{selector}._domainkey.example.com"), key.record()));
    let signers = keys.each_ref().map(|(selector, key)| key.signer("example.com", selector));
    let Some(mut dkimpy) = Dkimpy::start() else { return };
    let (mut cases, mut failed) = (0, Vec::new());
    for (name, message) in messages() {
        // We sign with both keys, and both of us verify.
        let ours = whole(Purpose::Sign, &message);
        let fields = signers.iter().map(|signer| signer.sign(&ours.header, &ours.relaxed_body(), 1_700_000_000).unwrap());
        let signed = [fields.collect::<Vec<_>>().concat(), message.clone()].concat();
        let keys_said: serde_json::Map<String, Value> = records().map(|(name, text)| (name, text.into())).collect();
        let said = dkimpy.ask(&json!({ "verify": BASE64.encode(&signed), "keys": keys_said }));
        let found: Vec<String> = verify(&signed, records()).dkim.iter().map(|found| found.result.to_string()).collect();
        cases += 2;
        if said["passed"] != json!([true, true]) || found != ["pass", "pass"] {
            failed.push(format!("{name}: ours: dkimpy says {said}, we say {found:?}"));
        }
        // It signs in every form with each key, and we verify.
        for (selector, key) in &keys {
            for canonical in [["relaxed", "relaxed"], ["relaxed", "simple"], ["simple", "relaxed"], ["simple", "simple"]] {
                cases += 1;
                let job = json!({
                    "sign": BASE64.encode(&message), "key": private_of(key), "selector": selector, "domain": "example.com",
                    "algorithm": key.algorithm, "canonical": canonical,
                });
                let said = dkimpy.ask(&job);
                let signed = BASE64.decode(said["message"].as_str().unwrap()).unwrap();
                let found = verify(&signed, records()).dkim;
                if found.len() != 1 || &*found[0].result != "pass" {
                    failed.push(format!("{name}: dkimpy's {} {canonical:?}: {found:?}", key.algorithm));
                }
                let mut changed = signed.clone();
                changed.extend_from_slice(b"More.\r\n");
                if verify(&changed, records()).dkim.iter().any(|found| &*found.result == "pass") {
                    failed.push(format!("{name}: a changed body passes"));
                }
            }
        }
    }
    suite::score("dkimpy, both directions", cases, &failed);
}

/// Chains of up to three sets that we seal hold for dkimpy, and chains that it seals hold for us; what is changed breaks them.
#[test]
fn chains_in_both_directions() {
    let key = SigningKey::rsa();
    let records = || [("r._domainkey.example.com".to_owned(), key.record())];
    let signer = key.signer("example.com", "r");
    let Some(mut dkimpy) = Dkimpy::start() else { return };
    let keys_said: serde_json::Map<String, Value> = records().into_iter().map(|(name, text)| (name, text.into())).collect();
    let (mut cases, mut failed) = (0, Vec::new());
    for (name, message) in messages() {
        let mut ours = message.clone();
        let mut theirs = [b"Authentication-Results: example.com; spf=pass\r\n", &message[..]].concat();
        for round in 1..=3 {
            cases += 2;
            let taken = whole(Purpose::Sign, &ours);
            let results: Vec<_> = verify(&ours, records()).arc.into_iter().collect();
            let (header, body_hash) = (&taken.header, &taken.relaxed_body());
            let sealing = Sealing { hostname: "mx.example.com", header, body_hash, results: &results, now: 1_700_000_000 };
            ours = [sealing.seal(&signer).unwrap(), ours].concat();
            let said = dkimpy.ask(&json!({ "chain": BASE64.encode(&ours), "keys": keys_said }));
            let found = verify(&ours, records());
            if said["status"] != "pass"
                || found.arc.as_ref().is_none_or(|arc| &*arc.result != "pass")
                || found.chain.len() != round
            {
                failed.push(format!("{name}, set {round}: ours: dkimpy says {said}, we say {:?}", found.arc));
            }
            let job = json!({
                "seal": BASE64.encode(&theirs), "key": key.private_pem, "selector": "r", "domain": "example.com", "keys": keys_said,
            });
            let said = dkimpy.ask(&job);
            theirs = BASE64.decode(said["message"].as_str().unwrap()).unwrap();
            // What was found of the chain is for the next to read, once.
            let find = |text: &[u8], wanted: &[u8]| text.windows(wanted.len()).position(|at| at == wanted).unwrap();
            let known = find(&theirs, b"\r\nAuthentication-Results: example.com;") + 2;
            let end = known + find(&theirs[known..], b"\r\n") + 2;
            theirs = [b"Authentication-Results: example.com; arc=pass\r\n", &theirs[..known], &theirs[end..]].concat();
            let found = verify(&theirs, records()).arc;
            if found.as_ref().is_none_or(|arc| &*arc.result != "pass") {
                failed.push(format!("{name}, set {round}: dkimpy's: {found:?}"));
            }
        }
        let changed = [&ours[..], b"More.\r\n"].concat();
        if verify(&changed, records()).arc.is_none_or(|arc| &*arc.result != "fail") {
            failed.push(format!("{name}: a changed body passes"));
        }
    }
    suite::score("dkimpy, chains in both directions", cases, &failed);
}

/// dkimpy reads an RSA key in PEM, and the bare seed of an Ed25519 key.
fn private_of(key: &SigningKey) -> String {
    if key.algorithm == "rsa-sha256" {
        return key.private_pem.clone();
    }
    let der: String = key.private_pem.lines().filter(|line| !line.starts_with('-')).collect();
    // RFC 8410 7: the seed stands behind the octet strings that hold it, at a fixed place.
    BASE64.encode(&BASE64.decode(der).unwrap()[16..48])
}
