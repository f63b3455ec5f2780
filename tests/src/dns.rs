//! A DNS server on loopback, UDP and TCP on one port: a zone in the usual text form, names that misbehave, and a count of
//! what was asked. It is authoritative for everything: a name that is not in the zone does not exist.
//!
//! ```no_run
//! use postern_tests::dns::{Behaviour, DnsServer};
//! let dns = DnsServer::start("example.org MX 10 mx.example.org\nmx.example.org A 127.0.0.1");
//! dns.set("broken.example", Behaviour::ServFail);
//! ```

mod signing;

use crate::acceptor::Acceptor;
use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_proto::serialize::txt::Parser;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How the server treats a name, whatever type is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Behaviour {
    /// From the zone.
    #[default]
    Answer,
    /// `SERVFAIL`.
    ServFail,
    /// `REFUSED`.
    Refused,
    /// No answer at all, over UDP or TCP.
    Silent,
    /// Over UDP an empty answer with the TC bit, over TCP the true one.
    Truncated,
    /// An answer to a question that nobody asked, as somebody sends it who guesses.
    Lying,
    /// From the zone, but later.
    Delayed(Duration),
}

/// See the module.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stopping: Arc<AtomicBool>,
    udp: Option<JoinHandle<()>>,
    _tcp: Acceptor,
}

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    behaviours: HashMap<Name, Behaviour>,
    is_validating: bool,
    signed: Vec<Name>,
    asked: HashMap<(Name, RecordType), usize>,
    by_tcp: usize,
    zone: Option<signing::Zone>,
}

impl DnsServer {
    /// Serves a zone: lines of `name [ttl] type data`, in which every name is absolute with or without its dot. An empty zone
    /// makes every name nonexistent.
    ///
    /// # Panics
    /// On a line that is no record.
    pub fn start(zone: &str) -> DnsServer {
        let (udp, tcp) = bind_both();
        let address = udp.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { records: parse(zone), ..State::default() }));
        let stopping = Arc::new(AtomicBool::new(false));
        let tcp_state = state.clone();
        let acceptor = Acceptor::serve(tcp, move |_, stream| {
            let _ = serve_tcp(stream, &tcp_state);
        });
        let (udp_state, udp_stopping) = (state.clone(), stopping.clone());
        let thread = thread::spawn(move || serve_udp(&Arc::new(udp), &udp_state, &udp_stopping));
        DnsServer { address, state, stopping, udp: Some(thread), _tcp: acceptor.unwrap() }
    }

    /// Where it listens, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts another zone in the place of the first. Behaviours and counts stay.
    pub fn replace_zone(&self, zone: &str) {
        self.state.lock().unwrap().records = parse(zone);
    }

    /// From now on this name, and not what lies below it, is treated so.
    pub fn set(&self, name: &str, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviours.insert(absolute(name), behaviour);
    }

    /// From now on it says that it validates, and vouches for these names and the root.
    pub fn vouch(&self, names: &[&str]) {
        let mut state = self.state.lock().unwrap();
        state.is_validating = true;
        state.signed = names.iter().map(|name| absolute(name)).collect();
    }

    /// From now on everything is signed, but for these zones and what lies below them. What it returns is the key, as a file of
    /// trust anchors has it.
    pub fn sign(&self, unsigned: &[&str]) -> String {
        let mut zone = signing::Zone::new();
        zone.unsigned = unsigned.iter().map(|name| absolute(name)).collect();
        let anchor = zone.anchor();
        self.state.lock().unwrap().zone = Some(zone);
        anchor
    }

    /// From now on the signatures at this name are wrong.
    pub fn forge(&self, name: &str) {
        self.state.lock().unwrap().zone.as_mut().unwrap().forged.push(absolute(name));
    }

    /// How often a name was asked for, under one type.
    pub fn asked(&self, name: &str, record_type: RecordType) -> usize {
        self.state.lock().unwrap().asked.get(&(absolute(name), record_type)).copied().unwrap_or(0)
    }

    /// How many questions came in all.
    pub fn questions(&self) -> usize {
        self.state.lock().unwrap().asked.values().sum()
    }

    /// How many of them came over TCP.
    pub fn questions_by_tcp(&self) -> usize {
        self.state.lock().unwrap().by_tcp
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // An empty datagram wakes the thread out of `recv_from`.
        let woken = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(&[], self.address));
        if let (Some(thread), Ok(_)) = (self.udp.take(), woken) {
            let _ = thread.join();
        }
    }
}

/// Two sockets on one port: the system chooses the first, and the second may find the port taken by somebody else.
fn bind_both() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
    panic!("found no port that is free for both UDP and TCP");
}

