//! The invariants of ARCHITECTURE.md, held over the source tree. One test for each, so that a failure names it.
#![allow(clippy::unwrap_used)]

use postern_tests::daemon::binaries::workspace;
use postern_tests::tidy::{Allowed, Tree, assert_none, imports, manifests, map, replies, rules, shape, wording};
use std::sync::LazyLock;

static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::read(workspace()));

fn allowed() -> Allowed {
    let (allowed, findings) = Allowed::read(&TREE);
    assert_none(&findings);
    allowed
}

#[test]
fn the_tree_was_read() {
    for path in ["Cargo.toml", "schema/src/lib.rs", "compiler/src/lib.rs", "runtime/src/main.rs", "tests/tests/tidy.rs"] {
        assert!(TREE.file(path).is_some(), "{path}");
    }
}

#[test]
fn no_part_names_what_it_must_not_know() {
    assert_none(&imports::check(&TREE, imports::BANS));
}

#[test]
fn unsafe_stands_in_two_places_with_its_contract() {
    assert_none(&imports::unsafe_is_explained(&TREE));
}

#[test]
fn dependencies_point_at_the_schema() {
    assert_none(&manifests::check(&TREE));
}

#[test]
fn every_file_says_what_it_is() {
    assert_none(&shape::openings(&TREE));
}

#[test]
fn no_file_is_too_long() {
    assert_none(&shape::file_lengths(&TREE, &allowed()));
}

#[test]
fn no_function_is_too_long() {
    assert_none(&shape::function_lengths(&TREE, &allowed()));
}

#[test]
fn reply_numbers_are_written_in_one_file() {
    assert_none(&replies::numbers(&TREE, &allowed()));
}

#[test]
fn record_texts_are_written_in_one_file() {
    assert_none(&replies::record_texts(&TREE));
}

#[test]
fn every_path_of_the_documents_exists() {
    assert_none(&map::paths_exist(&TREE));
}

#[test]
fn the_map_names_every_part() {
    assert_none(&map::map_is_whole(&TREE));
}

#[test]
fn every_rule_is_a_pair_of_files_and_registered_once() {
    let registered =
        |rule: &&'static postern::rules::Rule| rules::Registered { code: rule.code, name: rule.name, page: rule.explain };
    let registered: Vec<_> = postern::rules::RULES.iter().map(registered).collect();
    assert_none(&rules::check(&TREE, &registered));
}

#[test]
fn rfc_references_have_one_form() {
    assert_none(&wording::rfc_references(&TREE));
}

#[test]
fn the_workshop_is_swept() {
    assert_none(&wording::no_workshop(&TREE));
}
