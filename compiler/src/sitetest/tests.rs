//! Test blocks: what they can set, what they can expect, and what a failure says.

use crate::compile::{CompileOptions, Compiled, compile_text};

const SITE: &str = r#"
site "mail.example.com" {
    postmaster "alice@example.com"
}
tls { self-signed; }
listen "mx"
listen "submissions"
users "staff" { passwd secret="users"; }
network "office" "192.0.2.0/24" relay=#true reason="wired LAN"
domain "example.com" {
    mailbox "alice"
    alias "abuse" "alice"
    alias "team" "alice" "partner@partner.example"
}
parked "example.net"
relay "isp" host="smtp.isp.example" port=587 { tls "encrypt"; spf-include "isp.example"; }
route to="partner.example" via="direct" tls="verify"
route to="*" via="isp"
screen { require "sender-domain-exists"; }
allow "DKM012" reason="what is signed is not what is tested"
"#;

fn run(test: &str) -> Compiled {
    let compiled = compile_text("site.kdl", &format!("{SITE}test \"promise\" {{ {test}; }}\n"), &CompileOptions::default());
    assert!(compiled.model.is_some(), "{:#?}", compiled.diagnostics);
    assert_eq!(compiled.tests.len(), 1);
    compiled
}

fn holds(test: &str) {
    let compiled = run(test);
    assert!(compiled.tests[0].passed && compiled.diagnostics.is_empty(), "{test}\n{:#?}", compiled.tests);
}

fn fails(test: &str, why: &str) {
    let compiled = run(test);
    assert!(compiled.has_failed_tests(), "{test}");
    let text = compiled.tests[0].why.join("\n");
    assert!(text.contains(why), "{test}\n{text}");
    assert_eq!(compiled.diagnostics.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["TST001"]);
}

