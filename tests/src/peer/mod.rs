//! A receiver of mail that follows a script: an SMTP or LMTP server that accepts, defers, refuses, hangs or goes away at any
//! stage, with or without TLS and AUTH, and records every transaction. It stands for relayhosts, MX hosts and delivery agents.
//!
//! ```no_run
//! use postern_tests::peer::{Act, Peer, Script, Stage};
//! let peer = Peer::start(Script::new("mx.example.org").on(Stage::Data, Act::Defer).on(Stage::rcpt("bob@example.org"), Act::Reject));
//! let taken = peer.wait_for(1);
//! assert_eq!(taken[0].recipients, ["alice@example.org"]);
//! ```

mod script;
mod session;

pub use script::{Act, Protocol, Script, Stage, TlsMode};

use crate::acceptor::Acceptor;
use crate::wait::PATIENCE;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// See the module. Dropping it closes every connection.
#[derive(Debug)]
pub struct Peer {
    // First, so that sessions end before what they write to.
    acceptor: Acceptor,
    shared: Arc<Shared>,
}

/// One message as a peer got it: what came between MAIL and the end of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The connection that it came by, from 1.
    pub connection: usize,
    /// The argument of EHLO, HELO or LHLO.
    pub helo: String,
    /// Whether the connection was encrypted.
    pub is_tls: bool,
    /// Who had logged in.
    pub user: Option<String>,
    /// What stood between the brackets of MAIL FROM.
    pub reverse_path: String,
    /// What stood after them.
    pub parameters: String,
    /// What stood between the brackets of each accepted RCPT TO.
    pub recipients: Vec<String>,
    /// The message, dot-stuffing taken off, every other octet as it came; empty if the script does not keep them.
    pub data: Vec<u8>,
    /// Whether the sender was told that the message is taken (over LMTP: for one recipient at least).
    pub accepted: bool,
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<Script>,
    record: Mutex<Record>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Record {
    transactions: Vec<Transaction>,
    messages: usize,
    commands: Vec<(usize, String)>,
    logins_refused: usize,
}

impl Peer {
    /// Listens on a port that the system chooses.
    pub fn start(script: Script) -> Peer {
        Peer::start_at(script, "127.0.0.1:0".parse().unwrap())
    }

    /// Listens at an address: for a peer that comes back where another was.
    pub fn start_at(script: Script, address: SocketAddr) -> Peer {
        let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("a peer at {address}: {error}"));
        let shared = Arc::new(Shared { script: Mutex::new(script), ..Shared::default() });
        let inner = shared.clone();
        let acceptor = Acceptor::serve(listener, move |number, stream| session::run(number, stream, &inner));
        Peer { acceptor: acceptor.unwrap(), shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.acceptor.address()
    }

    /// Follows another script from the next command on, in sessions that are open too.
    pub fn follow(&self, script: Script) {
        *self.shared.script.lock().unwrap() = script;
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.acceptor.accepted()
    }

    /// How many connections are open now.
    pub fn open_connections(&self) -> usize {
        self.acceptor.open()
    }

    /// How many messages were taken, kept or not.
    pub fn messages(&self) -> usize {
        self.shared.record.lock().unwrap().messages
    }

    /// How many times AUTH failed.
    pub fn logins_refused(&self) -> usize {
        self.shared.record.lock().unwrap().logins_refused
    }

    /// Every message whose data ended, whether it was taken or not, in that order.
    pub fn transactions(&self) -> Vec<Transaction> {
        self.shared.record.lock().unwrap().transactions.clone()
    }

    /// Every command line, with the number of its connection. Logins are in it, so a test can look for what should not be said.
    pub fn commands(&self) -> Vec<(usize, String)> {
        self.shared.record.lock().unwrap().commands.clone()
    }

    /// Waits until so many messages were taken, and gives every transaction.
    ///
    /// # Panics
    /// After [`PATIENCE`].
    pub fn wait_for(&self, messages: usize) -> Vec<Transaction> {
        let taken = self.wait_within(messages, PATIENCE);
        assert!(taken >= messages, "waited {PATIENCE:?} for {messages} messages; {taken} came; said: {:#?}", self.commands());
        self.transactions()
    }

    /// Waits until so many messages were taken or the time is over, and says how many there are.
    pub fn wait_within(&self, messages: usize, limit: Duration) -> usize {
        let end = Instant::now() + limit;
        let mut record = self.shared.record.lock().unwrap();
        while record.messages < messages {
            let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { break };
            record = self.shared.changed.wait_timeout(record, left).unwrap().0;
        }
        record.messages
    }
}

#[cfg(test)]
mod tests;
