//! What is measured, and how.

use crate::report::Report;
use postern_tests::daemon::{Daemon, Maildir, Options, Site};
use postern_tests::dns::DnsServer;
use postern_tests::load::Load;
use postern_tests::peer::{Peer, Script};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long the slowest row may take to arrive in full.
const ARRIVAL: Duration = Duration::from_secs(600);

/// A mail server under load.
pub trait Under {
    /// Where it takes mail from this host.
    fn address(&self) -> SocketAddr;
    /// The mailbox of `load@example.com`.
    fn maildir(&self) -> Maildir;
    /// Where everything for elsewhere goes.
    fn sink(&self) -> &Peer;
    /// The process that does the work, or whose children do.
    fn process(&self) -> u32;
}

/// Two rows: into a mailbox, and on to the sink.
pub fn rates(report: &mut Report, server: &dyn Under, name: &str, sessions: usize, octets: usize, messages: u64) {
    let kilobytes = octets / 1024;
    // What came before stays: ext4 without a journal looks at every inode that was just given back before it takes one.
    let maildir = server.maildir();
    let before = maildir.len();
    let load = Load { sessions, messages, size_octets: octets, ..Load::to(server.address(), "load@example.com") };
    let row = run(server, &load, |limit| maildir.wait_within(before + messages as usize, limit) - before);
    report.rate(&format!("{name} to a Maildir, {kilobytes} KB"), sessions, row.accepted, row.through, Some(row.work));

    let before = server.sink().messages();
    let load = Load { to: vec!["load@elsewhere.test".to_owned()], ..load };
    let row = run(server, &load, |limit| server.sink().wait_within(before + messages as usize, limit) - before);
    report.rate(&format!("{name} to the relayhost, {kilobytes} KB"), sessions, row.accepted, row.through, Some(row.work));
}

/// Messages by second: acknowledged, and arrived.
struct Row {
    accepted: f64,
    through: f64,
    work: Duration,
}

fn run(server: &dyn Under, load: &Load, arrived: impl Fn(Duration) -> usize) -> Row {
    let (start, worked) = (Instant::now(), processor_time(server.process()));
    let report = load.run();
    assert_eq!(report.acknowledged.len() as u64, load.messages, "{:?}", report.trouble);
    let found = arrived(ARRIVAL);
    assert!(found as u64 >= load.messages, "{found} of {} arrived", load.messages);
    let work = processor_time(server.process()).saturating_sub(worked) / load.messages as u32;
    Row { accepted: report.rate(), through: load.messages as f64 / start.elapsed().as_secs_f64(), work }
}

/// The time of a processor that a process, its children and those that it has waited for have used. One that has just ended and is not
/// waited for is missed for a moment.
fn processor_time(process: u32) -> Duration {
    let stats = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name of the program may hold blanks, and ends with the last bracket.
        let fields: Vec<u64> = stat.rsplit_once(')')?.1.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
        Some((number, fields))
    });
    // proc(5): the parent is the 4th field, times of the process and of its children are the 14th to the 17th.
    let ticks: u64 = stats
        .filter(|(number, fields)| *number == process || fields.get(1) == Some(&u64::from(process)))
        .map(|(_, fields)| fields.get(11..15).map_or(0, |times| times.iter().sum()))
        .sum();
    // A tick is ten milliseconds for whoever asks, whatever the kernel counts in.
    Duration::from_millis(10 * ticks)
}

/// The daemon with a mailbox, a trusted network, and the sink as its relayhost, in plaintext as Postfix has it here.
pub struct Postern {
    daemon: Daemon,
    sink: Peer,
    site: Site,
    _dns: DnsServer,
}

fn kdl(sink: SocketAddr, more: &str) -> String {
    format!(
        "site \"mail.example.com\" {{ postmaster \"load@example.com\"; address \"192.0.2.25\" }}\n\
         listen \"mx\" port=0 address=\"127.0.0.1\"\n\
         network \"here\" \"127.0.0.1\" relay=#true reason=\"the generator\"\n\
         domain \"example.com\" {{\n    mailbox \"load\"\n{more}}}\n\
         relay \"sink\" host=\"sink.test\" port={} {{ tls \"none\" }}\n\
         route to=\"*\" via=\"sink\"\n",
        sink.port()
    )
}

impl Postern {
    /// Compiles and starts it.
    pub fn start() -> Postern {
        let sink = Peer::start(Script::sink());
        let dns = DnsServer::start("sink.test A 127.0.0.1");
        let site = Site::new(&kdl(sink.address(), ""));
        site.build();
        let daemon = Daemon::start(Options::of(&site).dns(dns.address()));
        Postern { daemon, sink, site, _dns: dns }
    }

    /// The site that it serves.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The daemon.
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// What the sink has taken so far.
    pub fn sink_messages(&self) -> usize {
        self.sink.messages()
    }

    /// The same, without a daemon.
    pub fn stopped(self) -> Stopped {
        let Postern { daemon, sink, site, _dns } = self;
        let options = daemon.options().clone();
        daemon.stop();
        Stopped { options, sink, site, dns: _dns }
    }

    /// Resident memory in octets: now, and the most so far.
    pub fn resident_octets(&self) -> (u64, u64) {
        self.daemon.resident_octets()
    }
}

/// All of it but the daemon.
pub struct Stopped {
    options: Options,
    sink: Peer,
    site: Site,
    dns: DnsServer,
}

impl Stopped {
    /// Starts the daemon again.
    pub fn started(self) -> Postern {
        let Stopped { options, sink, site, dns } = self;
        Postern { daemon: Daemon::start(options), sink, site, _dns: dns }
    }
}

impl Under for Postern {
    fn address(&self) -> SocketAddr {
        self.daemon.address("mx")
    }
    fn maildir(&self) -> Maildir {
        self.site.maildir("load@example.com")
    }
    fn sink(&self) -> &Peer {
        &self.sink
    }
    fn process(&self) -> u32 {
        self.daemon.pid()
    }
}

/// The middle of five, each with whatever starting a process costs; `prepare` is not measured.
fn middle_time(mut prepare: impl FnMut(usize), mut act: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|turn| {
            prepare(turn);
            let start = Instant::now();
            act();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[2]
}

/// How long it takes to build and to reload a small site and one of ten thousand mailboxes.
pub fn figures_of_a_site(report: &mut Report) {
    let sink: SocketAddr = "127.0.0.1:2525".parse().expect("that is an address");
    let mailboxes: String = (0..10_000).map(|number| format!("    mailbox \"user{number}\"\n")).collect();
    for (name, more) in [("a small site", ""), ("10000 mailboxes", mailboxes.as_str())] {
        let site = Site::new(&kdl(sink, more));
        // A comment more each time: another source, another snapshot.
        let change = |turn: usize| site.write("site.kdl", &format!("{}// {turn}\n", kdl(sink, more)));
        report.time(&format!("build, {name}"), middle_time(change, || drop(site.build())));
        let daemon = Daemon::start(Options::of(&site));
        let publish = |turn: usize| {
            change(100 + turn);
            site.build();
        };
        report.time(&format!("reload, {name}"), middle_time(publish, || drop(daemon.control(&["reload"]).success())));
        report.memory(&format!("posternd, {name}"), daemon.resident_octets());
        daemon.stop();
    }
}
