//! SASL PLAIN (RFC 4616) and LOGIN, both sides of them: from responses to [`Credentials`], and back. Of every other mechanism
//! the server knows no more than its octets: a [`SaslStep`] for its caller.
//!
//! Nothing here knows whether a password is right. The server asks its caller; the client is told what to say.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postern_schema::reply::Reply;
use std::fmt;

/// The mechanism of whoever was identified by other means (RFC 4422 A), here by a certificate.
pub const EXTERNAL: &str = "EXTERNAL";

/// A mechanism of AUTH (RFC 4954) that ends in a user name and a password.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// User name and password, each asked for: never standardised, and what many clients speak.
    Login,
}

impl Mechanism {
    /// Every mechanism, the best first.
    pub const ALL: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
        }
    }

    /// Reads a name in any case (RFC 4954 4).
    pub fn parse(name: &str) -> Option<Mechanism> {
        Mechanism::ALL.into_iter().find(|mechanism| mechanism.as_str().eq_ignore_ascii_case(name))
    }
}

/// A user name and a password. `Debug` shows the user alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name, as it was sent; never empty.
    pub user: Box<str>,
    /// The password; never empty.
    pub password: Box<str>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials {{ user: {:?}, password: .. }}", self.user)
    }
}

impl Credentials {
    /// The one response of PLAIN, in base64: no authorization identity, user, password (RFC 4616 2).
    pub fn plain_response(&self) -> String {
        STANDARD.encode(format!("\0{}\0{}", self.user, self.password))
    }

    /// The two responses of LOGIN, in base64: user, then password.
    pub fn login_responses(&self) -> [String; 2] {
        [STANDARD.encode(self.user.as_bytes()), STANDARD.encode(self.password.as_bytes())]
    }
}

/// What the client has said in an exchange that the server's caller conducts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SaslStep {
    /// AUTH with the name of a mechanism that was offered, and perhaps an initial response, which may be empty.
    Begin {
        /// In capitals.
        mechanism: Box<str>,
        /// Decoded.
        initial: Option<Vec<u8>>,
    },
    /// The response to a challenge, decoded; may be empty.
    Response(Vec<u8>),
}

/// Reads a response; the empty one is written as `=` where it stands behind AUTH (RFC 4954 4).
///
/// # Errors
/// The reply to what is no base64.
pub fn decode(response: &[u8]) -> Result<Vec<u8>, Reply> {
    match response {
        b"=" => Ok(Vec::new()),
        response => STANDARD.decode(response).map_err(|_| Reply::AUTH_MALFORMED),
    }
}

/// The server's place in an exchange.
#[derive(Debug)]
pub enum Exchange {
    /// PLAIN: its response is awaited.
    Plain,
    /// LOGIN: the user name is awaited.
    LoginUser,
    /// LOGIN: the password of this user is awaited.
    LoginPassword(Box<str>),
}

/// What a response led to.
pub enum Progress {
    /// Another challenge.
    Next(Exchange),
    /// Everything is there.
    Complete(Credentials),
}

impl Exchange {
    /// The first place.
    pub fn start(mechanism: Mechanism) -> Exchange {
        match mechanism {
            Mechanism::Plain => Exchange::Plain,
            Mechanism::Login => Exchange::LoginUser,
        }
    }

    /// The challenge to send now: empty for PLAIN, which says all it has to in one response.
    pub fn challenge(&self) -> Reply {
        Reply::challenge(match self {
            Exchange::Plain => String::new(),
            Exchange::LoginUser => STANDARD.encode("Username:"),
            Exchange::LoginPassword(_) => STANDARD.encode("Password:"),
        })
    }

    /// Takes a response, still in base64. The empty one, which an initial response has to write as `=` (RFC 4954 4), is malformed
    /// in either spelling: both mechanisms have something to say.
    ///
    /// # Errors
    /// The reply to a response that cannot be read, or that wants to act as somebody else.
    pub fn respond(self, response: &[u8]) -> Result<Progress, Reply> {
        let octets = STANDARD.decode(response).map_err(|_| Reply::AUTH_MALFORMED)?;
        let text = String::from_utf8(octets).map_err(|_| Reply::AUTH_MALFORMED)?;
        match self {
            Exchange::Plain => read_plain(&text).map(Progress::Complete),
            _ if text.is_empty() || text.contains('\0') => Err(Reply::AUTH_MALFORMED),
            Exchange::LoginUser => Ok(Progress::Next(Exchange::LoginPassword(text.into()))),
            Exchange::LoginPassword(user) => Ok(Progress::Complete(Credentials { user, password: text.into() })),
        }
    }
}

/// RFC 4616 2: `[authzid] NUL authcid NUL passwd`.
fn read_plain(text: &str) -> Result<Credentials, Reply> {
    let mut parts = text.split('\0');
    let (Some(acts_as), Some(user), Some(password), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Reply::AUTH_MALFORMED);
    };
    if user.is_empty() || password.is_empty() {
        return Err(Reply::AUTH_MALFORMED);
    }
    // Nobody may act as somebody else here; several clients name themselves twice.
    if !acts_as.is_empty() && acts_as != user {
        return Err(Reply::BAD_CREDENTIALS);
    }
    Ok(Credentials { user: user.into(), password: password.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials { user: "alice".into(), password: "wönder".into() }
    }

    fn respond(exchange: Exchange, response: &str) -> Result<Progress, Reply> {
        exchange.respond(response.as_bytes())
    }

    fn plain(text: &str) -> Result<Credentials, Reply> {
        match respond(Exchange::Plain, &STANDARD.encode(text))? {
            Progress::Complete(credentials) => Ok(credentials),
            Progress::Next(_) => panic!("PLAIN has one response"),
        }
    }

    #[test]
    fn plain_round_trips_rfc_4616_2() {
        assert_eq!(plain("\0alice\0wönder"), Ok(credentials()));
        assert_eq!(plain("alice\0alice\0wönder"), Ok(credentials()));
        let Ok(Progress::Complete(read)) = respond(Exchange::Plain, &credentials().plain_response()) else { panic!() };
        assert_eq!(read, credentials());
    }

    #[test]
    fn plain_refuses_another_identity_rfc_4616_2() {
        assert_eq!(plain("root\0alice\0wönder"), Err(Reply::BAD_CREDENTIALS));
    }

    #[test]
    fn malformed_responses_rfc_4954_4() {
        for text in ["", "alice", "\0alice", "\0\0", "\0alice\0", "\0\0secret", "\0alice\0a\0b"] {
            assert_eq!(plain(text), Err(Reply::AUTH_MALFORMED), "{text:?}");
        }
        for response in ["!", "YQ", "YQ=", "/w==", "AA=="] {
            assert!(matches!(respond(Exchange::LoginUser, response), Err(reply) if reply == Reply::AUTH_MALFORMED), "{response}");
        }
    }

    #[test]
    fn login_round_trips() {
        let [user, password] = credentials().login_responses();
        let Ok(Progress::Next(exchange)) = respond(Exchange::start(Mechanism::Login), &user) else { panic!() };
        let Ok(Progress::Complete(read)) = respond(exchange, &password) else { panic!() };
        assert_eq!(read, credentials());
    }

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(format!("{:?}", credentials()), r#"Credentials { user: "alice", password: .. }"#);
    }
}
