//! Loops of every make, and what only looks like one.

use super::{AddressGraph, Direct, witnesses};
use crate::compile::{CompileOptions, compile_text};
use crate::report::Severity;
use postern_schema::decide::{Resolved, Trace, resolve};
use proptest::prelude::*;
use regex::Regex;

fn findings(domains: &str) -> Vec<String> {
    let head = "site \"mail.example.com\" { postmaster \"alice@example.com\"; }\ntls { self-signed; }\nlisten \"mx\"\nroute to=\"*\" via=\"direct\"\n";
    let compiled = compile_text("site.kdl", &format!("{head}{domains}"), &CompileOptions::default());
    let serious = compiled.diagnostics.iter().filter(|finding| finding.severity > Severity::Note);
    serious.map(|finding| format!("{} {}", finding.code, finding.message)).collect()
}

fn domain(content: &str) -> Vec<String> {
    findings(&format!("domain \"example.com\" {{\n    mailbox \"alice\"\n{content}\n}}\n"))
}

#[test]
fn a_loop_is_printed_as_a_path_from_its_first_entry() {
    assert_eq!(
        domain("alias \"b\" \"c\"\nalias \"c\" \"a\"\nalias \"a\" \"alice\" \"b\""),
        ["DOM002 Mail goes in a circle: b@example.com → c@example.com → a@example.com → b@example.com"]
    );
}

#[test]
fn an_alias_to_itself_is_a_loop_of_one() {
    assert_eq!(domain("alias \"team\" \"Team\" \"alice\""), ["DOM002 team@example.com leads to itself"]);
    assert_eq!(domain("alias \"team\" \"team+x\""), ["DOM002 team+x@example.com leads to itself"]);
}

#[test]
fn details_patterns_and_catch_alls_close_circles_too() {
    assert_eq!(domain("alias \"a\" \"b+x\"\nalias \"b\" \"a+y\"").len(), 1);
    assert!(domain("pattern \"^(\\\\w+)-list$\" \"{1}-list\"")[0].starts_with("DOM002 x-list@example.com leads to itself"));
    assert!(domain("catch-all \"nobody-there\"")[0].starts_with("DOM003 The catch-all nobody-there@example.com does not exist"));
    assert_eq!(domain("pattern \"^a(\\\\d)$\" \"b{1}\"\npattern \"^b(\\\\d)$\" \"a{1}\"").len(), 1);
}

#[test]
fn a_circle_through_two_domains_is_found() {
    let site = "domain \"example.com\" { mailbox \"alice\"; alias \"a\" \"a@example.org\"; }\n\
                domain \"example.net\" alias-of=\"example.com\"\ndomain \"example.org\" { alias \"a\" \"a@example.net\"; }\n";
    let found = findings(site);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].ends_with("a@example.net → a@example.org → a@example.net"), "{found:?}");
}

#[test]
fn ways_that_meet_again_are_no_circle() {
    assert_eq!(
        domain("alias \"all\" \"x\" \"y\" \"alice\"\nalias \"x\" \"alice\"\nalias \"y\" \"x\" \"alice\""),
        Vec::<String>::new()
    );
    assert_eq!(domain("pattern \"^sales-(\\\\w+)$\" \"sales+{1}\"\nalias \"sales\" \"alice\""), Vec::<String>::new());
    assert_eq!(domain("alias \"alices\" \"alice+alices\"\ncatch-all \"alice\""), Vec::<String>::new());
}

#[test]
fn two_circles_apart_are_two_findings() {
    assert_eq!(domain("alias \"a\" \"b\"\nalias \"b\" \"a\"\nalias \"c\" \"d\"\nalias \"d\" \"c\"").len(), 2);
}

#[test]
fn a_long_chain_aliases_does_not_exhaust_the_stack() {
    let chain: String = (0..1500).map(|n| format!("alias \"a{n}\" \"a{}\"\n", n + 1)).collect();
    assert_eq!(domain(&format!("{chain}alias \"a1500\" \"alice\"")), Vec::<String>::new());
    assert_eq!(domain(&format!("{chain}alias \"a1500\" \"a0\"")).len(), 1);
}

