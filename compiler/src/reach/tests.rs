//! The table of a site with every class in it.

use super::{Cell, ClientKind, RecipientKind, table};
use crate::compile::{CompileOptions, compile_text};
use crate::model::Model;
use postern_schema::decide::{Answer, Client, RecipientFacts, ScreenFacts, accept};
use postern_schema::name::{ForwardPath, Mailbox, ReversePath};
use postern_schema::site::{DomainClass, Fingerprint, Listener, ListenerKind};
use proptest::prelude::*;
use std::net::IpAddr;

const SITE: &str = r#"
site "mail.example.com" { postmaster "alice@example.com"; }
tls { self-signed; }
listen "mx"
listen "submissions"
users "staff" { passwd secret="users"; }
network "office" "192.0.2.0/24" relay=#true reason="wired LAN"
network "guests" "192.0.2.128/26" reason="the guests' part of it"
domain "example.com" { mailbox "alice"; }
parked "example.net"
route to="*" via="direct"
"#;

#[test]
fn every_class_meets_every_other() {
    let model = compile_text("site.kdl", SITE, &CompileOptions::default()).model.unwrap();
    let cells = table(&model);
    let row = |listener: &str, client: &dyn Fn(&ClientKind) -> bool| {
        let row = cells.iter().filter(|cell| cell.listener == listener && client(&cell.client));
        row.map(|cell| (cell.recipient.as_str(), cell.disposition, cell.reason.as_str())).collect::<Vec<_>>()
    };
    let stranger = |client: &ClientKind| matches!(client, ClientKind::Stranger { address } if address.is_ipv4());
    let network =
        |wanted: &'static str| move |client: &ClientKind| matches!(client, ClientKind::Network { name, .. } if name == wanted);
    let closed = [
        ("ours", "accept", "local-recipient"),
        ("nobody-here", "reject", "unknown-mailbox"),
        ("parked", "reject", "null-mx-domain"),
        ("elsewhere", "reject", "relay-denied"),
    ];
    assert_eq!(row("mx", &stranger), closed);
    assert_eq!(row("mx", &network("guests")), closed);
    assert_eq!(row("mx", &network("office"))[3], ("elsewhere", "accept", "trusted-network"));
    assert_eq!(row("mx", &|client| matches!(client, ClientKind::User { .. })), []);
    assert_eq!(
        row("submissions", &|client| matches!(client, ClientKind::User { .. }))[3],
        ("elsewhere", "accept", "authenticated-relay")
    );
    assert!(row("submissions", &stranger).iter().all(|cell| cell.2 == "authentication-required"));
}

#[test]
fn a_spokesman_may_do_what_any_of_its_clients_may() {
    let site = |listen: &str| SITE.replacen("listen \"mx\"", listen, 1);
    let claimed = |listen: &str| {
        let compiled = compile_text("site.kdl", &site(listen), &CompileOptions::default());
        let cells = table(&compiled.model.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics)));
        let cells = cells.into_iter().filter(|cell| matches!(cell.client, ClientKind::Spokesman { .. }));
        cells.map(|cell| (cell.client.to_string(), cell.recipient.as_str(), cell.reason)).collect::<Vec<_>>()
    };
    let proxy = claimed("listen \"mx\" proxy-protocol-from=\"10.9.0.0/24\"");
    let whom = "whoever 10.9.0.0/24 speaks for (proxy-protocol-from)".to_owned();
    assert_eq!(proxy[3], (whom, "elsewhere", "trusted-network".to_owned()));
    assert_eq!(proxy[1].2, "unknown-mailbox");
    let without = SITE.replacen("relay=#true", "", 1).replacen("listen \"mx\"", "listen \"mx\" xclient-from=\"10.9.0.7\"", 1);
    let model = compile_text("site.kdl", &without, &CompileOptions::default()).model.unwrap();
    let reasons: Vec<String> = table(&model)
        .into_iter()
        .filter(|cell| matches!(cell.client, ClientKind::Spokesman { .. }) && cell.recipient == RecipientKind::Elsewhere)
        .map(|cell| cell.reason)
        .collect();
    assert_eq!(reasons, ["authenticated-relay"]);
}

