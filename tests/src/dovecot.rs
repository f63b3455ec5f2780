//! The real Dovecot as an auth service, with nothing else of it: one user, and whatever mechanisms a test wants.

use crate::wait::until;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The password of `alice`.
pub const PASSWORD: &str = "wonderland";
/// What tokens are signed with.
const TOKEN_KEY: &[u8] = b"a key of thirty-two octets, about";

/// See the module. It stops when dropped.
#[derive(Debug)]
pub struct Dovecot {
    folder: TempDir,
    process: Option<Child>,
}

impl Dovecot {
    /// One that offers these mechanisms, and is not started yet. `alice` has a [`PASSWORD`] and may have a [`token`]; `bob` may not log
    /// in.
    pub fn new(mechanisms: &str) -> Dovecot {
        // The path of a Unix socket has to be short.
        let folder = tempfile::Builder::new().prefix("dc-").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let base = folder.path().display();
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        let users = match user.trim() {
            // Dovecot has users of its own for what needs no rights.
            "root" => String::new(),
            user => format!("default_internal_user = {user}\ndefault_login_user = {user}\nservice anvil {{\n  chroot =\n}}\n"),
        };
        let tokens = match mechanisms.contains("xoauth2") {
            true => {
                format!("passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {base}/oauth2.conf\n}}\n")
            }
            false => String::new(),
        };
        let config = format!(
            "base_dir = {base}/run\nstate_dir = {base}/run\nprotocols =\nssl = no\nlog_path = {base}/log\nauth_failure_delay = 0\n\
             auth_mechanisms = {mechanisms}\n{tokens}\
             passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN {base}/users\n}}\n\
             userdb {{\n  driver = static\n  args = uid=65534 gid=65534 home=/nonexistent\n}}\n\
             service auth {{\n  unix_listener {base}/auth-client {{\n    mode = 0666\n  }}\n}}\n{users}"
        );
        let keys = folder.path().join("keys/default/HS256");
        fs::create_dir_all(&keys).unwrap();
        for (path, text) in [
            (folder.path().join("dovecot.conf"), config),
            (folder.path().join("users"), format!("alice:{PASSWORD}\nbob:x:::::: nologin=y\n")),
            (
                folder.path().join("oauth2.conf"),
                format!(
                    "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={base}/keys/\nusername_attribute = email\n"
                ),
            ),
            (keys.join("default"), STANDARD.encode(TOKEN_KEY)),
        ] {
            fs::write(path, text).unwrap();
        }
        Dovecot { folder, process: None }
    }

    /// Something in its folder; `auth-client` is its socket.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it, and waits until it listens.
    pub fn start(&mut self) {
        let config = self.path("dovecot.conf");
        let process = Command::new(program()).args(["-F", "-c"]).arg(config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.process = Some(process.unwrap());
        let socket = self.path("auth-client");
        until("Dovecot listens", || std::os::unix::net::UnixStream::connect(&socket).ok());
    }

    /// Stops it; it can be started again.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It ends its own processes, which a kill would leave behind.
            let _ = Command::new("kill").arg(process.id().to_string()).status();
            let _ = process.wait();
        }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where it is, or its name where that is nowhere.
pub fn program() -> &'static Path {
    Path::new(if Path::new("/usr/sbin/dovecot").exists() { "/usr/sbin/dovecot" } else { "dovecot" })
}

/// A token (RFC 7519) of a user, which this Dovecot believes.
pub fn token(user: &str) -> String {
    let say = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = say(r#"{"alg":"HS256","typ":"JWT"}"#.to_owned());
    let claims = say(format!(r#"{{"sub":"{user}","email":"{user}","iat":1700000000,"exp":4102444800}}"#));
    let signed = format!("{header}.{claims}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, TOKEN_KEY), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}
