//! One login: which mechanisms are offered, and an exchange by those of them that the protocol core leaves to us. Whether
//! somebody may try at all, and how long a refusal waits, is for [`super::Guesses`]; how it is framed, for [`crate::smtp`].

use super::Credentials;
use super::passwd::{self, AuthError};
use super::scram::{Challenged, ClientFirst};
use crate::smtp::sasl::{self, SaslStep};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use postern_schema::site::UserStore;

const SCRAM: &str = "SCRAM-SHA-256";
const SCRAM_PLUS: &str = "SCRAM-SHA-256-PLUS";
/// Octets of chance in a nonce.
const NONCE_OCTETS: usize = 18;

/// What a name that binds a login to its TLS channel has (RFC 9266 2).
pub type ChannelBinding = [u8; 32];

/// Who is asked, and over which channel.
pub struct Login<'a> {
    /// The stores of the site.
    pub stores: &'a [UserStore],
    /// Where their credentials are.
    pub credentials: &'a Credentials,
    /// The channel's name, where it has one.
    pub binding: Option<&'a ChannelBinding>,
}

/// Where an exchange is.
pub struct Exchange(State);

enum State {
    /// Nothing was said; `true`: by the mechanism that binds.
    Scram(bool),
    Challenged(Box<str>, Box<Challenged>),
    /// Our proof was sent, and the client has nothing to add.
    Proved(Box<str>),
}

/// What a step has led to.
pub enum Answer {
    /// The client is to answer this.
    Challenge(Vec<u8>, Exchange),
    /// This user has logged in.
    Yes(Box<str>),
    /// Nobody has; the name is what was claimed, if anything was.
    No(Box<str>),
}

/// The mechanisms that every user of the site can log in by, the best first.
pub fn mechanisms(stores: &[UserStore], credentials: &Credentials) -> Vec<Box<str>> {
    let own = sasl::Mechanism::ALL.map(sasl::Mechanism::as_str);
    let scram: &[&str] = if passwd::all_scram(stores, credentials) { &[SCRAM_PLUS, SCRAM] } else { &[] };
    let offered = if stores.is_empty() { &[][..] } else { &own };
    scram.iter().chain(offered).map(|name| Box::from(*name)).collect()
}

impl Login<'_> {
    /// Whether this is the password of the user.
    ///
    /// # Errors
    /// [`AuthError`] where that cannot be known now.
    pub async fn password(&self, user: &str, password: &str) -> Result<bool, AuthError> {
        passwd::verify(self.stores, self.credentials, user, password).await.map(|verdict| verdict == Some(true))
    }

    /// Takes what the client has said. `exchange`: what the step before has left, which `Begin` makes void.
    ///
    /// # Errors
    /// As for [`Login::password`].
    pub async fn step(&self, exchange: Option<Exchange>, step: SaslStep) -> Result<Answer, AuthError> {
        let (state, response) = match (step, exchange) {
            (SaslStep::Begin { mechanism, initial: None }, _) => {
                return Ok(Answer::Challenge(Vec::new(), Exchange(State::Scram(&*mechanism == SCRAM_PLUS))));
            }
            (SaslStep::Begin { mechanism, initial: Some(response) }, _) => (State::Scram(&*mechanism == SCRAM_PLUS), response),
            (SaslStep::Response(response), Some(Exchange(state))) => (state, response),
            (SaslStep::Response(_), None) => return Ok(Answer::No("".into())),
        };
        match state {
            State::Scram(plus) => self.scram(&response, plus).await,
            State::Challenged(user, challenged) => {
                let last = challenged.verify(&response, self.binding.map(|binding| &binding[..]));
                Ok(match last {
                    Some(last) => Answer::Challenge(last.into_bytes(), Exchange(State::Proved(user))),
                    None => Answer::No(user),
                })
            }
            State::Proved(user) if response.is_empty() => Ok(Answer::Yes(user)),
            State::Proved(user) => Ok(Answer::No(user)),
        }
    }

    async fn scram(&self, message: &[u8], plus: bool) -> Result<Answer, AuthError> {
        let Some(first) = ClientFirst::parse(message, plus, self.binding.is_some()) else { return Ok(Answer::No("".into())) };
        let user: Box<str> = first.user.as_str().into();
        let record = passwd::scram_record(self.stores, self.credentials, &user).await?;
        let mut chance = [0; NONCE_OCTETS];
        rand::fill(&mut chance).map_err(|_| AuthError::Aborted)?;
        let (message, challenged) = first.challenge(record, &STANDARD_NO_PAD.encode(chance));
        Ok(Answer::Challenge(message.into_bytes(), Exchange(State::Challenged(user, Box::new(challenged)))))
    }
}
