//! Transactions: what is said, and which reply falls to whom.

use super::player::{CONTENT, PIPELINING, READY, config, describe, lmtp, plaintext, play, play_once, recipient, transaction};
use crate::smtp::client::transaction::WINDOW;
use crate::smtp::client::{Client, ClientConfig, ClientStep, Recipient, Transaction};
use crate::smtp::command::{Notify, OriginalRecipient, Return, Xtext};
use bytes::BytesMut;
use postern_schema::name::ReversePath;
use postern_schema::site::TlsLevel;
use proptest::prelude::*;

#[test]
fn one_command_at_a_time_rfc_5321_4_1_4() {
    plaintext(&format!(
        "{READY}
        BEGIN c@d e@f
        C: MAIL FROM:<a@b>
        S: 250 ok
        !: needs input
        C: RCPT TO:<c@d>
        S: 250 ok
        !: needs input
        C: RCPT TO:<e@f>
        S: 550 5.1.1 nobody
        !: needs input
        C: DATA
        S: 354 go on
        BODY
        C: ..Subject: x
        C:
        C: text
        C: .
        S: 250 2.0.0 queued
        !: done: 250 2.0.0 queued | 550 5.1.1 nobody
        !: ready
        QUIT
        C: QUIT
        S: 221 bye
        !: closed"
    ));
}

/// A session with a peer that takes groups and chunks.
const CHUNKING: &str = "S: 220 mx.example
    !: needs input
    C: EHLO client.example
    S: 250-mx.example
    S: 250-CHUNKING
    S: 250 PIPELINING
    !: ready
";

#[test]
fn content_goes_in_chunks_where_the_peer_takes_them_rfc_3030_2() {
    let script = format!(
        "{CHUNKING}
        BEGIN c@d e@f
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        S: 250 ok
        S: 550 5.1.1 nobody
        S: 250 ok
        BODY
        C: BDAT 21 LAST
        C: .Subject: x
        C:
        C: text
        S: 250 2.0.0 queued
        !: done: 550 5.1.1 nobody | 250 2.0.0 queued
        !: ready"
    );
    play_once(&config(TlsLevel::None), TlsLevel::None, &script, usize::MAX);
    let two = script
        .replace("C: BDAT 21 LAST\n        C: .Subject: x", "C: BDAT 13\n        C: .Subject: x\n        C: BDAT 8 LAST")
        .replace("S: 250 2.0.0 queued", "S: 250 13 octets\n        S: 250 2.0.0 queued");
    play_once(&config(TlsLevel::None), TlsLevel::None, &two, 13);
    let refused = two.replace("S: 250 13 octets\n        S: 250 2.0.0 queued", "S: 552 5.3.4 too much");
    let refused = refused.replace(
        "!: done: 550 5.1.1 nobody | 250 2.0.0 queued\n        !: ready",
        "!: done: 550 5.1.1 nobody | 552 5.3.4 too much (closed)",
    );
    play_once(&config(TlsLevel::None), TlsLevel::None, &refused, 13);
}

#[test]
fn nothing_is_sent_to_a_peer_that_refused_every_recipient_rfc_3030_2() {
    plaintext(&format!(
        "{CHUNKING}
        BEGIN c@d
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        S: 250 ok
        S: 550 5.1.1 nobody
        !: done: 550 5.1.1 nobody
        !: ready
        BEGIN g@h
        C: RSET
        C: MAIL FROM:<a@b>
        C: RCPT TO:<g@h>"
    ));
}

#[test]
fn the_envelope_in_one_group_rfc_2920_3_1() {
    plaintext(&format!(
        "{PIPELINING}
        BEGIN c@d e@f
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 250 ok
        S: 450 4.2.1 later
        S: 250 ok
        S: 354 go on
        BODY
        C: ..Subject: x
        C:
        C: text
        C: .
        S: 250 2.0.0 queued
        !: done: 450 4.2.1 later | 250 2.0.0 queued
        BEGIN g@h
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<g@h>
        C: DATA"
    ));
}

#[test]
fn a_long_envelope_waits_for_replies_rfc_2920_3_1() {
    let mut client = Client::new(config(TlsLevel::None), TlsLevel::None);
    let mut input = BytesMut::from("220 a\r\n250-a\r\n250 PIPELINING\r\n");
    assert!(matches!(client.receive(&mut input), ClientStep::Ready));
    client.output().clear();
    client.begin(transaction(&"a@b ".repeat(200)));
    let mut said = String::new();
    for answered in 0..201 {
        said += std::str::from_utf8(client.output()).unwrap();
        client.output().clear();
        assert_eq!(said.matches("\r\n").count(), 202.min(answered + WINDOW));
        assert!(matches!(client.receive(&mut BytesMut::from("250 ok\r\n")), ClientStep::NeedInput));
    }
    assert!(said.ends_with("RCPT TO:<a@b>\r\nDATA\r\n") && said.matches("RCPT").count() == 200);
    assert!(matches!(client.receive(&mut BytesMut::from("354 go on\r\n")), ClientStep::SendBody));
}

