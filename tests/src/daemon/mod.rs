//! The programs under test as an operator runs them: `postern build` makes a snapshot of a [`Site`], and [`Daemon`] is a
//! `posternd` that serves it, started, asked, stopped and killed from outside. Nothing in here links against their code.

pub mod binaries;
pub mod maildir;
mod process;
mod site;

pub use maildir::Maildir;
pub use process::{Daemon, Failure, Options};
pub use site::{Site, passwd_line};

use std::fmt;
use std::process::Command;

/// What a program said and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status; -1 for a program that a signal ended.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Runs a program to its end.
    pub fn of(command: &mut Command) -> Outcome {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Outcome {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output of a program that must have succeeded.
    ///
    /// # Panics
    /// If it did not.
    pub fn success(self) -> String {
        assert_eq!(self.status, 0, "{self}");
        self.stdout
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit status {}\n--- stdout\n{}\n--- stderr\n{}", self.status, self.stdout, self.stderr)
    }
}
