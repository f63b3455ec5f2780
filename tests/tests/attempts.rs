//! What a next hop may do, stage by stage, and what becomes of each recipient: told at every step to come later, never, or nothing at
//! all; cut off before and after the final dot; answered with what is no answer.
//!
//! Each case is a receiver with a script, a domain that leads to it, and one message. Nobody gets a message twice that the receiver
//! said it took, and nobody goes without one that it would have taken the second time.
#![allow(clippy::unwrap_used)]

use postern_tests::client::Client;
use postern_tests::daemon::{Daemon, Options, Site};
use postern_tests::peer::{Act, Peer, Script, Stage};
use postern_tests::scene::AWKWARD;
use postern_tests::wait;
use std::fmt::Write;

struct Case {
    name: &'static str,
    /// What it does the first time.
    stage: Stage,
    act: Act,
    /// Who gets the message, and what becomes of each, attempt by attempt.
    becomes: Vec<(&'static str, &'static [&'static str])>,
    /// What the first reply that is no yes holds.
    says: &'static str,
}

const SENT: &[&str] = &["sent"];
const LATER: &[&str] = &["deferred", "sent"];
const NEVER: &[&str] = &["bounced"];

fn say(text: &str) -> Act {
    Act::Say(text.to_owned())
}

fn case(name: &'static str, stage: Stage, act: Act, becomes: &'static [&'static str], says: &'static str) -> Case {
    Case { name, stage, act, becomes: vec![("alice", becomes), ("bob", becomes)], says }
}

/// Bob has a reply of his own.
fn for_bob(
    name: &'static str, act: Act, others: &'static [&'static str], bob: &'static [&'static str], says: &'static str,
) -> Case {
    let becomes = vec![("alice", others), ("bob", bob), ("carl", others)];
    Case { name, stage: Stage::Rcpt("bob".to_owned()), act, becomes, says }
}

fn cases() -> Vec<Case> {
    let closed = "the peer closed the connection";
    let long: &'static str = Box::leak(format!("250 {}", "x".repeat(5000)).into_boxed_str());
    vec![
        case("greeted with 421", Stage::Banner, Act::Defer, LATER, "421"),
        // That is about us and not about the message.
        case("greeted with 554", Stage::Banner, Act::Reject, LATER, "refused the session: 554"),
        case("cut off instead of greeted", Stage::Banner, Act::Drop, LATER, closed),
        case("greeted with no SMTP", Stage::Banner, say("SSH-2.0-OpenSSH_9"), LATER, "speaks no SMTP"),
        case("EHLO is unknown, HELO is not", Stage::Hello, say("502 5.5.1 what"), SENT, ""),
        case("EHLO answered with 421", Stage::Hello, say("421 4.3.2 busy"), LATER, "421 4.3.2 busy"),
        case("cut off after EHLO", Stage::Hello, Act::Drop, LATER, closed),
        case("MAIL answered with 450", Stage::Mail, Act::Defer, LATER, "450 4.2.0"),
        case("MAIL answered with 550", Stage::Mail, Act::Reject, NEVER, "550 5.7.1"),
        case("MAIL answered with 421", Stage::Mail, say("421 4.7.0 too much"), LATER, "421 4.7.0"),
        case("cut off after MAIL", Stage::Mail, Act::Drop, LATER, closed),
        for_bob("one RCPT answered with 450", Act::Defer, SENT, LATER, "450 4.2.0"),
        for_bob("one RCPT answered with 550", Act::Reject, SENT, NEVER, "550 5.7.1"),
        for_bob("one RCPT answered with 421", say("421 4.7.0 enough"), LATER, LATER, "421 4.7.0"),
        for_bob("cut off after a RCPT", Act::Drop, LATER, LATER, closed),
        case("every RCPT answered with 450", Stage::AnyRcpt, Act::Defer, LATER, "450 4.2.0"),
        case("every RCPT answered with 550", Stage::AnyRcpt, Act::Reject, NEVER, "550 5.7.1"),
        case("DATA answered with 451", Stage::Data, Act::Defer, LATER, "451 4.3.0"),
        case("DATA answered with 554", Stage::Data, Act::Reject, NEVER, "554 5.6.0"),
        case("DATA answered with 421", Stage::Data, say("421 4.3.2 going down"), LATER, "421 4.3.2"),
        case("cut off after DATA", Stage::Data, Act::Drop, LATER, closed),
        case("the text answered with 451", Stage::Dot, Act::Defer, LATER, "451 4.3.0"),
        case("the text answered with 554", Stage::Dot, Act::Reject, NEVER, "554 5.6.0"),
        case("the text answered with 421", Stage::Dot, say("421 4.3.2 going down"), LATER, "421 4.3.2"),
        // Nobody can know whether it was taken (RFC 1047), so it is sent again.
        case("cut off after the final dot", Stage::Dot, Act::Drop, LATER, closed),
        case("cut off after its yes", Stage::Dot, Act::AcceptThenDrop, SENT, ""),
        case("an empty line for a reply", Stage::Mail, say(""), LATER, "speaks no SMTP"),
        case("a number that is no code", Stage::Mail, say("999 what"), LATER, "speaks no SMTP"),
        case("two codes in one reply", Stage::Mail, say("450-a\r\n550 b"), LATER, "mixes replies"),
        case("a line without end", Stage::Mail, say(long), LATER, "too long"),
        case("MAIL answered with 354", Stage::Mail, say("354 go on"), LATER, "out of turn"),
        case("DATA answered with 250", Stage::Data, say("250 done"), LATER, "out of turn"),
        case(
            "a reply too many",
            Stage::Mail,
            say("250 2.1.0 Ok\r\n450 4.0.0 no\r\n250 2.1.5 Ok\r\n450 4.0.0 no\r\n450 what"),
            LATER,
            "",
        ),
        case("controls in a reply", Stage::Mail, say("450 4.2.0 a\u{1b}[31mb"), LATER, "450 4.2.0 a [31mb"),
    ]
}

/// A case that is being played.
struct Played {
    case: Case,
    domain: String,
    peer: Peer,
}

fn played(case: Case, number: usize) -> Played {
    let domain = format!("c{number}.test");
    // Once for each recipient, but for a silence, which ends the connection.
    let times = if case.stage == Stage::AnyRcpt && case.act != Act::Hang { 2 } else { 1 };
    let stage = match &case.stage {
        Stage::Rcpt(user) => Stage::Rcpt(format!("{user}@{domain}")),
        stage => stage.clone(),
    };
    let peer = Peer::start(Script::default().first(times, stage, case.act.clone()));
    Played { case, domain, peer }
}

fn site(all: &[Played]) -> Site {
    let mut kdl = String::from(
        r#"tls { self-signed }
domain "example.com" { mailbox "alice" }
queue { retry "1s" up-to="2s" }
log format="json"
"#,
    );
    for Played { domain, peer, .. } in all {
        let (ip, port) = (peer.address().ip(), peer.address().port());
        writeln!(kdl, "domain \"{domain}\" class=\"relay\" via=\"{domain}\"").unwrap();
        writeln!(kdl, "transport \"{domain}\" smtp=\"{ip}\" port={port} mx=#false tls=\"none\"").unwrap();
    }
    let site = Site::small("alice@example.com", &kdl);
    site.build();
    site
}

fn send(daemon: &Daemon, one: &Played) {
    let to: Vec<String> = one.case.becomes.iter().map(|(user, _)| format!("{user}@{}", one.domain)).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let mut client = Client::connect(daemon.address("mx"));
    client.hello();
    let reply = client.send_message("", &to, AWKWARD);
    assert_eq!(reply.code, 250, "{reply}");
    client.quit();
}

/// The attempts for an address: status and reply of each.
fn attempts(daemon: &Daemon, address: &str) -> Vec<(String, String)> {
    let of = daemon.attempts().into_iter().filter(|(to, ..)| to == address);
    of.map(|(_, status, reply)| (status, reply)).collect()
}

fn hold(daemon: &Daemon, all: &[Played]) {
    for Played { case, domain, peer } in all {
        for (user, becomes) in &case.becomes {
            let address = format!("{user}@{domain}");
            let found = wait::until(&format!("{}: {user} to be settled", case.name), || {
                Some(attempts(daemon, &address)).filter(|found| found.last().is_some_and(|last| last.0 != "deferred"))
            });
            let statuses: Vec<&str> = found.iter().map(|(status, _)| status.as_str()).collect();
            assert_eq!(statuses, *becomes, "{}: {user}: {found:?}", case.name);
            if statuses[0] != "sent" {
                assert!(found[0].1.contains(case.says), "{}: {user}: {found:?}", case.name);
            }
            let taken = peer.transactions().iter().filter(|one| one.accepted && one.recipients.contains(&address)).count();
            assert_eq!(taken, becomes.iter().filter(|status| **status == "sent").count(), "{}: {user}", case.name);
        }
        for taken in peer.transactions().iter().filter(|taken| taken.accepted) {
            assert!(taken.data.ends_with(AWKWARD), "{}: the text is not as it was sent", case.name);
        }
    }
    wait::until("an empty queue", || {
        let queue = daemon.status()["queue"].clone();
        ["active", "deferred", "hold"].iter().all(|state| queue[*state] == 0).then_some(())
    });
}

#[test]
fn every_stage_and_every_answer() {
    let all: Vec<Played> = cases().into_iter().enumerate().map(|(number, case)| played(case, number)).collect();
    let site = site(&all);
    let daemon = Daemon::start(Options::of(&site));
    all.iter().for_each(|one| send(&daemon, one));
    hold(&daemon, &all);
}

#[test]
fn a_peer_that_says_nothing_is_given_up_rfc_5321_4_5_3_2() {
    let silent = |name, stage| case(name, stage, Act::Hang, LATER, "no reply within");
    let cases = [
        silent("silent instead of greeting", Stage::Banner),
        silent("silent after EHLO", Stage::Hello),
        silent("silent after MAIL", Stage::Mail),
        silent("silent after a RCPT", Stage::AnyRcpt),
        silent("silent after DATA", Stage::Data),
        silent("silent after the final dot", Stage::Dot),
    ];
    let all: Vec<Played> = cases.into_iter().enumerate().map(|(number, case)| played(case, number)).collect();
    let site = site(&all);
    // Five minutes are five seconds, and ten minutes are ten.
    let daemon = Daemon::start(Options::of(&site).environment("POSTERN_HURRY", "60"));
    all.iter().for_each(|one| send(&daemon, one));
    hold(&daemon, &all);
}
