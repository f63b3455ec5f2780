//! What counts as a difference, and how it reads.

use super::*;
use crate::emit::fixture::{declare, domain, mailbox, model};
use postern_schema::site::{AddressEntry, AddressKind, DomainClass, Forward, Origin, RoutePattern, TlsLevel, Via};
use std::sync::Arc;

fn plan(change: impl FnOnce(&mut Model)) -> Plan {
    let mut new = model();
    change(&mut new);
    compare(&model(), &new).expect("sites in memory")
}

fn lines(plan: &Plan) -> Vec<String> {
    describe(plan).lines().map(str::to_owned).collect()
}

/// Puts what becomes of each entry in its place; `None` removes it.
fn rewrite(model: &mut Model, change: impl Fn(&str, AddressEntry) -> Option<AddressEntry>) {
    let before = std::mem::take(&mut model.addresses);
    for address in before.iter() {
        if let Some(entry) = change(address.local(), address.to_entry()) {
            declare(model, address.domain().expect("a domain"), address.local(), &entry);
        }
    }
}

#[test]
fn nothing_differs_where_only_lines_moved() {
    let moved = plan(|new| {
        new.site.postmaster_origin.line += 5;
        new.site.relays[0].origin.line += 5;
        rewrite(new, |_, entry| Some(AddressEntry { origin: Origin { line: entry.origin.line + 5, ..entry.origin }, ..entry }));
    });
    assert_eq!(moved, Plan::default());
    assert_eq!(lines(&moved), ["no differences"]);
}

#[test]
fn values_are_compared_by_name() {
    let plan = plan(|new| {
        new.site.limits.recipients = 50;
        new.site.relays[0].tls = TlsLevel::Encrypt;
        new.site.listeners.remove(1);
    });
    let changes: Vec<String> = lines(&plan).into_iter().take_while(|line| !line.is_empty()).collect();
    assert_eq!(
        changes,
        [
            "~ relay smarthost tls: verify -> encrypt",
            "~ limits recipients: 1000 -> 50",
            "- listen submission kind = submission",
            "- listen submission address = 0.0.0.0 ::",
            "- listen submission port = 587",
        ]
    );
}

#[test]
fn a_route_in_front_of_another_shows() {
    let plan = plan(|new| {
        let mut first = new.site.routes[0].clone();
        (first.to, first.via) = (RoutePattern::Domain(domain("partner.example")), Via::Direct);
        new.site.routes.insert(0, first);
    });
    assert_eq!(
        lines(&plan),
        [
            "~ route 1 to: * -> partner.example",
            "~ route 1 via: smarthost -> direct",
            "+ route 2 to = *",
            "+ route 2 from = *",
            "+ route 2 via = smarthost",
        ]
    );
}

#[test]
fn addresses_say_whether_mail_is_still_taken() {
    let plan = plan(|new| {
        let to_carol = AddressKind::Alias(vec![Forward { mailbox: mailbox("carol@example.com") }]);
        rewrite(new, |local, entry| match local {
            "bob" => None,
            "info" => Some(AddressEntry { kind: to_carol.clone(), ..entry }),
            _ => Some(entry),
        });
        let carol = AddressEntry { kind: AddressKind::Mailbox { quota_octets: Some(2 << 30) }, origin: Origin::DEFAULT };
        declare(new, &domain("example.com"), "carol", &carol);
    });
    assert_eq!(
        lines(&plan),
        [
            "- address bob@example.com = mailbox  (refused from now on)",
            "+ address carol@example.com = mailbox quota 2GiB  (accepted from now on)",
            "~ address info@example.com: alias alice@example.com bob@example.com -> alias carol@example.com",
        ]
    );
}

#[test]
fn an_address_that_a_catch_all_takes_over_is_not_refused() {
    let plan = plan(|new| {
        rewrite(new, |local, entry| (local != "bob").then_some(entry));
        let entry = Arc::make_mut(new.domains.get_mut(&domain("example.com")).expect("it is there"));
        entry.catch_all = Some((mailbox("alice@example.com"), Origin::DEFAULT));
    });
    assert_eq!(lines(&plan), ["+ domain example.com catch-all = alice@example.com", "- address bob@example.com = mailbox"]);
}

#[test]
fn a_domain_that_is_parked_has_its_records_replaced() {
    let plan = plan(|new| {
        let entry = Arc::make_mut(new.domains.get_mut(&domain("shop.example")).expect("it is there"));
        entry.class = DomainClass::Parked;
    });
    assert_eq!(lines(&plan)[0], "~ domain shop.example class: alias-of example.com -> parked");
    assert!(plan.dns_add.contains(&"shop.example. 3600 IN MX 0 .".to_owned()));
    assert!(plan.dns_remove.contains(&"shop.example. 3600 IN MX 10 mail.example.com.".to_owned()));
}
