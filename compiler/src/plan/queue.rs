//! What becomes of the messages in the queue. The compiler reads no spool: the daemon says what it holds (`posternd queue list
//! --json`), and here each recipient is routed by both sites.

use super::mail::way;
use crate::model::Model;
use postern_schema::decide::{RouteFacts, SentAs, route};
use postern_schema::name::{Mailbox, ReversePath};
use serde::{Deserialize, Serialize};

/// A message, as far as `posternd queue list --json` says what matters here.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct QueuedMessage {
    /// Its queue id.
    pub id: String,
    /// Its sender; empty for the null path.
    pub from: String,
    /// Whom it still has to reach.
    pub to: Vec<QueuedRecipient>,
}

/// Somebody whom a message still has to reach.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct QueuedRecipient {
    /// The address.
    pub address: String,
}

/// What becomes of the queue.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct QueueEffect {
    /// How many messages were looked at.
    pub messages: usize,
    /// Recipients whose mail takes another way.
    pub moved: Vec<RecipientEffect>,
    /// Recipients whose mail has no way any more: it waits, and bounces when its time is over.
    pub lost: Vec<RecipientEffect>,
}

/// What changes for one recipient of one message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RecipientEffect {
    /// The queue id.
    pub id: String,
    /// The recipient.
    pub recipient: String,
    /// Its way before.
    pub old: String,
    /// Its way from now on; the reason where there is none.
    pub new: String,
}

/// Routes every recipient by both sites. What is no address is left out: the daemon accepted it, so it is one.
pub(super) fn effect(old: &Model, new: &Model, queue: &[QueuedMessage]) -> QueueEffect {
    let mut effect = QueueEffect { messages: queue.len(), ..QueueEffect::default() };
    for message in queue {
        let Ok(sender) = ReversePath::parse(&message.from) else { continue };
        for recipient in message.to.iter().filter_map(|recipient| Mailbox::parse(&recipient.address).ok()) {
            let (before, after) = (way(old, &sender, &recipient), way(new, &sender, &recipient));
            if before == after {
                continue;
            }
            let found = RecipientEffect { id: message.id.clone(), recipient: recipient.to_string(), old: before, new: after };
            let has_way = is_routed(new, &sender, &recipient);
            (if has_way { &mut effect.moved } else { &mut effect.lost }).push(found);
        }
    }
    effect
}

fn is_routed(model: &Model, sender: &ReversePath, recipient: &Mailbox) -> bool {
    let answer = route(&RouteFacts { reverse_path: sender, recipient, sent_as: &SentAs::Sender }, model);
    answer.verdict().is_some_and(|verdict| verdict.disposition.accepted().is_some())
}
