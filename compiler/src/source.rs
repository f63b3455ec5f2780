//! The files of a site and positions in them: [`SourceId`], [`Span`], [`Source`] with its line index, [`Sources`].
//!
//! A path is shown and stored relative to the folder of the site file, so that the same site compiles to the same bytes
//! wherever it lies.

use postern_schema::site::{self, Origin};
use postern_schema::snapshot::SourceDigest;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
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
    /// Its number in the stored list, or that of the first file that it is the twin of.
    stored: u16,
    twin: Option<TwinOf>,
}

/// The files that a JSON twin was written from, and where its pieces stood in them. In what is stored they take the place of
/// the twin, so that the twin compiles to the same bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TwinOf {
    /// The files, in their order.
    pub files: Vec<SourceDigest>,
    /// Files, by their index in the list, and lines, by the offset in the twin at which a piece begins.
    pub places: BTreeMap<u32, Origin>,
}

impl Source {
    /// Indexes the lines of a text.
    pub fn new(path: &str, text: String) -> Source {
        let mut line_starts = Vec::with_capacity(1 + memchr::memchr_iter(b'\n', text.as_bytes()).count());
        line_starts.push(0);
        line_starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
        Source { path: path.into(), text: Arc::new(text), line_starts, stored: 0, twin: None }
    }

    /// How many files of the stored list it stands for.
    fn stored_count(&self) -> usize {
        self.twin.as_ref().map_or(1, |twin| twin.files.len())
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
        let stored = self.files.last().map_or(0, |last| usize::from(last.stored) + last.stored_count());
        let stored = u16::try_from(stored).ok().filter(|stored| *stored < u16::MAX)?;
        self.files.push(Source { stored, ..Source::new(path, text) });
        Some(SourceId(id))
    }

    /// Says that the file added last is the twin of others; `None` where they are too many.
    pub fn set_twin(&mut self, twin: TwinOf) -> Option<()> {
        let last = self.files.last_mut()?;
        let fits = usize::from(last.stored) + twin.files.len() < usize::from(u16::MAX);
        fits.then(|| last.twin = Some(twin))
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

    /// The place of a file, or of the next one, in the stored list.
    pub fn stored(&self, id: SourceId) -> u16 {
        let next = self.files.last().map_or(0, |last| last.stored + last.stored_count() as u16);
        self.files.get(usize::from(id.0)).map_or(next, |source| source.stored)
    }

    /// The stored form of a line of a table.
    pub fn row(&self, table: SourceId, line: u32) -> Origin {
        Origin { file: self.stored(table), line }
    }

    /// The stored form of a place: file and line.
    pub fn origin(&self, span: Span) -> Origin {
        let source = self.source(span.source);
        let Some(twin) = &source.twin else { return Origin { file: source.stored, line: source.line(span.start) } };
        let place = twin.places.range(..=span.start).next_back();
        place.map_or(Origin::DEFAULT, |(_, origin)| Origin { file: source.stored + origin.file, ..*origin })
    }

    /// The stored form of the list.
    pub fn to_site(&self) -> site::Sources {
        let paths = |source: &Source| match &source.twin {
            Some(twin) => twin.files.iter().map(|file| file.path.clone()).collect(),
            None => vec![source.path.clone()],
        };
        site::Sources(self.files.iter().flat_map(paths).collect())
    }

    /// The digests of the files, in the order of the stored list.
    pub fn digests(&self) -> Vec<SourceDigest> {
        self.digests_before(self.next_id())
    }

    /// The digests of the files that come before one.
    pub fn digests_before(&self, end: SourceId) -> Vec<SourceDigest> {
        let digests = |source: &Source| match &source.twin {
            Some(twin) => twin.files.clone(),
            None => vec![SourceDigest { path: source.path.clone(), sha256: Sha256::digest(source.text.as_bytes()).into() }],
        };
        self.files[..usize::from(end.0)].iter().flat_map(digests).collect()
    }
}
