//! Password files: `name:{SCHEME}hash`, one user a line, `#` comments. The schemes are in [`scheme`].
//!
//! Hashing takes tens of milliseconds and megabytes on purpose, so it runs off the event loop and few at a time. A user who
//! is not there costs as much as the last one in the file: nobody learns from the clock which names exist.

mod scheme;

use super::dovecot::DovecotError;
use super::ldap::DirectoryError;
use super::scram::ScramRecord;
use super::token::introspection::IssuerError;
use super::{CredentialError, Credentials, Stamp};
use postern_schema::site::{SecretName, UserBackend, UserStore};
use scheme::Stored;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many passwords are checked at once: the memory of one argon2id check is 19 MiB at the usual cost.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// A hash of a password that nobody has, at the usual cost (OWASP: argon2id, m = 19 MiB, t = 2, p = 1).
const NOBODY: &str =
    "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$cG9zdGVybi1ub2JvZHktMQ$4PIn8JIgH+cC6bBMoTFJ7vUUGfULI6SLZOXYB5eAvmE";

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
        why: String,
    },
    /// The worker was lost.
    Aborted,
    /// Dovecot did not decide.
    Dovecot(DovecotError),
    /// A directory did not decide.
    Directory(DirectoryError),
    /// An issuer of tokens did not decide.
    Issuer(IssuerError),
}

impl From<DirectoryError> for AuthError {
    fn from(error: DirectoryError) -> AuthError {
        AuthError::Directory(error)
    }
}

impl From<DovecotError> for AuthError {
    fn from(error: DovecotError) -> AuthError {
        AuthError::Dovecot(error)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthError::Credential(error) => error.fmt(f),
            AuthError::BadLine { store, line, why } => write!(f, "user store {store}, line {line}: {why}"),
            AuthError::Dovecot(error) => error.fmt(f),
            AuthError::Directory(error) => error.fmt(f),
            AuthError::Issuer(error) => error.fmt(f),
            AuthError::Aborted => f.write_str("the password check was aborted"),
        }
    }
}

impl std::error::Error for AuthError {}

/// What the stores hold under a name.
struct Found {
    /// What the name's password is compared with, and the store that has it; `None`: nobody has that name.
    stored: Option<(Stored, Box<str>)>,
    /// That of somebody else, to look alike where nobody has it.
    like: Option<Stored>,
}

/// What a password is to a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Checked {
    /// Its own, in this store.
    Right(Box<str>),
    /// Another.
    Wrong,
    /// No store knows the name.
    Unknown,
}

/// Whether this is the password of this user in one of the stores; the first store that knows the name decides.
///
/// # Errors
/// [`AuthError`] where a store cannot be used: the caller answers "try again later", never "no".
pub async fn verify(stores: &[UserStore], credentials: &Credentials, name: &str, password: &str) -> Result<Checked, AuthError> {
    let password = password.to_owned();
    on_worker(stores, credentials, name, move |found| match (found.stored, found.like) {
        (Some((stored, store)), _) if stored.matches(&password) => Checked::Right(store),
        (Some(_), _) => Checked::Wrong,
        (None, like) => {
            // Only the time that it takes matters.
            let _ = like.or_else(|| Stored::parse(NOBODY).ok()).map(|stored| stored.matches(&password));
            Checked::Unknown
        }
    })
    .await
}

/// The keys of this user for SCRAM, and the store that has them; made up, and of none, where nobody has the name, or has no such keys.
///
/// # Errors
/// As for [`verify`].
pub async fn scram_record(
    stores: &[UserStore], credentials: &Credentials, name: &str,
) -> Result<(ScramRecord, Box<str>), AuthError> {
    let user = name.to_owned();
    on_worker(stores, credentials, name, move |found| match (found.stored, found.like) {
        (Some((Stored::Scram(record), store)), _) => (record, store),
        (_, Some(Stored::Scram(like))) => (ScramRecord::decoy(&user, Some(&like)), Box::default()),
        _ => (ScramRecord::decoy(&user, None), Box::default()),
    })
    .await
}

/// Which password files have keys for SCRAM and nothing else, as far as they were looked at: asked at every connection, and a file may
/// have ten thousand lines.
#[derive(Default)]
pub struct ScramFiles(Mutex<BTreeMap<SecretName, (Stamp, bool)>>);

impl ScramFiles {
    /// Whether every user of every store can log in by SCRAM. A client that sees it offered takes nothing less, and one without such
    /// keys would be kept out. Reads what has changed: blocks.
    pub fn all_scram(&self, stores: &[&UserStore], credentials: &Credentials) -> bool {
        !stores.is_empty() && stores.iter().all(|store| passwd(store).is_some_and(|secret| self.is_scram(secret, credentials)))
    }

    fn is_scram(&self, secret: &SecretName, credentials: &Credentials) -> bool {
        // First, so that a file that changes while it is read is read again.
        let Some(stamp) = credentials.stamp(secret) else { return false };
        // What is guarded is whole at every moment, also after a panic.
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, is_scram)) = known().get(secret).filter(|(of, _)| *of == stamp) {
            return *is_scram;
        }
        let is_scram = credentials.read(secret).is_ok_and(|text| {
            let mut lines = users(&text).peekable();
            lines.peek().is_some() && lines.all(|(_, line)| has_scram_keys(line))
        });
        known().insert(secret.clone(), (stamp, is_scram));
        is_scram
    }
}

