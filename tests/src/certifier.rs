//! An authority that makes certificates by ACME (RFC 8555): it verifies every signature and nonce, asks by tls-alpn-01 (RFC 8737) or
//! http-01 (RFC 8555 8.3) over loopback whether a name is there, and can be told to refuse.

use crate::tls::{Authority, Identity};
use crate::wait::{PATIENCE, until};
use crate::web_server::{Asked, Told, WebServer};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use x509_parser::prelude::{FromDer, X509Certificate, X509CertificationRequest};

/// The host that the authority is reached at.
pub const HOST: &str = "relay.test";
const PROTOCOL: &[u8] = b"acme-tls/1";
/// id-pe-acmeIdentifier (RFC 8737 6.1).
const IDENTIFIER: &str = "1.3.6.1.5.5.7.1.31";

/// See the module.
#[derive(Debug)]
pub struct Certifier {
    server: WebServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    nonces: HashSet<String>,
    /// How many nonces were given, which is what they are made of.
    given: usize,
    /// The keys of accounts, as points.
    accounts: Vec<Vec<u8>>,
    orders: Vec<Order>,
    /// Where names are asked for.
    asked_at: Option<SocketAddr>,
    life: Duration,
    refuses: bool,
    issued: usize,
    thumbprints: Vec<String>,
}

#[derive(Clone, Debug)]
struct Order {
    names: Vec<String>,
    valid: Vec<bool>,
    chain: Option<String>,
}

impl Certifier {
    /// Makes certificates by this authority that are good for so long. It waits for [`Certifier::ask_at`] before it looks at a name.
    pub fn start(life: Duration) -> Certifier {
        let state = Arc::new(Mutex::new(State { life, ..State::default() }));
        let inner = state.clone();
        let authority = Authority::new();
        let server = WebServer::start(move |asked| answer(&inner, &authority, asked));
        Certifier { server, state }
    }

    /// The URL of its directory.
    pub fn directory(&self) -> String {
        format!("https://{HOST}:{}/directory", self.server.address().port())
    }

    /// Shows this certificate as a web server.
    pub fn identify(&self, identity: &Identity) {
        self.server.identify(identity);
    }

    /// Names are asked for there.
    pub fn ask_at(&self, address: SocketAddr) {
        self.state.lock().unwrap().asked_at = Some(address);
    }

    /// Refuses orders from now on, or takes them again.
    pub fn refuse(&self, refuses: bool) {
        self.state.lock().unwrap().refuses = refuses;
    }

    /// How many certificates were made, and by how many accounts.
    pub fn issued(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.issued, state.accounts.len())
    }
}

fn problem(status: u16, kind: &str, detail: &str) -> Told {
    (status, Vec::new(), json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail }).to_string())
}

fn answer(shared: &Mutex<State>, authority: &Authority, asked: Asked) -> Told {
    let base = format!("https://{}", asked.field("host"));
    let mut told = route(shared, authority, &asked, &base);
    let mut state = shared.lock().unwrap();
    state.given += 1;
    let nonce = format!("n{}", state.given);
    // The first is forgotten at once: a client has to ask for another (RFC 8555 6.5).
    if state.given > 2 {
        state.nonces.insert(nonce.clone());
    }
    told.1.push(("Replay-Nonce".to_owned(), nonce));
    told
}

