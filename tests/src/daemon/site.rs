//! The folders around one site: its source, its credentials, its snapshots and the daemon's state, all in one temporary folder.

use super::binaries::binaries;
use super::{Maildir, Outcome};
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A site on disk. Gone when dropped.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
}

impl Site {
    /// Writes the KDL as `site.kdl`, and compiles nothing yet.
    pub fn new(kdl: &str) -> Site {
        let site = Site { folder: tempfile::Builder::new().prefix("postern-site-").tempdir().expect("a temporary folder") };
        for folder in ["source", "credentials"] {
            fs::create_dir(site.path(folder)).expect("the folder is new and empty");
        }
        site.write("site.kdl", kdl);
        site
    }

    /// A site with a host, its postmaster, one listener, and the rest as it is given.
    pub fn small(postmaster: &str, rest: &str) -> Site {
        Site::new(&Site::small_kdl(postmaster, rest))
    }

    /// The text of [`Site::small`].
    pub fn small_kdl(postmaster: &str, rest: &str) -> String {
        format!(
            r#"site "mail.example.com" {{
    postmaster "{postmaster}"
    address "192.0.2.25"
}}
listen "mx" port=0 address="127.0.0.1"
{rest}
"#
        )
    }

    /// Something in the temporary folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The site file.
    pub fn source(&self) -> PathBuf {
        self.path("source/site.kdl")
    }

    /// Where `postern build` puts snapshots.
    pub fn snapshots(&self) -> PathBuf {
        self.path("snapshots")
    }

    /// The daemon's state.
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Writes a file beside the site file, or that file anew.
    pub fn write(&self, name: &str, text: &str) {
        write(&self.path("source").join(name), text);
    }

    /// Writes a credential, which nobody else may read.
    pub fn credential(&self, name: &str, text: &str) {
        let path = self.path("credentials").join(name);
        write(&path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    }

    /// `postern` with these arguments, in the temporary folder.
    pub fn postern(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(Command::new(&binaries().postern).args(arguments).current_dir(self.folder.path()).env("NO_COLOR", "1"))
    }

    /// `postern build`, whatever comes of it.
    pub fn try_build(&self) -> Outcome {
        let (source, out) = (self.source(), self.snapshots());
        self.postern(&["build", &text(&source), "--out", &text(&out)])
    }

    /// Compiles the site and returns the digest.
    ///
    /// # Panics
    /// If it does not compile; with the diagnostics.
    pub fn build(&self) -> String {
        let digest = self.try_build().success().trim().to_owned();
        assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{digest:?} is no digest");
        digest
    }

    /// Puts other KDL in its place and compiles that.
    ///
    /// # Panics
    /// As for [`Site::build`].
    pub fn rebuild(&self, kdl: &str) -> String {
        self.write("site.kdl", kdl);
        self.build()
    }

    /// The Maildir of an address under the built-in transport.
    ///
    /// # Panics
    /// If that is no address.
    pub fn maildir(&self, address: &str) -> Maildir {
        let (user, domain) = address.split_once('@').expect("an address");
        Maildir::new(self.state().join("mail").join(domain).join(user))
    }
}

/// A path as an argument of a command.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// A line of a password file. The hash is a cheap one, since every test that logs in pays for it.
pub fn passwd_line(user: &str, password: &str) -> String {
    let params = Params::new(64, 1, 1, None).expect("these are allowed costs");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(password.as_bytes(), b"postern-tests-00").expect("a password can be hashed");
    format!("{user}:{{ARGON2ID}}{hash}\n")
}
