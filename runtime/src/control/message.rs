//! What is asked and answered over the control socket.

use serde::{Deserialize, Serialize};

/// A question to the daemon.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// What is in force, and how the queue is.
    Status,
    /// Put the snapshot in force that the source names now.
    Reload,
    /// Every message in the queue.
    QueueList,
    /// One message: envelope and recipients.
    QueueShow {
        /// Its queue id.
        id: String,
    },
    /// Try all that waits now.
    QueueFlush,
}

/// The daemon's answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// What was asked for.
    Ok(serde_json::Value),
    /// Why it was not done.
    Refused(String),
}
