//! Draft of what a domain publishes of itself: each block as a whole, with the place of its node.

use crate::source::Spanned;
use postern_schema::record::{Bimi, CaaIssuer, Dmarc, TlsReport};
use postern_schema::site::{Autoconfig, MtaSts, Pin, Publication, SpfPolicy};

/// The blocks that are there. See [`Publication`] for each.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "each is the block of its name")]
pub struct PublicationDraft {
    pub spf: Option<Spanned<SpfPolicy>>,
    pub dmarc: Option<Spanned<Dmarc>>,
    pub mta_sts: Option<Spanned<MtaSts>>,
    pub tls_report: Option<Spanned<TlsReport>>,
    pub dane: Option<Spanned<Vec<Spanned<Pin>>>>,
    pub caa: Vec<Spanned<CaaIssuer>>,
    pub autoconfig: Option<Spanned<Autoconfig>>,
    pub bimi: Option<Spanned<Bimi>>,
    pub wildcard: bool,
}

impl PublicationDraft {
    /// The same without places.
    pub(super) fn to_site(&self) -> Publication {
        fn plain<T: Clone>(block: &Option<Spanned<T>>) -> Option<T> {
            block.as_ref().map(|block| block.value.clone())
        }
        Publication {
            spf: plain(&self.spf).unwrap_or_default(),
            dmarc: plain(&self.dmarc),
            mta_sts: plain(&self.mta_sts),
            tls_report: plain(&self.tls_report),
            dane: self.dane.as_ref().map(|dane| pins(&dane.value)),
            caa: self.caa.iter().map(|issuer| issuer.value.clone()).collect(),
            autoconfig: plain(&self.autoconfig),
            bimi: plain(&self.bimi),
            wildcard: self.wildcard,
        }
    }
}

/// Each key once, in the order in which they were said.
fn pins(said: &[Spanned<Pin>]) -> Vec<Pin> {
    let mut found: Vec<Pin> = Vec::new();
    for pin in said {
        if !found.contains(&pin.value) {
            found.push(pin.value.clone());
        }
    }
    found
}
