//! The moments between the acceptance of a message and its removal at which the daemon may die, by name. Each says what its client was
//! told by then and how often the message arrives in the end: `tests/tests/faults.rs` kills the daemon at each of them and holds the
//! promise against what happens, and `docs/durability.md` shows them to people.
//!
//! A debug build ends itself with SIGKILL at the moment that `POSTERN_FAULT` names. A release build has nothing of it.

/// A moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// A large body is in a file of its own, which is not flushed.
    BodyFileWritten,
    /// That file is durable, and no record names it.
    BodyFileFlushed,
    /// The record of a message is about to be written, into a segment that is not made yet.
    SegmentNeeded,
    /// The new segment is durable with its name, and empty.
    SegmentBegun,
    /// The record of the message is written, and not flushed.
    RecordWritten,
    /// It is flushed, and nobody knows.
    RecordFlushed,
    /// The queue knows the message, and its client has no answer.
    RecordTrue,
    /// It waits for a worker.
    InLine,
    /// A worker has it.
    Taken,
    /// It is in `tmp` of the mailbox, not flushed.
    MailboxWritten,
    /// That file is flushed, and not moved to `new`.
    MailboxFlushed,
    /// It is in `new`, and the folder is not flushed.
    MailboxMoved,
    /// The mailbox is durable, and the queue does not know.
    MailboxDone,
    /// The next hop is connected, and has heard nothing of the message.
    PeerConnected,
    /// The next hop has said yes, and the queue does not know.
    PeerTook,
    /// The result is known, and not noted.
    ResultKnown,
    /// The note of the result is written, and not flushed.
    NoteWritten,
    /// It is flushed, and nobody knows.
    NoteFlushed,
    /// The queue knows the result.
    NoteTrue,
    /// The message has left the queue, and its body file is about to be removed.
    BodyFileLeft,
    /// A message was refused by its next hop, and the notice to its sender is not queued.
    NoticeDue,
    /// The notice is queued, and with it that its sender was told.
    NoticeQueued,
    /// A segment that nothing needs is removed, and the folder is not flushed.
    SegmentRemoved,
}

/// Whether the client had its 250 by then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// It had not: it sends the message again.
    No,
    /// It had, or it was on its way.
    Perhaps,
    /// It had.
    Yes,
}

/// What a test has to do for a moment to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// A message to a mailbox of ours.
    Mailbox,
    /// A message to a next hop that takes it.
    Relay,
    /// The same, too large for the log.
    LargeRelay,
    /// A message to a next hop that refuses it.
    Refused,
    /// A second start, after which the log of the first is not needed any more.
    SecondStart,
}

impl Point {
    /// All of them, in the order of a message's life.
    pub const ALL: [Point; 23] = [
        Point::BodyFileWritten,
        Point::BodyFileFlushed,
        Point::SegmentNeeded,
        Point::SegmentBegun,
        Point::RecordWritten,
        Point::RecordFlushed,
        Point::RecordTrue,
        Point::InLine,
        Point::Taken,
        Point::MailboxWritten,
        Point::MailboxFlushed,
        Point::MailboxMoved,
        Point::MailboxDone,
        Point::PeerConnected,
        Point::PeerTook,
        Point::ResultKnown,
        Point::NoteWritten,
        Point::NoteFlushed,
        Point::NoteTrue,
        Point::BodyFileLeft,
        Point::NoticeDue,
        Point::NoticeQueued,
        Point::SegmentRemoved,
    ];

