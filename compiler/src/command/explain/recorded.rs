//! A message of which the daemon kept what was known, judged again: SPF and DMARC by the daemon's own evaluation, from the answers
//! that DNS gave then. No network is asked.

use super::super::Failure;
use crate::explain::Question;
use postern_schema::decide::{ArcFact, GreylistFact, ReputationFact, dmarc_fact, listings, sender_domain};
use postern_schema::dns::{self, Recording};
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::Site;
use postern_schema::spf::{self, SpfResult};
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

/// The largest file that is read.
const FILE_OCTETS: u64 = 4 << 20;

/// What a file holds.
pub(super) struct Recorded(Recording);

impl Recorded {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(path: &Path) -> Result<Recorded, Failure> {
        let mut text = String::new();
        let read = if path.as_os_str() == "-" {
            std::io::stdin().lock().take(FILE_OCTETS).read_to_string(&mut text)
        } else {
            std::fs::File::open(path).and_then(|file| file.take(FILE_OCTETS).read_to_string(&mut text))
        };
        read.map_err(|error| Failure::missing(format!("{}: {error}", path.display())))?;
        let recording = Recording::parse(&text).map_err(|wrong| Failure::usage(format!("{}: {wrong}", path.display())))?;
        Ok(Recorded(recording))
    }

    /// What the file says of the message.
    pub(super) fn fact(&self, name: &str) -> Option<&str> {
        self.0.fact(name)
    }

    /// Fills in what nobody gave, and says what came of it, a sentence each.
    pub(super) fn judge(&self, question: &mut Question, site: &Site) -> Result<Vec<String>, Failure> {
        let wrong = |name: &str, text: &str| Failure::usage(format!("@{name} in the file: {text:?} is none"));
        if let (None, Some(text)) = (question.client, self.fact("client")) {
            question.client = Some(text.parse::<IpAddr>().map_err(|_| wrong("client", text))?);
        }
        // A listener that has another name today is the one that such a client uses.
        let listener = self.fact("listener").filter(|name| site.listener(name).is_some());
        question.listener = question.listener.take().or_else(|| listener.map(str::to_owned));
        let mut authors = Vec::new();
        for text in self.0.facts("author") {
            authors.push(Domain::parse(text).map_err(|_| wrong("author", text))?);
        }
        match &question.author {
            Some(author) => authors = vec![author.clone()],
            None => question.author = authors.first().cloned(),
        }
        if authors.is_empty() {
            authors.extend(question.from.mailbox().and_then(Mailbox::domain).cloned());
        }
        let signed: Vec<Domain> = self.0.facts("dkim").filter_map(|text| Domain::parse(text).ok()).collect();
        Ok(self.findings(question, site, &authors, &signed))
    }

    /// What was known of the client, and what lists say of it.
    fn screen(&self, question: &mut Question, site: &Site, client: IpAddr, said: &mut Vec<String>) {
        let (screen, answers) = (&site.screen, &self.0.answers);
        if question.helo.is_none() {
            question.helo = self.fact("helo").map(str::to_owned);
        }
        let greeted = question.helo.as_deref().and_then(|helo| Domain::parse(helo).ok());
        if let (Some(domain), Some(_), None) = (&greeted, screen.require_resolvable_helo, question.helo_domain) {
            match sender_domain(domain, answers) {
                Ok(found) => {
                    said.push(format!("helo-domain: {}", found.as_str()));
                    question.helo_domain = Some(found);
                }
                Err(missing) => said.push(format!("helo-domain: the file has no answer to {missing}")),
            }
        }
        if !screen.lists.is_empty() && question.lists.is_none() {
            let found = listings(client, &screen.lists, answers);
            let text: Vec<String> = found.iter().map(ToString::to_string).collect();
            said.push(format!("listed: {}", if text.is_empty() { "none".to_owned() } else { text.join(" ") }));
            question.lists = Some(found);
        }
        if let (Some(fact), None) = (self.fact("greylist").and_then(GreylistFact::parse), question.greylist) {
            said.push(format!("greylist: {}", fact.as_str()));
            question.greylist = Some(fact);
        }
        if let (Some(fact), None) = (self.fact("reputation").and_then(ReputationFact::parse), question.reputation) {
            said.push(format!("reputation: {}", fact.as_str()));
            question.reputation = Some(fact);
        }
    }

    fn findings(&self, question: &mut Question, site: &Site, authors: &[Domain], signed: &[Domain]) -> Vec<String> {
        let answers = &self.0.answers;
        let mut said = Vec::new();
        let silent = |what: &str, question: dns::Question| format!("{what}: the file has no answer to {question}");
        if let Some(domain) = question.from.mailbox().and_then(Mailbox::domain)
            && question.sender_domain.is_none()
            && site.screen.require_sender_domain.is_some()
        {
            match sender_domain(domain, answers) {
                Ok(found) => {
                    said.push(format!("sender-domain: {}", found.as_str()));
                    question.sender_domain = Some(found);
                }
                Err(missing) => said.push(silent("sender-domain", missing)),
            }
        }
        let Some(client) = question.client else {
            said.push("spf: the file does not say @client; give --client".to_owned());
            return said;
        };
        self.screen(question, site, client, &mut said);
        let sender = question.from.to_string();
        let facts = spf::Facts {
            client,
            helo: self.fact("helo").unwrap_or_default(),
            sender: &sender,
            receiver: site.hostname.as_str(),
            now: self.fact("time").and_then(|time| time.parse().ok()).unwrap_or_default(),
        };
        let vouched = match spf::check(&facts, answers) {
            Ok(found) => {
                said.push(format!("spf: {} ({})", found.result, found.because));
                let result = *question.spf.get_or_insert(found.result);
                (result == SpfResult::Pass).then(|| Domain::parse(&found.domain).ok()).flatten()
            }
            Err(missing) => {
                said.push(silent("spf", missing));
                return said;
            }
        };
        if !signed.is_empty() {
            let names: Vec<&str> = signed.iter().map(Domain::as_str).collect();
            said.push(format!("dkim: pass for {}", names.join(", ")));
        }
        match dmarc_fact(authors, vouched.as_ref(), signed, answers) {
            Ok(fact) => {
                said.push(format!("dmarc: {fact}"));
                question.dmarc.get_or_insert(fact);
                if let Some(arc) = self.fact("arc").and_then(ArcFact::parse) {
                    said.push(format!("arc: {}", arc.as_str()));
                    question.arc.get_or_insert(arc);
                }
            }
            Err(missing) => said.push(silent("dmarc", missing)),
        }
        said
    }
}
