//! Lists of clients in DNS (RFC 5782): all of them are asked at once, for IPv4 and IPv6, within a bounded time, and none may keep
//! mail up. The resolver keeps answers as long as they say.
//!
//! A list that does not answer rests for a while, and is as good as silent then. One that lists an address that no list may hold
//! (RFC 5782 5) lists everybody, and counts nothing until it stops. An answer that is an error of the list is said and not counted.

use crate::daemon::Daemon;
use crate::dns::{Dns, overheard};
use crate::site::Generation;
use postern_schema::decide::{Listing, list_question};
use postern_schema::dns::{Answer, Transcript};
use postern_schema::name::Domain;
use postern_schema::site::{Check, Codes};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// The longest that all lists together may take; what is not known by then is not listed.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many failures in a row, and a list rests.
const FAILURES: u32 = 5;
const REST: Duration = Duration::from_secs(60);
/// How long it counts that a list is sane, or not.
const SANE_FOR: Duration = Duration::from_secs(3600);
/// The address that no list may hold.
const NEVER_LISTED: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What is known of the lists themselves.
pub struct Lists {
    zones: Mutex<BTreeMap<Domain, Zone>>,
    patience: Duration,
}

impl Default for Lists {
    fn default() -> Lists {
        Lists { zones: Mutex::default(), patience: PATIENCE }
    }
}

#[derive(Default)]
struct Zone {
    failures: u32,
    rests_until: Option<Instant>,
    /// Until when nothing need be asked, and whether it lists everybody.
    sanity: Option<(Instant, bool)>,
    said_error: bool,
    answers: [u64; Outcome::WORDS.len()],
}

/// What one question came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Listed,
    Unlisted,
    /// The list says that it cannot be asked so.
    Error,
    Failed,
    /// It was not asked: it rests, or lists everybody.
    Skipped,
}

impl Outcome {
    const WORDS: [&'static str; 5] = ["listed", "unlisted", "error", "failed", "skipped"];
}

/// One list, for metrics.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZoneStatus {
    /// Its zone.
    pub zone: Domain,
    /// Whether it is left alone, since it does not answer or lists everybody.
    pub is_stale: bool,
    /// How many questions came to what.
    pub answers: Vec<(&'static str, u64)>,
}

/// The answers of a list, or why there are none. Nothing said is no answer.
async fn ask(dns: &dyn Dns, client: IpAddr, zone: &Domain, deadline: Instant) -> Result<Vec<Ipv4Addr>, Box<str>> {
    let Some(question) = list_question(client, zone) else { return Ok(Vec::new()) };
    match timeout_at(deadline, dns.ask(&question)).await {
        Ok(Answer::Found(values)) => Ok(values.iter().filter_map(|value| value.parse().ok()).collect()),
        Ok(Answer::Nothing | Answer::Nonexistent) => Ok(Vec::new()),
        Ok(Answer::Failed(why)) => Err(why),
        Err(_) => Err("no answer in time".into()),
    }
}

impl Lists {
    fn zones(&self) -> MutexGuard<'_, BTreeMap<Domain, Zone>> {
        // What is guarded is whole at every moment, also after a panic.
        self.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What these lists say of a client: every answer but errors.
    pub async fn ask(self: &Arc<Self>, dns: &Arc<dyn Dns>, client: IpAddr, zones: BTreeSet<Domain>) -> Vec<Listing> {
        let deadline = Instant::now() + self.patience;
        let mut asking = JoinSet::new();
        for zone in zones {
            let (lists, dns) = (self.clone(), dns.clone());
            asking.spawn(overheard::carried(async move { lists.ask_one(&*dns, client, zone, deadline).await }));
        }
        let mut said: Vec<Listing> = Vec::new();
        while let Some(answer) = asking.join_next().await {
            said.extend(answer.unwrap_or_default());
        }
        said.sort();
        said
    }