#[test]
fn a_cell_names_the_line_behind_it() {
    let model = compile_text("site.kdl", SITE, &CompileOptions::default()).model.unwrap();
    let open = table(&model).into_iter().find(|cell| cell.reason == "trusted-network").unwrap();
    assert_eq!(open.source.as_deref(), Some("site.kdl:7"), "the network, not the route behind it");
    assert_eq!(open.recipient, RecipientKind::Elsewhere);
}

/// What the headline promises of every example: strangers reach what is ours, and nothing else.
#[test]
fn no_example_lets_strangers_relay() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path().join("site.kdl");
        let Ok(compiled) = crate::compile::compile(&path, &CompileOptions::default()) else { continue };
        let cells = table(&compiled.model.unwrap());
        let strangers = cells.iter().filter(|cell| matches!(cell.client, ClientKind::Stranger { .. }));
        let mut seen = 0;
        for cell in strangers.filter(|cell| cell.recipient == RecipientKind::Elsewhere) {
            assert_eq!(cell.disposition, "reject", "{}: {cell:?}", path.display());
            seen += 1;
        }
        assert!(seen > 0, "{}", path.display());
    }
}

/// The lines that a mutation puts in or leaves out; together they open and shut every way that the language knows.
const LINES: [&str; 21] = [
    "listen \"second\" kind=\"mx\" port=2525 address=\"192.0.2.1\"",
    "listen \"submission\"\nlisten \"submissions\"",
    "users \"staff\" { passwd secret=\"users\"; }",
    "users \"robots\" { passwd secret=\"robots\"; }",
    "network \"office\" \"192.0.2.0/24\" \"2001:db8:1::/48\" relay=#true",
    "network \"guests\" \"192.0.2.128/26\"",
    "network \"all\" \"0.0.0.0/0\" relay=#true",
    "network \"half\" \"128.0.0.0/1\" \"::/0\"",
    "domain \"two.example\" { mailbox \"bob\"; catch-all \"x@outside.example\"; }",
    "domain \"three.example\" { alias \"out\" \"a@outside.example\"; }",
    "domain \"twin.example\" alias-of=\"example.com\"",
    "parked \"parked.example\"",
    "route to=\"partner.example\" via=\"direct\"",
    "route to=\"*\" from=\"example.com\" via=\"direct\"",
    "listen \"back\" kind=\"reinject\" address=\"127.0.0.1\" port=10025",
    "listen \"open-back\" kind=\"reinject\" address=\"0.0.0.0\" port=10026 from=\"192.0.2.128/25\"",
    "listen \"lmtp\" kind=\"lmtp\" address=\"192.0.2.1\" port=24 from=\"192.0.2.0/25\"",
    "network \"partner\" relay=#true reason=\"their gateway\" { certificate \"C8:4F:60:32:6E:1C:84:6F:29:18:02:6F:36:55:9A:0D:5C:5C:93:3F:57:70:A6:F3:1C:1E:5E:3E:0B:B4:21:7A\"; }",
    "network \"known\" { certificate \"D8:4F:60:32:6E:1C:84:6F:29:18:02:6F:36:55:9A:0D:5C:5C:93:3F:57:70:A6:F3:1C:1E:5E:3E:0B:B4:21:7A\"; }",
    "rewrite \"recipient\" \"gone@example.com\" \"gone@outside.example\"",
    "rewrite \"recipient\" \"old@partner.example\" \"alice@example.com\"",
];

