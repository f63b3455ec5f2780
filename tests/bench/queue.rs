//! A start with a large queue: how soon mail is taken and delivered, and how much memory the queue takes. The spool is filled in this
//! process, through the same gate as the daemon's: one message of 2 KB for each recipient, which is the most that a recipient can
//! cost.

use crate::measure::Postern;
use crate::report::Report;
use postern_schema::decide::{
    self, Answer, Client as DecideClient, Disposition, RecipientFacts, RelayPermit, ScreenFacts, TlsWish,
};
use postern_schema::name::{ForwardPath, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::snapshot::{Snapshot, locate};
use postern_tests::client::Client;
use postern_tests::wait;
use posternd::queue::{Accepted, Attempt, Change, Generation, Outcome, Spool, SpoolOptions};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Messages that are put in with one flush.
const AT_ONCE: usize = 2000;
/// Octets of a message.
const OCTETS: usize = 2048;
/// How long the daemon is watched once it runs.
const WATCHED: Duration = Duration::from_secs(20);
/// Domains that the recipients are spread over.
const DOMAINS: usize = 1000;

/// The rows of queues of these sizes: one in which everything is due at once, and one in which everything waits.
pub fn figures(report: &mut Report, due: usize, deferred: usize) {
    row(report, due, false);
    row(report, deferred, true);
}

fn row(report: &mut Report, messages: usize, waits: bool) {
    let name = format!("{messages} {}", if waits { "deferred" } else { "due" });
    let postern = Postern::start();
    let (spool, snapshots) = (postern.site().state().join("spool"), postern.site().snapshots());
    let postern = postern.stopped();
    let begun = Instant::now();
    fill(&spool, &snapshots, messages, waits);
    eprintln!("a queue of {name}: filled in {:.1} s", begun.elapsed().as_secs_f64());

    let begun = Instant::now();
    let postern = postern.started();
    report.time(&format!("{name}: ready"), begun.elapsed());
    let mut client = Client::connect(postern.daemon().address("mx"));
    report.time(&format!("{name}: 220"), begun.elapsed());
    client.hello();
    let reply = client.send_message("a@client.test", &["load@example.com"], b"Subject: new\r\n\r\ntext\r\n");
    assert_eq!(reply.code, 250, "{reply}");
    report.time(&format!("{name}: 250 for a new message"), begun.elapsed());
    client.quit();
    wait::poll(Duration::from_secs(120), || (!postern.site().maildir("load@example.com").is_empty()).then_some(()));
    report.time(&format!("{name}: the new message is delivered"), begun.elapsed());
    wait::poll(Duration::from_secs(120), || (postern.daemon().status()["queue"]["recovering"] == false).then_some(()));
    report.time(&format!("{name}: all of the queue is known"), begun.elapsed());
    if !waits {
        wait::poll(Duration::from_secs(120), || (postern.sink_messages() > 0).then_some(()));
        report.time(&format!("{name}: the first old message is delivered"), begun.elapsed());
    }
    let before = (postern.sink_messages(), Instant::now());
    std::thread::sleep(WATCHED);
    report.memory(&format!("posternd, {name}"), postern.daemon().resident_octets());
    if !waits {
        let rate = (postern.sink_messages() - before.0) as f64 / before.1.elapsed().as_secs_f64();
        report.remark(format!("{name}: {rate:.0} delivered by second from then on"));
    }
}

/// Permits for so many recipients, in turn over all domains.
fn permit(snapshot: &Snapshot, number: usize) -> RelayPermit {
    let address = format!("friend{number}@d{}.elsewhere.test", number % DOMAINS);
    let forward_path = ForwardPath::parse(&address).expect("it is an address");
    let client = DecideClient { listener: "mx", address: IpAddr::V4(Ipv4Addr::LOCALHOST), user: None, certificate: &[] };
    let facts = RecipientFacts {
        client,
        reverse_path: &ReversePath::Null,
        forward_path: &forward_path,
        srs: None,
        screen: ScreenFacts::CLEAR,
    };
    match decide::accept(&facts, snapshot) {
        Answer::Verdict(verdict) => match verdict.disposition {
            Disposition::Accept(permit) => permit,
            _ => panic!("the site of the bench relays for this host: {:?}", verdict.reason),
        },
        Answer::Need(need) => panic!("a recipient needs nothing: {need:?}"),
    }
}

fn fill(folder: &Path, snapshots: &Path, messages: usize, waits: bool) {
    let source = locate(snapshots).expect("the site is compiled");
    let snapshot = Snapshot::open(&source).expect("it can be read");
    let (spool, _) = Spool::open(folder, SpoolOptions { node: 1, ..SpoolOptions::default() }).expect("the daemon is stopped");
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("threads can be had");
    let spool = Arc::new(spool);
    let text = "A line of a message that waits, of as many octets as it takes.\r\n".repeat(OCTETS / 64);
    for first in (0..messages).step_by(AT_ONCE) {
        let now = now_ms();
        let tasks: Vec<_> = (first..messages.min(first + AT_ONCE))
            .map(|number| {
                let accepted = Accepted {
                    id: spool.fresh_id(now),
                    arrival_ms: now,
                    reverse_path: ReversePath::parse(&format!("sender{}@client.test", number % 5000)).expect("it is an address"),
                    recipients: vec![permit(&snapshot, number).into()],
                    smtp_utf8: false,
                    eight_bit: false,
                    tls_wish: TlsWish::Default,
                    ret: None,
                    envid: None,
                    client: posternd::queue::Client {
                        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                        helo: "client.test".into(),
                        listener: "mx".into(),
                        user: None,
                        certificate: [].into(),
                    },
                    generation: Generation(1),
                    hold: None,
                    body: text.clone().into_bytes().into(),
                };
                let spool = spool.clone();
                runtime.spawn(async move { spool.append(accepted).await.expect("there is room") })
            })
            .collect();
        let ids: Vec<_> = tasks.into_iter().map(|task| runtime.block_on(task).expect("it does not panic")).collect();
        if waits {
            let reply = Reply::unreachable("mx.elsewhere.test[192.0.2.1]:25: connection refused".to_owned());
            let defer = |id| {
                let attempt =
                    Arc::new(Attempt::new(reply.clone(), Some("mx.elsewhere.test[192.0.2.1]:25".into()), now, Generation(1)));
                Change::Outcome { id, recipients: [0].into(), outcome: Outcome::Deferred { attempt, next_ms: now + 7_200_000 } }
            };
            runtime.block_on(spool.record(ids.into_iter().map(defer).collect())).expect("there is room");
        }
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
