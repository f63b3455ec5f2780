//! One stored password: `{SCHEME}hash` as Dovecot's `doveadm pw`, Postfix's SASL back ends and `crypt(3)` write it. Which schemes
//! are served, and whether a password is the one; where the line came from is for [`super`].

use crate::auth::scram::ScramRecord;
use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use sha_crypt::ShaCrypt;
use std::fmt;

/// The longest password that is looked at, in octets: some hashes cost more the longer it is, and nobody types as much.
const PASSWORD_MAX_OCTETS: usize = 1024;

/// The schemes, as a message names them.
pub const SERVED: &str = "{ARGON2ID}, {BLF-CRYPT}, {SHA512-CRYPT}, {SHA256-CRYPT}, {CRYPT} of these, and {SCRAM-SHA-256}";

/// What a password is compared with. Well formed: a wrong line is found when it is read, not when its owner logs in.
pub enum Stored {
    /// A PHC string (RFC 9106).
    Argon2id(String),
    /// `$2a$`, `$2b$`, `$2x$` or `$2y$`.
    Bcrypt(String),
    /// `$5$` or `$6$`.
    ShaCrypt(String),
    /// Keys of RFC 5802 3.
    Scram(ScramRecord),
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored { .. }")
    }
}

impl Stored {
    /// Reads what stands behind the name. No scheme means `{CRYPT}`, as it does for Dovecot.
    ///
    /// # Errors
    /// What is wrong with it, for the log: names the scheme, never what follows it.
    pub fn parse(text: &str) -> Result<Stored, String> {
        let (scheme, hash) = match text.strip_prefix('{') {
            Some(rest) => rest.split_once('}').ok_or("its scheme has no closing brace")?,
            None => ("CRYPT", text),
        };
        match scheme.to_ascii_uppercase().as_str() {
            "ARGON2ID" => argon2id(hash),
            "BLF-CRYPT" => bcrypt(hash),
            "SHA512-CRYPT" | "SHA256-CRYPT" => sha_crypt(hash),
            "SCRAM-SHA-256" => ScramRecord::parse(hash)
                .map(Stored::Scram)
                .ok_or_else(|| "it is not iterations,salt,stored-key,server-key, the last three in base64".to_owned()),
            "CRYPT" if hash.starts_with("$2") => bcrypt(hash),
            "CRYPT" if hash.starts_with("$5$") || hash.starts_with("$6$") => sha_crypt(hash),
            "CRYPT" if hash.starts_with("$argon2id$") => argon2id(hash),
            // What is no scheme may be a password, and is not repeated.
            word if is_scheme(word) => Err(format!("the scheme {{{word}}} is not served here; served are {SERVED}")),
            _ => Err(format!("it has no scheme; served are {SERVED}")),
        }
    }

    /// Whether this is the password. Takes tens of milliseconds, on purpose; the comparison takes as long for any wrong one.
    pub fn matches(&self, password: &str) -> bool {
        if password.len() > PASSWORD_MAX_OCTETS {
            return false;
        }
        match self {
            Stored::Argon2id(hash) => {
                PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
            }
            Stored::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Stored::ShaCrypt(hash) => sha_crypt::PasswordHash::new(hash.as_str())
                .is_ok_and(|hash| ShaCrypt::default().verify_password(password.as_bytes(), &hash).is_ok()),
            Stored::Scram(record) => record.matches(password),
        }
    }
}

fn is_scheme(word: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    word != "CRYPT" && (1..=24).contains(&word.len()) && word.bytes().all(allowed)
}

fn argon2id(hash: &str) -> Result<Stored, String> {
    match PasswordHash::new(hash) {
        Ok(_) if hash.starts_with("$argon2id$") => Ok(Stored::Argon2id(hash.to_owned())),
        _ => Err("its hash is not a PHC string of argon2id".to_owned()),
    }
}

