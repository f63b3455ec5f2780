//! Dialogues with a written peer, each replayed with the peer's octets split in every way.
//!
//! | line | meaning |
//! |---|---|
//! | `S: text` | the peer sends a line; lines in a row arrive together |
//! | `C: text` | the client's next line |
//! | `BEGIN` | a transaction begins: [`transaction`] to the recipients named behind it |
//! | `BODY` | the client wants the content; it gets [`CONTENT`] |
//! | `TLS level` | the client wants the handshake, which gives that level |
//! | `QUIT` | the client is told to quit |
//! | `LOST` | the connection breaks |
//! | `!: text` | the client's next step, as [`describe`] puts it |

use super::*;
use crate::smtp::command::{Notify, OriginalRecipient, Return, Xtext};
use postern_schema::name::{Mailbox, ReversePath};
use proptest::prelude::*;

const CONTENT: &[u8] = b".Subject: x\r\n\r\ntext\r\n";

fn config(tls: TlsLevel) -> ClientConfig {
    ClientConfig { helo: "client.example".into(), tls, login: None, lmtp: false }
}

fn with_login(tls: TlsLevel) -> ClientConfig {
    let login = Credentials { user: "alice".into(), password: "wonderland".into() };
    ClientConfig { login: Some(login), ..config(tls) }
}

fn lmtp() -> ClientConfig {
    ClientConfig { lmtp: true, ..config(TlsLevel::None) }
}

fn recipient(address: &str) -> Recipient {
    Recipient { mailbox: Mailbox::parse(address).unwrap(), notify: None, original_recipient: None }
}

fn transaction(recipients: &str) -> Transaction {
    Transaction {
        reverse_path: ReversePath::parse("a@b").unwrap(),
        recipients: recipients.split_whitespace().map(recipient).collect(),
        size_octets: CONTENT.len() as u64,
        smtputf8: false,
        eight_bit: false,
        ret: None,
        envelope_id: None,
    }
}

fn describe(step: &ClientStep) -> String {
    match step {
        ClientStep::NeedInput => "needs input".into(),
        ClientStep::StartTls => "wants TLS".into(),
        ClientStep::Ready => "ready".into(),
        ClientStep::SendBody => "wants body".into(),
        ClientStep::Closed => "closed".into(),
        ClientStep::Failed(failure) => format!("failed at {:?}: {}", failure.phase, failure.reply),
        ClientStep::Done(outcome) => {
            let replies: Vec<String> = outcome.replies.iter().map(ToString::to_string).collect();
            format!("done: {}{}", replies.join(" | "), if outcome.reusable { "" } else { " (closed)" })
        }
    }
}

/// Plays a dialogue whole, octet by octet, and split at each octet.
fn play(config: &ClientConfig, active: TlsLevel, script: &str) {
    let longest = play_once(config, active, script, usize::MAX);
    for at in 0..longest {
        play_once(config, active, script, at);
    }
}

/// `split`: where the peer's octets are split; 0: at each octet.
fn play_once(config: &ClientConfig, active: TlsLevel, script: &str, split: usize) -> usize {
    let mut player = Player { client: Client::new(config.clone(), active), input: BytesMut::new(), said: String::new() };
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let mut longest = 0;
    while let Some(line) = lines.next() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let context = format!("at {line:?}, split at {split}, having said {:?}", player.said);
        match word {
            "S:" => {
                let mut sent = format!("{rest}\r\n");
                while let Some(line) = lines.next_if(|line| line.starts_with("S:")) {
                    sent += &format!("{}\r\n", line[2..].trim_start());
                }
                longest = longest.max(sent.len());
                player.hear(sent.as_bytes(), split);
            }
            "C:" => {
                let said = player.said.split_once("\r\n").map(|(line, rest)| (line.to_owned(), rest.to_owned()));
                let (line, remaining) = said.unwrap_or_else(|| panic!("nothing was said {context}"));
                assert_eq!(line, rest, "{context}");
                player.said = remaining;
            }
            "BEGIN" => player.client.begin(transaction(rest)),
            "QUIT" => player.client.quit(),
            "LOST" => assert_eq!(describe(&player.client.abort(Reply::lost("Connection lost".into()))), rest, "{context}"),
            "TLS" => {
                assert_eq!(player.step(), "wants TLS", "{context}");
                player.client.tls_started(TlsLevel::parse(rest).unwrap());
            }
            "BODY" => {
                assert_eq!(player.step(), "wants body", "{context}");
                let (head, tail) = CONTENT.split_at(split.min(CONTENT.len()));
                player.client.write_body(head);
                player.client.write_body(tail);
                player.client.end_body();
            }
            _ => assert_eq!((word, player.step().as_str()), ("!:", rest), "{context}"),
        }
        player.collect();
    }
    assert_eq!(player.said, "", "said more than was expected");
    longest
}

struct Player {
    client: Client,
    input: BytesMut,
    said: String,
}

impl Player {
    fn collect(&mut self) {
        self.said += std::str::from_utf8(self.client.output()).unwrap();
        self.client.output().clear();
    }

    fn step(&mut self) -> String {
        let step = self.client.receive(&mut self.input);
        self.collect();
        describe(&step)
    }

    /// All but the last piece must leave the client in want of more; what the last one leads to is looked at by the script.
    fn hear(&mut self, sent: &[u8], split: usize) {
        let cut = if split == 0 { 1 } else { split };
        let mut pieces: Vec<&[u8]> = if split == 0 { sent.chunks(cut).collect() } else { vec![sent] };
        if split > 0 && split < sent.len() {
            pieces = vec![&sent[..split], &sent[split..]];
        }
        let Some((last, before)) = pieces.split_last() else { return };
        for piece in before {
            self.input.extend_from_slice(piece);
            if matches!(self.client.phase(), Phase::Hello | Phase::Greeting | Phase::Envelope | Phase::Final | Phase::Login) {
                let phase = self.client.phase();
                match self.client.receive(&mut self.input) {
                    ClientStep::NeedInput => {}
                    step => panic!("{} at {phase:?} too early", describe(&step)),
                }
                self.collect();
            }
        }
        self.input.extend_from_slice(last);
    }
}

const READY: &str = "S: 220 mx.example
    !: needs input
    C: EHLO client.example
    S: 250-mx.example
    S: 250 8BITMIME
    !: ready
";

const PIPELINING: &str = "S: 220 mx.example
    !: needs input
    C: EHLO client.example
    S: 250-mx.example
    S: 250-SIZE 1000
    S: 250 PIPELINING
    !: ready
";

fn plaintext(script: &str) {
    play(&config(TlsLevel::None), TlsLevel::None, script);
}

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
        assert_eq!(said.matches("\r\n").count(), 202.min(answered + transaction::WINDOW));
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
    verified(format!("{hello} GSSAPI\n !: failed at Hello: 450 4.7.0 The peer offers neither PLAIN nor LOGIN"));
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

proptest! {
    #[test]
    fn no_peer_panics_or_misaligns_an_outcome(
        replies in proptest::collection::vec("(220|250|354|334|235|450|550|421)[ -][a-z]{0,3}\r\n|[ -~]{0,5}\r\n", 0..12),
        step in 1usize..30, lmtp: bool, pipelining: bool,
    ) {
        let mut client = Client::new(ClientConfig { lmtp, ..config(TlsLevel::May) }, TlsLevel::None);
        let mut input = BytesMut::from(if pipelining { "220 a\r\n250-a\r\n250 PIPELINING\r\n" } else { "220 a\r\n250 a\r\n" });
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
