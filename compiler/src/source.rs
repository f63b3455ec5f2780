//! The files of a site and positions in them: [`SourceId`], [`Span`], [`Source`] with its line index, [`Sources`].
//!
//! A path is shown and stored relative to the folder of the site file, so that the same site compiles to the same bytes
//! wherever it lies.

use postern_schema::site::{self, Origin};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Index of a source in [`Sources`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SourceId(pub u16);

/// A stretch of one source, in octets of its UTF-8 text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Span {
    /// Which source.
    pub source: SourceId,
    /// Where it begins.
    pub start: u32,
    /// How long it is; 0 marks a place between two characters.
    pub length: u32,
}

impl Span {
    /// Whether the other lies within this one.
    pub fn holds(self, other: Span) -> bool {
        let is_behind = other.start >= self.start && other.start + other.length <= self.start + self.length;
        self.source == other.source && is_behind
    }

    /// From the start of `self` to the end of `other`, which lies in the same source.
    pub fn to(self, other: Span) -> Span {
        let end = (other.start + other.length).max(self.start);
        Span { length: end - self.start, ..self }
    }
}

/// A value and the place that it was written at.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The place.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Puts the two together.
    pub fn new(value: T, span: Span) -> Spanned<T> {
        Spanned { value, span }
    }

    /// Keeps the place, changes the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }

    /// The same place, the value by reference.
    pub fn as_ref(&self) -> Spanned<&T> {
        Spanned { value: &self.value, span: self.span }
    }
}

/// One file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Relative to the folder of the site file, `/` between parts.
    pub path: Box<str>,
    /// Its text.
    pub text: Arc<String>,
    line_starts: Vec<u32>,
}

impl Source {
    /// Indexes the lines of a text.
    pub fn new(path: &str, text: String) -> Source {
        let mut line_starts = Vec::with_capacity(1 + memchr::memchr_iter(b'\n', text.as_bytes()).count());
        line_starts.push(0);
        line_starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
        Source { path: path.into(), text: Arc::new(text), line_starts }
    }

    /// The line of an offset, from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|start| *start <= offset) as u32
    }

    /// Line and column of an offset, both from 1; the column counts characters.
    pub fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.line(offset);
        let start = self.line_starts[line as usize - 1] as usize;
        let end = (offset as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(1, |text| text.chars().count() as u32 + 1);
        (line, column)
    }

    /// How many lines there are; the last one may be empty.
    pub fn lines(&self) -> usize {
        self.line_starts.len()
    }

    /// Where a line begins, from 1; the end of the text for one behind the last.
    pub fn line_start(&self, line: u32) -> usize {
        self.line_starts.get(line as usize - 1).map_or(self.text.len(), |start| *start as usize)
    }

    /// The text of a line, from 1, without its end.
    pub fn line_text(&self, line: u32) -> &str {
        self.text[self.line_start(line)..].lines().next().unwrap_or_default()
    }
}

/// Every file of a site, the site file first.
#[derive(Clone, Debug)]
pub struct Sources {
    folder: PathBuf,
    files: Vec<Source>,
}

impl Sources {
    /// None yet; paths are relative to this folder.
    pub fn new(folder: &Path) -> Sources {
        Sources { folder: folder.to_path_buf(), files: Vec::new() }
    }

    /// The folder of the site file.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes one more file; `None` beyond 65,534 of them.
    pub fn add(&mut self, path: &str, text: String) -> Option<SourceId> {
        let id = u16::try_from(self.files.len()).ok().filter(|id| *id < u16::MAX)?;
        self.files.push(Source::new(path, text));
        Some(SourceId(id))
    }

    /// How many files there are; also the id of the next.
    pub fn next_id(&self) -> SourceId {
        // As many as `add` takes.
        SourceId(self.files.len() as u16)
    }

    /// The file of an id that [`Sources::add`] gave.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.files[usize::from(id.0)]
    }

    /// Every file with its id.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.files.iter().enumerate().map(|(index, source)| (SourceId(index as u16), source))
    }

    /// The stored form of a place: file and line.
    pub fn origin(&self, span: Span) -> Origin {
        Origin { file: span.source.0, line: self.source(span.source).line(span.start) }
    }

    /// The stored form of the list.
    pub fn to_site(&self) -> site::Sources {
        site::Sources(self.files.iter().map(|source| source.path.clone()).collect())
    }
}
