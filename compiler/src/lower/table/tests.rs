//! Tables through the whole compiler: they say what nodes say, in whatever format, and a slip is told at its row, not too often.

use crate::compile::{CompileOptions, Compiled, compile};
use crate::report::{ROWS_SHOWN, Severity};
use std::fs;

const HEAD: &str = "site \"mail.example.com\" { postmaster \"alice@example.com\"; }\ntls { self-signed; }\nlisten \"mx\"\n\
                    route to=\"*\" via=\"direct\"\n";

fn compiled(kdl: &str, files: &[(&str, &str)]) -> Compiled {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files.iter().copied().chain([("site.kdl", format!("{HEAD}{kdl}").as_str())]) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    compile(&folder.path().join("site.kdl"), &CompileOptions::default()).unwrap()
}

/// Every address and what it is.
fn addresses(kdl: &str, files: &[(&str, &str)]) -> Vec<String> {
    let compiled = compiled(kdl, files);
    let serious: Vec<_> = compiled.diagnostics.iter().filter(|finding| finding.severity > Severity::Note).collect();
    assert!(serious.is_empty(), "{serious:#?}");
    let model = compiled.model.unwrap();
    model.addresses.iter().map(|address| format!("{address} {:?}", address.to_kind())).collect()
}

/// File, line and code of every warning and error.
fn findings(kdl: &str, files: &[(&str, &str)]) -> Vec<String> {
    let compiled = compiled(kdl, files);
    let serious = compiled.diagnostics.iter().filter(|finding| finding.severity > Severity::Note);
    let place = |finding: &crate::report::Diagnostic| {
        let source = compiled.sources.source(finding.primary.source);
        format!("{}:{} {}", source.path, source.line(finding.primary.start), finding.code)
    };
    serious.map(place).collect()
}

const NODES: &str = "domain \"example.com\" {\n    mailbox \"alice\" quota=\"2GiB\"\n    mailbox \"bob\"\n    alias \"abuse\" \"alice\"\n    \
                     alias \"Team\" \"alice\" \"bob\" \"Carol@elsewhere.example\"\n    alias #\"\"a b\"\"# \"bob\"\n    catch-all \"bob\"\n}\n";

#[test]
fn tables_in_a_domain_say_what_nodes_say() {
    let nodes = addresses(NODES, &[]);
    let mailboxes = ("m.csv", "quota,address\n2GiB,alice\n,bob@Example.com\n");
    let csv = "address,targets\nabuse,alice\nTeam,\"alice, bob,Carol@elsewhere.example\"\n\"\"\"a b\"\"\",bob\n";
    let tsv = "targets\taddress\nalice\tabuse\nalice bob Carol@elsewhere.example\tTeam\nbob\t\"\"\"a b\"\"\"\n";
    let aliases = "abuse: alice\nTeam: :include:team.list,\n   Carol@elsewhere.example\n\"a b\": bob\n";
    let pairs = "abuse alice\nTeam@example.com alice,bob, Carol@elsewhere.example\n\"a b\" bob\n@example.com bob\n";
    for (name, text) in [("a.csv", csv), ("a.tsv", tsv), ("aliases", aliases), ("virtual", pairs)] {
        let catch_all = if name == "virtual" { "" } else { "    catch-all \"bob\"\n" };
        let kdl =
            format!("domain \"example.com\" {{\n    mailboxes file=\"m.csv\"\n    aliases file=\"{name}\"\n{catch_all}}}\n");
        let files = [mailboxes, (name, text), ("team.list", "# both\nalice, bob\n")];
        assert_eq!(addresses(&kdl, &files), nodes, "{name}");
        let entry = |compiled: Compiled| compiled.model.unwrap().domains.values().next().unwrap().catch_all.clone().unwrap().0;
        assert_eq!(entry(compiled(&kdl, &files)), entry(compiled(NODES, &[])), "{name}");
    }
}

#[test]
fn tables_beside_the_domains_say_what_nodes_say() {
    let kdl = "domain \"example.com\" { catch-all \"bob\"; }\nmailboxes file=\"users\" format=\"list\"\n\
               mailboxes file=\"m.tsv\"\naliases file=\"virtual\"\n";
    let files = [
        ("users", "# everybody\nbob@example.com\n"),
        ("m.tsv", "address\tquota\nalice@example.com\t2GiB\n"),
        (
            "virtual",
            "abuse@example.com alice\nTeam@example.com alice,\n  bob,\n  Carol@elsewhere.example\n\"a b\"@example.com bob\n",
        ),
    ];
    assert_eq!(addresses(kdl, &files), addresses(NODES, &[]));
}

#[test]
fn a_row_is_for_every_name_of_its_domain() {
    let kdl = |content: &str| format!("domain \"example.com\" \"例え.example\" {{ mailbox \"alice\"; {content}; }}\n");
    assert_eq!(
        addresses(&kdl("aliases file=\"aliases\""), &[("aliases", "abuse: alice\n")]),
        addresses(&kdl("alias \"abuse\" \"alice\""), &[])
    );
}

#[test]
fn a_slip_in_a_thousand_rows_is_told_twenty_times_and_counted() {
    let rows: String = (0..1000).map(|row| format!("t{row},alise\n")).collect();
    let table = format!("address,targets\n{rows}");
    let kdl = "domain \"example.com\" { mailbox \"alice\"; aliases file=\"a.csv\"; }\n";
    let compiled = compiled(kdl, &[("a.csv", &table)]);
    let found: Vec<_> = compiled.diagnostics.iter().filter(|finding| finding.code == "DOM003").collect();
    assert_eq!(found.len(), ROWS_SHOWN + 1);
    assert!(found[ROWS_SHOWN].message.contains("980 rows"), "{}", found[ROWS_SHOWN].message);
}

