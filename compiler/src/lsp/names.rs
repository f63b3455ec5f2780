//! Where the names of a site are written, to the letter: [`Names`]. Which value names what is said by the grammar and found by
//! [`mentions`]; here each gets its exact stretch of text, and the form that it is compared in.

use super::workspace::Site;
use crate::source::{SourceId, Span};
use crate::syntax::grammar::{Kind, Word};
use crate::syntax::read::verbatim;
use crate::syntax::{Mention, Role, mentions};
use postern_schema::name::{Domain, LocalPart};

/// One place at which a name is written.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// What it is there for.
    pub role: Role,
    /// The name, in the form that it is compared in.
    pub name: String,
    /// Of an address, the domains that it is in, as A-labels.
    pub domains: Vec<String>,
    /// Words that may stand here instead.
    pub words: &'static [Word],
    /// The name itself; the whole value where that is written with escapes.
    pub span: Span,
    /// The whole value, quotes and all.
    pub literal: Span,
    /// Whether the text of `span` is the name, letter for letter.
    pub exact: bool,
}

impl Occurrence {
    fn of(mention: &Mention<'_>, site: &Site) -> Option<Occurrence> {
        let name = comparable(mention.role.kinds()[0], mention.name)?;
        let domains = mention.domains.iter().filter_map(|domain| Domain::parse(domain).ok());
        let domains = domains.map(|domain| domain.as_str().to_owned()).collect();
        let literal = mention.value;
        let text = &site.sources.source(literal.source).text;
        let start = literal.start as usize;
        let content = verbatim(text.get(start..start + literal.length as usize)?);
        let at = content.map(|content| start + content.start + mention.offset);
        let exact = at.filter(|at| text[*at..].starts_with(mention.name));
        let span = exact.map_or(literal, |at| Span { start: at as u32, length: mention.name.len() as u32, ..literal });
        Some(Occurrence { role: mention.role, name, domains, words: mention.words, span, literal, exact: exact.is_some() })
    }

    /// Whether the two may be names of one thing.
    fn is_same(&self, other: &Occurrence) -> bool {
        self.name == other.name
            && self.role.kinds().iter().any(|kind| other.role.kinds().contains(kind))
            && (self.domains.is_empty() || self.domains.iter().any(|domain| other.domains.contains(domain)))
    }

    /// Whether a place lies in the name, or right behind it.
    fn holds(&self, source: SourceId, offset: usize) -> bool {
        let start = self.span.start as usize;
        self.span.source == source && (start..=start + self.span.length as usize).contains(&offset)
    }
}

/// A name in the form that two spellings of it share; `None` for what is no name of the kind.
pub fn comparable(kind: Kind, name: &str) -> Option<String> {
    match kind {
        Kind::Domain => Domain::parse(name).ok().map(|domain| domain.as_str().to_owned()),
        Kind::Address => LocalPart::parse(name).ok().map(|local| local.folded()),
        _ => Some(name.to_owned()),
    }
}

/// Every name of a site, where it is written.
#[derive(Clone, Debug)]
pub struct Names(Vec<Occurrence>);

impl Names {
    /// Finds them.
    pub fn of(site: &Site) -> Names {
        let mut occurrences = Vec::new();
        mentions(&site.nodes, &mut |mention| occurrences.extend(Occurrence::of(mention, site)));
        Names(occurrences)
    }

    /// The name at a place.
    pub fn at(&self, source: SourceId, offset: usize) -> Option<&Occurrence> {
        self.0.iter().find(|occurrence| occurrence.holds(source, offset))
    }

    /// Every place that gives a name of a kind to something.
    pub fn declared(&self, kind: Kind) -> impl Iterator<Item = &Occurrence> {
        self.0.iter().filter(move |occurrence| occurrence.role == Role::Declares(kind))
    }

    /// Where what a name stands for is declared: more than once where a profile changes it.
    pub fn declarations(&self, of: &Occurrence) -> Vec<&Occurrence> {
        let declares = |occurrence: &&Occurrence| matches!(occurrence.role, Role::Declares(_));
        self.0.iter().filter(declares).filter(|occurrence| occurrence.is_same(of)).collect()
    }

    /// Every place that names the same thing, in order.
    pub fn all(&self, of: &Occurrence) -> Vec<&Occurrence> {
        let mut meant = self.declarations(of);
        if meant.is_empty() {
            meant.push(of);
        }
        self.0.iter().filter(|occurrence| meant.iter().any(|meant| occurrence.is_same(meant))).collect()
    }
}
