//! The two sides of the protocol against each other: what our client sends, our server has to receive.

use super::client::{Client, ClientConfig, ClientLogin, ClientStep, Recipient, Transaction};
use super::command::{BodyKind, Notify, OriginalRecipient, Return, Xtext};
use super::sasl::Credentials;
use super::server::{MailRequest, Question, RecipientRequest, Server, ServerConfig, Step};
use bytes::BytesMut;
use postern_schema::name::{ForwardPath, Mailbox, ReversePath};
use postern_schema::reply::Reply;
use postern_schema::site::{ListenerKind, TlsLevel};
use proptest::prelude::*;
use std::sync::Arc;

/// A client and a server with a connection between them that carries so many octets at a time.
struct Pair {
    client: Client,
    server: Server,
    to_client: BytesMut,
    to_server: BytesMut,
    step: usize,
    /// What the server was asked, and what it received.
    mails: Vec<MailRequest>,
    recipients: Vec<RecipientRequest>,
    logins: Vec<Credentials>,
    body: Vec<u8>,
}

impl Pair {
    fn new(kind: ListenerKind, client: ClientConfig, step: usize) -> Pair {
        let config = ServerConfig {
            hostname: "mx.example".into(),
            kind,
            starttls: true,
            mechanisms: ["PLAIN", "LOGIN"].map(Box::from).to_vec(),
            message_octets: 1 << 20,
            recipients: 100,
            hops: 100,
            vrfy: true,
            xclient: false,
            mends_line_ends: false,
            errors: 20,
        };
        let mut server = Server::new(Arc::new(config), false);
        server.greet();
        Pair {
            client: Client::new(client, TlsLevel::None),
            server,
            to_client: BytesMut::new(),
            to_server: BytesMut::new(),
            step,
            mails: Vec::new(),
            recipients: Vec::new(),
            logins: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Carries octets to and fro until the client is at a step that is its caller's.
    fn run(&mut self) -> ClientStep {
        loop {
            self.serve();
            match self.client.receive(&mut self.to_client) {
                ClientStep::NeedInput => {}
                ClientStep::StartTls => {
                    assert!(self.to_client.is_empty() && self.to_server.is_empty());
                    self.server.tls_started();
                    self.client.tls_started(TlsLevel::Verify);
                }
                step => return step,
            }
            let said = std::mem::take(self.client.output());
            for piece in said.chunks(self.step) {
                self.to_server.extend_from_slice(piece);
                self.serve();
            }
        }
    }

    fn serve(&mut self) {
        while let Step::Question(question) = self.server.advance(&mut self.to_server) {
            self.server.answer(&match question {
                Question::Mail(request) => {
                    self.mails.push(request);
                    Reply::SENDER_OK
                }
                Question::Recipient(request) => {
                    self.recipients.push(request);
                    Reply::RECIPIENT_OK
                }
                Question::Authenticate(login) => {
                    self.logins.push(login);
                    Reply::AUTHENTICATED
                }
                Question::Sasl(_) | Question::Client(_) | Question::Forwarded(_) => Reply::BAD_CREDENTIALS,
                Question::Message(message) => {
                    self.body = message.body;
                    Reply::queued(self.server.protocol())
                }
            });
        }
        self.to_client.extend_from_slice(&std::mem::take(self.server.output()));
    }

    fn send(&mut self, transaction: Transaction, content: &[u8]) -> Vec<Reply> {
        self.client.begin(transaction);
        loop {
            match self.run() {
                ClientStep::SendBody => {
                    content.chunks(self.step).for_each(|piece| self.client.write_body(piece));
                    self.client.end_body();
                }
                ClientStep::Done(outcome) => return outcome.replies,
                step => panic!("{step:?}"),
            }
        }
    }
}

fn config(login: bool) -> ClientConfig {
    let credentials = Credentials { user: "alice".into(), password: "wonderland".into() };
    ClientConfig {
        helo: "client.example".into(),
        tls: if login { TlsLevel::Verify } else { TlsLevel::None },
        login: login.then_some(ClientLogin { credentials, bearer: false, nonce: "abc".into() }),
        lmtp: false,
    }
}

fn transaction(sender: &str, recipients: &[&str]) -> Transaction {
    let recipient = |address: &&str| Recipient {
        mailbox: Mailbox::parse(address).unwrap(),
        notify: Notify::parse("FAILURE,DELAY"),
        original_recipient: OriginalRecipient::parse("rfc822;+40x"),
    };
    Transaction {
        reverse_path: ReversePath::parse(sender).unwrap(),
        recipients: recipients.iter().map(recipient).collect(),
        size_octets: 7,
        smtputf8: false,
        eight_bit: true,
        require_tls: false,
        ret: Some(Return::Full),
        envelope_id: Xtext::parse("a+2Bb"),
    }
}

#[test]
fn an_envelope_arrives_as_it_was_sent() {
    for (login, kind, protocol) in [(false, ListenerKind::Mx, "UTF8SMTP"), (true, ListenerKind::Submission, "UTF8SMTPSA")] {
        let mut pair = Pair::new(kind, config(login), 5);
        assert!(matches!(pair.run(), ClientStep::Ready));
        let addresses = ["\"b c>\\\"\"@[192.0.2.1]", "\u{fc}@\u{e9}.example"];
        let sent = transaction("a@[IPv6:2001:db8::1]", &addresses);
        let replies = pair.send(sent.clone(), b"..x\r\n");
        assert_eq!(replies, vec![Reply::queued(protocol); 2]);
        let [mail] = &pair.mails[..] else { panic!() };
        assert_eq!(
            (&mail.reverse_path, mail.size_octets, mail.body, mail.smtputf8),
            (&sent.reverse_path, Some(7), BodyKind::EightBit, true)
        );
        assert_eq!((mail.ret, &mail.envelope_id), (sent.ret, &sent.envelope_id));
        for (received, recipient) in pair.recipients.iter().zip(&sent.recipients) {
            assert_eq!(received.forward_path, ForwardPath::Mailbox(recipient.mailbox.clone()));
            assert_eq!((received.notify, &received.original_recipient), (recipient.notify, &recipient.original_recipient));
        }
        assert_eq!(
            (pair.recipients.len(), pair.logins.len(), pair.server.helo()),
            (2, usize::from(login), Some("client.example"))
        );
        assert_eq!(pair.body, b"..x\r\n");
    }
}

proptest! {
    #[test]
    fn content_arrives_as_it_was_sent(lines in proptest::collection::vec("[.a:é ]{0,6}", 0..20), step in 1usize..40) {
        let mut pair = Pair::new(ListenerKind::Mx, config(false), step);
        prop_assert!(matches!(pair.run(), ClientStep::Ready));
        let content: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        for _ in 0..2 {
            let replies = pair.send(transaction("", &["b@c"]), content.as_bytes());
            prop_assert_eq!(replies, vec![Reply::queued("ESMTP")]);
            prop_assert_eq!(&pair.body[..], content.as_bytes());
        }
    }
}
