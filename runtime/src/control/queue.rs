//! What an operator may see of the queue and do to it.

use super::{Answer, QueueAction, Request, Selection};
use crate::daemon::{Daemon, now_ms};
use crate::deliver::{Dispatcher, next_hop};
use crate::queue::{Attempt, Change, QueueEntry, QueueId, Recipient, RecipientState, Spool, SpoolError};
use postern_schema::decide::{SentAs, TlsWish};
use postern_schema::name::Mailbox;
use postern_schema::site::Destination;
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The most messages that one list shows.
const LIST_LIMIT: usize = 100_000;
/// How much of a message's text is shown.
const TEXT_MAX_OCTETS: u64 = 1 << 20;
/// How many messages are looked at, and changed, at once.
const PAGE: usize = 1000;
/// How much later than the page before it each page of a flush is tried: a large queue is not let loose at once.
const RAMP_MS: u64 = 2000;

/// The messages that are selected, oldest first.
pub fn list(daemon: &Daemon, selection: &Selection) -> Answer {
    list_selected(&daemon.spool, &|entry| selects(daemon, selection, entry))
}

fn list_selected(spool: &Spool, selects: &dyn Fn(&QueueEntry) -> bool) -> Answer {
    let mut shown = Vec::new();
    for_each_page(spool, |page| {
        let wanted = page.iter().filter(|entry| selects(entry)).map(summary);
        shown.extend(wanted.take(LIST_LIMIT - shown.len()));
        shown.len() < LIST_LIMIT
    });
    Answer::Ok(shown.into())
}

/// Answers from a queue that no daemon has, as far as that is possible. Reads from disk: blocks.
///
/// # Errors
/// The queue cannot be read.
pub fn look(spool_folder: &Path, request: &Request) -> Result<Answer, SpoolError> {
    let (spool, _) = Spool::look(spool_folder)?;
    Ok(match request {
        Request::QueueList { select } if select.relay.is_some() => {
            Answer::Refused("which relay mail goes over is known to a running daemon alone".to_owned())
        }
        Request::QueueList { select } => list_selected(&spool, &|entry| selects_stored(select, entry)),
        Request::QueueShow { id, body } => show(&spool, id, *body),
        _ => Answer::Refused("only a running daemon can do that".to_owned()),
    })
}

/// One message in full; of its text, the header, and the rest where that is asked for. Reads from disk: blocks.
pub fn show(spool: &Spool, id: &str, with_body: bool) -> Answer {
    let Some(entry) = QueueId::parse(id).and_then(|id| spool.find(id)) else {
        return Answer::Refused(format!("no message {id} is in the queue"));
    };
    let mut shown = detail(&entry);
    let mut text = Vec::new();
    let read = spool.read_body(entry.id()).map_err(|error| error.to_string());
    let read = read.and_then(|body| body.take(TEXT_MAX_OCTETS).read_to_end(&mut text).map_err(|error| error.to_string()));
    let end = text.windows(4).position(|end| end == b"\r\n\r\n").map_or(text.len(), |at| at + 2);
    let (header, body) = text.split_at(end);
    shown["header"] = String::from_utf8_lossy(header).into();
    shown["body"] = with_body.then(|| String::from_utf8_lossy(body.get(2..).unwrap_or_default()).into_owned()).into();
    shown["body-octets"] = entry.envelope.body_octets.saturating_sub(end as u64 + 2).into();
    shown["damage"] = read.err().into();
    Answer::Ok(shown)
}

/// Does something to every message that is selected, or only counts them.
pub async fn change(daemon: &Arc<Daemon>, action: QueueAction, selection: &Selection, dry_run: bool) -> Answer {
    // Only to try everything now does no harm that cannot be undone.
    if selection.is_empty() && action != QueueAction::Flush {
        return Answer::Refused("say which messages: name ids, a filter, or --all".to_owned());
    }
    let mut selected = Vec::new();
    for_each_page(&daemon.spool, |page| {
        selected.extend(
            page.iter().filter(|entry| selects(daemon, selection, entry) && applies(action, entry)).map(|entry| entry.id()),
        );
        true
    });
    if !dry_run {
        if action == QueueAction::Flush {
            daemon.peers.revive();
        }
        for (page, ids) in selected.chunks(PAGE).enumerate() {
            let at_ms = if page == 0 { 0 } else { now_ms() + page as u64 * RAMP_MS };
            if let Err(error) = apply(daemon, action, ids, at_ms).await {
                return Answer::Refused(format!("the queue could not note it: {error}"));
            }
        }
    }
    Answer::Ok(json!({ "messages": selected.len(), "action": action.as_str(), "dry-run": dry_run }))
}

