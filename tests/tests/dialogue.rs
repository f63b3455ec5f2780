//! Plays every file of `cases/dialogue`: against the protocol core, whole and cut at every octet, and over TCP against the
//! daemon. Headers: `listener`, `client` (the stranger of the scene, if not given), and `cut: whole` for a dialogue in which it
//! matters what arrives together.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::binaries::workspace;
use postern_tests::dialogue::{Cut, Dialogue};
use postern_tests::protocol::{Core, compile};
use postern_tests::scene::{STRANGER, Scene, kdl};
use std::fs;
use std::net::IpAddr;

/// The longest dialogue that is cut at every octet once each; a longer one is cut at so many places, evenly.
const CUTS: usize = 1500;

struct Case {
    name: String,
    dialogue: Dialogue,
    listener: String,
    client: IpAddr,
}

impl Case {
    fn cuts(&self) -> Vec<Cut> {
        if self.dialogue.header("cut") == Some("whole") {
            return vec![Cut::Whole];
        }
        let octets = self.dialogue.sent_octets();
        let stride = octets.div_ceil(CUTS).max(1);
        [Cut::Whole, Cut::EveryOctet].into_iter().chain((1..octets).step_by(stride).map(Cut::After)).collect()
    }
}

fn cases() -> Vec<Case> {
    let folder = workspace().join("tests/cases/dialogue");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let cases: Vec<Case> = paths
        .into_iter()
        .flat_map(|path| {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let all = Dialogue::parse_all(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"));
            all.into_iter().map(move |(title, dialogue)| {
                let name = format!("{file} {title}");
                let listener = dialogue.header("listener").unwrap_or_else(|| panic!("{name}: no listener")).to_owned();
                let client = dialogue.header("client").map_or(STRANGER, |text| text.parse().unwrap());
                Case { name, dialogue, listener, client }
            })
        })
        .collect();
    assert!(cases.len() >= 250, "only {} dialogues in {}", cases.len(), folder.display());
    cases
}

#[test]
fn the_core_speaks_as_written_however_it_is_cut() {
    let model = compile(&kdl(2525));
    let (mut played, mut failures) = (0, Vec::new());
    for case in cases() {
        for cut in case.cuts() {
            let mut core = Core::new(&model, &case.listener, case.client);
            played += 1;
            if let Err(mismatch) = case.dialogue.play(&mut core, cut) {
                failures.push(format!("{}, {cut:?}: {mismatch}", case.name));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(played > 1000, "only {played} plays");
}

#[test]
fn the_daemon_speaks_as_written() {
    let scene = Scene::start();
    for case in cases() {
        for cut in [Cut::Whole, Cut::EveryOctet] {
            if !case.cuts().contains(&cut) || (cut == Cut::EveryOctet && case.dialogue.sent_octets() > CUTS) {
                continue;
            }
            let mut client = Client::dial_from(case.client, scene.daemon.address(&case.listener)).unwrap();
            let played = case.dialogue.play(&mut client, cut);
            played.unwrap_or_else(|mismatch| panic!("{}, {cut:?}: {mismatch}\n{}", case.name, client.transcript()));
        }
    }
}
