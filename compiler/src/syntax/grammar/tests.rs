//! What every declaration owes to those who read the grammar.

use super::*;
use std::collections::BTreeSet;

#[test]
fn names_are_unique_within_a_node() {
    // Arguments, properties and children share one set of keys in the JSON twin.
    walk(&mut |path, spec| {
        let mut seen = BTreeSet::new();
        let names = spec.arguments.iter().map(|a| a.name).chain(spec.properties.iter().map(|p| p.name));
        for name in names.chain(spec.children.iter().map(|c| c.name)) {
            assert!(seen.insert(name), "{path:?} {}: {name} is declared twice", spec.name);
        }
    });
}

#[test]
fn declarations_are_complete() {
    walk(&mut |path, spec| {
        let place = format!("{path:?} {}", spec.name);
        assert!(spec.doc.ends_with('.'), "{place}: the doc is no sentence");
        assert!(spec.example.starts_with(spec.name), "{place}: the example is of something else");
        for argument in spec.arguments {
            assert!(argument.doc.len() > 5, "{place}: {} has no doc", argument.name);
        }
        for property in spec.properties {
            assert!(property.doc.ends_with('.'), "{place}: {} has no doc", property.name);
        }
        for name in spec.one_of {
            assert!(spec.property(name).is_some(), "{place}: one_of names {name}");
        }
    });
}

#[test]
fn only_the_last_argument_repeats_and_optional_ones_come_last() {
    walk(&mut |path, spec| {
        for pair in spec.arguments.windows(2) {
            assert!(!pair[0].repeating && (pair[0].required || !pair[1].required), "{path:?} {}", spec.name);
        }
    });
}

#[test]
fn every_parameter_of_main_cf_that_a_newcomer_starts_with_has_an_answer() {
    for parameter in [
        "myhostname",
        "mydomain",
        "myorigin",
        "mydestination",
        "mynetworks",
        "relayhost",
        "inet_interfaces",
        "inet_protocols",
        "home_mailbox",
        "smtpd_banner",
        "smtpd_tls_cert_file",
        "smtpd_tls_key_file",
        "smtpd_sasl_type",
        "smtpd_sasl_path",
        "smtpd_recipient_restrictions",
        "smtpd_relay_restrictions",
        "virtual_alias_maps",
        "virtual_mailbox_domains",
        "smtp_sasl_password_maps",
        "smtp_sasl_auth_enable",
        "smtp_tls_security_level",
        "message_size_limit",
        "recipient_delimiter",
        "alias_maps",
        "transport_maps",
        "compatibility_level",
        "mailbox_size_limit",
        "smtpd_milters",
    ] {
        assert!(advice(parameter).is_some(), "{parameter}");
    }
    assert_eq!(advice("listen"), None);
}

#[test]
fn advice_prefers_the_setting_to_the_block() {
    let help = |parameter| advice(parameter).map(|advice| advice.help);
    assert_eq!(help("hopcount_limit").as_deref(), Some("Write hops=100 in `limits`"));
    assert_eq!(help("maximal_queue_lifetime").as_deref(), Some("Write `lifetime \"5d\"` in `queue`"));
}
