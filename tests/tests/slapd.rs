//! The real OpenLDAP as a store of users: binds in the clear on loopback and by StartTLS, names with everything that a name may not
//! have unescaped, and what a user hears while it is away.
//!
//! A slapd that is not installed is skipped, and it is said so; under `CI=true` that is a failure.
#![allow(clippy::unwrap_used)]

use postern_tests::oracle::{free_port, skip};
use postern_tests::scene::{RELAY_HOST, RELAY_LOGIN, Scene, kdl};
use postern_tests::tls::Authority;
use postern_tests::wait::until;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const SLAPD: &str = "/usr/sbin/slapd";
const STORE: &str = "users \"staff\" { passwd secret=\"users\" }";

/// Two people, one of them with a name that has to be escaped.
const PEOPLE: &str = "\
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: uid=alice,dc=example,dc=test
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A
userPassword: wonderland

dn: uid=b\\2C+ob#,dc=example,dc=test
objectClass: inetOrgPerson
uid: b,+ob#
cn: Bob
sn: B
userPassword: builder
";

struct Slapd {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Slapd {
    fn start(authority: &Authority) -> Slapd {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let identity = authority.issue(RELAY_HOST);
        fs::write(path("chain.pem"), &identity.chain).unwrap();
        fs::write(path("key.pem"), &identity.key).unwrap();
        fs::write(path("people.ldif"), PEOPLE.replace("b\\2C+ob#", "b\\2C\\2Bob\\23")).unwrap();
        fs::create_dir(path("db")).unwrap();
        let at = folder.path().display();
        let config = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\npidfile {at}/pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             TLSCertificateFile {at}/chain.pem\nTLSCertificateKeyFile {at}/key.pem\nTLSVerifyClient never\n\
             database mdb\nmaxsize 10485760\nsuffix \"dc=example,dc=test\"\ndirectory {at}/db\n\
             access to attrs=userPassword by anonymous auth by * none\n"
        );
        fs::write(path("slapd.conf"), config).unwrap();
        let added =
            Command::new("/usr/sbin/slapadd").args(["-f", "slapd.conf", "-l", "people.ldif"]).current_dir(folder.path()).output();
        let added = added.unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let mut slapd = Slapd { folder, port: free_port(), process: None };
        slapd.run();
        slapd
    }

    fn run(&mut self) {
        let quiet = Stdio::null;
        let process = Command::new(SLAPD)
            .args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{}", self.port), "-f", "slapd.conf"])
            .current_dir(self.folder.path())
            .stdout(quiet())
            .stderr(quiet())
            .spawn();
        self.process = Some(process.unwrap());
        until("slapd listens", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn openldap_decides_in_the_clear_on_loopback_and_by_starttls() {
    if !Path::new(SLAPD).exists() {
        return skip("slapd");
    }
    let authority = Authority::new();
    let mut slapd = Slapd::start(&authority);
    let dn = "dn=\"uid={user},dc=example,dc=test\"";
    let stores = format!(
        "users \"here\" {{ ldap-bind \"ldap://127.0.0.1:{port}\" {dn} }}\n\
         users \"by-name\" {{ ldap-bind \"ldap://{RELAY_HOST}:{port}\" {dn} starttls=#true }}",
        port = slapd.port
    );
    let secrets = [("relay-password", format!("{}\n", RELAY_LOGIN.1))];
    let one = |store: usize| stores.lines().nth(store).unwrap().to_owned();
    let login = |scene: &Scene, user: &str, password: &str| scene.mail_program("submissions").auth_plain(user, password).code;
    let scene = Scene::of(|port| kdl(port).replace(STORE, &one(0)), &secrets, RELAY_LOGIN);
    assert_eq!(login(&scene, "alice", "wonderland"), 235);
    assert_eq!(login(&scene, "alice", "builder"), 535);
    assert_eq!(login(&scene, "nobody", "builder"), 535);
    assert_eq!(login(&scene, "b,+ob#", "builder"), 235);
    slapd.stop();
    assert_eq!(login(&scene, "alice", "wonderland"), 454);
    slapd.run();
    assert_eq!(login(&scene, "alice", "wonderland"), 235);

    // By its name, slapd is of an authority that the daemon does not know: no password is sent.
    let scene = Scene::of(|port| kdl(port).replace(STORE, &one(1)), &secrets, RELAY_LOGIN);
    assert_eq!(login(&scene, "alice", "wonderland"), 454);
    // And when it does, all is well.
    let pem = authority.write(&scene.site.path(""));
    let scene = scene.replace_daemon(|daemon| {
        let options = daemon.options().clone().authority(&pem);
        daemon.stop();
        postern_tests::daemon::Daemon::start(options)
    });
    assert_eq!(login(&scene, "alice", "wonderland"), 235);
    assert_eq!(login(&scene, "alice", "x"), 535);
}
