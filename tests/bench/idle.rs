//! Ten thousand clients that are there and say nothing: what they cost, and how long a new one waits for its greeting meanwhile.

use crate::report::Report;
use postern_tests::client::Client;
use postern_tests::daemon::{Daemon, Options, Site, passwd_line};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

/// Clients, half of them at each listener.
const CLIENTS: usize = 10_000;
/// How many connections one address makes: an address has less than 30,000 ports to leave from.
const BY_ADDRESS: usize = 250;
/// Threads that connect.
const THREADS: usize = 4;
/// New clients that are timed.
const NEWCOMERS: usize = 200;

const KDL: &str = "site \"mail.example.com\" { postmaster \"alice@example.com\"; address \"192.0.2.25\"; }\n\
    tls { self-signed; }\n\
    listen \"mx\" port=0 address=\"127.0.0.1\"\n\
    listen \"submission\" port=0 address=\"127.0.0.1\"\n\
    network \"here\" \"127.0.0.0/8\" relay=#true reason=\"the generator\"\n\
    users \"staff\" { passwd secret=\"users\"; }\n\
    domain \"example.com\" { mailbox \"alice\"; }\n\
    route to=\"*\" via=\"direct\"\n\
    limits sessions=20000\n";

/// Connects them all: those at `mx` have greeted, those at `submission` are inside TLS.
pub fn figures(report: &mut Report) {
    let limit = getrlimit(Resource::Nofile);
    let room = limit.maximum.unwrap_or(u64::MAX);
    if room < CLIENTS as u64 + 200 {
        return report.remark(format!("no figures of idle clients: only {room} descriptors are allowed here"));
    }
    // Of this process; the daemon raises its own.
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        return report.remark(format!("no figures of idle clients: {error}"));
    }
    let site = Site::new(KDL);
    site.credential("users", &passwd_line("alice", "x"));
    site.build();
    let daemon = Daemon::start(Options::of(&site));
    report.memory("posternd, nobody there", daemon.resident_octets());
    let (mx, submission) = (daemon.address("mx"), daemon.address("submission"));
    let start = Instant::now();
    let clients: Vec<Client> = thread::scope(|scope| {
        let connect =
            |thread: usize| move || (thread..CLIENTS).step_by(THREADS).map(|number| client(number, mx, submission)).collect();
        let threads: Vec<thread::ScopedJoinHandle<'_, Vec<Client>>> =
            (0..THREADS).map(|thread| scope.spawn(connect(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no client fails")).collect()
    });
    report.time(&format!("{CLIENTS} idle clients come, half by TLS"), start.elapsed());
    report.memory(&format!("posternd, {CLIENTS} idle clients"), daemon.resident_octets());
    let mut times: Vec<Duration> = (0..NEWCOMERS)
        .map(|number| {
            let start = Instant::now();
            let mut client = Client::dial(if number % 2 == 0 { mx } else { submission });
            client.expect_reply(220);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    report.time("greeting among them, the middle", times[NEWCOMERS / 2]);
    report.time("greeting among them, the slowest", times[NEWCOMERS - 1]);
    drop(clients);
    daemon.stop();
}

fn client(number: usize, mx: SocketAddr, submission: SocketAddr) -> Client {
    let source = IpAddr::V4(Ipv4Addr::new(127, 0, 8, (number / BY_ADDRESS + 1) as u8));
    let is_mx = number.is_multiple_of(2);
    let mut client = Client::dial_from(source, if is_mx { mx } else { submission }).expect("loopback has all of 127/8");
    client.expect_reply(220);
    client.hello();
    if !is_mx {
        client.start_tls();
    }
    client
}
