//! The mistake of published guides that no line of a site makes: `postsuper -d ALL`, shown to beginners without a look at what it
//! would remove. Those that a site makes are in `tests/cases/mistakes`, and the compiler's own tests.
#![allow(clippy::unwrap_used)]

use postern_tests::peer::{Act, Stage};
use postern_tests::scene::{AWKWARD, Scene};
use postern_tests::wait;
use serde_json::Value;

/// How many messages the queue holds.
fn queued(scene: &Scene) -> usize {
    let listed: Value = serde_json::from_str(&scene.daemon.control(&["queue", "list", "--json"]).success()).unwrap();
    listed.as_array().unwrap().len()
}

#[test]
fn nobody_empties_a_queue_by_a_slip() {
    let scene = Scene::start();
    scene.relay.follow(scene.relay_script().on(Stage::AnyRcpt, Act::Defer));
    for recipient in ["friend@elsewhere.test", "other@elsewhere.test"] {
        assert_eq!(scene.user("submission").send_message("alice@example.com", &[recipient], AWKWARD).code, 250);
    }
    wait::until("both messages", || (queued(&scene) == 2).then_some(()));

    // Without a word about which: none.
    let slip = scene.daemon.control(&["queue", "delete"]);
    assert_ne!(slip.status, 0, "{slip}");
    assert!(slip.stderr.contains("--all"), "{slip}");
    assert_eq!(queued(&scene), 2);

    // A preview says how many, and removes none.
    let count = |arguments: &[&str]| -> Value {
        serde_json::from_str::<Value>(&scene.daemon.control(arguments).success()).unwrap()["messages"].clone()
    };
    assert_eq!(count(&["queue", "delete", "--all", "--dry-run", "--json"]), 2);
    assert_eq!(count(&["queue", "delete", "--to", "other@elsewhere.test", "--dry-run", "--json"]), 1);
    assert_eq!(queued(&scene), 2);

    assert_eq!(count(&["queue", "delete", "--to", "other@elsewhere.test", "--json"]), 1);
    assert_eq!(queued(&scene), 1);
}