#[test]
fn a_postmaster_who_stands_for_himself_is_missing() {
    let site = "site \"mail.example.com\" { postmaster \"postmaster@example.com\"; }\ntls { self-signed; }\nlisten \"mx\"\n\
                domain \"example.com\" { mailbox \"alice\"; }\n";
    let compiled = compile_text("site.kdl", site, &CompileOptions::default());
    let codes: Vec<_> = compiled.diagnostics.iter().filter(|f| f.severity > Severity::Note).map(|finding| finding.code).collect();
    assert_eq!(codes, ["DOM003"]);
}

proptest! {
    #[test]
    fn what_is_said_at_once_is_what_the_daemon_decides(
        aliases in proptest::collection::vec(("[abA]{1,2}([+]x)?", "[abcA]{1,2}([+]y)?", 0..5_usize), 0..12),
    ) {
        let hosts = ["example.com", "example.org", "alias.example", "parked.example", "elsewhere.example"];
        let alias = |(local, target, host): &(String, String, usize)| format!("alias \"{local}\" \"{target}@{}\"\n", hosts[*host]);
        let rows: String = aliases.iter().map(alias).collect();
        let text = format!(
            "site \"mail.example.com\" {{ postmaster \"c@example.com\"; }}\ndomain \"example.com\" {{ mailbox \"c\"\n{rows} }}\n\
             domain \"example.org\" {{ mailbox \"a\"; pattern \"^b.*$\" \"a\"; }}\n\
             domain \"alias.example\" alias-of=\"example.com\"\nparked \"parked.example\"\n"
        );
        let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
        let draft = compiled.draft.unwrap();
        let model = draft.to_model(&compiled.sources);
        let graph = AddressGraph::new(&draft, &model);
        for target in draft.addresses.declared().flat_map(|alias| alias.targets()) {
            let decided = resolve(&target.mailbox(), &model, &mut Trace::default()).unwrap();
            match graph.direct(&draft.addresses, &target) {
                Direct::Elsewhere => prop_assert_eq!(decided, Resolved::Elsewhere),
                Direct::Declared(address) if address.is_alias() => {
                    let targets = address.targets().map(|target| target.mailbox()).collect();
                    prop_assert_eq!(decided, Resolved::Others { targets, owner: None });
                }
                Direct::Declared(address) => prop_assert_eq!(decided, Resolved::Mailbox(address.mailbox().unwrap())),
                Direct::Undeclared => prop_assert_ne!(decided, Resolved::Elsewhere),
            }
        }
    }

    #[test]
    fn witnesses_match_their_expression(expression in "(\\^)?([a-c]{1,2}|\\[[a-e]-z\\][+*]?|\\(a\\|b+\\)|\\\\d\\{1,3\\}|\\.){1,5}(\\$)?") {
        if let Ok(regex) = Regex::new(&expression) {
            for witness in witnesses(&expression) {
                prop_assert!(regex.is_match(witness.as_str()), "{} {}", expression, witness);
            }
        }
    }
}

#[test]
fn what_leads_to_more_than_the_daemon_expands_is_told_and_what_meets_again_is_not() {
    let people: String = (0..600).map(|n| format!("mailbox \"m{n}\"\n")).collect();
    let list = |from: usize, to: usize| (from..to).map(|n| format!(" \"m{n}\"")).collect::<String>();
    let site = |far: &str| {
        let lists = format!("alias \"a\"{}\nalias \"b\"{}\n", list(0, 600), list(0, 600));
        domain(&format!("{people}{lists}alias \"both\" \"a\" \"b\"\nalias \"over\" \"both\"{far}"))
    };
    assert_eq!(site(""), Vec::<String>::new());
    let far: String = (0..500).map(|n| format!(" \"x{n}@elsewhere.example\"")).collect();
    assert_eq!(site(&far), ["DOM006 over@example.com leads to more than 1000 addresses"]);
}
