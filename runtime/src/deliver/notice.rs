//! A notice to a sender, whole and signed, as the queue takes it: about recipients that are over or late, and about those of a
//! local message that were refused.

use crate::authentication::generated;
use crate::queue::{Action, Change, FreshId, Generated, QueueEntry, Unreturned, dsn};
use crate::site::Generation;
use postern_schema::decide::TlsWish;

/// Writes the notice about some recipients of a message, of which `original` is the beginning, and what becomes true together with
/// it. `None` where there is nobody to tell.
///
/// # Errors
/// What keeps it from being signed, for the log: it must not leave so.
pub fn write(
    generation: &Generation, (id, now_ms): (FreshId, u64), entry: &QueueEntry, about: &[Unreturned<'_>], original: &[u8],
    changes: Vec<Change>,
) -> Result<Option<Generated>, String> {
    let site = generation.site();
    let now_seconds = now_ms / 1000;
    let author = dsn::Author { hostname: &site.hostname, language: site.queue.language, id: id.id(), now_seconds };
    let Some(notice) = dsn::notice(entry, about, original, &author) else { return Ok(None) };
    let is_over = |action| matches!(action, Action::Failed | Action::Expired);
    let what = match about {
        _ if about.iter().any(|one| is_over(one.action)) => "failed",
        _ if about.iter().any(|one| one.action == Action::Delayed) => "delayed",
        _ => "delivered",
    };
    let (to, octets) = (notice.recipient.to_string(), notice.octets.len());
    let written = generated::message(generation, (id, now_ms), notice.recipient, notice.octets)?;
    tracing::info!(id = %entry.id(), notice = %written.id.id(), to, octets, about = what, "sender notified");
    Ok(Some(Generated {
        smtp_utf8: notice.smtp_utf8,
        tls_wish: match entry.envelope.tls_wish {
            TlsWish::Required => TlsWish::Required,
            TlsWish::Default | TlsWish::Optional => TlsWish::Default,
        },
        changes,
        ..written
    }))
}
