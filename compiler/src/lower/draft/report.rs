//! `reports`, with places.

use crate::source::{Sources, Spanned};
use postern_schema::name::Mailbox;
use postern_schema::site::{Reporter, Reports};

/// `reports`.
#[derive(Clone, Debug, Default)]
pub struct ReportsDraft {
    /// `organization`.
    pub organization: Option<Spanned<Box<str>>>,
    /// `dmarc from=`.
    pub dmarc: Option<Spanned<Mailbox>>,
    /// `tls from=`.
    pub tls: Option<Spanned<Mailbox>>,
    /// `failure from=`.
    pub failure: Option<Spanned<Mailbox>>,
}

impl ReportsDraft {
    /// The authors that were named, each with the kind of report that it writes.
    pub fn authors(&self) -> impl Iterator<Item = (&'static str, &Spanned<Mailbox>)> {
        let all = [("dmarc", &self.dmarc), ("tls", &self.tls), ("failure", &self.failure)];
        all.into_iter().filter_map(|(kind, from)| Some((kind, from.as_ref()?)))
    }

    /// Without places.
    pub fn to_site(&self, sources: &Sources) -> Reports {
        let reporter = |from: &Spanned<Mailbox>| Reporter { from: from.value.clone(), origin: sources.origin(from.span) };
        Reports {
            organization: self.organization.as_ref().map(|name| name.value.clone()),
            dmarc: self.dmarc.as_ref().map(reporter),
            tls: self.tls.as_ref().map(reporter),
            failure: self.failure.as_ref().map(reporter),
        }
    }
}
