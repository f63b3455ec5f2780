//! Bounces, to the letter.

use super::*;
use crate::queue::envelope::{Change, Outcome, Progress};
use crate::queue::fixture::{accepted, attempt};
use crate::queue::id::IdSource;
use crate::queue::message::NewMessage;
use crate::smtp::command::{Notify, OriginalRecipient, Xtext};
use std::sync::Arc;

const NOW: u64 = 1_795_285_020;
const HEADER: &[u8] = b"From: alice@example.com\r\nSubject: hello\r\n\r\nThe secret body\r\n";

fn entry(from: &str, to: &[&str]) -> QueueEntry {
    let id = IdSource::new(1).next(1_795_285_000_000);
    let envelope = NewMessage::from(accepted(id, from, to, HEADER.to_vec())).envelope;
    QueueEntry { progress: Progress::new(envelope.recipients.len()), envelope: envelope.into() }
}

fn settle(entry: &mut QueueEntry, recipients: &[u32], outcome: Outcome) {
    entry.progress.apply(&Change::Outcome { id: entry.id(), recipients: recipients.into(), outcome });
}

fn written(entry: &QueueEntry, original: &[u8]) -> Option<Bounce> {
    let about: Vec<Unreturned<'_>> = entry.unreturned().collect();
    written_about(entry, &about, original, Language::English)
}

fn written_about(entry: &QueueEntry, about: &[Unreturned<'_>], original: &[u8], language: Language) -> Option<Bounce> {
    let (id, hostname) = (IdSource::new(2).next(NOW * 1000).id(), Domain::parse("mx.here.test").unwrap());
    notice(entry, about, original, &Author { hostname: &hostname, language, id, now_seconds: NOW })
}

fn text(bounce: &Bounce) -> &str {
    std::str::from_utf8(&bounce.octets).unwrap()
}

/// The values of a field, unfolded.
fn values(text: &str, name: &str) -> Vec<String> {
    let unfolded = text.replace("\r\n\t", " ");
    unfolded.lines().filter_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned).collect()
}

