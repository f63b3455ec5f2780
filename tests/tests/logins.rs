//! Logins that somebody else decides: a directory that is bound to, and tokens of an issuer, by its keys and by asking it. And whom
//! a user who has logged in may write to for the first time.
#![allow(clippy::unwrap_used)]

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use issuer_key::Signer;
use postern_tests::client::{Client, Reply};
use postern_tests::daemon::passwd_line;
use postern_tests::directory::{Directory, Mood};
use postern_tests::scene::{LOGIN, RELAY_HOST, RELAY_LOGIN, Scene, kdl};
use postern_tests::wait::poll;
use postern_tests::web_server::WebServer;
use serde_json::{Value, json};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const STORE: &str = "users \"staff\" { passwd secret=\"users\" }";

fn scene(store: &str, files: &[(&str, &str)], secrets: &[(&str, String)]) -> Scene {
    let secrets: Vec<(&str, String)> =
        secrets.iter().cloned().chain([("relay-password", format!("{}\n", RELAY_LOGIN.1))]).collect();
    Scene::with_files(|port| kdl(port).replace(STORE, store), files, &secrets, RELAY_LOGIN)
}

fn login(scene: &Scene, user: &str, password: &str) -> u16 {
    scene.mail_program("submissions").auth_plain(user, password).code
}

#[test]
fn a_directory_decides_and_one_that_does_not_is_no_refusal() {
    let directory = Directory::start(&[("uid=alice,dc=example", "wonderland"), ("uid=a\\2Cdc\\3Devil,dc=example", "x")]);
    let port = directory.address().port();
    let scene =
        scene(&format!("users \"staff\" {{ ldap-bind \"ldap://127.0.0.1:{port}\" dn=\"uid={{user}},dc=example\" }}"), &[], &[]);
    assert_eq!(login(&scene, "alice", "wonderland"), 235);
    assert_eq!(login(&scene, "alice", "looking-glass"), 535);
    assert_eq!(login(&scene, "a,dc=evil", "x"), 235, "what is in a name stays in it");
    for mood in [Mood::Busy, Mood::Rude, Mood::Confused] {
        directory.feel(mood);
        assert_eq!(login(&scene, "alice", "wonderland"), 454, "{mood:?}");
    }
    assert_eq!(directory.binds().len(), 6);
    for why in ["it cannot decide (result 51)", "it does not speak LDAP"] {
        postern_tests::wait::until(why, || scene.daemon.log().contains(why).then_some(()));
    }
    let log = scene.daemon.log();
    assert!(!log.contains("wonderland"), "a password is in the log");
}

#[test]
fn a_directory_is_known_by_its_certificate_before_it_hears_a_password() {
    let directory = Directory::start(&[("uid=alice,dc=example", "wonderland")]);
    let port = directory.address().port();
    let store =
        format!("users \"staff\" {{ ldap-bind \"ldap://{RELAY_HOST}:{port}\" dn=\"uid={{user}},dc=example\" starttls=#true }}");
    let scene = scene(&store, &[], &[]);
    assert_eq!(login(&scene, "alice", "wonderland"), 454, "it offers no TLS");
    directory.identify(&postern_tests::tls::Authority::new().issue(RELAY_HOST));
    assert_eq!(login(&scene, "alice", "wonderland"), 454, "it is of another authority");
    assert_eq!(directory.binds(), []);
    directory.identify(&scene.identity);
    assert_eq!(login(&scene, "alice", "wonderland"), 235);
    assert_eq!(directory.binds(), [("uid=alice,dc=example".to_owned(), true)]);
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn offer(client: &mut Client, mechanism: &str, message: &str) -> Reply {
    client.command(&format!("AUTH {mechanism} {}", STANDARD.encode(message)))
}

fn bearer(user: &str, token: &str) -> String {
    format!("n,a={user},\u{1}host=mail.example.com\u{1}port=465\u{1}auth=Bearer {token}\u{1}\u{1}")
}

#[test]
fn a_token_that_the_issuer_has_signed_for_us_is_a_login_and_no_other_is() {
    let signer = Signer::new();
    let keys = json!({ "keys": [signer.jwk("2026a")] }).to_string();
    let store = "users \"staff\" { oauth issuer=\"https://id.example\" audience=\"mail\" user=\"name\" jwks=\"keys.json\" }";
    let scene = scene(store, &[("keys.json", &keys)], &[]);
    let claims = |change: (&str, Value)| {
        let mut claims = json!({ "iss": "https://id.example", "aud": "mail", "exp": now() + 600, "name": "alice" });
        claims[change.0] = change.1;
        claims
    };
    let good = signer.token("2026a", &claims(("x", json!(1))));
    let mut client = scene.mail_program("submissions");
    assert!(client.hello().text().contains("AUTH OAUTHBEARER XOAUTH2"), "{}", client.transcript());
    assert_eq!(offer(&mut client, "OAUTHBEARER", &bearer("alice", &good)).code, 235);
    client.expect("MAIL FROM:<alice@example.com>", 250);
    let mut client = scene.mail_program("submission");
    assert_eq!(offer(&mut client, "XOAUTH2", &format!("user=alice\u{1}auth=Bearer {good}\u{1}\u{1}")).code, 235);
    let mut client = scene.mail_program("submission");
    assert_eq!(client.command("AUTH OAUTHBEARER").code, 334);
    assert_eq!(client.command(&STANDARD.encode(bearer("alice", &good))).code, 235);

    let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}"), good.split('.').nth(1).unwrap());
    let bad = [
        bearer("alice", &signer.token("2026a", &claims(("aud", json!("web"))))),
        bearer("alice", &signer.token("2026a", &claims(("exp", json!(now() - 120))))),
        bearer("alice", &Signer::new().token("2026a", &claims(("x", json!(1))))),
        bearer("bob", &good),
        bearer("alice", &unsigned),
    ];
    std::thread::scope(|scope| {
        for message in &bad {
            let scene = &scene;
            scope.spawn(move || {
                let mut client = scene.mail_program("submissions");
                let told = offer(&mut client, "OAUTHBEARER", message);
                assert_eq!(told.code, 334, "{}", client.transcript());
                let error: Value = serde_json::from_slice(&STANDARD.decode(told.text()).unwrap()).unwrap();
                assert_eq!(error["status"], "invalid_token");
                assert_eq!(client.command(&STANDARD.encode("\u{1}")).code, 535);
            });
        }
    });
    let log = scene.daemon.log();
    assert!(log.contains("it has expired") && log.contains("it is for another audience"), "{log}");
    assert!(!log.contains(&good), "a token is in the log");
}

