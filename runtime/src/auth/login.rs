//! One login: which mechanisms are offered, and an exchange by those of them that the protocol core leaves to us. Whether
//! somebody may try at all, and how long a refusal waits, is for [`super::Guesses`]; how it is framed, for [`crate::smtp`].

use super::dovecot::{self, Conversation, Dovecot};
use super::passwd::{self, AuthError, Checked, ScramFiles};
use super::scram::{Challenged, ClientFirst};
use super::token::{self, Bearer, OAUTHBEARER, XOAUTH2};
use super::{ChannelBindings, Credentials, ldap};
use crate::deliver::tls::ClientTls;
use crate::dns::Dns;
use crate::smtp::sasl::{self, SaslStep};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use postern_schema::site::{TokenIssuer, UserBackend, UserStore};
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

const EXTERNAL: &str = sasl::EXTERNAL;
const PLAIN: &str = sasl::Mechanism::Plain.as_str();
const SCRAM: &str = "SCRAM-SHA-256";
const SCRAM_PLUS: &str = "SCRAM-SHA-256-PLUS";
/// Octets of chance in a nonce.
const NONCE_OCTETS: usize = 18;

/// A user whom a store knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedIn {
    /// The name, as the store has it.
    pub user: Box<str>,
    /// The name of the store, whose limits hold for the user.
    pub store: Box<str>,
}

/// How those are reached who know users and are not on this host.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// TLS towards them.
    pub tls: &'a ClientTls,
    /// Where they are.
    pub dns: &'a dyn Dns,
}

/// Who is asked, and over which channel.
pub struct Login<'a> {
    /// The stores of the site.
    pub stores: &'a [UserStore],
    /// Where their credentials are.
    pub credentials: &'a Credentials,
    /// What is known of the Dovecots among them.
    pub dovecot: &'a Dovecot,
    /// How directories and issuers are reached.
    pub outside: Outside<'a>,
    /// Where the user is.
    pub client: IpAddr,
    /// What the channel is named by.
    pub bindings: &'a ChannelBindings,
    /// The user that the client's certificate stands for.
    pub identity: Option<&'a LoggedIn>,
}

/// Where an exchange is.
pub struct Exchange(State);

