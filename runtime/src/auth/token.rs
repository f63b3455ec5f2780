//! Tokens as logins: the two mechanisms that carry them (RFC 7628, and XOAUTH2 as Google and Microsoft have it), and what makes one
//! good. What a signed token says is in [`signed`]; what its issuer says of it, in [`introspection`].

pub mod introspection;
pub mod signed;

use super::passwd::AuthError;
use super::{Credentials, LoggedIn, login::Outside};
use postern_schema::site::{TokenIssuer, TokenProof};
use serde_json::{Map, Value};

/// RFC 7628 2.
pub const OAUTHBEARER: &str = "OAUTHBEARER";
/// Google's, older than the standard.
pub const XOAUTH2: &str = "XOAUTH2";
/// The longest token that is looked at.
pub const TOKEN_MAX_OCTETS: usize = 8 << 10;
/// The longest name of a user.
const USER_MAX_OCTETS: usize = 320;
/// How far the issuer's clock may be from ours, in seconds.
const CLOCK_SKEW: u64 = 60;

/// What a client has sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer {
    /// Who it says that it is; `None`: whoever the token is for.
    pub user: Option<String>,
    /// What it shows for that.
    pub token: String,
}

/// Why a token is no login: what RFC 6750 3.1 calls `invalid_token`. For the log; never holds the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused(pub &'static str);

impl Bearer {
    /// Reads the one message of a mechanism; `None`: it is none.
    pub fn parse(mechanism: &str, message: &[u8]) -> Option<Bearer> {
        let text = std::str::from_utf8(message).ok()?;
        let (user, fields) = match mechanism {
            OAUTHBEARER => {
                // RFC 7628 3.1: no channel is bound, so `p=` is not for us.
                let rest = text.strip_prefix("n,").or_else(|| text.strip_prefix("y,"))?;
                let (acts_as, fields) = rest.split_once(",\u{1}")?;
                let user = match acts_as.strip_prefix("a=") {
                    Some(name) => Some(unescaped(name)?),
                    None if acts_as.is_empty() => None,
                    None => return None,
                };
                (user, fields)
            }
            _ => {
                let (user, fields) = text.strip_prefix("user=")?.split_once('\u{1}')?;
                (Some(user.to_owned()).filter(|user| !user.is_empty()), fields)
            }
        };
        let fields = fields.strip_suffix("\u{1}\u{1}")?;
        let mut shown = fields.split('\u{1}').filter_map(|field| field.strip_prefix("auth="));
        let (scheme, token) = shown.next()?.split_once(' ')?;
        let is_token = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+/=".contains(&octet);
        let is_whole = scheme.eq_ignore_ascii_case("bearer") && shown.next().is_none();
        let token = token.trim_matches(' ');
        let fits = (1..=TOKEN_MAX_OCTETS).contains(&token.len()) && token.bytes().all(is_token);
        (is_whole && fits).then(|| Bearer { user, token: token.to_owned() })
    }
}

/// What a client is told before it is refused (RFC 7628 3.2.2); it answers with a lone `^A`, or anything.
pub fn error(mechanism: &str) -> &'static str {
    match mechanism {
        OAUTHBEARER => r#"{"status":"invalid_token"}"#,
        _ => r#"{"status":"401","schemes":"bearer"}"#,
    }
}

/// RFC 5801 4: `=2C` is a comma, `=3D` an equals sign, and there is no other.
fn unescaped(name: &str) -> Option<String> {
    let bare = name.replace("=2C", "").replace("=3D", "");
    (!name.is_empty() && !bare.contains('=')).then(|| name.replace("=2C", ",").replace("=3D", "="))
}

