//! The `posternd` command: arguments and exit statuses, nothing else.

use posternd::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
