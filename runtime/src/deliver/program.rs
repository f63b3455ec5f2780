//! Workers for programs that read a message on standard input, and for transports that do nothing but answer.
//!
//! No shell is involved. A program runs as the user that the site names, in `/`, in a process group of its own, with an
//! environment that holds nothing of ours:
//!
//! | variable | what it says |
//! |---|---|
//! | `SENDER` | the reverse-path, empty for a bounce |
//! | `RECIPIENT` | whom the message is for at this site |
//! | `ORIGINAL_RECIPIENT` | what the client named |
//! | `LOCAL`, `DOMAIN` | the halves of `RECIPIENT` |
//! | `QUEUE_ID` | the message |
//! | `PATH`, `HOME`, `LOGNAME` | the usual |
//!
//! It reads the message with LF line ends, below `Return-Path` and `Delivered-To`. What its exit status means is in
//! [`Reply::of_exit_status`]; what it wrote stands in the reply. A program that is killed or does not end in time has not
//! delivered: the message is tried again.

use super::lane::{Job, Place};
use super::maildir::{copy_with_lf, delivery_fields};
use super::settle::{Settled, settle};
use crate::daemon::Daemon;
use postern_schema::name::Mailbox;
use postern_schema::reply::Reply;
use postern_schema::site::TransportKind;
use rustix::process::{Pid, Signal, kill_process_group};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// How long a program may take (`command_time_limit`).
const TIME_LIMIT: Duration = Duration::from_secs(1000);
/// How much of what a program writes is kept, in octets.
const OUTPUT_MAX_OCTETS: u64 = 400;
/// How long a worker waits for the next message.
const PATIENCE: Duration = Duration::from_secs(1);

/// Delivers what its lane holds until nothing comes any more.
pub async fn work(daemon: Arc<Daemon>, mut place: Place) {
    while let Some(job) = place.next(&daemon, 1, PATIENCE).await.pop() {
        let destination = place.destination().to_string();
        let kind = transport_of(&place, &job);
        let mut results = Vec::with_capacity(job.recipients.len());
        for (at, mailbox) in &job.recipients {
            let reply = match &kind {
                Some(TransportKind::Discard { reason }) => Reply::delivered(format!("discarded: {reason}")),
                Some(TransportKind::Fail { reason }) => Reply::site_refuses(reason.to_string()),
                Some(TransportKind::Pipe { program, user }) => run(&daemon, &job, *at, mailbox, program, user, TIME_LIMIT).await,
                _ => Reply::local_trouble(format!("{destination} is not in the site")),
            };
            results.push((*at, reply));
        }
        let via: Arc<str> = destination.into();
        settle(daemon.clone(), vec![Settled::new(job.envelope, job.generation, results, Some(via))]).await;
    }
}

fn transport_of(place: &Place, job: &Job) -> Option<TransportKind> {
    let postern_schema::site::Destination::Transport { name, .. } = place.destination() else { return None };
    job.generation.site().transport(name).map(|transport| transport.kind.clone())
}

/// Runs the program for one recipient.
async fn run(daemon: &Daemon, job: &Job, at: u32, mailbox: &Mailbox, program: &str, user: &str, time_limit: Duration) -> Reply {
    let input = match message(daemon, job, at, mailbox) {
        Ok(input) => input,
        Err(error) => return Reply::local_trouble(error.to_string()),
    };
    let envelope = &job.envelope;
    let original = envelope.recipients.get(at as usize).map_or(mailbox, |recipient| recipient.original());
    let mut command = Command::new(program);
    command.env_clear().current_dir("/").process_group(0).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
        .env("SENDER", job.reverse_path.to_string())
        .env("RECIPIENT", mailbox.to_string())
        .env("ORIGINAL_RECIPIENT", original.to_string())
        .env("LOCAL", mailbox.local.as_str())
        .env("DOMAIN", mailbox.domain().map_or("", |domain| domain.as_str()))
        .env("QUEUE_ID", envelope.id.to_string())
        .env("PATH", "/usr/local/bin:/usr/bin:/bin");
    if let Err(why) = become_user(&mut command, user) {
        return Reply::local_trouble(why);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        // The site's mistake and not the sender's: the mail waits until it is mended.
        Err(error) => return Reply::local_trouble(format!("{program} cannot be run as {user}: {error}")),
    };
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let ended = tokio::time::timeout(time_limit, feed(&mut child, &input)).await;
    // Whatever the program has left behind goes with it.
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    match ended {
        Ok(Ok((status, output))) => verdict(program, status, &output),
        Ok(Err(error)) => Reply::local_trouble(format!("{program}: {error}")),
        Err(_) => Reply::lost(format!("{program} did not end within {} s", time_limit.as_secs())),
    }
}