fn absolute(name: &str) -> Name {
    let mut name = Name::from_utf8(name).unwrap_or_else(|error| panic!("{name} is no domain name: {error}"));
    name.set_fqdn(true);
    name.to_lowercase()
}

fn parse(zone: &str) -> Vec<Record> {
    let text = format!("$TTL 1\n{}\n", zone.lines().map(str::trim).collect::<Vec<_>>().join("\n"));
    let (_, sets) = Parser::new(text, None, Some(Name::root())).parse().unwrap_or_else(|error| panic!("{error} in\n{zone}"));
    sets.into_values().flat_map(|set| set.records_without_rrsigs().cloned().collect::<Vec<_>>()).collect()
}

fn serve_udp(socket: &Arc<UdpSocket>, state: &Mutex<State>, stopping: &AtomicBool) {
    let mut buffer = [0; 4096];
    while let Ok((octets, client)) = socket.recv_from(&mut buffer) {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        match state.lock().unwrap().respond(&buffer[..octets], false) {
            Some((answer, Duration::ZERO)) => {
                let _ = socket.send_to(&answer, client);
            }
            Some((answer, delay)) => {
                let socket = socket.clone();
                thread::spawn(move || {
                    thread::sleep(delay);
                    let _ = socket.send_to(&answer, client);
                });
            }
            None => {}
        }
    }
}

fn serve_tcp(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question)?;
        let response = state.lock().unwrap().respond(&question, true);
        if let Some((answer, delay)) = response {
            thread::sleep(delay);
            let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
            stream.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat())?;
        }
    }
}

impl State {
    /// The answer and how long to hold it back, or nothing to say.
    fn respond(&mut self, octets: &[u8], by_tcp: bool) -> Option<(Vec<u8>, Duration)> {
        let question = Message::from_vec(octets).ok()?;
        let query = question.queries.first()?.clone();
        let name = query.name().to_lowercase();
        *self.asked.entry((name.clone(), query.query_type())).or_default() += 1;
        self.by_tcp += usize::from(by_tcp);

        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.metadata.recursion_desired = question.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.metadata.authoritative = true;
        answer.metadata.authentic_data = self.is_validating && (name.is_root() || self.signed.contains(&name));
        answer.queries = vec![query.clone()];
        if question.edns.is_some() {
            answer.edns = Some(Edns::new());
        }
        let mut delay = Duration::ZERO;
        match self.behaviours.get(&name).copied().unwrap_or_default() {
            Behaviour::Silent => return None,
            Behaviour::ServFail => answer.metadata.response_code = ResponseCode::ServFail,
            Behaviour::Refused => answer.metadata.response_code = ResponseCode::Refused,
            Behaviour::Truncated if !by_tcp => answer.metadata.truncation = true,
            Behaviour::Lying => {
                let other = absolute("lies.test");
                answer.queries = vec![hickory_proto::op::Query::query(other.clone(), RecordType::A)];
                answer.answers.push(Record::from_rdata(other, 60, RData::A(Ipv4Addr::new(127, 0, 0, 9).into())));
            }
            Behaviour::Delayed(time) => {
                delay = time;
                self.look_up(&name, query.query_type(), &mut answer);
            }
            Behaviour::Answer | Behaviour::Truncated => self.look_up(&name, query.query_type(), &mut answer),
        }
        let wants_proof = question.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
        if let (Some(zone), true, ResponseCode::NoError | ResponseCode::NXDomain) =
            (&self.zone, wants_proof, answer.metadata.response_code)
        {
            zone.sign(&name, query.query_type(), &mut answer);
        }
        Some((answer.to_vec().ok()?, delay))
    }

    /// Fills the answer section, following aliases (RFC 1034 3.6.2); a negative answer carries an SOA (RFC 2308 3).
    fn look_up(&self, name: &Name, record_type: RecordType, answer: &mut Message) {
        let mut name = name.clone();
        for _ in 0..8 {
            let here = || self.records.iter().filter(|record| record.name.to_lowercase() == name);
            let found: Vec<Record> = here().filter(|record| record.record_type() == record_type).cloned().collect();
            if !found.is_empty() {
                answer.answers.extend(found);
                return;
            }
            let Some(alias) = here().find(|record| record.record_type() == RecordType::CNAME).cloned() else { break };
            let RData::CNAME(target) = &alias.data else { break };
            name = target.0.to_lowercase();
            answer.answers.push(alias);
        }
        // A name with something below it exists without records (RFC 8020 2).
        if !self.records.iter().any(|record| name.zone_of(&record.name)) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        let soa = SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, 1);
        answer.authorities.push(Record::from_rdata(Name::root(), 1, RData::SOA(soa)));
    }
}

/// The name under `in-addr.arpa` that holds the PTR of an address, for use in a zone text.
pub fn reverse(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

#[cfg(test)]
mod tests;
