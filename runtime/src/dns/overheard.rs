//! What a piece of work asked of DNS, and what it heard, for the history of a message: whoever wants to know listens while the work
//! goes on, and the work knows nothing of it. What is remembered and not asked is heard all the same.
//!
//! Work that goes on in another task is heard where it is [`carried`] there.

use super::secure::Proven;
use super::{Found, Mx};
use postern_schema::dns::{Answer, Question, Transcript};
use postern_schema::record::RecordKind;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static HEARD: Arc<Mutex<Transcript>>;
}

/// The work's result, and what it heard.
pub async fn listen<T>(work: impl Future<Output = T>) -> (T, Transcript) {
    let heard: Arc<Mutex<Transcript>> = Arc::default();
    let result = HEARD.scope(heard.clone(), work).await;
    let heard = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
    (result, heard)
}

/// Work for another task, heard by whoever listens here.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let heard = HEARD.try_with(Arc::clone).ok();
    async move {
        match heard {
            Some(heard) => HEARD.scope(heard, work).await,
            None => work.await,
        }
    }
}

/// Notes an answer, if somebody listens.
pub(super) fn note(question: impl FnOnce() -> Question, answer: impl FnOnce() -> Answer) {
    // Most work is not listened to.
    let _ = HEARD.try_with(|heard| heard.lock().unwrap_or_else(PoisonError::into_inner).note(question(), answer()));
}

/// Notes mail hosts.
pub(super) fn note_hosts(domain: &str, found: &Found<Mx>) {
    let value = |mx: &Mx| {
        let host = mx.exchange.as_ref().map_or("", |host| host.as_str());
        format!("{} {host}", mx.preference).into()
    };
    note(|| Question::new(domain, RecordKind::Mx), || answer(found, value, |_| true));
}

/// Notes addresses, by family.
pub(super) fn note_addresses(host: &str, found: &Found<IpAddr>) {
    let text = |address: &IpAddr| address.to_string().into();
    note(|| Question::new(host, RecordKind::A), || answer(found, text, IpAddr::is_ipv4));
    note(|| Question::new(host, RecordKind::Aaaa), || answer(found, text, IpAddr::is_ipv6));
}

/// Notes what was proved.
pub(super) fn note_proof<T: std::fmt::Display>(name: &str, kind: RecordKind, proven: &Proven<T>) {
    let said = || match proven {
        Proven::Secure { records, .. } => Answer::Found(records.iter().map(|record| record.to_string().into()).collect()),
        Proven::Nothing => Answer::Nothing,
        Proven::Insecure => Answer::Failed("nothing there is signed".into()),
        Proven::Bogus => Answer::Failed("the answer may be forged (DNSSEC)".into()),
        Proven::Failed(why) => Answer::Failed(why.as_str().into()),
    };
    note(|| Question::new(name, kind), said);
}

fn answer<T>(found: &Found<T>, text: impl Fn(&T) -> Box<str>, wanted: impl Fn(&T) -> bool) -> Answer {
    match found {
        Found::Records(records) => {
            let values: Vec<Box<str>> = records.iter().filter(|record| wanted(record)).map(text).collect();
            if values.is_empty() { Answer::Nothing } else { Answer::Found(values) }
        }
        Found::None => Answer::Nothing,
        Found::Nonexistent => Answer::Nonexistent,
        Found::Bogus => Answer::Failed("the answer may be forged (DNSSEC)".into()),
        Found::Failed(why) => Answer::Failed(why.as_str().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_heard_wherever_it_is_carried() {
        let say = |name: &'static str| note(move || Question::new(name, RecordKind::Txt), || Answer::Nothing);
        say("nobody.listens.test");
        let work = async {
            say("here.test");
            let there = tokio::spawn(carried(async move { say("there.test") }));
            tokio::spawn(async move { say("unheard.test") }).await.unwrap();
            there.await.unwrap();
            7
        };
        let (result, heard) = listen(work).await;
        assert_eq!(result, 7);
        let names: Vec<&str> = heard.entries().iter().map(|(question, _)| &*question.name).collect();
        assert_eq!(names, ["here.test", "there.test"]);
    }
}
