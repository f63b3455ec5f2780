//! The table of a site with every class in it.

use super::{ClientKind, RecipientKind, table};
use crate::compile::{CompileOptions, compile_text};

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
    assert_eq!(row("mx", &|client| *client == ClientKind::User), []);
    assert_eq!(row("submissions", &|client| *client == ClientKind::User)[3], ("elsewhere", "accept", "authenticated-relay"));
    assert!(row("submissions", &stranger).iter().all(|cell| cell.2 == "authentication-required"));
}

#[test]
fn a_cell_names_the_line_behind_it() {
    let model = compile_text("site.kdl", SITE, &CompileOptions::default()).model.unwrap();
    let open = table(&model).into_iter().find(|cell| cell.reason == "trusted-network").unwrap();
    assert_eq!(open.source.as_deref(), Some("site.kdl:11"), "the route; before it comes the network");
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
