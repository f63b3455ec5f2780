//! Layout means nothing: a site file whose blanks and lines were spoiled, and what `postern fmt` makes of that, compile to the
//! snapshot of the file as it was written.
//!
//! A snapshot names the lines that its values stand on, and these do move. So each site is compared by its JSON twin without
//! places, compiled: there, every digest is of the same one text exactly when the sites mean the same.

use super::random::{Dice, site};
use super::tests::{examples, profiles};
use super::{CompileOptions, Compiled, compile_loaded};
use crate::emit::publish::digest;
use crate::fmt::format;
use crate::source::SourceId;
use crate::syntax::read::{TokenKind, tokens};
use crate::syntax::{LoadOptions, load};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The text with other blanks, other line ends and other places for comments.
fn spoiled(text: &str, dice: &mut Dice) -> String {
    let mut out = String::new();
    let mut pick = |from: &[&'static str]| *dice.pick(from);
    for token in tokens(text, usize::MAX).expect("no limit") {
        match token.kind {
            TokenKind::Space => out.push_str(pick(&[" ", "  ", "\t", "     "])),
            TokenKind::Newline => out.push_str(pick(&["\n", "\n", "\n\n\n", "\r\n", "   \n", " // here\n\n", "\n\t  "])),
            TokenKind::Open => out.push_str(pick(&["{", "{\n", "{ // there\n"])),
            TokenKind::Close => out.push_str(pick(&["}", "\n}", "\n\n    }"])),
            TokenKind::Semicolon => out.push_str(pick(&[";", "\n", " ;  "])),
            TokenKind::Equals => out.push_str(pick(&["=", " =", "= ", " = "])),
            _ => out.push_str(token.of(text)),
        }
    }
    out
}

/// Takes out what says where a value stands, and what is there for the eye.
fn without_places(twin: &mut Value) {
    match twin {
        Value::Object(members) => {
            members.retain(|name, _| !matches!(&**name, "$sources" | "$at" | "$values-at" | "$defaults"));
            members.values_mut().for_each(without_places);
        }
        Value::Array(values) => values.iter_mut().for_each(without_places),
        _ => {}
    }
}

/// The site of a folder, with texts in place of its files.
fn compiled(path: &Path, overlays: &BTreeMap<PathBuf, String>, profile: Option<&str>) -> Compiled {
    let profile = profile.map(str::to_owned);
    let loading = LoadOptions { profile: profile.clone(), overlays: overlays.clone(), ..LoadOptions::default() };
    compile_loaded(load(path, &loading).expect("a site file"), &CompileOptions { profile, ..CompileOptions::default() })
}

/// What the snapshot of the site is called when nobody knows where its values stand; of what does not compile, what is wrong.
fn meaning(site: &Compiled) -> Result<String, Vec<&'static str>> {
    if site.model.is_none() {
        let mut codes: Vec<_> = site.diagnostics.iter().map(|finding| finding.code).collect();
        codes.sort_unstable();
        return Err(codes);
    }
    let mut twin: Value = serde_json::from_str(&site.twin(Value::Array(Vec::new()))).expect("JSON");
    without_places(&mut twin);
    let text = serde_json::to_string_pretty(&twin).expect("JSON");
    let path = site.sources.folder().join("twin.json");
    let twin = compiled(&path, &BTreeMap::from([(path.clone(), text)]), None);
    let model = twin.model.as_ref().unwrap_or_else(|| panic!("{:#?}", twin.diagnostics));
    Ok(digest(model, &twin.sources.digests()).expect("a digest"))
}

/// The texts of a site in KDL by their paths; tables are data, and have no layout to spoil.
fn texts(site: &Compiled) -> BTreeMap<PathBuf, String> {
    let sources = site.sources.iter().filter(|(_, source)| source.path.ends_with(".kdl"));
    sources.map(|(_, source)| (site.sources.folder().join(&*source.path), (*source.text).clone())).collect()
}

/// Compares a site with what is left of it after its layout was spoiled, and after that was mended.
fn check(path: &Path, written: &BTreeMap<PathBuf, String>, profile: Option<&str>, seed: u64) -> Result<(), TestCaseError> {
    let wanted = meaning(&compiled(path, written, profile));
    let mut dice = Dice(seed);
    let spoiled: BTreeMap<_, _> = written.iter().map(|(path, text)| (path.clone(), spoiled(text, &mut dice))).collect();
    let layout = |text: &String| format(SourceId(0), text).unwrap_or_else(|wrong| panic!("{wrong:#?}\n{text}"));
    let mended: BTreeMap<_, _> = spoiled.iter().map(|(path, text)| (path.clone(), layout(text))).collect();
    prop_assert_eq!(&meaning(&compiled(path, &spoiled, profile)), &wanted, "{:?}", spoiled);
    prop_assert_eq!(&meaning(&compiled(path, &mended, profile)), &wanted, "{:?}", mended);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_site_keeps_its_digest(seed in any::<u64>()) {
        let path = std::env::current_dir().expect("a folder").join("site.kdl");
        check(&path, &BTreeMap::from([(path.clone(), site(seed))]), None, seed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_example_keeps_its_digest(seed in any::<u64>()) {
        for path in examples().into_iter().filter(|path| path.ends_with("site.kdl")) {
            let path = path.canonicalize().expect("a path");
            for profile in profiles(&std::fs::read_to_string(&path).expect("a text")) {
                let site = compiled(&path, &BTreeMap::new(), profile.as_deref());
                check(&path, &texts(&site), profile.as_deref(), seed)?;
            }
        }
    }
}

/// The comparison is worth nothing if it cannot tell sites apart, or if nothing is spoiled.
#[test]
fn another_value_is_another_digest() {
    let example = examples().into_iter().find(|path| path.ends_with("quickstart/site.kdl")).expect("the quickstart");
    let text = std::fs::read_to_string(&example).expect("a text");
    let asked = |text: &str| meaning(&compiled(&example, &BTreeMap::from([(example.clone(), text.to_owned())]), None));
    assert!(asked(&text).is_ok());
    assert_ne!(asked(&text.replacen("mailbox \"", "mailbox \"x", 1)), asked(&text));
    assert_ne!(spoiled(&text, &mut Dice(1)), text);
}
