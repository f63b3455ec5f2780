//! A small site through the checks and the accessors. The findings themselves are cases in files.

use crate::syntax::value::{Factor, Octets};
use crate::syntax::{Document, LoadOptions, load_text};
use postern_schema::name::Domain;
use std::time::Duration;

const SMALL: &str = r##"
site "mail.example.com" {
    postmaster "alice@example.com"
    address "203.0.113.25" "2001:db8::25"
}
tls { self-signed }
listen "mx" port=25
domain "example.com" "例え.example" {
    mailbox "alice" quota="2GiB"
    alias "info" "alice" "bob@elsewhere.example"
    pattern #"^sales-(\w+)$"# "sales+{1}@example.com"
    delimiter "+"
}
queue { retry "5m" factor=1.5 up-to="2h"; lifetime "5d" }
route to="*" via="direct"
"##;

#[test]
fn a_small_site_is_read_through_views() {
    let loaded = load_text("site.kdl", SMALL, &LoadOptions::default());
    assert_eq!(loaded.diagnostics, []);
    let document = Document::new(&loaded.nodes);
    let site = document.child("site").expect("site");
    assert_eq!(site.argument::<Domain>("hostname").map(|name| name.value.to_string()).as_deref(), Some("mail.example.com"));
    assert_eq!(site.child("address").expect("address").arguments::<std::net::IpAddr>("addresses").len(), 2);
    assert!(site.child("origin").is_none());
    let tls = document.child("tls").expect("tls");
    assert_eq!(tls.flag("self-signed").map(|on| on.value), Some(true));
    let domain = document.child("domain").expect("domain");
    assert_eq!(domain.arguments::<Domain>("names")[1].value.as_str(), "xn--r8jz45g.example");
    let mailbox = domain.child("mailbox").expect("mailbox");
    assert_eq!(mailbox.property::<Octets>("quota").map(|quota| quota.value), Some(Octets(2 << 30)));
    let retry = document.child("queue").and_then(|queue| queue.child("retry")).expect("retry");
    assert_eq!(retry.argument::<Duration>("pause").map(|pause| pause.value), Some(Duration::from_secs(300)));
    assert_eq!(retry.property::<Factor>("factor").map(|factor| factor.value), Some(Factor(150)));
    let listen = document.child("listen").expect("listen");
    let port = listen.property::<u16>("port").expect("port");
    let written = &SMALL[port.span.start as usize..][..port.span.length as usize];
    assert_eq!((port.value, written), (25, "25"));
}

#[test]
fn a_node_one_block_too_deep_is_told_where_it_belongs() {
    let help = |text: &str| {
        let loaded = load_text("site.kdl", text, &LoadOptions::default());
        loaded.diagnostics.into_iter().find(|finding| finding.code == "LNG013").and_then(|finding| finding.help)
    };
    let test = "test \"x\" { client \"192.0.2.1\" { listed \"zen.spamhaus.org\"; }; }";
    assert_eq!(help(test).as_deref(), Some("Write it in `test`, beside `client`"));
    assert_eq!(help("route to=\"*\" via=\"direct\" { relay \"x\"; }").as_deref(), Some("Write it outside, beside `route`"));
    assert_eq!(help("route to=\"*\" via=\"direct\" { hops 3; }").as_deref(), Some("Write `route` without braces"));
}
