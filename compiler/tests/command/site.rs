//! A folder with a site in it, and the program run over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A site without findings: one domain, an alias, a parked name, a relay, a test that passes.
pub const GOOD: &str = r#"site "mail.example.com" {
    postmaster "alice@example.com"
    address "203.0.113.25" "2001:db8::25"
}
tls { self-signed; }
listen "mx"
listen "submission"; listen "submissions"
users "staff" { passwd secret="users"; }
domain "example.com" {
    mailbox "alice"
    mailbox "bob"
    alias "info" "alice" "bob"; alias "abuse" "postmaster"
}
parked "example.net"
route to="*" via="direct"; allow "DKM012" reason="signed by hand"
test "strangers cannot relay" {
    client "198.51.100.99"
    from "x@evil.example"
    to "victim@elsewhere.example"
    expect "reject" reason="relay-denied"
}
"#;

/// A folder that goes away with its test.
pub struct Folder(TempDir);

impl Folder {
    /// With `site.kdl` of this text.
    pub fn with(site: &str) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        folder.write("site.kdl", site);
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.join(name), text).expect("it writes");
    }

    /// Runs the program in this folder.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(command().current_dir(self.path()).args(arguments).output().expect("it runs"))
    }
}

/// The program, in an environment that says nothing.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.env_clear();
    command
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Ran {
        let text = |octets: Vec<u8>| String::from_utf8(octets).expect("UTF-8");
        Ran { status: output.status.code().expect("a status"), out: text(output.stdout), err: text(output.stderr) }
    }

    /// That it ended with this status.
    pub fn ended(self, status: i32) -> Ran {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// That nothing was said to the person.
    pub fn quietly(self) -> Ran {
        assert_eq!(self.err, "", "stdout: {}", self.out);
        self
    }
}
