//! Real servers as receivers of our mail: each with a configuration of its own under a scratch folder, on a port of the moment, and
//! a Maildir that everything lands in. All of them want root, since they give it up themselves.

use crate::oracle::{self, Server, free_port};
use crate::tls::Authority;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where packages are unpacked that cannot be installed beside Postfix, unless `POSTERN_PEERS` says otherwise.
const UNPACKED: &str = "/tmp/x";

/// A server that takes mail for `alice`, `bob` and `ünal` at `receiver.test`, and for nobody else there.
#[derive(Debug)]
pub struct Receiver {
    /// Its name, for messages.
    pub name: &'static str,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// LMTP is spoken there.
    pub lmtp: bool,
    /// It offers STARTTLS.
    pub tls: bool,
    /// It offers SMTPUTF8.
    pub smtputf8: bool,
    folder: TempDir,
    /// The folders that mail lands in.
    boxes: Vec<PathBuf>,
    stop: Option<(String, Vec<String>)>,
    _server: Server,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some((program, arguments)) = &self.stop {
            let _ = Command::new(program).args(arguments).output();
        }
    }
}

impl Receiver {
    /// Every message that has landed, with LF line ends.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        let files = self.boxes.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
        files.filter_map(|entry| fs::read(entry.path()).ok()).filter(|text| !text.is_empty()).collect()
    }

    /// Who signed the certificate of Postfix, in PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("etc/ca.pem")
    }

    /// What it logged, as far as it logs into its folder.
    pub fn log(&self) -> String {
        ["log/mail.log", "log/mainlog", "log"]
            .iter()
            .filter_map(|name| fs::read_to_string(self.folder.path().join(name)).ok())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Whether we are root; where not, it is said.
pub fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        oracle::skip("root, which servers of others are started by,");
    }
    is_root
}

/// A scratch folder that other users can pass through.
fn scratch(name: &str) -> TempDir {
    let folder = tempfile::Builder::new().prefix(&format!("rx-{name}-")).tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A folder below it that belongs to a user.
fn owned(folder: &Path, name: &str, user: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(&path).unwrap();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.split(':').next() == Some(user)).unwrap();
    let number = |at: usize| line.split(':').nth(at).and_then(|text| text.parse().ok());
    chown(&path, number(2), number(3)).unwrap();
    path
}

