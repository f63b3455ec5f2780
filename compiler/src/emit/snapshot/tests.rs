//! What is written is what is read, and the octets depend on nothing else.

use super::*;
use crate::emit::fixture;
use postern_schema::decide::Lookup;
use postern_schema::site::{AddressEntry, AddressKind, Forward, Origin};
use postern_schema::snapshot::Snapshot;

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

fn written(model: &Model) -> (tempfile::TempDir, Written) {
    let folder = scratch();
    let written = write(model, &fixture::sources().digests(), folder.path()).expect("a snapshot");
    (folder, written)
}

#[test]
fn what_was_written_is_what_is_read() {
    let model = fixture::model();
    let (_folder, written) = written(&model);
    let snapshot = Snapshot::open(&written.path).expect("it opens");
    assert_eq!(snapshot.digest(), written.digest);
    assert_eq!(*snapshot.site(), model.site);
    for (name, entry) in &model.domains {
        assert_eq!(snapshot.domain(name).expect("it reads").as_ref(), Some(entry));
    }
    for address in model.addresses.iter() {
        let domain = address.domain().expect("a domain");
        assert_eq!(snapshot.address(domain, address.local()).expect("it reads"), Some(address.to_entry()));
    }
    assert_eq!(snapshot.address(&fixture::domain("example.com"), "nobody").expect("it reads"), None);
    assert_eq!(&*snapshot.header().compiler, env!("CARGO_PKG_VERSION"));
    assert_eq!(&*snapshot.header().sources[0].path, "site.kdl");
}

#[test]
fn the_site_digest_can_be_computed_again_from_the_file() {
    let (_folder, written) = written(&fixture::model());
    let snapshot = Snapshot::open(&written.path).expect("it opens");
    let mut digest = SiteDigest::default();
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Header) {
        digest.table(table);
        for (key, value) in snapshot.entries(table).expect("it reads") {
            digest.entry(&key, &value);
        }
    }
    assert_eq!(digest.finish(), snapshot.header().site_digest);
}

#[test]
fn the_same_model_gives_the_same_octets_in_any_folder() {
    let model = fixture::model();
    let (_first, one) = written(&model);
    let (_second, two) = written(&model);
    assert_eq!(one.digest, two.digest);
    assert_eq!(fs::read(&one.path).expect("it reads"), fs::read(&two.path).expect("it reads"));
}

#[test]
fn a_change_of_the_site_or_of_its_sources_changes_the_digest() {
    let model = fixture::model();
    let (_first, one) = written(&model);
    let mut other = model.clone();
    other.site.limits.recipients += 1;
    let (_second, two) = written(&other);
    assert_ne!(one.digest, two.digest);
    let folder = scratch();
    let mut sources = fixture::sources().digests();
    sources[0].sha256[0] ^= 1;
    let three = write(&model, &sources, folder.path()).expect("a snapshot");
    assert_ne!(one.digest, three.digest);
}

#[test]
fn only_the_result_is_left_in_the_scratch_folder() {
    let (folder, written) = written(&fixture::model());
    let left: Vec<PathBuf> =
        fs::read_dir(folder.path()).expect("it lists").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(left, [written.path]);
}

/// Values of every size around the page limits, and many of them: the map size must suffice for all.
#[test]
fn long_values_and_many_entries_fit() {
    let mut model = fixture::model();
    let here = fixture::domain("example.com");
    let target = Forward { mailbox: fixture::mailbox("someone.with.a.long.name@elsewhere.example") };
    for count in (0..1000).step_by(3) {
        let entry = AddressEntry { kind: AddressKind::Alias(vec![target.clone(); count]), origin: Origin::DEFAULT };
        fixture::declare(&mut model, &here, &format!("list{count}"), &entry);
    }
    for index in 0..20_000 {
        let entry = AddressEntry { kind: AddressKind::Mailbox { quota_octets: Some(index) }, origin: Origin::DEFAULT };
        fixture::declare(&mut model, &here, &format!("user{index}"), &entry);
    }
    let (_folder, written) = written(&model);
    let snapshot = Snapshot::open(&written.path).expect("it opens");
    assert_eq!(snapshot.entries(Table::Addresses).expect("it reads").len(), model.addresses.len());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = write(&fixture::model(), &[], Path::new("/nonexistent/scratch")).expect_err("no folder");
    assert!(error.to_string().contains("/nonexistent/scratch"), "{error}");
}
