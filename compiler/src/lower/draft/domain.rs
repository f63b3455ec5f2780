//! Draft of domains. The addresses in them are in [`crate::addresses::AddressBook`].

use super::{PublicationDraft, Setting};
use crate::certificate::{Date, SigningKey};
use crate::source::{Span, Spanned};
use postern_schema::name::{Domain, Mailbox};
use postern_schema::site::{DomainClass, Pattern, SecretName, Selector, SigningState};

/// One name of a `domain` or `parked` node. A node with several names makes several of these.
#[derive(Clone, Debug)]
pub struct DomainDraft {
    /// The node.
    pub span: Span,
    /// The domain.
    pub name: Spanned<Domain>,
    /// How its recipients are found; the place is where that was said, or else the name.
    pub class: Spanned<DomainClass>,
    /// The transport that takes mail for its mailboxes.
    pub transport: Setting<Box<str>>,
    /// Who gets mail for an unknown local part.
    pub catch_all: Option<Spanned<Mailbox>>,
    /// What divides a user from a detail.
    pub delimiter: Setting<Option<char>>,
    /// In order of precedence.
    pub patterns: Vec<PatternDraft>,
    /// `dkim`, in source order; two may have the same selector, which a rule reports.
    pub signers: Vec<SignerDraft>,
    /// What it publishes of itself.
    pub publication: PublicationDraft,
    /// Whether an error was reported in it, so that addresses may be missing here that are there in the site.
    pub incomplete: bool,
}

impl DomainDraft {
    /// The names at which policies and settings of the domain are served, where no other host serves them, and who said so.
    pub fn web_names(&self) -> impl Iterator<Item = (Domain, Span)> {
        let publication = &self.publication;
        let sts = publication.mta_sts.as_ref().filter(|sts| sts.value.web_host.is_none()).map(|sts| ("mta-sts", sts.span));
        let settings = publication.autoconfig.as_ref().filter(|at| at.value.web_host.is_none());
        let pacc = settings.filter(|at| at.value.pacc).map(|at| ("ua-auto-config", at.span));
        let settings = settings.map(|at| ("autoconfig", at.span));
        let name = |(label, span): (&str, Span)| Some((Domain::parse(&format!("{label}.{}", self.name.value)).ok()?, span));
        sts.into_iter().chain(settings).chain(pacc).filter_map(name)
    }
}

/// `dkim`.
#[derive(Clone, Debug)]
pub struct SignerDraft {
    /// The node.
    pub span: Span,
    /// The selector.
    pub selector: Spanned<Selector>,
    /// The public half; its place is that of the file name.
    pub public_key: Spanned<SigningKey>,
    /// The credential that holds the private half.
    pub key: Option<Spanned<SecretName>>,
    /// Where in its life it is.
    pub state: Spanned<SigningState>,
    /// The days on which it came into the states from `publish` on.
    pub dates: SigningDates,
}

/// When a key went through the states of its life, as far as the site says.
#[derive(Clone, Debug, Default)]
pub struct SigningDates {
    /// It came into DNS.
    pub published: Option<Spanned<Date>>,
    /// It began to sign.
    pub activated: Option<Spanned<Date>>,
    /// It ceased to.
    pub retired: Option<Spanned<Date>>,
    /// It left DNS.
    pub removed: Option<Spanned<Date>>,
}

/// `pattern`.
#[derive(Clone, Debug)]
pub struct PatternDraft {
    /// Where the expression stands.
    pub expression: Span,
    /// Where the target stands.
    pub target: Span,
    /// The compiled pattern.
    pub pattern: Pattern,
}