async fn apply(daemon: &Arc<Daemon>, action: QueueAction, ids: &[QueueId], at_ms: u64) -> Result<(), SpoolError> {
    let change = |id: &QueueId| match action {
        QueueAction::Hold => Change::Hold(*id),
        QueueAction::Release => Change::Release(*id),
        QueueAction::Flush => Change::Retry { id: *id, at_ms },
        QueueAction::Delete => Change::Remove(*id),
    };
    daemon.spool.record(ids.iter().map(change).collect()).await?;
    ids.iter().for_each(|id| Dispatcher::consider_id(daemon, *id));
    tracing::info!(messages = ids.len(), action = action.as_str(), "queue changed by the operator");
    Ok(())
}

fn applies(action: QueueAction, entry: &QueueEntry) -> bool {
    match action {
        QueueAction::Hold => !entry.progress.held,
        QueueAction::Release => entry.progress.held,
        QueueAction::Flush => !entry.progress.held && entry.progress.next_attempt_ms().is_some_and(|at| at > 0),
        QueueAction::Delete => true,
    }
}

/// Goes through the queue in pages until the visitor has enough.
pub(super) fn for_each_page(spool: &Spool, mut visit: impl FnMut(&[QueueEntry]) -> bool) {
    let mut after = None;
    loop {
        let page = spool.page(after, PAGE);
        match page.last() {
            Some(last) if visit(&page) => after = Some(last.id()),
            _ => return,
        }
    }
}

/// Whether every condition that is given holds; of several ids, one has to be the message's.
fn selects(daemon: &Daemon, selection: &Selection, entry: &QueueEntry) -> bool {
    let goes_over = |wanted: &str| {
        let generation = daemon.current.generation();
        let way = |recipient| next_hop(entry, recipient, &generation, now_ms());
        pending(entry).any(|(recipient, _)| way(recipient).is_ok_and(|(way, _)| is_over(&way.destination, wanted)))
    };
    selects_stored(selection, entry) && selection.relay.as_deref().is_none_or(goes_over)
}

/// The recipients that are still to get it.
fn pending(entry: &QueueEntry) -> impl Iterator<Item = (&Recipient, &RecipientState)> {
    let states = entry.envelope.recipients.iter().zip(&entry.progress.states);
    states.filter(|(_, state)| matches!(state, RecipientState::Pending { .. }))
}

/// The same without what the site in force says: of the relay, nothing is asked.
fn selects_stored(selection: &Selection, entry: &QueueEntry) -> bool {
    let envelope = &entry.envelope;
    let contains = |wanted: &Option<String>, found: &mut dyn FnMut(&str) -> bool| wanted.as_deref().is_none_or(found);
    let pending = || pending(entry);
    let in_domain = |mailbox: &Mailbox, wanted: &str| mailbox.host.to_string().eq_ignore_ascii_case(wanted);
    let age_seconds = now_ms().saturating_sub(envelope.arrival_ms) / 1000;
    (selection.ids.is_empty() || selection.ids.iter().any(|id| id.eq_ignore_ascii_case(&envelope.id.to_string())))
        && contains(&selection.from, &mut |wanted| {
            envelope.reverse_path.to_string().eq_ignore_ascii_case(wanted.trim_matches(['<', '>']))
        })
        && contains(&selection.to, &mut |wanted| {
            pending().any(|(recipient, _)| recipient.address.to_string().eq_ignore_ascii_case(wanted))
        })
        && contains(&selection.domain, &mut |wanted| pending().any(|(recipient, _)| in_domain(&recipient.address, wanted)))
        && contains(&selection.reason, &mut |wanted| {
            pending().any(|(_, state)| last_reply(state).is_some_and(|reply| reply.contains(wanted)))
        })
        && selection.older_than_seconds.is_none_or(|wanted| age_seconds >= wanted)
}