    /// Its name, as `POSTERN_FAULT` and the table in the documentation have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Point::BodyFileWritten => "body-file-written",
            Point::BodyFileFlushed => "body-file-flushed",
            Point::SegmentNeeded => "segment-needed",
            Point::SegmentBegun => "segment-begun",
            Point::RecordWritten => "record-written",
            Point::RecordFlushed => "record-flushed",
            Point::RecordTrue => "record-true",
            Point::InLine => "in-line",
            Point::Taken => "taken",
            Point::MailboxWritten => "mailbox-written",
            Point::MailboxFlushed => "mailbox-flushed",
            Point::MailboxMoved => "mailbox-moved",
            Point::MailboxDone => "mailbox-done",
            Point::PeerConnected => "peer-connected",
            Point::PeerTook => "peer-took",
            Point::ResultKnown => "result-known",
            Point::NoteWritten => "note-written",
            Point::NoteFlushed => "note-flushed",
            Point::NoteTrue => "note-true",
            Point::BodyFileLeft => "body-file-left",
            Point::NoticeDue => "notice-due",
            Point::NoticeQueued => "notice-queued",
            Point::SegmentRemoved => "segment-removed",
        }
    }

    /// Whether the client had its answer.
    pub fn told(self) -> Told {
        match self {
            Point::BodyFileWritten
            | Point::BodyFileFlushed
            | Point::SegmentNeeded
            | Point::SegmentBegun
            | Point::RecordWritten
            | Point::RecordFlushed
            | Point::RecordTrue => Told::No,
            // The answer and the first attempt are on their way at the same time.
            Point::InLine | Point::Taken | Point::MailboxWritten | Point::PeerConnected => Told::Perhaps,
            Point::MailboxFlushed | Point::MailboxMoved | Point::MailboxDone | Point::PeerTook | Point::ResultKnown => {
                Told::Perhaps
            }
            Point::NoteWritten | Point::NoteFlushed | Point::NoteTrue | Point::BodyFileLeft => Told::Perhaps,
            Point::NoticeDue | Point::NoticeQueued => Told::Perhaps,
            Point::SegmentRemoved => Told::Yes,
        }
    }

    /// How often a message arrives that was sent once: at least and at most. Of one that its client was not told of, there may be none;
    /// of one that a next hop took before the queue knew, there may be two (RFC 5321 4.5.4.1 has no way around it).
    pub fn arrivals(self) -> (usize, usize) {
        match self {
            Point::BodyFileWritten | Point::BodyFileFlushed | Point::SegmentNeeded | Point::SegmentBegun => (0, 0),
            // The process died, the system did not: what was written is there. After a loss of power it may be or not.
            Point::RecordWritten | Point::RecordFlushed | Point::RecordTrue => (1, 1),
            Point::PeerTook | Point::ResultKnown => (2, 2),
            _ => (1, 1),
        }
    }

    /// What it takes to come by.
    pub fn case(self) -> Case {
        match self {
            Point::BodyFileWritten | Point::BodyFileFlushed | Point::BodyFileLeft => Case::LargeRelay,
            Point::PeerConnected | Point::PeerTook | Point::ResultKnown => Case::Relay,
            Point::NoticeDue | Point::NoticeQueued => Case::Refused,
            Point::SegmentRemoved => Case::SecondStart,
            _ => Case::Mailbox,
        }
    }
}

/// The moment has come.
#[cfg(debug_assertions)]
pub(crate) fn reach(point: Point) {
    use std::sync::LazyLock;
    static WANTED: LazyLock<Option<Point>> = LazyLock::new(|| {
        let name = std::env::var("POSTERN_FAULT").ok()?;
        Point::ALL.into_iter().find(|point| point.as_str() == name)
    });
    if *WANTED == Some(point) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal may reach another thread first; this one goes no further.
        loop {
            std::thread::park();
        }
    }
}

/// The moment has come, and nothing happens.
#[cfg(not(debug_assertions))]
pub(crate) fn reach(_: Point) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_moment_is_left_out_or_named_twice() {
        for (place, point) in Point::ALL.into_iter().enumerate() {
            assert_eq!(point as usize, place, "{point:?} is out of order");
            assert!(!Point::ALL[..place].iter().any(|other| other.as_str() == point.as_str()), "{point:?}");
        }
        // The last one of the enum is the last one of the list.
        assert_eq!(Point::SegmentRemoved as usize + 1, Point::ALL.len());
    }
}
