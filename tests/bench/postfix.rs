//! Postfix beside the daemon: an instance of its own in a temporary folder, with the same mailbox and the same sink. Only where
//! Postfix is installed, and only for root, since its master starts as nothing else.

use crate::measure::Under;
use postern_tests::daemon::Maildir;
use postern_tests::peer::{Peer, Script};
use postern_tests::wait;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A running instance. Stopped when dropped.
pub struct Postfix {
    folder: TempDir,
    address: SocketAddr,
    sink: Peer,
}

impl Postfix {
    /// Makes the folders and starts it; the error says why there is none.
    pub fn start() -> Result<Postfix, String> {
        if Command::new("postconf").arg("mail_version").output().is_err() {
            return Err("it is not installed".to_owned());
        }
        if !rustix::process::geteuid().is_root() {
            return Err("only root can start it".to_owned());
        }
        let (uid, gid) = (id("-u", "postfix")?, id("-g", "postfix")?);
        let folder = tempfile::Builder::new().prefix("postern-bench-").tempdir().map_err(|error| error.to_string())?;
        // Postfix takes no port 0. The port is free now, and it is ours by the time somebody else could want it.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(|error| error.to_string())?.port();
        let sink = Peer::start(Script::sink());
        write_folders(folder.path(), uid, gid, port, sink.address().port()).map_err(|error| error.to_string())?;
        let postfix = Postfix { folder, address: SocketAddr::from(([127, 0, 0, 1], port)), sink };
        postfix.command("start")?;
        wait::poll(Duration::from_secs(20), || TcpStream::connect(postfix.address).ok())
            .map(|_| ())
            .ok_or_else(|| format!("it does not listen on port {port}: {}", postfix.log()))?;
        Ok(postfix)
    }

    fn command(&self, word: &str) -> Result<(), String> {
        let output = Command::new("postfix").arg("-c").arg(self.folder.path().join("etc")).arg(word).output();
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("`postfix {word}`: {}{}", String::from_utf8_lossy(&output.stderr), self.log()))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log/mail.log")).unwrap_or_default()
    }
}

impl Under for Postfix {
    fn address(&self) -> SocketAddr {
        self.address
    }
    fn maildir(&self) -> Maildir {
        Maildir::new(self.folder.path().join("mail/load"))
    }
    fn sink(&self) -> &Peer {
        &self.sink
    }
    fn process(&self) -> u32 {
        let pid = fs::read_to_string(self.folder.path().join("spool/pid/master.pid")).unwrap_or_default();
        pid.trim().parse().unwrap_or(0)
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if let Err(why) = self.command("stop") {
            eprintln!("{why}");
        }
    }
}

fn id(flag: &str, user: &str) -> Result<u32, String> {
    let output = Command::new("id").args([flag, user]).output().map_err(|error| error.to_string())?;
    String::from_utf8_lossy(&output.stdout).trim().parse().map_err(|_| format!("there is no user {user}"))
}

fn write_folders(root: &Path, uid: u32, gid: u32, port: u16, sink: u16) -> std::io::Result<()> {
    fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
    for folder in ["etc", "spool", "data", "mail", "log"] {
        fs::create_dir(root.join(folder))?;
    }
    for folder in ["data", "mail"] {
        chown(root.join(folder), Some(uid), Some(gid))?;
    }
    let path = root.display();
    let main = format!(
        "compatibility_level = 3.6\n\
         meta_directory = /etc/postfix\n\
         shlib_directory = /usr/lib/postfix\n\
         command_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\n\
         queue_directory = {path}/spool\n\
         data_directory = {path}/data\n\
         mail_owner = postfix\n\
         setgid_group = postdrop\n\
         maillog_file = {path}/log/mail.log\n\
         maillog_file_prefixes = {path}/log\n\
         myhostname = mail.example.com\n\
         mydestination =\n\
         inet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\n\
         mynetworks = 127.0.0.1/32\n\
         alias_maps =\n\
         alias_database =\n\
         virtual_mailbox_domains = example.com\n\
         virtual_mailbox_base = {path}/mail\n\
         virtual_mailbox_maps = static:load/\n\
         virtual_uid_maps = static:{uid}\n\
         virtual_gid_maps = static:{gid}\n\
         virtual_minimum_uid = 1\n\
         relayhost = [127.0.0.1]:{sink}\n\
         smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n\
         smtpd_client_connection_count_limit = 0\n\
         smtp_tls_security_level = none\n\
         smtpd_tls_security_level = none\n"
    );
    fs::write(root.join("etc/main.cf"), main)?;
    let services = format!(
        "127.0.0.1:{port} inet n - n - - smtpd\n\
         pickup unix n - n 60 1 pickup\n\
         cleanup unix n - n - 0 cleanup\n\
         qmgr unix n - n 300 1 qmgr\n\
         rewrite unix - - n - - trivial-rewrite\n\
         bounce unix - - n - 0 bounce\n\
         defer unix - - n - 0 bounce\n\
         trace unix - - n - 0 bounce\n\
         verify unix - - n - 1 verify\n\
         flush unix n - n 1000? 0 flush\n\
         proxymap unix - - n - - proxymap\n\
         smtp unix - - n - - smtp\n\
         relay unix - - n - - smtp\n\
         error unix - - n - - error\n\
         retry unix - - n - - error\n\
         discard unix - - n - - discard\n\
         virtual unix - n n - - virtual\n\
         anvil unix - - n - 1 anvil\n\
         scache unix - - n - 1 scache\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    );
    fs::write(root.join("etc/master.cf"), services)
}