/// An open relay is refused, so the model is made of the draft, whatever the rules say.
fn mutated(choice: u32, first: &str) -> Model {
    let lines = LINES.iter().enumerate().filter(|(index, _)| choice & (1 << index) != 0).map(|(_, line)| *line);
    let text = format!(
        "site \"mail.example.com\" {{ postmaster \"alice@example.com\"; }}\ntls {{ self-signed; }}\n{first}\n\
         domain \"example.com\" {{ mailbox \"alice\"; alias \"info\" \"alice\"; }}\n{}\n",
        lines.collect::<Vec<_>>().join("\n")
    );
    let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
    let draft = compiled.draft.expect("it is read");
    assert!(draft.gaps.is_empty(), "{:#?}", compiled.diagnostics);
    draft.to_model(&compiled.sources)
}

/// The class of a recipient by looking, not by asking.
fn class_of(recipient: &Mailbox, model: &Model) -> RecipientKind {
    let domain = recipient.domain().and_then(|domain| model.domains.get(domain));
    match (domain, recipient.to_string().as_str()) {
        (None, _) => RecipientKind::Elsewhere,
        (Some(domain), _) if domain.class == DomainClass::Parked => RecipientKind::Parked,
        (_, "alice@example.com" | "info@example.com" | "alice@twin.example" | "bob@two.example") => RecipientKind::Ours,
        (_, "out@three.example") => RecipientKind::Forwarded,
        (_, gone @ "gone@example.com")
            if model.site.rewriting.rewrites.iter().any(|rewrite| rewrite.from.to_string() == gone) =>
        {
            RecipientKind::Forwarded
        }
        (Some(domain), _) if domain.catch_all.is_some() => RecipientKind::Forwarded,
        _ => RecipientKind::NobodyHere,
    }
}

/// A recipient and the class that it is in.
struct Member {
    class: RecipientKind,
    recipient: Mailbox,
}

/// A client at a listener.
struct Visit<'a> {
    listener: &'a Listener,
    address: IpAddr,
    user: Option<&'a str>,
    shown: Option<Fingerprint>,
}

const PARTNER: &str = "C8:4F:60:32:6E:1C:84:6F:29:18:02:6F:36:55:9A:0D:5C:5C:93:3F:57:70:A6:F3:1C:1E:5E:3E:0B:B4:21:7A";
const KNOWN: &str = "D8:4F:60:32:6E:1C:84:6F:29:18:02:6F:36:55:9A:0D:5C:5C:93:3F:57:70:A6:F3:1C:1E:5E:3E:0B:B4:21:7A";
const UNKNOWN: &str = "E8:4F:60:32:6E:1C:84:6F:29:18:02:6F:36:55:9A:0D:5C:5C:93:3F:57:70:A6:F3:1C:1E:5E:3E:0B:B4:21:7A";

/// What a client may come with: nothing, a login where one is taken, a certificate where one is asked for.
fn credentials(listener: &Listener, model: &Model) -> Vec<(Option<&'static str>, Option<Fingerprint>)> {
    let mut found = vec![(None, None)];
    if listener.kind.requires_login() && !model.site.users.is_empty() {
        found.push((Some("alice"), None));
    }
    if listener.kind == ListenerKind::Mx {
        found.extend([PARTNER, KNOWN, UNKNOWN].map(|shown| (None, Some(Fingerprint::parse(shown).unwrap()))));
    }
    found
}

