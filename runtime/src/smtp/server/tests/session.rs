//! Greeting, EHLO, STARTTLS, command lines and errors.

use super::player::{config, play, play_whole};
use crate::smtp::server::{Server, ServerConfig, Step};
use bytes::BytesMut;
use postern_schema::reply::Reply;
use postern_schema::site::ListenerKind::{Mx, Submission, Submissions};
use proptest::prelude::*;
use std::sync::Arc;

#[test]
fn greeting_and_quit_rfc_5321_4_3_1() {
    play(Mx, "S: 220 mx.example ESMTP\n C: QUIT\n C: NOOP\n S: 221 2.0.0 Bye\n CLOSE");
}

#[test]
fn ehlo_on_an_mx_listener_rfc_5321_4_1_1_1() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         C: EHLO client.example
         S: 250-mx.example
         S: 250-PIPELINING
         S: 250-SIZE 100
         S: 250-8BITMIME
         S: 250-SMTPUTF8
         S: 250-ENHANCEDSTATUSCODES
         S: 250-CHUNKING
         S: 250-BINARYMIME
         S: 250-DSN
         S: 250-LIMITS RCPTMAX=3
         S: 250 STARTTLS",
    );
}

#[test]
fn helo_announces_nothing_rfc_5321_4_1_1_1() {
    play(Mx, "S: 220 mx.example ESMTP\n C: HELO client.example\n S: 250 mx.example");
}

#[test]
fn auth_is_announced_to_users_under_tls_only_rfc_4954_4() {
    let announced = |kind, tls, mechanisms| {
        let mut server = Server::new(Arc::new(ServerConfig { mechanisms, ..config(kind) }), tls);
        server.greet();
        server.advance(&mut BytesMut::from("EHLO a\r\n"));
        let text = String::from_utf8(server.output().clone()).unwrap();
        (text.contains("AUTH PLAIN LOGIN\r\n"), text.contains("STARTTLS\r\n"))
    };
    let both: Vec<Box<str>> = ["PLAIN", "LOGIN"].map(Box::from).to_vec();
    assert_eq!(announced(Mx, false, both.clone()), (false, true));
    assert_eq!(announced(Mx, true, both.clone()), (false, false));
    assert_eq!(announced(Submission, false, both.clone()), (false, true));
    assert_eq!(announced(Submission, true, both.clone()), (true, false));
    assert_eq!(announced(Submissions, true, both.clone()), (true, false));
    assert_eq!(announced(Submissions, true, vec![]), (false, false));
    assert_eq!(
        announced(Submissions, true, [vec!["SCRAM-SHA-256-PLUS".into()], both].concat()),
        (true, false),
        "no channel to bind to"
    );
}

#[test]
fn a_bad_ehlo_changes_nothing_rfc_5321_4_1_4() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<>
         ?: mail <>
         S: 250 2.1.0 Sender ok
         C: EHLO
         S: 501 5.5.4 Syntax error in parameters or arguments
         C: EHLO <junk>
         S: 501 5.5.4 Syntax error in parameters or arguments
         C: RCPT TO:<a@b>
         ?: rcpt <a@b>
         S: 250 2.1.5 Recipient ok
         C: RSET
         S: 250 2.0.0 Flushed
         C: RCPT TO:<a@b>
         S: 503 5.5.1 Bad sequence of commands",
    );
}

#[test]
fn a_good_ehlo_resets_the_transaction_rfc_5321_4_1_4() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<>
         ?: mail <>
         S: 250 2.1.0 Sender ok
         EHLO
         C: RCPT TO:<a@b>
         S: 503 5.5.1 Bad sequence of commands
         C: MAIL FROM:<>
         ?: mail <>
         S: 250 2.1.0 Sender ok",
    );
}

#[test]
fn starttls_forgets_everything_rfc_3207_4_2() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<>
         ?: mail <>
         S: 250 2.1.0 Sender ok
         C: STARTTLS
         S: 220 2.0.0 Ready to start TLS
         TLS
         C: RCPT TO:<a@b>
         S: 503 5.5.1 Bad sequence of commands
         C: MAIL FROM:<>
         S: 503 5.5.1 Send EHLO first
         C: EHLO client.example
         S: 250-mx.example
         S: 250-PIPELINING
         S: 250-SIZE 100
         S: 250-8BITMIME
         S: 250-SMTPUTF8
         S: 250-ENHANCEDSTATUSCODES
         S: 250-CHUNKING
         S: 250-BINARYMIME
         S: 250-DSN
         S: 250-LIMITS RCPTMAX=3
         S: 250 REQUIRETLS
         C: STARTTLS
         S: 503 5.5.1 TLS is already on",
    );
}

#[test]
fn starttls_without_a_certificate_rfc_3207_4() {
    let mut server = Server::new(Arc::new(ServerConfig { starttls: false, ..config(Mx) }), false);
    server.greet();
    server.output().clear();
    assert!(matches!(server.advance(&mut BytesMut::from("STARTTLS\r\n")), Step::NeedInput));
    assert_eq!(server.output().as_slice(), b"454 4.7.0 TLS not available now\r\n");
}

