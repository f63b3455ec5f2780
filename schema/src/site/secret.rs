//! The name of a secret. The secret itself never enters a site, a snapshot or a log: the runtime reads the file of this name
//! in its credentials folder.

use std::fmt;

/// A file name in the credentials folder: 1 to 128 of letters, digits, `-`, `_`, `.` and `@`, not beginning with a dot, so
/// that it can neither leave the folder nor hide in it. Any such name works with systemd's `LoadCredential=`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct SecretName(Box<str>);

impl SecretName {
    /// Takes a name; `None` if it is not of the form above.
    pub fn parse(text: &str) -> Option<SecretName> {
        let fits = (1..=128).contains(&text.len())
            && !text.starts_with('.')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b));
        fits.then(|| SecretName(text.into()))
    }

    /// The file name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
