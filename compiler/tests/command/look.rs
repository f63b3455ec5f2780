//! The commands that look at a site or a snapshot and change nothing.

use crate::site::{Folder, GOOD};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn explain_says_the_same_of_a_site_and_of_its_snapshot() {
    let folder = Folder::with(GOOD);
    folder.run(&["build", "site.kdl", "--out", "out"]).ended(0);
    let ask = |subject: &str, rest: &[&str]| {
        let mut arguments = vec!["explain", subject, "--client", "198.51.100.9", "--from", "x@evil.example"];
        arguments.extend(rest);
        folder.run(&arguments).ended(0).quietly().out
    };
    for rest in [&["--to", "info@example.com"][..], &["--to", "a@elsewhere.example", "--json"], &["--to", "postmaster"]] {
        let of_site = ask("site.kdl", rest);
        assert_eq!(ask("out", rest), of_site);
        assert_eq!(ask("out/current", rest), of_site, "a link to a snapshot is one");
    }
    let relayed = json(&ask("out", &["--to", "a@elsewhere.example", "--json"]));
    assert_eq!(relayed["outcome"]["disposition"], "reject");
    assert_eq!(relayed["outcome"]["reason"], "relay-denied");
    let text = ask("site.kdl", &["--to", "info@example.com"]);
    assert!(text.contains("alias of 2 addresses  (site.kdl:12)"), "{text}");
    assert!(text.ends_with("\naccept: local-recipient\n"), "{text}");
}

#[test]
fn explain_asks_for_the_fact_that_is_missing() {
    let folder = Folder::with(&format!("{GOOD}screen {{ require \"sender-domain-exists\"; }}\n"));
    let base = ["explain", "site.kdl", "--client", "198.51.100.9", "--from", "x@evil.example", "--to", "info@example.com"];
    let ran = folder.run(&base).ended(0);
    assert!(ran.out.contains("undecided") && ran.out.contains("--fact sender-domain="), "{}", ran.out);
    let ran = folder.run(&[&base[..], &["--fact", "sender-domain=nonexistent"]].concat()).ended(0);
    assert!(ran.out.contains("sender-domain-nonexistent"), "{}", ran.out);
}

#[test]
fn show_gives_each_value_its_line_or_says_default() {
    let folder = Folder::with(&format!("{GOOD}limits recipients=500\n"));
    let shown = folder.run(&["show", "site.kdl"]).ended(0).quietly().out;
    let line = |start: &str| shown.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {shown}"));
    assert!(line("limits recipients = 500").ends_with("# site.kdl:22"), "{shown}");
    assert!(line("limits hops = 100").ends_with("# default"), "{shown}");
    assert!(line("listen mx port = 25").ends_with("# default"), "{shown}");
    assert!(line("address info@example.com alias = alice@example.com bob@example.com").ends_with("# site.kdl:12"), "{shown}");
    let defaults = folder.run(&["show", "site.kdl", "--defaults"]).ended(0).out;
    assert!(defaults.lines().all(|line| line.ends_with("# default")) && defaults.contains("limits hops"), "{defaults}");
    let twin = json(&folder.run(&["show", "site.kdl", "--json"]).ended(0).out);
    assert_eq!(twin["limits"], serde_json::json!({ "$at": "site.kdl:22", "recipients": 500 }));
    let unsaid = serde_json::json!({ "subject": "limits", "name": "hops", "value": "100" });
    assert!(twin["$defaults"].as_array().expect("a list").contains(&unsaid), "{twin}");
}

#[test]
fn test_reports_in_three_forms() {
    let folder = Folder::with(&format!(
        "{GOOD}test \"<angles> & 'quotes'\" {{\n    from \"\"\n    to \"nobody@example.com\"\n    expect \"accept\"\n}}\n"
    ));
    let human = folder.run(&["test", "site.kdl"]).ended(1);
    assert!(human.out.starts_with("ok    strangers cannot relay"), "{}", human.out);
    let results = json(&folder.run(&["test", "site.kdl", "--format", "json"]).ended(1).out);
    assert_eq!((results["passed"].clone(), results["failed"].clone()), (1.into(), 1.into()));
    assert_eq!(results["tests"][1]["line"], 22);
    let junit = folder.run(&["test", "site.kdl", "--format", "junit"]).ended(1).out;
    assert!(junit.contains("tests=\"2\" failures=\"1\""), "{junit}");
    assert!(junit.contains("name=\"&lt;angles&gt; &amp; 'quotes'\""), "{junit}");
}

