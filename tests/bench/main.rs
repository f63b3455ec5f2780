//! The bench: `cargo run --release -p postern-tests --bin bench`.
//!
//! Everything runs on loopback in one go: the generator, the daemon and the sink share the machine, so the figures are for
//! comparing with each other and with Postfix in the same run, never with another machine's. The first row, the generator
//! straight into the sink, is the most that any server could show here.

mod authentication;
mod idle;
mod measure;
mod postfix;
mod queue;
mod report;
mod tables;

use measure::{figures_of_a_site, rates};
use postern_tests::load::Load;
use postern_tests::peer::{Peer, Script};
use report::Report;
use std::process::ExitCode;

/// Sessions at once, one row each.
const SESSIONS: [usize; 3] = [1, 10, 50];

/// What messages of the rows hold, in octets.
const SIZES: [usize; 2] = [2048, 50 << 10];

const USAGE: &str = "usage: bench [--messages N] [--aliases N] [--authentication] [--mail] [--tables] [--queue] [--queued N] [--idle] [--no-postfix] [--json]
  --messages N   messages in each row (5000)
  --aliases N    rows of the large table (1000000)
  --authentication  sign and judge messages, and send none
  --mail         send mail, and nothing else
  --tables       compile large sites, and send no mail
  --queue        start with a large queue, and nothing else
  --queued N     messages that are due in it (1000000); a tenth as many are deferred in a second row
  --idle         ten thousand idle clients, and no mail
  --no-postfix   leave Postfix out, even if it is installed
  --json         print JSON instead of a table";

struct Arguments {
    messages: u64,
    aliases: usize,
    tables_alone: bool,
    mail_alone: bool,
    queue_alone: bool,
    queued: usize,
    authentication_alone: bool,
    idle_alone: bool,
    with_postfix: bool,
    json: bool,
}

fn arguments() -> Option<Arguments> {
    let mut arguments = Arguments {
        messages: 5000,
        aliases: 1_000_000,
        tables_alone: false,
        mail_alone: false,
        queue_alone: false,
        queued: 1_000_000,
        authentication_alone: false,
        idle_alone: false,
        with_postfix: true,
        json: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--messages" => arguments.messages = words.next()?.parse().ok().filter(|messages| *messages > 0)?,
            "--aliases" => arguments.aliases = words.next()?.parse().ok()?,
            "--mail" => arguments.mail_alone = true,
            "--tables" => arguments.tables_alone = true,
            "--queue" => arguments.queue_alone = true,
            "--queued" => arguments.queued = words.next()?.parse().ok()?,
            "--authentication" => arguments.authentication_alone = true,
            "--idle" => arguments.idle_alone = true,
            "--no-postfix" => arguments.with_postfix = false,
            "--json" => arguments.json = true,
            _ => return None,
        }
    }
    Some(arguments)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    let report = run(&arguments);
    if arguments.json {
        println!("{:#}", report.json())
    } else {
        print!("{}", report.text())
    }
    ExitCode::SUCCESS
}

fn run(arguments: &Arguments) -> Report {
    let mut report = Report::default();
    if arguments.idle_alone {
        idle::figures(&mut report);
        return report;
    }
    if arguments.queue_alone {
        queue::figures(&mut report, arguments.queued, arguments.queued / 10);
        return report;
    }
    if !arguments.mail_alone {
        authentication::figures(&mut report);
        if arguments.authentication_alone {
            return report;
        }
        tables::figures(&mut report, arguments.aliases);
        if arguments.tables_alone {
            return report;
        }
    }
    mail(&mut report, arguments);
    if !arguments.mail_alone {
        figures_of_a_site(&mut report);
        idle::figures(&mut report);
    }
    report
}

/// Mail through the daemon and through Postfix, row by row one after the other, so that what else the machine does meets both.
fn mail(report: &mut Report, arguments: &Arguments) {
    for sessions in SESSIONS {
        let sink = Peer::start(Script::sink());
        let load = Load { sessions, messages: arguments.messages, ..Load::to(sink.address(), "a@example.com") };
        let rate = load.run().rate();
        report.rate("generator into sink", sessions, rate, rate, None);
    }
    let postern = measure::Postern::start();
    report.memory("posternd, idle", postern.resident_octets());
    let postfix = arguments.with_postfix.then(postfix::Postfix::start);
    for octets in SIZES {
        for sessions in SESSIONS {
            rates(report, &postern, "posternd", sessions, octets, arguments.messages);
            if let Some(Ok(postfix)) = &postfix {
                rates(report, postfix, "postfix", sessions, octets, arguments.messages);
            }
        }
    }
    report.memory("posternd, after the load", postern.resident_octets());
    if let Some(Err(why)) = postfix {
        report.remark(format!("no figures of Postfix: {why}"));
    }
}
