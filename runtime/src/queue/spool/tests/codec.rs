//! What is stored is what is read back.

use super::*;
use crate::queue::fixture::{accepted, attempt};
use crate::queue::id::IdSource;
use crate::queue::message::NewMessage;
use proptest::prelude::*;

/// An entry that uses every field.
fn full_entry() -> (Envelope, Progress) {
    let id = IdSource::new(3).next(1_795_285_000_000);
    let mut message = accepted(id, "\"a b\"@[IPv6:2001:db8::1]", &["team@here.test", "c@[192.0.2.9]", "d@x.test"], vec![0; 9]);
    message.ret = Some(Return::Full);
    message.envid = Xtext::parse("env");
    message.smtp_utf8 = true;
    message.client.user = Some("alice".into());
    message.recipients[1].notify = Some(Notify { success: true, failure: false, delay: true });
    message.recipients[1].orcpt = OriginalRecipient::parse("rfc822;c@example.com");
    let envelope = NewMessage::from(message).envelope;
    let mut progress = Progress::new(envelope.recipients.len());
    let deferred = Outcome::Deferred { attempt: attempt("450", "4.2.0 later\nmuch later", Some("mx.test")), next_ms: 12 };
    for (index, outcome) in [
        (0, Outcome::Delivered),
        (1, Outcome::Failed(attempt("550", "no", None))),
        (2, deferred),
        (3, Outcome::Expired(attempt("451", "4.4.3 dns", None))),
    ] {
        progress.apply(&Change::Outcome { id: envelope.id, recipients: [index].into(), outcome });
    }
    progress.held = true;
    (envelope, progress)
}

fn all_changes() -> Vec<Change> {
    let id = QueueId::from_number(99);
    let outcome = |outcome| Change::Outcome { id, recipients: [0, 7].into(), outcome };
    vec![
        Change::Remove(id),
        Change::Hold(id),
        Change::Release(id),
        Change::Retry { id, at_ms: 5 },
        outcome(Outcome::Delivered),
        outcome(Outcome::Deferred { attempt: attempt("450", "4.2.0 later", Some("mx.test")), next_ms: 12 }),
        outcome(Outcome::Failed(attempt("550", "", None))),
        outcome(Outcome::Expired(attempt("450", "x", None))),
        outcome(Outcome::Returned),
        outcome(Outcome::Succeeded { attempt: attempt("250", "2.0.0 ok", Some("mx.test")), relayed: true }),
        outcome(Outcome::Succeeded { attempt: attempt("250", "2.0.0 ok", None), relayed: false }),
        outcome(Outcome::Warned),
    ]
}

fn encoded_envelope(envelope: &Envelope) -> Vec<u8> {
    let mut octets = Vec::new();
    put_envelope(&mut octets, envelope);
    octets
}

fn encoded() -> Vec<u8> {
    let mut meta = Vec::new();
    let (envelope, progress) = full_entry();
    put_message(&mut meta, &encoded_envelope(&envelope), &progress, &all_changes());
    meta
}

#[test]
fn everything_reads_back() {
    let (full_envelope, progress) = full_entry();
    let octets = encoded_envelope(&full_envelope);
    assert_eq!(envelope(&octets).as_ref(), Ok(&full_envelope));
    let whole = encoded();
    let wanted = Message { envelope: full_envelope, envelope_octets: &octets, progress, changes: all_changes() };
    assert_eq!(message(&whole), Ok(wanted));
    let mut meta = Vec::new();
    put_changes(&mut meta, &all_changes());
    assert_eq!(changes(&meta), Ok(all_changes()));
}

/// The sender of a copy is stored with what RCPT said, in tags that no earlier message has: what was stored before reads as it did.
#[test]
fn in_whose_name_a_copy_is_sent_reads_back() {
    let (mut envelope, _) = full_entry();
    let other = envelope.recipients[0].original().clone();
    envelope.recipients[0].sent_as = SentAs::Owner(other.clone());
    envelope.recipients[1].sent_as = SentAs::Forwarder { by: other.clone(), srs: true };
    // The very address that RCPT said.
    envelope.recipients[3].sent_as = SentAs::Forwarder { by: other, srs: false };
    assert_eq!(super::envelope(&encoded_envelope(&envelope)), Ok(envelope));
}

/// Written down, so that a change of the stored form cannot go unnoticed: it needs a new format version.
#[test]
fn the_stored_form_is_the_one_of_this_version() {
    assert_eq!(super::super::segment::FORMAT_VERSION, 3);
    assert_eq!((encoded().len(), crc32fast::hash(&encoded())), STORED);
}
const STORED: (usize, u32) = (908, 8_356_081);

#[test]
fn no_cut_and_no_addition_reads() {
    let whole = encoded();
    for end in 0..whole.len() {
        assert!(message(&whole[..end]).is_err(), "cut at {end}");
    }
    assert!(message(&[&whole[..], &[0]].concat()).is_err());
    assert!(envelope(&whole).is_err());
}

#[test]
fn a_wrong_count_asks_for_no_memory() {
    assert_eq!(changes(&u32::MAX.to_le_bytes()), Err(Malformed("a count is larger than its record")));
}

proptest! {
    #[test]
    fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..400), at in 0usize..400, value in any::<u8>()) {
        let _ = (message(&octets), changes(&octets));
        let mut meta = encoded();
        let at = at % meta.len();
        meta[at] = value;
        let _ = message(&meta);
    }
}
