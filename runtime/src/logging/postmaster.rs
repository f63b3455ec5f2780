//! What a site's postmaster is to be told of (`notify_classes`): the events of the log that belong to a class the site has named,
//! gathered until [`crate::deliver::postmaster`] sends them. Bounded: a flood is counted, and of each class the first lines are kept.
//!
//! What happens to these very notices belongs to no class: a notice must not lead to a notice.

use super::Fields;
use postern_schema::reply::Reply;
use postern_schema::site::{NoticeClass, Site};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::Level;

/// Lines that are kept of one class.
const LINES_MAX: usize = 50;
/// The longest line, in octets.
const LINE_MAX_OCTETS: usize = 500;
/// Notices that are known to be ours.
const OURS_MAX: usize = 1000;

/// Errors for want of something that the host has too little of; every other error is one of the software.
const OF_RESOURCES: [&str; 7] = [
    "cannot accept",
    "a message cannot be stored",
    "a message cannot be queued",
    "queue: a batch was not written, its clients are told to come back",
    "the queue cannot note what became of a delivery; trying again",
    "the queue does not take a notice; trying again",
    "the queue could not note that mail is to be tried again",
];

/// What has gathered of one class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// When the first came, in milliseconds since the epoch.
    pub since_ms: u64,
    /// How many came.
    pub count: u64,
    /// The first of them.
    pub lines: Vec<String>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Gathered {
    /// One bit for each class that the site wants.
    wanted: AtomicU8,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pages: BTreeMap<NoticeClass, Page>,
    ours: VecDeque<String>,
}

fn bit(class: NoticeClass) -> u8 {
    1 << class as u8
}

