//! Plays a written dialogue against a server, whole and split at every octet; every way has to end alike.
//!
//! | line | meaning |
//! |---|---|
//! | `C: text` | the client sends a line; lines in a row arrive together. `\r`, `\n`, `\0` and `\t` are written so |
//! | `R: text` | the client sends text without a line end |
//! | `S: text` | the server's next line, without blanks at its end |
//! | `?: text` | the server's next question, as [`describe`] puts it; [`answer`] answers it |
//! | `EHLO` | the client says EHLO, and the reply is not looked at |
//! | `TLS` | the server asks for the handshake, which succeeds |
//! | `CLOSE` | the server closes |

use crate::smtp::sasl::SaslStep;
use crate::smtp::server::{BodyKind, Question, Server, ServerConfig, Step};
use crate::smtp::wire::AUTH_LINE_MAX_OCTETS;
use bytes::BytesMut;
use postern_schema::decide::Reason;
use postern_schema::name::{ForwardPath, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::site::ListenerKind;
use std::sync::Arc;

pub const SIZE: u64 = 100;

pub fn config(kind: ListenerKind) -> ServerConfig {
    ServerConfig {
        hostname: "mx.example".into(),
        kind,
        starttls: !kind.is_implicit_tls(),
        mechanisms: ["PLAIN", "LOGIN", "X-CALLER"].map(Box::from).to_vec(),
        message_octets: SIZE,
        recipients: 3,
        hops: 2,
        vrfy: true,
        xclient: false,
        mends_line_ends: false,
        errors: 4,
    }
}

/// How the client's octets are cut.
#[derive(Clone, Copy, Debug)]
enum Split {
    Whole,
    EveryOctet,
    At(usize),
}

/// Plays a dialogue in every way.
pub fn play(kind: ListenerKind, script: &str) {
    let longest = play_once(kind, script, Split::Whole);
    play_once(kind, script, Split::EveryOctet);
    for at in 1..longest.min(600) {
        play_once(kind, script, Split::At(at));
    }
}

/// Plays a dialogue in which something arrives too early: that hangs on its arriving in one piece.
pub fn play_whole(kind: ListenerKind, script: &str) {
    play_once(kind, script, Split::Whole);
}

/// What is expected of one turn.
#[derive(Default, PartialEq, Debug)]
struct Turn {
    output: String,
    questions: Vec<String>,
    tls: bool,
    closed: bool,
}

fn play_once(kind: ListenerKind, script: &str, split: Split) -> usize {
    let mut player = Player { server: Server::new(Arc::new(config(kind)), kind.is_implicit_tls()), drained: Vec::new(), split };
    player.server.greet();
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let mut longest = 0;
    while lines.peek().is_some() {
        if lines.next_if_eq(&"EHLO").is_some() {
            let found = player.turn(b"EHLO client.example\r\n");
            assert!(found.output.starts_with("250-mx.example\r\n"), "{found:?}");
            continue;
        }
        let mut sent = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("C:") || line.starts_with("R:")) {
            sent.extend(unescape(line[2..].trim_start()));
            sent.extend_from_slice(if line.starts_with("R:") { b"" } else { b"\r\n" });
        }
        let mut expected = Turn::default();
        while let Some(line) =
            lines.next_if(|line| line.starts_with("S:") || line.starts_with("?:") || matches!(*line, "TLS" | "CLOSE"))
        {
            match line.split_at(2) {
                ("S:", text) => expected.output += &format!("{}\r\n", text.strip_prefix(' ').unwrap_or(text)),
                ("?:", text) => expected.questions.push(text.trim().to_owned()),
                ("TL", _) => expected.tls = true,
                _ => expected.closed = true,
            }
        }
        longest = longest.max(sent.len());
        let found = player.turn(&sent);
        assert_eq!(found, expected, "\nafter {:?}, split {split:?}", sent.escape_ascii().to_string());
    }
    longest
}

fn unescape(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0").replace("\\t", "\t").into_bytes()
}

struct Player {
    server: Server,
    drained: Vec<u8>,
    split: Split,
}

impl Player {
    fn turn(&mut self, sent: &[u8]) -> Turn {
        let mut turn = Turn::default();
        let mut input = BytesMut::new();
        let pieces: Vec<&[u8]> = match self.split {
            Split::EveryOctet => sent.chunks(1).collect(),
            Split::At(at) if at < sent.len() => vec![&sent[..at], &sent[at..]],
            _ => vec![sent],
        };
        for piece in pieces {
            input.extend_from_slice(piece);
            self.run(&mut input, &mut turn);
        }
        if sent.is_empty() {
            self.run(&mut input, &mut turn);
        }
        turn
    }

