//! The language server as an editor sees it: the real `postern lsp` over its standard streams. A conversation is a file in
//! `cases/` ([`script`] says how it is written); what no well-behaved editor does is in [`manners`].

mod client;
mod manners;
mod script;

use std::path::Path;

#[test]
fn each_conversation_goes_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lsp/cases");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("cases").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let wrong: String = paths.iter().filter_map(|path| script::play(path)).collect();
    assert!(wrong.is_empty(), "{wrong}\nRun with POSTERN_WRITE_CASES=1 to write down what is answered now");
}
