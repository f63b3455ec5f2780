//! One certificate from an authority: account, order, challenges, and the chain (RFC 8555 7). Nothing is kept here; what has to
//! outlive it is for [`super::store`].

use super::challenge::Challenges;
use super::jose::{AccountKey, Identity};
use crate::dns::Dns;
use crate::https::{self, Request, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_schema::name::Domain;
use postern_schema::site::{Acme, WebUrl};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::ClientConfig;
use serde_json::{Value, json};
use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one request may take, and the longest answer.
const PATIENCE: Duration = Duration::from_secs(30);
const ANSWER_MAX_OCTETS: usize = 256 << 10;
/// How long the authority may take to look at a name, or to make a certificate.
const DECISION_PATIENCE: Duration = Duration::from_secs(120);
/// The pause between two looks at what it has decided; its own wish counts up to a bound.
const LOOK: Duration = Duration::from_millis(500);
const LOOK_MAX: Duration = Duration::from_secs(10);
/// How often a nonce may be refused before that is a failure (RFC 8555 6.5).
const NONCE_TRIES: usize = 3;

/// A certificate with its key, in PEM.
pub struct Issued {
    /// The leaf first.
    pub chain: String,
    /// PKCS #8.
    pub key: String,
}

/// One visit to the authority.
pub struct Visit<'a> {
    tls: Arc<ClientConfig>,
    dns: &'a dyn Dns,
    key: &'a AccountKey,
    challenges: &'a Challenges,
    /// Names are shown by http-01.
    by_file: bool,
    new_nonce: WebUrl,
    new_order: WebUrl,
    new_account: WebUrl,
    nonce: Option<String>,
    account: String,
}

/// Gets a certificate for these names.
///
/// # Errors
/// What went wrong, for people: never holds a key or an authorization.
pub async fn obtain(
    acme: &Acme, names: &[Domain], key: &AccountKey, challenges: &Challenges, tls: Arc<ClientConfig>, dns: &dyn Dns,
) -> Result<Issued, String> {
    let mut visit = Visit::begin(acme, key, challenges, tls, dns).await?;
    let identifiers: Vec<Value> = names.iter().map(|name| json!({ "type": "dns", "value": name.as_str() })).collect();
    let new_order = visit.new_order.clone();
    let (order, order_url) = visit.created(&new_order, &json!({ "identifiers": identifiers })).await?;
    let authorizations = order["authorizations"].as_array().ok_or("its order names no authorizations")?;
    if authorizations.len() > names.len() {
        return Err("its order wants more than was ordered".to_owned());
    }
    for authorization in authorizations {
        visit.authorize(&url_in(authorization)?, names).await?;
    }
    let (request, key) = signing_request(names)?;
    let finalize = url_in(&order["finalize"])?;
    visit.post(&finalize, Some(&json!({ "csr": URL_SAFE_NO_PAD.encode(request) }))).await?;
    let order = visit.decided(&order_url, "valid").await?;
    let answer = visit.post(&url_in(&order["certificate"])?, None).await?;
    let chain = String::from_utf8(answer.body).map_err(|_| "its chain is no text")?;
    Ok(Issued { chain, key })
}