#[test]
fn commands_that_do_not_wait_are_refused_rfc_2920_3_1() {
    for command in ["EHLO a", "HELO a", "STARTTLS", "DATA", "AUTH PLAIN"] {
        let script = format!(
            "S: 220 mx.example ESMTP\n EHLO\n C: {command}\n R: x\n S: 554 5.5.0 Improper use of SMTP command pipelining\n CLOSE"
        );
        play_whole(Mx, &script);
        play_whole(Submission, &script);
    }
}

#[test]
fn input_behind_data_is_never_taken_for_the_message_rfc_2920_3_1() {
    play_whole(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<a@b>
         C: RCPT TO:<c@d>
         C: DATA
         C: Subject: too early
         ?: mail <a@b>
         ?: rcpt <c@d>
         S: 250 2.1.0 Sender ok
         S: 250 2.1.5 Recipient ok
         S: 554 5.5.0 Improper use of SMTP command pipelining
         CLOSE",
    );
}

#[test]
fn input_before_the_greeting_rfc_5321_4_3_1() {
    let mut server = Server::new(Arc::new(config(Mx)), false);
    let mut input = BytesMut::from("EHLO a\r\n");
    assert!(!server.spoke_early(b"") && server.spoke_early(&input));
    assert!(matches!(server.advance(&mut input), Step::NeedInput) && !input.is_empty());
    server.refuse(&Reply::PIPELINING_ABUSE);
    assert!(matches!(server.advance(&mut input), Step::Close));
    assert!(server.output().starts_with(b"554 "));
}

#[test]
fn submission_demands_tls_rfc_3207_4() {
    for command in ["MAIL FROM:<>", "RCPT TO:<a@b>", "DATA", "BDAT 0 LAST", "VRFY a", "HELP", "AUTH PLAIN"] {
        let script = format!(
            "S: 220 mx.example ESMTP
             C: NOOP
             S: 250 2.0.0 Ok
             C: HELO a
             S: 250 mx.example
             C: RSET
             S: 250 2.0.0 Flushed
             C: {command}
             S: 530 5.7.0 Must issue a STARTTLS command first
             C: STARTTLS
             S: 220 2.0.0 Ready to start TLS
             TLS
             EHLO
             C: MAIL FROM:<>
             ?: mail <>
             S: 250 2.1.0 Sender ok
             C: QUIT
             S: 221 2.0.0 Bye
             CLOSE"
        );
        play(Submission, &script);
    }
}

#[test]
fn commands_without_effect_rfc_5321_4_1_1() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         C: NOOP
         C: noop with a word
         C: HELP
         C: HELP MAIL
         C: VRFY alice
         C: RSET
         S: 250 2.0.0 Ok
         S: 250 2.0.0 Ok
         S: 214 2.0.0 See RFC 5321
         S: 214 2.0.0 See RFC 5321
         S: 252 2.5.2 Cannot VRFY user, but will accept message and attempt delivery
         S: 250 2.0.0 Flushed",
    );
}

#[test]
fn commands_that_are_not_served_rfc_5321_4_2_4() {
    for command in ["EXPN list", "ETRN example", "TURN"] {
        play(Mx, &format!("S: 220 mx.example ESMTP\n C: {command}\n S: 502 5.5.1 Command not implemented"));
    }
}

#[test]
fn unknown_commands_and_blank_lines_rfc_5321_4_2_4() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         C: GET / HTTP/1.1
         C:
         C: MAILFROM:<>
         S: 500 5.5.2 Command not recognized
         S: 500 5.5.2 Command not recognized
         S: 500 5.5.2 Command not recognized",
    );
}

#[test]
fn arguments_where_none_belong_rfc_5321_4_1_1_5() {
    for command in ["RSET x", "QUIT x", "STARTTLS x", "VRFY"] {
        play(Mx, &format!("S: 220 mx.example ESMTP\n C: {command}\n S: 501 5.5.4 Syntax error in parameters or arguments"));
    }
}

#[test]
fn bare_line_ends_in_commands_rfc_5321_2_3_8() {
    for line in ["NOOP\\nQUIT", "NOOP\\rQUIT", "NO\\0OP", "\\n", "QUIT\\r", "QUIT\\n\\nQUIT\\r\\rQUIT", "NOOP\\r\\0"] {
        let script = format!(
            "S: 220 mx.example ESMTP\n C: {line}\n S: 500 5.5.2 Bare CR, LF or NUL in command\n C: NOOP\n S: 250 2.0.0 Ok"
        );
        play(Mx, &script);
    }
}

#[test]
fn command_lines_over_the_limit_rfc_5321_4_5_3_1_9() {
    let line = |verb: &str, octets: usize| format!("{verb} {}", "x".repeat(octets - verb.len() - 3));
    for (line, reply) in [
        (line("NOOP", 4096), "250 2.0.0 Ok"),
        (line("NOOP", 4097), "500 5.5.2 Line too long"),
        (line("NOOP", 40000), "500 5.5.2 Line too long"),
        (line("auth", 12288), "504 5.5.4 Unrecognized authentication type"),
        (line("AUTH", 12289), "500 5.5.2 Line too long"),
    ] {
        let octets = line.len() + 2;
        let script = format!("S: 220 mx.example ESMTP\n EHLO\n C: {line}\n S: {reply}\n C: NOOP\n S: 250 2.0.0 Ok");
        println!("{octets} octets");
        play(Submissions, &script);
    }
}

