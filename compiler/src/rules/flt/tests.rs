//! How filters are wired, beyond the examples of the pages.

use crate::compile::{CompileOptions, compile_text};

/// The rules of the family that speak of a site with these filters, in order.
fn spoken(filters: &str) -> Vec<&'static str> {
    let site = format!(
        r#"
site "mail.example.com" {{
    postmaster "alice@example.com"
}}
tls {{ self-signed; }}
listen "mx"
listen "submissions"
listen "one" kind="reinject" address="127.0.0.1" port=10025
listen "two" kind="reinject" address="127.0.0.1" port=10026
users "staff" {{ passwd secret="users"; }}
domain "example.com" {{
    mailbox "alice"
}}
route to="*" via="direct"
{filters}
"#
    );
    let compiled = compile_text("site.kdl", &site, &CompileOptions::default());
    let codes = compiled.diagnostics.iter().map(|finding| finding.code);
    codes.filter(|code| code.starts_with("FLT") || code.starts_with("NAM")).collect()
}

const FIRST: &str = "filter \"a\" smtp=\"127.0.0.1:10024\" returns=\"one\"";

#[test]
fn a_circle_of_two_filters_is_one_loop() {
    let second = "filter \"b\" smtp=\"127.0.0.1:10034\" returns=\"two\" { applies \"one\"; }";
    assert_eq!(spoken(&format!("{FIRST} {{ applies \"mx\" \"two\"; }}\n{second}\n")), ["FLT002"]);
    assert_eq!(spoken(&format!("{FIRST}\n{second}\n")), [""; 0]);
}

#[test]
fn one_daemon_may_have_two_settings() {
    let filters = |second| {
        format!(
            "{FIRST} {{ applies \"mx\"; }}\nfilter \"b\" smtp=\"localhost:10024\" returns=\"two\" {{ applies \"{second}\"; }}\n"
        )
    };
    assert_eq!(spoken(&filters("submission")), [""; 0]);
    assert_eq!(spoken(&filters("all")), ["FLT001", "FLT002"]);
}

#[test]
fn a_policy_service_may_be_asked_twice_and_is_no_filter() {
    let policies =
        "policy \"rcpt\" \"inet:127.0.0.1:10040\" at=\"rcpt\"\npolicy \"end\" \"inet:127.0.0.1:10040\" at=\"end-of-data\"\n";
    let used = format!("{FIRST}\nfilter \"b\" smtp=\"127.0.0.1:10034\" returns=\"two\"\n");
    assert_eq!(spoken(&format!("{used}{policies}")), [""; 0]);
    let filter = "filter \"c\" milter=\"inet:127.0.0.1:10040\"\n";
    assert_eq!(spoken(&format!("{used}{filter}{policies}")), ["FLT001", "FLT001"]);
}

#[test]
fn names_in_filters_are_resolved() {
    let filters = "filter \"a\" smtp=\"127.0.0.1:10024\" returns=\"oen\"\nfilter \"a\" smtp=\"127.0.0.1:10034\" returns=\"two\" { applies \"mxx\"; }\n";
    // The second `a` is reported and left out, so nothing returns to either listener.
    let spoken = spoken(filters);
    assert_eq!(spoken.iter().filter(|code| **code == "NAM001").count(), 2, "{spoken:?}");
    assert!(spoken.contains(&"NAM002"), "{spoken:?}");
}
