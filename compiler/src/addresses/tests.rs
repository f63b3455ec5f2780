//! A book is what a map from keys to entries would be, and forgets nothing that was written.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn span(start: u32) -> Span {
    Span { source: crate::source::SourceId(3), start, length: 4 }
}

fn domain(text: &str) -> HostName {
    HostName::Domain(Domain::parse(text).unwrap())
}

#[test]
fn what_goes_in_comes_out() {
    let mut book = AddressBook::default();
    let (here, there) = (book.host(&domain("example.com")), book.host(&domain("elsewhere.example")));
    let local = |text: &str| LocalPart::parse(text).unwrap();
    book.mailbox(
        here,
        &local("Alice"),
        Written { span: span(1), origin: Origin { file: 3, line: 7 } },
        Some(Spanned::new(9, span(2))),
    );
    let before = book.targets_so_far();
    book.target(here, &local("Alice"), span(3));
    book.target(there, &local("\"a b\""), span(4));
    book.alias(here, &local("info"), Written { span: span(5), origin: Origin { file: 3, line: 8 } }, before);
    let alice = book.find(here, "alice").unwrap();
    assert_eq!(alice.quota_octets(), Some(Spanned::new(9, span(2))));
    assert_eq!((alice.origin(), alice.span()), (Origin { file: 3, line: 7 }, span(1)));
    let info = book.find_in(&Domain::parse("Example.COM").unwrap(), "info").unwrap();
    let targets: Vec<String> = info.targets().map(|target| target.to_string()).collect();
    assert_eq!(targets, ["Alice@example.com", "\"a b\"@elsewhere.example"]);
    assert!(book.find(there, "alice").is_none() && book.find(here, "Alice").is_none());
}

#[test]
fn the_first_of_two_counts() {
    let mut book = AddressBook::default();
    let here = book.host(&domain("example.com"));
    for (line, local) in [(1, "alice"), (2, "bob"), (3, "ALICE")] {
        book.mailbox(
            here,
            &LocalPart::parse(local).unwrap(),
            Written { span: span(line), origin: Origin { file: 3, line } },
            None,
        );
    }
    assert_eq!((book.len(), book.declarations(), book.count_in(here)), (2, 3, 3));
    let repeated: Vec<(u32, u32)> = book.repeated().map(|(b, a)| (b.origin().line, a.origin().line)).collect();
    assert_eq!(repeated, [(3, 1)]);
    assert_eq!(book.iter().map(|address| address.local()).collect::<Vec<_>>(), ["alice", "bob"]);
}

proptest! {
    #[test]
    fn the_order_is_that_of_the_keys_as_octets(keys in proptest::collection::vec(("[abé]{1,20}", 0..4_usize), 0..60)) {
        let names = ["example.com", "a.example.com", "example-com.example", "xn--r8jz45g.example"];
        let mut book = AddressBook::default();
        let mut map = BTreeMap::new();
        for (line, (local, name)) in keys.iter().enumerate() {
            let host = book.host(&domain(names[*name]));
            book.mailbox(host, &LocalPart::parse(local).unwrap(), Written { span: span(0), origin: Origin { file: 3, line: line as u32 + 1 } }, None);
            map.entry(format!("{}\0{local}", names[*name]).into_bytes()).or_insert(line as u32 + 1);
        }
        let found: Vec<(Vec<u8>, u32)> = book
            .iter()
            .map(|address| (format!("{}\0{}", address.host_name(), address.local()).into_bytes(), address.origin().line))
            .collect();
        prop_assert_eq!(found, map.into_iter().collect::<Vec<_>>());
    }
}