#[test]
fn an_issuer_that_is_asked_decides_and_one_that_is_silent_is_no_refusal() {
    let told: Arc<Mutex<(u16, String)>> = Arc::default();
    let asked: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let (says, hears) = (told.clone(), asked.clone());
    let issuer = WebServer::start(move |request| {
        hears.lock().unwrap().push((request.field("authorization").to_owned(), request.body));
        let (status, body) = says.lock().unwrap().clone();
        (status, Vec::new(), body)
    });
    let url = format!("https://{RELAY_HOST}:{}/introspect", issuer.address().port());
    let store = format!(
        "users \"staff\" {{ oauth issuer=\"https://id.example\" audience=\"mail\" introspection=\"{url}\" client=\"mail host\" secret=\"oauth\" }}"
    );
    let scene = scene(&store, &[], &[("oauth", "s3cret:\n".to_owned())]);
    issuer.identify(&scene.identity);
    let log_in = |told_status: u16, body: &Value| {
        *told.lock().unwrap() = (told_status, body.to_string());
        let mut client = scene.mail_program("submissions");
        offer(&mut client, "OAUTHBEARER", &bearer("alice@example.com", "opaque+token")).code
    };
    let active = json!({ "active": true, "aud": "mail", "exp": now() + 60, "email": "alice@example.com" });
    assert_eq!(log_in(200, &active), 235);
    assert_eq!(log_in(200, &json!({ "active": false })), 334);
    assert_eq!(log_in(200, &json!({ "active": true, "aud": "web", "exp": now() + 60, "email": "alice@example.com" })), 334);
    for (status, body) in [(401, active.clone()), (200, json!([])), (200, json!({ "active": "yes" })), (503, json!({}))] {
        assert_eq!(log_in(status, &body), 454, "{status} {body}");
    }
    let pair = STANDARD.encode("mail%20host:s3cret%3A");
    assert_eq!(
        asked.lock().unwrap()[0],
        (format!("Basic {pair}"), "token=opaque%2Btoken&token_type_hint=access_token".to_owned())
    );
    let log = scene.daemon.log();
    assert!(!log.contains("s3cret") && !log.contains("opaque"), "a secret is in the log");
}

