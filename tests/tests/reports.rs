//! Reports to others: what is collected of arriving mail, what an operator sees of it, what is sent when the day is over, and who
//! reads it. A day is made to be over by giving its file the name of an earlier one while the daemon is down.
//!
//! Where parsedmarc or check-jsonschema is not installed its test is skipped, and says so; under `POSTERN_ORACLES=required` that is
//! a failure.
#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::GzDecoder;
use postern_schema::site::Site;
use postern_tests::daemon::binaries::workspace;
use postern_tests::daemon::passwd_line;
use postern_tests::oracle::skip;
use postern_tests::scene::{LOGIN, RELAY_LOGIN, Scene, kdl};
use postern_tests::signatures::{SigningKey, verify};
use postern_tests::wait;
use posternd::report::Reports;
use posternd::report::day::Day;
use posternd::report::tls::{PolicyType, ResultType, Session};
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

const ZONE: &str = "
    relay.test A 127.0.0.1
    remote.test MX 10 mx.remote.test
    remote.test TXT \"v=spf1 ip4:127.0.0.9 -all\"
    _dmarc.remote.test TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@remote.test,mailto:dmarc@watcher.test\"
    remote.test._report._dmarc.watcher.test TXT \"v=DMARC1\"
    bold.test TXT \"v=spf1 ?all\"
    _dmarc.bold.test TXT \"v=DMARC1; p=quarantine; rua=mailto:victim@other.test\"
    told.test TXT \"v=spf1 ?all\"
    _dmarc.told.test TXT \"v=DMARC1; p=reject; ruf=mailto:ruf@told.test,mailto:ruf@watcher.test,mailto:victim@other.test\"
    told.test._report._dmarc.watcher.test TXT \"v=DMARC1\"
    _smtp._tls.remote.test TXT \"v=TLSRPTv1; rua=mailto:tls@remote.test\"
";

fn stage() -> (Scene, SigningKey) {
    let key = SigningKey::ed25519();
    let line = "    dkim \"e\" algorithm=\"ed25519-sha256\" public-key=\"e.pub\" key-secret=\"e\" state=\"active\"\n";
    let reports = "reports {\n    dmarc from=\"alice@example.com\"\n    tls from=\"alice@example.com\"\n    \
        failure from=\"alice@example.com\"\n}\nscreen { dmarc honour=#true; }\n";
    let site = |port| kdl(port).replace("    delimiter \"+\"\n", &format!("    delimiter \"+\"\n{line}")) + reports;
    let credentials = [
        ("users", passwd_line(LOGIN.0, LOGIN.1)),
        ("relay-password", format!("{}\n", RELAY_LOGIN.1)),
        ("e", key.private_pem.clone()),
    ];
    let scene = Scene::with_files(site, &[("e.pub", &key.public_pem)], &credentials, RELAY_LOGIN);
    scene.dns.replace_zone(ZONE);
    (scene, key)
}

fn mail(scene: &Scene, author: &str, subject: &str) {
    let message = format!("From: {author}\r\nTo: bob@example.com\r\nSubject: {subject}\r\n\r\nHello.\r\n");
    assert_eq!(scene.stranger().send_message(author, &["bob@example.com"], message.as_bytes()).code, 250);
}

fn folder(scene: &Scene) -> PathBuf {
    scene.site.state().join("reports")
}

/// Gives every file the name of a day that is over.
fn end_the_day(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let kind = name.split('-').next().unwrap();
        fs::rename(&path, folder.join(format!("{kind}-{}.jsonl", yesterday()))).unwrap();
    }
}

/// Two days ago: then every report is due, whatever the time of day.
fn yesterday() -> Day {
    Day::of_ms(now_ms()).before(2)
}

fn now_ms() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

/// The report that a message carries.
fn report_in(message: &[u8]) -> String {
    let text = String::from_utf8(message.to_vec()).unwrap();
    let (_, rest) = text.split_once("Content-Transfer-Encoding: base64\r\n\r\n").expect("there is an attachment");
    let encoded: String = rest.split("\r\n--").next().unwrap().split_whitespace().collect();
    let mut report = String::new();
    GzDecoder::new(&BASE64.decode(encoded).unwrap()[..]).read_to_string(&mut report).unwrap();
    report
}