enum State {
    /// EXTERNAL: who it wants to act as is awaited.
    External,
    /// Nothing was said; `true`: by the mechanism that binds.
    Scram(bool),
    Challenged(Box<(LoggedIn, Challenged)>),
    /// Our proof was sent, and the client has nothing to add.
    Proved(LoggedIn),
    /// Dovecot conducts it, for this store.
    Dovecot(Box<str>, Box<Conversation>),
    /// The one message of this mechanism is awaited.
    Token(&'static str),
    /// The client was told why its token is none, and has to say that it heard.
    TokenRefused(Box<str>),
}

/// What a step has led to.
pub enum Answer {
    /// The client is to answer this.
    Challenge(Vec<u8>, Exchange),
    /// This user has logged in.
    Yes(LoggedIn),
    /// Nobody has; the name is what was claimed, if anything was.
    No(Box<str>),
}

/// The mechanisms that every user of the site can log in by, the best first.
pub async fn mechanisms(stores: &[UserStore], credentials: &Credentials, dovecot: &Dovecot, files: &ScramFiles) -> Vec<Box<str>> {
    let own = sasl::Mechanism::ALL.map(sasl::Mechanism::as_str);
    // Where Dovecot alone has the users, it says how they log in. LOGIN is PLAIN by another name, and we read both.
    if let [UserStore { backend: UserBackend::Dovecot(socket), .. }] = stores
        && let Some(offered) = dovecot.mechanisms(socket).await
    {
        let is_plain = |name: &str| sasl::Mechanism::parse(name).is_some();
        let has_plain = offered.iter().any(|name| &**name == PLAIN);
        let others = offered.into_iter().filter(|name| !is_plain(name));
        return others.chain(own.into_iter().filter(|_| has_plain).map(Box::from)).collect();
    }
    let has = |wanted: fn(&UserBackend) -> bool| stores.iter().any(|store| wanted(&store.backend));
    let external = has(|backend| matches!(backend, UserBackend::Certificate(_))).then_some(EXTERNAL);
    let tokens: &[&str] = if has(|backend| matches!(backend, UserBackend::Tokens(_))) { &[OAUTHBEARER, XOAUTH2] } else { &[] };
    let is_of_passwords = |store: &&UserStore| !matches!(store.backend, UserBackend::Certificate(_) | UserBackend::Tokens(_));
    let stores: Vec<&UserStore> = stores.iter().filter(is_of_passwords).collect();
    let scram: &[&str] = if files.all_scram(&stores, credentials) { &[SCRAM_PLUS, SCRAM] } else { &[] };
    let offered = if stores.is_empty() { &[][..] } else { &own };
    external.iter().chain(scram).chain(offered).chain(tokens).map(|name| Box::from(*name)).collect()
}

impl Login<'_> {
    /// Who logs in by this name and password; `None`: nobody. Files are looked at first, and the first that knows the name
    /// decides; then each Dovecot, which may have another name for the user, and each directory is asked.
    ///
    /// # Errors
    /// [`AuthError`] where that cannot be known now.
    pub async fn password(&self, user: &str, password: &str) -> Result<Option<LoggedIn>, AuthError> {
        let has_file = self.stores.iter().any(|store| matches!(store.backend, UserBackend::Passwd(_)));
        if has_file {
            match passwd::verify(self.stores, self.credentials, user, password).await? {
                Checked::Right(store) => return Ok(Some(LoggedIn { user: user.into(), store })),
                Checked::Wrong => return Ok(None),
                Checked::Unknown => {}
            }
        }
        let response = format!("\0{user}\0{password}");
        for (store, socket) in self.dovecots() {
            let (mut conversation, _) = Conversation::open(socket).await?;
            match conversation.begin(PLAIN, self.client, Some(response.as_bytes())).await? {
                dovecot::Step::Yes(user) => return Ok(Some(LoggedIn { user, store: store.into() })),
                dovecot::Step::No(_) | dovecot::Step::Challenge(_) => {}
            }
        }
        for store in self.stores {
            let UserBackend::Directory(directory) = &store.backend else { continue };
            if ldap::bind(directory, self.outside.tls, self.outside.dns, user, password).await? {
                return Ok(Some(LoggedIn { user: user.into(), store: store.name.clone() }));
            }
        }
        Ok(None)
    }

    /// The sockets of the Dovecots, each with its store.
    fn dovecots(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stores.iter().filter_map(|store| match &store.backend {
            UserBackend::Dovecot(socket) => Some((&*store.name, &**socket)),
            _ => None,
        })
    }

