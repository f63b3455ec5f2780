//! What counts as a difference, and how it reads.

use super::*;
use crate::emit::fixture::{declare, domain, mailbox, model};
use postern_schema::site::{
    AddressEntry, AddressKind, DkimSigner, DomainClass, Forward, Origin, PublicKey, RoutePattern, Selector, SigningState,
    TlsLevel, Via,
};
use std::sync::Arc;

fn plan(change: impl FnOnce(&mut Model)) -> Plan {
    let mut new = model();
    change(&mut new);
    compare(&model(), &new, None)
}

fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &Change| {
        let (old, new) = (change.old.as_deref().unwrap_or("-"), change.new.as_deref().unwrap_or("-"));
        format!("{} {}: {old} -> {new}", change.subject, change.name)
    };
    plan.changes.iter().map(line).collect()
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

fn remove(model: &mut Model, gone: &str) {
    rewrite(model, |local, entry| (local != gone).then_some(entry));
}

#[test]
fn nothing_differs_where_only_lines_moved() {
    let moved = plan(|new| {
        new.site.postmaster_origin.line += 5;
        new.site.relays[0].origin.line += 5;
        rewrite(new, |_, entry| Some(AddressEntry { origin: Origin { line: entry.origin.line + 5, ..entry.origin }, ..entry }));
    });
    assert_eq!(moved, Plan::default());
}

#[test]
fn values_are_compared_by_name() {
    let plan = plan(|new| {
        new.site.limits.recipients = 50;
        new.site.relays[0].tls = TlsLevel::Encrypt;
        new.site.listeners.remove(1);
    });
    assert_eq!(
        lines(&plan),
        [
            "relay smarthost tls: verify -> encrypt",
            "limits recipients: 1000 -> 50",
            "listen submission kind: submission -> -",
            "listen submission address: 0.0.0.0 :: -> -",
            "listen submission port: 587 -> -",
        ]
    );
    let gone: Vec<_> = plan.relaying.iter().filter(|cell| cell.listener == "submission").collect();
    assert!(!gone.is_empty() && gone.iter().all(|cell| cell.new.is_none()), "{gone:#?}");
}

#[test]
fn who_signs_is_a_difference_even_where_dns_stays() {
    let with_key = |model: &mut Model, state| {
        let entry = Arc::make_mut(model.domains.get_mut(&domain("example.com")).expect("it is there"));
        entry.signers = vec![DkimSigner {
            selector: Selector::parse("a").expect("a selector"),
            public_key: PublicKey::Ed25519([7; 32]),
            key: None,
            state,
            origin: Origin::DEFAULT,
        }];
    };
    let (mut old, mut new) = (model(), model());
    with_key(&mut old, SigningState::Publish);
    with_key(&mut new, SigningState::Active);
    new.site.relays[0].signs_dkim = !old.site.relays[0].signs_dkim;
    let plan = compare(&old, &new, None);
    let relay = &old.site.relays[0].name;
    assert_eq!(
        lines(&plan),
        [
            format!("relay {relay} signs-dkim: false -> true"),
            "domain example.com dkim a: ed25519-sha256, publish -> ed25519-sha256, active".to_owned()
        ]
    );
    assert!(plan.dns.is_empty());
}

#[test]
fn a_route_in_front_of_another_moves_the_mail_that_it_takes_and_no_other() {
    let plan = plan(|new| {
        let mut first = new.site.routes[0].clone();
        (first.to, first.via, first.tls) = (RoutePattern::Domain(domain("partner.example")), Via::Direct, None);
        new.site.routes.insert(0, first);
    });
    assert_eq!(lines(&plan)[0], "route 1 to: * -> partner.example");
    assert!(!plan.routes.is_empty());
    for route in &plan.routes {
        assert!(route.to.ends_with("@partner.example"), "{route:?}");
        assert_eq!((&*route.old, &*route.new), ("relay:smarthost, tls verify", "mx:partner.example, tls published"));
    }
}