#[test]
fn too_many_errors_end_the_session() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         C: A
         C: NOOP
         C: B\\nB
         C: RCPT TO:<a@b>
         C: C
         C: NOOP
         S: 500 5.5.2 Command not recognized
         S: 250 2.0.0 Ok
         S: 500 5.5.2 Bare CR, LF or NUL in command
         S: 503 5.5.1 Bad sequence of commands
         S: 421 4.7.0 Too many errors, closing transmission channel
         CLOSE",
    );
}

#[test]
fn a_message_that_was_taken_makes_up_for_errors() {
    let errors = "C: A\n C: A\n S: 500 5.5.2 Command not recognized\n S: 500 5.5.2 Command not recognized";
    play(
        Mx,
        &format!(
            "S: 220 mx.example ESMTP
             EHLO
             {errors}
             C: MAIL FROM:<a@b>
             C: RCPT TO:<c@d>
             C: BDAT 0 LAST
             ?: mail <a@b>
             ?: rcpt <c@d>
             ?: message  with ESMTP
             S: 250 2.1.0 Sender ok
             S: 250 2.1.5 Recipient ok
             S: 250 2.0.0 Ok: queued as 1
             {errors}
             C: NOOP
             S: 250 2.0.0 Ok"
        ),
    );
}

#[test]
fn a_client_that_never_reads_costs_no_memory() {
    let mut server = Server::new(Arc::new(ServerConfig { errors: u32::MAX, ..config(Mx) }), false);
    server.greet();
    let mut input = BytesMut::from("VRFY a\r\n".repeat(10_000).as_bytes());
    let mut replies = 0;
    while matches!(server.advance(&mut input), Step::Flush) {
        assert!(server.output().len() < 32 << 10);
        replies += server.output().iter().filter(|octet| **octet == b'\n').count();
        server.output().clear();
    }
    replies += server.output().iter().filter(|octet| **octet == b'\n').count();
    assert_eq!((replies, input.len()), (10_001, 0));
}

#[test]
fn vrfy_can_be_off_rfc_5321_3_5_2() {
    let mut server = Server::new(Arc::new(ServerConfig { vrfy: false, ..config(Mx) }), false);
    server.greet();
    server.output().clear();
    assert!(matches!(server.advance(&mut BytesMut::from("VRFY alice\r\n")), Step::NeedInput));
    assert!(server.output().starts_with(b"502 "));
}

#[test]
fn an_answer_that_nobody_asked_for_is_ignored() {
    let mut server = Server::new(Arc::new(config(Mx)), false);
    server.refuse(&Reply::SERVICE_CLOSING);
    server.output().clear();
    server.answer(&Reply::OK);
    server.tls_started();
    assert!(matches!(server.advance(&mut BytesMut::from("NOOP\r\n")), Step::Close) && server.output().is_empty());
}

/// Octets that lead somewhere: pieces of commands and of messages, and noise.
fn noise() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let word = prop_oneof![
        Just("EHLO a\r\n"),
        Just("MAIL FROM:<a@b> SIZE=9\r\n"),
        Just("RCPT TO:<a@b>\r\n"),
        Just("DATA\r\n"),
        Just("BDAT 7\r\n"),
        Just("BDAT 99999999999 LAST\r\n"),
        Just("BDAT 5 LAST\r\n"),
        Just(".\r\n"),
        Just("\r\n.\r\n"),
        Just("AUTH PLAIN\r\n"),
        Just("AUTH LOGIN YQ==\r\n"),
        Just("YQ==\r\n"),
        Just("STARTTLS\r\n"),
        Just("RSET\r\n"),
        Just("From: a\r\n"),
        Just("..\r\n"),
        Just("text"),
        Just("\r"),
        Just("\n"),
    ];
    let any = proptest::collection::vec(any::<u8>(), 0..20);
    proptest::collection::vec(prop_oneof![4 => word.prop_map(|word| word.as_bytes().to_vec()), 1 => any], 0..60)
}

proptest! {
    #[test]
    fn no_input_panics_or_fills_memory(pieces in noise(), kind in prop_oneof![Just(Mx), Just(Submission), Just(Submissions)]) {
        let mut server = Server::new(Arc::new(ServerConfig { errors: 1000, ..config(kind) }), kind.is_implicit_tls());
        server.greet();
        let mut input = BytesMut::new();
        for piece in pieces {
            input.extend_from_slice(&piece);
            loop {
                match server.advance(&mut input) {
                    Step::NeedInput | Step::Close => break,
                    Step::Flush => {}
                    Step::StartTls => server.tls_started(),
                    Step::Question(_) => server.answer(&Reply::OK),
                }
                server.output().clear();
            }
            prop_assert!(server.body_octets() <= 100 && server.output().len() < 32 << 10 && input.len() <= 12288);
        }
    }
}
