//! A spool at rest, looked at: it says what the next start will find, and changes nothing.

use super::*;

/// Every file below a folder, with its octets.
fn files(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
}

fn all_files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    files(folder, &mut found);
    found
}

#[test]
fn a_look_finds_what_a_start_finds_and_leaves_everything_as_it_is() {
    let folder = scratch();
    let (spool, _) = open(folder.path());
    let first = append(&spool, b"first");
    let second = append(&spool, b"second");
    drop(spool);

    // A torn write at the end, damage before it, and a body file that nothing names: a start would tidy up.
    let path = segment_files(folder.path()).remove(0);
    let mut octets = fs::read(&path).unwrap();
    let at = octets.windows(6).position(|window| window == b"second").unwrap();
    octets[at] ^= 1;
    octets.extend_from_slice(b"torn");
    fs::write(&path, octets).unwrap();
    fs::write(folder.path().join("blobs").join(second.to_string()), b"stray").unwrap();

    let before = all_files(folder.path());
    let (spool, looked) = Spool::look(folder.path()).unwrap();
    assert_eq!(spool.find(first).unwrap().id(), first);
    let refused = spool.record_blocking(vec![Change::Hold(first)]);
    assert!(matches!(refused, Err(SpoolError::Closed)), "{refused:?}");
    drop(spool);
    assert_eq!(all_files(folder.path()), before);

    let (_looking, looked_again) = Spool::look(folder.path()).unwrap();
    assert_eq!(looked_again.messages, looked.messages);
    let (_, started) = Spool::open(folder.path(), SpoolOptions::default()).unwrap();
    assert_eq!(looked.messages, started.messages);
    assert_eq!(looked.torn_tail_octets, started.torn_tail_octets);
    assert_ne!(all_files(folder.path()), before);
}

#[test]
fn a_folder_without_a_queue_is_no_queue() {
    let folder = scratch();
    assert!(matches!(Spool::look(folder.path()), Err(SpoolError::Io { .. })));
    assert!(all_files(folder.path()).is_empty());
}
