//! A stub resolver (RFC 1035 7.2): one question to one server, over UDP and, where an answer does not fit, over TCP. Answers are
//! kept for the run. It follows no delegation; the server is taken to be a resolver.

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use postern_schema::record::RecordKind;
use postern_schema::snapshot::digest_hex;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long a server may take over one answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How often a question is put that gets no answer.
const ATTEMPTS: usize = 2;
/// Questions without an answer after which a server that has never given one is given up: a thousand domains would take hours.
const GIVE_UP: usize = 16;
/// Datagrams that are no answer to our question, before we give up on the socket.
const STRAYS: usize = 16;
/// The most octets of a datagram that we ask for (RFC 6891 6.2.5; this size is never cut up on its way).
const PAYLOAD_OCTETS: u16 = 1232;

/// What a server says of a name and type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// These records; at least one.
    Found(Vec<Live>),
    /// The name exists, and has no such record.
    Nothing,
    /// The name does not exist.
    Nonexistent,
}

/// A record as it is published. The value is in presentation form with names in lower case; a text is joined and unquoted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Live {
    /// The value.
    pub value: String,
    /// Whether the name asked for is an alias, and the record stands at another one.
    pub is_behind_alias: bool,
}

/// Why nothing is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Silence {
    /// No answer in time.
    Timeout,
    /// SERVFAIL, REFUSED, and the like.
    Refused(String),
    /// An answer that makes no sense.
    Garbled,
    /// The server cannot be reached.
    Unreachable(String),
    /// The name cannot be asked for.
    BadName,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Silence::Timeout => f.write_str("no answer in time"),
            Silence::Refused(code) => write!(f, "the server answers {code}"),
            Silence::Garbled => f.write_str("the answer makes no sense"),
            Silence::Unreachable(why) => write!(f, "the server cannot be reached: {why}"),
            Silence::BadName => f.write_str("the name cannot be asked for"),
        }
    }
}

/// One resolver, and what it has said.
#[derive(Debug)]
pub struct Client {
    server: SocketAddr,
    known: Mutex<HashMap<(String, RecordKind), Result<Answer, Silence>>>,
    has_answered: AtomicBool,
    unanswered: AtomicUsize,
}

impl Client {
    /// Asks this server.
    pub fn new(server: SocketAddr) -> Client {
        Client { server, known: Mutex::default(), has_answered: AtomicBool::new(false), unanswered: AtomicUsize::new(0) }
    }

    /// The server.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// What it says of a name, which may end in a dot.
    ///
    /// # Errors
    /// [`Silence`] where nothing is known, which is not the same as nothing being there.
    pub fn ask(&self, name: &str, kind: RecordKind) -> Result<Answer, Silence> {
        let key = (name.trim_end_matches('.').to_ascii_lowercase(), kind);
        // A poisoned lock means that a thread died while it held the map, which is whole at every moment.
        let known = || self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(answer) = known().get(&key) {
            return answer.clone();
        }
        let answer = self.fetch(&key.0, kind);
        known().insert(key, answer.clone());
        answer
    }

    /// Whether the server vouches for its answer by DNSSEC (RFC 6840 5.8). One that does not validate never does.
    ///
    /// # Errors
    /// As for [`Client::ask`].
    pub fn is_authentic(&self, name: &str, kind: RecordKind) -> Result<bool, Silence> {
        Ok(self.put(name, record_type(kind))?.1.metadata.authentic_data)
    }

    /// Whether the server validates: then it vouches for the root, which is signed.
    ///
    /// # Errors
    /// As for [`Client::ask`].
    pub fn validates(&self) -> Result<bool, Silence> {
        Ok(self.put("", RecordType::SOA)?.1.metadata.authentic_data)
    }

    fn fetch(&self, name: &str, kind: RecordKind) -> Result<Answer, Silence> {
        let (name, answer) = self.put(name, record_type(kind))?;
        read(&answer, &name, kind)
    }