/// Whether a way leads over the relay or transport of that name; mail that goes straight to its domain's hosts is `direct`.
fn is_over(destination: &Destination, wanted: &str) -> bool {
    match destination {
        Destination::Relay { name, .. } | Destination::Transport { name, .. } => name.eq_ignore_ascii_case(wanted),
        Destination::Mx { .. } | Destination::Literal { .. } => wanted == "direct",
    }
}

fn summary(entry: &QueueEntry) -> Value {
    let envelope = &entry.envelope;
    let open = envelope.recipients.iter().zip(&entry.progress.states).filter(|(_, state)| is_open(state));
    json!({
        "id": envelope.id.to_string(),
        "state": entry.progress.state().as_str(),
        "arrival-ms": envelope.arrival_ms,
        "octets": envelope.body_octets,
        "from": envelope.reverse_path.to_string(),
        "to": open.map(|(recipient, state)| json!({
            "address": recipient.address.to_string(),
            "reason": last_reply(state),
        })).collect::<Value>(),
        "next-attempt-ms": entry.progress.next_attempt_ms(),
    })
}

fn detail(entry: &QueueEntry) -> Value {
    let envelope = &entry.envelope;
    let mut shown = summary(entry);
    shown["requiretls"] = (envelope.tls_wish == TlsWish::Required).into();
    shown["tls-optional"] = (envelope.tls_wish == TlsWish::Optional).into();
    shown["generation"] = envelope.generation.to_string().into();
    shown["client"] = envelope.client.as_ref().map_or(Value::Null, |client| {
        let certificate: Vec<String> = client.certificate.iter().map(ToString::to_string).collect();
        json!({
            "address": client.address,
            "helo": client.helo,
            "listener": client.listener,
            "user": client.user,
            "certificate": certificate,
        })
    });
    let recipients = envelope.recipients.iter().zip(&entry.progress.states).map(|(recipient, state)| {
        json!({
            "address": recipient.address.to_string(),
            "original": recipient.original().to_string(),
            "owner": match &recipient.sent_as {
                SentAs::Owner(owner) => Some(owner.to_string()),
                SentAs::Sender | SentAs::Forwarder { .. } => None,
            },
            "forwarded-by": match &recipient.sent_as {
                SentAs::Forwarder { by, .. } => Some(by.to_string()),
                SentAs::Sender | SentAs::Owner(_) => None,
            },
            "srs": matches!(recipient.sent_as, SentAs::Forwarder { srs: true, .. }),
            "state": state_name(state),
            "reply": last_reply(state),
            "generation": last_attempt(state).map(|attempt| attempt.generation.to_string()),
        })
    });
    shown["recipients"] = recipients.collect();
    shown
}

fn is_open(state: &RecipientState) -> bool {
    !matches!(state, RecipientState::Delivered | RecipientState::Succeeded { .. } | RecipientState::Returned)
}

fn state_name(state: &RecipientState) -> &'static str {
    match state {
        RecipientState::Pending { .. } => "pending",
        RecipientState::Delivered | RecipientState::Succeeded { .. } => "delivered",
        RecipientState::Failed(_) => "failed",
        RecipientState::Expired(_) => "expired",
        RecipientState::Returned => "returned",
    }
}

pub(super) fn last_reply(state: &RecipientState) -> Option<String> {
    last_attempt(state).map(|attempt| attempt.reply.to_string())
}

fn last_attempt(state: &RecipientState) -> Option<&Attempt> {
    match state {
        RecipientState::Pending { last, .. } => last.as_deref(),
        RecipientState::Failed(attempt) | RecipientState::Expired(attempt) => Some(attempt),
        RecipientState::Delivered | RecipientState::Succeeded { .. } | RecipientState::Returned => None,
    }
}
