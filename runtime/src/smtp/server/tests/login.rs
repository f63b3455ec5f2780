//! AUTH.

use super::player::play;
use postern_schema::site::ListenerKind::{Mx, Submissions};

/// `\0alice\0wonderland`, `alice`, `wonderland`.
const PLAIN: &str = "AGFsaWNlAHdvbmRlcmxhbmQ=";
const ALICE: &str = "YWxpY2U=";
const WONDERLAND: &str = "d29uZGVybGFuZA==";

fn submissions(script: &str) {
    play(Submissions, &format!("S: 220 mx.example ESMTP\n EHLO\n {script}"));
}

#[test]
fn plain_with_an_initial_response_rfc_4954_4() {
    submissions(&format!("C: auth plain {PLAIN}\n ?: login alice\n S: 235 2.7.0 Authentication successful"));
}

#[test]
fn plain_without_an_initial_response_rfc_4954_4() {
    submissions(&format!("C: AUTH PLAIN\n S: 334\n C: {PLAIN}\n ?: login alice\n S: 235 2.7.0 Authentication successful"));
}

#[test]
fn login_with_and_without_an_initial_response() {
    for command in [format!("C: AUTH LOGIN {ALICE}"), format!("C: AUTH LOGIN\n S: 334 VXNlcm5hbWU6\n C: {ALICE}")] {
        submissions(&format!(
            "{command}\n S: 334 UGFzc3dvcmQ6\n C: {WONDERLAND}\n ?: login alice\n S: 235 2.7.0 Authentication successful"
        ));
    }
}

#[test]
fn a_wrong_password_may_be_tried_again_rfc_4954_6() {
    submissions(&format!(
        "C: AUTH LOGIN {ALICE}
         S: 334 UGFzc3dvcmQ6
         C: {ALICE}
         ?: login alice
         S: 535 5.7.8 Authentication credentials invalid
         C: AUTH PLAIN {PLAIN}
         ?: login alice
         S: 235 2.7.0 Authentication successful"
    ));
}

#[test]
fn other_mechanisms_are_the_callers_rfc_4954_4() {
    submissions(&format!(
        "C: AUTH x-caller
         ?: begin X-CALLER None
         S: 334 Y2FsbA==
         C: !
         S: 501 5.5.2 Cannot decode response
         C: AUTH X-CALLER =
         ?: begin X-CALLER Some(\"\")
         S: 334 Y2FsbA==
         C: *
         S: 501 5.7.0 Authentication cancelled
         C: AUTH X-CALLER {WONDERLAND}
         ?: begin X-CALLER Some(\"wonderland\")
         S: 334 Y2FsbA==
         C:
         ?: response \"\"
         S: 334 Y2FsbA==
         C: {WONDERLAND}
         ?: response \"wonderland\"
         S: 535 5.7.8 Authentication credentials invalid"
    ));
    submissions(&format!(
        "C: AUTH X-CALLER\n ?: begin X-CALLER None\n S: 334 Y2FsbA==\n C: {ALICE}\n ?: response \"alice\"
         S: 235 2.7.0 Authentication successful\n C: AUTH X-CALLER\n S: 503 5.5.1 Bad sequence of commands"
    ));
}

#[test]
fn an_exchange_may_be_cancelled_rfc_4954_4() {
    submissions("C: AUTH LOGIN\n S: 334 VXNlcm5hbWU6\n C: *\n S: 501 5.7.0 Authentication cancelled\n C: NOOP\n S: 250 2.0.0 Ok");
}

#[test]
fn malformed_responses_rfc_4954_4() {
    submissions(&format!(
        "C: AUTH PLAIN {ALICE}
         S: 501 5.5.2 Cannot decode response
         C: AUTH PLAIN *
         S: 501 5.5.2 Cannot decode response
         C: AUTH PLAIN =
         S: 501 5.5.2 Cannot decode response"
    ));
    submissions(
        "C: AUTH LOGIN\n S: 334 VXNlcm5hbWU6\n C: QUIT!\n S: 501 5.5.2 Cannot decode response\n C: NOOP\n S: 250 2.0.0 Ok",
    );
    submissions(
        "C: AUTH LOGIN\n S: 334 VXNlcm5hbWU6\n C: a\\nb\n S: 500 5.5.2 Bare CR, LF or NUL in command\n C: NOOP\n S: 250 2.0.0 Ok",
    );
    submissions("C: AUTH\n S: 501 5.5.4 Syntax error in parameters or arguments");
}

#[test]
fn a_response_over_the_limit_rfc_4954_4() {
    let long = "A".repeat(12287);
    submissions(&format!("C: AUTH PLAIN\n S: 334\n C: {long}\n S: 500 5.5.2 Line too long\n C: NOOP\n S: 250 2.0.0 Ok"));
}

#[test]
fn an_unknown_mechanism_rfc_4954_4() {
    submissions("C: AUTH CRAM-MD5\n S: 504 5.5.4 Unrecognized authentication type");
}

#[test]
fn twice_or_within_a_transaction_rfc_4954_4() {
    submissions(&format!(
        "C: AUTH PLAIN {PLAIN}
         ?: login alice
         S: 235 2.7.0 Authentication successful
         C: AUTH PLAIN {PLAIN}
         S: 503 5.5.1 Bad sequence of commands
         EHLO
         C: AUTH PLAIN {PLAIN}
         S: 503 5.5.1 Bad sequence of commands"
    ));
    submissions(&format!(
        "C: MAIL FROM:<>\n ?: mail <>\n S: 250 2.1.0 Sender ok\n C: AUTH PLAIN {PLAIN}\n S: 503 5.5.1 Bad sequence of commands"
    ));
}

#[test]
fn auth_needs_ehlo_and_an_offer_rfc_4954_4() {
    play(
        Submissions,
        "S: 220 mx.example ESMTP\n C: AUTH PLAIN\n S: 503 5.5.1 Send EHLO first\n C: HELO a\n S: 250 mx.example\n C: AUTH PLAIN\n S: 503 5.5.1 Send EHLO first",
    );
    play(Mx, "S: 220 mx.example ESMTP\n EHLO\n C: AUTH PLAIN\n S: 503 5.5.1 Authentication not enabled");
}
