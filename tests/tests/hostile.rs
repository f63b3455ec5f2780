//! Authentication under attack: DNS that fails, lies or floods, and messages that are made to cost. Each ends in a bounded time, in
//! bounded memory, and with a verdict that is written down here.
#![allow(clippy::unwrap_used)]

use postern_schema::dns::{Answer, Question, Transcript};
use postern_schema::spf::{self, Facts, SpfResult};
use postern_tests::dns::Behaviour;
use postern_tests::scene::Scene;
use postern_tests::signatures::verify;
use std::time::{Duration, Instant};

const ZONE: &str = "
    relay.test A 127.0.0.1
    good.test MX 10 mx.good.test
    good.test TXT \"v=spf1 ip4:127.0.0.9 -all\"
    _dmarc.good.test TXT \"v=DMARC1; p=reject\"
    circle.test TXT \"v=spf1 include:circle.test -all\"
    one.test TXT \"v=spf1 include:other.test -all\"
    other.test TXT \"v=spf1 redirect=one.test\"
";

fn scene() -> Scene {
    let scene = Scene::with(|kdl| kdl + "screen { spf fail=\"reject\"; dmarc honour=#true; }\n");
    scene.dns.replace_zone(ZONE);
    scene
}

fn message(author: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("{fields}From: {author}\r\nTo: bob@example.com\r\nSubject: s\r\n\r\n{body}\r\n").into_bytes()
}

fn code(scene: &Scene, sender: &str, message: &[u8]) -> (u16, String) {
    let reply = scene.stranger().send_message(sender, &["bob@example.com"], message);
    (reply.code, reply.text())
}

/// A resolver that is down, slow or broken: 451, and never longer than the limits of RFC 7208 4.6.4.
#[test]
fn a_resolver_that_fails_puts_mail_off() {
    let scene = scene();
    let begun = Instant::now();
    for (name, behaviour) in [
        ("silent.test", Behaviour::Silent),
        ("broken.test", Behaviour::ServFail),
        ("refused.test", Behaviour::Refused),
        ("lying.test", Behaviour::Lying),
    ] {
        scene.dns.set(name, behaviour);
        let (code, text) = code(&scene, &format!("x@{name}"), &message(&format!("x@{name}"), "", "Hello."));
        assert_eq!(code, 451, "{name}: {text}");
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    // What failed a moment ago is not asked again for the next message.
    let questions = scene.dns.questions();
    let again = Instant::now();
    assert_eq!(code(&scene, "x@silent.test", &message("x@silent.test", "", "Hello.")).0, 451);
    assert!(again.elapsed() < Duration::from_secs(2), "{:?}", again.elapsed());
    assert_eq!(scene.dns.questions(), questions);
    // Others are served meanwhile.
    assert_eq!(code(&scene, "x@good.test", &message("x@good.test", "", "Hello.")).0, 250);
}

/// However many answers are late, all of them together have twenty seconds (RFC 7208 4.6.4).
#[test]
fn late_answers_have_a_limit_together() {
    let scene = scene();
    let includes: String = (0..9).map(|n| format!("include:i{n}.late.test ")).collect();
    let records: String = (0..9).map(|n| format!("i{n}.late.test TXT \"v=spf1 ?all\"\n")).collect();
    scene.dns.replace_zone(&format!("{ZONE}\nlate.test TXT \"v=spf1 {includes}-all\"\n{records}"));
    (0..9).for_each(|n| scene.dns.set(&format!("i{n}.late.test"), Behaviour::Delayed(Duration::from_millis(2800))));
    let begun = Instant::now();
    let (code, text) = code(&scene, "x@late.test", &message("x@late.test", "", "Hello."));
    assert_eq!(code, 451, "{text}");
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(15) && took < Duration::from_secs(24), "{took:?}");
}

/// Answers that are late, or too long for a datagram, are answers.
#[test]
fn slow_and_truncated_answers_count() {
    let scene = scene();
    scene.dns.set("good.test", Behaviour::Truncated);
    scene.dns.set("_dmarc.good.test", Behaviour::Delayed(Duration::from_secs(1)));
    assert_eq!(code(&scene, "x@good.test", &message("x@good.test", "", "Hello.")).0, 250);
    assert!(scene.dns.questions_by_tcp() > 0);
}

