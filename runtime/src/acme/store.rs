//! What is kept of an authority, in `acme/` of the state folder: the account's key, and each certificate with its key in one file,
//! so that neither is ever there without the other. Nobody but the daemon may read any of it.

use super::jose::AccountKey;
use super::order::Issued;
use aws_lc_rs::digest;
use postern_schema::name::Domain;
use postern_schema::site::{Acme, WebUrl};
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate that is served.
#[derive(Clone, Debug)]
pub struct Kept {
    /// With its key.
    pub certified: Arc<CertifiedKey>,
    /// The seconds since the epoch at which it began and ends.
    pub life: (u64, u64),
    /// What tells it from others.
    pub mark: u64,
}

impl Kept {
    /// Whether it is for all of these.
    pub fn covers(&self, names: &[Domain]) -> bool {
        let leaf = self.certified.cert.first().and_then(|leaf| ParsedCertificate::try_from(leaf).ok());
        leaf.is_some_and(|leaf| {
            let is_for =
                |name: &Domain| ServerName::try_from(name.as_str()).is_ok_and(|name| verify_server_name(&leaf, &name).is_ok());
            names.iter().all(is_for)
        })
    }

    /// The second at which it is time for the next: after two thirds of its life, and a little earlier by chance, so that not
    /// everybody comes at once.
    pub fn renewal(&self) -> u64 {
        let (begins, ends) = self.life;
        let life = ends.saturating_sub(begins);
        begins + life * 2 / 3 - life / 20 * (self.mark % 1000) / 1000
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

impl Store {
    /// In this state folder.
    pub fn of(state: &Path) -> Store {
        Store(state.join("acme"))
    }

    /// The account's key at an authority, made where there is none.
    ///
    /// # Errors
    /// What keeps it from being read or kept.
    pub fn account(&self, directory: &WebUrl) -> io::Result<AccountKey> {
        let path = self.0.join(format!("account-{:016x}.key", mark(directory.to_string().as_bytes())));
        match fs::read(&path) {
            Ok(octets) => AccountKey::read(&octets).ok_or_else(|| io::Error::other(format!("{} is damaged", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = AccountKey::generate().ok_or_else(|| io::Error::other("there is no randomness"))?;
                self.write(&path, key.pkcs8())?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps a certificate, if it is one that can be served under these names.
    ///
    /// # Errors
    /// What is wrong with it, or with the disk.
    pub fn keep(&self, names: &[Domain], issued: &Issued, now: u64) -> Result<Kept, String> {
        let text = format!("{}{}", issued.key, issued.chain);
        let kept = read(&text)?;
        if !kept.covers(names) {
            return Err("the certificate is not for the names that were ordered".to_owned());
        }
        if now >= kept.life.1 {
            return Err("the certificate has expired already".to_owned());
        }
        let path = self.path(names);
        self.write(&path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(kept)
    }

    /// The certificates of a site that are there, in its order; one that is damaged is as good as none, and said.
    pub fn certificates(&self, acme: &Acme) -> Vec<Option<Kept>> {
        acme.certificates.iter().map(|names| self.certificate(names)).collect()
    }

    /// The one for these names.
    pub fn certificate(&self, names: &[Domain]) -> Option<Kept> {
        let path = self.path(names);
        let found = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => Err(error.to_string()),
            Ok(text) => read(&text),
        };
        found.inspect_err(|error| tracing::error!(path = %path.display(), %error, "a certificate cannot be served")).ok()
    }

    fn path(&self, names: &[Domain]) -> PathBuf {
        self.0.join(format!("{}.pem", names.first().map_or("none", Domain::as_str)))
    }

    /// Whole or not at all, also when the power goes.
    fn write(&self, path: &Path, octets: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let fresh = path.with_extension("new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(&self.0)?.sync_all()
    }
}

fn read(text: &str) -> Result<Kept, String> {
    let chain =
        CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| error.to_string())?;
    let leaf = chain.first().ok_or("it holds no certificate")?.clone();
    let (_, parsed) = X509Certificate::from_der(&leaf).map_err(|error| error.to_string())?;
    let seconds = |time: i64| u64::try_from(time).unwrap_or(0);
    let validity = parsed.validity();
    let life = (seconds(validity.not_before.timestamp()), seconds(validity.not_after.timestamp()));
    // This also shows that the key belongs to the certificate.
    let certified = CertifiedKey::from_der(chain, key, &provider::default_provider()).map_err(|error| error.to_string())?;
    Ok(Kept { certified: Arc::new(certified), life, mark: mark(&leaf) })
}

fn mark(octets: &[u8]) -> u64 {
    let digest = digest::digest(&digest::SHA256, octets);
    u64::from_be_bytes(std::array::from_fn(|index| digest.as_ref()[index]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};
    use std::os::unix::fs::PermissionsExt;

    fn issued(name: &str) -> Issued {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        Issued { chain: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }

    #[test]
    fn a_certificate_is_kept_if_it_can_be_served_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::of(folder.path());
        let names = [Domain::parse("mail.example").unwrap()];
        store.keep(&names, &issued("mail.example"), 0).unwrap();
        let path = store.path(&names);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let first = store.certificate(&names).unwrap().mark;
        let of_other_key = Issued { key: issued("mail.example").key, ..issued("mail.example") };
        for bad in [issued("other.example"), of_other_key] {
            assert!(store.keep(&names, &bad, 0).is_err());
        }
        assert!(store.keep(&names, &issued("mail.example"), u64::MAX).is_err(), "it has expired");
        assert_eq!(store.certificate(&names).unwrap().mark, first, "the old one is still there");
        fs::write(&path, "-----BEGIN").unwrap();
        assert!(store.certificate(&names).is_none());
    }

    #[test]
    fn an_account_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::of(folder.path());
        let [one, other] = ["https://a.example/d", "https://b.example/d"].map(|url| WebUrl::parse(url).unwrap());
        let key = store.account(&one).unwrap().thumbprint();
        assert_eq!(store.account(&one).unwrap().thumbprint(), key);
        assert_ne!(store.account(&other).unwrap().thumbprint(), key);
    }

    #[test]
    fn renewal_is_after_two_thirds_of_a_life_or_a_little_before() {
        let issued = issued("a.example");
        assert!(read(&issued.key).is_err(), "a key alone is no certificate");
        let kept = read(&format!("{}{}", issued.key, issued.chain)).unwrap();
        for mark in [0, 1, 999, u64::MAX] {
            let renewal = Kept { life: (1000, 4000), mark, ..kept.clone() }.renewal();
            assert!((2850..=3000).contains(&renewal), "{renewal}");
        }
    }
}
