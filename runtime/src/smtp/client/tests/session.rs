//! How a session comes about: greeting, EHLO, TLS, AUTH; and how it ends.

use super::player::{PIPELINING, READY, config, plaintext, play, play_once, with_login};
use postern_schema::site::TlsLevel;

#[test]
fn a_closing_peer_ends_the_session_rfc_5321_3_8() {
    plaintext("S: 421 4.3.2 busy\n !: failed at Greeting: 421 4.3.2 busy\n !: closed");
    plaintext(&format!(
        "{READY} S: 421 4.4.2 idle\n !: failed at Ready: 421 4.4.2 idle\n BEGIN c@d\n !: done: 450 4.4.2 No session with the peer (closed)"
    ));
    plaintext(&format!(
        "{PIPELINING}
        BEGIN c@d e@f
        C: MAIL FROM:<a@b> SIZE=21
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 250 ok
        S: 550 5.1.1 nobody
        S: 421 4.3.2 down
        !: done: 550 5.1.1 nobody | 421 4.3.2 down (closed)
        !: closed"
    ));
}

#[test]
fn helo_where_ehlo_is_unknown_rfc_5321_3_2() {
    plaintext(
        "S: 220 mx\n !: needs input\n C: EHLO client.example\n S: 502 what\n !: needs input\n C: HELO client.example\n S: 250 mx\n !: ready",
    );
    plaintext(
        "S: 220 mx\n !: needs input\n C: EHLO client.example\n S: 500 what\n !: needs input\n C: HELO client.example\n S: 550 no\n !: failed at Hello: 550 no",
    );
    plaintext("S: 220 mx\n !: needs input\n C: EHLO client.example\n S: 451 later\n !: failed at Hello: 451 later");
    plaintext("S: 554 no mail here\n !: failed at Greeting: 554 no mail here");
}

const WITH_STARTTLS: &str = "S: 220 mx.example
    !: needs input
    C: EHLO client.example
    S: 250-mx.example
    S: 250-PIPELINING
    S: 250-AUTH PLAIN LOGIN
    S: 250 STARTTLS
";

#[test]
fn starttls_begins_the_session_anew_rfc_3207_4_2() {
    for level in [TlsLevel::May, TlsLevel::Encrypt, TlsLevel::Verify] {
        let script = format!(
            "{WITH_STARTTLS}
            !: needs input
            C: STARTTLS
            S: 220 go
            TLS verify
            C: EHLO client.example
            S: 250 mx.example
            !: ready
            BEGIN c@d
            C: MAIL FROM:<a@b>"
        );
        play(&config(level), TlsLevel::None, &script);
    }
    plaintext(&format!("{WITH_STARTTLS} !: ready"));
    // What was announced in plaintext does not hold even if nothing is announced any more.
    let script = format!(
        "{WITH_STARTTLS}
        !: needs input
        C: STARTTLS
        S: 220 go
        TLS encrypt
        C: EHLO client.example
        S: 500 what
        !: needs input
        C: HELO client.example
        S: 250 mx.example
        !: ready
        BEGIN c@d
        C: MAIL FROM:<a@b>"
    );
    play(&config(TlsLevel::May), TlsLevel::None, &script);
}

#[test]
fn less_tls_than_demanded_is_no_session_rfc_3207_4_1() {
    let demanded = "450 4.7.5 The site demands TLS at level";
    for level in [TlsLevel::Encrypt, TlsLevel::Verify] {
        let refused = format!(
            "{WITH_STARTTLS} !: needs input\n C: STARTTLS\n S: 454 no\n !: failed at StartTls: {demanded} {level}, and the session is at none"
        );
        play(&config(level), TlsLevel::None, &refused);
        let not_offered = format!(
            "S: 220 mx\n !: needs input\n C: EHLO client.example\n S: 250 mx\n !: failed at Hello: {demanded} {level}, and the session is at none"
        );
        play(&config(level), TlsLevel::None, &not_offered);
    }
    let weak = format!(
        "{WITH_STARTTLS} !: needs input\n C: STARTTLS\n S: 220 go\n TLS encrypt\n C: EHLO client.example\n S: 250 mx\n !: failed at Hello: {demanded} verify, and the session is at encrypt"
    );
    play(&config(TlsLevel::Verify), TlsLevel::None, &weak);
    play(&config(TlsLevel::May), TlsLevel::None, &format!("{WITH_STARTTLS} !: needs input\n C: STARTTLS\n S: 454 no\n !: ready"));
}

