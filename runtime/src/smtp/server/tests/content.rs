//! DATA and BDAT.

use super::player::play;
use postern_schema::site::ListenerKind::{Mx, Submissions};

const ENVELOPE: &str = "C: MAIL FROM:<a@b>
    C: RCPT TO:<c@d>
    ?: mail <a@b>
    ?: rcpt <c@d>
    S: 250 2.1.0 Sender ok
    S: 250 2.1.5 Recipient ok
";

fn after_rcpt(script: &str) {
    play(Mx, &format!("S: 220 mx.example ESMTP\n EHLO\n {ENVELOPE} {script}"));
}

fn after_data(script: &str) {
    after_rcpt(&format!("C: DATA\n S: 354 End data with <CR><LF>.<CR><LF>\n {script}"));
}

#[test]
fn a_message_by_data_rfc_5321_4_1_1_4() {
    after_data(
        "C: From: a
         C:
         C: ..text
         C: .
         C: QUIT
         ?: message From: a\\r\\n\\r\\n.text\\r\\n with ESMTP
         S: 250 2.0.0 Ok: queued as 1
         S: 221 2.0.0 Bye
         CLOSE",
    );
}

#[test]
fn the_whole_envelope_in_one_group_rfc_2920_3_1() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<a@b>
         C: RCPT TO:<nobody@d>
         C: RCPT TO:<c@d>
         C: DATA
         ?: mail <a@b>
         ?: rcpt <nobody@d>
         ?: rcpt <c@d>
         S: 250 2.1.0 Sender ok
         S: 550 5.1.1 No such user here
         S: 250 2.1.5 Recipient ok
         S: 354 End data with <CR><LF>.<CR><LF>
         C: text
         C: .
         C: MAIL FROM:<e@f>
         ?: message text\\r\\n with ESMTP
         ?: mail <e@f>
         S: 250 2.0.0 Ok: queued as 1
         S: 250 2.1.0 Sender ok",
    );
}

#[test]
fn an_empty_message_by_data_rfc_5321_4_5_2() {
    after_data("C: .\n ?: message  with ESMTP\n S: 250 2.0.0 Ok: queued as 1\n C: NOOP\n S: 250 2.0.0 Ok");
}

#[test]
fn a_message_that_is_not_taken_ends_the_transaction_rfc_5321_4_1_1_4() {
    after_data(
        "C: Date: x
         C: .
         ?: message Date: x\\r\\n with ESMTP
         S: 452 4.3.1 Insufficient system storage
         C: DATA
         S: 503 5.5.1 Bad sequence of commands",
    );
}

#[test]
fn faults_are_told_after_the_true_end_rfc_5321_2_3_8() {
    for text in
        ["a\\nb", "a\\rb", "a\\0b", "a\\n.\\nQUIT", "\\n.", "a\\r.", ".\\r", "a\\r\\n.\\n\\r\\nQUIT", "a\\r\\n.\\0\\r\\nQUIT"]
    {
        after_data(&format!(
            "C: {text}\n C: .\n S: 554 5.6.0 Message holds a bare CR, LF or NUL\n C: NOOP\n S: 250 2.0.0 Ok\n {ENVELOPE}"
        ));
    }
}

#[test]
fn an_oversized_message_is_read_to_its_end_rfc_1870_6_3() {
    let text = "0123456789".repeat(30);
    after_data(&format!("C: {text}\n C: .\n S: 552 5.3.4 Message size exceeds fixed limit\n {ENVELOPE}"));
}

#[test]
fn a_message_that_loops_rfc_5321_6_3() {
    after_data(
        "C: Received: a\n C: Received: b\n C: received: c\n C: .\n S: 554 5.4.6 Too many hops\n C: NOOP\n S: 250 2.0.0 Ok",
    );
}

#[test]
fn an_over_long_text_line_rfc_5321_4_5_3_1_6() {
    use super::player::config;
    use crate::smtp::server::{Server, ServerConfig, Step};
    use bytes::BytesMut;
    let mut server = Server::new(std::sync::Arc::new(ServerConfig { message_octets: 1 << 20, ..config(Mx) }), false);
    server.greet();
    for line in ["HELO a\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<a@b>\r\n", "DATA\r\n"] {
        if let Step::Question(_) = server.advance(&mut BytesMut::from(line)) {
            server.answer(&postern_schema::reply::Reply::OK);
        }
    }
    server.output().clear();
    server.advance(&mut BytesMut::from(format!("{}\r\n.\r\n", "x".repeat(65537)).as_bytes()));
    assert_eq!(server.output().as_slice(), b"554 5.6.0 Message holds an over-long line\r\n");
}

#[test]
fn a_message_in_chunks_rfc_3030_2() {
    after_rcpt(
        "C: BDAT 6
         R: .\\r\\nte
         C: xBDAT 3 last
         R: t\\r\\n
         C: BDAT 0 LAST
         ?: message .\\r\\ntext\\r\\n with ESMTP
         S: 250 2.0.0 6 octets received
         S: 250 2.0.0 Ok: queued as 1
         S: 503 5.5.1 Bad sequence of commands",
    );
}

