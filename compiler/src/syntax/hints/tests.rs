//! Hints: code, place and help for each family, one line at a time.

use crate::syntax::{LoadOptions, Value, load_text};

/// Loads a site around one line of a `site` block and gives what is said about it: code, the place as text, the help.
fn said(text: &str) -> Vec<(&'static str, String, String)> {
    let loaded = load_text("site.kdl", text, &LoadOptions::default());
    let say = |finding: &crate::report::Diagnostic| {
        let place = &text[finding.primary.start as usize..][..finding.primary.length as usize];
        (finding.code, place.to_owned(), finding.help.clone().unwrap_or_default())
    };
    loaded.diagnostics.iter().map(say).collect()
}

#[track_caller]
fn one(text: &str, code: &str, place: &str, help: &str) {
    let said = said(text);
    let wanted = (code, place.to_owned(), help.to_owned());
    assert_eq!(said.iter().map(|(c, p, h)| (*c, p.clone(), h.clone())).collect::<Vec<_>>(), [wanted], "{text}");
}

const SITE: &str = "site \"mail.example.com\"\n";

#[test]
fn values_that_need_quotes() {
    let site = |line: &str| format!("site \"mail.example.com\" {{\n    {line}\n}}\n");
    let root = |line: &str| format!("{SITE}{line}\n");
    one(&site("address 203.0.113.25"), "KDL010", "203.0.113.25", "Write `address \"203.0.113.25\"`");
    one(
        &site("address \"203.0.113.25\" 2001:db8::25"),
        "KDL010",
        "2001:db8::25",
        "Write `address \"203.0.113.25\" \"2001:db8::25\"`",
    );
    one(&root("network office 192.0.2.0/24"), "KDL010", "192.0.2.0/24", "Write `network office \"192.0.2.0/24\"`");
    one(&root("network office fe80::/10 relay=#true"), "KDL010", "fe80::/10", "Write `network office \"fe80::/10\" relay=#true`");
    one(&root("queue { lifetime 5d; }"), "KDL011", "5d", "Write `queue { lifetime \"5d\"; }`");
    one(&root("limits message=25MiB"), "KDL011", "25MiB", "Write `limits message=\"25MiB\"`");
    one(&root("transport store maildir=/var/mail/x"), "KDL012", "/var/mail/x", "Write `transport store maildir=\"/var/mail/x\"`");
    one(
        &root("relay isp host=[mail.isp.example]:587"),
        "KDL037",
        "[mail.isp.example]:587",
        "Write `relay isp host=\"mail.isp.example\" port=587`",
    );
    one(
        &root("relay isp [mail.isp.example]:587"),
        "KDL037",
        "[mail.isp.example]:587",
        "Write `relay isp host=\"mail.isp.example\" port=587`",
    );
}

#[test]
fn a_url_is_not_cut_at_its_slashes() {
    let url = "https://example.com/logo.svg";
    one(
        &format!("{SITE}network x \"192.0.2.1\" reason={url}\n"),
        "KDL012",
        url,
        &format!("Write `network x \"192.0.2.1\" reason=\"{url}\"`"),
    );
    let url = "smtp://mail.isp.example:25";
    one(&format!("{SITE}relay x host={url}\n"), "LNG007", url, "Write \"mail.isp.example\", and port=25 beside it");
}

#[test]
fn every_mistake_of_a_line_is_told_and_each_help_shows_the_line_without_any() {
    let text = format!("{SITE}network office 192.0.2.0/24 relay=true\n");
    let said = said(&text);
    let codes: Vec<_> = said.iter().map(|(code, ..)| *code).collect();
    assert_eq!(codes, ["KDL010", "KDL013"]);
    assert!(said.iter().all(|(.., help)| help == "Write `network office \"192.0.2.0/24\" relay=#true`"));
}

#[test]
fn what_was_meant_is_what_is_checked() {
    let loaded = load_text("site.kdl", &format!("{SITE}network office 192.0.2.0/24 relay=true\n"), &LoadOptions::default());
    let network = &loaded.nodes[1];
    assert_eq!(network.arguments[1].value, Value::String("192.0.2.0/24".into()));
    assert_eq!(network.property("relay").map(|value| &value.value), Some(&Value::Bool(true)));
    // A size that needs quotes and has a unit that there is not: one finding, with the whole remedy.
    one(&format!("{SITE}limits message=25M\n"), "LNG007", "25M", "Write \"25MiB\"; the units are B, KiB, MiB, GiB and TiB");
}

#[test]
fn habits_of_main_cf() {
    one(&format!("{SITE}myorigin = example.com\n"), "KDL020", "myorigin =", "Write `origin \"example.com\"` in `site`");
    one(
        &format!("{SITE}mynetworks = 127.0.0.0/8,\n    [::1]/128\n"),
        "KDL020",
        "mynetworks =",
        "Write `network \"office\" \"192.0.2.0/24\" relay=#true`",
    );
    one("site = mail.example.com\n", "KDL020", "site =", "Write `site mail.example.com`");
    one(&format!("# the site\n{SITE}"), "KDL021", "#", "Write `// the site`");
    one(&format!("{SITE}#listen \"mx\"\n"), "KDL021", "#", "Write `// listen \"mx\"`");
}