#[test]
fn a_refused_recipient_is_named_with_what_the_server_said() {
    let mut entry = entry("alice@example.com", &["bob@example.net", "carl@example.net"]);
    settle(&mut entry, &[0], Outcome::Failed(attempt("550", "5.1.1 No such user", Some("mx.example.net"))));
    settle(&mut entry, &[1], Outcome::Delivered);
    let bounce = written(&entry, HEADER).unwrap();
    assert_eq!(bounce.recipient.to_string(), "alice@example.com");
    assert!(!bounce.eight_bit && !bounce.smtp_utf8);
    let text = text(&bounce);
    let date = crate::queue::date::rfc5322(NOW);
    for wanted in [
        "From: Mail Delivery System <MAILER-DAEMON@mx.here.test>\r\n",
        "To: <alice@example.com>\r\n",
        "Auto-Submitted: auto-replied\r\n",
        &format!("Date: {date}\r\n"),
        "Content-Type: multipart/report; report-type=delivery-status;\r\n",
        "Reporting-MTA: dns; mx.here.test\r\n",
        "\r\n\r\nFinal-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.net\r\n",
        "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n",
        "  The server mx.example.net said:\r\n    550 5.1.1 No such user\r\n",
        "What you can do: check the address",
        "Content-Type: text/rfc822-headers\r\n",
        "Subject: hello\r\n",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in\n{text}");
    }
    assert!(!text.contains("carl@"), "who got it is no failure");
    assert!(!text.contains("secret body"));
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn the_parts_are_divided_by_the_boundary_whatever_the_header_says() {
    let mut entry = entry("alice@example.com", &["bob@example.net"]);
    settle(&mut entry, &[0], Outcome::Failed(attempt("550", "no", None)));
    let first = written(&entry, HEADER).unwrap();
    let boundary = text(&first).split('"').nth(1).unwrap().to_owned();
    let hostile = format!("X: 1\r\n--{boundary}\r\nContent-Type: text/html\r\n\r\nbody");
    let second = written(&entry, hostile.as_bytes()).unwrap();
    let longer = text(&second).split('"').nth(1).unwrap();
    assert_ne!(longer, boundary);
    assert_eq!(text(&second).split(&format!("\r\n--{longer}")).count(), 5);
}

#[test]
fn nobody_is_told_of_a_bounce_that_failed() {
    let mut entry = entry("", &["bob@example.net"]);
    settle(&mut entry, &[0], Outcome::Failed(attempt("550", "no", None)));
    assert_eq!(written(&entry, HEADER), None);
}

#[test]
fn nobody_is_told_who_was_told_or_did_not_want_to_be() {
    let failed = || Outcome::Failed(attempt("550", "no", None));
    let mut entry = entry("alice@example.com", &["bob@example.net", "carl@example.net"]);
    assert_eq!(written(&entry, HEADER), None, "nobody failed");
    settle(&mut entry, &[0, 1], failed());
    settle(&mut entry, &[0], Outcome::Returned);
    let bounce = written(&entry, HEADER).unwrap();
    assert_eq!(values(text(&bounce), "Final-Recipient"), ["rfc822; carl@example.net"]);

    Arc::make_mut(&mut entry.envelope).recipients[1].notify = Some(Notify { success: true, failure: false, delay: false });
    assert_eq!(written(&entry, HEADER), None);
}

#[test]
fn an_expired_recipient_has_the_last_reply_and_a_status_of_its_own() {
    let mut entry = entry("alice@example.com", &["bob@example.net"]);
    settle(&mut entry, &[0], Outcome::Expired(attempt("450", "4.4.1 cannot connect", None)));
    let bounce = written(&entry, HEADER).unwrap();
    let text = text(&bounce);
    assert_eq!(values(text, "Status"), [Reply::expired(String::new()).status_or_class().to_string()]);
    assert_eq!(values(text, "Diagnostic-Code"), ["X-Postern; 450 4.4.1 cannot connect"]);
    assert!(values(text, "Remote-MTA").is_empty());
    assert!(text.contains("The time for which we try to deliver a message is over."));
}

#[test]
fn what_an_alias_stands_for_is_not_disclosed() {
    let mut entry = entry("alice@example.com", &["team@here.test"]);
    settle(&mut entry, &[1], Outcome::Failed(attempt("550", "no", None)));
    let bounce = written(&entry, HEADER).unwrap();
    assert_eq!(values(text(&bounce), "Final-Recipient"), ["rfc822; team@here.test"]);
    assert!(!text(&bounce).contains("ben@"));
}

#[test]
fn foreign_text_cannot_begin_a_field_or_leave_ascii() {
    let mut entry = entry("alice@example.com", &["bob@example.net"]);
    Arc::make_mut(&mut entry.envelope).envid = Xtext::parse("x+0D+0AAction:+20delivered");
    Arc::make_mut(&mut entry.envelope).recipients[0].orcpt = OriginalRecipient::parse("rfc822;bob+0D+0AAction:+20delivered");
    let reply = "5.0.0 gr\u{fc}n\r\nAction: delivered";
    settle(&mut entry, &[0], Outcome::Failed(attempt("550", reply, Some("mx\r\nAction: delivered"))));
    let bounce = written(&entry, HEADER).unwrap();
    assert_eq!(values(text(&bounce), "Action"), ["failed"]);
    assert_eq!(values(text(&bounce), "Original-Recipient"), ["rfc822;bob??Action: delivered"]);
    assert!(!bounce.eight_bit);
}

#[test]
fn long_replies_and_words_stay_within_the_line() {
    let mut entry = entry("alice@example.com", &["bob@example.net"]);
    let long = format!("5.7.1 {} {}", "word ".repeat(50), "x".repeat(400));
    settle(&mut entry, &[0], Outcome::Failed(attempt("550", &long, Some("mx.example.net"))));
    let bounce = written(&entry, HEADER).unwrap();
    assert!(text(&bounce).lines().all(|line| line.len() <= 80), "{}", text(&bounce));
    assert!(values(text(&bounce), "Diagnostic-Code")[0].contains("word word"));
}

#[test]
fn an_international_message_has_an_international_report() {
    let mut entry = entry("\u{e4}lice@example.com", &["b\u{f6}b@example.net"]);
    Arc::make_mut(&mut entry.envelope).smtp_utf8 = true;
    settle(&mut entry, &[0], Outcome::Failed(attempt("550", "5.1.1 gr\u{fc}n", Some("mx.example.net"))));
    let bounce = written(&entry, "Subject: gr\u{fc}n\r\n\r\n".as_bytes()).unwrap();
    assert!(bounce.eight_bit && bounce.smtp_utf8);
    assert_eq!(values(text(&bounce), "Final-Recipient"), ["utf-8; b\u{f6}b@example.net"]);
    assert!(text(&bounce).contains("Content-Type: message/global-delivery-status\r\n"));
    assert!(text(&bounce).contains("Content-Type: message/global-headers\r\n"));
    assert!(text(&bounce).contains("550 5.1.1 gr\u{fc}n\r\n"));
}

#[test]
fn the_header_ends_at_the_empty_line_or_at_its_limit() {
    assert_eq!(header_of(b"A: 1\r\nB: 2\r\n\r\nC: 3\r\n"), b"A: 1\r\nB: 2\r\n");
    assert_eq!(header_of(b"A: 1\nB: 2\n\nC"), b"A: 1\nB: 2\n");
    assert_eq!(header_of(b"A: 1\r\nB: cut"), b"A: 1\r\n");
    assert_eq!(header_of(b"\r\nbody"), b"");
    let long = b"X: y\r\n".repeat(HEADER_MAX_OCTETS);
    let header = header_of(&long);
    assert!(header.len() <= HEADER_MAX_OCTETS && header.len() > HEADER_MAX_OCTETS - 6);
    assert!(header.ends_with(b"\r\n"));
}

#[test]
fn success_is_told_to_who_asked_and_says_who_reports_no_further() {
    let mut entry = entry("alice@example.com", &["bob@example.net", "carl@example.net"]);
    let success = |relayed| Outcome::Succeeded { attempt: attempt("250", "2.0.0 ok", Some("mx.example.net")), relayed };
    settle(&mut entry, &[0], success(true));
    settle(&mut entry, &[1], success(false));
    assert_eq!(written(&entry, HEADER), None, "nobody asked");
    let wants = Some(Notify { success: true, failure: false, delay: false });
    Arc::make_mut(&mut entry.envelope).recipients.iter_mut().for_each(|recipient| recipient.notify = wants);
    Arc::make_mut(&mut entry.envelope).ret = Some(Return::Full);
    let bounce = written(&entry, HEADER).unwrap();
    let text = text(&bounce);
    assert_eq!(values(text, "Action"), ["relayed", "delivered"]);
    assert_eq!(values(text, "Subject")[0], "Successful Mail Delivery Report");
    assert!(!text.contains("secret body"), "RET is for failures alone");
    settle(&mut entry, &[0, 1], Outcome::Returned);
    assert!(entry.progress.is_settled());
}

#[test]
fn a_failed_message_comes_back_whole_where_the_sender_wants_it() {
    let mut entry = entry("alice@example.com", &["bob@example.net"]);
    settle(&mut entry, &[0], Outcome::Failed(attempt("550", "no", None)));
    Arc::make_mut(&mut entry.envelope).ret = Some(Return::Full);
    let bounce = written(&entry, HEADER).unwrap();
    assert!(text(&bounce).contains("Content-Type: message/rfc822\r\n") && text(&bounce).contains("secret body"));
    let cut = written(&entry, &HEADER[..HEADER.len() - 4]).unwrap();
    assert!(text(&cut).contains("Content-Type: text/rfc822-headers\r\n"), "a part of it is not the whole");
}

#[test]
fn a_delay_is_told_once_and_not_to_who_did_not_want_to_know() {
    let mut entry = entry("alice@example.com", &["bob@example.net", "carl@example.net"]);
    assert_eq!(entry.unwarned().count(), 0, "nobody was tried");
    let deferred = Outcome::Deferred { attempt: attempt("450", "4.2.0 later", Some("mx.example.net")), next_ms: 1 };
    settle(&mut entry, &[0, 1], deferred);
    Arc::make_mut(&mut entry.envelope).recipients[1].notify = Some(Notify { success: true, failure: true, delay: false });
    let about: Vec<Unreturned<'_>> = entry.unwarned().collect();
    let bounce = written_about(&entry, &about, HEADER, Language::English).unwrap();
    assert_eq!(values(text(&bounce), "Final-Recipient"), ["rfc822; bob@example.net"]);
    assert_eq!(
        (values(text(&bounce), "Action"), values(text(&bounce), "Status")),
        (vec!["delayed".into()], vec!["4.2.0".into()])
    );
    settle(&mut entry, &[0, 1], Outcome::Warned);
    assert_eq!(entry.unwarned().count(), 0);
    assert!(entry.progress.next_attempt_ms().is_some(), "it is tried again all the same");
}

#[test]
fn a_japanese_site_writes_japanese_first_and_stays_within_seven_bits() {
    let mut entry = entry("alice@example.com", &["bob@example.net"]);
    settle(&mut entry, &[0], Outcome::Failed(attempt("550", "5.1.1 No such user", Some("mx.example.net"))));
    let about: Vec<Unreturned<'_>> = entry.unreturned().collect();
    let bounce = written_about(&entry, &about, HEADER, Language::Japanese).unwrap();
    assert!(!bounce.eight_bit && bounce.octets.is_ascii());
    let text = text(&bounce);
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    let part = text.split("Content-Transfer-Encoding: base64\r\n\r\n").nth(1).unwrap().split("\r\n--").next().unwrap();
    let read = String::from_utf8(BASE64.decode(part.replace("\r\n", "")).unwrap()).unwrap();
    let japanese = read.find("アドレスは存在しません").unwrap();
    let english = read.find("does not know this address").unwrap();
    assert!(japanese < english, "{read}");
    assert!(read.contains("550 5.1.1 No such user"));
    assert!(values(text, "Subject")[0].starts_with("=?utf-8?B?"));
}

#[test]
fn nobody_waits_for_mail_that_a_program_wrote() {
    for header in ["Auto-Submitted: auto-generated", "PRECEDENCE: bulk", "List-Id: <dev.example.com>"] {
        assert!(is_automatic(format!("From: a@b.c\r\n{header}\r\n\r\n").as_bytes()), "{header}");
    }
    for header in ["Auto-Submitted: no", "Precedence: first-class", "Subject: list-id: x"] {
        assert!(!is_automatic(format!("{header}\r\n\r\nList-Id: <x>\r\n").as_bytes()), "{header}");
    }
}
