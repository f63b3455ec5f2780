//! One decision, three users: what a peer hears over real SMTP is what `postern explain` says for the same facts, and what the
//! daemon's log gives as its reason.
#![allow(clippy::unwrap_used)]

use postern_tests::client::{Client, Reply};
use postern_tests::peer::{Act, Stage};
use postern_tests::scene::{LOGIN, STRANGER, Scene, awkward_of_user};
use postern_tests::wait;
use rustix::process::Signal;
use serde_json::Value;

/// The facts of one question: listener, client, user, reverse-path, forward-path.
#[derive(Clone, Copy, Debug)]
struct Facts {
    listener: &'static str,
    is_trusted: bool,
    user: bool,
    from: &'static str,
    to: &'static str,
}

const fn facts(listener: &'static str, is_trusted: bool, user: bool, from: &'static str, to: &'static str) -> Facts {
    Facts { listener, is_trusted, user, from, to }
}

const MX: &str = "mx";
const TABLE: &[Facts] = &[
    facts(MX, false, false, "a@remote.test", "alice@example.com"),
    facts(MX, false, false, "a@remote.test", "ALICE+x@Example.COM"),
    facts(MX, false, false, "a@remote.test", "info@example.com"),
    facts(MX, false, false, "", "bob@example.com"),
    facts(MX, false, false, "a@remote.test", "postmaster"),
    facts(MX, false, false, "a@remote.test", "postmaster@example.com"),
    facts(MX, false, false, "a@remote.test", "nobody@example.com"),
    facts(MX, false, false, "a@remote.test", "anybody@parked.example"),
    facts(MX, false, false, "a@remote.test", "victim@elsewhere.test"),
    facts(MX, false, false, "alice@example.com", "victim@elsewhere.test"),
    facts(MX, false, false, "a@remote.test", "victim@[192.0.2.1]"),
    facts(MX, false, false, "a@nonexistent.test", "alice@example.com"),
    facts(MX, false, false, "a@null.test", "alice@example.com"),
    facts(MX, true, false, "cron@example.com", "friend@elsewhere.test"),
    facts(MX, true, false, "", "nobody@example.com"),
    facts(MX, true, false, "a@nonexistent.test", "alice@example.com"),
    facts("submission", false, false, "alice@example.com", "bob@example.com"),
    facts("submission", false, true, "alice@example.com", "friend@elsewhere.test"),
    facts("submission", false, true, "alice+x@example.com", "friend@elsewhere.test"),
    facts("submission", false, true, "bob@example.com", "friend@elsewhere.test"),
    facts("submission", false, true, "alice@elsewhere.test", "bob@example.com"),
    facts("submissions", false, true, "alice@example.com", "nobody@example.com"),
    facts("submissions", true, true, "", "bob@example.com"),
    facts("submissions", true, false, "alice@example.com", "bob@example.com"),
];

/// What the peer hears: of MAIL if that was refused, else of RCPT.
fn ask_smtp(scene: &Scene, facts: Facts) -> Reply {
    let source = if facts.is_trusted { "127.0.0.1".parse().unwrap() } else { STRANGER };
    let mut client = Client::dial_from(source, scene.daemon.address(facts.listener)).unwrap();
    if facts.listener == "submissions" {
        client.tls();
    }
    client.expect_reply(220);
    client.hello();
    if facts.listener == "submission" {
        client.start_tls();
        client.hello();
    }
    if facts.user {
        assert_eq!(client.auth_plain(LOGIN.0, LOGIN.1).code, 235);
    }
    let reply = client.command(&format!("MAIL FROM:<{}>", facts.from));
    if reply.code / 100 == 2 { client.command(&format!("RCPT TO:<{}>", facts.to)) } else { reply }
}

fn ask_explain(scene: &Scene, site: &str, facts: Facts, sender_domain: Option<&str>) -> Value {
    let client = if facts.is_trusted { "127.0.0.1".to_owned() } else { STRANGER.to_string() };
    let mut arguments = vec!["explain", site, "--listener", facts.listener, "--client", &client, "--json"];
    if facts.user {
        arguments.extend(["--user", LOGIN.0]);
    }
    let fact = sender_domain.map(|word| format!("sender-domain={word}"));
    if let Some(fact) = &fact {
        arguments.extend(["--fact", fact]);
    }
    arguments.extend(["--from", facts.from, "--to", facts.to]);
    let outcome = scene.site.postern(&arguments);
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {arguments:?}: {outcome}"))
}