#[test]
fn keywords() {
    one(&format!("{SITE}tls {{ self-signed true; }}\n"), "KDL013", "true", "Write `tls { self-signed #true; }`");
    one(&format!("{SITE}tls {{ self-signed #yes; }}\n"), "KDL014", "#yes", "Write `tls { self-signed #true; }`");
    one(&format!("{SITE}tls {{ self-signed yes; }}\n"), "LNG006", "yes", "Write #true");
}

#[test]
fn strings() {
    let domain = |line: &str| format!("{SITE}domain \"example.com\" {{\n{line}\n}}\n");
    one(&domain("mailbox 'alice'"), "KDL017", "'alice'", "Write `mailbox \"alice\"`");
    one(&domain("mailbox “alice”"), "KDL017", "“alice”", "Write `mailbox \"alice\"`");
    one(&domain("mailbox \"alice"), "KDL024", "\"", "Write `mailbox \"alice\"`");
    one(&domain("mailbox #\"alice\""), "KDL024", "#", "Write `mailbox \"alice\"`");
    one(&domain("mailbox r\"alice\""), "KDL022", "r\"alice\"", "Write `mailbox \"alice\"`");
    one(
        &domain(r#"pattern "^x-(\w+)$" "{1}@example.com""#),
        "KDL026",
        r#""^x-(\w+)$""#,
        r##"Write `pattern #"^x-(\w+)$"# "{1}@example.com"`"##,
    );
    one(
        &domain(r#"pattern ^x-(\w+)$ "{1}@example.com""#),
        "KDL012",
        r"^x-(\w+)$",
        r##"Write `pattern #"^x-(\w+)$"# "{1}@example.com"`"##,
    );
    one(&domain("alias \"info\" \"alice\", \"bob\""), "KDL018", ",", "Write `alias \"info\" \"alice\" \"bob\"`");
    one(&domain("alias info alice, bob"), "KDL018", "alice,", "Write `alias info alice bob`");
    one(&domain("alias \"info\"\"alice\""), "KDL027", "\"alice\"", "Write `alias \"info\" \"alice\"`");
    one(&domain("mailbox\"alice\""), "KDL027", "mailbox\"alice\"", "Write `mailbox \"alice\"`");
    one(&domain("mailbox \"\"\"alice\"\"\""), "KDL035", "\"\"\"alice\"\"\"", "Write `mailbox \"alice\"`");
    one(&domain("mailbox \"al\u{202e}ice\""), "KDL033", "\"al\u{202e}ice\"", "Write `mailbox \"alice\"`");
}

#[test]
fn numbers() {
    one(&format!("{SITE}listen \"mx\" port=0025\n"), "KDL015", "0025", "Write `listen \"mx\" port=25`");
    one(&format!("{SITE}listen \"mx\" port=25x\n"), "LNG006", "25x", "Write a whole number from 0 to 65535");
}

#[test]
fn braces() {
    let help = "Write a `}` where the block ends";
    one("site \"mail.example.com\" {\n    origin \"example.com\"\nlisten \"mx\"\n", "KDL029", "{", help);
    // The inner block is the one that was not closed: the layout shows it.
    let text =
        format!("{SITE}relay isp host=\"x.example\" {{\n    tls \"verify\"\n}}\nqueue {{\n    retry \"5m\"\nlisten \"mx\"\n");
    one(&text, "KDL029", "{", help);
    one(&format!("{SITE}}}\n"), "KDL030", "}", "Remove it, or write the `{` that it belongs to");
    one("site \"mail.example.com\"\n{\n    origin \"example.com\"\n}\n", "KDL031", "{", "Move it to the end of the line before");
    one(&format!("{SITE}tls {{ self-signed; }} listen \"mx\"\n"), "KDL032", "listen", "Move this to a line of its own");
    one(&format!("{SITE};\n"), "KDL019", ";", "Remove it");
}

#[test]
fn an_unclosed_inner_block_hides_nothing_behind_it() {
    let text = "site \"mail.example.com\" {\n    origin \"example.com\"\n}\nrelay isp host=\"x.example\" {\n    tls \"verify\" {\n}\nlisten \"mx\" prot=25\n";
    let codes: Vec<_> = said(text).iter().map(|(code, ..)| *code).collect();
    assert_eq!(codes, ["KDL029", "LNG002"]);
}

#[test]
fn what_is_taken_out_need_not_be_right() {
    assert_eq!(said(&format!("{SITE}/- listen mx port=25x 10.0.0.0/8 {{ a = b }}\nlisten \"mx\" /-5x\n")), []);
}
