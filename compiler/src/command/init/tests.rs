//! What `init` writes compiles, whatever the answers are.

use super::*;

fn answers() -> Answers {
    Answers {
        hostname: parse_domain("mail.example.com").expect("a domain"),
        domain: parse_domain("example.com").expect("a domain"),
        mailboxes: vec![parse_local("alice").expect("a local part")],
        addresses: Vec::new(),
        relay: None,
        relay_login: None,
    }
}

fn compiles(answers: &Answers) {
    let text = site(answers);
    let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
    // From where a relay sends, its provider says; a key is made when the records can be published.
    let mut codes: Vec<&str> = compiled.diagnostics.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    let wanted: &[&str] = if answers.relay.is_some() { &["DKM012", "SPF007"] } else { &["DKM012"] };
    assert_eq!(codes, wanted, "{text}\n{:#?}", compiled.diagnostics);
    assert_eq!(compiled.tests.len(), 2);
    let model = compiled.model.expect("a site");
    assert_eq!(model.addresses.len(), answers.mailboxes.len() + 1);
    assert_eq!(model.site.addresses, answers.addresses);
    assert_eq!(model.site.relays.len(), usize::from(answers.relay.is_some()));
}

#[test]
fn what_is_written_compiles_without_a_finding() {
    compiles(&answers());
    compiles(&Answers {
        addresses: vec!["203.0.113.25".parse().expect("an address"), "2001:db8::25".parse().expect("an address")],
        ..answers()
    });
    let relay = parse_relay("smtp.provider.example").ok();
    compiles(&Answers { relay: relay.clone(), ..answers() });
    compiles(&Answers { relay, relay_login: Some(r#"we\"ird"#.to_owned()), ..answers() });
    let odd = ["alice", "\"a \\\\ b\"", "名前"].map(|local| parse_local(local).expect("a local part"));
    compiles(&Answers { mailboxes: odd.into(), ..answers() });
    let international = parse_domain("例え.example").expect("a domain");
    compiles(&Answers { hostname: international.clone(), domain: international, ..answers() });
}

#[test]
fn relays_are_read_as_people_write_them() {
    let relay = |text: &str| parse_relay(text).map(|relay| format!("{} {}", relay.host, relay.port));
    assert_eq!(relay("smtp.provider.example"), Ok("smtp.provider.example 587".to_owned()));
    assert_eq!(relay("smtp.provider.example:465"), Ok("smtp.provider.example 465".to_owned()));
    assert_eq!(relay("[smtp.provider.example]:25"), Ok("smtp.provider.example 25".to_owned()));
    assert_eq!(relay("[192.0.2.1]:25"), Ok("[192.0.2.1] 25".to_owned()));
    assert_eq!(relay("[IPv6:2001:db8::1]"), Ok("[IPv6:2001:db8::1] 587".to_owned()));
    assert!(relay("smtp.provider.example:smtp").is_err());
    assert!(relay("192.0.2.1").is_err());
}