impl Visit<'_> {
    /// Whether the row is about clients like this one, by looking and not by asking.
    fn is_in(&self, kind: &ClientKind, model: &Model) -> bool {
        let network = model.site.network(self.address).map(|network| &*network.name);
        let is_peer = self.listener.kind.is_for_peers() && self.listener.admits(self.address);
        // A certificate of a network without a right adds nothing to the address.
        let partner = Fingerprint::parse(PARTNER).unwrap();
        let is_partner = self.shown == Some(partner) && model.site.networks.iter().any(|network| &*network.name == "partner");
        match kind {
            ClientKind::Spokesman { .. } => false,
            ClientKind::Peer { .. } => is_peer,
            _ if is_peer => false,
            ClientKind::Certificate { network, .. } => is_partner && network == "partner",
            _ if is_partner => false,
            ClientKind::User { .. } => self.user.is_some(),
            _ if self.user.is_some() => false,
            ClientKind::Network { name, .. } => network == Some(name),
            ClientKind::Stranger { address } => network.is_none() && address.is_ipv4() == self.address.is_ipv4(),
        }
    }

    /// The decision itself, against the cell of the table.
    fn compare(&self, member: &Member, model: &Model, cells: &[Cell]) -> Result<(), TestCaseError> {
        let certificate = self.shown.as_slice();
        let client = Client { listener: &self.listener.name, address: self.address, user: self.user, certificate };
        let path = ForwardPath::Mailbox(member.recipient.clone());
        let screen = ScreenFacts::CLEAR;
        let facts = RecipientFacts { client, reverse_path: &ReversePath::Null, forward_path: &path, screen, srs: None };
        let Answer::Verdict(verdict) = accept(&facts, model) else {
            return Err(TestCaseError::fail(format!("{} is undecided", member.recipient)));
        };
        let mut rows = cells.iter().filter(|cell| *cell.listener == *self.listener.name && cell.recipient == member.class);
        let said = (verdict.disposition.as_str(), verdict.reason.as_str());
        let found = rows.any(|cell| self.is_in(&cell.client, model) && (cell.disposition, cell.reason.as_str()) == said);
        let who = (self.address, self.user, &self.shown, &self.listener.name);
        prop_assert!(found, "{} from {:?}: {}\n{:#?}", member.recipient, who, verdict.reason, cells);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// The table says of a class what the decision says of any of its members.
    #[test]
    fn the_table_is_what_is_decided(
        choice in any::<u32>(), only_v4 in any::<bool>(),
        addresses in proptest::collection::vec(prop_oneof![
            any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
            (0_u32..256).prop_map(|bits| IpAddr::V4((0xC000_0200 + bits).into())),
            (1_u32..3).prop_map(|bits| IpAddr::V4((0x7F00_0000 + bits).into())),
            any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())),
            (0_u128..1 << 90).prop_map(|bits| IpAddr::V6(((0x2001_0db8_0001_u128 << 80) + bits).into())),
        ], 12),
    ) {
        let model = mutated(choice, if only_v4 { "listen \"mx\" address=\"0.0.0.0\"" } else { "listen \"mx\"" });
        let cells = table(&model);
        let recipients = [
            "alice@example.com", "info@example.com", "nobody@example.com", "alice@twin.example", "nobody@three.example",
            "bob@two.example", "anybody@two.example", "out@three.example", "x@parked.example", "x@partner.example",
            "x@a.partner.example", "gone@example.com", "x@outside.example", "x@[192.0.2.77]",
        ].map(|text| Mailbox::parse(text).unwrap());
        let recipients: Vec<Member> = recipients.into_iter().map(|recipient| Member { class: class_of(&recipient, &model), recipient }).collect();
        for listener in &model.site.listeners {
            let bound = |address: &IpAddr| listener.addresses.iter().any(|own| own.is_ipv4() == address.is_ipv4());
            for address in addresses.iter().filter(|address| bound(address) && address.to_canonical() == **address) {
                for (user, shown) in credentials(listener, &model) {
                    let visit = Visit { listener, address: *address, user, shown };
                    for member in &recipients {
                        visit.compare(member, &model, &cells)?;
                    }
                }
            }
        }
    }

    /// Whatever is mutated: a stranger's way to elsewhere is the error of the relay proof, and there is no such error without one.
    #[test]
    fn the_proof_flips_with_the_site(choice in any::<u32>()) {
        let model = mutated(choice, "listen \"mx\"");
        let everybody = choice & (1 << 6) != 0;
        // The other half of IPv4 is taken out again by "half", which leaves 2^31 strangers.
        let paths = crate::rules::probe::open_paths(&model);
        let is_wide = |region: &crate::rules::probe::Region| region.representative.is_ipv4() && region.addresses > 1 << 24;
        prop_assert_eq!(paths.iter().any(|path| path.region.public && is_wide(&path.region)), everybody);
    }
}
