//! Notices to the site's own postmaster about what [`crate::logging::postmaster`] has gathered: one message for each class, a quarter of
//! an hour after its first event and so at most four an hour. They come from nobody, so that nothing can come back.

use crate::authentication::generated;
use crate::daemon::{Daemon, now_ms};
use crate::logging::postmaster::Page;
use crate::queue::date;
use crate::rehearsal;
use crate::site::Generation;
use postern_schema::site::NoticeClass;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// How long events gather.
const GATHER: Duration = Duration::from_secs(15 * 60);
/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(60);

/// Sends what is due, for as long as the daemon runs.
pub async fn run(daemon: Arc<Daemon>) {
    let gather_ms = rehearsal::patience(GATHER).as_millis() as u64;
    loop {
        tokio::time::sleep(rehearsal::patience(LOOK)).await;
        for (class, page) in daemon.gathered.due(now_ms().saturating_sub(gather_ms)) {
            let generation = daemon.current.generation();
            if let Err(error) = send(&daemon, &generation, class, &page).await {
                // By the log alone: one that failed for want of room must not try for ever to say so.
                tracing::warn!(class = class.as_str(), events = page.count, error, "the postmaster cannot be told");
            }
        }
    }
}

async fn send(daemon: &Daemon, generation: &Generation, class: NoticeClass, page: &Page) -> Result<(), String> {
    let now = now_ms();
    let id = daemon.spool.fresh_id(now);
    let name = id.id().to_string();
    let text = message(generation, class, page, &name, now / 1000);
    let recipient = generation.site().postmaster.clone();
    daemon.gathered.is_ours(name.clone());
    let notice = generated::message(generation, (id, now), recipient, text.into_bytes())?;
    daemon.spool.append(notice).await.map_err(|error| error.to_string())?;
    tracing::info!(id = name, class = class.as_str(), events = page.count, "postmaster told");
    Ok(())
}

fn message(generation: &Generation, class: NoticeClass, page: &Page, id: &str, now_seconds: u64) -> String {
    let site = generation.site();
    let (hostname, postmaster) = (&site.hostname, &site.postmaster);
    let encoding = if page.lines.iter().all(|line| line.is_ascii()) { "7bit" } else { "8bit" };
    let what = match class {
        NoticeClass::Bounce => "Mail was returned to its senders",
        NoticeClass::DoubleBounce => "Notices could not be delivered, so nobody heard of the mail that they are about",
        NoticeClass::Delay => "Senders were told that their mail still waits",
        NoticeClass::Policy => "Clients or messages were refused by the rules of the site",
        NoticeClass::Protocol => "Clients or servers broke the protocol",
        NoticeClass::Resource => "Mail was put off for want of room, memory or descriptors",
        NoticeClass::Software => "There is damage, or a mistake of the program",
    };
    let mut text = format!(
        "From: Mail Delivery System <MAILER-DAEMON@{hostname}>\r\n\
         To: <{postmaster}>\r\n\
         Subject: {hostname}: {} of class {}\r\n\
         Date: {}\r\n\
         Message-ID: <{id}@{hostname}>\r\n\
         Auto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         {what}.\r\n\
         Since {}: {}.\r\n\r\n",
        events(page.count),
        class.as_str(),
        date::rfc5322(now_seconds),
        date::rfc5322(page.since_ms / 1000),
        events(page.count),
    );
    for line in &page.lines {
        // Writing to a string does not fail.
        let _ = write!(text, "{line}\r\n");
    }
    let more = page.count.saturating_sub(page.lines.len() as u64);
    if more > 0 {
        let _ = write!(text, "... and {more} more, which are in the log.\r\n");
    }
    let source = site.sources.describe(site.notices.origin);
    let _ =
        write!(text, "\r\nThe site asks for this by `notify` ({source}).\r\n`posternd trace ID` has the life of a message.\r\n");
    text
}

fn events(count: u64) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}
