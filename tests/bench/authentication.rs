//! What authentication costs: judging a message that two keys have signed, with DNS that answers at once, and signing one. On one
//! thread without I/O, so that the time is the time of the processor.

use crate::report::Report;
use postern_schema::dns::{Answer, Question, Transcript};
use postern_schema::name::Domain;
use postern_schema::site::SecretName;
use postern_schema::spf;
use postern_tests::signatures::SigningKey;
use posternd::auth::Credentials;
use posternd::authentication::intake::{Intake, Purpose, Whole};
use posternd::authentication::judge::judge;
use posternd::authentication::key::PrivateKey;
use posternd::authentication::sign::Signer;
use posternd::dns::{Dns, Found, Mx, Pending};
use posternd::submission::Rework;
use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// Turns of each row.
const TURNS: u32 = 400;
/// Octets of the body.
const BODY_OCTETS: usize = 10 << 10;

/// A resolver that has everything in memory.
struct Warm(HashMap<Question, Answer>);

impl Dns for Warm {
    fn mx<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<Mx>> {
        Box::pin(async { Found::None })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<IpAddr>> {
        Box::pin(async { Found::None })
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Answer> {
        Box::pin(async move { self.0.get(question).cloned().unwrap_or(Answer::Nonexistent) })
    }
}

/// Every row of this part.
pub fn figures(report: &mut Report) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = [("r", SigningKey::rsa()), ("e", SigningKey::ed25519())];
    let signers: Vec<Signer> = keys.iter().map(|(selector, key)| signer(folder.path(), selector, key)).collect();
    let line = "A line of an ordinary message, as long as lines tend to be.  \r\n";
    let body = line.repeat(BODY_OCTETS / line.len());
    let header = "From: Alice <alice@example.org>\r\nTo: bob@example.com\r\nSubject: figures\r\n\
        Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n";
    let message = format!("{header}\r\n{body}");
    let sign = |message: &str| -> String {
        let whole = taken(Purpose::Sign, message.as_bytes());
        let field = |signer: &Signer| signer.sign(&whole.header, &whole.relaxed_body(), 1_800_000_000);
        signers.iter().map(|signer| String::from_utf8(field(signer).expect("the key signs")).expect("it is ASCII")).collect()
    };
    let signed = sign(&message) + &message;
    report.time("sign 10 KB, RSA-2048 and Ed25519", each(|| drop(black_box(sign(black_box(&message))))));

    let mut zone = HashMap::from([
        (question("example.org", "TXT"), found("v=spf1 include:_spf.example.org ip4:192.0.2.0/24 -all")),
        (question("_spf.example.org", "TXT"), found("v=spf1 ip4:198.51.100.0/24 ?all")),
        (question("_dmarc.example.org", "TXT"), found("v=DMARC1; p=reject; rua=mailto:d@example.org")),
        (question("7.2.0.192.in-addr.arpa", "PTR"), found("mail.example.org")),
        (question("mail.example.org", "A"), found("192.0.2.7")),
    ]);
    for (selector, key) in &keys {
        zone.insert(question(&format!("{selector}._domainkey.example.org"), "TXT"), found(&key.record()));
    }
    let dns = Warm(zone);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without I/O");
    let facts = spf::Facts {
        client: "192.0.2.7".parse().expect("it is an address"),
        helo: "mail.example.org",
        sender: "alice@example.org",
        receiver: "mail.example.com",
        now: 1_800_000_000,
    };
    let judged = || {
        let whole = taken(Purpose::Verify, signed.as_bytes());
        let judgement = runtime.block_on(judge(&dns, &facts, &whole, &mut Transcript::default()));
        assert_eq!(judgement.signed.len(), 2, "{:?}", judgement.results);
        assert_eq!(judgement.dmarc.as_str(), "pass");
    };
    report.time("SPF, DKIM and DMARC of it", each(judged));
}

/// The middle time of a turn.
fn each(mut turn: impl FnMut()) -> Duration {
    turn();
    let mut times: Vec<Duration> = (0..TURNS)
        .map(|_| {
            let start = Instant::now();
            turn();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn taken(purpose: Purpose, message: &[u8]) -> Whole {
    let mut intake = Intake::new(purpose, "mail.example.com", Rework::default());
    intake.feed(message).expect("its header is small");
    intake.finish().1
}

fn question(name: &str, kind: &str) -> Question {
    Question::new(name, postern_schema::record::RecordKind::parse(kind).expect("it is a type"))
}

fn found(text: &str) -> Answer {
    Answer::Found(vec![text.into()])
}

fn signer(folder: &std::path::Path, selector: &str, key: &SigningKey) -> Signer {
    let path = folder.join(selector);
    fs::write(&path, &key.private_pem).expect("the folder is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the folder is ours");
    let name = SecretName::parse(selector).expect("it is a name");
    let key = PrivateKey::load(&name, &key.public, &Credentials::new(Some(folder))).expect("the key was just made");
    Signer { domain: Domain::parse("example.org").expect("it is a domain"), selector: selector.into(), key }
}