#[test]
fn plan_compares_sites_and_snapshots() {
    let folder = Folder::with(GOOD);
    folder.run(&["build", "site.kdl", "--out", "out"]).ended(0);
    let same = folder.run(&["plan", "out", "site.kdl"]).ended(0).quietly();
    assert_eq!(same.out, "no differences\n");
    folder.write(
        "new.kdl",
        &GOOD
            .replace("parked \"example.net\"", "")
            .replace("    mailbox \"bob\"\n", "    mailbox \"bob\"\n    mailbox \"carol\"\n"),
    );
    let refused = folder.run(&["plan", "out", "new.kdl"]).ended(1);
    assert!(refused.err.contains("--allow-shrink"), "{}", refused.err);
    folder.run(&["build", "new.kdl", "--out", "out"]).ended(1);
    folder.write("queue.json", r#"[{"id": "A1", "from": "", "to": [{"address": "carol@example.com"}]}]"#);
    let plan = folder.run(&["plan", "out", "new.kdl", "--allow-shrink", "--queue", "queue.json"]).ended(2).quietly().out;
    assert!(plan.contains("+ address carol@example.com = mailbox"), "{plan}");
    assert!(plan.contains("~ example.com: 1 accepted: carol@example.com"), "{plan}");
    assert!(plan.contains("- domain example.net class = parked"), "{plan}");
    assert!(plan.contains("- example.net. 3600 IN MX 0 ."), "{plan}");
    assert!(plan.contains("~ A1 to carol@example.com: mailbox-gone -> maildir:store"), "{plan}");
    let plan = json(&folder.run(&["plan", "out", "new.kdl", "--allow-shrink", "--json"]).ended(2).out);
    assert_eq!(plan["changes"].as_array().expect("a list").len(), 2);
    folder.run(&["build", "new.kdl", "--out", "out", "--allow-shrink"]).ended(0);
}

#[test]
fn a_site_lets_pass_what_it_means_and_says_why() {
    let careless = GOOD.replace("listen \"mx\"", "listen \"mx\"\nnetwork \"lab\" \"fe80::/64\" relay=#true {\n    allow \"RLY004\" reason=\"closed\"\n}\nroute to=\"*\" via=\"direct\"");
    let folder = Folder::with(&careless);
    let ran = folder.run(&["check", "site.kdl", "--format", "short"]).ended(78);
    assert!(ran.out.contains("RLY004") && ran.out.contains("ALW003"), "{}", ran.out);
    folder.write("site.kdl", &careless.replace("reason=\"closed\"", "reason=\"closed\" class=\"network lab\""));
    let ran = folder.run(&["check", "site.kdl"]).ended(0);
    assert!(ran.err.contains("2 allowed by the site"), "{}", ran.err);
    let found = folder.run(&["check", "site.kdl", "--format", "json"]).ended(0).out;
    let found = found.lines().map(json).find(|finding| finding["code"] == "RLY004").expect("it is listed");
    assert_eq!(found["allowed"], "closed");
    let sarif = json(&folder.run(&["check", "site.kdl", "--format", "sarif"]).ended(0).out);
    let is_suppressed = |result: &serde_json::Value| result["suppressions"][0]["justification"] == "closed";
    assert!(sarif["runs"][0]["results"].as_array().expect("results").iter().any(is_suppressed), "{sarif:#}");
    let relay = folder.run(&["explain", "site.kdl", "--relay"]).ended(0).quietly().out;
    assert!(relay.contains("network lab, fe80::/64"), "{relay}");
}

#[test]
fn tests_are_held_against_what_they_do_not_reach() {
    let folder = Folder::with(GOOD);
    let shown = folder.run(&["test", "site.kdl", "--coverage"]).ended(0).quietly().out;
    assert!(shown.contains("no test reaches\n") && shown.contains("  alias info@example.com  (site.kdl:12)"), "{shown}");
    let result = json(&folder.run(&["test", "site.kdl", "--coverage", "--format", "json"]).ended(0).out);
    let (all, reached) = (&result["coverage"]["all"], &result["coverage"]["reached"]);
    assert!(reached.as_u64() > Some(0) && reached.as_u64() < all.as_u64(), "{result:#}");
}

#[test]
fn dns_writes_every_format_to_the_stream_or_to_files() {
    let folder = Folder::with(GOOD);
    let zone = folder.run(&["dns", "site.kdl"]).ended(0).quietly().out;
    assert!(zone.contains("$ORIGIN example.com.\n@ "), "{zone}");
    for format in
        ["zone", "octodns", "dnscontrol", "terraform-cloudflare", "terraform-route53", "route53", "nsupdate", "json", "markdown"]
    {
        let shown = folder.run(&["dns", "site.kdl", "--format", format]).ended(0).quietly().out;
        assert!(shown.contains("v=spf1"), "{format}: {shown}");
        folder.run(&["dns", "site.kdl", "--format", format, "--out", format]).ended(0).quietly();
        assert!(folder.join(format).read_dir().expect("a folder").count() > 0);
    }
    let one = folder.run(&["dns", "site.kdl", "--domain", "example.net"]).ended(0).out;
    assert!(one.contains("example.net.") && !one.contains("example.com"), "{one}");
}

#[test]
fn inspect_verifies_and_dumps() {
    let folder = Folder::with(GOOD);
    let digest = folder.run(&["build", "site.kdl", "--out", "out"]).ended(0).out;
    let shown = folder.run(&["inspect", "out"]).ended(0).quietly().out;
    assert!(shown.starts_with(&format!("snapshot digest  {}  (verified)\n", digest.trim_end())), "{shown}");
    assert!(shown.contains("  site.kdl\n"), "{shown}");
    for (table, wanted) in [
        ("settings", "site hostname = mail.example.com"),
        ("listeners", "listen submission port = 587"),
        ("users", "users staff passwd = users"),
        ("transports", "transport store maildir"),
        ("routes", "route 1 via = direct"),
        ("domains", "domain example.net class = parked"),
        ("addresses", "address bob@example.com mailbox"),
    ] {
        let dump = folder.run(&["inspect", "out", "--table", table]).ended(0).quietly().out;
        assert!(dump.contains(wanted), "{table}: {dump}");
    }
}

#[test]
fn rule_lists_and_explains() {
    let folder = Folder::with(GOOD);
    let list = folder.run(&["rule"]).ended(0).quietly().out;
    assert!(list.lines().any(|line| line.starts_with("RLY001  error    ")), "{list}");
    let page = folder.run(&["rule", "rly001"]).ended(0).quietly().out;
    assert!(page.starts_with("# RLY001"), "{page}");
    let ran = folder.run(&["rule", "RLY01"]).ended(64);
    assert!(ran.err.contains("RLY001"), "{}", ran.err);
    let family = folder.run(&["rule", "rly"]).ended(0).quietly().out;
    assert!(family.lines().count() > 5 && family.lines().all(|line| line.starts_with("RLY")), "{family}");
    let by_word = folder.run(&["rule", "circle"]).ended(0).quietly().out;
    assert!(by_word.lines().any(|line| line.starts_with("DOM002")), "{by_word}");
}

#[test]
fn the_table_of_a_refused_site_is_shown_with_what_refuses_it() {
    let open = format!("{GOOD}network \"world\" \"0.0.0.0/0\" relay=#true reason=\"a slip\"\nroute to=\"*\" via=\"direct\"\n");
    let folder = Folder::with(&open);
    let ran = folder.run(&["explain", "site.kdl", "--relay"]).ended(78);
    assert!(ran.err.contains("RLY001"), "{}", ran.err);
    assert!(ran.out.contains("network world") && ran.out.contains("ANYBODY MAY SEND TO ANYWHERE"), "{}", ran.out);
    let chosen = GOOD.replace("mailbox \"bob\"", "mailbox \"bob\"\n    pattern \"^([a-z]+)=([a-z.]+)$\" \"{1}@{2}\"");
    assert_ne!(chosen, GOOD);
    let folder = Folder::with(&format!("{chosen}route to=\"*\" via=\"direct\"\n"));
    let ran = folder.run(&["explain", "site.kdl", "--relay"]).ended(78);
    assert!(ran.out.contains("CHOOSES WHERE MAIL GOES ON TO, by the pattern at site.kdl:"), "{}", ran.out);
    let folder = Folder::with("site \"mail.example.com\" {\n");
    assert_eq!(
        folder.run(&["explain", "site.kdl", "--relay"]).ended(78).out,
        "",
        "of text that is no site there is nothing to show"
    );
}

#[test]
fn explain_names_who_takes_over_and_takes_good_for_all_facts() {
    let site = format!(
        "{GOOD}relay \"one\" host=\"one.example\" port=587 {{ backup \"two\"; }}\n\
         relay \"two\" host=\"two.example\" port=587\nnetwork \"desk\" \"192.0.2.9\" relay=#true reason=\"a printer\"\n\
         screen {{ require \"fqdn-helo\" \"sender-domain-exists\"; greylist after=\"5m\"; dmarc honour=#true; }}\n"
    );
    let folder = Folder::with(&site.replace("via=\"direct\"", "via=\"one\""));
    let ask = |rest: &[&str]| folder.run(&[&["explain", "site.kdl", "--from", "x@a.example"], rest].concat()).ended(0).out;
    let text = ask(&["--client", "192.0.2.9", "--to", "b@elsewhere.example"]);
    assert!(text.contains("where that cannot be reached, by two"), "{text}");
    let text = ask(&["--to", "info@example.com", "--fact", "good"]);
    assert!(text.ends_with("\naccept: local-recipient\n"), "{text}");
    let text = ask(&["--to", "info@example.com", "--fact", "good", "--fact", "waited=10s"]);
    assert!(text.ends_with("\ndefer: greylisted\n"), "{text}");
    let refused =
        ["--to", "info@example.com", "--fact", "good", "--fact", "dkim=fail", "--fact", "spf=fail", "--fact", "policy=reject"];
    assert!(ask(&refused).ends_with("\nreject: dmarc-failed\n"), "{}", ask(&refused));
}

#[test]
fn the_schema_of_a_site_is_the_published_one() {
    let folder = Folder::with(GOOD);
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/site.schema.json");
    assert_eq!(folder.run(&["schema"]).ended(0).out, std::fs::read_to_string(published).expect("the schema"));
}

#[test]
fn fmt_changes_the_layout_and_nothing_else() {
    let folder = Folder::with(&GOOD.replace("listen \"mx\"", "  listen   \"mx\" // port 25"));
    folder.write("fine.kdl", GOOD);
    folder.write("wrong.kdl", "listen mx port=25x\n");
    assert_eq!(folder.run(&["fmt", "--check", "fine.kdl", "site.kdl"]).ended(1).quietly().out, "site.kdl\n");
    assert_eq!(folder.run(&["fmt", "site.kdl", "fine.kdl"]).ended(0).quietly().out, "site.kdl\n");
    let text = std::fs::read_to_string(folder.join("site.kdl")).expect("a file");
    assert_eq!(text, GOOD.replace("listen \"mx\"", "listen \"mx\" // port 25"));
    assert_eq!(folder.run(&["fmt", "--check", "site.kdl"]).ended(0).quietly().out, "");
    let wrong = folder.run(&["fmt", "wrong.kdl", "none.kdl"]).ended(78);
    assert!(wrong.err.contains("KDL012") && wrong.err.contains("none.kdl does not exist"), "{}", wrong.err);
    assert_eq!(std::fs::read_to_string(folder.join("wrong.kdl")).expect("a file"), "listen mx port=25x\n");
}

#[test]
fn init_writes_a_site_that_checks_out_and_nothing_over_another() {
    let folder = Folder::with(GOOD);
    let ran =
        folder.run(&["init", "new.kdl", "--hostname", "mail.example.com", "--mailbox", "alice", "--address", "203.0.113.25"]);
    assert_eq!(ran.ended(0).out, "new.kdl\n");
    folder.run(&["check", "new.kdl", "--deny", "warnings"]).ended(0);
    folder.run(&["test", "new.kdl"]).ended(0);
    folder.run(&["init", "--hostname", "mail.example.com", "--mailbox", "alice"]).ended(1);
    assert_eq!(std::fs::read_to_string(folder.join("site.kdl")).expect("it reads"), GOOD);
    let ran = folder.run(&["init", "other.kdl", "--hostname", "mail.example.com"]).ended(64);
    assert!(ran.err.contains("--mailbox"), "{}", ran.err);
    folder.run(&["init", "other.kdl", "--hostname", "localhost", "--mailbox", "alice"]).ended(64);
    assert!(!folder.join("other.kdl").exists());
}

#[test]
fn every_command_has_a_manual_page_and_completions() {
    let folder = Folder::with(GOOD);
    folder.run(&["manual", "--out", "share"]).ended(0);
    let help = folder.run(&["--help"]).ended(0).out;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"check") && names.contains(&"dns") && !names.contains(&"manual"), "{names:?}");
    for name in names {
        assert!(folder.join(&format!("share/man1/postern-{name}.1")).exists(), "{name}");
    }
    assert!(folder.join("share/man1/postern-dns-verify.1").exists());
    for completion in ["postern.bash", "postern.fish", "_postern"] {
        let text = std::fs::read_to_string(folder.join("share/completions").join(completion)).expect("it reads");
        assert!(text.contains("terraform-route53"), "{completion}");
    }
}
