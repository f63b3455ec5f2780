//! The command line of `posternd`. Standard output carries the result and nothing else; what went wrong goes to standard
//! error in one sentence.
//!
//! Exit status: 0 done; 1 refused; 64 usage; 66 no snapshot; 69 the daemon does not answer; 70 internal; 78 what it was
//! given cannot be served.

mod show;

use crate::control::{self, Answer, QueueAction, Request, Selection};
use crate::daemon::{self, Options, StartError};
use crate::logging::history;
use crate::sendmail::{self, Done};
use crate::site::LoadError;
use crate::state;
use clap::{Args, Parser, Subcommand};
use postern_schema::snapshot::SnapshotError;
use serde_json::Value;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const REFUSED: u8 = 1;
const USAGE: u8 = 64;
const NO_INPUT: u8 = 66;
const UNAVAILABLE: u8 = 69;
const INTERNAL: u8 = 70;
const CONFIG: u8 = 78;

#[derive(Parser)]
#[command(name = "posternd", version, about = "Serves a mail site that `postern build` compiled")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a snapshot until SIGTERM; SIGHUP reloads
    Run(Run),
    /// Show what is in force, and how the queue is
    Status(Ask),
    /// Put the snapshot in force that the source names now
    Reload {
        /// Only if this is the plan from what is in force to what the source names now
        #[arg(long, value_name = "DIGEST")]
        plan: Option<String>,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show the life of one message, from its arrival to its end
    Trace {
        /// Its queue id
        id: String,
        /// Print what was known of it and what DNS said, as a file for `postern explain --dns`
        #[arg(long, conflicts_with = "json")]
        dns: bool,
        #[command(flatten)]
        ask: Ask,
    },
    /// List the queue as Postfix's mailq does; also what this program does under the name mailq
    Mailq(Ask),
    /// Print the JSON Schema of what a command answers with --json: status, trace, queue-list, queue-show, queue-change, reload
    Schema {
        /// Which; without it, their names
        name: Option<String>,
    },
    /// Look at what is collected for reports to others
    Report {
        #[command(subcommand)]
        command: Report,
    },
    /// Look at the queue
    Queue {
        #[command(subcommand)]
        command: Queue,
    },
}

#[derive(Args)]
struct Run {
    /// A .mdb file, or a folder with `current`
    #[arg(long, value_name = "PATH")]
    snapshot: PathBuf,
    /// Where the daemon keeps its queue; made if it is not there
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where secrets lie, a file each
    #[arg(long, value_name = "DIR", env = "CREDENTIALS_DIRECTORY")]
    credentials: Option<PathBuf>,
    /// Ask this DNS server instead of the system's
    #[arg(long, value_name = "IP:PORT")]
    dns: Option<SocketAddr>,
    /// Believe DNSSEC by the root keys in this file, a DNSKEY record a line, instead of the Internet's
    #[arg(long, value_name = "FILE")]
    trust_anchor: Option<PathBuf>,
    /// Stop when the process that started it ends
    #[arg(long, hide = true)]
    stop_with_parent: bool,
}

