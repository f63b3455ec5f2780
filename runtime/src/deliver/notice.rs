//! A notice to a sender, whole and signed, as the queue takes it: about recipients that are over or late, and about those of a
//! local message that were refused.

use crate::authentication::generated;
use crate::queue::{Action, Body, Change, FreshId, Generated, QueueEntry, Unreturned, dsn};
use crate::site::Generation;
use postern_schema::decide::{TlsWish, expansion};

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
    let signatures = generated::sign(generation, &notice.octets, now_seconds)?;
    let is_over = |action| matches!(action, Action::Failed | Action::Expired);
    let what = match about {
        _ if about.iter().any(|one| is_over(one.action)) => "failed",
        _ if about.iter().any(|one| one.action == Action::Delayed) => "delayed",
        _ => "delivered",
    };
    tracing::info!(
        id = %entry.id(), notice = %id.id(), to = %notice.recipient, octets = notice.octets.len(), about = what, "sender notified"
    );
    Ok(Some(Generated {
        id,
        arrival_ms: now_ms,
        expansion: expansion(&notice.recipient, &*generation.snapshot),
        recipient: notice.recipient,
        smtp_utf8: notice.smtp_utf8,
        eight_bit: notice.eight_bit,
        tls_wish: match entry.envelope.tls_wish {
            TlsWish::Required => TlsWish::Required,
            TlsWish::Default | TlsWish::Optional => TlsWish::Default,
        },
        generation: generation.mark(),
        body: Body::Inline(vec![signatures.into(), notice.octets.into()]),
        changes,
    }))
}
