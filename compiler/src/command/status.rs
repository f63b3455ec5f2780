//! Exit statuses, and the failures that end a command. The numbers are those of sysexits(3) where it has one.

use crate::emit::publish::PublishError;
use crate::syntax::LoadError;
use postern_schema::snapshot::SnapshotError;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// All is well.
    Fine,
    /// Warnings that are denied, failed tests of the site, or a request that was refused.
    Refused,
    /// There are differences.
    Different,
    /// Wrong arguments.
    Usage,
    /// A named input is not there or cannot be read.
    Missing,
    /// The daemon cannot be started or does not answer.
    Unavailable,
    /// A mistake of ours.
    Internal,
    /// The site does not compile.
    Invalid,
    /// The status of another program, passed on.
    Of(u8),
}

impl Status {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Status::Fine => 0,
            Status::Refused => 1,
            Status::Different => 2,
            Status::Usage => 64,
            Status::Missing => 66,
            Status::Unavailable => 69,
            Status::Internal => 70,
            Status::Invalid => 78,
            Status::Of(code) => code,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status.code())
    }
}

/// Why a command could not do its work: one sentence for the person, and a status for the script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The exit status.
    pub status: Status,
    /// What, where, and what next.
    pub message: String,
}

impl Failure {
    /// Wrong arguments that clap cannot see.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { status: Status::Usage, message: message.into() }
    }

    /// The system or the state of things does not allow it.
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure { status: Status::Refused, message: message.into() }
    }

    /// An input that cannot be read.
    pub fn missing(message: impl Into<String>) -> Failure {
        Failure { status: Status::Missing, message: message.into() }
    }

    /// The daemon.
    pub fn unavailable(message: impl Into<String>) -> Failure {
        Failure { status: Status::Unavailable, message: message.into() }
    }

    /// A site that does not compile, whose findings were shown.
    pub fn invalid(message: impl Into<String>) -> Failure {
        Failure { status: Status::Invalid, message: message.into() }
    }

    /// A mistake of ours.
    pub fn internal(message: impl Into<String>) -> Failure {
        Failure { status: Status::Internal, message: message.into() }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure::missing(error.to_string())
    }
}

impl From<SnapshotError> for Failure {
    /// Whatever is wrong with a snapshot, it is an input that cannot be used.
    fn from(error: SnapshotError) -> Failure {
        Failure::missing(error.to_string())
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Failure {
        let message = error.to_string();
        if error.is_internal() { Failure::internal(message) } else { Failure::refused(message) }
    }
}
