//! Mail programs of others against the daemon: swaks, msmtp, curl, Python's smtplib, nodemailer and Postfix's smtp-source hand in mail
//! as their users would, and nmap and testssl look for what should not be there. Each that is not installed is skipped, and it is said so.
#![allow(clippy::unwrap_used)]

use postern_tests::daemon::binaries::workspace;
use postern_tests::oracle::{is_there, skip};
use postern_tests::scene::{LOGIN, Scene};
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn run(program: &str, arguments: &[&str], input: &str) -> Output {
    let piped = || Stdio::piped();
    let started = Command::new(program).args(arguments).stdin(piped()).stdout(piped()).stderr(piped()).spawn();
    let mut child = started.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A program that has heard enough does not read on.
    let writing = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    output
}

fn sent(program: &str, arguments: &[&str], input: &str) {
    let output = run(program, arguments, input);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn port(scene: &Scene, listener: &str) -> String {
    scene.daemon.address(listener).port().to_string()
}

fn message(subject: &str, body: &str) -> String {
    format!("From: alice@example.com\r\nTo: bob@example.com, alice@example.com\r\nSubject: {subject}\r\n\r\n{body}\r\n")
}

/// Larger than what is held in memory.
fn large() -> String {
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n".repeat(20_000)
}

#[test]
fn swaks_logs_in_over_both_kinds_of_tls() {
    if !is_there("swaks", &["--version"]) {
        return;
    }
    let scene = Scene::start();
    for (listener, tls) in [("submission", "--tls"), ("submissions", "--tls-on-connect")] {
        let port = port(&scene, listener);
        let (user, password) = LOGIN;
        let from = ["--server", "127.0.0.1", "--port", &port, tls, "--from", "alice@example.com"];
        let login = ["--auth", "PLAIN", "--auth-user", user, "--auth-password", password];
        sent("swaks", &[&from[..], &login, &["--to", "bob@example.com,info@example.com"]].concat(), "");
        let refused = run("swaks", &[&from[..], &["--to", "x@elsewhere.test"]].concat(), "");
        assert!(!refused.status.success(), "it was sent without a login");
    }
}

#[test]
fn msmtp_logs_in_over_both_kinds_of_tls() {
    if !is_there("msmtp", &["--version"]) {
        return;
    }
    let scene = Scene::start();
    for (listener, starttls) in [("submission", "--tls-starttls=on"), ("submissions", "--tls-starttls=off")] {
        let port = format!("--port={}", port(&scene, listener));
        let password = format!("--passwordeval=echo {}", LOGIN.1);
        let user = format!("--user={}", LOGIN.0);
        let arguments = [
            "--host=127.0.0.1",
            &port,
            "--tls=on",
            starttls,
            "--tls-certcheck=off",
            "--auth=plain",
            &user,
            &password,
            "--from=alice@example.com",
            "--dsn-notify=success,failure",
            "--dsn-return=headers",
            "bob@example.com",
        ];
        sent("msmtp", &arguments, &message("by msmtp", &large()));
    }
}

#[test]
fn curl_sends_to_several() {
    if !is_there("curl", &["--version"]) {
        return;
    }
    let scene = Scene::start();
    let login = format!("{}:{}", LOGIN.0, LOGIN.1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("message");
    std::fs::write(&path, message("by curl: grüße", &large())).unwrap();
    for (listener, scheme) in [("submission", "smtp"), ("submissions", "smtps")] {
        let url = format!("{scheme}://127.0.0.1:{}/client.test", port(&scene, listener));
        let arguments = [
            "-sS",
            "--ssl-reqd",
            "--insecure",
            "--url",
            &url,
            "--user",
            &login,
            "--mail-from",
            "alice@example.com",
            "--mail-rcpt",
            "bob@example.com",
            "--mail-rcpt",
            "info@example.com",
            "--upload-file",
            path.to_str().unwrap(),
        ];
        sent("curl", &arguments, "");
    }
}

const SMTPLIB: &str = r#"
import smtplib, ssl, sys
from email.message import EmailMessage
port, kind, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl._create_unverified_context()
if kind == "submissions":
    client = smtplib.SMTP_SSL("127.0.0.1", port, context=context)
else:
    client = smtplib.SMTP("127.0.0.1", port)
    client.starttls(context=context)
client.login(user, password)
message = EmailMessage()
message["From"], message["To"], message["Subject"] = "alice@example.com", "bob@example.com", "Grüße, 例え"
message.set_content("über\n" * 1000, cte="8bit")
assert client.send_message(message, mail_options=["SMTPUTF8", "BODY=8BITMIME", "RET=HDRS", "ENVID=x1"],
                           rcpt_options=["NOTIFY=SUCCESS,DELAY"]) == {}
refused = client.sendmail("alice@example.com", ["bob@example.com", "nobody@example.com"], "Subject: x\r\nFrom: alice@example.com\r\n\r\nx\r\n")
assert list(refused) == ["nobody@example.com"], refused
client.quit()
"#;

#[test]
fn smtplib_sends_utf8_and_asks_for_notices() {
    if !is_there("python3", &["--version"]) {
        return;
    }
    let scene = Scene::start();
    for listener in ["submission", "submissions"] {
        sent("python3", &["-c", SMTPLIB, &port(&scene, listener), listener, LOGIN.0, LOGIN.1], "");
    }
}

/// Where `.ci/run` installs nodemailer, unless the variable says another place.
fn node_modules() -> String {
    let ours = workspace().join("target/nodemailer/node_modules");
    std::env::var("NODE_PATH").unwrap_or_else(|_| ours.to_string_lossy().into_owned())
}

const NODEMAILER: &str = r#"
const [port, kind, user, pass] = process.argv.slice(1);
const transport = require("nodemailer").createTransport({
    host: "127.0.0.1", port: Number(port), secure: kind === "submissions", requireTLS: true, auth: { user, pass },
    tls: { rejectUnauthorized: false }, pool: true, maxConnections: 2, maxMessages: 3,
});
const mail = n => transport.sendMail({
    from: "Älice <alice@example.com>", to: ["bob@example.com", "info@example.com"], subject: "Grüße " + n, text: "über\n.\n..dots\n".repeat(500),
    attachments: [{ filename: "größe.bin", content: Buffer.alloc(200000, n) }],
    dsn: { id: "x" + n, return: "headers", notify: ["failure", "delay"], recipient: "alice@example.com" },
});
(async () => {
    await transport.verify();
    const sent = await Promise.all([1, 2, 3, 4, 5, 6, 7].map(mail));
    if (sent.some(one => one.accepted.length !== 2 || !/^250 /.test(one.response))) throw new Error(JSON.stringify(sent));
    await transport.sendMail({ from: "bob@example.com", to: "bob@example.com", text: "x" }).then(
        () => { throw new Error("it may write as somebody else"); },
        error => { if (![550, 553].includes(error.responseCode)) throw error; });
    transport.close();
})().catch(error => { console.error(error); process.exit(1); });
"#;

#[test]
fn nodemailer_sends_many_over_few_connections() {
    let modules = node_modules();
    let there =
        Command::new("node").args(["-e", "require('nodemailer')"]).env("NODE_PATH", &modules).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return skip("nodemailer");
    }
    let scene = Scene::start();
    for listener in ["submission", "submissions"] {
        let arguments =
            [&format!("NODE_PATH={modules}"), "node", "-e", NODEMAILER, &port(&scene, listener), listener, LOGIN.0, LOGIN.1];
        sent("env", &arguments, "");
    }
}

/// What testssl may find that is no fault of ours: the certificate is one that the daemon made for trying out, which nobody signed and
/// which does not expire.
const SELF_SIGNED: [&str; 7] = [
    "cert_chain_of_trust",
    "cert_trust",
    "cert_caIssuers",
    "cert_revocation",
    "cert_crlDistributionPoints",
    "cert_expirationStatus",
    "cert_validityPeriod",
];

#[test]
fn testssl_finds_nothing() {
    let program = ["testssl", "testssl.sh"].into_iter().find(|program| Command::new(program).arg("--version").output().is_ok());
    let Some(program) = program else { return skip("testssl") };
    let scene = Scene::start();
    let folder = tempfile::tempdir().unwrap();
    for (listener, how) in [("mx", &["-t", "smtp"][..]), ("submissions", &[][..])] {
        let report = folder.path().join(listener);
        let path = report.to_str().unwrap().to_owned();
        let target = format!("127.0.0.1:{}", port(&scene, listener));
        // Protocols, ciphers, server defaults with the certificate, and the known faults of implementations.
        let ours = [
            "--quiet",
            "--color",
            "0",
            "--nodns",
            "none",
            "--warnings",
            "off",
            "--fast",
            "-p",
            "-s",
            "-S",
            "-U",
            "--jsonfile",
            &path,
        ];
        let output = run("timeout", &[&["240", program][..], &ours, how, &[&target]].concat(), "");
        let text = std::fs::read_to_string(&report).unwrap_or_default();
        let findings: Vec<serde_json::Value> = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stdout)));
        let is = |finding: &serde_json::Value, field: &str, word: &str| finding[field] == word;
        for protocol in ["TLS1_2", "TLS1_3"] {
            assert!(
                findings.iter().any(|finding| is(finding, "id", protocol) && is(finding, "severity", "OK")),
                "{protocol}: {text}"
            );
        }
        let bad: Vec<_> = findings
            .iter()
            .filter(|finding| ["LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL"].iter().any(|grade| is(finding, "severity", grade)))
            .filter(|finding| !SELF_SIGNED.iter().any(|id| finding["id"].as_str().is_some_and(|found| found.starts_with(id))))
            .collect();
        assert!(bad.is_empty(), "{listener}: {bad:#?}");
    }
}

