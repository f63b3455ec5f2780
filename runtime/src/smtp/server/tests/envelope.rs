//! MAIL and RCPT.

use super::player::play;
use postern_schema::site::ListenerKind::Mx;

#[test]
fn mail_needs_hello_rfc_5321_4_1_4() {
    play(Mx, "S: 220 mx.example ESMTP\n C: MAIL FROM:<>\n S: 503 5.5.1 Send EHLO first");
}

#[test]
fn commands_out_of_order_rfc_5321_4_1_4() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: RCPT TO:<a@b>
         S: 503 5.5.1 Bad sequence of commands
         C: DATA
         S: 503 5.5.1 Bad sequence of commands
         C: MAIL FROM:<a@b>
         ?: mail <a@b>
         S: 250 2.1.0 Sender ok
         C: MAIL FROM:<a@b>
         S: 503 5.5.1 Bad sequence of commands",
    );
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<a@b>
         ?: mail <a@b>
         S: 250 2.1.0 Sender ok
         C: DATA
         S: 503 5.5.1 Bad sequence of commands
         C: DATA now
         S: 501 5.5.4 Syntax error in parameters or arguments",
    );
}

#[test]
fn data_when_every_recipient_was_refused_rfc_5321_3_3() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<a@b>
         C: RCPT TO:<nobody@d>
         C: RCPT TO:<later@d>
         C: DATA
         ?: mail <a@b>
         ?: rcpt <nobody@d>
         ?: rcpt <later@d>
         S: 250 2.1.0 Sender ok
         S: 550 5.1.1 No such user here
         S: 450 4.2.1 Mailbox unavailable
         S: 554 5.5.1 No valid recipients
         C: RCPT TO:<c@d>
         ?: rcpt <c@d>
         S: 250 2.1.5 Recipient ok",
    );
}

#[test]
fn a_refused_sender_opens_no_transaction_rfc_5321_3_3() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<refused@b>
         C: RCPT TO:<c@d>
         C: DATA
         ?: mail <refused@b>
         S: 550 5.1.8 Sender domain does not exist
         S: 503 5.5.1 Bad sequence of commands
         S: 503 5.5.1 Bad sequence of commands",
    );
}

#[test]
fn paths_and_parameters_reach_the_question_rfc_5321_4_1_1_2() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM: <@a,@b:\"c d\"@[192.0.2.1]> SIZE=100 BODY=8BITMIME AUTH=<> RET=HDRS ENVID=x
         C: RCPT TO:<Postmaster> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@b
         ?: mail <\"c d\"@[192.0.2.1]> 8bit
         ?: rcpt <postmaster> SUCCESS,DELAY
         S: 250 2.1.0 Sender ok
         S: 250 2.1.5 Recipient ok",
    );
}

#[test]
fn smtputf8_holds_for_the_transaction_rfc_6531_3_4() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<é@b> SMTPUTF8
         C: RCPT TO:<ü@b>
         ?: mail <é@b> utf8
         ?: rcpt <ü@b>
         S: 250 2.1.0 Sender ok
         S: 250 2.1.5 Recipient ok
         C: RSET
         C: MAIL FROM:<é@b>
         C: MAIL FROM:<e@b>
         C: RCPT TO:<ü@b>
         ?: mail <e@b>
         S: 250 2.0.0 Flushed
         S: 553 5.6.7 SMTPUTF8 required
         S: 250 2.1.0 Sender ok
         S: 553 5.6.7 SMTPUTF8 required",
    );
}

#[test]
fn a_declared_size_over_the_limit_is_refused_at_mail_rfc_1870_6_1() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<a@b> SIZE=101
         C: MAIL FROM:<a@b> SIZE=99999999999999999999
         S: 552 5.3.4 Message size exceeds fixed limit
         S: 552 5.3.4 Message size exceeds fixed limit
         C: MAIL FROM:<a@b> SIZE=100
         ?: mail <a@b>
         S: 250 2.1.0 Sender ok",
    );
}

#[test]
fn unknown_and_repeated_parameters_rfc_5321_4_1_1_11() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<a@b> HOLDFOR=1
         C: MAIL FROM:<a@b> SIZE=1 SIZE=1
         C: MAIL FROM:a@b
         S: 555 5.5.4 Unsupported parameter
         S: 501 5.5.4 Syntax error in parameters or arguments
         S: 501 5.5.4 Syntax error in parameters or arguments",
    );
}

#[test]
fn too_many_recipients_rfc_5321_4_5_3_1_10() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<a@b>
         C: RCPT TO:<1@d>
         C: RCPT TO:<2@d>
         C: RCPT TO:<nobody@d>
         C: RCPT TO:<4@d>
         C: RCPT TO:<5@d>
         C: RSET
         C: MAIL FROM:<a@b>
         C: RCPT TO:<6@d>
         ?: mail <a@b>
         ?: rcpt <1@d>
         ?: rcpt <2@d>
         ?: rcpt <nobody@d>
         ?: mail <a@b>
         ?: rcpt <6@d>
         S: 250 2.1.0 Sender ok
         S: 250 2.1.5 Recipient ok
         S: 250 2.1.5 Recipient ok
         S: 550 5.1.1 No such user here
         S: 452 4.5.3 Too many recipients
         S: 452 4.5.3 Too many recipients
         S: 250 2.0.0 Flushed
         S: 250 2.1.0 Sender ok
         S: 250 2.1.5 Recipient ok",
    );
}

#[test]
fn an_answer_may_close_the_channel_rfc_5321_3_8() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<closing@b>
         C: RCPT TO:<a@b>
         ?: mail <closing@b>
         S: 421 4.3.2 Service not available, closing transmission channel
         CLOSE",
    );
}

#[test]
fn harvesting_addresses_ends_the_session_rfc_5321_7_3() {
    play(
        Mx,
        "S: 220 mx.example ESMTP
         EHLO
         C: MAIL FROM:<a@b>
         C: RCPT TO:<nobody@d>
         C: RCPT TO:<nobody@d>
         C: RCPT TO:<nobody@d>
         C: RSET
         C: MAIL FROM:<a@b>
         C: RCPT TO:<nobody@d>
         ?: mail <a@b>
         ?: rcpt <nobody@d>
         ?: rcpt <nobody@d>
         ?: rcpt <nobody@d>
         ?: mail <a@b>
         ?: rcpt <nobody@d>
         S: 250 2.1.0 Sender ok
         S: 550 5.1.1 No such user here
         S: 550 5.1.1 No such user here
         S: 550 5.1.1 No such user here
         S: 250 2.0.0 Flushed
         S: 250 2.1.0 Sender ok
         S: 421 4.7.0 Too many errors, closing transmission channel
         CLOSE",
    );
}