#[derive(Args)]
struct Ask {
    /// The state folder of the daemon
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Queue {
    /// List messages
    List {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show one message
    Show {
        /// Its queue id
        id: String,
        /// Show its text as well, not its header alone
        #[arg(long)]
        body: bool,
        #[command(flatten)]
        ask: Ask,
    },
    /// Try messages now
    Flush(Change),
    /// Try messages no more until they are released
    Hold(Change),
    /// Try again what was held
    Release(Change),
    /// Route and try messages anew, as `postsuper -r` does
    Requeue(Change),
    /// Delete messages without telling their senders; on a terminal, asks first
    Delete {
        #[command(flatten)]
        change: Change,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
enum Report {
    /// List the days and domains of which something is known
    List {
        /// Only reports of this type: dmarc or tls
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show the report about a domain as it would be sent
    Show {
        /// The domain
        domain: String,
        /// dmarc or tls
        #[arg(long = "type", value_name = "TYPE", default_value = "dmarc")]
        kind: String,
        /// The day (UTC), as in 2026-11-28; without it, the newest of which something is known
        #[arg(long)]
        day: Option<String>,
        #[command(flatten)]
        ask: Ask,
    },
}

#[derive(Args)]
struct Change {
    #[command(flatten)]
    select: Select,
    /// Only count what would be changed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Args, Clone)]
struct Select {
    /// Queue ids
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Mail from this sender; <> for bounces
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Mail that still has to reach this recipient
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Mail that still has to reach this domain
    #[arg(long)]
    domain: Option<String>,
    /// Mail that still goes over this relay or transport, by the site of today; `direct` for mail to its domain's own hosts
    #[arg(long, value_name = "NAME")]
    relay: Option<String>,
    /// Mail whose last reply holds this text
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Mail that is at least so old: 90s, 5m, 2h, 3d
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    older_than: Option<u64>,
    /// Every message
    #[arg(long)]
    all: bool,
}

impl From<Select> for Selection {
    fn from(select: Select) -> Selection {
        let Select { ids, from, to, domain, relay, reason, older_than, all } = select;
        Selection { ids, from, to, domain, relay, reason, older_than_seconds: older_than, all }
    }
}

fn parse_age(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no age; write a number and s, m, h or d");
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds)).ok_or_else(wrong)
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let name = words.next().unwrap_or_default();
    // Under the name of another program it is that program.
    match name.rsplit('/').next() {
        Some("mailq") => return mailq(&Ask { state: None, json: false }),
        Some("sendmail") => return hand_in(&words.collect::<Vec<_>>()),
        Some("newaliases") => return new_aliases(),
        _ => {}
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let wants_help = !error.use_stderr();
            // A closed standard output leaves nobody to tell.
            let _ = error.print();
            return if wants_help { ExitCode::SUCCESS } else { USAGE.into() };
        }
    };
    match arguments.command {
        Command::Run(run) => serve(run),
        Command::Status(ask) => inquire(&ask, &Request::Status, show::status),
        Command::Trace { id, dns, ask } => trace(&id, dns, &ask),
        Command::Mailq(ask) => mailq(&ask),
        Command::Reload { plan, ask } => inquire(&ask, &Request::Reload { plan }, show::fields),
        Command::Schema { name } => print_schema(name.as_deref()),
        Command::Queue { command } => queue(command),
        Command::Report { command: Report::List { kind, ask } } => inquire(&ask, &Request::ReportList { kind }, show::reports),
        Command::Report { command: Report::Show { domain, kind, day, ask } } => {
            inquire(&ask, &Request::ReportShow { kind, domain, day }, show::report)
        }
    }
}

/// The schemas of our answers, by the name of the command.
const SCHEMAS: [(&str, &str); 8] = [
    ("status", include_str!("../schemas/status.schema.json")),
    ("trace", include_str!("../schemas/trace.schema.json")),
    ("reload", include_str!("../schemas/reload.schema.json")),
    ("report-list", include_str!("../schemas/report-list.schema.json")),
    ("report-show", include_str!("../schemas/report-show.schema.json")),
    ("queue-list", include_str!("../schemas/queue-list.schema.json")),
    ("queue-show", include_str!("../schemas/queue-show.schema.json")),
    ("queue-change", include_str!("../schemas/queue-change.schema.json")),
];

fn print_schema(name: Option<&str>) -> ExitCode {
    match name {
        None => SCHEMAS.iter().for_each(|(name, _)| println!("{name}")),
        Some(wanted) => match SCHEMAS.iter().find(|(name, _)| *name == wanted) {
            Some((_, schema)) => print!("{schema}"),
            None => return fail(USAGE, &format!("no answer is called {wanted}; `posternd schema` names them")),
        },
    }
    ExitCode::SUCCESS
}

/// sendmail(1), which other programs call.
fn hand_in(arguments: &[String]) -> ExitCode {
    match sendmail::run(arguments, &default_state(None), &mut std::io::stdin().lock()) {
        Ok(Done::Submitted) => ExitCode::SUCCESS,
        Ok(Done::ListQueue) => mailq(&Ask { state: None, json: false }),
        Ok(Done::NewAliases) => new_aliases(),
        Err(sendmail::Failure(status, why)) => {
            eprintln!("sendmail: {why}");
            status.into()
        }
    }
}

/// newaliases(1): there is nothing to make anew, and installers that call it are not to fail.
fn new_aliases() -> ExitCode {
    eprintln!("newaliases: aliases are part of the site: `postern build SITE --out DIR`, then `posternd reload`");
    ExitCode::SUCCESS
}

/// Where the state is when nobody says: where systemd puts it, where `postern up` does, where a package would.
fn default_state(given: Option<PathBuf>) -> PathBuf {
    given.or_else(|| std::env::var_os("STATE_DIRECTORY").map(PathBuf::from)).unwrap_or_else(|| {
        let here = PathBuf::from(".postern");
        if here.is_dir() { here } else { PathBuf::from("/var/lib/postern") }
    })
}

fn mailq(ask: &Ask) -> ExitCode {
    inquire(ask, &Request::QueueList { select: Selection::default() }, show::mailq)
}

/// Reads what was kept: for this, no daemon has to run.
fn trace(id: &str, dns: bool, ask: &Ask) -> ExitCode {
    match history::trace(&state::history_folder(&default_state(ask.state.clone())), id) {
        Err(error) => fail(NO_INPUT, &format!("the history of messages cannot be read: {error}")),
        Ok(events) if events.is_empty() => {
            fail(REFUSED, &format!("nothing is known of a message {id}; old history is removed in time"))
        }
        Ok(events) if dns => {
            let recordings: Vec<&str> = events.iter().filter_map(|event| event["recording"].as_str()).collect();
            if recordings.is_empty() {
                return fail(REFUSED, &format!("DNS was not asked about message {id}"));
            }
            // How it came in, and then how it went on; of a fact or an answer that is there twice, the first counts.
            print!("{}", recordings.join(""));
            ExitCode::SUCCESS
        }
        Ok(events) => {
            if ask.json {
                println!("{:#}", Value::from(events));
            } else {
                show::trace(&events);
            }
            ExitCode::SUCCESS
        }
    }
}

fn queue(command: Queue) -> ExitCode {
    let (action, change) = match command {
        Queue::List { select, ask } => return inquire(&ask, &Request::QueueList { select: select.into() }, show::queue),
        Queue::Show { id, body, ask } => return inquire(&ask, &Request::QueueShow { id, body }, show::message),
        // Routes are asked for anew at every attempt: a message that is tried now is requeued.
        Queue::Flush(change) | Queue::Requeue(change) => (QueueAction::Flush, change),
        Queue::Hold(change) => (QueueAction::Hold, change),
        Queue::Release(change) => (QueueAction::Release, change),
        Queue::Delete { change, yes } => {
            if !change.dry_run
                && let Err(status) = confirm(&change, yes)
            {
                return status;
            }
            (QueueAction::Delete, change)
        }
    };
    let Change { select, dry_run, ask } = change;
    inquire(&ask, &Request::QueueChange { action, select: select.into(), dry_run }, show::fields)
}

/// Says how many messages are about to be deleted, and on a terminal waits for a yes.
fn confirm(change: &Change, yes: bool) -> Result<(), ExitCode> {
    let request = Request::QueueChange { action: QueueAction::Delete, select: change.select.clone().into(), dry_run: true };
    let messages = match control::ask(&default_state(change.ask.state.clone()), &request) {
        Err(error) => return Err(fail(UNAVAILABLE, &error.to_string())),
        Ok(Answer::Refused(why)) => return Err(fail(REFUSED, &why)),
        Ok(Answer::Ok(value)) => value["messages"].as_u64().unwrap_or_default(),
    };
    let what = if messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") };
    if messages == 0 || yes || !std::io::stdin().is_terminal() {
        eprintln!("deleting {what}; their senders are not told");
        return Ok(());
    }
    eprint!("delete {what}, without telling their senders? [y/N] ");
    let mut answer = String::new();
    // Whoever cannot answer has not said yes.
    let _ = std::io::stdin().read_line(&mut answer);
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(fail(REFUSED, "nothing was deleted")),
    }
}

fn serve(run: Run) -> ExitCode {
    if run.stop_with_parent {
        // Where the kernel does not know how, the parent's own signal has to do.
        let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    }
    let options = Options {
        snapshot: run.snapshot,
        state: default_state(run.state),
        credentials: run.credentials,
        dns: run.dns,
        trust_anchor: run.trust_anchor,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(INTERNAL, &format!("threads cannot be started: {error}")),
    };
    let result = runtime.block_on(daemon::run(&options));
    // A delivery that hangs in a system call must not keep us: its message is in the queue.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(status_of(&error), &error.to_string()),
    }
}

fn status_of(error: &StartError) -> u8 {
    match error {
        StartError::Load(LoadError::Snapshot(SnapshotError::Missing { .. } | SnapshotError::Io { .. })) => NO_INPUT,
        StartError::Load(_) => CONFIG,
        StartError::State(_) | StartError::Spool(_) | StartError::Listen(_) | StartError::Metrics(_) => REFUSED,
        StartError::System(..) => INTERNAL,
    }
}

fn fail(status: u8, message: &str) -> ExitCode {
    eprintln!("posternd: {message}");
    status.into()
}

fn inquire(ask: &Ask, request: &Request, print: fn(&Value)) -> ExitCode {
    match ask_or_look(&default_state(ask.state.clone()), request) {
        Err(why) => fail(UNAVAILABLE, &why),
        Ok(Answer::Refused(why)) => fail(REFUSED, &why),
        Ok(Answer::Ok(value)) => {
            if ask.json {
                println!("{value:#}")
            } else {
                print(&value)
            }
            ExitCode::SUCCESS
        }
    }
}

/// Asks the daemon; where none runs, the queue is looked at where it lies.
fn ask_or_look(state: &Path, request: &Request) -> Result<Answer, String> {
    let error = match control::ask(state, request) {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let spool = state::spool_folder(state);
    let can_look = matches!(request, Request::QueueList { .. } | Request::QueueShow { .. });
    if !can_look || !error.is_absence() || !spool.is_dir() {
        return Err(error.to_string());
    }
    let answer = control::look(&spool, request).map_err(|why| format!("{error}; nor can its queue be looked at: {why}"))?;
    eprintln!("posternd: no daemon runs in {}; this is its queue as it lies there", state.display());
    match sendmail::slip::count(state) {
        0 => {}
        1 => eprintln!("posternd: 1 more message waits to be taken in: sendmail has put it into drop/"),
        more => eprintln!("posternd: {more} more messages wait to be taken in: sendmail has put them into drop/"),
    }
    Ok(answer)
}