#[test]
fn an_empty_last_chunk_rfc_3030_2() {
    after_rcpt(
        "C: BDAT 3\n R: a\\r\\n\n C: BDAT 0 LAST\n ?: message a\\r\\n with ESMTP\n S: 250 2.0.0 3 octets received\n S: 250 2.0.0 Ok: queued as 1",
    );
    after_rcpt("C: BDAT 0 LAST\n ?: message  with ESMTP\n S: 250 2.0.0 Ok: queued as 1");
}

#[test]
fn a_line_end_may_be_split_between_chunks_rfc_3030_2() {
    after_rcpt(
        "C: BDAT 2\n R: a\\r\n C: BDAT 2 LAST\n R: \\nb\n ?: message a\\r\\nb\\r\\n with ESMTP\n S: 250 2.0.0 2 octets received\n S: 250 2.0.0 Ok: queued as 1",
    );
}

#[test]
fn a_chunk_in_the_wrong_place_is_read_and_dropped_rfc_3030_2() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         C: BDAT 6
         C: QUIT
         C: NOOP
         S: 503 5.5.1 Bad sequence of commands
         S: 250 2.0.0 Ok
         EHLO
         C: MAIL FROM:<a@b>
         C: RCPT TO:<nobody@d>
         C: BDAT 6 LAST
         C: QUIT
         ?: mail <a@b>
         ?: rcpt <nobody@d>
         S: 250 2.1.0 Sender ok
         S: 550 5.1.1 No such user here
         S: 554 5.5.1 No valid recipients",
    );
}

#[test]
fn faults_in_chunks_rfc_3030_2() {
    after_rcpt(
        "C: BDAT 3
         R: a\\nb
         C: BDAT 2 LAST
         C:
         S: 554 5.6.0 Message holds a bare CR, LF or NUL
         S: 554 5.6.0 Message holds a bare CR, LF or NUL
         C: RCPT TO:<c@d>
         S: 503 5.5.1 Bad sequence of commands",
    );
    let text = "0123456789".repeat(10);
    after_rcpt(&format!(
        "C: BDAT 100\n R: {text}\n C: BDAT 1 LAST\n R: x\n S: 250 2.0.0 100 octets received\n S: 552 5.3.4 Message size exceeds fixed limit\n {ENVELOPE}"
    ));
}

#[test]
fn data_and_rcpt_may_not_follow_a_chunk_rfc_3030_2() {
    after_rcpt(
        "C: BDAT 0
         S: 250 2.0.0 0 octets received
         C: DATA
         S: 503 5.5.1 Bad sequence of commands
         C: RCPT TO:<c@d>
         S: 503 5.5.1 Bad sequence of commands
         C: RSET
         S: 250 2.0.0 Flushed
         C: MAIL FROM:<>
         ?: mail <>
         S: 250 2.1.0 Sender ok",
    );
}

#[test]
fn a_chunk_of_unknown_size_ends_the_session_rfc_3030_2() {
    after_rcpt("C: BDAT x LAST\n C: QUIT\n S: 501 5.5.4 Syntax error in parameters or arguments\n CLOSE");
}

#[test]
fn the_with_keyword_rfc_6531_4_3() {
    play(
        Mx,
        &format!(
            "S: 220 mx.example ESMTP\n C: HELO a\n S: 250 mx.example\n {ENVELOPE} C: BDAT 0 LAST\n ?: message  with SMTP\n S: 250 2.0.0 Ok: queued as 1"
        ),
    );
    play(
        Mx,
        &format!(
            "S: 220 mx.example ESMTP\n C: STARTTLS\n S: 220 2.0.0 Ready to start TLS\n TLS\n EHLO\n {ENVELOPE} C: BDAT 0 LAST\n ?: message  with ESMTPS\n S: 250 2.0.0 Ok: queued as 1"
        ),
    );
    play(
        Submissions,
        &format!(
            "S: 220 mx.example ESMTP\n EHLO\n C: AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\n ?: login alice\n S: 235 2.7.0 Authentication successful\n {ENVELOPE} C: BDAT 0 LAST\n ?: message  with ESMTPSA\n S: 250 2.0.0 Ok: queued as 1"
        ),
    );
    play(
        Submissions,
        "S: 220 mx.example ESMTP\n EHLO\n C: MAIL FROM:<> SMTPUTF8\n C: RCPT TO:<c@d>\n C: BDAT 0 LAST\n ?: mail <> utf8\n ?: rcpt <c@d>\n ?: message  with UTF8SMTPS
         S: 250 2.1.0 Sender ok\n S: 250 2.1.5 Recipient ok\n S: 250 2.0.0 Ok: queued as 1",
    );
}