fn route(shared: &Mutex<State>, authority: &Authority, asked: &Asked, base: &str) -> Told {
    let words: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    match words[..] {
        ["directory"] => {
            let place = |name: &str| format!("{base}/{name}");
            let all = json!({ "newNonce": place("nonce"), "newAccount": place("account"), "newOrder": place("order") });
            return (200, Vec::new(), all.to_string());
        }
        ["nonce"] => return (204, Vec::new(), String::new()),
        _ => {}
    }
    let (payload, account) = match verified(shared, asked, &format!("{base}{}", asked.path)) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let number = |word: &str| word.parse::<usize>().unwrap();
    match words[..] {
        ["account"] => {
            assert_eq!(payload["termsOfServiceAgreed"], true);
            (201, vec![("Location".to_owned(), format!("{base}/account/{account}"))], json!({ "status": "valid" }).to_string())
        }
        ["order"] => {
            let mut state = shared.lock().unwrap();
            if state.refuses {
                return problem(429, "rateLimited", "too many orders");
            }
            let identifiers = payload["identifiers"].as_array().unwrap();
            let names: Vec<String> = identifiers.iter().map(|name| name["value"].as_str().unwrap().to_owned()).collect();
            let valid = vec![false; names.len()];
            state.orders.push(Order { names, valid, chain: None });
            let number = state.orders.len() - 1;
            (201, vec![("Location".to_owned(), format!("{base}/order/{number}"))], order(&state, number, base).to_string())
        }
        ["order", at] => (200, Vec::new(), order(&shared.lock().unwrap(), number(at), base).to_string()),
        ["authorization", at, name] => {
            let order = shared.lock().unwrap().orders[number(at)].clone();
            let place = number(name);
            let challenge = |kind: &str| json!({ "type": kind, "token": token(at, name), "url": format!("{base}/challenge/{at}/{name}/{kind}") });
            let body = json!({
                "status": if order.valid[place] { "valid" } else { "pending" },
                "identifier": { "type": "dns", "value": order.names[place] },
                "challenges": [challenge("http-01"), challenge("tls-alpn-01")],
            });
            (200, Vec::new(), body.to_string())
        }
        ["challenge", at, place, kind] => {
            let address = until("somebody says where to ask", || shared.lock().unwrap().asked_at);
            let (name, thumbprint) = {
                let state = shared.lock().unwrap();
                (state.orders[number(at)].names[number(place)].clone(), state.thumbprints[account].clone())
            };
            let authorization = format!("{}.{thumbprint}", token(at, place));
            match kind {
                "http-01" => assert_served(address, &name, &token(at, place), &authorization),
                _ => assert_shown(address, &name, &authorization),
            }
            shared.lock().unwrap().orders[number(at)].valid[number(place)] = true;
            (200, Vec::new(), json!({ "status": "processing" }).to_string())
        }
        ["finalize", at] => {
            let mut state = shared.lock().unwrap();
            let order = state.orders[number(at)].clone();
            assert!(order.valid.iter().all(|valid| *valid), "finalized before every name was shown");
            let request = URL_SAFE_NO_PAD.decode(payload["csr"].as_str().unwrap()).unwrap();
            let (_, request) = X509CertificationRequest::from_der(&request).unwrap();
            let key = &request.certification_request_info.subject_pki.subject_public_key.data;
            let chain = authority.certify(&order.names, key, state.life);
            state.orders[number(at)].chain = Some(chain);
            state.issued += 1;
            (200, Vec::new(), self::order(&state, number(at), base).to_string())
        }
        ["certificate", at] => (200, Vec::new(), shared.lock().unwrap().orders[number(at)].chain.clone().unwrap()),
        _ => problem(404, "malformed", "there is no such place"),
    }
}

fn token(order: &str, name: &str) -> String {
    format!("token-{order}-{name}")
}

fn order(state: &State, number: usize, base: &str) -> Value {
    let order = &state.orders[number];
    let authorizations: Vec<String> =
        (0..order.names.len()).map(|name| format!("{base}/authorization/{number}/{name}")).collect();
    let status = match (&order.chain, order.valid.iter().all(|valid| *valid)) {
        (Some(_), _) => "valid",
        (None, true) => "ready",
        (None, false) => "pending",
    };
    let certificate = order.chain.as_ref().map(|_| format!("{base}/certificate/{number}"));
    json!({
        "status": status, "authorizations": authorizations, "finalize": format!("{base}/finalize/{number}"), "certificate": certificate,
    })
}