    fn run(&mut self, input: &mut BytesMut, turn: &mut Turn) {
        loop {
            let step = self.server.advance(input);
            if !matches!(step, Step::Question(_)) {
                turn.output += &std::str::from_utf8(self.server.output()).unwrap().replace(" \r\n", "\r\n");
                self.server.output().clear();
            }
            match step {
                Step::Flush => {}
                Step::NeedInput => break,
                Step::Close => {
                    turn.closed = true;
                    break;
                }
                Step::StartTls => {
                    turn.tls = true;
                    self.server.tls_started();
                }
                Step::Question(question) => {
                    let untouched = input.len();
                    assert!(matches!(self.server.advance(input), Step::NeedInput) && input.len() == untouched);
                    turn.questions.push(self.describe(&question));
                    self.server.answer(&answer(&question));
                }
            }
        }
        assert!(input.len() < AUTH_LINE_MAX_OCTETS);
        assert!(self.server.body_octets() as u64 <= SIZE);
        if matches!(self.split, Split::EveryOctet) {
            self.drained.extend(self.server.take_body());
        }
    }

    fn describe(&mut self, question: &Question) -> String {
        match question {
            Question::Mail(request) => {
                self.drained.clear();
                let flags = [(request.body == BodyKind::EightBit, " 8bit"), (request.smtputf8, " utf8")];
                let flags: String = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, word)| word).collect();
                format!("mail <{}>{flags}", request.reverse_path)
            }
            Question::Recipient(request) => match request.notify {
                None => format!("rcpt <{}>", request.forward_path),
                Some(notify) => format!("rcpt <{}> {notify}", request.forward_path),
            },
            Question::Client(said) => format!("client {:?} {:?} {:?}", said.address, said.helo, said.login),
            Question::Forwarded(said) => format!("forwarded {:?} {:?}", said.address, said.helo),
            Question::Authenticate(credentials) => format!("login {}", credentials.user),
            Question::Sasl(SaslStep::Begin { mechanism, initial }) => {
                format!("begin {mechanism} {:?}", initial.as_deref().map(<[u8]>::escape_ascii).map(|text| text.to_string()))
            }
            Question::Sasl(SaslStep::Response(response)) => format!("response {:?}", String::from_utf8_lossy(response)),
            Question::Message(message) => {
                let content = [&self.drained[..], &message.body[..]].concat();
                assert_eq!(content.len() as u64, message.octets);
                self.drained.clear();
                format!("message {} with {}", content.escape_ascii(), self.server.protocol())
            }
        }
    }
}

/// A small site: who is refused is said by the name.
fn answer(question: &Question) -> Reply {
    let local = match question {
        Question::Mail(request) => match &request.reverse_path {
            ReversePath::Mailbox(mailbox) => mailbox.local.as_str(),
            ReversePath::Null => "",
        },
        Question::Recipient(request) => match &request.forward_path {
            ForwardPath::Mailbox(mailbox) => mailbox.local.as_str(),
            ForwardPath::Postmaster => "",
        },
        Question::Authenticate(_) | Question::Sasl(_) | Question::Message(_) | Question::Client(_) | Question::Forwarded(_) => "",
    };
    match question {
        _ if local == "closing" => Reply::SERVICE_CLOSING,
        Question::Mail(_) if local == "refused" => Reason::SenderDomainNonexistent.reply(),
        Question::Mail(_) => Reply::SENDER_OK,
        Question::Recipient(_) if local == "nobody" => Reason::UnknownMailbox.reply(),
        Question::Recipient(_) if local == "later" => Reason::MailboxGone.reply(),
        Question::Recipient(_) => Reply::RECIPIENT_OK,
        Question::Authenticate(login) if *login.user == *"alice" && *login.password == *"wonderland" => Reply::AUTHENTICATED,
        Question::Authenticate(_) => Reply::BAD_CREDENTIALS,
        Question::Sasl(SaslStep::Response(response)) if response == b"alice" => Reply::AUTHENTICATED,
        Question::Sasl(SaslStep::Response(response)) if response == b"wonderland" => Reply::BAD_CREDENTIALS,
        Question::Sasl(_) => Reply::challenge("Y2FsbA==".to_owned()),
        Question::Message(message) if message.header.date => Reply::INSUFFICIENT_STORAGE,
        Question::Client(_) => Reply::greeting("mx.example"),
        Question::Forwarded(_) => Reply::OK,
        Question::Message(_) => Reply::queued("1"),
    }
}