    /// Puts a question until it is answered.
    fn put(&self, name: &str, record_type: RecordType) -> Result<(Name, Message), Silence> {
        let name = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).map_err(|_| Silence::BadName)?;
        let mut message = Message::query();
        // RFC 6840 5.7: asks to hear whether the answer was validated.
        message.metadata.authentic_data = true;
        message.add_query(Query::query(name.clone(), record_type));
        message.metadata.recursion_desired = true;
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD_OCTETS);
        message.set_edns(edns);
        let question = message.to_vec().map_err(|_| Silence::BadName)?;
        let mut last = Silence::Timeout;
        for _ in 0..ATTEMPTS {
            if !self.has_answered.load(Ordering::Relaxed) && self.unanswered.load(Ordering::Relaxed) >= GIVE_UP {
                break;
            }
            match self.exchange(&question, &message) {
                Ok(answer) => {
                    self.has_answered.store(true, Ordering::Relaxed);
                    return Ok((name, answer));
                }
                Err(silence) => last = silence,
            }
            self.unanswered.fetch_add(1, Ordering::Relaxed);
        }
        Err(last)
    }

    fn exchange(&self, question: &[u8], asked: &Message) -> Result<Message, Silence> {
        let answer = self.over_udp(question, asked)?;
        if answer.metadata.truncation { self.over_tcp(question, asked) } else { Ok(answer) }
    }

    fn over_udp(&self, question: &[u8], asked: &Message) -> Result<Message, Silence> {
        let any: SocketAddr = if self.server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).map_err(unreachable)?;
        // Connected: datagrams of others do not reach us, and a closed port says so.
        socket.connect(self.server).map_err(unreachable)?;
        socket.set_read_timeout(Some(TIMEOUT)).map_err(unreachable)?;
        socket.send(question).map_err(unreachable)?;
        let mut buffer = [0; PAYLOAD_OCTETS as usize];
        for _ in 0..STRAYS {
            let octets = socket.recv(&mut buffer).map_err(unreachable)?;
            if let Ok(answer) = Message::from_vec(&buffer[..octets])
                && is_answer(&answer, asked)
            {
                return Ok(answer);
            }
        }
        Err(Silence::Garbled)
    }

    fn over_tcp(&self, question: &[u8], asked: &Message) -> Result<Message, Silence> {
        let mut stream = TcpStream::connect_timeout(&self.server, TIMEOUT).map_err(unreachable)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(unreachable)?;
        // RFC 1035 4.2.2: the length goes first.
        let length = u16::try_from(question.len()).map_err(|_| Silence::BadName)?;
        stream.write_all(&[&length.to_be_bytes(), question].concat()).map_err(unreachable)?;
        let mut length = [0; 2];
        stream.read_exact(&mut length).map_err(unreachable)?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut answer).map_err(unreachable)?;
        let answer = Message::from_vec(&answer).map_err(|_| Silence::Garbled)?;
        if is_answer(&answer, asked) { Ok(answer) } else { Err(Silence::Garbled) }
    }
}

fn unreachable(error: io::Error) -> Silence {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Silence::Timeout,
        _ => Silence::Unreachable(error.to_string()),
    }
}

fn is_answer(answer: &Message, asked: &Message) -> bool {
    answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == asked.metadata.id
        && answer.queries.first().is_none_or(|query| Some(query) == asked.queries.first())
}

/// What a message says of the name; an alias is followed through it, as the server has done.
fn read(answer: &Message, name: &Name, kind: RecordKind) -> Result<Answer, Silence> {
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        // The name at the end of an alias does not exist; for whoever asks, that is the same.
        ResponseCode::NXDomain => return Ok(Answer::Nonexistent),
        other => return Err(Silence::Refused(format!("{other:?}").to_ascii_uppercase())),
    }
    let of_kind = answer.answers.iter().filter(|record| record.record_type() == record_type(kind));
    let live = |record: &hickory_proto::rr::Record| Live {
        value: value(&record.data),
        is_behind_alias: !record.name.eq_ignore_root(name),
    };
    let mut found: Vec<Live> = of_kind.map(live).collect();
    found.sort();
    found.dedup();
    Ok(if found.is_empty() { Answer::Nothing } else { Answer::Found(found) })
}

fn record_type(kind: RecordKind) -> RecordType {
    RecordType::from(kind.number())
}

/// In the form that [`postern_schema::record::RecordData`] has, but for texts.
fn value(data: &RData) -> String {
    let host = |name: &Name| name.to_lowercase().to_ascii();
    match data {
        RData::A(address) => IpAddr::V4(address.0).to_string(),
        RData::AAAA(address) => IpAddr::V6(address.0).to_string(),
        RData::CNAME(name) => host(name),
        RData::PTR(name) => host(name),
        RData::MX(mx) => format!("{} {}", mx.preference, host(&mx.exchange)),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, host(&srv.target)),
        RData::TXT(text) => String::from_utf8_lossy(&text.txt_data.concat()).into_owned(),
        RData::TLSA(tlsa) => {
            let (usage, selector, matching) = (u8::from(tlsa.cert_usage), u8::from(tlsa.selector), u8::from(tlsa.matching));
            format!("{usage} {selector} {matching} {}", digest_hex(&tlsa.cert_data))
        }
        RData::CAA(caa) => {
            let flags = if caa.issuer_critical { 128 } else { 0 };
            let value = String::from_utf8_lossy(&caa.value).replace('\\', "\\\\").replace('"', "\\\"");
            format!("{flags} {} \"{value}\"", caa.tag.to_ascii_lowercase())
        }
        other => other.to_string(),
    }
}

/// The first server of a `resolv.conf`; the local host where it names none, as resolvers do.
pub fn system_resolver(resolv_conf: &str) -> SocketAddr {
    let servers = resolv_conf.lines().filter_map(|line| line.split_whitespace().collect::<Vec<_>>().try_into().ok());
    let named = |[word, address]: [&str; 2]| (word == "nameserver").then(|| address.parse::<IpAddr>().ok()).flatten();
    let address = servers.filter_map(named).next().unwrap_or(IpAddr::from([127, 0, 0, 1]));
    SocketAddr::new(address, 53)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_resolver_is_the_first_that_is_named() {
        let server = |text: &str| system_resolver(text).to_string();
        assert_eq!(server("# x\nsearch a.example\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n"), "192.0.2.53:53");
        assert_eq!(server("nameserver fe80::1%eth0\nnameserver 2001:db8::53"), "[2001:db8::53]:53");
        assert_eq!(server(""), "127.0.0.1:53");
    }
}
