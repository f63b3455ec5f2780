//! AUTH in a session: who may try, what is answered when, and what the log learns of it. Who is right is for [`crate::auth`].

use super::transaction::Peer;
use crate::auth::{Answer, AuthError, ChannelBindings, Exchange, LoggedIn, Login, Outside};
use crate::daemon::Daemon;
use crate::site::Generation;
use crate::smtp::sasl::{Credentials, SaslStep};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postern_schema::reply::Reply;
use std::time::Instant;

/// The logins of one session.
#[derive(Default)]
pub struct Logins {
    /// What the TLS channel is named by.
    pub bindings: ChannelBindings,
    exchange: Option<Exchange>,
}

impl Logins {
    /// Decides a user name and a password.
    pub async fn password(
        &mut self, daemon: &Daemon, generation: &Generation, peer: &mut Peer, credentials: &Credentials,
    ) -> Reply {
        let began = Instant::now();
        if !may_try(daemon, peer, &credentials.user, began) {
            return Reply::AUTH_LOCKED;
        }
        match self.login(daemon, generation, peer).password(&credentials.user, &credentials.password).await {
            Ok(Some(who)) => welcome(daemon, peer, &credentials.user, who),
            Ok(None) => refuse(daemon, peer, &credentials.user, began).await,
            Err(error) => undecided(peer, &error),
        }
    }

    /// Takes a step of an exchange by another mechanism.
    pub async fn step(&mut self, daemon: &Daemon, generation: &Generation, peer: &mut Peer, step: SaslStep) -> Reply {
        let began = Instant::now();
        let exchange = self.exchange.take();
        match self.login(daemon, generation, peer).step(exchange, step).await {
            Ok(Answer::Challenge(challenge, next)) => {
                self.exchange = Some(next);
                Reply::challenge(STANDARD.encode(challenge))
            }
            Ok(Answer::Yes(who)) => welcome(daemon, peer, &who.user.clone(), who),
            Ok(Answer::No(user)) => refuse(daemon, peer, &user, began).await,
            Err(error) => undecided(peer, &error),
        }
    }

    fn login<'a>(&'a self, daemon: &'a Daemon, generation: &'a Generation, peer: &'a Peer) -> Login<'a> {
        Login {
            stores: &generation.site().users,
            credentials: &daemon.credentials,
            dovecot: &daemon.dovecot,
            outside: Outside { tls: &daemon.client_tls, dns: &*daemon.dns },
            client: peer.address,
            bindings: &self.bindings,
            identity: peer.certificate.as_ref().and_then(|shown| shown.user.as_ref()),
        }
    }
}

fn may_try(daemon: &Daemon, peer: &Peer, user: &str, now: Instant) -> bool {
    let may = daemon.guesses.may_try(peer.address, user, now);
    if !may {
        lock_out(peer, user);
    }
    may
}

fn lock_out(peer: &Peer, user: &str) -> Reply {
    tracing::warn!(peer = %peer.address, listener = &*peer.listener, user, "login locked out");
    Reply::AUTH_LOCKED
}

/// `claimed`: the name that was tried, which the store may know as another.
fn welcome(daemon: &Daemon, peer: &mut Peer, claimed: &str, who: LoggedIn) -> Reply {
    // What comes while the account is locked counts for nothing. Others may have failed while this was looked into: whoever tries a
    // thousand at once learns no more than whoever tries one by one.
    if !may_try(daemon, peer, claimed, Instant::now()) {
        return Reply::AUTH_LOCKED;
    }
    tracing::info!(peer = %peer.address, listener = &*peer.listener, user = &*who.user, store = &*who.store, "login");
    daemon.guesses.succeeded(peer.address, claimed, Instant::now());
    (peer.user, peer.store) = (Some(who.user), Some(who.store));
    Reply::AUTHENTICATED
}

/// The pause counts from the beginning of the login, so that it hides how long the check took.
async fn refuse(daemon: &Daemon, peer: &Peer, user: &str, began: Instant) -> Reply {
    let Some(pause) = daemon.guesses.failed(peer.address, user, Instant::now()) else { return lock_out(peer, user) };
    tracing::info!(peer = %peer.address, listener = &*peer.listener, user, "login refused");
    tokio::time::sleep_until((began + pause).into()).await;
    Reply::BAD_CREDENTIALS
}

fn undecided(peer: &Peer, error: &AuthError) -> Reply {
    tracing::error!(peer = %peer.address, listener = &*peer.listener, %error, "login cannot be decided");
    Reply::AUTH_UNAVAILABLE
}
