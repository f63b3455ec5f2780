//! The command line of `postern`: one file per command, each thin. What a command finds out, other modules know; here stand
//! arguments, what goes to which stream, and the exit status.
//!
//! Standard output carries the result and nothing else. Scripts lean on [`Status`]; it never changes its meaning.

mod build;
mod check;
mod dns;
mod explain;
mod fmt;
mod init;
mod inspect;
mod key;
mod lsp;
mod manual;
mod plan;
mod progress;
mod replace;
mod rule;
mod schema;
mod show;
mod site;
mod spool;
mod status;
mod subject;
mod test;
mod up;

pub use status::{Failure, Status};

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

/// The arguments of `postern`.
#[derive(Parser, Debug)]
#[command(name = "postern", version, about = "Checks and compiles the site of a mail server", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Say everything that is wrong with a site
    Check(check::Arguments),
    /// Compile a site: print the digest of the snapshot that is now current in DIR
    Build(build::Arguments),
    /// Show every value in force, and the line or default that it comes from
    Show(show::Arguments),
    /// Say what becomes of one message, step by step
    Explain(explain::Arguments),
    /// Run the site's own tests
    Test(test::Arguments),
    /// Say what would change between two sites or snapshots
    Plan(plan::Arguments),
    /// Write the DNS records that the site needs
    Dns(dns::Arguments),
    /// Make and rotate DKIM keys
    Key(key::Arguments),
    /// Explain a rule, or list them all
    Rule(rule::Arguments),
    /// Put site files into their one layout
    Fmt(fmt::Arguments),
    /// Help an editor: the language server, on standard input and output
    Lsp(lsp::Arguments),
    /// Print the JSON Schema of a site in JSON
    Schema(schema::Arguments),
    /// Look into a snapshot
    Inspect(inspect::Arguments),
    /// Try a site out on this machine
    Up(up::Arguments),
    /// Write a first site, from flags or from answers
    Init(init::Arguments),
    /// Write shell completions and manual pages: for whoever packages this program
    #[command(hide = true)]
    Manual(manual::Arguments),
}

/// Runs `postern` with these arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Status {
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => dispatch(&arguments.command),
        Err(error) => usage(&error),
    };
    outcome.unwrap_or_else(|failure| {
        complain(&failure.message);
        failure.status
    })
}

fn dispatch(command: &Command) -> Result<Status, Failure> {
    match command {
        Command::Check(arguments) => check::run(arguments),
        Command::Build(arguments) => build::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Test(arguments) => test::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Dns(arguments) => dns::run(arguments),
        Command::Key(arguments) => key::run(arguments),
        Command::Rule(arguments) => rule::run(arguments),
        Command::Fmt(arguments) => fmt::run(arguments),
        Command::Lsp(arguments) => lsp::run(arguments),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Up(arguments) => up::run(arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Manual(arguments) => manual::run(arguments, <Arguments as clap::CommandFactory>::command()),
    }
}

/// Help and version are results; everything else that clap says is about wrong arguments.
fn usage(error: &clap::Error) -> Result<Status, Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => print(&error.render().to_string()).map(|()| Status::Fine),
        _ => {
            // Nobody is left to tell if standard error is gone.
            let _ = error.print();
            Ok(Status::Usage)
        }
    }
}

/// Writes a result to standard output. A reader that went away has had enough, and that is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::refused(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// The `posternd` beside this program; else the one in `PATH`.
fn daemon_program() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.canonicalize().ok()).map(|exe| exe.with_file_name("posternd"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| "posternd".into())
}

/// Says one line to the person, on standard error.
fn complain(message: &str) {
    // Nobody is left to tell if standard error is gone.
    let _ = writeln!(io::stderr(), "postern: {message}");
}

/// Writes prepared text, which ends its own lines, to standard error.
fn show_findings(text: &str) {
    // As above.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