/// What DNS of the scene says, in the word of `explain`.
fn sender_domain(from: &str) -> Option<&'static str> {
    match from.split_once('@')?.1 {
        "remote.test" => Some("found"),
        "null.test" => Some("null-mx"),
        "nonexistent.test" | "elsewhere.test" => Some("nonexistent"),
        _ => None,
    }
}

#[test]
fn smtp_and_explain_and_the_log_say_the_same() {
    let scene = Scene::with(|kdl| format!("{kdl}screen {{ require \"sender-domain-exists\" }}\n"));
    let source = scene.site.source().to_str().unwrap().to_owned();
    let snapshot = scene.site.snapshots().join("current").canonicalize().unwrap().to_str().unwrap().to_owned();
    for facts in TABLE {
        let before = scene.daemon.log().len();
        let heard = ask_smtp(&scene, *facts);
        let told = ask_explain(&scene, &source, *facts, sender_domain(facts.from));
        let outcome = &told["outcome"];
        let disposition = match heard.code / 100 {
            2 => "accept",
            4 => "defer",
            _ => "reject",
        };
        assert_eq!(outcome["disposition"], disposition, "{facts:?}: {heard}, and {told}");
        assert_eq!(outcome["reply"].as_str().unwrap(), format!("{} {}", heard.code, heard.text()), "{facts:?}");

        let reason = outcome["reason"].as_str().unwrap();
        // The last decision of this session; the log is written a moment after the reply.
        let logged = || {
            let log = scene.daemon.log().split_off(before);
            let events: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            events.iter().filter_map(|event| event["reason"].as_str()).next_back().map(str::to_owned)
        };
        let agrees = wait::poll(wait::PATIENCE, || (logged().as_deref() == Some(reason)).then_some(()));
        assert!(agrees.is_some(), "{facts:?}: {reason} is not what the log says last:\n{}", scene.daemon.log());

        // The snapshot says what the source says, lines of the source included.
        assert_eq!(ask_explain(&scene, &snapshot, *facts, sender_domain(facts.from)), told, "{facts:?}");
    }
}

