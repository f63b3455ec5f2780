//! Draft of `arc`: whose chains are believed, and what is sealed.

use crate::source::{Sources, Spanned};
use postern_schema::name::Domain;
use postern_schema::site::{ArcPolicy, Origin};

/// `arc`.
#[derive(Clone, Debug, Default)]
pub struct ArcDraft {
    /// `trust`: the domains that seal.
    pub trusted: Vec<Spanned<Domain>>,
    /// `seal`.
    pub seal: Option<Spanned<Domain>>,
}

impl ArcDraft {
    /// Without places.
    pub fn to_site(&self, sources: &Sources) -> ArcPolicy {
        ArcPolicy {
            trusted: self.trusted.iter().map(|sealer| sealer.value.clone()).collect(),
            trusted_origin: self.trusted.first().map_or(Origin::DEFAULT, |sealer| sources.origin(sealer.span)),
            seal: self.seal.as_ref().map(|domain| (domain.value.clone(), sources.origin(domain.span))),
        }
    }
}