/// Records that lead in circles, and records that are as large as DNS allows, are wrong and nothing worse.
#[test]
fn circles_and_floods_are_permanent_errors() {
    let scene = scene();
    let found = |sender: &str| {
        let mut transcript = Transcript::default();
        let facts = Facts { client: "192.0.2.1".parse().unwrap(), helo: "h.test", sender, receiver: "mail.example.com", now: 0 };
        loop {
            match spf::check(&facts, &transcript) {
                Ok(finding) => return (finding.result, transcript.entries().len()),
                Err(question) => {
                    let answer = answer(&question);
                    transcript.note(question, answer);
                }
            }
        }
    };
    for sender in ["x@circle.test", "x@one.test", "x@long.test", "x@many.test", "x@wide.test"] {
        let begun = Instant::now();
        let (result, questions) = found(sender);
        assert_eq!(result, SpfResult::PermError, "{sender}");
        assert!(questions <= 12, "{sender}: {questions}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{sender}: {:?}", begun.elapsed());
    }
    // The largest TXT that DNS can carry, over the wire.
    let strings = vec![format!("\"{}\"", "x".repeat(250)); 255].join(" ");
    scene.dns.replace_zone(&format!(
        "{ZONE}\n huge.test TXT \"v=spf1 \" {strings}\n _dmarc.huge.test TXT \"v=DMARC1; p=reject; \" {strings}\n"
    ));
    scene.dns.set("huge.test", Behaviour::Truncated);
    scene.dns.set("_dmarc.huge.test", Behaviour::Truncated);
    let begun = Instant::now();
    let (code_of_huge, text) = code(&scene, "x@huge.test", &message("x@huge.test", "", "Hello."));
    assert_eq!(code_of_huge, 550, "its SPF is wrong, and its policy can be read: {text}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // A record that is wrong forbids nothing.
    assert_eq!(code(&scene, "x@circle.test", &message("x@circle.test", "", "Hello.")).0, 250);
}

fn answer(question: &Question) -> Answer {
    let text = match &*question.name {
        "circle.test" => "v=spf1 include:circle.test -all".to_owned(),
        "one.test" => "v=spf1 include:other.test -all".to_owned(),
        "other.test" => "v=spf1 redirect=one.test".to_owned(),
        // 64 KiB of one term that is none.
        "long.test" => format!("v=spf1 {}", "x".repeat(65_000)),
        "many.test" => format!("v=spf1 {} -all", (0..4000).map(|n| format!("a:h{n}.test")).collect::<Vec<_>>().join(" ")),
        "wide.test" => format!("v=spf1 {} x", "ip4:192.0.2.77 ".repeat(4000)),
        _ => return Answer::Found(vec!["192.0.2.200".into()]),
    };
    Answer::Found(vec![text.into()])
}

#[test]
fn thousands_of_signatures_cost_eight() {
    let field = |n: usize| format!("DKIM-Signature: v=1; a=rsa-sha256; d=d{n}.test; s=s; h=from; bh=AAAA; b=AAAA\r\n");
    let fields: String = (0..5000).map(field).collect();
    let message = message("x@good.test", &fields, "Hello.");
    let begun = Instant::now();
    let found = verify(&message, Vec::<(String, String)>::new());
    assert_eq!(found.dkim.len(), 8);
    assert!(found.passed.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    let scene = scene();
    let before = scene.dns.questions();
    assert_eq!(code(&scene, "x@good.test", &message).0, 250);
    assert!(scene.dns.questions() - before < 30, "{}", scene.dns.questions() - before);
    // Seals and their like cost no more.
    let seal = |n: usize| {
        format!(
            "ARC-Seal: i={n}; a=rsa-sha256; cv=pass; d=d{n}.test; s=s; b=AAAA\r\n\
             ARC-Message-Signature: i={n}; a=rsa-sha256; d=d{n}.test; s=s; h=from; bh=AAAA; b=AAAA\r\n\
             ARC-Authentication-Results: i={n}; d{n}.test; none\r\n"
        )
    };
    let chain: String = (1..=1000).rev().map(seal).collect();
    let before = scene.dns.questions();
    assert_eq!(code(&scene, "x@good.test", &self::message("x@good.test", &chain, "Hello.")).0, 250);
    assert!(scene.dns.questions() - before < 80, "{}", scene.dns.questions() - before);
}

#[test]
fn headers_and_parts_without_end_are_bounded() {
    let scene = scene();
    let field = format!("X-Long: {}\r\n", "x".repeat(900));
    let (refused, text) = code(&scene, "x@good.test", &message("x@good.test", &field.repeat(1300), "Hello."));
    assert!((500..600).contains(&refused), "{refused} {text}");
    // A header as large as one may be is judged.
    assert_eq!(code(&scene, "x@good.test", &message("x@good.test", &field.repeat(1000), "Hello.")).0, 250);
    let nested: String =
        (0..20_000).map(|n| format!("--b{n}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", n + 1)).collect();
    let mime = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0\r\n";
    let begun = Instant::now();
    assert_eq!(code(&scene, "x@good.test", &message("x@good.test", mime, &nested)).0, 250);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Many authors are as many questions as four.
    let authors = (0..1000).map(|n| format!("a@n{n}.test")).collect::<Vec<_>>().join(", ");
    let before = scene.dns.questions();
    assert_eq!(code(&scene, "x@good.test", &message(&authors.replace(", ", ",\r\n "), "", "Hello.")).0, 250);
    assert!(scene.dns.questions() - before < 40, "{}", scene.dns.questions() - before);
}