#[test]
fn a_refused_sender_is_everybodys_reply_rfc_5321_3_3() {
    plaintext(&format!(
        "{READY}
        BEGIN c@d e@f
        C: MAIL FROM:<a@b>
        S: 550 5.7.1 go away
        !: done: 550 5.7.1 go away | 550 5.7.1 go away
        BEGIN g@h
        C: MAIL FROM:<a@b>"
    ));
    plaintext(&format!(
        "{PIPELINING}
        BEGIN c@d e@f
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 451 4.3.0 trouble
        S: 503 MAIL first
        S: 503 MAIL first
        S: 503 MAIL first
        !: done: 451 4.3.0 trouble | 451 4.3.0 trouble"
    ));
}

#[test]
fn nobody_is_left_rfc_5321_3_3() {
    plaintext(&format!(
        "{READY}
        BEGIN c@d
        C: MAIL FROM:<a@b>
        S: 250 ok
        !: needs input
        C: RCPT TO:<c@d>
        S: 550 5.1.1 nobody
        !: done: 550 5.1.1 nobody
        BEGIN e@f
        C: RSET
        S: 250 ok
        !: needs input
        C: MAIL FROM:<a@b>
        S: 250 ok
        !: needs input
        C: RCPT TO:<e@f>
        S: 250 ok
        !: needs input
        C: DATA
        S: 354 go on
        BODY
        C: ..Subject: x
        C:
        C: text
        C: .
        S: 250 queued
        !: done: 250 queued
        BEGIN g@h
        C: MAIL FROM:<a@b>"
    ));
}

#[test]
fn content_for_nobody_is_a_lone_dot_rfc_2920_3_1() {
    plaintext(&format!(
        "{PIPELINING}
        BEGIN c@d
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<c@d>
        C: DATA
        S: 250 ok
        S: 550 5.1.1 nobody
        S: 354 go on
        !: needs input
        C: .
        S: 250 took an empty message
        !: done: 550 5.1.1 nobody
        BEGIN e@f
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<e@f>
        C: DATA"
    ));
}

#[test]
fn refused_data_is_for_those_who_were_accepted_rfc_5321_4_1_1_4() {
    plaintext(&format!(
        "{PIPELINING}
        BEGIN c@d e@f
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 250 ok
        S: 550 5.1.1 nobody
        S: 250 ok
        S: 452 4.3.1 full
        !: done: 550 5.1.1 nobody | 452 4.3.1 full
        BEGIN g@h
        C: RSET
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<g@h>
        C: DATA
        S: 500 what
        !: done: 450 4.5.0 The peer would not reset: 500 what (closed)
        !: closed"
    ));
}

#[test]
fn a_lost_connection_leaves_the_refusals_standing() {
    let body = "{PIPELINING}
        BEGIN c@d e@f
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 250 ok
        S: 550 5.1.1 nobody
        S: 250 ok
        S: 354 go on
        BODY
        C: ..Subject: x
        C:
        C: text
        C: .
        LOST done: 550 5.1.1 nobody | 450 4.4.2 Connection lost (closed)
        !: closed";
    plaintext(&body.replace("{PIPELINING}", PIPELINING));
    plaintext("LOST failed at Greeting: 450 4.4.2 Connection lost");
}

#[test]
fn a_refusal_while_content_is_sent() {
    plaintext(&format!(
        "{PIPELINING}
        BEGIN c@d
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<c@d>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go on
        !: wants body
        S: 552 5.3.4 enough
        !: done: 552 5.3.4 enough (closed)"
    ));
}

#[test]
fn what_the_peer_said_that_it_cannot_take_is_not_tried_rfc_1870_6_1() {
    let mut client = Client::new(config(TlsLevel::None), TlsLevel::None);
    let mut input = BytesMut::from("220 a\r\n250-a\r\n250 SIZE 20\r\n");
    assert!(matches!(client.receive(&mut input), ClientStep::Ready));
    client.output().clear();
    for (recipients, smtputf8, expected) in [
        (
            "c@d e@f",
            false,
            "done: 552 5.3.4 The next host takes 20 octets, and the message has 21 | 552 5.3.4 The next host takes 20 octets, and the message has 21",
        ),
        ("c@d", true, "done: 550 5.6.7 The next host does not offer SMTPUTF8"),
        ("ü@d", false, "done: 550 5.6.7 The next host does not offer SMTPUTF8"),
        ("", false, "done: "),
    ] {
        client.begin(Transaction { smtputf8, ..transaction(recipients) });
        assert_eq!(describe(&client.receive(&mut input)), expected);
        assert!(client.output().is_empty());
    }
    assert!(matches!(client.receive(&mut input), ClientStep::Ready));
}

