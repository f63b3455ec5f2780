//! The names of mail: what parses, how it prints, what is refused.

use super::*;
use proptest::prelude::*;

#[test]
fn domains_are_compared_by_a_label() {
    let unicode = Domain::parse("例え.Example").unwrap();
    assert_eq!(unicode, Domain::parse("xn--r8jz45g.example.").unwrap());
    assert_eq!(unicode.as_str(), "xn--r8jz45g.example");
    assert_eq!(unicode.unicode(), "例え.example");
    assert_eq!(Domain::parse("EXAMPLE.com.").unwrap().as_str(), "example.com");
}

#[test]
fn what_is_no_domain_is_refused_for_its_reason() {
    let long = "a.".repeat(127) + "com";
    for (text, error) in [
        ("", NameError::Empty),
        (".", NameError::Empty),
        ("a..b", NameError::EmptyLabel),
        (".a", NameError::EmptyLabel),
        ("a b.example", NameError::BadCharacter { character: ' ' }),
        ("-a.example", NameError::Hyphen { label: "-a".into() }),
        ("192.0.2.1", NameError::IsAddress),
        ("xn--999999999.example", NameError::NotInternational),
        (&long, NameError::TooLong { octets: 257, limit_octets: 253 }),
    ] {
        assert_eq!(Domain::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn domain_within() {
    let parse = |text| Domain::parse(text).unwrap();
    assert!(parse("a.example.com").is_within(&parse("example.com")));
    assert!(parse("example.com").is_within(&parse("example.com")));
    assert!(!parse("badexample.com").is_within(&parse("example.com")));
}

#[test]
fn mailboxes_round_trip() {
    for text in [
        "a@b.example",
        "a.b+c@b.example",
        "\"a b\"@b.example",
        "\"a@b\\\"c\"@b.example",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "用户@b.example",
    ] {
        assert_eq!(Mailbox::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Mailbox::parse("\"plain\"@b.example").unwrap().to_string(), "plain@b.example");
}

#[test]
fn what_is_no_mailbox_is_refused() {
    for text in [
        "a",
        "@b.example",
        "a@",
        "a..b@c.example",
        ".a@c.example",
        "a b@c.example",
        "\"a@c.example",
        "a@[300.1.1.1]",
        "a@[IPv6:x]",
        "a@[2001:db8::1]",
        "\"a\"b@c.example",
        "a\r@c.example",
        "\"a\n\"@c.example",
    ] {
        assert!(Mailbox::parse(text).is_err(), "{text:?}");
    }
    let long = |octets| format!("{}@c.example", "a".repeat(octets));
    assert!(Mailbox::parse(&long(255)).is_ok(), "what a forwarder makes of a long address");
    assert_eq!(Mailbox::parse(&long(256)), Err(NameError::TooLong { octets: 256, limit_octets: 255 }));
}

#[test]
fn paths() {
    assert_eq!(ReversePath::parse("").unwrap(), ReversePath::Null);
    assert_eq!(ForwardPath::parse("PostMaster").unwrap(), ForwardPath::Postmaster);
    assert!(ForwardPath::parse("alice").is_err());
}

proptest! {
    #[test]
    fn a_domain_prints_as_what_it_reads(text in "[a-zA-Z0-9._é例-]{0,40}") {
        if let Ok(domain) = Domain::parse(&text) {
            prop_assert_eq!(Domain::parse(domain.as_str()).unwrap(), domain.clone());
            prop_assert_eq!(Domain::parse(&domain.unicode()).unwrap(), domain);
        }
    }

    #[test]
    fn a_mailbox_prints_as_what_it_reads(text in "\\PC{0,30}@[a-z]{1,5}\\.example") {
        if let Ok(mailbox) = Mailbox::parse(&text) {
            prop_assert_eq!(Mailbox::parse(&mailbox.to_string()).unwrap(), mailbox);
        }
    }
}