/// The whole text that the program reads.
fn message(daemon: &Daemon, job: &Job, at: u32, mailbox: &Mailbox) -> std::io::Result<Vec<u8>> {
    tokio::task::block_in_place(|| {
        let mut body = daemon.spool.read_body(job.envelope.id).map_err(std::io::Error::other)?;
        let mut text = Vec::new();
        copy_with_lf(&mut delivery_fields(job, at, mailbox).as_slice(), &mut text)?;
        copy_with_lf(&mut body, &mut text)?;
        Ok(text)
    })
}

/// Writes the message and reads what the program says, both at once, and waits for its end.
async fn feed(child: &mut Child, input: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A program need not read what it does not need; its exit status says what became of the message.
            let _ = stdin.write_all(input).await;
        }
    };
    let mut output = Vec::new();
    let read = async {
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        tokio::join!(drain(stdout, &mut said), drain(stderr, &mut complained));
        output.append(&mut complained);
        output.append(&mut said);
    };
    let ((), (), status) = tokio::join!(write, read, child.wait());
    Ok((status?, output))
}

/// Keeps the beginning of what is written, and reads the rest, so that nobody waits for a full pipe.
async fn drain(from: Option<impl tokio::io::AsyncRead + Unpin>, into: &mut Vec<u8>) {
    if let Some(mut from) = from {
        let _ = (&mut from).take(OUTPUT_MAX_OCTETS).read_to_end(into).await;
        let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    }
}

fn verdict(program: &str, status: ExitStatus, output: &[u8]) -> Reply {
    let output = String::from_utf8_lossy(output);
    let output = output.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = if output.is_empty() { String::new() } else { format!(": {output}") };
    match (status.code(), status.signal()) {
        (Some(0), _) => Reply::delivered(format!("delivered to {program}{said}")),
        (Some(code), _) => Reply::of_exit_status(code, format!("{program} ended with status {code}{said}")),
        (None, signal) => Reply::lost(format!("{program} was killed by signal {}{said}", signal.unwrap_or_default())),
    }
}

/// Sets who the program runs as. Another user than our own takes root.
fn become_user(command: &mut Command, user: &str) -> Result<(), String> {
    let entry = std::fs::read_to_string("/etc/passwd")
        .map_err(|error| format!("/etc/passwd cannot be read: {error}"))?
        .lines()
        .find_map(|line| Account::parse(line, user))
        .ok_or_else(|| format!("there is no user {user} on this system"))?;
    command.env("HOME", &entry.home).env("LOGNAME", user);
    if rustix::process::geteuid().as_raw() == entry.uid {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        return Err(format!("posternd does not run as root, so it cannot run a program as {user}"));
    }
    // The standard library drops supplementary groups together with root.
    command.uid(entry.uid).gid(entry.gid);
    Ok(())
}

/// What passwd(5) says of a user.
struct Account {
    uid: u32,
    gid: u32,
    home: String,
}

impl Account {
    fn parse(line: &str, user: &str) -> Option<Account> {
        let mut fields = line.split(':');
        let is_user = fields.next() == Some(user);
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        let home = fields.nth(1)?.to_owned();
        is_user.then_some(Account { uid, gid, home })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_of(wait_status: i32) -> String {
        verdict("/bin/x", ExitStatus::from_raw(wait_status), b"a\nb").to_string()
    }

    #[test]
    fn exit_statuses_are_sysexits() {
        assert_eq!(verdict_of(0), "250 2.0.0 delivered to /bin/x: a b");
        assert_eq!(verdict_of(67 << 8), "550 5.1.1 /bin/x ended with status 67: a b");
        assert_eq!(verdict_of(75 << 8), "450 4.3.0 /bin/x ended with status 75: a b");
        assert_eq!(verdict_of(1 << 8), "550 5.3.0 /bin/x ended with status 1: a b");
        assert_eq!(verdict_of(9), "450 4.4.2 /bin/x was killed by signal 9: a b");
    }

    #[test]
    fn accounts_are_read_by_name() {
        let line = "mail:x:8:12:mail:/var/mail:/usr/sbin/nologin";
        let account = Account::parse(line, "mail").unwrap();
        assert_eq!((account.uid, account.gid, account.home.as_str()), (8, 12, "/var/mail"));
        assert!(Account::parse(line, "mai").is_none());
        assert!(Account::parse("mail:x", "mail").is_none());
    }

    #[tokio::test]
    async fn a_program_that_reads_nothing_is_fed_all_the_same() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo said; echo complained >&2; exit 75"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (status, output) = feed(&mut command.spawn().unwrap(), &vec![b'x'; 1 << 20]).await.unwrap();
        assert_eq!((status.code(), output.as_slice()), (Some(75), &b"complained\nsaid\n"[..]));
    }
}
