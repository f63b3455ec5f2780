//! The DNS server, asked with plain messages over plain sockets.

use super::*;
use hickory_proto::op::{MessageType, OpCode, Query};

const ZONE: &str = "
    example.org 3600 IN MX 10 mx.example.org
    mx.example.org A 127.0.0.1
    mx.example.org AAAA ::1
    www.example.org CNAME mx.example.org.
    _25._tcp.mx.example.org TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    example.org TXT \"v=spf1 mx\" \" -all\"
    1.0.0.127.in-addr.arpa PTR mx.example.org
    null.example MX 0 .
";

fn question(name: &str, record_type: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(absolute(name), record_type));
    message.to_vec().unwrap()
}

fn ask_udp(dns: &DnsServer, name: &str, record_type: RecordType, patience: Duration) -> Option<Message> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(patience)).unwrap();
    socket.send_to(&question(name, record_type), dns.address()).unwrap();
    let mut buffer = [0; 4096];
    let octets = socket.recv(&mut buffer).ok()?;
    Some(Message::from_vec(&buffer[..octets]).unwrap())
}

fn ask(dns: &DnsServer, name: &str, record_type: RecordType) -> Message {
    ask_udp(dns, name, record_type, Duration::from_secs(10)).expect("an answer")
}

fn texts(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| format!("{} {}", record.record_type(), record.data)).collect()
}

#[test]
fn every_type_of_the_zone_is_answered() {
    let dns = DnsServer::start(ZONE);
    assert_eq!(texts(&ask(&dns, "example.org", RecordType::MX)), ["MX 10 mx.example.org."]);
    assert_eq!(texts(&ask(&dns, "EXAMPLE.org", RecordType::MX)), ["MX 10 mx.example.org."]);
    assert_eq!(texts(&ask(&dns, "null.example", RecordType::MX)), ["MX 0 ."]);
    assert_eq!(texts(&ask(&dns, "mx.example.org", RecordType::AAAA)), ["AAAA ::1"]);
    assert_eq!(texts(&ask(&dns, "www.example.org", RecordType::A)), ["CNAME mx.example.org.", "A 127.0.0.1"]);
    assert_eq!(texts(&ask(&dns, "example.org", RecordType::TXT)).len(), 1);
    assert_eq!(texts(&ask(&dns, "_25._tcp.mx.example.org", RecordType::TLSA)).len(), 1);
    assert_eq!(texts(&ask(&dns, &reverse(Ipv4Addr::LOCALHOST), RecordType::PTR)), ["PTR mx.example.org."]);
    assert_eq!(dns.asked("example.org", RecordType::MX), 2);
    assert_eq!(dns.questions(), 8);
}

#[test]
fn no_such_name_and_no_such_record_differ() {
    let dns = DnsServer::start(ZONE);
    let code = |name, record_type| {
        let answer = ask(&dns, name, record_type);
        assert!(answer.answers.is_empty() && !answer.authorities.is_empty());
        answer.metadata.response_code
    };
    assert_eq!(code("example.org", RecordType::A), ResponseCode::NoError);
    assert_eq!(code("_tcp.mx.example.org", RecordType::A), ResponseCode::NoError);
    assert_eq!(code("other.example.org", RecordType::A), ResponseCode::NXDomain);
    dns.replace_zone("");
    assert_eq!(code("example.org", RecordType::A), ResponseCode::NXDomain);
}

#[test]
fn a_name_misbehaves_as_told() {
    let dns = DnsServer::start(ZONE);
    let code = |behaviour| {
        dns.set("mx.example.org", behaviour);
        ask(&dns, "mx.example.org", RecordType::A).metadata.response_code
    };
    assert_eq!(code(Behaviour::ServFail), ResponseCode::ServFail);
    assert_eq!(code(Behaviour::Refused), ResponseCode::Refused);
    assert_eq!(code(Behaviour::Delayed(Duration::from_millis(1))), ResponseCode::NoError);
    dns.set("mx.example.org", Behaviour::Silent);
    assert_eq!(ask_udp(&dns, "mx.example.org", RecordType::A, Duration::from_millis(50)), None);
}

#[test]
fn a_truncated_answer_is_whole_over_tcp() {
    let dns = DnsServer::start(ZONE);
    dns.set("mx.example.org", Behaviour::Truncated);
    let answer = ask(&dns, "mx.example.org", RecordType::A);
    assert!(answer.metadata.truncation && answer.answers.is_empty());

    let mut stream = TcpStream::connect(dns.address()).unwrap();
    let question = question("mx.example.org", RecordType::A);
    stream.write_all(&(question.len() as u16).to_be_bytes()).unwrap();
    stream.write_all(&question).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(texts(&Message::from_vec(&answer).unwrap()), ["A 127.0.0.1"]);
    assert_eq!(dns.questions_by_tcp(), 1);
}