#[test]
fn every_step_that_a_line_decided_names_that_line() {
    let scene = Scene::start();
    let source = scene.site.source().to_str().unwrap().to_owned();
    let told = ask_explain(&scene, &source, TABLE[2], None);
    let kdl = std::fs::read_to_string(&source).unwrap();
    let line_of = |text: &str| {
        let line = kdl.lines().position(|line| line.contains(text)).unwrap() + 1;
        format!("site.kdl:{line}")
    };
    let rcpt = told["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == "RCPT").expect("RCPT was reached");
    let sources: Vec<&str> = rcpt["steps"].as_array().unwrap().iter().filter_map(|step| step["source"].as_str()).collect();
    for text in ["listen \"mx\"", "domain \"example.com\"", "alias \"info\"", "mailbox \"bob\""] {
        assert!(sources.contains(&line_of(text).as_str()), "{text} is not among {sources:?}: {told}");
    }
}

#[test]
fn a_missing_fact_is_said_to_be_missing() {
    let scene = Scene::with(|kdl| format!("{kdl}screen {{ require \"sender-domain-exists\" }}\n"));
    let source = scene.site.source().to_str().unwrap().to_owned();
    let told = ask_explain(&scene, &source, TABLE[0], None);
    assert_eq!(told["outcome"]["disposition"], "undecided", "{told}");
}

/// The one message in the queue, once an attempt has failed.
fn deferred_message(scene: &Scene) -> String {
    wait::until("a failed attempt", || {
        let listed: Value = serde_json::from_str(&scene.daemon.control(&["queue", "list", "--json"]).success()).unwrap();
        let message = &listed.as_array()?.first()?;
        message["to"][0]["reason"].as_str()?;
        Some(message["id"].as_str()?.to_owned())
    })
}

#[test]
fn a_message_in_the_queue_is_decided_again_by_the_snapshots_that_decided_it() {
    let mut scene = Scene::start();
    scene.relay.follow(scene.relay_script().on(Stage::AnyRcpt, Act::Defer));
    assert_eq!(
        scene.user("submission").send_message("alice@example.com", &["friend@elsewhere.test"], &awkward_of_user()).code,
        250
    );
    let id = deferred_message(&scene);
    let first = scene.daemon.digest().to_owned();

    // What is published since does not change what was decided then.
    let kdl = std::fs::read_to_string(scene.site.source()).unwrap();
    let renamed = kdl.replace("\"upstream\"", "\"other\"");
    assert_ne!(kdl, renamed);
    let second = scene.site.rebuild(&renamed);
    assert_ne!(first, second);

    let snapshots = scene.site.snapshots();
    let state = scene.site.state();
    let (snapshots, state) = (snapshots.to_str().unwrap(), state.to_str().unwrap());
    let replayed = scene.site.postern(&["explain", snapshots, "--attempt", &id, "--state", state, "--json"]).success();
    let replay: Value = serde_json::from_str(&replayed).unwrap();
    assert_eq!(replay["id"].as_str(), Some(&*id));
    assert_eq!(replay["accepted_by"].as_str(), Some(&*first));
    assert_eq!(replay["accepted"][0]["outcome"]["reason"], "authenticated-relay");
    let attempt = &replay["attempts"][0];
    assert_eq!((&attempt["state"], &attempt["routed_by"]), (&"pending".into(), &first.as_str().into()), "{attempt}");
    assert_eq!(attempt["hop"]["via"], "upstream", "{attempt}");
    assert!(attempt["reply"].as_str().unwrap().starts_with("450 4.2.0"), "{attempt}");

    // The same from what the operator saved, without the daemon.
    let shown = scene.daemon.control(&["queue", "show", &id, "--json"]).success();
    scene.site.write("message.json", &shown);
    let saved = scene.site.path("source/message.json");
    let replayed_later = scene.site.postern(&["explain", snapshots, "--attempt", saved.to_str().unwrap(), "--json"]).success();
    assert_eq!(serde_json::from_str::<Value>(&replayed_later).unwrap()["accepted_by"], replay["accepted_by"]);

    // What the plan makes of the queue.
    let old = format!("{snapshots}/{first}.mdb");
    let planned = scene.site.postern(&["plan", &old, snapshots, "--queue", state, "--json"]);
    assert_eq!(planned.status, 2, "{planned}");
    let plan: Value = serde_json::from_str(&planned.stdout).unwrap();
    assert_eq!(plan["queue"]["messages"], 1, "{plan}");
    assert!(plan["queue"].to_string().contains("other"), "{plan}");

    // Who asks for what is not there hears why.
    let unknown = scene.site.postern(&["explain", snapshots, "--attempt", "nothing", "--state", state]);
    assert_ne!(unknown.status, 0, "{unknown}");
    assert!(unknown.stderr.contains("nothing"), "{unknown}");
    let nobody = scene.site.postern(&["explain", snapshots, "--attempt", &id, "--state", snapshots]);
    assert_eq!(nobody.status, 69, "{nobody}");

    // And from the state folder that a dead daemon left.
    scene.daemon.signal(Signal::KILL);
    wait::until("the daemon's end", || (!scene.daemon.is_running()).then_some(()));
    let listed = scene.daemon.control(&["queue", "list", "--json"]);
    assert!(listed.stderr.contains("no daemon runs in"), "{listed}");
    assert_eq!(serde_json::from_str::<Value>(&listed.success()).unwrap()[0]["id"].as_str(), Some(&*id));
    let replayed_after = scene.site.postern(&["explain", snapshots, "--attempt", &id, "--state", state, "--json"]).success();
    assert_eq!(serde_json::from_str::<Value>(&replayed_after).unwrap(), replay);
    let held = scene.daemon.control(&["queue", "hold", &id]);
    assert_eq!(held.status, 69, "{held}");
}
