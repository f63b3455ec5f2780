//! Whatever is in a file, the front end answers: no panic, no finding outside the text, nothing that KDL cannot read accepted
//! in silence, and the same tree as the parser's own where nothing is wrong.

use kdl::{KdlDocument, KdlValue};
use postern::source::SourceId;
use postern::syntax::{LoadOptions, Node, Value, load_text, parse};
use proptest::prelude::*;
use proptest::test_runner::Config;

const SITE: &str = r##"// A site with one of everything.
site "mail.example.com" {
    origin "example.com"
    postmaster "alice@example.com"; address "203.0.113.25" "2001:db8::25"
}
tls { certificate "mail.example.com" chain="tls/mail.pem" key-secret="tls-mail"; }
listen "mx" port=25 /* the usual */
listen "submission" port=587 address="192.0.2.1"
network "office" "192.0.2.0/24" relay=#true reason="wired LAN, no guests"
users "staff" {
    passwd secret="users"
    may-send-as "alice" "sales@example.com"
}
/- domain "gone.example" { mailbox "x"; }
domain "example.com" "例え.example" {
    mailbox "alice" quota="2GiB"
    alias "info" "alice" \
        "bob@elsewhere.example"
    pattern #"^sales-(\w+)$"# "sales+{1}@example.com"
}
relay "ses" host="smtp.isp.example" port=587 { tls "verify"; login "AKIA" secret="ses"; }
route to="*" via="ses"
queue { retry "5m" factor=1.5 up-to="2h"; lifetime "5d"; }
"##;

/// What hurts most where it does not belong.
const NASTY: [&str; 40] = [
    "{",
    "}",
    "\"",
    "\"\"\"",
    "#\"",
    "\"#",
    "/-",
    "/*",
    "*/",
    "//",
    "\\",
    ";",
    "=",
    "(",
    ")",
    "#",
    "#true",
    "true",
    "'",
    "“",
    ",",
    "192.0.2.1",
    "5m",
    "r\"",
    "\n",
    "\r\n",
    "\u{feff}",
    "\u{202e}",
    "\0",
    "[x]:25",
    "a=b",
    "smtp://h:25",
    "0644",
    "{user}",
    "\u{85}",
    " ",
    "é",
    "\\u{",
    "\"\"\"\n",
    "$(x)",
];

fn mutated() -> impl Strategy<Value = String> {
    let edit = (0..1000usize, 0..30usize, 0..NASTY.len(), 0..4u8);
    proptest::collection::vec(edit, 1..6).prop_map(|edits| {
        let mut chars: Vec<char> = SITE.chars().collect();
        for (place, length, nasty, how) in edits {
            let place = place * chars.len() / 1000;
            let end = (place + length).min(chars.len());
            match how {
                0 => drop(chars.drain(place..end)),
                1 => drop(chars.splice(place..place, NASTY[nasty].chars())),
                2 => drop(chars.splice(place..end, NASTY[nasty].chars())),
                _ => {
                    let copy: Vec<char> = chars[place..end].to_vec();
                    chars.splice(place..place, copy);
                }
            }
        }
        chars.into_iter().collect()
    })
}

fn soup() -> impl Strategy<Value = String> {
    proptest::collection::vec(0..NASTY.len(), 0..25).prop_map(|pieces| pieces.into_iter().map(|piece| NASTY[piece]).collect())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let loaded = load_text("site.kdl", text, &LoadOptions::default());
    for finding in &loaded.diagnostics {
        let (start, length) = (finding.primary.start as usize, finding.primary.length as usize);
        prop_assert!(text.get(start..start + length).is_some(), "{finding:?}");
        for label in &finding.secondary {
            prop_assert!(
                text.get(label.span.start as usize..(label.span.start + label.span.length) as usize).is_some(),
                "{label:?}"
            );
        }
    }
    // Asked of the reader alone: where a value is wrong in more than its quotes, `load_text` says that instead. What `/-` takes
    // out may be wrong here, and may not be in KDL; annotations are the other way round.
    if !parse(SourceId(0), text).diagnostics.is_empty() || text.contains("/-") {
        return Ok(());
    }
    match KdlDocument::parse(text) {
        Ok(document) => prop_assert!(same(&loaded.nodes, &document), "{:#?}\n{document:#?}", loaded.nodes),
        Err(error) => prop_assert!(false, "accepted, but {:?}", error.diagnostics),
    }
    Ok(())
}

fn same(nodes: &[Node], document: &KdlDocument) -> bool {
    nodes.len() == document.nodes().len()
        && nodes.iter().zip(document.nodes()).all(|(node, theirs)| {
            let arguments = theirs.entries().iter().filter(|entry| entry.name().is_none());
            let properties = theirs.entries().iter().filter(|entry| entry.name().is_some());
            node.name.value == theirs.name().value()
                && node.arguments.len() == arguments.clone().count()
                && node.arguments.iter().zip(arguments).all(|(ours, theirs)| same_value(&ours.value, theirs.value()))
                && node.properties.len() == properties.clone().count()
                && node.properties.iter().zip(properties).all(|(ours, theirs)| {
                    Some(ours.name.value.as_str()) == theirs.name().map(|name| name.value())
                        && same_value(&ours.value.value, theirs.value())
                })
                && theirs.children().map_or(node.children.is_empty(), |block| same(&node.children, block))
        })
}

fn same_value(ours: &Value, theirs: &KdlValue) -> bool {
    match (ours, theirs) {
        (Value::String(a), KdlValue::String(b)) => a == b,
        (Value::Integer(a), KdlValue::Integer(b)) => a == b,
        (Value::Float(a), KdlValue::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Value::Bool(a), KdlValue::Bool(b)) => a == b,
        (Value::Null, KdlValue::Null) => true,
        _ => false,
    }
}

#[test]
fn the_site_itself_is_without_fault() {
    let loaded = load_text("site.kdl", SITE, &LoadOptions::default());
    assert_eq!(loaded.diagnostics, []);
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_damaged_site_is_answered(text in mutated()) {
        check(&text)?;
    }

    #[test]
    fn a_soup_of_signs_is_answered(text in soup()) {
        check(&text)?;
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}|(?s).{0,200}") {
        check(&text)?;
    }
}
