//! A question about a place: the document, the site around it, and the place in octets. Each request of an editor begins here.

use super::position::{Encoding, Lines};
use super::workspace::{Document, Site, Workspace};
use crate::source::Span;
use lsp_server::{ErrorCode, ResponseError};
use lsp_types::{Location, Position, Url};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What was agreed on with the client.
#[derive(Clone, Copy, Default, Debug)]
pub struct Settings {
    /// What columns count.
    pub encoding: Encoding,
    /// Whether what is completed may hold places to fill in.
    pub snippets: bool,
}

/// The sites of documents, as they were read since anything last changed: a large one is read once for all questions.
pub type Sites = RefCell<BTreeMap<Url, Rc<Site>>>;

/// A document in its site.
pub struct Scene<'a> {
    /// Every document.
    pub workspace: &'a Workspace,
    /// This one.
    pub document: &'a Document,
    site: OnceCell<Rc<Site>>,
    sites: &'a Sites,
    /// Its lines.
    pub lines: Lines<'a>,
    /// What was agreed on.
    pub settings: Settings,
}

impl<'a> Scene<'a> {
    /// The scene of a document.
    ///
    /// # Errors
    /// The client has not opened it.
    pub fn of(workspace: &'a Workspace, sites: &'a Sites, uri: &Url, settings: Settings) -> Result<Scene<'a>, ResponseError> {
        let Some(document) = workspace.document(uri) else {
            return Err(refusal(ErrorCode::InvalidParams, format!("{uri} is not open")));
        };
        let lines = Lines::new(&document.text, settings.encoding);
        Ok(Scene { workspace, document, site: OnceCell::new(), sites, lines, settings })
    }

    /// The site that the document belongs to.
    pub fn site(&self) -> &Site {
        self.site.get_or_init(|| {
            let read = || Rc::new(self.workspace.site_of(self.document));
            Rc::clone(self.sites.borrow_mut().entry(self.document.uri.clone()).or_insert_with(read))
        })
    }

    /// The octet of a place.
    pub fn offset(&self, position: Position) -> usize {
        self.lines.offset(position)
    }

    /// Where a span of the site lies, for the client.
    pub fn location(&self, span: Span) -> Option<Location> {
        let uri = match span.source == self.site().here {
            true => self.document.uri.clone(),
            false => self.workspace.uri(&self.site().sources, span.source)?,
        };
        let lines = Lines::new(&self.site().sources.source(span.source).text, self.settings.encoding);
        let start = span.start as usize;
        Some(Location::new(uri, lines.range(start..start + span.length as usize)))
    }

    /// Where a span lies, for people: `site.kdl:12`.
    pub fn place(&self, span: Span) -> String {
        let source = self.site().sources.source(span.source);
        format!("{}:{}", source.path, source.line(span.start))
    }
}

/// An answer that says why there is none.
pub fn refusal(code: ErrorCode, why: impl Into<String>) -> ResponseError {
    ResponseError { code: code as i32, message: why.into(), data: None }
}