#[test]
fn of_two_issuers_each_has_the_limits_of_its_store() {
    let signers = [Signer::new(), Signer::new()];
    let keys = signers.each_ref().map(|signer| json!({ "keys": [signer.jwk("k")] }).to_string());
    let store = |number: usize, most: u32| {
        format!(
            "users \"store-{number}\" {{ oauth issuer=\"https://id-{number}.example\" audience=\"mail\" user=\"name\" \
             jwks=\"keys-{number}.json\"; limit messages=\"{most}/1h\"; }}\n"
        )
    };
    let scene = scene(&(store(0, 3) + &store(1, 1)), &[("keys-0.json", &keys[0]), ("keys-1.json", &keys[1])], &[]);
    for (number, user, most) in [(0, "alice", 3), (1, "bob", 1)] {
        let claims = json!({ "iss": format!("https://id-{number}.example"), "aud": "mail", "exp": now() + 600, "name": user });
        let mut client = scene.mail_program("submissions");
        assert_eq!(offer(&mut client, "OAUTHBEARER", &bearer(user, &signers[number].token("k", &claims))).code, 235);
        for count in 1..=most + 1 {
            let reply = client.command(&format!("MAIL FROM:<{user}@example.com>"));
            assert_eq!(reply.code, if count > most { 450 } else { 250 }, "{user} {count}: {reply}");
            client.expect("RSET", 250);
        }
    }
}

#[test]
fn a_changed_password_counts_at_the_next_login() {
    let scene = Scene::start();
    assert_eq!(login(&scene, LOGIN.0, LOGIN.1), 235);
    scene.site.credential("users", &passwd_line(LOGIN.0, "another"));
    assert_eq!(login(&scene, LOGIN.0, LOGIN.1), 535);
    assert_eq!(login(&scene, LOGIN.0, "another"), 235);
}

/// Passwords are dear to check on purpose: two at once, whoever comes, and beside all else that the daemon does.
#[test]
fn checking_passwords_keeps_nobody_waiting_and_has_the_memory_of_two() {
    const COST_KIB: u32 = 64 << 10;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(COST_KIB, 2, 1, None).unwrap());
    let hash = argon2.hash_password_with_salt(LOGIN.1.as_bytes(), b"postern-tests-01").unwrap();
    let scene = scene(STORE, &[], &[("users", format!("{}:{{ARGON2ID}}{hash}\n", LOGIN.0))]);
    let peak_kib = || {
        let status = fs::read_to_string(format!("/proc/{}/status", scene.daemon.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u32>().unwrap()
    };
    let before = peak_kib();
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..8).map(|_| scope.spawn(|| login(&scene, LOGIN.0, LOGIN.1))).collect();
        while logins.iter().any(|login| !login.is_finished()) {
            let asked = Instant::now();
            scene.stranger().quit();
            assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
            poll(Duration::from_millis(100), || None::<()>);
        }
        logins.into_iter().map(|login| login.join().unwrap()).collect()
    });
    assert_eq!(codes, [235; 8]);
    let grown = peak_kib() - before;
    assert!((COST_KIB..4 * COST_KIB).contains(&grown), "{grown} KiB");
}

#[test]
fn a_user_may_write_to_so_many_strangers_and_to_all_acquaintances() {
    let scene =
        Scene::with(|kdl| kdl.replace(STORE, "users \"staff\" { passwd secret=\"users\"; limit new-recipients=\"2/1d\" }"));
    let mut client = scene.user("submissions");
    client.expect("MAIL FROM:<alice@example.com>", 250);
    for (to, code) in [("a", 250), ("b", 250), ("c", 450), ("a", 250)] {
        assert_eq!(client.command(&format!("RCPT TO:<{to}@elsewhere.test>")).code, code, "{to}");
    }
    postern_tests::wait::until("the log says why", || scene.daemon.log().contains("new-recipient-limit").then_some(()));
    let scene = scene.replace_daemon(postern_tests::daemon::Daemon::restart);
    let mut client = scene.user("submissions");
    client.expect("MAIL FROM:<alice@example.com>", 250);
    client.expect("RCPT TO:<b@elsewhere.test>", 250);
}

/// An issuer of tokens with a key of its own.
mod issuer_key {
    use super::{URL_SAFE_NO_PAD, Value, json};
    use base64::Engine;
    use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData, SigningKey};

    /// See above.
    pub struct Signer(KeyPair);

    impl Signer {
        /// With a fresh key of Ed25519.
        pub fn new() -> Signer {
            Signer(KeyPair::generate_for(&PKCS_ED25519).unwrap())
        }

        /// Its public half (RFC 8037 2).
        pub fn jwk(&self, id: &str) -> Value {
            json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": id, "x": URL_SAFE_NO_PAD.encode(self.0.der_bytes()) })
        }

        /// A token with these claims.
        pub fn token(&self, id: &str, claims: &Value) -> String {
            let header = json!({ "alg": "EdDSA", "kid": id }).to_string();
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
            let signature = self.0.sign(signed.as_bytes()).unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }
}
