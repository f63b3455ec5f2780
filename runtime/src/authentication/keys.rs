//! The keys of a generation: every active key of the site, read and checked when the snapshot is loaded, and again at each
//! reload. A key that cannot sign is kept as what is wrong with it: mail that it should sign waits, and all other mail goes on.

use super::header::Header;
use super::key::{KeyError, PrivateKey};
use super::sign::Signer;
use crate::auth::Credentials;
use postern_schema::decide::{LookupFailed, Signature};
use postern_schema::name::Domain;
use postern_schema::site::{Selector, SigningState};
use postern_schema::snapshot::Snapshot;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Active keys by domain and selector.
#[derive(Debug, Default)]
pub struct Keys(HashMap<(Domain, Selector), Result<Arc<Signer>, Arc<KeyError>>>);

/// A message that must be signed cannot be.
#[derive(Debug)]
pub struct CannotSign {
    domain: Domain,
    selector: Selector,
    why: Option<Arc<KeyError>>,
}

impl fmt::Display for CannotSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} of {} cannot sign: ", self.selector, self.domain)?;
        match &self.why {
            Some(why) => why.fmt(f),
            None => f.write_str("it is not loaded"),
        }
    }
}

impl std::error::Error for CannotSign {}

impl CannotSign {
    /// The key was there, and failed.
    pub fn of(due: &Signature, why: KeyError) -> CannotSign {
        CannotSign { domain: due.domain.clone(), selector: due.signer.selector.clone(), why: Some(Arc::new(why)) }
    }
}

impl Keys {
    /// Reads every active key of the site. One that cannot sign is in [`Keys::unusable`].
    ///
    /// # Errors
    /// [`LookupFailed`] if the snapshot cannot be read.
    pub fn load(snapshot: &Snapshot, credentials: &Credentials) -> Result<Keys, LookupFailed> {
        let mut keys = HashMap::new();
        for entry in snapshot.domains()? {
            for signer in entry.signers.into_iter().filter(|signer| signer.state == SigningState::Active) {
                // The compiler demands a credential of every active key.
                let Some(name) = &signer.key else { continue };
                let key = PrivateKey::load(name, signer.public_key.octets(), credentials);
                let (domain, selector) = (entry.name.clone(), signer.selector.as_str().into());
                let loaded = key.map(|key| Arc::new(Signer { domain, selector, key })).map_err(Arc::new);
                keys.insert((entry.name.clone(), signer.selector), loaded);
            }
        }
        Ok(Keys(keys))
    }

    /// Whether the site has no key at all, so that nothing is ever signed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that cannot sign, in the order of their names.
    pub fn unusable(&self) -> Vec<CannotSign> {
        let broken = self.0.iter().filter_map(|((domain, selector), key)| {
            let why = Some(key.as_ref().err()?.clone());
            Some(CannotSign { domain: domain.clone(), selector: selector.clone(), why })
        });
        let mut broken: Vec<CannotSign> = broken.collect();
        broken.sort_by(|a, b| (&a.domain, &a.selector).cmp(&(&b.domain, &b.selector)));
        broken
    }

    /// The key behind a signature.
    ///
    /// # Errors
    /// [`CannotSign`].
    pub fn signer(&self, due: &Signature) -> Result<&Signer, CannotSign> {
        let Signature { domain, signer } = due;
        let cannot = |why| CannotSign { domain: domain.clone(), selector: signer.selector.clone(), why };
        match self.0.get(&(domain.clone(), signer.selector.clone())) {
            Some(Ok(key)) => Ok(key),
            Some(Err(why)) => Err(cannot(Some(why.clone()))),
            None => Err(cannot(None)),
        }
    }

    /// The fields that the due signatures make, all of them or none.
    ///
    /// # Errors
    /// [`CannotSign`] for the first that cannot be made: the message must not leave without it.
    pub fn sign(
        &self, due: &[Signature], header: &Header, body_hash: &[u8; 32], now_seconds: u64,
    ) -> Result<Vec<u8>, CannotSign> {
        let mut fields = Vec::new();
        for signature in due {
            let key = self.signer(signature)?;
            let field = key.sign(header, body_hash, now_seconds).map_err(|why| CannotSign::of(signature, why))?;
            fields.extend_from_slice(&field);
        }
        Ok(fields)
    }
}