#[test]
fn promises_that_hold() {
    holds(
        r#"client "198.51.100.7"; from "x@a.example" domain="found"; to "alice@example.com"; expect "accept" reason="local-recipient""#,
    );
    holds(
        r#"from "x@a.example" domain="nonexistent"; to "alice@example.com"; expect "reject" reason="sender-domain-nonexistent""#,
    );
    holds(r#"from "x@a.example" domain="failed"; to "alice@example.com"; expect "defer""#);
    holds(r#"from ""; to "alice@example.com"; expect "accept" via="store""#);
    holds(r#"from ""; to "postmaster"; expect "accept" via="store""#);
    holds(r#"from ""; to "x@example.net"; expect "reject" reason="null-mx-domain""#);
    holds(r#"from ""; to "x@elsewhere.example"; expect "reject" reason="relay-denied""#);
    holds(
        r#"client "192.0.2.7"; from "x@a.example"; to "x@elsewhere.example"; expect "accept" reason="trusted-network" via="isp" tls="encrypt""#,
    );
    holds(r#"client user="alice"; from "alice@example.com"; to "x@partner.example"; expect "accept" via="direct" tls="verify""#);
    holds(r#"client user="alice"; from "bob@example.com"; to "x@partner.example"; expect "reject" reason="sender-not-owned""#);
    holds(
        r#"client "192.0.2.7" listener="submissions"; from ""; to "alice@example.com"; expect "reject" reason="authentication-required""#,
    );
}

#[test]
fn a_stronger_session_than_promised_is_fine() {
    holds(r#"client user="alice"; from "alice@example.com"; to "x@partner.example"; expect "accept" tls="encrypt""#);
    fails(
        r#"client user="alice"; from "alice@example.com"; to "x@elsewhere.example"; expect "accept" tls="verify""#,
        "mail for x@elsewhere.example goes via isp with tls encrypt",
    );
}

#[test]
fn a_failure_names_what_was_found_and_the_line_behind_it() {
    let promise = r#"client "192.0.2.7"; from "x@a.example"; to "x@elsewhere.example"; expect "reject""#;
    fails(promise, "expected reject, found accept (trusted-network)");
    fails(promise, "RCPT: client is in network office, which may relay  (site.kdl:9)");
    let compiled = run(promise);
    let finding = &compiled.diagnostics[0];
    let line = |label: &crate::report::Label| {
        let start = label.span.start as usize;
        &compiled.sources.source(label.span.source).text[start..start + label.span.length as usize]
    };
    assert_eq!(
        finding.secondary.iter().map(line).collect::<Vec<_>>(),
        ["network \"office\" \"192.0.2.0/24\" relay=#true reason=\"wired LAN\"", "route to=\"*\" via=\"isp\""]
    );
}

#[test]
fn every_address_that_a_recipient_stands_for_must_go_the_promised_way() {
    fails(
        r#"from ""; to "team@example.com"; expect "accept" via="store""#,
        "expected via store, and mail for partner@partner.example goes via direct with tls verify",
    );
}

#[test]
fn a_missing_fact_is_named() {
    fails(
        r#"from "x@a.example"; to "alice@example.com"; expect "accept""#,
        "needs sender-domain: what DNS says of a.example; write that beside its `from`, as in domain=\"found\"",
    );
}

#[test]
fn a_wrong_reason_fails() {
    fails(
        r#"from ""; to "nobody@example.com"; expect "reject" reason="relay-denied""#,
        "expected the reason relay-denied, found unknown-mailbox",
    );
}

#[test]
fn names_in_a_test_must_exist() {
    for (test, line) in [
        (r#"from ""; to "alice@example.com"; expect "accept" via="sotre""#, "sotre"),
        (r#"client listener="mxx"; from ""; to "alice@example.com"; expect "accept""#, "mxx"),
    ] {
        let text = format!("{SITE}test \"promise\" {{ {test}; }}\n");
        let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
        let found: Vec<_> = compiled.diagnostics.iter().map(|finding| finding.code).collect();
        assert_eq!(found, ["NAM001"], "{line}");
    }
}

#[test]
fn a_user_needs_a_listener_that_takes_logins() {
    let text = SITE.replace("listen \"submissions\"\n", "").replace("users \"staff\" { passwd secret=\"users\"; }\n", "");
    let test = r#"test "promise" { client user="alice"; from ""; to "alice@example.com"; expect "accept"; }"#;
    let compiled = compile_text("site.kdl", &format!("{text}{test}\n"), &CompileOptions::default());
    assert!(compiled.tests[0].why[0].contains("no listener takes logins"), "{:#?}", compiled.tests);
}

#[test]
fn the_reply_is_promised_by_how_it_begins() {
    let stranger = r#"from "x@a.example" domain="found"; to "x@elsewhere.example"; expect "reject" "#;
    holds(&format!("{stranger} reply=\"554\""));
    holds(&format!("{stranger} reply=\"554 5.7.1\""));
    fails(&format!("{stranger} reply=\"551\""), "expected a reply that begins with \"551\", and the client reads: 554 5.7.1");
    holds(r#"from "x@a.example" domain="failed"; to "alice@example.com"; expect "defer" reply="451""#);
}

#[test]
fn the_addresses_that_mail_ends_at_are_promised_all_of_them() {
    let team = r#"from ""; to "Team@EXAMPLE.com"; expect "accept" "#;
    holds(&format!("{team} {{ delivers-to \"partner@partner.example\" \"alice@example.com\"; }}"));
    fails(&format!("{team} {{ delivers-to \"alice@example.com\"; }}"), "it reaches partner@partner.example");
    fails(
        &format!("{team} {{ delivers-to \"alice@example.com\" \"bob@example.com\" \"partner@partner.example\"; }}"),
        "it does not reach bob@example.com",
    );
}

#[test]
fn the_judgement_of_a_stranger_is_a_fact_and_that_of_a_receiver_a_promise() {
    let judging = SITE.replace("require \"sender-domain-exists\";", "dmarc honour=#true; spf fail=\"reject\";");
    let judging = judging.replace(" spf-include \"isp.example\";", "");
    assert_ne!(judging, SITE);
    let passed = |test: &str| {
        let text = format!("{judging}test \"promise\" {{ {test}; }}\n");
        let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
        assert!(compiled.model.is_some(), "{:#?}", compiled.diagnostics);
        compiled.tests[0].passed
    };
    assert!(passed(r#"from "x@a.example" spf="fail" dmarc="pass"; to "alice@example.com"; expect "reject" reason="spf-failed""#));
    assert!(passed(r#"from "x@a.example" spf="pass" dmarc="fail-reject"; to "alice@example.com"; expect "reject""#));
    assert!(passed(r#"from "x@a.example" spf="pass" dmarc="pass" author="b.example"; to "alice@example.com"; expect "accept""#));
    // Without the address of the site its record names the host; the relay says nothing of where it sends from.
    let sent = r#"client user="alice"; from "alice@example.com"; to "x@elsewhere.example"; expect "accept" via="isp" "#;
    assert!(passed(&format!("{sent} spf=\"none\" dmarc=\"unaligned\"")));
    assert!(!passed(&format!("{sent} spf=\"pass\"")));
}

#[test]
fn senders_and_bounces_of_forwarded_mail() {
    let more = "domain \"lists.example\" {\n    forward \"carol\" \"carol@far.example\" srs=#true\n    alias \"abuse\" \"alice@example.com\"\n}\n\
                srs domain=\"lists.example\" secret=\"srs\"\nrewrite \"sender\" \"web@example.com\" \"alice@example.com\"\n";
    let bounce = "to \"SRS0=AAAAAAAA=AA=far.example=x@lists.example\"";
    for (test, holds) in [
        ("client \"192.0.2.7\"; from \"x@far.example\"; to \"carol@lists.example\"; expect \"accept\" sender=\"srs\"".to_owned(), true),
        ("client \"192.0.2.7\"; from \"web@example.com\"; to \"y@far.example\"; expect \"accept\" sender=\"alice@example.com\"".to_owned(), true),
        ("client \"192.0.2.7\"; from \"web@example.com\"; to \"y@far.example\"; expect \"accept\" sender=\"web@example.com\"".to_owned(), false),
        (format!("from \"\"; {bounce} srs=\"good\"; expect \"accept\" reason=\"bounce-returned\""), true),
        (format!("from \"\"; {bounce} srs=\"forged\"; expect \"reject\" reason=\"srs-invalid\""), true),
        (format!("from \"\"; {bounce}; expect \"accept\""), false),
    ] {
        let text = format!("{SITE}{more}test \"promise\" {{ {test}; }}\n");
        let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
        assert_eq!(compiled.tests.first().map(|test| test.passed), Some(holds), "{test}\n{:#?}", compiled.diagnostics);
    }
}

/// A site that asks for everything.
const STRICT: &str = r#"
screen {
    require "fqdn-helo" "resolvable-helo" "sender-domain-exists"
    dnsbl "bl.example" weight=3 codes="127.0.0.2-9"
    dnswl "wl.example" weight=-2
    threshold 3
    greylist after="5m"
    reputation halflife="1h"
    spf fail="reject"
    dmarc honour=#true
}
network "lab" "198.51.100.8" {
    exempt "dnsbl" "greylist" "spf"
}
"#;

const CLEAR: &str =
    r#"client "198.51.100.7" helo="mx.a.example" helo-domain="found" greylist="passed" reputation="good"; unlisted"#;
const GOOD: &str = r#"from "x@a.example" domain="found" spf="pass" dmarc="pass"; to "alice@example.com""#;

/// The same without what DMARC comes to.
fn dkim(facts: &str) -> String {
    GOOD.replace("dmarc=\"pass\"", facts)
}

#[test]
fn two_opinions_of_one_fact_are_refused() {
    let test = format!("{CLEAR}; {}", dkim("dmarc=\"pass\" dkim=\"pass\""));
    let site = SITE.replace("screen { require \"sender-domain-exists\"; }\n", STRICT);
    let text = format!("{site}test \"promise\" {{ {test}; expect \"accept\"; }}\n");
    let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
    assert_eq!(compiled.diagnostics.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["LNG015"]);
}

#[test]
fn what_is_set_aside_goes_where_such_mail_goes() {
    for (place, end) in
        [("to=\"quar@example.com\"", "quar@example.com"), ("then=\"mark\"", "alice@example.com"), ("then=\"hold\"", "")]
    {
        let screen = format!("screen {{ spf fail=\"quarantine\"; quarantine {place}; }}");
        let site = SITE
            .replace("screen { require \"sender-domain-exists\"; }", &screen)
            .replace("mailbox \"alice\"", "mailbox \"alice\"; mailbox \"quar\"");
        for promised in ["quar@example.com", "alice@example.com"] {
            let test = format!(
                "from \"x@a.example\" spf=\"fail\"; to \"alice@example.com\"; expect \"accept\" {{ delivers-to \"{promised}\"; }}"
            );
            let text = format!("{site}test \"promise\" {{ {test}; }}\n");
            let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
            assert_eq!(
                compiled.tests.first().map(|test| test.passed),
                Some(promised == end),
                "{place}\n{:#?}",
                compiled.diagnostics
            );
        }
    }
}

fn strictly(test: &str) -> Compiled {
    let site = SITE.replace("screen { require \"sender-domain-exists\"; }\n", STRICT);
    let compiled = compile_text("site.kdl", &format!("{site}test \"promise\" {{ {test}; }}\n"), &CompileOptions::default());
    assert!(compiled.model.is_some(), "{:#?}", compiled.diagnostics);
    compiled
}

#[test]
fn every_fact_of_a_stranger_can_be_set() {
    for (test, expect) in [
        (format!("{CLEAR}; {GOOD}"), r#""accept""#),
        (CLEAR.replace("mx.a.example", "localhost") + "; " + GOOD, r#""reject" reason="helo-not-fqdn" reply="504""#),
        (CLEAR.replace("domain=\"found\"", "domain=\"failed\"") + "; " + GOOD, r#""defer" reason="helo-unresolvable""#),
        (
            CLEAR.replace("unlisted", "listed \"bl.example\"") + "; " + GOOD,
            r#""reject" reason="client-listed" reply="554 5.7.1""#,
        ),
        (CLEAR.replace("unlisted", "listed \"bl.example\" code=\"127.0.0.11\"") + "; " + GOOD, r#""accept""#),
        (CLEAR.replace("unlisted", "listed \"bl.example\"; listed \"wl.example\"") + "; " + GOOD, r#""accept""#),
        (CLEAR.replace("passed", "new") + "; " + GOOD, r#""defer" reason="greylisted" reply="451 4.7.1""#),
        (CLEAR.replace("passed", "waiting") + "; " + GOOD, r#""defer" reason="greylisted""#),
        (CLEAR.replace("greylist=\"passed\"", "waited=\"299s\"") + "; " + GOOD, r#""defer" reason="greylisted""#),
        (CLEAR.replace("greylist=\"passed\"", "waited=\"300s\"") + "; " + GOOD, r#""accept""#),
        (CLEAR.replace("greylist=\"passed\"", "waited=\"3d\"") + "; " + GOOD, r#""defer" reason="greylisted""#),
        (format!("{CLEAR}; {}", dkim("dkim=\"pass\" policy=\"reject\" author=\"b.example\"")), r#""accept""#),
        (format!("{CLEAR}; {}", dkim("dkim=\"fail\" policy=\"reject\"")), r#""accept""#),
        (
            format!("{CLEAR}; {}", dkim("dkim=\"fail\" policy=\"reject\" author=\"b.example\"")),
            r#""reject" reason="dmarc-failed""#,
        ),
        (format!("{CLEAR}; {}", dkim("dkim=\"fail\" policy=\"none\" author=\"b.example\"")), r#""accept""#),
        (format!("{CLEAR}; {}", dkim("dkim=\"fail\" policy=\"no-record\" author=\"b.example\"")), r#""accept""#),
        (CLEAR.replace("good", "poor") + "; " + GOOD, r#""defer" reason="poor-reputation""#),
        (format!("{CLEAR}; {}", GOOD.replace("spf=\"pass\"", "spf=\"fail\"")), r#""reject" reason="spf-failed""#),
        (format!("{CLEAR}; {}", GOOD.replace("dmarc=\"pass\"", "dmarc=\"fail-reject\"")), r#""reject" reason="dmarc-failed""#),
        (
            format!(
                r#"client "198.51.100.8" helo="mx.a.example" helo-domain="found" reputation="good"; {}"#,
                GOOD.replace(" spf=\"pass\"", "")
            ),
            r#""accept""#,
        ),
        (
            r#"client user="alice" tls="none"; from "alice@example.com"; to "alice@example.com""#.to_owned(),
            r#""reject" reason="encryption-required" reply="530""#,
        ),
    ] {
        let compiled = strictly(&format!("{test}; expect {expect}"));
        assert!(compiled.tests[0].passed && compiled.diagnostics.is_empty(), "{test}\n{:#?}", compiled.tests);
    }
}

#[test]
fn a_fact_that_is_left_out_is_asked_for_by_its_name() {
    for (fact, where_to) in [
        (" helo=\"mx.a.example\"", "beside its `client`, as in helo="),
        (" helo-domain=\"found\"", "beside its `client`, as in helo-domain="),
        (" greylist=\"passed\"", "beside its `client`, as in greylist="),
        (" reputation=\"good\"", "beside its `client`, as in reputation="),
        ("; unlisted", "write `unlisted`, or for each list that knows it `listed"),
        (" domain=\"found\"", "beside its `from`, as in domain="),
        (" spf=\"pass\"", "beside its `from`, as in spf="),
        (" dmarc=\"pass\"", "beside its `from`, as in dmarc="),
    ] {
        let whole = format!("{CLEAR}; {GOOD}; expect \"accept\"");
        let compiled = strictly(&whole.replacen(fact, "", 1));
        let why = compiled.tests[0].why.join("\n");
        assert!(why.contains(where_to), "{fact}: {why}");
    }
}
