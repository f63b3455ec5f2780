//! What receivers find, through test blocks.

use crate::compile::{CompileOptions, compile_text};

/// A site whose mail leaves by these lines, and a promise about mail of alice.
fn holds(lines: &str, test: &str) -> bool {
    let site = format!(
        r#"
site "mail.example.com" {{
    postmaster "alice@example.com"
    address "203.0.113.25"
}}
tls {{ self-signed; }}
listen "mx"
listen "submissions"
users "staff" {{
    passwd secret="users"
    may-send-as "alice" "alice@news.example.com" "alice@elsewhere.example" "alice@shop.example.com" "alice@bank.example"
}}
{lines}
test "promise" {{
    client user="alice"
    {test}
}}
"#
    );
    // Then its record refers to the host by name, which is not where a route may leave from.
    let site = if lines.contains("from-address") { site.replace("    address \"203.0.113.25\"\n", "") } else { site };
    let compiled = compile_text("site.kdl", &site, &CompileOptions::default());
    assert!(compiled.model.is_some(), "{:#?}", compiled.diagnostics);
    !compiled.has_failed_tests()
}

const HOME: &str = "domain \"example.com\" { mailbox \"alice\"; }\ndomain \"news.example.com\" { mailbox \"alice\"; }\n";
const FRIEND: &str = "to \"friend@gmail.com\"\n";

fn expects(lines: &str, from: &str, promise: &str) -> bool {
    holds(&format!("{HOME}{lines}"), &format!("from {from}\n{FRIEND}expect \"accept\" {promise}"))
}

#[test]
fn mail_from_here_passes() {
    let direct = "route to=\"*\" via=\"direct\"";
    assert!(expects(direct, "\"alice@example.com\"", "spf=\"pass\" dmarc=\"aligned\""));
    assert!(!expects(direct, "\"alice@example.com\"", "spf=\"fail\""));
    assert!(!expects(direct, "\"alice@example.com\"", "dmarc=\"unaligned\""));
}

#[test]
fn an_address_that_the_record_does_not_name_fails() {
    let elsewhere = "route to=\"*\" via=\"direct\" from-address=\"203.0.113.99\"";
    assert!(expects(elsewhere, "\"alice@example.com\"", "spf=\"fail\" dmarc=\"unaligned\""));
}

#[test]
fn a_relay_is_covered_by_its_include() {
    let relay = |says: &str| format!("relay \"isp\" host=\"smtp.isp.example\" port=587 {{ {says} }}\nroute to=\"*\" via=\"isp\"");
    assert!(expects(
        &relay("tls \"verify\"; spf-include \"isp.example\""),
        "\"alice@example.com\"",
        "spf=\"pass\" dmarc=\"aligned\""
    ));
    assert!(expects(&relay("tls \"verify\""), "\"alice@example.com\"", "spf=\"none\" dmarc=\"unaligned\""));
    assert!(expects(&relay("tls \"verify\"; signs-dkim"), "\"alice@example.com\"", "spf=\"none\" dmarc=\"aligned\""));
}

#[test]
fn the_author_may_be_of_the_same_organisation_and_no_other() {
    let direct = "route to=\"*\" via=\"direct\"";
    assert!(expects(direct, "\"alice@news.example.com\" author=\"example.com\"", "spf=\"pass\" dmarc=\"aligned\""));
    assert!(expects(direct, "\"alice@news.example.com\" author=\"shop.example.com\"", "dmarc=\"aligned\""));
    assert!(expects(direct, "\"alice@example.com\" author=\"bank.example\"", "spf=\"pass\" dmarc=\"unaligned\""));
    assert!(!expects(direct, "\"alice@example.com\" author=\"other.example\"", ""), "she may not write in that name");
    // Somebody else's domain has a record, or none, that the site does not know.
    assert!(expects(direct, "\"alice@elsewhere.example\"", "spf=\"none\" dmarc=\"unaligned\""));
}

#[test]
fn a_domain_that_is_an_organisation_of_its_own_is_aligned_with_nothing_above_it() {
    let own = HOME.replace(
        "\"news.example.com\" { mailbox \"alice\";",
        "\"news.example.com\" { mailbox \"alice\"; dmarc policy=\"none\" organization=#true;",
    );
    assert_ne!(own, HOME);
    let expects = |from: &str, promise: &str| {
        let test = format!("from {from}\n{FRIEND}expect \"accept\" {promise}");
        holds(&format!("{own}route to=\"*\" via=\"direct\""), &test)
    };
    assert!(expects("\"alice@news.example.com\" author=\"example.com\"", "spf=\"pass\" dmarc=\"unaligned\""));
    assert!(expects("\"alice@news.example.com\"", "spf=\"pass\" dmarc=\"aligned\""));
}

#[test]
fn nothing_is_promised_of_mail_that_stays() {
    let test = "from \"alice@example.com\"\nto \"alice@news.example.com\"\nexpect \"accept\" spf=\"pass\"";
    assert!(!holds(&format!("{HOME}route to=\"*\" via=\"direct\""), test));
}
