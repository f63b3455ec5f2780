//! Many messages over many sessions, as `smtp-source` sends them. Each message has a number in its Message-ID, so whoever
//! looks into a mailbox afterwards knows which of them arrived, and how often.

use crate::client::{Reply, read_reply};
use crate::wait::PATIENCE;
use crate::wire::Wire;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What is sent.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where to.
    pub address: SocketAddr,
    /// Sessions at once, each of which sends one message after another.
    pub sessions: usize,
    /// Messages in all.
    pub messages: u64,
    /// The number of the first.
    pub first: u64,
    /// The size of a message in octets, at least 200.
    pub size_octets: usize,
    /// The reverse-path of every message.
    pub from: String,
    /// The recipients of every message.
    pub to: Vec<String>,
    /// Whether MAIL, RCPT and DATA go out in one write (RFC 2920).
    pub pipelines: bool,
    /// Set from outside to end it early; no message is begun after that.
    pub stop: Arc<AtomicBool>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct LoadReport {
    /// The numbers of the messages that the server took, in no order.
    pub acknowledged: Vec<u64>,
    /// Messages that it refused.
    pub refused: usize,
    /// Messages without an answer, since the connection was lost.
    pub unanswered: usize,
    /// From the first connection to the last answer.
    pub elapsed: Duration,
    /// The first thing that went wrong.
    pub trouble: Option<String>,
}

impl LoadReport {
    /// Acknowledged messages by second.
    pub fn rate(&self) -> f64 {
        self.acknowledged.len() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

impl Load {
    /// One session, one message of 2 KB, pipelined.
    pub fn to(address: SocketAddr, recipient: &str) -> Load {
        Load {
            address,
            sessions: 1,
            messages: 1,
            first: 1,
            size_octets: 2048,
            from: "load@client.test".to_owned(),
            to: vec![recipient.to_owned()],
            pipelines: true,
            stop: Arc::default(),
        }
    }

    /// Sends everything and waits for the answers. A session that loses its connection is over; the others go on.
    pub fn run(&self) -> LoadReport {
        let next = AtomicU64::new(self.first);
        let report = Mutex::new(LoadReport::default());
        let body = body(self.size_octets);
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..self.sessions {
                scope.spawn(|| {
                    let mut mine = LoadReport::default();
                    if let Err(error) = self.session(&next, &body, &mut mine) {
                        mine.trouble.get_or_insert(error.to_string());
                    }
                    let mut all = report.lock().unwrap();
                    all.acknowledged.append(&mut mine.acknowledged);
                    all.refused += mine.refused;
                    all.unanswered += mine.unanswered;
                    all.trouble = all.trouble.take().or(mine.trouble);
                });
            }
        });
        let mut report = report.into_inner().unwrap();
        report.elapsed = start.elapsed();
        report
    }

    fn session(&self, next: &AtomicU64, body: &[u8], report: &mut LoadReport) -> io::Result<()> {
        let mut wire = Wire::new(TcpStream::connect_timeout(&self.address, PATIENCE)?, PATIENCE)?;
        expect(&mut wire, 220)?;
        wire.send(b"EHLO client.test\r\n")?;
        expect(&mut wire, 250)?;
        let envelope = self.envelope();
        while !self.stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.first.saturating_add(self.messages) {
                break;
            }
            match self.message(&mut wire, &envelope, number, body) {
                Ok(None) => report.acknowledged.push(number),
                Ok(Some(refusal)) => {
                    report.refused += 1;
                    report.trouble.get_or_insert(refusal);
                    wire.send(b"RSET\r\n")?;
                    expect(&mut wire, 250)?;
                }
                Err(error) => {
                    report.unanswered += 1;
                    return Err(error);
                }
            }
        }
        wire.send(b"QUIT\r\n")?;
        expect(&mut wire, 221)
    }

    fn envelope(&self) -> Vec<String> {
        let rcpt = self.to.iter().map(|to| format!("RCPT TO:<{to}>\r\n"));
        let mail = format!("MAIL FROM:<{}>\r\n", self.from);
        std::iter::once(mail).chain(rcpt).chain(["DATA\r\n".to_owned()]).collect()
    }

    /// The refusal, if there is one.
    fn message(&self, wire: &mut Wire, envelope: &[String], number: u64, body: &[u8]) -> io::Result<Option<String>> {
        let mut refusal = None;
        let mut last = 0;
        if self.pipelines {
            wire.send(envelope.concat().as_bytes())?;
        }
        for line in envelope {
            if !self.pipelines {
                wire.send(line.as_bytes())?;
            }
            last = note(&reply(wire)?, &mut refusal);
        }
        if last == 354 {
            wire.send(&message(number, &self.from, body))?;
            note(&reply(wire)?, &mut refusal);
        }
        Ok(refusal)
    }
}

