//! The suites that others have written for what we verify: RFC 7208 (SPF), RFC 8463 (DKIM) and ARC; and cases of MTA-STS (RFC 8461).
#![allow(clippy::unwrap_used)]

use postern_schema::dns::{Answer, Question, Transcript};
use postern_schema::record::{MtaStsRecord, ReceivedPolicy, RecordKind};
use postern_schema::spf::{self, Facts};
use postern_tests::signatures::verify;
use postern_tests::suite;
use saphyr::YamlOwned;
use std::fs;

/// The zone of one document, as the suite's own driver reads it: an `SPF` record counts as a `TXT` unless the name has one of
/// its own, and `TIMEOUT` is the answer to every type that has none.
struct Zone(Vec<Name>);

/// A name, its records by type, and whether it times out.
type Name = (String, Vec<(String, Vec<String>)>, bool);

impl Zone {
    fn new(data: &YamlOwned) -> Zone {
        let name = |(name, records): (String, &YamlOwned)| {
            let mut known: Vec<(String, Vec<String>)> = Vec::new();
            let mut times_out = false;
            for record in records.as_sequence().into_iter().flatten() {
                times_out |= record.as_str() == Some("TIMEOUT");
                for (kind, value) in suite::entries(record) {
                    let strings: Vec<String> = match value.as_sequence() {
                        Some(strings) => strings.iter().map(suite::text).collect(),
                        None => vec![suite::text(value)],
                    };
                    known.push((kind, strings));
                }
            }
            let has_txt = known.iter().any(|(kind, _)| kind == "TXT");
            let copies: Vec<_> = known.iter().filter(|(kind, _)| kind == "SPF" && !has_txt).cloned().collect();
            known.extend(copies.into_iter().map(|(_, strings)| ("TXT".to_owned(), strings)));
            known.retain(|(_, strings)| strings != &["NONE"]);
            (name.to_ascii_lowercase(), known, times_out)
        };
        Zone(suite::entries(data).into_iter().map(name).collect())
    }

    fn answer(&self, question: &Question) -> Answer {
        let Some((_, records, times_out)) = self.0.iter().find(|(name, ..)| **name == *question.name) else {
            return Answer::Nonexistent;
        };
        if let Some((_, target)) = records.iter().find(|(kind, _)| kind == "CNAME") {
            let target = Question::new(&target[0], question.kind);
            // A resolver gives up on an alias of itself; the suite has no longer circle.
            return if target == *question { Answer::Failed("a circle of aliases".into()) } else { self.answer(&target) };
        }
        let of_kind = records.iter().filter(|(kind, _)| kind == question.kind.as_str());
        let value = |strings: &Vec<String>| match question.kind {
            RecordKind::Mx => strings.join(" "),
            _ => strings.concat(),
        };
        let values: Vec<Box<str>> = of_kind.map(|(_, strings)| value(strings).into()).collect();
        match values.is_empty() {
            false if values.iter().any(|value| &**value == "TIMEOUT") => Answer::Failed("timeout".into()),
            false => Answer::Found(values),
            true if *times_out => Answer::Failed("timeout".into()),
            true => Answer::Nothing,
        }
    }
}

#[test]
fn rfc_7208() {
    let Some(documents) = suite::yaml("spf/rfc7208-tests.yml") else { return };
    let (mut cases, mut failed) = (0, Vec::new());
    for document in &documents {
        let zone = Zone::new(&document["zonedata"]);
        for (name, case) in suite::entries(&document["tests"]) {
            cases += 1;
            let field = |field: &str| case.as_mapping_get(field).map(suite::text).unwrap_or_default();
            let (helo, sender) = (field("helo"), field("mailfrom"));
            let facts = Facts {
                client: field("host").parse().unwrap(),
                helo: &helo,
                sender: &sender,
                receiver: "receiver.example",
                now: 1_800_000_000,
            };
            let mut transcript = Transcript::default();
            let finding = loop {
                match spf::check(&facts, &transcript) {
                    Ok(finding) => break finding,
                    Err(question) => {
                        let answer = zone.answer(&question);
                        transcript.note(question, answer);
                    }
                }
            };
            let wanted = &case["result"];
            let allowed: Vec<String> = match wanted.as_sequence() {
                Some(several) => several.iter().map(suite::text).collect(),
                None => vec![suite::text(wanted)],
            };
            if !allowed.contains(&finding.result.to_string()) {
                failed.push(format!("{name}: {allowed:?} wanted, {finding:?} found; {transcript:?}"));
            } else if let Some(wanted) = case.as_mapping_get("explanation").map(suite::text)
                && wanted != finding.explanation.as_deref().unwrap_or("DEFAULT")
            {
                failed.push(format!("{name}: explanation {wanted:?} wanted, {finding:?} found"));
            }
        }
    }
    assert_eq!(cases, 203);
    suite::score("RFC 7208", cases, &failed);
}

