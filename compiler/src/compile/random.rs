//! Sites made of the grammar's own words at random: nothing may panic, and what compiles must stand up to being asked.

use super::{CompileOptions, compile_text};
use crate::emit::publish::digest;
use crate::explain::{Question, explain};
use crate::syntax::grammar::{NodeSpec, ROOT, Served, ValueType};
use postern_schema::name::{ForwardPath, ReversePath};
use proptest::prelude::*;
use std::fmt::Write;
use std::path::Path;

/// A small generator, so that one seed is one site.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

/// Few names, so that they meet.
const NAMES: &[&str] = &["\"a\"", "\"b\"", "\"store\"", "\"mx\"", "\"submission\"", "\"direct\""];
const DOMAINS: &[&str] = &["\"example.com\"", "\"example.org\"", "\"mail.example.com\"", "\"例え.example\"", "\"localhost\""];
const LOCALS: &[&str] = &["\"a\"", "\"b\"", "\"a+b\"", "\"postmaster\"", "\"A\"", "\"\\\"x y\\\"\""];
const MAILBOXES: &[&str] =
    &["\"a@example.com\"", "\"b@example.org\"", "\"a+b@example.com\"", "\"x@elsewhere.example\"", "\"postmaster@example.com\""];
const RANGES: &[&str] = &[
    "\"0.0.0.0/0\"",
    "\"::/0\"",
    "\"10.0.0.0/8\"",
    "\"192.0.2.0/24\"",
    "\"192.0.2.7\"",
    "\"::ffff:0.0.0.0/96\"",
    "\"fe80::/64\"",
];
const PATTERNS: &[&str] = &["\"^(.*)$\"", "\"a|b\"", "\"^x(\\\\d*)$\"", "\"\"", "\"[^a]\"", "\"(?i)Q\""];
const TEMPLATES: &[&str] = &["\"{1}@example.com\"", "\"a\"", "\"x{1}\"", "\"{9}z@example.org\"", "\"a@b.example\""];
const JUNK: &[&str] = &["\"\"", "0", "-1", "#true", "#null", "1.5", "\"*\"", "\".\"", "\"@\"", "\"a b\"", "99999999999999999999"];

fn value(kind: &ValueType, dice: &mut Dice) -> String {
    if dice.roll(40) == 0 {
        return (*dice.pick(JUNK)).to_owned();
    }
    let fixed: &[&str] = match kind {
        ValueType::Name => NAMES,
        ValueType::Reference { words, .. } if !words.is_empty() && dice.roll(2) == 0 => {
            return format!("\"{}\"", dice.pick(words).text);
        }
        ValueType::Reference { kinds, .. } if kinds.iter().any(|kind| kind.node() == "domain") => DOMAINS,
        ValueType::Reference { .. } => NAMES,
        ValueType::Domain => DOMAINS,
        ValueType::LocalPart => LOCALS,
        ValueType::Address if dice.roll(2) == 0 => LOCALS,
        ValueType::Mailbox | ValueType::Address | ValueType::ReversePath | ValueType::ForwardPath => MAILBOXES,
        ValueType::Cidr => RANGES,
        ValueType::Pattern => PATTERNS,
        ValueType::Template => TEMPLATES,
        ValueType::Selection if dice.roll(2) == 0 => &["\".example.com\"", "\"example.org\"", "\".example\""],
        ValueType::Host => &["\"mail.example.com\"", "\"127.0.0.1\"", "\"smtp.isp.example\"", "\"::1\""],
        ValueType::Word(words) => return format!("\"{}\"", dice.pick(words).text),
        ValueType::Count { least, most } => return (least + dice.roll(200) as u64).min(*most).to_string(),
        ValueType::Port => &["25", "587", "465", "0", "2525"],
        ValueType::Truth => &["#true", "#false"],
        ValueType::Duration => &["\"1s\"", "\"5m\"", "\"100w\"", "\"0s\""],
        other => return other.sample().to_owned(),
    };
    (*dice.pick(fixed)).to_owned()
}

fn node(spec: &NodeSpec, depth: usize, dice: &mut Dice, out: &mut String) {
    let _ = write!(out, "{:1$}{2}", "", depth * 4, spec.name);
    for argument in spec.arguments {
        let count = if argument.repeating { 1 + dice.roll(3) } else { usize::from(argument.required || dice.roll(2) == 0) };
        for _ in 0..count {
            let _ = write!(out, " {}", value(&argument.kind, dice));
        }
    }
    for property in spec.properties.iter().filter(|property| property.served == Served::Yes) {
        if property.required || dice.roll(2) == 0 {
            let _ = write!(out, " {}={}", property.name, value(&property.kind, dice));
        }
    }
    let children: Vec<&NodeSpec> =
        spec.children.iter().filter(|child| child.served == Served::Yes || dice.roll(60) == 0).collect();
    if !children.is_empty() {
        out.push_str(" {\n");
        for child in children {
            let count = if child.many { dice.roll(4) } else { usize::from(child.required || dice.roll(3) > 0) };
            (0..count).for_each(|_| node(child, depth + 1, dice, out));
        }
        let _ = write!(out, "{:1$}}}", "", depth * 4);
    }
    out.push('\n');
}

/// A site file of the grammar's words.
pub(super) fn site(seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut out = String::new();
    for spec in
        ROOT.children.iter().filter(|spec| spec.served == Served::Yes && !matches!(spec.name, "include" | "profile" | "let"))
    {
        let count = if spec.many { dice.roll(4) } else { 1 };
        (0..count).for_each(|_| node(spec, 0, &mut dice, &mut out));
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_site_of_random_words_compiles_or_is_refused(seed in any::<u64>()) {
        let text = site(seed);
        let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
        let length = text.len() as u32;
        for finding in &compiled.diagnostics {
            let places = finding.secondary.iter().map(|label| label.span).chain([finding.primary]);
            for span in places {
                prop_assert!(span.start + span.length <= length, "{:?}", finding);
            }
            prop_assert!(!finding.message.ends_with('.') && !finding.message.is_empty(), "{:?}", finding);
            prop_assert!(crate::rules::find(finding.code).is_some(), "{:?}", finding);
        }
        prop_assert_eq!(compiled.model.is_some(), compiled.diagnostics.iter().all(|f| f.severity < crate::report::Severity::Error || f.code == "TST001"));
        if let Some(model) = &compiled.model {
            let twin = super::tests::of_twin(&compiled, Path::new(""));
            let again = twin.model.as_ref().expect("the twin compiles too");
            prop_assert_eq!(digest(again, &twin.sources.digests()).unwrap(), digest(model, &compiled.sources.digests()).unwrap(), "{}", text);
            for to in ["a@example.com", "b@example.org", "postmaster", "x@elsewhere.example"] {
                let question = Question {
                    ..Question::new(ReversePath::Null, ForwardPath::parse(to).unwrap())
                };
                // A site that compiles never answers "try again later": nothing in it is unresolved.
                if let Ok(explanation) = explain(&question, model) {
                    prop_assert_ne!(explanation.outcome.disposition, "defer", "{}\n{:#?}", text, explanation);
                }
            }
        }
    }
}

/// The generator is worth nothing if everything that it makes is refused at the first line.
#[test]
fn random_sites_reach_the_rules() {
    let mut codes = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let compiled = compile_text("site.kdl", &site(seed), &CompileOptions::default());
        codes.extend(compiled.diagnostics.iter().map(|finding| finding.code));
    }
    let checks = codes.iter().filter(|code| !code.starts_with("LNG") && !code.starts_with("KDL")).count();
    assert!(checks > 15, "{codes:?}");
}