fn has_scram_keys(line: &str) -> bool {
    const SCHEME: &str = "{SCRAM-SHA-256}";
    let stored = line.split_once(':').and_then(|(_, rest)| rest.get(..SCHEME.len()));
    stored.is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
}

async fn on_worker<T: Send + 'static>(
    stores: &[UserStore], credentials: &Credentials, name: &str, work: impl FnOnce(Found) -> T + Send + 'static,
) -> Result<T, AuthError> {
    let (stores, credentials, name) = (stores.to_vec(), credentials.clone(), name.to_owned());
    let _permit = CHECKS.acquire().await.map_err(|_| AuthError::Aborted)?;
    let result = tokio::task::spawn_blocking(move || find(&stores, &credentials, &name).map(work));
    result.await.map_err(|_| AuthError::Aborted)?
}

/// The credential of a store that is a password file.
fn passwd(store: &UserStore) -> Option<&SecretName> {
    match &store.backend {
        UserBackend::Passwd(secret) => Some(secret),
        UserBackend::Dovecot(_) | UserBackend::Certificate(_) | UserBackend::Directory(_) | UserBackend::Tokens(_) => None,
    }
}

/// The lines that are users, each with its number.
fn users(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn find(stores: &[UserStore], credentials: &Credentials, name: &str) -> Result<Found, AuthError> {
    let mut like = None;
    for (store, secret) in stores.iter().filter_map(|store| Some((store, passwd(store)?))) {
        let text = credentials.read(secret).map_err(AuthError::Credential)?;
        let mut other = None;
        for (line, entry) in users(&text) {
            let bad = |why: String| AuthError::BadLine { store: store.name.clone(), line, why };
            let (user, rest) = entry.split_once(':').ok_or_else(|| bad("it is not name:{SCHEME}hash".to_owned()))?;
            // Dovecot's passwd-file has further fields after the hash.
            let stored = rest.split(':').next().unwrap_or_default();
            if user == name {
                return Ok(Found { stored: Some((Stored::parse(stored).map_err(bad)?, store.name.clone())), like });
            }
            other = Some(stored);
        }
        like = other.and_then(|stored| Stored::parse(stored).ok()).or(like);
    }
    Ok(Found { stored: None, like })
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::Argon2;
    use argon2::password_hash::PasswordHasher;
    use postern_schema::site::{Origin, SecretName, UserBackend};

    fn store(folder: &std::path::Path, content: &str) -> (Vec<UserStore>, Credentials) {
        std::fs::write(folder.join("users"), content).unwrap();
        let passwd = SecretName::parse("users").unwrap();
        let store = UserStore {
            name: "staff".into(),
            backend: UserBackend::Passwd(passwd),
            send_as: vec![],
            messages: None,
            new_recipients: None,
            origin: Origin::DEFAULT,
        };
        (vec![store], Credentials::new(Some(folder)))
    }

    #[test]
    fn the_hash_of_nobody_is_a_hash() {
        assert!(Stored::parse(NOBODY).is_ok());
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user() {
        let folder = tempfile::tempdir().unwrap();
        let hash = Argon2::default().hash_password(b"wonderland").unwrap().to_string();
        let (stores, credentials) = store(folder.path(), &format!("# staff\n\nbob:x\nalice:{{ARGON2ID}}{hash}:extra\n"));
        let right = Checked::Right("staff".into());
        assert_eq!(verify(&stores, &credentials, "alice", "wonderland").await.unwrap(), right);
        assert_eq!(verify(&stores, &credentials, "alice", "Wonderland").await.unwrap(), Checked::Wrong);
        assert_eq!(verify(&stores, &credentials, "carol", "wonderland").await.unwrap(), Checked::Unknown);
        let error = verify(&stores, &credentials, "bob", "x").await.unwrap_err();
        assert!(error.to_string().starts_with("user store staff, line 3: it has no scheme; served are {ARGON2ID}"), "{error}");
    }

    #[tokio::test]
    async fn scram_is_offered_where_everybody_has_keys_and_tells_nothing_of_who_exists() {
        let folder = tempfile::tempdir().unwrap();
        let keys = "{SCRAM-SHA-256}4096,xa3PPQmMxA7AHBXunvGtWA==,U0iYM/v89RKfm7Yj+mROJw5EpPbgqExKtDPd0Zsjork=,\
                    fm9MOPkzQ4u2aBoZcM+swr4Qj7WZJOpEFPyZVO8qrKY=";
        let (stores, credentials) = store(folder.path(), &format!("alice:{keys}\n"));
        let (known, all) = (ScramFiles::default(), stores.iter().collect::<Vec<_>>());
        assert!(known.all_scram(&all, &credentials) && known.all_scram(&all, &credentials));
        let (alice, of) = scram_record(&stores, &credentials, "alice").await.unwrap();
        assert!(alice.matches("wonderland") && &*of == "staff");
        assert!(!scram_record(&stores, &credentials, "carol").await.unwrap().0.matches("wonderland"));
        assert_eq!(verify(&stores, &credentials, "alice", "wonderland").await.unwrap(), Checked::Right(of));
        store(folder.path(), &format!("alice:{keys}\nbob:$6$abcdefgh$x\n"));
        assert!(!known.all_scram(&all, &credentials), "it has changed");
        std::fs::remove_file(folder.path().join("users")).unwrap();
        assert!(!known.all_scram(&all, &credentials));
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