/// Whom the token is a login of, by one of these issuers, each of the store of that name.
///
/// # Errors
/// [`AuthError`] where one of them cannot be asked, and no other knows the token.
pub async fn check<'a>(
    issuers: impl Iterator<Item = (&'a str, &'a TokenIssuer)>, bearer: &Bearer, credentials: &Credentials, outside: &Outside<'_>,
    now: u64,
) -> Result<Result<LoggedIn, Refused>, AuthError> {
    let (mut refused, mut failed) = (Refused("no issuer"), None);
    for (store, issuer) in issuers {
        let claims = match &issuer.proof {
            TokenProof::Keys(keys) => signed::claims(&bearer.token, keys).and_then(|claims| {
                is_from(&claims, issuer)?;
                Ok(claims)
            }),
            TokenProof::Introspection { url, client, secret } => {
                match introspection::claims(&bearer.token, url, client, secret, credentials, outside).await {
                    Ok(claims) => claims,
                    Err(error) => {
                        failed = Some(error);
                        continue;
                    }
                }
            }
        };
        match claims.and_then(|claims| user(&claims, issuer, now)) {
            Ok(user) if bearer.user.as_deref().is_none_or(|said| said == &*user) => {
                return Ok(Ok(LoggedIn { user, store: store.into() }));
            }
            Ok(_) => refused = Refused("it is for another user"),
            Err(why) => refused = why,
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(Err(refused)),
    }
}

/// RFC 7519 4.1.1: a signed token says who has issued it.
fn is_from(claims: &Map<String, Value>, issuer: &TokenIssuer) -> Result<(), Refused> {
    let is_from = claims.get("iss").and_then(Value::as_str) == Some(&issuer.issuer);
    if is_from { Ok(()) } else { Err(Refused("it is of another issuer")) }
}

/// The user that genuine claims are about, if they are for us and for now (RFC 7519 4.1).
fn user(claims: &Map<String, Value>, issuer: &TokenIssuer, now: u64) -> Result<Box<str>, Refused> {
    if claims.get("iss").is_some() {
        is_from(claims, issuer)?;
    }
    let is_ours = |audience: &Value| audience.as_str() == Some(&issuer.audience);
    let is_for_us = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.iter().any(is_ours),
        Some(audience) => is_ours(audience),
        None => false,
    };
    if !is_for_us {
        return Err(Refused("it is for another audience"));
    }
    // A number may have a fraction (RFC 7519 2).
    let time =
        |name: &str| claims.get(name).map(|value| value.as_f64().map(|seconds| seconds as u64).ok_or(Refused("a time is none")));
    let expires = time("exp").transpose()?.ok_or(Refused("it never expires"))?;
    if expires.saturating_add(CLOCK_SKEW) <= now {
        return Err(Refused("it has expired"));
    }
    if time("nbf").transpose()?.is_some_and(|begins| begins > now.saturating_add(CLOCK_SKEW)) {
        return Err(Refused("it is not good yet"));
    }
    let user = claims.get(&*issuer.claim).and_then(Value::as_str).ok_or(Refused("it names no user"))?;
    let is_name = (1..=USER_MAX_OCTETS).contains(&user.len()) && !user.chars().any(char::is_control);
    if is_name { Ok(user.into()) } else { Err(Refused("its user has no name")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(mechanism: &str, text: &str) -> Option<(Option<String>, String)> {
        Bearer::parse(mechanism, text.as_bytes()).map(|bearer| (bearer.user, bearer.token))
    }

    #[test]
    fn both_mechanisms_carry_a_name_and_a_token_rfc_7628_4_1() {
        let some = |user: &str, token: &str| Some((Some(user.to_owned()), token.to_owned()));
        let of_rfc = "n,a=user@example.com,\u{1}host=server.example.com\u{1}port=143\u{1}auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u{1}\u{1}";
        assert_eq!(parsed(OAUTHBEARER, of_rfc), some("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
        assert_eq!(parsed(OAUTHBEARER, "n,,\u{1}auth=bearer  abc\u{1}\u{1}"), Some((None, "abc".to_owned())));
        assert_eq!(parsed(OAUTHBEARER, "y,a=a=2Cb=3Dc,\u{1}auth=Bearer abc\u{1}\u{1}"), some("a,b=c", "abc"));
        assert_eq!(parsed(XOAUTH2, "user=alice@example.com\u{1}auth=Bearer abc\u{1}\u{1}"), some("alice@example.com", "abc"));
    }

    #[test]
    fn anything_else_is_no_message() {
        for wrong in [
            "",
            "n,,",
            "n,,\u{1}\u{1}",
            "p=tls-exporter,,\u{1}auth=Bearer abc\u{1}\u{1}",
            "n,a=,\u{1}auth=Bearer abc\u{1}\u{1}",
            "n,b=x,\u{1}auth=Bearer abc\u{1}\u{1}",
            "n,,\u{1}auth=Bearer abc\u{1}",
            "n,,\u{1}auth=Basic abc\u{1}\u{1}",
            "n,,\u{1}auth=Bearer \u{1}\u{1}",
            "n,,\u{1}auth=Bearer a b\u{1}\u{1}",
            "n,,\u{1}auth=Bearer a\u{1}auth=Bearer b\u{1}\u{1}",
            "user=a\u{1}auth=Bearer abc\u{1}\u{1}",
            "n,a=a=2cb,\u{1}auth=Bearer abc\u{1}\u{1}",
        ] {
            assert_eq!(parsed(OAUTHBEARER, wrong), None, "{wrong:?}");
        }
        let long = format!("n,,\u{1}auth=Bearer {}\u{1}\u{1}", "a".repeat(TOKEN_MAX_OCTETS + 1));
        assert_eq!(parsed(OAUTHBEARER, &long), None);
        assert_eq!(parsed(XOAUTH2, "n,,\u{1}auth=Bearer abc\u{1}\u{1}"), None);
    }

    #[test]
    fn claims_are_for_us_and_for_now_rfc_7519_4_1() {
        let issuer = TokenIssuer {
            issuer: "https://id.example".into(),
            audience: "mail".into(),
            claim: "email".into(),
            proof: TokenProof::Keys(Vec::new()),
        };
        let good =
            json!({ "iss": "https://id.example", "aud": ["web", "mail"], "exp": 1000, "nbf": 900, "email": "alice@example.com" });
        let judged = |change: &dyn Fn(&mut Map<String, Value>), now| {
            let mut claims = good.as_object().unwrap().clone();
            change(&mut claims);
            user(&claims, &issuer, now).map_err(|refused| refused.0)
        };
        assert_eq!(judged(&|_| {}, 950).as_deref(), Ok("alice@example.com"));
        assert_eq!(judged(&|_| {}, 1059).as_deref(), Ok("alice@example.com"));
        assert_eq!(judged(&|_| {}, 1060), Err("it has expired"));
        assert_eq!(judged(&|_| {}, 839), Err("it is not good yet"));
        let with =
            |name: &'static str, value: Value| judged(&move |claims| drop(claims.insert(name.to_owned(), value.clone())), 950);
        assert_eq!(with("iss", json!("https://evil.example")), Err("it is of another issuer"));
        assert_eq!(with("aud", json!("web")), Err("it is for another audience"));
        assert_eq!(with("aud", json!("mail")).as_deref(), Ok("alice@example.com"));
        assert_eq!(with("exp", json!("never")), Err("a time is none"));
        assert_eq!(with("email", json!("a\r\nb")), Err("its user has no name"));
        assert_eq!(with("email", json!(7)), Err("it names no user"));
        let without = |name: &'static str| judged(&move |claims| drop(claims.remove(name)), 950);
        assert_eq!(without("exp"), Err("it never expires"));
        assert_eq!(without("aud"), Err("it is for another audience"));
    }
}