#[test]
fn smtp_source_of_postfix_hands_in_by_smtp_and_by_lmtp() {
    let program = if std::path::Path::new("/usr/sbin/smtp-source").exists() { "/usr/sbin/smtp-source" } else { "smtp-source" };
    if !is_there(program, &[]) {
        return;
    }
    // It comes from 127.0.0.1, which is a peer only where nothing else is said.
    let scene = Scene::with(|kdl| kdl.replace("kind=\"lmtp\" port=0 from=\"127.0.0.9\"", "kind=\"lmtp\" port=0"));
    for (listener, flags) in [("mx", &[][..]), ("handed-on", &["-L"][..])] {
        let address = format!("inet:127.0.0.1:{}", port(&scene, listener));
        let ours = ["-s", "5", "-m", "50", "-l", "5000", "-f", "a@remote.test", "-t", "alice@example.com", &address];
        sent(program, &[flags, &ours].concat(), "");
    }
}

#[test]
fn nmap_finds_no_open_relay() {
    if !is_there("nmap", &["--version"]) {
        return;
    }
    // nmap comes from 127.0.0.1, which the scene trusts: it must not be.
    let scene = Scene::with(|kdl| kdl.replace("network \"here\" \"127.0.0.1\"", "network \"here\" \"127.0.0.77\""));
    let port = port(&scene, "mx");
    let scripts = "smtp-commands,smtp-open-relay,smtp-enum-users,smtp-strangeport,smtp-ntlm-info,smtp-vuln-cve2010-4344,\
                   smtp-vuln-cve2011-1720,smtp-vuln-cve2011-1764";
    // The scripts look at services called smtp, which one on another port is once nmap has asked.
    let output = run("nmap", &["-Pn", "-sV", "-p", &port, "--script", scripts, "127.0.0.1"], "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("smtp"), "{text}");
    assert!(text.contains("smtp-commands: mail.example.com, PIPELINING"), "{text}");
    // What listens on a port of the system's choice is not where mail is looked for.
    assert!(text.contains("smtp-strangeport: Mail server on unusual port"), "{text}");
    assert!(text.contains("BINARYMIME") && !text.contains("EXPN") && !text.contains("ETRN"), "{text}");
    assert!(!text.contains("alice") && !text.contains("smtp-ntlm-info"), "{text}");
    assert!(!text.contains("VULNERABLE:") && !text.contains("Server is an open relay"), "{text}");
}
