//! The operator's socket: a Unix socket in the state folder, over which `posternd status` and its siblings talk to the daemon.
//!
//! One question a connection: a line of JSON each way. Whoever may open the socket may ask anything, so it is made with
//! mode 0600 and lies in a folder of the daemon's own.

mod client;
mod message;
mod queue;
mod report;
mod server;
mod shape;

pub use client::{AskError, ask};
pub use message::{Answer, QueueAction, Request, Selection};
pub use queue::look;
pub use server::{listener, serve};

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The socket's name in the state folder.
const SOCKET: &str = "control.sock";

/// The socket by a short name: an address of a Unix socket has room for 107 octets, and a path may be longer. Valid as long
/// as the folder is held open.
fn socket_path(state: &Path) -> io::Result<(OwnedFd, PathBuf)> {
    let folder = OwnedFd::from(std::fs::File::open(state)?);
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
    Ok((folder, path))
}
