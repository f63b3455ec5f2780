//! Dialogues with a written peer, each replayed with the peer's octets split in every way.
//!
//! | line | meaning |
//! |---|---|
//! | `S: text` | the peer sends a line; lines in a row arrive together |
//! | `C: text` | the client's next line |
//! | `BEGIN` | a transaction begins: [`transaction`] to the recipients named behind it |
//! | `BODY` | the client wants the content; it gets [`CONTENT`] |
//! | `TLS level` | the client wants the handshake, which gives that level |
//! | `QUIT` | the client is told to quit |
//! | `LOST` | the connection breaks |
//! | `!: text` | the client's next step, as [`describe`] puts it |

use crate::smtp::client::{Client, ClientConfig, ClientLogin, ClientStep, Phase, Recipient, Transaction};
use crate::smtp::sasl::Credentials;
use bytes::BytesMut;
use postern_schema::name::{Mailbox, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::site::TlsLevel;

pub const CONTENT: &[u8] = b".Subject: x\r\n\r\ntext\r\n";

pub fn config(tls: TlsLevel) -> ClientConfig {
    ClientConfig { helo: "client.example".into(), tls, login: None, lmtp: false }
}

pub fn with_login(tls: TlsLevel) -> ClientConfig {
    let login = Credentials { user: "alice".into(), password: "wonderland".into() };
    ClientConfig { login: Some(ClientLogin { credentials: login, bearer: false, nonce: "abc".into() }), ..config(tls) }
}

pub fn lmtp() -> ClientConfig {
    ClientConfig { lmtp: true, ..config(TlsLevel::None) }
}

pub fn recipient(address: &str) -> Recipient {
    Recipient { mailbox: Mailbox::parse(address).unwrap(), notify: None, original_recipient: None }
}

pub fn transaction(recipients: &str) -> Transaction {
    Transaction {
        reverse_path: ReversePath::parse("a@b").unwrap(),
        recipients: recipients.split_whitespace().map(recipient).collect(),
        size_octets: CONTENT.len() as u64,
        smtputf8: false,
        eight_bit: false,
        require_tls: false,
        ret: None,
        envelope_id: None,
    }
}

pub fn describe(step: &ClientStep) -> String {
    match step {
        ClientStep::NeedInput => "needs input".into(),
        ClientStep::StartTls => "wants TLS".into(),
        ClientStep::Ready => "ready".into(),
        ClientStep::SendBody => "wants body".into(),
        ClientStep::Closed => "closed".into(),
        ClientStep::Failed(failure) => format!("failed at {:?}: {}", failure.phase, failure.reply),
        ClientStep::Done(outcome) => {
            let replies: Vec<String> = outcome.replies.iter().map(ToString::to_string).collect();
            format!("done: {}{}", replies.join(" | "), if outcome.reusable { "" } else { " (closed)" })
        }
    }
}

/// Plays a dialogue whole, octet by octet, and split at each octet.
pub fn play(config: &ClientConfig, active: TlsLevel, script: &str) {
    let longest = play_once(config, active, script, usize::MAX);
    for at in 0..longest {
        play_once(config, active, script, at);
    }
}

/// `split`: where the peer's octets are split; 0: at each octet.
pub fn play_once(config: &ClientConfig, active: TlsLevel, script: &str, split: usize) -> usize {
    let mut player = Player { client: Client::new(config.clone(), active), input: BytesMut::new(), said: String::new() };
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let mut longest = 0;
    while let Some(line) = lines.next() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let context = format!("at {line:?}, split at {split}, having said {:?}", player.said);
        match word {
            "S:" => {
                let mut sent = format!("{rest}\r\n");
                while let Some(line) = lines.next_if(|line| line.starts_with("S:")) {
                    sent += &format!("{}\r\n", line[2..].trim_start());
                }
                longest = longest.max(sent.len());
                player.hear(sent.as_bytes(), split);
            }
            "C:" => {
                let said = player.said.split_once("\r\n").map(|(line, rest)| (line.to_owned(), rest.to_owned()));
                let (line, remaining) = said.unwrap_or_else(|| panic!("nothing was said {context}"));
                assert_eq!(line, rest, "{context}");
                player.said = remaining;
            }
            "BEGIN" => player.client.begin(transaction(rest)),
            "QUIT" => player.client.quit(),
            "LOST" => assert_eq!(describe(&player.client.abort(Reply::lost("Connection lost".into()))), rest, "{context}"),
            "TLS" => {
                assert_eq!(player.step(), "wants TLS", "{context}");
                player.client.tls_started(TlsLevel::parse(rest).unwrap());
            }
            "BODY" => {
                assert_eq!(player.step(), "wants body", "{context}");
                let (head, tail) = CONTENT.split_at(split.min(CONTENT.len()));
                player.client.write_body(head);
                player.client.write_body(tail);
                player.client.end_body();
            }
            _ => assert_eq!((word, player.step().as_str()), ("!:", rest), "{context}"),
        }
        player.collect();
    }
    assert_eq!(player.said, "", "said more than was expected");
    longest
}

struct Player {
    client: Client,
    input: BytesMut,
    said: String,
}

impl Player {
    fn collect(&mut self) {
        self.said += std::str::from_utf8(self.client.output()).unwrap();
        self.client.output().clear();
    }

    fn step(&mut self) -> String {
        let step = self.client.receive(&mut self.input);
        self.collect();
        describe(&step)
    }

    /// All but the last piece must leave the client in want of more; what the last one leads to is looked at by the script.
    fn hear(&mut self, sent: &[u8], split: usize) {
        let cut = if split == 0 { 1 } else { split };
        let mut pieces: Vec<&[u8]> = if split == 0 { sent.chunks(cut).collect() } else { vec![sent] };
        if split > 0 && split < sent.len() {
            pieces = vec![&sent[..split], &sent[split..]];
        }
        let Some((last, before)) = pieces.split_last() else { return };
        for piece in before {
            self.input.extend_from_slice(piece);
            if matches!(self.client.phase(), Phase::Hello | Phase::Greeting | Phase::Envelope | Phase::Final | Phase::Login) {
                let phase = self.client.phase();
                match self.client.receive(&mut self.input) {
                    ClientStep::NeedInput => {}
                    step => panic!("{} at {phase:?} too early", describe(&step)),
                }
                self.collect();
            }
        }
        self.input.extend_from_slice(last);
    }
}

/// A session with a peer that takes one command at a time.
pub const READY: &str = "S: 220 mx.example
    !: needs input
    C: EHLO client.example
    S: 250-mx.example
    S: 250 8BITMIME
    !: ready
";

/// A session with a peer that takes groups.
pub const PIPELINING: &str = "S: 220 mx.example
    !: needs input
    C: EHLO client.example
    S: 250-mx.example
    S: 250-SIZE 1000
    S: 250 PIPELINING
    !: ready
";

/// Plays a dialogue without TLS.
pub fn plaintext(script: &str) {
    play(&config(TlsLevel::None), TlsLevel::None, script);
}