/// A request for a certificate (RFC 2986), with a fresh key.
fn signing_request(names: &[Domain]) -> Result<(Vec<u8>, String), String> {
    let failed = |error: rcgen::Error| format!("a request cannot be made: {error}");
    let key = KeyPair::generate().map_err(failed)?;
    let mut params =
        CertificateParams::new(names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(failed)?;
    Ok((request.der().to_vec(), key.serialize_pem()))
}

fn url_in(value: &Value) -> Result<WebUrl, String> {
    value.as_str().and_then(WebUrl::parse).ok_or_else(|| "it does not say where to ask next".to_owned())
}

impl<'a> Visit<'a> {
    async fn begin(
        acme: &Acme, key: &'a AccountKey, challenges: &'a Challenges, tls: Arc<ClientConfig>, dns: &'a dyn Dns,
    ) -> Result<Visit<'a>, String> {
        let answer = send(&acme.directory, None, tls.clone(), dns).await?;
        let directory = content(&answer)?;
        let place = |name: &str| url_in(&directory[name]);
        let (new_nonce, new_order, new_account) = (place("newNonce")?, place("newOrder")?, place("newAccount")?);
        let by_file = acme.http.is_some();
        let mut visit =
            Visit { tls, dns, key, challenges, by_file, new_nonce, new_order, new_account, nonce: None, account: String::new() };
        let mut wanted = json!({ "termsOfServiceAgreed": true });
        if let Some(contact) = &acme.contact {
            wanted["contact"] = json!([format!("mailto:{contact}")]);
        }
        // RFC 8555 7.3.1: whoever has an account already is given its name.
        let new_account = visit.new_account.clone();
        let answer = visit.post(&new_account, Some(&wanted)).await?;
        visit.account = answer.field("location").ok_or("it names no account")?.to_owned();
        Ok(visit)
    }

    /// Shows that a name is ours (RFC 8555 7.5).
    async fn authorize(&mut self, url: &WebUrl, names: &[Domain]) -> Result<(), String> {
        let answer = self.post(url, None).await?;
        let authorization = content(&answer)?;
        if authorization["status"] == "valid" {
            return Ok(());
        }
        let name = authorization["identifier"]["value"].as_str().and_then(|name| Domain::parse(name).ok());
        let name = name.filter(|name| names.contains(name)).ok_or("it asks about a name that was not ordered")?;
        let offered = authorization["challenges"].as_array().map_or(&[][..], Vec::as_slice);
        let kind = if self.by_file { "http-01" } else { "tls-alpn-01" };
        let challenge = offered.iter().find(|challenge| challenge["type"] == kind);
        let challenge = challenge.ok_or_else(|| format!("{name}: it offers no {kind}"))?;
        // RFC 8555 8.1.
        let token = challenge["token"].as_str().filter(|token| !token.is_empty()).ok_or("its challenge has no token")?;
        let answer = format!("{token}.{}", self.key.thumbprint());
        let _shown = match self.by_file {
            true => self.challenges.serve(&name, token, &answer),
            false => self.challenges.show(&name, &answer).map_err(|error| format!("{name}: {error}"))?,
        };
        self.post(&url_in(&challenge["url"])?, Some(&json!({}))).await?;
        self.decided(url, "valid").await.map(drop).map_err(|error| format!("{name}: {error}"))
    }

    /// Looks until an order or authorization is decided.
    async fn decided(&mut self, url: &WebUrl, wanted: &str) -> Result<Value, String> {
        let deadline = Instant::now() + DECISION_PATIENCE;
        loop {
            let answer = self.post(url, None).await?;
            let found = content(&answer)?;
            match found["status"].as_str().unwrap_or_default() {
                status if status == wanted => return Ok(found),
                "pending" | "processing" | "ready" => {}
                status => return Err(format!("it says {status:?}: {}", why(&found))),
            }
            if Instant::now() > deadline {
                return Err("it does not decide".to_owned());
            }
            let wish = answer.field("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
            tokio::time::sleep(wish.unwrap_or(LOOK).clamp(LOOK, LOOK_MAX)).await;
        }
    }

    async fn created(&mut self, url: &WebUrl, payload: &Value) -> Result<(Value, WebUrl), String> {
        let answer = self.post(url, Some(payload)).await?;
        let place = answer.field("location").and_then(WebUrl::parse).ok_or("it does not say where the order is")?;
        Ok((content(&answer)?, place))
    }

    /// A signed request, which has to succeed.
    async fn post(&mut self, url: &WebUrl, payload: Option<&Value>) -> Result<Response, String> {
        for _ in 0..NONCE_TRIES {
            let nonce = match self.nonce.take() {
                Some(nonce) => nonce,
                None => {
                    let answer = send(&self.new_nonce, None, self.tls.clone(), self.dns).await?;
                    answer.field("replay-nonce").ok_or("it gives no nonce")?.to_owned()
                }
            };
            let identity = if self.account.is_empty() { Identity::Key } else { Identity::Account(&self.account) };
            let body = self.key.signed(identity, &nonce, &url.to_string(), payload).ok_or("there is no randomness")?;
            let answer = send(url, Some(&body), self.tls.clone(), self.dns).await?;
            self.nonce = answer.field("replay-nonce").map(str::to_owned);
            if (200..300).contains(&answer.status) {
                return Ok(answer);
            }
            let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if problem["type"] != "urn:ietf:params:acme:error:badNonce" {
                return Err(format!("it answers {} at {url}: {}", answer.status, why(&problem)));
            }
        }
        Err("it refuses every nonce".to_owned())
    }
}

/// What is wrong, in the words of the authority (RFC 9457), made harmless.
fn why(problem: &Value) -> String {
    let challenges = problem["challenges"].as_array().map_or(&[][..], Vec::as_slice);
    let errors = challenges.iter().map(|challenge| &challenge["error"]).chain([&problem["error"], problem]);
    let detail = errors.filter_map(|error| error["detail"].as_str()).next().unwrap_or("no reason given");
    detail.chars().filter(|character| !character.is_control()).take(300).collect()
}

fn content(answer: &Response) -> Result<Value, String> {
    serde_json::from_slice(&answer.body).map_err(|error| format!("its answer is no JSON: {error}"))
}

async fn send(url: &WebUrl, body: Option<&str>, tls: Arc<ClientConfig>, dns: &dyn Dns) -> Result<Response, String> {
    let request = Request {
        host: &url.host,
        port: url.port,
        path: &url.path,
        authorization: None,
        body: body.map(|body| ("application/jose+json", body.as_bytes())),
        limit_octets: ANSWER_MAX_OCTETS,
        patience: PATIENCE,
    };
    let failed = |error: &dyn Display| format!("{url}: {error}");
    https::ask(&request, tls, dns).await.map_err(|error| failed(&error))
}