    /// Takes what the client has said. `exchange`: what the step before has left, which `Begin` makes void.
    ///
    /// # Errors
    /// As for [`Login::password`].
    pub async fn step(&self, exchange: Option<Exchange>, step: SaslStep) -> Result<Answer, AuthError> {
        if let SaslStep::Begin { mechanism, initial } = &step
            && &**mechanism == EXTERNAL
        {
            return Ok(match initial {
                None => Answer::Challenge(Vec::new(), Exchange(State::External)),
                Some(acts_as) => self.external(acts_as),
            });
        }
        if let SaslStep::Begin { mechanism, initial } = &step
            && let Some(mechanism) = [OAUTHBEARER, XOAUTH2].into_iter().find(|known| **known == **mechanism)
            && self.issuers().next().is_some()
        {
            return match initial {
                None => Ok(Answer::Challenge(Vec::new(), Exchange(State::Token(mechanism)))),
                Some(message) => self.token(mechanism, message).await,
            };
        }
        // Where there is a Dovecot, what is offered beyond passwords is its own.
        if let (SaslStep::Begin { mechanism, initial }, Some((store, socket))) = (&step, self.dovecots().next()) {
            let (mut conversation, _) = Conversation::open(socket).await?;
            let step = conversation.begin(mechanism, self.client, initial.as_deref()).await?;
            return Ok(conducted(store.into(), conversation.into(), step));
        }
        let (state, response) = match (step, exchange) {
            (SaslStep::Begin { mechanism, initial: None }, _) => {
                return Ok(Answer::Challenge(Vec::new(), Exchange(State::Scram(&*mechanism == SCRAM_PLUS))));
            }
            (SaslStep::Begin { mechanism, initial: Some(response) }, _) => (State::Scram(&*mechanism == SCRAM_PLUS), response),
            (SaslStep::Response(response), Some(Exchange(state))) => (state, response),
            (SaslStep::Response(_), None) => return Ok(Answer::No("".into())),
        };
        match state {
            State::External => Ok(self.external(&response)),
            State::Token(mechanism) => self.token(mechanism, &response).await,
            State::TokenRefused(user) => Ok(Answer::No(user)),
            State::Scram(plus) => self.scram(&response, plus).await,
            State::Challenged(known) => {
                let (who, challenged) = *known;
                Ok(match challenged.verify(&response) {
                    Some(last) => Answer::Challenge(last.into_bytes(), Exchange(State::Proved(who))),
                    None => Answer::No(who.user),
                })
            }
            State::Dovecot(store, mut conversation) => {
                let step = conversation.respond(&response).await?;
                Ok(conducted(store, conversation, step))
            }
            State::Proved(who) if response.is_empty() => Ok(Answer::Yes(who)),
            State::Proved(who) => Ok(Answer::No(who.user)),
        }
    }

    fn issuers(&self) -> impl Iterator<Item = (&str, &TokenIssuer)> {
        self.stores.iter().filter_map(|store| match &store.backend {
            UserBackend::Tokens(issuer) => Some((&*store.name, issuer)),
            _ => None,
        })
    }

    /// RFC 7628 3.2.3: a client is told what is wrong with its token before it is refused.
    async fn token(&self, mechanism: &'static str, message: &[u8]) -> Result<Answer, AuthError> {
        let Some(bearer) = Bearer::parse(mechanism, message) else { return Ok(Answer::No("".into())) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        match token::check(self.issuers(), &bearer, self.credentials, &self.outside, now).await? {
            Ok(who) => Ok(Answer::Yes(who)),
            Err(refused) => {
                let claimed = bearer.user.unwrap_or_default();
                tracing::info!(peer = %self.client, user = claimed, why = refused.0, "token refused");
                Ok(Answer::Challenge(token::error(mechanism).into(), Exchange(State::TokenRefused(claimed.into()))))
            }
        }
    }

    /// RFC 4422 A: the client says nothing, or the name that its certificate has.
    fn external(&self, acts_as: &[u8]) -> Answer {
        match self.identity {
            Some(who) if acts_as.is_empty() || acts_as == who.user.as_bytes() => Answer::Yes(who.clone()),
            who => Answer::No(who.map(|who| who.user.clone()).unwrap_or_default()),
        }
    }

    async fn scram(&self, message: &[u8], plus: bool) -> Result<Answer, AuthError> {
        let Some(first) = ClientFirst::parse(message, plus, self.bindings) else { return Ok(Answer::No("".into())) };
        let user: Box<str> = first.user.as_str().into();
        let (record, store) = passwd::scram_record(self.stores, self.credentials, &user).await?;
        let mut chance = [0; NONCE_OCTETS];
        rand::fill(&mut chance).map_err(|_| AuthError::Aborted)?;
        let (message, challenged) = first.challenge(record, &STANDARD_NO_PAD.encode(chance));
        Ok(Answer::Challenge(message.into_bytes(), Exchange(State::Challenged(Box::new((LoggedIn { user, store }, challenged))))))
    }
}

fn conducted(store: Box<str>, conversation: Box<Conversation>, step: dovecot::Step) -> Answer {
    match step {
        dovecot::Step::Challenge(challenge) => Answer::Challenge(challenge, Exchange(State::Dovecot(store, conversation))),
        dovecot::Step::Yes(user) => Answer::Yes(LoggedIn { user, store }),
        dovecot::Step::No(user) => Answer::No(user),
    }
}