impl Gathered {
    /// Gathers what this site wants from now on.
    pub fn want(&self, site: &Site) {
        let wanted = site.notices.classes.iter().fold(0, |bits, class| bits | bit(*class));
        self.wanted.store(wanted, Ordering::Relaxed);
        self.state().pages.retain(|class, _| wanted & bit(*class) != 0);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is guarded is whole at every moment, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of an event.
    pub(crate) fn note(&self, level: Level, fields: &Fields, now_ms: u64) {
        let wanted = self.wanted.load(Ordering::Relaxed);
        let Some(class) = class(level, fields).filter(|class| wanted & bit(*class) != 0) else { return };
        let mut state = self.state();
        if fields.find("id").is_some_and(|id| state.ours.iter().any(|ours| ours == id)) {
            return;
        }
        let page = state.pages.entry(class).or_insert_with(|| Page { since_ms: now_ms, count: 0, lines: Vec::new() });
        page.count += 1;
        if page.lines.len() < LINES_MAX {
            page.lines.push(line(fields));
        }
    }

    /// Takes the classes of which something has gathered since before that time.
    pub fn due(&self, before_ms: u64) -> Vec<(NoticeClass, Page)> {
        let mut state = self.state();
        let due: Vec<NoticeClass> =
            state.pages.iter().filter(|(_, page)| page.since_ms <= before_ms).map(|(class, _)| *class).collect();
        due.into_iter().filter_map(|class| Some((class, state.pages.remove(&class)?))).collect()
    }

    /// Nothing that is said of the message of that id is gathered.
    pub fn is_ours(&self, id: String) {
        let mut state = self.state();
        state.ours.push_back(id);
        if state.ours.len() > OURS_MAX {
            state.ours.pop_front();
        }
    }
}

/// The class of an event, if it has one.
fn class(level: Level, fields: &Fields) -> Option<NoticeClass> {
    let babble = || Reply::babble(String::new()).status.map(|status| status.to_string());
    match fields.value("message") {
        "sender notified" => match fields.value("about") {
            "failed" => Some(NoticeClass::Bounce),
            "delayed" => Some(NoticeClass::Delay),
            _ => None,
        },
        "nobody is told" => Some(NoticeClass::DoubleBounce),
        "refused" if fields.value("reason") == "session-limit" => Some(NoticeClass::Resource),
        "decision" if fields.value("disposition") == "accept" => None,
        "decision" | "refused" => Some(NoticeClass::Policy),
        "spoke before the greeting" | "handshake failed" | "no PROXY header" | "too many errors" | "a message is refused" => {
            Some(NoticeClass::Protocol)
        }
        "attempt" if fields.value("status") != "sent" && fields.find("dsn") == babble().as_deref() => Some(NoticeClass::Protocol),
        message if OF_RESOURCES.contains(&message) => Some(NoticeClass::Resource),
        _ if level == Level::ERROR => Some(NoticeClass::Software),
        _ => None,
    }
}

/// An event in one line of text that a message can hold.
fn line(fields: &Fields) -> String {
    let mut text = format!("{}:{}", fields.value("message"), fields.rest());
    if text.len() > LINE_MAX_OCTETS {
        let end = (0..=LINE_MAX_OCTETS).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(" ...");
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanting(classes: &[NoticeClass]) -> Gathered {
        let gathered = Gathered::default();
        gathered.wanted.store(classes.iter().fold(0, |bits, class| bits | bit(*class)), Ordering::Relaxed);
        gathered
    }

    #[test]
    fn every_class_has_its_events() {
        let info = Level::INFO;
        let status = Reply::babble(String::new()).status.unwrap().to_string();
        let of = |level, fields: Fields| class(level, &fields).map(NoticeClass::as_str);
        assert_eq!(of(info, [("message", "sender notified"), ("about", "failed")].into()), Some("bounce"));
        assert_eq!(of(info, [("message", "sender notified"), ("about", "delayed")].into()), Some("delay"));
        assert_eq!(of(info, [("message", "sender notified"), ("about", "delivered")].into()), None);
        assert_eq!(of(info, [("message", "nobody is told")].into()), Some("2bounce"));
        assert_eq!(of(info, [("message", "decision"), ("disposition", "refuse")].into()), Some("policy"));
        assert_eq!(of(info, [("message", "decision"), ("disposition", "accept")].into()), None);
        assert_eq!(of(info, [("message", "refused"), ("reason", "message-limit")].into()), Some("policy"));
        assert_eq!(of(info, [("message", "refused"), ("reason", "session-limit")].into()), Some("resource"));
        assert_eq!(of(info, [("message", "attempt"), ("status", "deferred"), ("dsn", &status)].into()), Some("protocol"));
        assert_eq!(of(info, [("message", "attempt"), ("status", "deferred"), ("dsn", "4.2.0")].into()), None);
        assert_eq!(of(Level::ERROR, [("message", "a message cannot be queued")].into()), Some("resource"));
        assert_eq!(of(Level::ERROR, [("message", "something else")].into()), Some("software"));
        assert_eq!(of(Level::WARN, [("message", "something else")].into()), None);
    }

    #[test]
    fn a_flood_is_counted_and_its_beginning_kept() {
        let gathered = wanting(&[NoticeClass::Policy]);
        let long = "x".repeat(1000);
        for _ in 0..1000 {
            gathered.note(Level::INFO, &[("message", "refused"), ("reason", &long)].into(), 7);
            gathered.note(Level::INFO, &[("message", "nobody is told")].into(), 7);
        }
        assert!(gathered.due(6).is_empty(), "it is too early");
        let due = gathered.due(7);
        assert_eq!(due.len(), 1, "the other class is not wanted");
        let (class, page) = &due[0];
        assert_eq!((*class, page.count, page.lines.len()), (NoticeClass::Policy, 1000, LINES_MAX));
        assert!(page.lines.iter().all(|line| line.len() < LINE_MAX_OCTETS + 10));
        assert!(gathered.due(7).is_empty());
    }

    #[test]
    fn what_happens_to_a_notice_leads_to_none() {
        let gathered = wanting(&NoticeClass::ALL);
        gathered.is_ours("A1".to_owned());
        gathered.note(Level::INFO, &[("message", "nobody is told"), ("id", "A1")].into(), 7);
        assert!(gathered.due(7).is_empty());
        gathered.note(Level::INFO, &[("message", "nobody is told"), ("id", "B2"), ("to", "a\r\nb")].into(), 7);
        assert_eq!(gathered.due(7)[0].1.lines, ["nobody is told: id=B2 to=a  b"]);
    }
}