    async fn ask_one(&self, dns: &dyn Dns, client: IpAddr, zone: Domain, deadline: Instant) -> Vec<Listing> {
        let now = Instant::now();
        let (rests, sanity) = {
            let mut zones = self.zones();
            let known = zones.entry(zone.clone()).or_default();
            (known.rests_until.is_some_and(|until| until > now), known.sanity.filter(|(until, _)| *until > now))
        };
        if rests || matches!(sanity, Some((_, true))) {
            self.note(&zone, Outcome::Skipped, None);
            return Vec::new();
        }
        let sane = async {
            match sanity {
                Some(_) => Ok(true),
                None => ask(dns, NEVER_LISTED, &zone, deadline).await.map(|codes| !codes.iter().any(|code| counts(*code))),
            }
        };
        let (codes, sane) = tokio::join!(ask(dns, client, &zone, deadline), sane);
        if sanity.is_none()
            && let Ok(sane) = sane
        {
            self.note_sanity(&zone, sane);
        }
        if sane == Ok(false) {
            self.note(&zone, Outcome::Skipped, None);
            return Vec::new();
        }
        match codes {
            Err(why) => {
                self.note(&zone, Outcome::Failed, Some(&why));
                Vec::new()
            }
            Ok(codes) => {
                let error = codes.iter().find(|code| Codes::is_error(**code)).map(ToString::to_string);
                let said: Vec<Listing> =
                    codes.into_iter().filter(|code| counts(*code)).map(|code| Listing { zone: zone.clone(), code }).collect();
                let outcome = match (said.is_empty(), &error) {
                    (false, _) => Outcome::Listed,
                    (true, Some(_)) => Outcome::Error,
                    (true, None) => Outcome::Unlisted,
                };
                self.note(&zone, outcome, error.as_deref());
                said
            }
        }
    }

    fn note(&self, zone: &Domain, outcome: Outcome, detail: Option<&str>) {
        let mut zones = self.zones();
        let known = zones.entry(zone.clone()).or_default();
        known.answers[outcome as usize] += 1;
        match outcome {
            Outcome::Skipped => {}
            Outcome::Failed => {
                known.failures += 1;
                if known.failures >= FAILURES {
                    known.rests_until = Some(Instant::now() + REST);
                    tracing::warn!(%zone, error = detail, seconds = REST.as_secs(), "a list does not answer, and is left alone");
                }
            }
            Outcome::Error => {
                known.failures = 0;
                if !known.said_error {
                    tracing::warn!(%zone, code = detail, "a list says that it cannot be asked so; it counts nothing");
                }
                known.said_error = true;
            }
            Outcome::Listed | Outcome::Unlisted => (known.failures, known.said_error, known.rests_until) = (0, false, None),
        }
    }

    fn note_sanity(&self, zone: &Domain, is_sane: bool) {
        if !is_sane {
            tracing::warn!(%zone, "a list lists 127.0.0.1, as one does that lists everybody; it counts nothing");
        }
        if let Some(known) = self.zones().get_mut(zone) {
            known.sanity = Some((Instant::now() + SANE_FOR, !is_sane));
        }
    }

    /// Every list that was asked, by zone; those alone that the site has now.
    pub fn status(&self, of_site: &BTreeSet<Domain>) -> Vec<ZoneStatus> {
        let now = Instant::now();
        let mut zones = self.zones();
        zones.retain(|zone, _| of_site.contains(zone));
        let one = |(zone, known): (&Domain, &Zone)| ZoneStatus {
            zone: zone.clone(),
            is_stale: known.rests_until.is_some_and(|until| until > now)
                || matches!(known.sanity, Some((until, true)) if until > now),
            answers: Outcome::WORDS.into_iter().zip(known.answers).collect(),
        };
        zones.iter().map(one).collect()
    }
}

/// Whether an answer is one about the client at all.
fn counts(code: Ipv4Addr) -> bool {
    Codes::default().count(code)
}

/// The zones of a site's lists, each once.
pub fn zones(generation: &Generation) -> BTreeSet<Domain> {
    generation.site().screen.lists.iter().map(|list| list.zone.clone()).collect()
}

/// What lists say, and what DNS was asked for it.
type Said = (Vec<Listing>, Transcript);

/// What lists say of the client of one session: asked when it connects, and not again while the site and the client stay.
#[derive(Default)]
pub struct Listed {
    of: Option<(IpAddr, u64)>,
    cell: Arc<OnceCell<Said>>,
}

impl Listed {
    fn cell(&mut self, client: IpAddr, generation: &Generation) -> Arc<OnceCell<Said>> {
        let of = Some((client, generation.number));
        if self.of != of {
            *self = Listed { of, cell: Arc::default() };
        }
        self.cell.clone()
    }

    /// Begins to ask, beside the session.
    pub fn begin(&mut self, daemon: &Arc<Daemon>, generation: &Generation, client: IpAddr) {
        let zones = zones(generation);
        if zones.is_empty() || super::is_spared(client, Check::Dnsbl, generation.site()) {
            return;
        }
        let (cell, daemon) = (self.cell(client, generation), daemon.clone());
        tokio::spawn(async move {
            cell.get_or_init(|| overheard::listen(daemon.lists.ask(&daemon.dns, client, zones))).await;
        });
    }