#[test]
fn a_day_is_collected_shown_and_sent_once() {
    let (scene, key) = stage();
    mail(&scene, "x@remote.test", "one");
    mail(&scene, "y@remote.test", "two");
    mail(&scene, "z@bold.test", "three");
    mail(&scene, "noreply@remote.test", "Report Domain: example.com Submitter: remote.test Report-ID: <1@remote.test>");
    let list: Value = serde_json::from_str(&scene.daemon.control(&["report", "list", "--json"]).success()).unwrap();
    let seen: Vec<(&str, u64, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["domain"].as_str().unwrap(), one["count"].as_u64().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    assert_eq!(seen, [("bold.test", 1, "collecting"), ("remote.test", 2, "collecting")], "a report is not reported on");
    let shown = scene.daemon.control(&["report", "show", "remote.test"]).success();
    for expected in ["dmarc@remote.test", "dmarc@watcher.test", "<count>2</count>", "<source_ip>127.0.0.9</source_ip>"] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let shown = scene.daemon.control(&["report", "show", "bold.test"]).success();
    assert!(shown.contains("victim@other.test (there is no v=DMARC1 at bold.test._report._dmarc.other.test)"), "{shown}");
    assert!(shown.contains("<disposition>quarantine</disposition>") && !shown.contains("<type>local_policy</type>"), "{shown}");
    let unknown = scene.daemon.control(&["report", "show", "unknown.test", "--type", "tls"]);
    assert!(unknown.status == 1 && unknown.stderr.contains("nothing was seen of unknown.test"), "{unknown:?}");

    // What was seen outlives a daemon that is killed, and the day ends meanwhile.
    let folder = folder(&scene);
    let scene = scene.replace_daemon(|daemon| {
        let options = daemon.options().clone();
        daemon.kill();
        end_the_day(&folder);
        postern_tests::daemon::Daemon::start(options)
    });
    let sent = scene.relay.wait_for(2);
    let mut to: Vec<String> = sent.iter().flat_map(|transaction| transaction.recipients.clone()).collect();
    to.sort();
    assert_eq!(to.len(), 2, "{to:?}");
    assert!(to[0].contains("dmarc@remote.test") && to[1].contains("dmarc@watcher.test"), "{to:?}");
    let reports: Vec<String> = sent.iter().map(|transaction| report_in(&transaction.data)).collect();
    assert_eq!(reports[0], reports[1]);
    assert!(reports[0].contains("<count>2</count>"), "{}", reports[0]);
    for transaction in &sent {
        let header = String::from_utf8_lossy(&transaction.data).into_owned();
        assert!(header.contains("Subject: Report Domain: remote.test"), "{header}");
        let found = verify(&transaction.data, [("e._domainkey.example.com".to_owned(), key.record())]).dkim;
        assert_eq!(&*found[0].result, "pass", "{header}");
    }
    let done = || {
        let list: Value = serde_json::from_str(&scene.daemon.control(&["report", "list", "--json"]).success()).unwrap();
        list.as_array().unwrap().iter().all(|one| one["state"] == "done").then_some(())
    };
    wait::until("both domains are done", done);
    // Another start sends nothing again.
    let scene = scene.replace_daemon(|daemon| daemon.restart());
    mail(&scene, "x@remote.test", "after the restart");
    assert_eq!(scene.relay.messages(), 2);
}

/// Sessions as deliveries note them, in the state folder of a daemon that is down.
fn record_sessions(folder: &Path, site: &Site) {
    let reports = Reports::new(folder);
    let session = |failure| Session {
        policy_type: PolicyType::Sts,
        policy_domain: "remote.test",
        policy: &["version: STSv1", "mode: enforce", "mx: mx.remote.test", "max_age: 86400"],
        policy_hosts: &["mx.remote.test"],
        mx: "mx.remote.test",
        address: "192.0.2.7".parse().ok(),
        from: "192.0.2.25".parse().ok(),
        failure,
    };
    let at = 1000 * yesterday().start();
    (0..3).for_each(|_| reports.record_tls(site, "remote.test", session(None), at));
    reports.record_tls(site, "remote.test", session(Some((ResultType::CertificateExpired, "over since yesterday"))), at);
}

fn sent_reports() -> (Vec<u8>, Vec<u8>) {
    let (scene, _) = stage();
    mail(&scene, "x@remote.test", "one");
    let folder = folder(&scene);
    let snapshot = postern_schema::snapshot::Snapshot::open(&scene.site.snapshots()).unwrap();
    let scene = scene.replace_daemon(|daemon| {
        let options = daemon.options().clone();
        daemon.kill();
        end_the_day(&folder);
        record_sessions(&folder, postern_schema::decide::Lookup::site(&snapshot));
        postern_tests::daemon::Daemon::start(options)
    });
    let sent = scene.relay.wait_for(3);
    let of = |kind: &str| {
        let is_it = |data: &[u8]| String::from_utf8_lossy(data).contains(kind);
        sent.iter().find(|transaction| is_it(&transaction.data)).expect("it was sent").data.clone()
    };
    (of("multipart/mixed"), of("report-type=\"tlsrpt\""))
}

/// A failure report goes to those who asked for it and to nobody else, at once, ten times and no more; none is about a notice.
#[test]
fn failures_are_told_where_that_is_wanted() {
    let (scene, key) = stage();
    let told = failure_reports(&scene);
    let mut to: Vec<String> = told.iter().flat_map(|transaction| transaction.recipients.clone()).collect();
    to.sort();
    assert_eq!(to, ["ruf@told.test", "ruf@watcher.test"], "nobody has asked for the third");
    for transaction in &told {
        let text = String::from_utf8(transaction.data.clone()).unwrap();
        for expected in [
            "report-type=feedback-report",
            "Feedback-Type: auth-failure\r\n",
            "Auth-Failure: dmarc\r\nIdentity-Alignment: none\r\nDelivery-Result: reject\r\nSource-IP: 127.0.0.9\r\n",
            "Reported-Domain: told.test\r\n",
            "From: x@told.test\r\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains("bob@example.com") && !text.contains("Secret words"), "{text}");
        let found = verify(&transaction.data, [("e._domainkey.example.com".to_owned(), key.record())]).dkim;
        assert_eq!(&*found[0].result, "pass", "{text}");
    }
    let fails = |fields: &str, sender: &str| {
        let message = format!("{fields}From: x@told.test\r\nTo: bob@example.com\r\nSubject: again\r\n\r\nSecret words.\r\n");
        assert_eq!(scene.stranger().send_message(sender, &["bob@example.com"], message.as_bytes()).code, 550);
    };
    fails("Auto-Submitted: auto-generated\r\n", "x@told.test");
    fails("", "");
    (0..15).for_each(|_| fails("", "x@told.test"));
    scene.relay.wait_for(20);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(scene.relay.messages(), 20, "ten, each to two addresses");
}

/// What is sent about one message that failed.
fn failure_reports(scene: &Scene) -> Vec<postern_tests::peer::Transaction> {
    let message = "From: x@told.test\r\nTo: bob@example.com\r\nSubject: forged\r\n\r\nSecret words.\r\n";
    let reply = scene.stranger().send_message("x@told.test", &["bob@example.com"], message.as_bytes());
    assert_eq!(reply.code, 550, "{}", reply.text());
    scene.relay.wait_for(2)
}

/// The schemas that these forms have, and ours of what `report` says.
#[test]
fn they_have_the_forms_that_schemas_demand() {
    let (scene, _) = stage();
    mail(&scene, "x@remote.test", "one");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let list = scene.daemon.control(&["report", "list", "--json"]).success();
    let show = scene.daemon.control(&["report", "show", "remote.test", "--json"]).success();
    for (name, text) in [("report-list", &list), ("report-show", &show)] {
        let schema = write(&format!("{name}.schema.json"), &schema(name));
        holds(&schema, &write(&format!("{name}.json"), text));
    }
    let Some(schema) = postern_tests::suite::file("reports/tlsrpt.schema.json") else { return };
    let (_, tls) = sent_reports();
    holds(&schema, &write("tls.json", &report_in(&tls)));
}

/// One of ours, as the program prints it.
fn schema(name: &str) -> String {
    let output = Command::new(&postern_tests::daemon::binaries::binaries().posternd).args(["schema", name]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn holds(schema: &Path, document: &Path) {
    let venv = workspace().join("target/oracles/bin/check-jsonschema");
    let program = if venv.is_file() { venv } else { "check-jsonschema".into() };
    match Command::new(program).arg("--schemafile").arg(schema).arg(document).output() {
        Err(_) => skip("check-jsonschema"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {said}", schema.display());
        }
    }
}

#[test]
fn others_read_them() {
    let (dmarc, tls) = sent_reports();
    let report: Value = serde_json::from_str(&report_in(&tls)).unwrap();
    let summary = &report["policies"][0]["summary"];
    assert_eq!(summary["total-successful-session-count"], 3);
    assert_eq!(summary["total-failure-session-count"], 1);
    assert!(String::from_utf8_lossy(&tls).contains("TLS-Report-Domain: remote.test"));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, octets).unwrap();
        path
    };
    let failure = failure_reports(&stage().0).remove(0).data;
    let (dmarc, tls, failure) = (write("dmarc.eml", &dmarc), write("tls.eml", &tls), write("failure.eml", &failure));
    let venv = workspace().join("target/oracles/bin/python");
    let python = if venv.is_file() { venv } else { "python3".into() };
    if !Command::new(&python).args(["-c", "import parsedmarc"]).output().is_ok_and(|output| output.status.success()) {
        return skip("parsedmarc");
    }
    let script = workspace().join("tests/peers/parsedmarc_reader.py");
    let output = Command::new(&python).arg(script).args([&dmarc, &tls, &failure]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["dmarc"]["policy"], "reject");
    assert_eq!(read["dmarc"]["domain"], "remote.test");
    assert_eq!(read["dmarc"]["records"][0], serde_json::json!(["127.0.0.9", 1, "pass"]));
    assert_eq!(read["tls"]["domain"], "remote.test");
    assert_eq!(read["tls"]["counts"], serde_json::json!([3, 1]));
    let told = serde_json::json!({
        "domain": "told.test", "type": "auth-failure", "source": "127.0.0.9", "failure": ["dmarc"], "delivery": "reject",
        "from": "<x@told.test>", "subject": "forged",
    });
    assert_eq!(read["failure"], told);
    assert_eq!(read["tls"]["failures"], serde_json::json!(["certificate-expired"]));
}