/// The code; a reply that is no yes is kept if it is the first.
fn note(reply: &Reply, refusal: &mut Option<String>) -> u16 {
    if reply.code >= 400 {
        refusal.get_or_insert_with(|| reply.to_string());
    }
    reply.code
}

fn reply(wire: &mut Wire) -> io::Result<Reply> {
    read_reply(wire)?.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed"))
}

fn expect(wire: &mut Wire, code: u16) -> io::Result<()> {
    let reply = reply(wire)?;
    if reply.code == code { Ok(()) } else { Err(io::Error::other(format!("{code} was due; {reply}"))) }
}

const ID_START: &str = "Message-ID: <load-";

/// Lines of 76 octets, so that the whole message has about the size.
fn body(size_octets: usize) -> Vec<u8> {
    let line = b"The quick brown fox jumps over the lazy dog, and over and over it again...\r\n";
    let octets = size_octets.saturating_sub(HEADER_OCTETS).max(line.len());
    let mut body = line.repeat(octets / line.len());
    body.extend_from_slice(b".\r\n");
    body
}

/// About what [`message`] puts before the body.
const HEADER_OCTETS: usize = 170;

fn message(number: u64, from: &str, body: &[u8]) -> Vec<u8> {
    let header = format!(
        "From: {from}\r\nTo: everybody@example.com\r\nSubject: load {number}\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\
         {ID_START}{number:012}@client.test>\r\n\r\n"
    );
    [header.as_bytes(), body].concat()
}

/// The number of a message, wherever it was stored and whatever was put above it.
pub fn number_of(stored: &[u8]) -> Option<u64> {
    let start = stored.windows(ID_START.len()).position(|window| window == ID_START.as_bytes())? + ID_START.len();
    std::str::from_utf8(stored.get(start..start + 12)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{Act, Peer, Script, Stage};

    #[test]
    fn every_message_arrives_once_with_its_number() {
        for pipelines in [true, false] {
            let peer = Peer::start(Script::default());
            let load = Load { sessions: 4, messages: 40, first: 7, pipelines, ..Load::to(peer.address(), "a@example.com") };
            let mut report = load.run();
            report.acknowledged.sort_unstable();
            assert_eq!((report.refused, report.trouble), (0, None));
            let mut numbers: Vec<u64> = peer.wait_for(40).iter().filter_map(|taken| number_of(&taken.data)).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (7..47).collect::<Vec<_>>());
            assert_eq!(numbers, report.acknowledged);
            let size = peer.transactions()[0].data.len();
            assert!((1900..2200).contains(&size), "{size} octets");
        }
    }

    #[test]
    fn refusals_and_lost_connections_are_counted() {
        let peer = Peer::start(Script::default().first(1, Stage::Mail, Act::Defer).first(1, Stage::Dot, Act::Drop));
        let report = Load { messages: 5, ..Load::to(peer.address(), "a@example.com") }.run();
        assert_eq!((report.refused, report.unanswered, report.acknowledged.len()), (1, 1, 0));
        assert!(report.trouble.is_some_and(|trouble| trouble.contains("450")));
    }

    #[test]
    fn it_stops_when_told() {
        let peer = Peer::start(Script::sink());
        let load = Load { messages: u64::MAX, ..Load::to(peer.address(), "a@example.com") };
        let report = thread::scope(|scope| {
            let running = scope.spawn(|| load.run());
            peer.wait_within(10, PATIENCE);
            load.stop.store(true, Ordering::Relaxed);
            running.join().unwrap()
        });
        assert!(report.acknowledged.len() >= 10 && report.trouble.is_none());
    }
}