#[test]
fn parameters_go_to_those_who_know_them_rfc_3461_5_2() {
    let commands = |announced: &str| {
        let mut client = Client::new(config(TlsLevel::None), TlsLevel::None);
        let mut input = BytesMut::from(format!("220 a\r\n250-a\r\n{announced}250 PIPELINING\r\n").as_bytes());
        assert!(matches!(client.receive(&mut input), ClientStep::Ready));
        client.output().clear();
        client.begin(Transaction {
            reverse_path: ReversePath::Null,
            recipients: vec![Recipient {
                notify: Notify::parse("NEVER"),
                original_recipient: OriginalRecipient::parse("rfc822;a+40b"),
                ..recipient("\"c d\"@d")
            }],
            eight_bit: true,
            require_tls: false,
            ret: Some(Return::Headers),
            envelope_id: Xtext::parse("x+2B"),
            ..transaction("")
        });
        String::from_utf8(std::mem::take(client.output())).unwrap()
    };
    assert_eq!(commands(""), "MAIL FROM:<>\r\nRCPT TO:<\"c d\"@d>\r\nDATA\r\n");
    assert_eq!(
        commands("250-DSN\r\n250-8BITMIME\r\n250-SIZE\r\n"),
        "MAIL FROM:<> SIZE=21 BODY=8BITMIME RET=HDRS ENVID=x+2B\r\nRCPT TO:<\"c d\"@d> NOTIFY=NEVER ORCPT=rfc822;a+40b\r\nDATA\r\n"
    );
}

#[test]
fn smtputf8_is_asked_for_where_it_is_needed_rfc_6531_3_4() {
    let mut client = Client::new(config(TlsLevel::None), TlsLevel::None);
    let mut input = BytesMut::from("220 a\r\n250-a\r\n250 SMTPUTF8\r\n");
    assert!(matches!(client.receive(&mut input), ClientStep::Ready));
    client.output().clear();
    client.begin(transaction("ü@d"));
    assert_eq!(client.output().as_slice(), "MAIL FROM:<a@b> SMTPUTF8\r\n".as_bytes());
}

const LMTP: &str = "S: 220 lmtp
    !: needs input
    C: LHLO client.example
    S: 250-lmtp
    S: 250 PIPELINING
    !: ready
    BEGIN c@d e@f g@h
    C: MAIL FROM:<a@b>
    C: RCPT TO:<c@d>
    C: RCPT TO:<e@f>
    C: RCPT TO:<g@h>
    C: DATA
";

#[test]
fn lmtp_answers_for_each_recipient_rfc_2033_4_2() {
    let body =
        "S: 250 ok\n S: 250 ok\n S: 550 5.1.1 nobody\n S: 250 ok\n S: 354 go on\n BODY\n C: ..Subject: x\n C:\n C: text\n C: .";
    play(
        &lmtp(),
        TlsLevel::None,
        &format!(
            "{LMTP} {body}\n S: 250 saved\n S: 452 4.2.2 full\n !: done: 250 saved | 550 5.1.1 nobody | 452 4.2.2 full\n !: ready"
        ),
    );
    play(
        &lmtp(),
        TlsLevel::None,
        &format!(
            "{LMTP} {body}\n S: 250 saved\n !: needs input\n LOST done: 250 saved | 550 5.1.1 nobody | 450 4.4.2 Connection lost (closed)"
        ),
    );
    play(
        &lmtp(),
        TlsLevel::None,
        &format!(
            "{LMTP} S: 250 ok\n S: 550 a\n S: 550 b\n S: 550 c\n S: 503 5.5.1 nobody is left\n !: done: 550 a | 550 b | 550 c"
        ),
    );
    play(
        &lmtp(),
        TlsLevel::None,
        "S: 220 lmtp\n !: needs input\n C: LHLO client.example\n S: 500 what\n !: failed at Hello: 500 what",
    );
}

proptest! {
    #[test]
    fn no_peer_panics_or_misaligns_an_outcome(
        replies in proptest::collection::vec("(220|250|354|334|235|450|550|421)[ -][a-z]{0,3}\r\n|[ -~]{0,5}\r\n", 0..12),
        step in 1usize..30, lmtp: bool, pipelining: bool, chunking: bool,
    ) {
        let mut client = Client::new(ClientConfig { lmtp, ..config(TlsLevel::May) }, TlsLevel::None);
        let mut input = BytesMut::from(match (pipelining, chunking) {
            (true, true) => "220 a\r\n250-a\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
            (true, false) => "220 a\r\n250-a\r\n250 PIPELINING\r\n",
            _ => "220 a\r\n250 a\r\n",
        });
        let mut begun = 0;
        for piece in [&b""[..]].into_iter().chain(replies.concat().as_bytes().chunks(step)) {
            input.extend_from_slice(piece);
            for _ in 0..20 {
                match client.receive(&mut input) {
                    ClientStep::Ready if begun < 3 => {
                        begun += 1;
                        client.begin(transaction("c@d e@f"));
                    }
                    ClientStep::SendBody => {
                        client.write_body(CONTENT);
                        client.end_body();
                    }
                    ClientStep::Done(outcome) => prop_assert_eq!(outcome.replies.len(), 2),
                    ClientStep::StartTls => client.tls_started(TlsLevel::Verify),
                    _ => break,
                }
                prop_assert!(client.output().len() < 4096);
            }
        }
    }
}
