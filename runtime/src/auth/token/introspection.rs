//! Asking the issuer whether a token is good (RFC 7662), over HTTPS, as the client that the site names.

use super::Refused;
use crate::auth::Credentials;
use crate::auth::login::Outside;
use crate::auth::passwd::AuthError;
use crate::https::{self, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postern_schema::site::{SecretName, WebUrl};
use serde_json::{Map, Value};
use std::fmt::{self, Write};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The longest answer that is read, and how long the issuer may take.
const ANSWER_MAX_OCTETS: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(10);
/// How many questions there are at once.
static QUESTIONS: Semaphore = Semaphore::const_new(16);

/// Why an issuer has not decided. Never holds the token or our own secret.
#[derive(Debug)]
pub struct IssuerError {
    url: String,
    why: String,
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the issuer of tokens at {}: {}", self.url, self.why)
    }
}

impl std::error::Error for IssuerError {}

/// What the issuer says of a token that is good.
///
/// # Errors
/// [`AuthError`] where it says nothing that can be understood.
pub async fn claims(
    token: &str, url: &WebUrl, client: &str, secret: &SecretName, credentials: &Credentials, outside: &Outside<'_>,
) -> Result<Result<Map<String, Value>, Refused>, AuthError> {
    let failed = |why: String| AuthError::Issuer(IssuerError { url: url.to_string(), why });
    let password = credentials.read_line(secret).map_err(AuthError::Credential)?;
    // RFC 6749 2.3.1: both are encoded as in a form before they become a pair.
    let pair = format!("{}:{}", form_encoded(client), form_encoded(&password));
    let authorization = format!("Basic {}", STANDARD.encode(pair));
    let body = format!("token={}&token_type_hint=access_token", form_encoded(token));
    let tls = outside.tls.verifying().map_err(|why| failed(why.to_string()))?;
    let request = Request {
        host: &url.host,
        port: url.port,
        path: &url.path,
        authorization: Some(&authorization),
        body: Some(("application/x-www-form-urlencoded", body.as_bytes())),
        limit_octets: ANSWER_MAX_OCTETS,
        patience: PATIENCE,
    };
    let asked = async {
        let _place = QUESTIONS.acquire().await.map_err(|_| failed("closed".to_owned()))?;
        https::ask(&request, tls, outside.dns).await.map_err(|error| failed(error.to_string()))
    };
    let response = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(failed("it is too busy".to_owned())))?;
    if response.status != 200 {
        return Err(failed(format!("it answers with status {}", response.status)));
    }
    match serde_json::from_slice(&response.body) {
        Ok(Value::Object(claims)) => match claims.get("active") {
            Some(Value::Bool(true)) => Ok(Ok(claims)),
            Some(Value::Bool(false)) => Ok(Err(Refused("its issuer says that it is not active"))),
            _ => Err(failed("its answer does not say whether the token is active".to_owned())),
        },
        _ => Err(failed("its answer is no JSON object".to_owned())),
    }
}

fn form_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(char::from(octet)),
            // Writing into a string does not fail.
            _ => drop(write!(out, "%{octet:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::form_encoded;

    #[test]
    fn a_form_has_letters_and_escapes() {
        assert_eq!(form_encoded("a-Z0._*"), "a-Z0._*");
        assert_eq!(form_encoded("a b:c&d=é%"), "a%20b%3Ac%26d%3D%C3%A9%25");
    }
}