#[test]
fn rfc_8463() {
    let Some(message) = suite::file("dkim/rfc8463/signed.eml") else { return };
    let Some(keys) = suite::file("dkim/rfc8463/dns.json") else { return };
    let keys: serde_json::Value = serde_json::from_slice(&fs::read(keys).unwrap()).unwrap();
    let texts = || keys.as_object().unwrap().iter().map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned()));
    let message = fs::read(message).unwrap();
    let outcomes =
        |message: &[u8]| -> Vec<String> { verify(message, texts()).dkim.iter().map(|found| found.result.to_string()).collect() };
    let mut failed = Vec::new();
    // The RSA key of the RFC has 1024 bits, which is just enough.
    if outcomes(&message) != ["pass", "pass"] {
        failed.push(format!("{:?}", verify(&message, texts()).dkim));
    }
    let changed = [&message[..], b"One more line.\r\n"].concat();
    if outcomes(&changed) != ["fail", "fail"] {
        failed.push(format!("changed: {:?}", verify(&changed, texts()).dkim));
    }
    suite::score("RFC 8463", 2, &failed);
}

#[test]
fn arc_validation() {
    let Some(documents) = suite::yaml("arc/arc-draft-validation-tests.yml") else { return };
    let (mut cases, mut failed) = (0, Vec::new());
    for document in &documents {
        let texts: Vec<(String, String)> = suite::entries(&document["txt-records"])
            .into_iter()
            .map(|(name, text)| (name, suite::text(text).replace('\n', "")))
            .collect();
        for (name, case) in suite::entries(&document["tests"]) {
            cases += 1;
            let message = suite::text(&case["message"]).replace('\n', "\r\n");
            let wanted = suite::text(&case["cv"]).to_lowercase();
            let found = verify(message.as_bytes(), texts.clone()).arc;
            let result = found.as_ref().map_or("none", |found| &found.result);
            // Where the newest seal says itself that the chain failed, the suite wants no word; RFC 8617 5.2 has one.
            if result != if wanted.is_empty() { "fail" } else { wanted.as_str() } {
                failed.push(format!("{name}: {wanted:?} wanted, {found:?} found"));
            }
        }
    }
    assert_eq!(cases, 171);
    suite::score("ARC validation", cases, &failed);
}

/// Whether a case says that something holds; `None` where either is tolerable.
fn verdict(case: &YamlOwned, name: &str) -> Option<bool> {
    let (_, value) = suite::entries(case).into_iter().find(|(key, _)| key == name)?;
    value.as_bool()
}

fn field(case: &YamlOwned, name: &str) -> String {
    suite::entries(case).into_iter().find(|(key, _)| key == name).map(|(_, value)| suite::text(value)).unwrap_or_default()
}

#[test]
fn mta_sts_as_a_sender_reads_it_rfc_8461() {
    let Some(documents) = suite::yaml("mta-sts/cases.json") else { return };
    let cases = |name: &str| {
        let all = suite::entries(&documents[0]).into_iter().find(|(key, _)| key == name).unwrap().1;
        all.as_sequence().unwrap().clone()
    };
    let (mut count, mut failed) = (0, Vec::new());
    let mut judge = |what: String, wanted: Option<bool>, found: bool| {
        count += 1;
        if wanted.is_some_and(|wanted| wanted != found) {
            failed.push(format!("{what}: {found}"));
        }
    };
    for case in &cases("records") {
        let text = field(case, "txt");
        judge(format!("{text:?}"), verdict(case, "valid"), MtaStsRecord::parse(&text).is_some());
    }
    for case in &cases("policies") {
        let policy = ReceivedPolicy::parse(&field(case, "body"));
        judge(field(case, "name"), verdict(case, "valid"), policy.is_ok());
        if let (Ok(policy), Some(mode)) = (policy, field(case, "mode").split(' ').next().filter(|mode| !mode.is_empty())) {
            judge(field(case, "name"), Some(true), policy.mode.as_str() == mode);
        }
    }
    for case in &cases("mx_match") {
        let (pattern, host) = (field(case, "pattern"), field(case, "mx"));
        let text = format!("version: STSv1\nmode: enforce\nmx: {pattern}\nmax_age: 1\n");
        judge(format!("{pattern} {host}"), verdict(case, "rfc8461_4.1"), ReceivedPolicy::parse(&text).unwrap().covers(&host));
    }
    suite::score("MTA-STS", count, &failed);
}
