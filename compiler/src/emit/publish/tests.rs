//! What lies in an output folder after a build, a second one, and a crash.

use super::*;
use crate::emit::fixture;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn records() -> Vec<(PathBuf, String)> {
    vec![("zone/example.com.zone".into(), "example\n".to_owned()), ("records.json".into(), "{}\n".to_owned())]
}

fn publish_to(out: &Path, model: &Model) -> Result<String, PublishError> {
    publish(model, &fixture::sources().digests(), &records(), out)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("it lists")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_build_leaves_the_snapshot_the_link_and_the_records() {
    let out = folder();
    let digest = publish_to(out.path(), &fixture::model()).expect("it publishes");
    let mut expected = [format!("{digest}.mdb"), CURRENT.to_owned(), DNS.to_owned()];
    expected.sort();
    assert_eq!(names(out.path()), expected);
    assert_eq!(fs::read_link(out.path().join(CURRENT)).expect("a link"), Path::new(&format!("{digest}.mdb")));
    let mode = fs::metadata(out.path().join(format!("{digest}.mdb"))).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o444);
    assert_eq!(fs::read_to_string(out.path().join("dns/zone/example.com.zone")).expect("a record file"), "example\n");
    assert_eq!(Snapshot::open(out.path()).expect("it opens").digest(), digest);
    assert!(differences(&digest, &records(), out.path()).is_empty());
    assert_eq!(super::digest(&fixture::model(), &fixture::sources().digests()).expect("a digest"), digest);
}

#[test]
fn a_second_build_swaps_the_link_and_keeps_the_old_snapshot() {
    let out = folder();
    let first = publish_to(out.path(), &fixture::model()).expect("it publishes");
    let mut changed = fixture::model();
    changed.site.limits.hops += 1;
    let second = publish_to(out.path(), &changed).expect("it publishes");
    assert_ne!(first, second);
    assert_eq!(fs::read_link(out.path().join(CURRENT)).expect("a link"), Path::new(&format!("{second}.mdb")));
    assert!(out.path().join(format!("{first}.mdb")).exists());
    assert!(!differences(&first, &records(), out.path()).is_empty());
}

#[test]
fn ten_generations_stay_and_the_one_in_force_is_among_them() {
    let out = folder();
    let published = |hops| {
        let mut model = fixture::model();
        model.site.limits.hops = hops;
        publish_to(out.path(), &model).expect("it publishes")
    };
    let file = |digest: &str| out.path().join(format!("{digest}.mdb"));
    let day = std::time::Duration::from_secs(86_400);
    let digests: Vec<String> = (0..12).map(|hops| published(100 + hops)).collect();
    assert_eq!(digests.iter().filter(|digest| file(digest).exists()).count(), GENERATIONS);
    // As if they had been published a day apart, the last one today.
    for (age, digest) in (0..10).zip(digests.iter().rev()) {
        let published = std::time::SystemTime::now() - day * age;
        File::open(file(digest)).and_then(|found| found.set_modified(published)).expect("it is ours");
    }
    fs::write(out.path().join("notes.mdb"), "not ours").expect("it writes");

    // Back to the oldest that is left: it counts as new, and the next build removes the one after it.
    assert_eq!(published(102), digests[2]);
    let newest = published(200);
    let left: Vec<bool> = digests.iter().map(|digest| file(digest).exists()).collect();
    assert_eq!(left, [false, false, true, false, true, true, true, true, true, true, true, true]);
    assert!(file(&newest).exists() && out.path().join("notes.mdb").exists());
}

#[test]
fn the_same_digest_again_leaves_the_file_alone_and_sets_the_link() {
    use std::os::unix::fs::MetadataExt;
    let out = folder();
    let digest = publish_to(out.path(), &fixture::model()).expect("it publishes");
    let file = out.path().join(format!("{digest}.mdb"));
    let inode = fs::metadata(&file).expect("a file").ino();
    fs::remove_file(out.path().join(CURRENT)).expect("it goes");
    symlink("elsewhere.mdb", out.path().join(CURRENT)).expect("a link");
    assert_eq!(publish_to(out.path(), &fixture::model()).expect("it publishes"), digest);
    assert_eq!(fs::metadata(&file).expect("a file").ino(), inode);
    assert_eq!(fs::read_link(out.path().join(CURRENT)).expect("a link"), Path::new(&format!("{digest}.mdb")));
}

#[test]
fn a_damaged_snapshot_of_that_name_is_replaced() {
    let out = folder();
    let digest = publish_to(out.path(), &fixture::model()).expect("it publishes");
    let file = out.path().join(format!("{digest}.mdb"));
    fs::remove_file(&file).expect("it goes");
    fs::write(&file, "cut").expect("it writes");
    assert_eq!(differences(&digest, &records(), out.path()).len(), 1);
    publish_to(out.path(), &fixture::model()).expect("it publishes");
    assert_eq!(Snapshot::open(out.path()).expect("it opens").digest(), digest);
}

#[test]
fn what_a_crash_left_behind_is_removed() {
    let out = folder();
    let leftover = out.path().join(".scratch-dead");
    fs::create_dir(&leftover).expect("a folder");
    fs::write(leftover.join("grown"), "half").expect("it writes");
    publish_to(out.path(), &fixture::model()).expect("it publishes");
    assert!(!leftover.exists());
    assert_eq!(names(out.path()).len(), 3);
}

#[test]
fn records_of_an_earlier_build_do_not_linger() {
    let out = folder();
    publish_to(out.path(), &fixture::model()).expect("it publishes");
    let fewer = [("records.json".into(), "{}\n".to_owned())];
    publish(&fixture::model(), &[], &fewer, out.path()).expect("it publishes");
    assert_eq!(names(&out.path().join(DNS)), ["records.json"]);
}

#[test]
fn a_file_in_the_place_of_the_folder_is_named_and_left_alone() {
    let base = folder();
    let out = base.path().join("out");
    fs::write(&out, "mine").expect("it writes");
    let error = publish_to(&out, &fixture::model()).expect_err("it is a file").to_string();
    assert!(error.contains("out") && error.contains("--out"), "{error}");
    assert_eq!(fs::read_to_string(&out).expect("it reads"), "mine");
}

#[test]
fn a_current_that_is_no_link_is_left_alone() {
    let out = folder();
    fs::write(out.path().join(CURRENT), "mine").expect("it writes");
    let error = publish_to(out.path(), &fixture::model()).expect_err("it is a file");
    assert!(matches!(error, PublishError::NotALink { .. }), "{error}");
    assert_eq!(fs::read_to_string(out.path().join(CURRENT)).expect("it reads"), "mine");
}

#[test]
fn builds_into_one_folder_at_once_all_succeed() {
    let out = folder();
    std::thread::scope(|scope| {
        let build = |hops: u32| {
            let path = out.path();
            scope.spawn(move || {
                let mut model = fixture::model();
                model.site.limits.hops += hops;
                publish_to(path, &model).expect("it publishes")
            })
        };
        let builds: Vec<_> = (0..4).map(build).collect();
        let digests: Vec<String> = builds.into_iter().map(|build| build.join().expect("no panic")).collect();
        let current = Snapshot::open(out.path()).expect("it opens");
        assert!(digests.iter().any(|digest| digest == current.digest()));
    });
    assert_eq!(names(out.path()).iter().filter(|name| name.starts_with('.')).count(), 0);
}
