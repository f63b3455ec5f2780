//! How a client logs in: which of the mechanisms that a peer offers, and what it says in each (RFC 4954). A password is proved by
//! SCRAM-SHA-256 (RFC 5802, RFC 7677) where the peer can, which then never learns it, and said by PLAIN or LOGIN elsewhere; a token is
//! said by XOAUTH2 or OAUTHBEARER (RFC 7628).
//!
//! Pure: the nonce is an argument.

use crate::smtp::sasl::Credentials;
use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::num::NonZeroU32;

const KEY_OCTETS: usize = digest::SHA256_OUTPUT_LEN;
/// The most iterations that a peer may ask for: more would hold up everybody else.
const ITERATIONS_MAX: u32 = 200_000;

/// How to log in.
#[derive(Clone, Debug)]
pub struct ClientLogin {
    /// User and password, or user and token.
    pub credentials: Credentials,
    /// It is a token (RFC 6750).
    pub bearer: bool,
    /// Printable ASCII without a comma, never used before.
    pub nonce: Box<str>,
}

/// What a peer offers of what we speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Offered {
    /// RFC 4616.
    pub plain: bool,
    /// Never standardised.
    pub login: bool,
    /// RFC 7677.
    pub scram: bool,
    /// Google's and Microsoft's.
    pub xoauth2: bool,
    /// RFC 7628.
    pub oauthbearer: bool,
}

impl Offered {
    /// Takes note of the name of a mechanism, in any case.
    pub fn note(&mut self, name: &str) {
        match name.to_ascii_uppercase().as_str() {
            "PLAIN" => self.plain = true,
            "LOGIN" => self.login = true,
            "SCRAM-SHA-256" => self.scram = true,
            "XOAUTH2" => self.xoauth2 = true,
            "OAUTHBEARER" => self.oauthbearer = true,
            _ => {}
        }
    }
}

/// An exchange under way.
#[derive(Debug)]
pub enum LoginExchange {
    /// Nothing more is to be said than this, last first.
    Say(Vec<String>),
    /// The server's first message of SCRAM is awaited.
    ScramFirst(Scram),
    /// Its last one is; this is what it must be.
    ScramLast(String),
    /// A token was refused: the reply comes once we have said that we have heard why.
    TokenRefused,
    /// All is said.
    Over,
}

/// What was said first in SCRAM.
pub struct Scram {
    bare: String,
    nonce: Box<str>,
    password: Box<str>,
}

impl std::fmt::Debug for Scram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scram { .. }")
    }
}

/// Begins with the best that the peer offers: the line to send. `None` where it offers nothing that fits.
pub fn begin(login: &ClientLogin, offered: Offered) -> Option<(String, LoginExchange)> {
    let credentials = &login.credentials;
    let say = |text: String| STANDARD.encode(text);
    Some(match login.bearer {
        true if offered.xoauth2 => {
            let text = format!("user={}\x01auth=Bearer {}\x01\x01", credentials.user, credentials.password);
            (format!("AUTH XOAUTH2 {}", say(text)), LoginExchange::TokenRefused)
        }
        true if offered.oauthbearer => {
            let user = escaped(&credentials.user);
            let text = format!("n,a={user},\x01auth=Bearer {}\x01\x01", credentials.password);
            (format!("AUTH OAUTHBEARER {}", say(text)), LoginExchange::TokenRefused)
        }
        true => return None,
        // The names and passwords of others would have to be prepared (RFC 4013), so they are said as they are.
        false if offered.scram && credentials.user.is_ascii() && credentials.password.is_ascii() => {
            let bare = format!("n={},r={}", escaped(&credentials.user), login.nonce);
            let first = say(format!("n,,{bare}"));
            let scram = Scram { bare, nonce: login.nonce.clone(), password: credentials.password.clone() };
            (format!("AUTH SCRAM-SHA-256 {first}"), LoginExchange::ScramFirst(scram))
        }
        false if offered.plain => (format!("AUTH PLAIN {}", credentials.plain_response()), LoginExchange::Over),
        false if offered.login => {
            let [user, password] = credentials.login_responses();
            ("AUTH LOGIN".to_owned(), LoginExchange::Say(vec![password, user]))
        }
        false => return None,
    })
}

impl LoginExchange {
    /// The response to a challenge, and what follows; `None` where the challenge is none that makes sense.
    pub fn respond(self, challenge: &str) -> Option<(String, LoginExchange)> {
        match self {
            LoginExchange::Say(mut responses) => Some((responses.pop()?, LoginExchange::Say(responses))),
            LoginExchange::ScramFirst(scram) => {
                let challenge = String::from_utf8(STANDARD.decode(challenge).ok()?).ok()?;
                let (answer, last) = scram.answer(&challenge)?;
                Some((STANDARD.encode(answer), LoginExchange::ScramLast(last)))
            }
            LoginExchange::ScramLast(expected) => {
                let said = STANDARD.decode(challenge).ok()?;
                constant_time::verify_slices_are_equal(&said, expected.as_bytes()).ok()?;
                Some((String::new(), LoginExchange::Over))
            }
            LoginExchange::TokenRefused => Some((String::new(), LoginExchange::Over)),
            LoginExchange::Over => None,
        }
    }

