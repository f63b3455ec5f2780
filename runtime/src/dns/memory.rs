//! [`Dns`] that puts a question only once at a time, remembers what failed, and counts. hickory keeps answers as long as they may be kept,
//! also that there is none where the zone says for how long; but a server that fails is asked anew for every message (RFC 9520 3.2 wants
//! that remembered), and so is a name that does not exist in a zone without SOA.
//!
//! The resolver behind it can be exchanged while questions are under way: each ends at the one that it began with.

use super::under_way::UnderWay;
use super::{Dns, Found, Mx, Pending, overheard};
use arc_swap::ArcSwap;
use postern_schema::dns::{Answer, Question};
use postern_schema::name::Domain;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a failure is remembered (RFC 9520 3.2: at least a second, at most five minutes).
const FAILURE_MEMORY: Duration = Duration::from_secs(30);
/// How long it is remembered that there is nothing.
const NOTHING_MEMORY: Duration = Duration::from_secs(60);
/// The most that is remembered at once; strangers choose the names.
const MEMORY_LIMIT: usize = 10_000;

/// What a question can come to, for the counters.
const OUTCOMES: [&str; 5] = ["found", "nothing", "nonexistent", "bogus", "failed"];

/// See the module.
pub struct Memory {
    resolver: ArcSwap<Box<dyn Dns>>,
    known: Mutex<HashMap<Asked, (Instant, Empty)>>,
    hosts: UnderWay<Box<str>, Found<Mx>>,
    addresses: UnderWay<Box<str>, Found<IpAddr>>,
    answers: UnderWay<Asked, Answer>,
    outcomes: [AtomicU64; OUTCOMES.len()],
    remembered: AtomicU64,
}

