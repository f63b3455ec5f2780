//! What is asked and answered over the control socket.

use serde::{Deserialize, Serialize};

/// A question to the daemon.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// What is in force, and how the queue is.
    Status,
    /// Put the snapshot in force that the source names now.
    Reload {
        /// The digest of the plan that was reviewed: this step and no other.
        #[serde(default)]
        plan: Option<String>,
    },
    /// The messages that are selected.
    QueueList {
        /// Which.
        select: Selection,
    },
    /// One message: envelope, recipients and header.
    QueueShow {
        /// Its queue id.
        id: String,
        /// With its text, and not with its header alone.
        #[serde(default)]
        body: bool,
    },
    /// What is collected for reports to others.
    ReportList {
        /// Only of this kind.
        kind: Option<String>,
    },
    /// A report as it would be sent now.
    ReportShow {
        /// Its kind.
        kind: String,
        /// Whom it is about.
        domain: String,
        /// The day, as in 2026-11-28; the newest of which something is known without it.
        day: Option<String>,
    },
    /// Do something to the messages that are selected.
    QueueChange {
        /// What.
        action: QueueAction,
        /// To which.
        select: Selection,
        /// Only count them.
        dry_run: bool,
    },
}

/// Conditions on a queued message; one that is not given is met. Compared without regard to case, but for the reason.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Selection {
    /// It has one of these ids.
    pub ids: Vec<String>,
    /// Its sender; `<>` or nothing for the null path.
    pub from: Option<String>,
    /// Somebody whom it still has to reach.
    pub to: Option<String>,
    /// The domain of somebody whom it still has to reach.
    pub domain: Option<String>,
    /// The relay or transport that somebody's way leads over today, whom it still has to reach.
    #[serde(default)]
    pub relay: Option<String>,
    /// A part of the last reply that it met with.
    pub reason: Option<String>,
    /// Its least age.
    pub older_than_seconds: Option<u64>,
    /// All messages, said in so many words.
    pub all: bool,
}

impl Selection {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Selection::default()
    }
}

/// What can be done to queued messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueAction {
    /// Try no more until they are released.
    Hold,
    /// Try again what was held.
    Release,
    /// Try now, by the routes of today.
    Flush,
    /// Forget, without telling the sender.
    Delete,
}

impl QueueAction {
    /// The word of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            QueueAction::Hold => "hold",
            QueueAction::Release => "release",
            QueueAction::Flush => "flush",
            QueueAction::Delete => "delete",
        }
    }
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
