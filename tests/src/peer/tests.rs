//! The peer, driven by the client: each is the other's test.

use super::*;
use crate::client::{Client, stuff};
use crate::tls::{Authority, verifying_client};

const MESSAGE: &[u8] = b"Subject: x\r\n\r\n.hidden\r\n..\r\n";

#[test]
fn it_records_what_it_takes() {
    let peer = Peer::start(Script::new("mx.example.org"));
    let mut client = Client::connect(peer.address());
    assert!(client.hello().offers("PIPELINING"));
    assert_eq!(client.send_message("a@example.com", &["b@example.org", "\"x>y\"@example.org"], MESSAGE).code, 250);
    client.quit();
    let taken = peer.wait_for(1);
    assert_eq!(
        taken,
        [Transaction {
            connection: 1,
            helo: "client.test".into(),
            is_tls: false,
            user: None,
            reverse_path: "a@example.com".into(),
            parameters: String::new(),
            recipients: vec!["b@example.org".into(), "\"x>y\"@example.org".into()],
            data: MESSAGE.to_vec(),
            accepted: true,
        }]
    );
}

#[test]
fn every_stage_can_be_refused_or_deferred() {
    for (stage, soft, hard) in [
        (Stage::Mail, 450, 550),
        (Stage::AnyRcpt, 450, 550),
        (Stage::rcpt("b@example.org"), 450, 550),
        (Stage::Data, 451, 554),
        (Stage::Dot, 451, 554),
    ] {
        let peer = Peer::start(Script::default().first(1, stage.clone(), Act::Defer).first(1, stage.clone(), Act::Reject));
        let codes: Vec<u16> = (0..3)
            .map(|_| {
                let mut client = Client::connect(peer.address());
                client.hello();
                client.send_message("", &["b@example.org"], MESSAGE).code
            })
            .collect();
        assert_eq!(codes, [soft, hard, 250], "{stage:?}");
        assert_eq!(peer.wait_for(1).iter().filter(|taken| taken.accepted).count(), 1);
    }
    let peer = Peer::start(Script::default().on(Stage::Banner, Act::Defer));
    let mut client = Client::dial(peer.address());
    client.expect_reply(421);
    client.expect_close();
}

#[test]
fn it_goes_away_or_falls_silent() {
    let peer = Peer::start(Script::default().on(Stage::Dot, Act::Drop));
    let mut client = Client::connect(peer.address());
    client.hello();
    client.pipeline(&["MAIL FROM:<>", "RCPT TO:<b@example.org>", "DATA"]);
    for code in [250, 250, 354] {
        client.expect_reply(code);
    }
    client.send(&stuff(MESSAGE));
    client.expect_close();
    crate::wait::until("the record", || (peer.transactions().len() == 1).then_some(()));
    assert!(!peer.transactions()[0].accepted);

    let peer = Peer::start(Script::default().on(Stage::Quit, Act::AcceptThenDrop).on(Stage::Mail, Act::Hang));
    let mut client = Client::try_dial(peer.address(), Duration::from_millis(100)).unwrap();
    client.expect_reply(220);
    client.hello();
    client.pipeline(&["MAIL FROM:<>"]);
    assert!(client.try_reply().is_err());
}

#[test]
fn tls_can_be_verified_and_login_is_demanded() {
    let authority = Authority::new();
    let identity = authority.issue("relay.test");
    for (mode, mechanism) in [(TlsMode::StartTls, "PLAIN"), (TlsMode::Implicit, "LOGIN")] {
        let peer = Peer::start(Script::new("relay.test").tls(mode, &identity).login("u", "p").mechanisms(mechanism));
        let mut client = Client::dial(peer.address());
        if mode == TlsMode::StartTls {
            client.expect_reply(220);
            let hello = client.hello();
            assert!(hello.offers("STARTTLS") && !hello.offers("AUTH"));
            client.expect("STARTTLS", 220);
        }
        client.wire().start_tls_client(verifying_client(&authority), "relay.test").unwrap();
        if mode == TlsMode::Implicit {
            client.expect_reply(220);
        }
        assert!(client.hello().offers("AUTH"));
        client.expect("MAIL FROM:<>", 530);
        assert_eq!(client.auth_plain("u", "wrong").code, 535);
        if mechanism == "PLAIN" {
            assert_eq!(client.auth_plain("u", "p").code, 235);
        } else {
            assert_eq!(client.expect("AUTH LOGIN", 334).lines, ["VXNlcm5hbWU6"]);
            client.expect("dQ==", 334);
            client.expect("cA==", 235);
        }
        assert_eq!(client.send_message("", &["b@example.org"], MESSAGE).code, 250);
        let taken = peer.wait_for(1);
        assert!(taken[0].is_tls && taken[0].user.as_deref() == Some("u"));
        assert_eq!(peer.logins_refused(), 1);
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_by_a_verifying_client() {
    let authority = Authority::new();
    let peer = Peer::start(Script::new("x").tls(TlsMode::Implicit, &authority.issue("other.test")));
    let mut client = Client::dial(peer.address());
    assert!(client.wire().start_tls_client(verifying_client(&authority), "relay.test").is_err());
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let stage = Stage::DotFor("c@example.org".to_owned());
    let peer = Peer::start(Script::default().lmtp().on(stage, Act::Reject));
    let mut client = Client::connect(peer.address());
    client.expect("LHLO client.test", 250);
    assert_eq!(client.send_message("", &["b@example.org", "c@example.org"], MESSAGE).code, 250);
    client.expect_reply(554);
    client.expect("NOOP", 250);
}

#[test]
fn a_sink_counts_and_keeps_nothing() {
    let peer = Peer::start(Script::sink());
    let mut client = Client::connect(peer.address());
    client.hello();
    for _ in 0..3 {
        assert_eq!(client.send_message("", &["b@example.org"], MESSAGE).code, 250);
    }
    assert_eq!(peer.wait_within(3, PATIENCE), 3);
    assert!(peer.transactions().is_empty() && peer.commands().is_empty());
}

#[test]
fn a_script_can_change_under_an_open_session() {
    let peer = Peer::start(Script::default());
    let mut client = Client::connect(peer.address());
    client.hello();
    peer.follow(Script::default().on(Stage::Mail, Act::Say("452 4.3.1 Full".into())));
    assert_eq!(client.expect("MAIL FROM:<>", 452).lines, ["4.3.1 Full"]);
    peer.follow(Script::default());
    client.expect("MAIL FROM:<>", 250);
}
