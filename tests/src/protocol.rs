//! The daemon's protocol core and its decisions without the daemon: `smtp::server` over a site that was compiled in memory, as a
//! [`Conversation`]. No socket and no clock, so a dialogue can be played a thousand times, cut at every octet.
//!
//! It answers questions as `net` does; only what needs the world is made up: whoever logs in must be [`LOGIN`], DNS finds every
//! sender's domain, and a message is queued by being dropped.

use crate::client::Reply;
use crate::dialogue::Conversation;
use crate::scene::LOGIN;
use bytes::BytesMut;
use postern::compile::{CompileOptions, compile_text};
use postern::model::Model;
use postern_schema::decide::{
    Answer, Client, Disposition, Lookup, Reason, RecipientFacts, ScreenFacts, SenderDomain, SenderFacts, accept, sender,
};
use postern_schema::name::ReversePath;
use postern_schema::reply::Reply as Spoken;
use postern_schema::spf::SpfResult;
use posternd::smtp::data::TextForm;
use posternd::smtp::server::{BodyKind, Question, Server, ServerConfig, Step};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

/// Compiles a site for use with [`Core`].
///
/// # Panics
/// If it does not compile, with what the compiler says.
pub fn compile(kdl: &str) -> Arc<Model> {
    let compiled = compile_text("site.kdl", kdl, &CompileOptions::default());
    let messages: Vec<&str> = compiled.diagnostics.iter().map(|finding| finding.message.as_str()).collect();
    Arc::new(compiled.model.unwrap_or_else(|| panic!("the site does not compile: {messages:#?}")))
}

/// One session.
pub struct Core {
    model: Arc<Model>,
    server: Server,
    input: BytesMut,
    /// What the server has said and nobody has read.
    said: Vec<u8>,
    listener: String,
    client: IpAddr,
    user: Option<String>,
    reverse_path: ReversePath,
    is_binary: bool,
    is_closed: bool,
}

impl Core {
    /// A client from an address that has just connected to a listener of the site.
    ///
    /// # Panics
    /// If the site has no such listener.
    pub fn new(model: &Arc<Model>, listener: &str, client: IpAddr) -> Core {
        let site = model.site();
        let entry = site.listener(listener).unwrap_or_else(|| panic!("the site has no listener {listener}"));
        let config = ServerConfig {
            hostname: site.hostname.as_str().into(),
            kind: entry.kind,
            starttls: true,
            mechanisms: if entry.kind.requires_login() { ["PLAIN", "LOGIN"].map(Box::from).to_vec() } else { Vec::new() },
            message_octets: site.limits.message_octets,
            recipients: site.limits.recipients,
            hops: site.limits.hops,
            vrfy: site.limits.vrfy,
            xclient: entry.xclient_from.is_some_and(|range| range.contains(&client)),
            mends_line_ends: site.network(client).is_some_and(|network| network.mends_line_ends),
            errors: 20,
        };
        let mut core = Core {
            model: model.clone(),
            server: Server::new(Arc::new(config), entry.kind.is_implicit_tls()),
            input: BytesMut::new(),
            said: Vec::new(),
            listener: listener.to_owned(),
            client,
            user: None,
            reverse_path: ReversePath::Null,
            is_binary: false,
            is_closed: false,
        };
        let client = Client { listener: &core.listener, address: client, user: None, certificate: &[] };
        match client.is_admitted(site) {
            true => core.server.greet(),
            false => core.server.refuse(&Reason::PeerNotListed.reply()),
        }
        core.run();
        core
    }

    /// Goes on until the server wants more input, the handshake, or the end.
    fn run(&mut self) {
        while !self.is_closed {
            let step = self.server.advance(&mut self.input);
            if !matches!(step, Step::Question(_)) {
                self.said.append(self.server.output());
            }
            match step {
                Step::NeedInput | Step::StartTls => return,
                Step::Flush => {}
                Step::Close => self.is_closed = true,
                Step::Question(question) => {
                    let reply = self.answer(question);
                    self.server.answer(&reply);
                }
            }
        }
    }

    fn answer(&mut self, question: Question) -> Spoken {
        let client = Client { listener: &self.listener, address: self.client, user: self.user.as_deref(), certificate: &[] };
        match question {
            Question::Mail(request) => {
                let (sender_domain, spf) = (Some(SenderDomain::Found), Some(SpfResult::Pass));
                let is_tls = self.server.is_tls();
                let facts = SenderFacts { client, is_tls, reverse_path: &request.reverse_path, sender_domain, spf };
                let reply = spoken(sender(&facts, &*self.model));
                self.reverse_path = request.reverse_path;
                self.is_binary = request.body == BodyKind::Binary;
                reply
            }
            Question::Recipient(request) => {
                let facts = RecipientFacts {
                    client,
                    reverse_path: &self.reverse_path,
                    forward_path: &request.forward_path,
                    screen: ScreenFacts::CLEAR,
                    srs: None,
                };
                spoken(accept(&facts, &*self.model))
            }
            Question::Client(said) => {
                self.client = said.address.unwrap_or(self.client);
                self.user = said.login.map(String::from);
                Spoken::greeting(self.model.site().hostname.as_str())
            }
            Question::Forwarded(_) => Spoken::OK,
            Question::Authenticate(given) if (&*given.user, &*given.password) == LOGIN => {
                self.user = Some(given.user.into());
                Spoken::AUTHENTICATED
            }
            Question::Authenticate(_) | Question::Sasl(_) => Spoken::BAD_CREDENTIALS,
            Question::Message(message) if self.is_binary => {
                let mut form = TextForm::default();
                form.feed(&message.body);
                form.finish().map_or_else(|fault| fault, |_| Spoken::queued("0"))
            }
            Question::Message(_) => Spoken::queued("0"),
        }
    }

    fn next_line(&mut self) -> Option<String> {
        let end = self.said.windows(2).position(|window| window == b"\r\n")?;
        let line: Vec<u8> = self.said.drain(..end + 2).take(end).collect();
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

fn spoken<T>(answer: Answer<T>) -> Spoken {
    match answer {
        Answer::Verdict(verdict) => {
            let yes = matches!(verdict.disposition, Disposition::Accept(_));
            let reply = verdict.reason.reply();
            assert_eq!(yes, reply.code.is_positive(), "{:?} and its reply disagree", verdict.reason);
            reply
        }
        Answer::Need(need) => panic!("{need:?} was given and is asked for again"),
    }
}

impl Conversation for Core {
    fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.input.extend_from_slice(octets);
        self.run();
        Ok(())
    }

    fn reply(&mut self) -> io::Result<Option<Reply>> {
        let mut lines = Vec::new();
        while let Some(line) = self.next_line() {
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            let code = line.get(..3).and_then(|digits| digits.parse().ok());
            let Some(code) = code else { return Err(io::Error::other(format!("{line:?} is no reply"))) };
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Some(Reply { code, lines }));
            }
        }
        if self.is_closed && lines.is_empty() { Ok(None) } else { Err(io::Error::other("the server says nothing")) }
    }

    fn start_tls(&mut self) -> io::Result<()> {
        // Whatever arrived before the handshake was plaintext, and is none of the session's.
        self.input.clear();
        self.server.tls_started();
        self.run();
        if self.server.is_tls() { Ok(()) } else { Err(io::Error::other("the server does not wait for a handshake")) }
    }
}