/// The payload of a request and the number of the account, if the request is signed by it, for this URL, and new.
fn verified(shared: &Mutex<State>, asked: &Asked, url: &str) -> Result<(Value, usize), Told> {
    assert_eq!((asked.method.as_str(), asked.field("content-type")), ("POST", "application/jose+json"));
    let request: Value = serde_json::from_str(&asked.body).unwrap();
    let part = |name: &str| request[name].as_str().unwrap();
    let octets = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let header: Value = serde_json::from_slice(&octets(part("protected"))).unwrap();
    assert_eq!((header["alg"].as_str(), header["url"].as_str()), (Some("ES256"), Some(url)));
    let mut state = shared.lock().unwrap();
    if !state.nonces.remove(header["nonce"].as_str().unwrap()) {
        return Err(problem(400, "badNonce", "that was none of ours, or it was used"));
    }
    let account = match header["kid"].as_str() {
        Some(name) => name.rsplit('/').next().unwrap().parse().unwrap(),
        None => {
            let [x, y] = ["x", "y"].map(|name| header["jwk"][name].as_str().unwrap().to_owned());
            let point = [vec![4], octets(&x), octets(&y)].concat();
            match state.accounts.iter().position(|known| *known == point) {
                Some(known) => known,
                None => {
                    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
                    state.thumbprints.push(URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes())));
                    state.accounts.push(point);
                    state.accounts.len() - 1
                }
            }
        }
    };
    let signed = format!("{}.{}", part("protected"), part("payload"));
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &state.accounts[account]);
    key.verify(signed.as_bytes(), &octets(part("signature"))).expect("the request is signed by its account");
    Ok((serde_json::from_slice(&octets(part("payload"))).unwrap_or_default(), account))
}

/// RFC 8555 8.3: the file of the token holds the authorization, and there is no file for anything else.
fn assert_served(address: SocketAddr, name: &str, token: &str, authorization: &str) {
    let get = |host: &str, path: &str| {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        text
    };
    let path = format!("/.well-known/acme-challenge/{token}");
    let text = get(name, &path);
    assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with(&format!("\r\n\r\n{authorization}")), "{text}");
    for (host, path) in [(name, "/"), (name, "/.well-known/acme-challenge/x"), ("elsewhere.test", &*path)] {
        assert!(get(host, path).starts_with("HTTP/1.1 404 "), "{host} {path}");
    }
}

/// RFC 8737 3: the certificate is for the name, and holds the digest of the authorization in a critical extension.
fn assert_shown(address: SocketAddr, name: &str, authorization: &str) {
    let mut config = (*crate::tls::trusting_client()).clone();
    // Others cannot read a certificate with a critical extension that they do not know.
    config.dangerous().set_certificate_verifier(Arc::new(Unread));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    let server = ServerName::try_from(name.to_owned()).unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::new(config), server).unwrap(), socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    assert_eq!(stream.conn.alpn_protocol(), Some(PROTOCOL));
    let shown = stream.conn.peer_certificates().unwrap()[0].to_vec();
    let (_, shown) = X509Certificate::from_der(&shown).unwrap();
    let names = shown.subject_alternative_name().unwrap().unwrap().value.general_names.iter().map(ToString::to_string);
    assert_eq!(names.collect::<Vec<_>>(), [format!("DNSName({name})")]);
    let proof = shown.extensions().iter().find(|extension| extension.oid.to_id_string() == IDENTIFIER).unwrap();
    assert!(proof.critical);
    assert_eq!(proof.value, [&[4, 32][..], digest(&SHA256, authorization.as_bytes()).as_ref()].concat());
    let _ = stream.flush();
}

/// Reads no certificate: what is in it is looked at by [`assert_shown`].
#[derive(Debug)]
struct Unread;

impl ServerCertVerifier for Unread {
    fn verify_server_cert(
        &self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: &ServerName<'_>, _: &[u8], _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