#[test]
fn addresses_are_asked_for() {
    let plan = plan(|new| {
        let targets = vec![Forward { mailbox: mailbox("carol@example.com") }];
        rewrite(new, |local, entry| match local {
            "bob" => None,
            "info" => Some(AddressEntry { kind: AddressKind::Alias(targets.clone()), ..entry }),
            _ => Some(entry),
        });
        let carol = AddressEntry { kind: AddressKind::Mailbox { quota_octets: Some(2 << 30) }, origin: Origin::DEFAULT };
        declare(new, &domain("example.com"), "carol", &carol);
    });
    assert_eq!(
        lines(&plan),
        [
            "address bob@example.com : mailbox -> -",
            "address carol@example.com : - -> mailbox quota 2GiB",
            "address info@example.com : alias alice@example.com bob@example.com -> alias carol@example.com",
        ]
    );
    let effect = &plan.addresses[0];
    assert_eq!((&*effect.domain, effect.accepted, effect.refused, effect.unknown_accepted), ("example.com", 1, 1, None));
    assert_eq!(effect.examples, ["bob@example.com", "carol@example.com"]);
}

#[test]
fn an_address_that_a_catch_all_takes_over_is_not_refused() {
    let plan = plan(|new| {
        remove(new, "bob");
        let entry = Arc::make_mut(new.domains.get_mut(&domain("example.com")).expect("it is there"));
        entry.catch_all = Some((mailbox("alice@example.com"), Origin::DEFAULT));
    });
    let effect = plan.addresses.iter().find(|effect| effect.domain == "example.com").expect("unknown addresses");
    assert_eq!((effect.accepted, effect.refused, effect.unknown_accepted), (0, 0, Some(true)));
}

#[test]
fn a_domain_that_is_parked_stops_leading_users_on_and_promises_nothing_too_early() {
    let plan = plan(|new| {
        let entry = Arc::make_mut(new.domains.get_mut(&domain("shop.example")).expect("it is there"));
        entry.class = DomainClass::Parked;
    });
    assert_eq!(lines(&plan)[0], "domain shop.example class: alias-of example.com -> parked");
    let step = |when| plan.dns.iter().find(|step| step.when == when);
    let holds = |when, line: &str| step(when).is_some_and(|step| step.add.iter().any(|record| record.contains(line)));
    assert!(holds(When::After, "shop.example. 3600 IN MX 0 ."), "{:#?}", plan.dns);
    assert!(holds(When::After, "shop.example. 3600 IN TXT \"v=spf1 -all\""), "{:#?}", plan.dns);
    assert!(step(When::Before).is_some_and(|step| step.add.is_empty() && step.remove[0].contains("IN SRV")), "{:#?}", plan.dns);
}

#[test]
fn an_address_that_mail_leaves_from_is_published_first_and_withdrawn_last() {
    let plan = plan(|new| new.site.addresses = vec!["203.0.113.99".parse().expect("an address")]);
    let steps: Vec<When> = plan.dns.iter().map(|step| step.when).collect();
    assert_eq!(steps, [When::Before, When::Reload, When::Later]);
    assert_eq!(
        (plan.dns[1].wait_seconds, plan.dns[2].wait_seconds),
        (3600, 5 * 86_400 + 3600),
        "the TTL, and the queue's lifetime"
    );
    assert!(plan.dns[0].add.iter().any(|record| record.ends_with("IN A 203.0.113.99")), "{:#?}", plan.dns);
    assert!(plan.dns[2].remove.iter().any(|record| record.contains("IN A ") && !record.contains("203.0.113.99")));
}

#[test]
fn queued_mail_is_routed_by_both_sites() {
    let message = |to: &[&str]| QueuedMessage {
        id: "Q1".into(),
        from: "alice@example.com".into(),
        to: to.iter().map(|to| queue::QueuedRecipient { address: (*to).into() }).collect(),
    };
    let mut new = model();
    remove(&mut new, "bob");
    new.site.routes.truncate(0);
    let queue = [message(&["bob@example.com", "alice@example.com"]), message(&["x@elsewhere.example"])];
    let effect = compare(&model(), &new, Some(&queue)).queue.expect("it was shown");
    assert_eq!((effect.messages, effect.moved.len()), (2, 0));
    let lost: Vec<_> = effect.lost.iter().map(|lost| (&*lost.recipient, &*lost.new)).collect();
    assert_eq!(lost, [("bob@example.com", "mailbox-gone"), ("x@elsewhere.example", "no-route")]);
}
