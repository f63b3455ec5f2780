//! What `posternd` says of the messages in its queue. The compiler reads no spool: what stands there is known to the daemon's program
//! alone, and that is asked for it, whether a daemon runs or not.

use super::{Failure, Status, daemon_program};
use std::path::Path;
use std::process::{Command, Stdio};

/// What `posternd queue` says for programs. `state`: the state folder; without it, where `posternd` looks itself.
///
/// # Errors
/// What it complains of, with its exit status.
pub(super) fn ask(arguments: &[&str], state: Option<&Path>) -> Result<String, Failure> {
    let program = daemon_program();
    let mut command = Command::new(&program);
    command.arg("queue").args(arguments).arg("--json");
    if let Some(state) = state {
        command.arg("--state").arg(state);
    }
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| Failure::unavailable(format!("{} cannot be run: {error}", program.display())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = said.trim().trim_start_matches("posternd: ").to_owned();
    let status = output.status.code().and_then(|code| u8::try_from(code).ok()).map_or(Status::Unavailable, Status::Of);
    Err(Failure { status, message })
}