/// A question: the type by name, `MX hosts` and `addresses` for those that are more than one type, or less.
type Asked = (Box<str>, &'static str);

/// An outcome without records.
#[derive(Clone, Debug)]
enum Empty {
    Nothing,
    Nonexistent,
    Bogus,
    Failed(Box<str>),
}

impl Empty {
    fn of<T>(found: &Found<T>) -> Option<Empty> {
        Some(match found {
            Found::Records(_) => return None,
            Found::None => Empty::Nothing,
            Found::Nonexistent => Empty::Nonexistent,
            Found::Bogus => Empty::Bogus,
            Found::Failed(why) => Empty::Failed(why.as_str().into()),
        })
    }
}

impl<T> From<Empty> for Found<T> {
    fn from(empty: Empty) -> Found<T> {
        match empty {
            Empty::Nothing => Found::None,
            Empty::Nonexistent => Found::Nonexistent,
            Empty::Bogus => Found::Bogus,
            Empty::Failed(why) => Found::Failed(why.into()),
        }
    }
}

impl Memory {
    /// In front of a resolver.
    pub fn new(resolver: impl Dns + 'static) -> Memory {
        let resolver: Box<dyn Dns> = Box::new(resolver);
        Memory {
            resolver: ArcSwap::from_pointee(resolver),
            known: Mutex::default(),
            hosts: UnderWay::default(),
            addresses: UnderWay::default(),
            answers: UnderWay::default(),
            outcomes: Default::default(),
            remembered: AtomicU64::new(0),
        }
    }

    /// From now on another resolver is asked, and what the old one failed at is forgotten.
    pub fn exchange(&self, resolver: impl Dns + 'static) {
        let resolver: Box<dyn Dns> = Box::new(resolver);
        self.resolver.store(Arc::new(resolver));
        self.known().clear();
        self.hosts.clear();
        self.addresses.clear();
        self.answers.clear();
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Asked, (Instant, Empty)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recall(&self, asked: &Asked) -> Option<Empty> {
        let known = self.known();
        let (_, empty) = known.get(asked).filter(|(until, _)| Instant::now() < *until)?;
        self.remembered.fetch_add(1, Ordering::Relaxed);
        Some(empty.clone())
    }

    fn note(&self, asked: Asked, outcome: Option<Empty>) {
        let place = match &outcome {
            None => 0,
            Some(Empty::Nothing) => 1,
            Some(Empty::Nonexistent) => 2,
            Some(Empty::Bogus) => 3,
            Some(Empty::Failed(_)) => 4,
        };
        self.outcomes[place].fetch_add(1, Ordering::Relaxed);
        let Some(empty) = outcome else { return };
        let kept = match empty {
            Empty::Nothing | Empty::Nonexistent => NOTHING_MEMORY,
            Empty::Bogus | Empty::Failed(_) => FAILURE_MEMORY,
        };
        let now = Instant::now();
        let mut known = self.known();
        if known.len() >= MEMORY_LIMIT {
            known.retain(|_, (until, _)| now < *until);
        }
        // Whoever fills it pays with questions of its own; what was known is learnt again.
        if known.len() >= MEMORY_LIMIT {
            known.clear();
        }
        known.insert(asked, (now + kept, empty));
    }

    /// What happened, in the text format of Prometheus.
    pub fn render(&self, out: &mut String) {
        let name = "postern_dns_questions_total";
        // Writing to a string does not fail.
        let _ = write!(out, "# HELP {name} Questions to DNS, by what they came to.\n# TYPE {name} counter\n");
        for (outcome, count) in OUTCOMES.iter().zip(&self.outcomes) {
            let _ = writeln!(out, "{name}{{outcome=\"{outcome}\"}} {}", count.load(Ordering::Relaxed));
        }
        let name = "postern_dns_remembered_total";
        let _ = write!(out, "# HELP {name} Questions not put, since they came to nothing a moment ago.\n# TYPE {name} counter\n");
        let _ = writeln!(out, "{name} {}", self.remembered.load(Ordering::Relaxed));
    }
}

impl Dns for Memory {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Pending<'a, Found<Mx>> {
        let asked = (domain.as_str().into(), "MX hosts");
        Box::pin(async move {
            let found = match self.recall(&asked) {
                Some(empty) => Found::from(empty),
                None => {
                    let ask = async {
                        let resolver = self.resolver.load_full();
                        let found = resolver.mx(domain).await;
                        self.note(asked, Empty::of(&found));
                        found
                    };
                    self.hosts.share(domain.as_str().into(), ask).await
                }
            };
            overheard::note_hosts(domain.as_str(), &found);
            found
        })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Pending<'a, Found<IpAddr>> {
        let asked = (host.as_str().into(), "addresses");
        Box::pin(async move {
            let found = match self.recall(&asked) {
                Some(empty) => Found::from(empty),
                None => {
                    let ask = async {
                        let resolver = self.resolver.load_full();
                        let found = resolver.addresses(host).await;
                        self.note(asked, Empty::of(&found));
                        found
                    };
                    self.addresses.share(host.as_str().into(), ask).await
                }
            };
            overheard::note_addresses(host.as_str(), &found);
            found
        })
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Answer> {
        let asked = (question.name.clone(), question.kind.as_str());
        Box::pin(async move {
            let answer = match self.recall(&asked) {
                Some(Empty::Nothing) => Answer::Nothing,
                Some(Empty::Nonexistent) => Answer::Nonexistent,
                Some(Empty::Bogus) => Answer::Failed("the answer may be forged (DNSSEC)".into()),
                Some(Empty::Failed(why)) => Answer::Failed(why),
                None => {
                    let key = asked.clone();
                    let ask = async {
                        let resolver = self.resolver.load_full();
                        let answer = resolver.ask(question).await;
                        let empty = match &answer {
                            Answer::Found(_) => None,
                            Answer::Nothing => Some(Empty::Nothing),
                            Answer::Nonexistent => Some(Empty::Nonexistent),
                            Answer::Failed(why) => Some(Empty::Failed(why.clone())),
                        };
                        self.note(asked, empty);
                        answer
                    };
                    self.answers.share(key, ask).await
                }
            };
            overheard::note(|| question.clone(), || answer.clone());
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_schema::record::RecordKind;

    /// Says the same to every question, and counts them.
    struct Parrot(Answer, Arc<AtomicU64>);

    impl Dns for Parrot {
        fn mx<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<Mx>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Found::Failed("SERVFAIL".into()) })
        }

        fn addresses<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<IpAddr>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Found::Nonexistent })
        }

        fn ask<'a>(&'a self, _: &'a Question) -> Pending<'a, Answer> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Box::pin(async {
                tokio::task::yield_now().await;
                self.0.clone()
            })
        }
    }

    #[tokio::test]
    async fn what_failed_is_not_asked_at_once_again() {
        let domain = Domain::parse("a.example").unwrap();
        for (answer, asked) in [
            (Answer::Failed("SERVFAIL".into()), 1),
            (Answer::Nonexistent, 1),
            (Answer::Nothing, 1),
            (Answer::Found(vec!["x".into()]), 3),
        ] {
            let count = Arc::new(AtomicU64::new(0));
            let memory = Memory::new(Parrot(answer.clone(), count.clone()));
            for _ in 0..3 {
                assert_eq!(memory.ask(&Question::new("a.example", RecordKind::Txt)).await, answer);
            }
            assert_eq!(count.swap(0, Ordering::Relaxed), asked, "{answer}");
            for _ in 0..3 {
                assert_eq!(memory.mx(&domain).await, Found::Failed("SERVFAIL".into()));
                assert_eq!(memory.addresses(&domain).await, Found::Nonexistent);
            }
            assert_eq!(count.load(Ordering::Relaxed), 2);
            memory.exchange(Parrot(answer, count.clone()));
            memory.mx(&domain).await;
            assert_eq!(count.load(Ordering::Relaxed), 3, "another resolver may know");
        }
    }

    #[tokio::test]
    async fn what_is_asked_together_is_asked_once() {
        let count = Arc::new(AtomicU64::new(0));
        let answer = Answer::Found(vec!["v=spf1 -all".into()]);
        let memory = Memory::new(Parrot(answer.clone(), count.clone()));
        let question = Question::new("a.example", RecordKind::Txt);
        let answers = tokio::join!(memory.ask(&question), memory.ask(&question), memory.ask(&question));
        assert_eq!(answers, (answer.clone(), answer.clone(), answer));
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn strangers_cannot_fill_it() {
        let count = Arc::new(AtomicU64::new(0));
        let memory = Memory::new(Parrot(Answer::Nonexistent, count));
        for n in 0..MEMORY_LIMIT + 100 {
            memory.ask(&Question::new(&format!("n{n}.example"), RecordKind::A)).await;
        }
        assert!(memory.known().len() <= MEMORY_LIMIT);
        let mut text = String::new();
        memory.render(&mut text);
        assert!(text.contains("{outcome=\"nonexistent\"} 10100\n"), "{text}");
    }
}