/// Writes `cert.pem` and `key.pem`, and `ca.pem` for whoever verifies them.
fn certificate(folder: &Path) {
    let authority = Authority::new();
    let identity = authority.issue("receiver.test");
    fs::write(folder.join("cert.pem"), identity.chain).unwrap();
    fs::write(folder.join("key.pem"), identity.key).unwrap();
    fs::set_permissions(folder.join("key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    authority.write(folder);
}

/// The program of a package that was unpacked, or one of the system; where it is nowhere, that is said.
fn unpacked(package: &str, program: &str) -> Option<PathBuf> {
    let root = std::env::var_os("POSTERN_PEERS").map_or_else(|| PathBuf::from(UNPACKED), PathBuf::from);
    let found = [root.join(package).join(program.trim_start_matches('/')), PathBuf::from(program)];
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        oracle::skip(package);
    }
    found
}

/// Postfix.
pub fn postfix() -> Option<Receiver> {
    postfix_and("")
}

/// Postfix that takes mail of nobody who has not logged in, over TLS and by one of these mechanisms; it asks the Dovecot behind a socket.
pub fn postfix_with_login(socket: &Path, mechanisms: &str) -> Option<Receiver> {
    let (socket, mechanisms) = (socket.display(), mechanisms.replace(' ', ", "));
    postfix_and(&format!(
        "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {socket}\nsmtpd_sasl_security_options = noanonymous\n\
         smtpd_sasl_mechanism_filter = {mechanisms}\nsmtpd_tls_auth_only = yes\n\
         smtpd_recipient_restrictions = permit_sasl_authenticated, reject\n"
    ))
}

/// Postfix with more lines in its main.cf.
fn postfix_and(more: &str) -> Option<Receiver> {
    if !is_root() || !oracle::is_there("/usr/sbin/postfix", &["-h"]) {
        return None;
    }
    let folder = scratch("postfix");
    let (path, port) = (folder.path(), free_port());
    for name in ["etc", "spool"] {
        fs::create_dir(path.join(name)).unwrap();
    }
    owned(path, "data", "postfix");
    owned(path, "log", "postfix");
    let boxes = owned(path, "mail", "nobody");
    certificate(&path.join("etc"));
    let p = path.display();
    let main = format!(
        "compatibility_level = 3.6\nmeta_directory = /etc/postfix\nshlib_directory = /usr/lib/postfix\ncommand_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\nqueue_directory = {p}/spool\ndata_directory = {p}/data\nmail_owner = postfix\n\
         setgid_group = postdrop\nmaillog_file = {p}/log/mail.log\nmaillog_file_prefixes = /tmp\nmyhostname = receiver.test\n\
         mydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.9/32\nalias_maps =\n\
         alias_database =\nvirtual_mailbox_domains = receiver.test\nvirtual_mailbox_base = {p}/mail\n\
         virtual_mailbox_maps = regexp:{p}/etc/users\nvirtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\n\
         virtual_minimum_uid = 100\nsmtpd_tls_cert_file = {p}/etc/cert.pem\nsmtpd_tls_key_file = {p}/etc/key.pem\n\
         smtpd_tls_security_level = may\nsmtputf8_enable = yes\nmessage_size_limit = 52428800\nmailbox_size_limit = 0\n\
         virtual_mailbox_limit = 0\n{more}"
    );
    fs::write(path.join("etc/main.cf"), main).unwrap();
    fs::write(path.join("etc/users"), "/^(alice|bob|ünal)@receiver\\.test$/ sink/\n").unwrap();
    let services = "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
         tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n\
         defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nverify unix - - n - 1 verify\nproxymap unix - - n - - proxymap\n\
         error unix - - n - - error\nretry unix - - n - - error\nvirtual unix - n n - - virtual\nanvil unix - - n - 1 anvil\n\
         postlog unix-dgram n - n - 1 postlogd\n";
    fs::write(path.join("etc/master.cf"), format!("127.0.0.1:{port} inet n - n - - smtpd\n{services}")).unwrap();
    let config = format!("{p}/etc");
    let server = oracle::start("/usr/sbin/postfix", &["-c", &config, "start-fg"], port, &path.join("out"));
    let boxes = vec![boxes.join("sink/new")];
    // It does not stop with the process that was started.
    let stop = Some(("/usr/sbin/postfix".to_owned(), ["-c", &config, "stop"].map(str::to_owned).to_vec()));
    Some(Receiver { name: "Postfix", port, lmtp: false, tls: true, smtputf8: true, folder, boxes, stop, _server: server })
}

/// Exim, unpacked where Postfix is installed.
pub fn exim() -> Option<Receiver> {
    if !is_root() {
        return None;
    }
    let program = unpacked("exim4-daemon-heavy", "/usr/sbin/exim4")?;
    let folder = scratch("exim");
    let (path, port) = (folder.path(), free_port());
    for name in ["spool", "log", "mail"] {
        owned(path, name, "mail");
    }
    certificate(path);
    fs::set_permissions(path.join("key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    let p = path.display();
    let config = format!(
        "exim_user = mail\nexim_group = mail\nexim_path = {program}\nprimary_hostname = receiver.test\nspool_directory = {p}/spool\n\
         log_file_path = {p}/log/%slog\npid_file_path = {p}/exim.pid\ndomainlist local_domains = receiver.test\n\
         acl_smtp_rcpt = acl_rcpt\nacl_smtp_data = acl_data\nchunking_advertise_hosts = *\ndsn_advertise_hosts = *\nprdr_enable = true\n\
         smtputf8_advertise_hosts = *\nhost_lookup =\nrfc1413_query_timeout = 0s\ntls_advertise_hosts = *\ntls_certificate = {p}/cert.pem\n\
         tls_privatekey = {p}/key.pem\nkeep_environment =\nnever_users =\nmessage_size_limit = 50M\naccept_8bitmime = true\n\
         begin acl\nacl_rcpt:\n  deny local_parts = nobody\n    message = unknown user\n  accept domains = +local_domains\n  deny message = relay not permitted\n\
         acl_data:\n  accept\nbegin routers\nall:\n  driver = accept\n  transport = md\nbegin transports\nmd:\n  driver = appendfile\n  \
         directory = {p}/mail/sink\n  maildir_format\n  create_directory\n  user = mail\n  group = mail\nbegin retry\n* * F,1h,5m\n",
        program = program.display()
    );
    let file = path.join("exim.conf");
    fs::write(&file, config).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let listen = format!("<; [127.0.0.1]:{port}");
    let file = file.display().to_string();
    let arguments = ["-C", &file, "-bdf", "-q10s", "-oX", &listen];
    let server = oracle::start(&program.display().to_string(), &arguments, port, &path.join("out"));
    let boxes = vec![path.join("mail/sink/new")];
    Some(Receiver { name: "Exim", port, lmtp: false, tls: true, smtputf8: true, folder, boxes, stop: None, _server: server })
}

/// OpenSMTPD, unpacked where Postfix is installed. It wants users of its own and its programs where Debian puts them; that is for
/// whoever prepares the machine (`.ci/run` does).
pub fn opensmtpd() -> Option<Receiver> {
    if !is_root() {
        return None;
    }
    let program = unpacked("opensmtpd", "/usr/sbin/smtpd")?;
    let has_user = fs::read_to_string("/etc/passwd").unwrap().contains("opensmtpd:");
    if !has_user || !Path::new("/usr/libexec/opensmtpd").exists() {
        oracle::skip("opensmtpd, whose user and /usr/libexec/opensmtpd are missing,");
        return None;
    }
    let folder = scratch("opensmtpd");
    let (path, port) = (folder.path(), free_port());
    let boxes = owned(path, "mail", "nobody");
    let p = path.display();
    let config = format!(
        "table users {{ \"alice@receiver.test\" = nobody, \"bob@receiver.test\" = nobody }}\n\
         listen on 127.0.0.1 port {port} hostname receiver.test\n\
         action \"sink\" maildir \"{p}/mail/sink\" virtual <users>\n\
         match from any for domain \"receiver.test\" action \"sink\"\n"
    );
    let file = path.join("smtpd.conf");
    fs::write(&file, config).unwrap();
    let file = file.display().to_string();
    let server = oracle::start(&program.display().to_string(), &["-d", "-f", &file], port, &path.join("out"));
    let boxes = vec![boxes.join("sink/new")];
    Some(Receiver {
        name: "OpenSMTPD",
        port,
        lmtp: false,
        // The version of Debian 12 cannot use a key that is not RSA.
        tls: false,
        smtputf8: false,
        folder,
        boxes,
        stop: None,
        _server: server,
    })
}

/// chasquid.
pub fn chasquid() -> Option<Receiver> {
    if !is_root() || !oracle::is_there("chasquid", &["-version"]) {
        return None;
    }
    let folder = scratch("chasquid");
    let (path, port) = (folder.path(), free_port());
    let certificates = path.join("cfg/certs/receiver.test");
    for name in [certificates.clone(), path.join("cfg/domains/receiver.test"), path.join("data"), path.join("mail")] {
        fs::create_dir_all(name).unwrap();
    }
    certificate(&certificates);
    fs::rename(certificates.join("cert.pem"), certificates.join("fullchain.pem")).unwrap();
    fs::rename(certificates.join("key.pem"), certificates.join("privkey.pem")).unwrap();
    let p = path.display();
    let script = path.join("deliver");
    fs::write(&script, format!("#!/bin/sh\nf={p}/mail/.$$\ncat > $f && mv $f {p}/mail/$1.$$\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(path.join("cfg/domains/receiver.test/aliases"), "bob: alice\nünal: alice\n").unwrap();
    let (submission, submissions) = (free_port(), free_port());
    let config = format!(
        "hostname: \"receiver.test\"\nmax_data_size_mb: 50\nsmtp_address: \"127.0.0.1:{port}\"\nsubmission_address: \"127.0.0.1:{submission}\"\n\
         submission_over_tls_address: \"127.0.0.1:{submissions}\"\nmail_delivery_agent_bin: \"{p}/deliver\"\nmail_delivery_agent_args: \"%to%\"\n\
         data_dir: \"{p}/data\"\nmail_log_path: \"{p}/log\"\n"
    );
    fs::write(path.join("cfg/chasquid.conf"), config).unwrap();
    let folder_of_config = format!("{p}/cfg");
    let configdir = format!("--configdir={folder_of_config}");
    let user = Command::new("chasquid-util").args([&configdir, "user-add", "alice@receiver.test", "--password=x"]).output();
    assert!(user.is_ok_and(|output| output.status.success()), "chasquid takes no user");
    let server = oracle::start("chasquid", &["-config_dir", &folder_of_config], port, &path.join("out"));
    let boxes = vec![path.join("mail")];
    Some(Receiver { name: "chasquid", port, lmtp: false, tls: true, smtputf8: true, folder, boxes, stop: None, _server: server })
}

/// Dovecot's LMTP.
pub fn dovecot() -> Option<Receiver> {
    if !is_root() || !oracle::is_there("/usr/sbin/dovecot", &["--version"]) {
        return None;
    }
    if !Path::new("/usr/lib/dovecot/lmtp").exists() {
        oracle::skip("dovecot-lmtpd");
        return None;
    }
    let folder = scratch("dovecot");
    let (path, port) = (folder.path(), free_port());
    let boxes = owned(path, "mail", "mail");
    fs::create_dir(path.join("run")).unwrap();
    let p = path.display();
    // User and group 8 are mail, on every Debian.
    let user = |name: &str| format!("{name}@receiver.test:{{PLAIN}}x:8:8::{p}/mail/{name}::\n");
    fs::write(path.join("users"), ["alice", "bob"].map(user).concat()).unwrap();
    let config = format!(
        "base_dir = {p}/run\nstate_dir = {p}/run\nlog_path = {p}/log\nprotocols = lmtp\nlisten = 127.0.0.1\nssl = no\n\
         auth_username_format = %Lu\nmail_location = maildir:{p}/mail/%n\nfirst_valid_uid = 8\nfirst_valid_gid = 8\n\
         postmaster_address = postmaster@receiver.test\nhostname = receiver.test\nsubmission_max_mail_size = 0\n\
         passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%u {p}/users\n}}\n\
         userdb {{\n  driver = passwd-file\n  args = username_format=%u {p}/users\n  \
         override_fields = uid=mail gid=mail home={p}/mail/%n\n}}\n\
         service lmtp {{\n  inet_listener lmtp {{\n    address = 127.0.0.1\n    port = {port}\n  }}\n}}\n"
    );
    let file = path.join("dovecot.conf");
    fs::write(&file, config).unwrap();
    let file = file.display().to_string();
    let server = oracle::start("/usr/sbin/dovecot", &["-F", "-c", &file], port, &path.join("out"));
    let boxes = vec![boxes.join("alice/new"), boxes.join("bob/new")];
    // A kill would leave its other processes behind.
    let stop = Some(("doveadm".to_owned(), ["-c", &file, "stop"].map(str::to_owned).to_vec()));
    Some(Receiver { name: "Dovecot", port, lmtp: true, tls: false, smtputf8: false, folder, boxes, stop, _server: server })
}