#[test]
fn plaintext_behind_starttls_is_refused_rfc_3207_6() {
    let script = format!(
        "{WITH_STARTTLS} !: needs input\n C: STARTTLS\n S: 220 go\n S: 250 injected\n !: failed at StartTls: 450 4.7.5 The peer sent plaintext behind its reply to STARTTLS"
    );
    play_once(&config(TlsLevel::May), TlsLevel::None, &script, usize::MAX);
}

#[test]
fn a_password_is_sent_under_tls_only_rfc_4954_9() {
    let demanded = "450 4.7.5 The site demands TLS at level encrypt, and the session is at none";
    for level in [TlsLevel::None, TlsLevel::May] {
        play(
            &with_login(level),
            TlsLevel::None,
            &format!(
                "S: 220 mx\n !: needs input\n C: EHLO client.example\n S: 250-mx\n S: 250 AUTH PLAIN\n !: failed at Hello: {demanded}"
            ),
        );
    }
    let refused = format!("{WITH_STARTTLS} !: needs input\n C: STARTTLS\n S: 454 no\n !: failed at StartTls: {demanded}");
    play(&with_login(TlsLevel::May), TlsLevel::None, &refused);
}

#[test]
fn plain_is_preferred_to_login_rfc_4954_4() {
    let hello = "S: 220 mx\n !: needs input\n C: EHLO client.example\n S: 250-mx\n S: 250 AUTH";
    let verified = |script: String| play(&with_login(TlsLevel::Verify), TlsLevel::Verify, &script);
    verified(format!(
        "{hello} LOGIN PLAIN\n !: needs input\n C: AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\n S: 235 welcome\n !: ready"
    ));
    verified(format!(
        "{hello} LOGIN\n !: needs input\n C: AUTH LOGIN\n S: 334 VXNlcm5hbWU6\n !: needs input\n C: YWxpY2U=\n S: 334 UGFzc3dvcmQ6\n !: needs input\n C: d29uZGVybGFuZA==\n S: 235 welcome\n !: ready"
    ));
    verified(format!(
        "{hello} PLAIN\n !: needs input\n C: AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\n S: 535 5.7.8 wrong\n !: failed at Login: 535 5.7.8 wrong"
    ));
    verified(format!(
        "{hello} PLAIN\n !: needs input\n C: AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\n S: 334 more\n !: failed at Login: 450 4.5.0 The peer answered out of turn: 334 more"
    ));
    verified(format!("{hello} GSSAPI\n !: failed at Hello: 450 4.7.0 The peer offers none of SCRAM-SHA-256, PLAIN and LOGIN"));
}

#[test]
fn garbage_is_no_session() {
    plaintext("S: SSH-2.0-OpenSSH\n !: failed at Greeting: 450 4.5.0 The peer speaks no SMTP: SSH-2.0-OpenSSH");
    plaintext(&format!("{READY} S: 250 surprise\n !: failed at Ready: 450 4.5.0 The peer answered out of turn: 250 surprise"));
    let babble = "450 4.5.0 The peer answered out of turn";
    plaintext(&format!("{READY} BEGIN c@d\n C: MAIL FROM:<a@b>\n S: 354 go on\n !: done: {babble}: 354 go on (closed)"));
    plaintext(&format!(
        "{READY} BEGIN c@d\n C: MAIL FROM:<a@b>\n S: 250\n !: needs input\n C: RCPT TO:<c@d>\n S: 334\n !: done: {babble}: 334 (closed)"
    ));
    plaintext(&format!(
        "{PIPELINING} BEGIN c@d\n C: MAIL FROM:<a@b> SIZE=21\n C: RCPT TO:<c@d>\n C: DATA\n S: 250\n S: 250\n S: 250 data\n !: done: {babble}: 250 data (closed)"
    ));
}
