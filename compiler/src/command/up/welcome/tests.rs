//! What a person reads when a trial begins.

use super::*;
use crate::command::up::daemon::ReadyListener;
use crate::emit::fixture;
use postern_schema::site::{AddressEntry, AddressKind, Origin};

fn ready() -> Ready {
    let listener = |name: &str, kind: &str, port: u16| ReadyListener {
        name: name.to_owned(),
        kind: kind.to_owned(),
        address: ([127, 0, 0, 1], port).into(),
    };
    Ready {
        digest: "4c85".to_owned(),
        listeners: vec![listener("mx", "mx", 2525), listener("staff", "submission", 2587)],
        state: ".postern".into(),
    }
}

#[test]
fn it_says_where_to_connect_where_mail_lands_and_how_to_send_some() {
    assert_eq!(
        text(&ready(), &fixture::model()),
        "serving 4c85\n\n\
         listening:\n  mx             127.0.0.1:2525\n  staff          127.0.0.1:2587  (kind submission)\n\n\
         mail lands in:\n  \
         alice@example.com              .postern/mail/example.com/alice/new/\n  \
         bob@example.com                .postern/mail/example.com/bob/new/\n\n\
         to send a message:\n  \
         printf 'From: alice@example.com\\r\\nTo: info@example.com\\r\\nSubject: It works\\r\\n\\r\\nHello\\r\\n' | \
         curl smtp://127.0.0.1:2525/localhost --mail-from alice@example.com --mail-rcpt info@example.com --upload-file -\n\n\
         Ctrl-C stops it\n"
    );
}

#[test]
fn a_large_site_is_not_listed_whole_and_odd_addresses_stay_out_of_the_shell() {
    let mut model = fixture::model();
    model.addresses = Default::default();
    for index in 0..12 {
        let entry = AddressEntry { kind: AddressKind::Mailbox { quota_octets: None }, origin: Origin::DEFAULT };
        fixture::declare(&mut model, &fixture::domain("example.com"), &format!("it's {index}"), &entry);
    }
    let text = text(&ready(), &model);
    assert!(text.contains("... and more"), "{text}");
    assert!(!text.contains("curl"), "{text}");
}

#[test]
fn the_line_of_the_daemon_is_understood_whatever_it_adds() {
    let line = r#"{"ready":{"digest":"ab","generation":1,"listeners":[{"name":"mx","kind":"mx","address":"127.0.0.1:2525","more":1}],"state":"s"}}"#;
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let ready: Ready = serde_json::from_value(line["ready"].clone()).expect("it is ready");
    assert_eq!(ready.listeners[0].address.port(), 2525);
}
