//! The password file: `name:{SCHEME}hash`, one user a line, `#` comments. Served schemes: `{ARGON2ID}` with a PHC string.
//!
//! Hashing takes tens of milliseconds and megabytes on purpose, so it runs off the event loop and few at a time. A user who
//! is not there costs as much as one who is: nobody learns from the clock which names exist.

use super::{CredentialError, Credentials};
use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use postern_schema::site::UserStore;
use std::fmt;
use tokio::sync::Semaphore;

/// How many passwords are checked at once: the memory of one argon2id check is 19 MiB at the usual cost.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// A hash of a password that nobody has, at the usual cost (OWASP: argon2id, m = 19 MiB, t = 2, p = 1).
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cG9zdGVybi1ub2JvZHktMQ$4PIn8JIgH+cC6bBMoTFJ7vUUGfULI6SLZOXYB5eAvmE";

/// Why a login could not be decided; "no" is not among them.
#[derive(Debug)]
pub enum AuthError {
    /// A store cannot be read.
    Credential(CredentialError),
    /// A line of a store is of no form or scheme that is served. Says the line number, never its content.
    BadLine {
        /// The store.
        store: Box<str>,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The worker was lost.
    Aborted,
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthError::Credential(error) => error.fmt(f),
            AuthError::BadLine { store, line, why } => write!(f, "user store {store}, line {line}: {why}"),
            AuthError::Aborted => f.write_str("the password check was aborted"),
        }
    }
}

impl std::error::Error for AuthError {}

/// Whether this is the password of this user in one of the stores; the first store that knows the name decides.
///
/// # Errors
/// [`AuthError`] where a store cannot be used: the caller answers "try again later", never "no".
pub async fn verify(stores: &[UserStore], credentials: &Credentials, name: &str, password: &str) -> Result<bool, AuthError> {
    let hash = find_hash(stores, credentials, name)?;
    let known = hash.is_some();
    let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
    let password = password.to_owned();
    let _permit = CHECKS.acquire().await.map_err(|_| AuthError::Aborted)?;
    let matches = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    });
    Ok(matches.await.map_err(|_| AuthError::Aborted)? && known)
}

fn find_hash(stores: &[UserStore], credentials: &Credentials, name: &str) -> Result<Option<String>, AuthError> {
    for store in stores {
        let text = credentials.read(&store.passwd).map_err(AuthError::Credential)?;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |why| AuthError::BadLine { store: store.name.clone(), line: index + 1, why };
            let (user, rest) = line.split_once(':').ok_or_else(|| bad("it is not name:{SCHEME}hash"))?;
            if user != name {
                continue;
            }
            // Dovecot's passwd-file has further fields after the hash.
            let hash = rest.split(':').next().unwrap_or_default();
            let hash = hash.strip_prefix("{ARGON2ID}").ok_or_else(|| bad("its scheme is not {ARGON2ID}"))?;
            PasswordHash::new(hash).map_err(|_| bad("its hash is not a PHC string"))?;
            return Ok(Some(hash.to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordHasher;
    use postern_schema::site::{Origin, SecretName};

    fn store(folder: &std::path::Path, content: &str) -> (Vec<UserStore>, Credentials) {
        std::fs::write(folder.join("users"), content).unwrap();
        let passwd = SecretName::parse("users").unwrap();
        let store = UserStore { name: "staff".into(), passwd, send_as: vec![], origin: Origin::DEFAULT };
        (vec![store], Credentials::new(Some(folder)))
    }

    #[test]
    fn the_hash_of_nobody_is_a_hash() {
        assert!(PasswordHash::new(NOBODY).is_ok());
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user() {
        let folder = tempfile::tempdir().unwrap();
        let hash = Argon2::default().hash_password(b"wonderland").unwrap().to_string();
        let (stores, credentials) = store(folder.path(), &format!("# staff\n\nbob:x\nalice:{{ARGON2ID}}{hash}:extra\n"));
        assert!(verify(&stores, &credentials, "alice", "wonderland").await.unwrap());
        assert!(!verify(&stores, &credentials, "alice", "Wonderland").await.unwrap());
        assert!(!verify(&stores, &credentials, "carol", "wonderland").await.unwrap());
        let error = verify(&stores, &credentials, "bob", "x").await.unwrap_err();
        assert_eq!(error.to_string(), "user store staff, line 3: its scheme is not {ARGON2ID}");
    }

    #[tokio::test]
    async fn a_missing_store_is_no_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let (stores, _) = store(folder.path(), "");
        assert!(matches!(
            verify(&stores, &Credentials::new(None), "alice", "x").await,
            Err(AuthError::Credential(CredentialError::NoFolder(_)))
        ));
    }
}
