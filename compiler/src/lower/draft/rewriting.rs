//! Draft of what turns addresses into others beyond the domains: `rewrite`, `masquerade`, `archive`, `srs`.

use super::{Setting, SiteDraft};
use crate::source::{Sources, Span, Spanned};
use postern_schema::name::{Domain, LocalPart, Mailbox};
use postern_schema::site::{
    Archive, Archived, DomainClass, Masquerade, Place, Rewrite, Rewriting, SecretName, Srs, Stage, Whose,
};

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct RewritingDraft {
    /// `rewrite`, in source order.
    pub rewrites: Vec<RewriteDraft>,
    /// `masquerade`, one for each domain, in source order.
    pub masquerades: Vec<MasqueradeDraft>,
    /// `archive`, in source order.
    pub archives: Vec<ArchiveDraft>,
    /// `srs`.
    pub srs: Option<SrsDraft>,
}

/// `rewrite`.
#[derive(Clone, Debug)]
pub struct RewriteDraft {
    /// The node.
    pub span: Span,
    /// Which addresses of a message.
    pub place: Place,
    /// What is replaced.
    pub from: Spanned<Whose>,
    /// What takes its place.
    pub to: Spanned<Whose>,
    /// When.
    pub at: Stage,
}

/// One domain of `masquerade`.
#[derive(Clone, Debug)]
pub struct MasqueradeDraft {
    /// The domain.
    pub domain: Spanned<Domain>,
    /// Local parts that keep their host.
    pub except: Vec<LocalPart>,
}

/// `archive`.
#[derive(Clone, Debug)]
pub struct ArchiveDraft {
    /// Who gets the copy.
    pub to: Spanned<Mailbox>,
    /// Of which mail.
    pub when: Setting<Archived>,
}

/// `srs`.
#[derive(Clone, Debug)]
pub struct SrsDraft {
    /// The node.
    pub span: Span,
    /// The domain of the addresses.
    pub domain: Setting<Domain>,
    /// The credential.
    pub secret: Spanned<SecretName>,
}

impl RewritingDraft {
    /// The same without places.
    pub(super) fn to_site(&self, draft: &SiteDraft, sources: &Sources) -> Rewriting {
        let rewrite = |said: &RewriteDraft| Rewrite {
            place: said.place,
            from: said.from.value.clone(),
            to: said.to.value.clone(),
            at: said.at,
            delimiter: match &said.from.value {
                Whose::Mailbox(from) => {
                    from.domain().and_then(|domain| draft.domain(domain)).and_then(|domain| domain.delimiter.value)
                }
                Whose::Domain(_) => None,
            },
            origin: sources.origin(said.span),
        };
        let folded = |local: &LocalPart| LocalPart::from_content(&local.folded()).unwrap_or_else(|_| local.clone());
        let masquerade = |said: &MasqueradeDraft| {
            let is_kept = |name: &Domain| *name != said.domain.value && name.is_within(&said.domain.value);
            let declared = draft.domains.iter().filter(|domain| domain.class.value != DomainClass::Parked);
            Masquerade {
                domain: said.domain.value.clone(),
                except: said.except.iter().map(folded).collect(),
                kept: declared.map(|domain| domain.name.value.clone()).filter(is_kept).collect(),
                origin: sources.origin(said.domain.span),
            }
        };
        let archive = |said: &ArchiveDraft| Archive {
            to: said.to.value.clone(),
            when: said.when.value.clone(),
            origin: sources.origin(said.to.span),
        };
        Rewriting {
            rewrites: self.rewrites.iter().map(rewrite).collect(),
            masquerades: self.masquerades.iter().map(masquerade).collect(),
            archives: self.archives.iter().map(archive).collect(),
            srs: self.srs.as_ref().map(|srs| Srs {
                domain: srs.domain.value.clone(),
                secret: srs.secret.value.clone(),
                origin: sources.origin(srs.span),
            }),
        }
    }
}
