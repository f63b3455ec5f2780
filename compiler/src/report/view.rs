//! The files of a site as somebody looks at them: paths from where the command was started, places as line and column.

use crate::source::{SourceId, Sources, Span};
use std::path::{Path, PathBuf};

/// Files and the way their paths are shown.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The files.
    pub sources: &'a Sources,
    prefix: PathBuf,
}

/// A stretch of a file in the terms of editors: lines and columns from 1, columns in characters. The end is exclusive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The path, as it is shown.
    pub path: String,
    /// The line that it begins on.
    pub line: u32,
    /// The column that it begins at.
    pub column: u32,
    /// The line that it ends on.
    pub end_line: u32,
    /// The column behind its last character.
    pub end_column: u32,
}

impl<'a> View<'a> {
    /// Shows paths as they look from `here`, given the site file as it was named there. A site outside of `here` keeps the path
    /// that it was named by.
    pub fn new(sources: &'a Sources, site: &Path, here: &Path) -> View<'a> {
        let folder = site.parent().unwrap_or(Path::new(""));
        let folder = folder.strip_prefix(here).unwrap_or(folder);
        let prefix = folder.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
        View { sources, prefix }
    }

    /// The path of a file, `/` between its parts.
    pub fn path(&self, id: SourceId) -> String {
        self.below(&self.sources.source(id).path)
    }

    /// A path that is relative to the folder of the site file, as it looks from here.
    pub fn below(&self, path: &str) -> String {
        self.prefix.join(path).to_string_lossy().into_owned()
    }

    /// Where a span lies.
    pub fn place(&self, span: Span) -> Place {
        let source = self.sources.source(span.source);
        let (line, column) = source.position(span.start);
        let (end_line, end_column) = source.position(span.start + span.length);
        Place { path: self.path(span.source), line, column, end_line, end_column }
    }
}
