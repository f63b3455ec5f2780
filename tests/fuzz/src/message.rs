//! What must hold of a message, whatever is in it: its header is what it is however it is cut, and its signatures are judged
//! without a panic, at no more than a few questions to DNS.

use postern_schema::dmarc::Record;
use postern_schema::dns::{Answer, Question, Recording, Transcript};
use postern_schema::name::Domain;
use posternd::authentication::fetch;
use posternd::authentication::intake::{Intake, Purpose, Whole};
use posternd::authentication::results;
use posternd::authentication::verify::signatures;
use posternd::dns::{Dns, Found, Mx, Pending};
use posternd::submission::Rework;
use std::net::IpAddr;
use std::sync::OnceLock;
use tokio::runtime::Runtime;

/// Whoever is asked for a key has the one of RFC 8463 A.2.
const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

struct Everywhere;

impl Dns for Everywhere {
    fn mx<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<Mx>> {
        Box::pin(async { Found::Nonexistent })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<IpAddr>> {
        Box::pin(async { Found::Nonexistent })
    }

    fn ask<'a>(&'a self, _: &'a Question) -> Pending<'a, Answer> {
        Box::pin(async { Answer::Found(vec![KEY.into()]) })
    }
}

/// Takes a message in, in one piece and in two, and judges it.
pub fn is_judged(octets: &[u8]) {
    let Some((first, octets)) = octets.split_first() else { return };
    let Some(whole) = taken(&[octets]) else { return };
    let cut = usize::from(*first).min(octets.len());
    let pieces = taken(&[&octets[..cut], &octets[cut..]]).expect("a message that fits in one piece fits in two");
    assert_eq!(whole.header.octets(), pieces.header.octets());
    assert_eq!(whole.body_hashes, pieces.body_hashes);
    let ours = |whole: &Whole| whole.header.fields().any(|field| results::claims_to_be_ours(&field, "mail.example.com"));
    assert!(!ours(&whole), "nobody else writes results in our name");
    for domain in whole.header.from_domains() {
        assert_eq!(Domain::parse(domain.as_str()), Ok(domain));
    }
    let mut transcript = Transcript::default();
    let judged = async { signatures(&Everywhere, &whole, &mut transcript, fetch::deadline()).await };
    let found = runtime().block_on(judged);
    assert!(found.dkim.len() <= 8);
    assert!(transcript.entries().len() <= 8 + 51);
    let methods: Vec<_> = found.dkim.into_iter().chain(found.arc).collect();
    let field = results::field("mail.example.com", &methods);
    assert!(field.is_ascii() && field.ends_with(b"\r\n") && !field.windows(4).any(|end| end == b"\r\n\r\n"));
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = Record::parse(text);
        if let Ok(recording) = Recording::parse(text) {
            assert_eq!(Recording::parse(&recording.to_string()).as_ref(), Ok(&recording));
        }
    }
}

fn taken(pieces: &[&[u8]]) -> Option<Whole> {
    let mut intake = Intake::new(Purpose::Verify, "mail.example.com", Rework::default());
    for piece in pieces {
        intake.feed(piece).ok()?;
    }
    Some(intake.finish().1)
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without I/O"))
}