    /// The fact behind [`postern_schema::decide::Need::Lists`], and what DNS was asked for it.
    pub async fn listings(&mut self, daemon: &Daemon, generation: &Generation, client: IpAddr) -> Said {
        let cell = self.cell(client, generation);
        let ask = || overheard::listen(daemon.lists.ask(&daemon.dns, client, zones(generation)));
        cell.get_or_init(ask).await.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Found, Mx, Pending};
    use postern_schema::dns::Question;

    /// Answers by name; a name that is not there does not exist.
    struct Zones(BTreeMap<String, Answer>);

    impl Dns for Zones {
        fn mx<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<Mx>> {
            Box::pin(async { Found::Nonexistent })
        }
        fn addresses<'a>(&'a self, _: &'a Domain) -> Pending<'a, Found<IpAddr>> {
            Box::pin(async { Found::Nonexistent })
        }
        fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Answer> {
            Box::pin(async move {
                if question.name.ends_with("silent.test") {
                    std::future::pending::<()>().await;
                }
                self.0.get(&*question.name).cloned().unwrap_or(Answer::Nonexistent)
            })
        }
    }

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    fn found(codes: &[&str]) -> Answer {
        Answer::Found(codes.iter().map(|code| Box::from(*code)).collect())
    }

    fn dns() -> Arc<dyn Dns> {
        let entries = [
            ("1.100.51.198.bl.test", found(&["127.0.0.2", "127.0.0.4"])),
            ("1.100.51.198.error.test", found(&["127.255.255.254"])),
            ("1.100.51.198.everybody.test", found(&["127.0.0.2"])),
            ("1.0.0.127.everybody.test", found(&["127.0.0.2"])),
            ("1.100.51.198.broken.test", Answer::Failed("SERVFAIL".into())),
            ("1.100.51.198.parked.test", found(&["192.0.2.80"])),
        ];
        Arc::new(Zones(entries.into_iter().map(|(name, answer)| (name.to_owned(), answer)).collect()))
    }

    fn client() -> IpAddr {
        "198.51.100.1".parse().unwrap()
    }

    #[tokio::test]
    async fn what_counts_and_what_does_not() {
        let (lists, dns) = (Arc::new(Lists::default()), dns());
        let zones: BTreeSet<Domain> =
            ["bl.test", "error.test", "everybody.test", "broken.test", "parked.test", "other.test"].map(domain).into();
        let said = lists.ask(&dns, client(), zones.clone()).await;
        assert_eq!(said.iter().map(ToString::to_string).collect::<Vec<_>>(), ["bl.test=127.0.0.2", "bl.test=127.0.0.4"]);
        let status = lists.status(&zones);
        let of = |zone: &str, word: &str| {
            let status = status.iter().find(|status| status.zone.as_str() == zone).unwrap();
            status.answers.iter().find(|(known, _)| *known == word).unwrap().1
        };
        for (zone, word) in [
            ("bl.test", "listed"),
            ("error.test", "error"),
            ("everybody.test", "skipped"),
            ("broken.test", "failed"),
            ("other.test", "unlisted"),
        ] {
            assert_eq!(of(zone, word), 1, "{zone} {word}");
        }
        assert!(status.iter().all(|status| status.is_stale == (status.zone.as_str() == "everybody.test")), "{status:?}");
    }

    #[tokio::test]
    async fn a_dead_list_costs_the_patience_for_it_and_then_nothing() {
        let lists = Arc::new(Lists { patience: Duration::from_millis(20), ..Lists::default() });
        let (dns, zones) = (dns(), ["bl.test", "silent.test"].map(domain).into());
        for _ in 0..FAILURES + 2 {
            assert_eq!(lists.ask(&dns, client(), BTreeSet::clone(&zones)).await.len(), 2, "the other list is heard");
        }
        let status = lists.status(&zones);
        let silent = status.iter().find(|status| status.zone.as_str() == "silent.test").unwrap();
        assert!(silent.is_stale);
        let count = |word| silent.answers.iter().find(|(known, _)| *known == word).unwrap().1;
        assert_eq!((count("failed"), count("skipped")), (FAILURES.into(), 2));
        assert!(lists.status(&BTreeSet::new()).is_empty(), "what the site no longer asks is forgotten");
    }
}