    /// Whether the peer may say yes now. With SCRAM it must have proved that it knows the password too (RFC 5802 3).
    pub fn may_succeed(&self) -> bool {
        !matches!(self, LoginExchange::ScramFirst(_) | LoginExchange::ScramLast(_))
    }
}

impl Scram {
    /// Our proof, and the proof that the server owes us (RFC 5802 3).
    fn answer(&self, challenge: &str) -> Option<(String, String)> {
        let mut attributes = challenge.split(',');
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let salt = STANDARD.decode(attributes.next()?.strip_prefix("s=")?).ok()?;
        let iterations: u32 = attributes.next()?.strip_prefix("i=")?.parse().ok()?;
        let iterations = NonZeroU32::new(iterations).filter(|count| count.get() <= ITERATIONS_MAX)?;
        if !nonce.starts_with(&*self.nonce) || nonce.len() == self.nonce.len() {
            return None;
        }
        let mut salted = [0; KEY_OCTETS];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, self.password.as_bytes(), &mut salted);
        let client_key = mac(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        // "biws" is "n,,": no channel is bound.
        let unproved = format!("c=biws,r={nonce}");
        let whole = format!("{},{challenge},{unproved}", self.bare);
        let mut proof = mac(stored_key.as_ref(), whole.as_bytes());
        proof.iter_mut().zip(client_key).for_each(|(octet, key)| *octet ^= key);
        let server = mac(&mac(&salted, b"Server Key"), whole.as_bytes());
        Some((format!("{unproved},p={}", STANDARD.encode(proof)), format!("v={}", STANDARD.encode(server))))
    }
}

/// RFC 5802 5.1.
fn escaped(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

fn mac(key: &[u8], message: &[u8]) -> [u8; KEY_OCTETS] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    std::array::from_fn(|index| tag.as_ref()[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str, password: &str, bearer: bool) -> ClientLogin {
        let credentials = Credentials { user: user.into(), password: password.into() };
        ClientLogin { credentials, bearer, nonce: "rOprNGfwEbeRWgbNEkqO".into() }
    }

    fn decoded(line: &str) -> String {
        String::from_utf8(STANDARD.decode(line.rsplit(' ').next().unwrap()).unwrap()).unwrap()
    }

    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    #[test]
    fn the_example_of_rfc_7677_3() {
        let offered = Offered { scram: true, plain: true, ..Offered::default() };
        let (line, exchange) = begin(&login("user", "pencil", false), offered).unwrap();
        assert_eq!(decoded(&line), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let (answer, exchange) = exchange.respond(&STANDARD.encode(CHALLENGE)).unwrap();
        assert_eq!(
            decoded(&answer),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(!exchange.may_succeed(), "the server has proved nothing yet");
        let last = STANDARD.encode("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert!(exchange.respond(&last).unwrap().1.may_succeed());
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found_out_rfc_5802_3() {
        let scram = || begin(&login("user", "pencil", false), Offered { scram: true, ..Offered::default() }).unwrap().1;
        let (_, exchange) = scram().respond(&STANDARD.encode(CHALLENGE)).unwrap();
        assert!(exchange.respond(&STANDARD.encode("v=AAAA")).is_none());
        for (what, with) in [("r=rO", "r=xO"), ("i=4096", "i=0"), ("i=4096", "i=2000000"), ("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "")]
        {
            assert!(scram().respond(&STANDARD.encode(CHALLENGE.replace(what, with))).is_none(), "{what} {with}");
        }
    }

    #[test]
    fn a_token_is_never_said_as_a_password_rfc_7628_3_1() {
        let all = Offered { plain: true, login: true, scram: true, xoauth2: true, oauthbearer: true };
        let (line, exchange) = begin(&login("a@b", "t0ken", true), all).unwrap();
        assert!(line.starts_with("AUTH XOAUTH2 "));
        assert_eq!(decoded(&line), "user=a@b\x01auth=Bearer t0ken\x01\x01");
        assert_eq!(exchange.respond("e30=").unwrap().0, "", "why it was refused is heard, and the reply follows");
        let (line, _) = begin(&login("a@b", "t0ken", true), Offered { xoauth2: false, ..all }).unwrap();
        assert_eq!(decoded(&line), "n,a=a@b,\x01auth=Bearer t0ken\x01\x01");
        assert!(begin(&login("a@b", "t0ken", true), Offered { xoauth2: false, oauthbearer: false, ..all }).is_none());
        assert!(begin(&login("a@b", "pw", false), Offered { xoauth2: true, oauthbearer: true, ..Offered::default() }).is_none());
    }
}