fn bcrypt(hash: &str) -> Result<Stored, String> {
    match hash.parse::<bcrypt::HashParts>() {
        Ok(_) => Ok(Stored::Bcrypt(hash.to_owned())),
        Err(_) => Err("its hash is not one of bcrypt".to_owned()),
    }
}

fn sha_crypt(hash: &str) -> Result<Stored, String> {
    match sha_crypt::PasswordHash::new(hash) {
        Ok(_) if hash.starts_with("$5$") || hash.starts_with("$6$") => Ok(Stored::ShaCrypt(hash.to_owned())),
        _ => Err("its hash is neither $5$ nor $6$ of crypt(3)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `doveadm pw` 2.3, `openssl passwd` and crypt(3).
    const LINES_OF_OTHERS: [&str; 8] = [
        "{SCRAM-SHA-256}4096,xa3PPQmMxA7AHBXunvGtWA==,U0iYM/v89RKfm7Yj+mROJw5EpPbgqExKtDPd0Zsjork=,\
         fm9MOPkzQ4u2aBoZcM+swr4Qj7WZJOpEFPyZVO8qrKY=",
        "{SHA512-CRYPT}$6$BTv1kxskyrA3lRAv$aP4flxaE5tB2xhSRI9dAFl/JpHfGchIYQqRjamvwEaHnnKYUsDZcj/zwfN42VyDP5iinD0OV5Qp6kFO8KY2RF/",
        "{sha256-crypt}$5$L8bxEAMtEOIlkmcM$e8Q0fs3mlFiF0dqHPgSEKDhfP9nxyK98JW7GPNIx697",
        "{BLF-CRYPT}$2y$04$uQeK7eTWK8Q1YdbRztVSQOPtU5bnSDq52k1Tk15pmovPtJqHFAEGu",
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$QAKNUvA5i3Oa8FfuZ2nbtw$Kl1MoMySrlbl5SUePzy8aBgcNPBIClVJUuc49+mnaVw",
        "{CRYPT}$6$abcdefgh$e1o..VsKRS0O4M9J1Qb9u.strxNEAfDkCXcaYc5TsDrJFctQCTMkPeis45vy3ZQtqt4dqG4vXTonFJKbQgR2Q1",
        "$5$abcdefgh$v5FpjMljOAWlLx5fREBx9meM4WbUoriKAkzXNpPtmy9",
        "$2b$04$E4ttZteIMC1Fs8mLi/kkneqUZK7pb/Akrv8u6KzlOlkFm35Kgs7be",
    ];

    #[test]
    fn what_other_programs_wrote_is_verified() {
        for line in LINES_OF_OTHERS {
            let stored = Stored::parse(line).unwrap_or_else(|why| panic!("{line}: {why}"));
            assert!(stored.matches("wonderland"), "{line}");
            assert!(!stored.matches("Wonderland"), "{line}");
            assert!(!stored.matches(""), "{line}");
            assert!(!stored.matches(&"wonderland".repeat(200)), "{line}");
        }
    }

    #[test]
    fn a_wrong_line_is_named_and_not_repeated() {
        for (line, why) in [
            ("{SSHA512}c2VjcmV0", "the scheme {SSHA512} is not served here; served are"),
            ("{plain}secret", "the scheme {PLAIN} is not served here; served are"),
            ("secret", "it has no scheme; served are"),
            ("{secret", "its scheme has no closing brace"),
            ("{sec ret}x", "it has no scheme; served are"),
            ("{ARGON2ID}$6$secret", "its hash is not a PHC string of argon2id"),
            ("{BLF-CRYPT}$2y$secret", "its hash is not one of bcrypt"),
            ("{SHA512-CRYPT}$1$secret$x", "its hash is neither $5$ nor $6$ of crypt(3)"),
            ("{SCRAM-SHA-256}4096,secret", "it is not iterations,salt,stored-key,server-key"),
        ] {
            let found = Stored::parse(line).unwrap_err();
            assert!(found.starts_with(why), "{line}: {found}");
            assert!(!found.contains("secret"), "{found}");
        }
    }
}