#[test]
fn each_slip_is_told_at_its_row() {
    let domain = "domain \"example.com\" { mailbox \"alice\"; alias \"abuse\" \"alice\"; aliases file=\"a.csv\"; }\n";
    let at = |rows: &str| findings(domain, &[("a.csv", &format!("address,targets\n{rows}"))]);
    assert_eq!(at("x,alice\nX,alice\n"), ["a.csv:3 DOM004"]);
    assert_eq!(at("alice,alice@elsewhere.example\n"), ["a.csv:2 DOM004"]);
    assert_eq!(at("x,alice\nx@example.org,alice\n"), ["a.csv:3 TBL004"]);
    assert_eq!(at("x,y\ny,x\n"), ["a.csv:2 DOM002"]);
    assert_eq!(at("x..y,alice\n"), ["a.csv:2 LNG007"]);
    assert_eq!(at("x,alice alice\n"), ["a.csv:2 DOM013"]);
    assert_eq!(at("x,\n"), ["a.csv:2 TBL003"]);
    // The slip explains what is missing: nothing else is said.
    assert_eq!(at("sales,alice\nx y,alice\nteam,sales x\n"), ["a.csv:3 LNG007"]);
}

#[test]
fn a_slip_in_a_row_says_nothing_of_other_domains() {
    let kdl = "domain \"example.com\" { mailbox \"alice\"; alias \"abuse\" \"alice\"; aliases file=\"a.csv\"; }\n\
               domain \"example.org\" { mailbox \"bob\"; alias \"abuse\" \"bob\"; alias \"sales\" \"nobody\"; }\n";
    assert_eq!(findings(kdl, &[("a.csv", "address,targets\nx y,alice\nz,w\n")]), ["site.kdl:6 DOM003", "a.csv:2 LNG007"]);
}

#[test]
fn recipients_are_what_a_relay_domain_takes() {
    let kdl = "domain \"example.com\" class=\"relay\" { recipients file=\"r.csv\"; alias \"abuse\" \"alice\"; }\n";
    let rows = [("r.csv", "address\nalice\nbob@example.com\n")];
    assert_eq!(
        addresses(kdl, &rows),
        [
            "abuse@example.com Alias([Forward { mailbox: alice@example.com }])",
            "alice@example.com Relayed",
            "bob@example.com Relayed",
        ]
    );
    assert_eq!(findings(kdl, &[("r.csv", "address\nalice\nabuse\n")]), ["site.kdl:5 DOM004"]);
    let relay = |content: &str| findings(&format!("domain \"example.com\" class=\"relay\" {{ {content}; }}\n"), &rows);
    assert_eq!(relay("recipients file=\"r.csv\"; mailbox \"carol\""), ["site.kdl:5 DOM020"]);
    assert_eq!(relay("delimiter \"-\""), ["site.kdl:5 DOM020"]);
}

#[test]
fn a_table_named_twice_is_one_finding() {
    let rows = [("a.csv", "address,targets\nabuse,alice\nx,alice\n")];
    let twice = "    aliases file=\"a.csv\"\n    aliases file=\"./a.csv\"\n";
    assert_eq!(findings(&format!("domain \"example.com\" {{\n    mailbox \"alice\"\n{twice}}}\n"), &rows), ["site.kdl:8 LNG008"]);
    // For another domain it is another reading.
    let domain = |name: &str| format!("domain \"{name}\" {{ mailbox \"alice\"; aliases file=\"a.csv\"; }}\n");
    assert_eq!(findings(&format!("{}{}", domain("example.com"), domain("example.org")), &rows), [""; 0]);
}

#[test]
fn the_narrowest_transport_wins_and_the_first_row_of_a_csv() {
    let relays = "relay \"out\" host=\"mx.partner.example\" port=2525\ndomain \"example.com\" { mailbox \"alice\"; alias \"abuse\" \"alice\"; }\n";
    let routes = |name: &str, text: &str| -> Vec<String> {
        let compiled = compiled(&format!("{relays}routes file=\"{name}\"\n"), &[(name, text)]);
        let routes = compiled.draft.unwrap().routes;
        routes.iter().skip(1).map(|route| format!("{} {}", route.to.value, route.via.value)).collect()
    };
    let transport = "* smtp:\n.a.example out:\nx.a.example :\n.b.a.example smtp:[mx.partner.example]:2525\n";
    assert_eq!(routes("transport", transport), ["x.a.example direct", ".b.a.example out", ".a.example out", "* direct"]);
    assert_eq!(routes("r.csv", "via,to\nout,.a.example\ndirect,x.a.example\n"), [".a.example out", "x.a.example direct"]);
}

#[test]
fn no_subaddressing_is_to_be_had() {
    let delimiter = |said: &str| {
        let compiled =
            compiled(&format!("domain \"example.com\" {{ mailbox \"alice\"; alias \"abuse\" \"alice\"; {said} }}\n"), &[]);
        compiled.model.unwrap().domains.values().next().unwrap().delimiter
    };
    assert_eq!([delimiter(""), delimiter("delimiter \"-\";"), delimiter("delimiter #false;")], [Some('+'), Some('-'), None]);
}
