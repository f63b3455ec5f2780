//! Every example has its records in every format beside it, in `golden/`: what a change of ours does to what people deploy is
//! seen in the diff. `POSTERN_WRITE_DOCS=1 cargo test -p postern golden` writes them anew.

use super::super::{derive, every_format};
use crate::compile::{CompileOptions, compile};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn files_below(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, root, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn golden_records_of_every_example() {
    let is_writing = std::env::var_os("POSTERN_WRITE_DOCS").is_some();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for entry in fs::read_dir(examples).unwrap() {
        let folder = entry.unwrap().path();
        let site = ["site.kdl", "site.json"].map(|name| folder.join(name)).into_iter().find(|site| site.is_file()).unwrap();
        let compiled = compile(&site, &CompileOptions::default()).unwrap();
        let model = compiled.model.unwrap_or_else(|| panic!("{}: {:#?}", folder.display(), compiled.diagnostics));
        let wanted: BTreeMap<PathBuf, String> = every_format(&derive(&model)).into_iter().collect();
        let golden = folder.join("golden");
        if is_writing {
            let _ = fs::remove_dir_all(&golden);
            for (path, text) in &wanted {
                fs::create_dir_all(golden.join(path).parent().unwrap()).unwrap();
                fs::write(golden.join(path), text).unwrap();
            }
        }
        let mut found = BTreeMap::new();
        files_below(&golden, &golden, &mut found);
        let names = |files: &BTreeMap<PathBuf, String>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&wanted), "{}", folder.display());
        for (path, text) in wanted {
            assert!(
                found[&path] == text,
                "{}: run the tests with POSTERN_WRITE_DOCS=1, and look at the diff",
                golden.join(path).display()
            );
        }
    }
}
