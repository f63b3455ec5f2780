//! `include`: the nodes of other files in the place of the node that names them. A file must lie in the site's folder, also
//! behind its symbolic links; it is read once; and no file includes itself, by whatever way round.

use super::{LoadError, LoadOptions, file, glob};
use crate::report::Diagnostic;
use crate::source::{Source, SourceId, Sources, Span, Spanned, TwinOf};
use crate::syntax::check::{Extent, check};
use crate::syntax::parse::{Parsed, parse};
use crate::syntax::sketch::sketch;
use crate::syntax::{Node, Value, json};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The longest chain of includes.
const CHAIN_LIMIT: usize = 8;

/// The most octets of all files together.
const SITE_MAX_OCTETS: u64 = 256 << 20;

/// How a source becomes nodes; and what it is the twin of.
pub(super) type Reader = fn(SourceId, &Source) -> (Parsed, Option<TwinOf>);

/// Reads a source with all that is to be said about it.
pub(super) fn parsed(id: SourceId, source: &Source) -> (Parsed, Option<TwinOf>) {
    if is_json(source) { json::parse(id, &source.text) } else { (parse(id, &source.text), None) }
}

/// Reads what can be made out of a source, and says nothing about it.
pub(super) fn sketched(id: SourceId, source: &Source) -> (Parsed, Option<TwinOf>) {
    let nodes = if is_json(source) { json::parse(id, &source.text).0.nodes } else { sketch(id, &source.text) };
    (Parsed { nodes, diagnostics: Vec::new(), extent: Extent::Part }, None)
}

fn is_json(source: &Source) -> bool {
    source.path.ends_with(".json")
}

/// The files of a site, as they are read.
pub(super) struct Files<'a> {
    pub(super) sources: Sources,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) extent: Extent,
    options: &'a LoadOptions,
    reader: Reader,
    /// Files that were read, by their real path, with the include that asked for them.
    read: BTreeMap<PathBuf, Option<Span>>,
    octets: u64,
}

/// A file that is being read, and the include that asked for it.
struct Link<'a> {
    source: SourceId,
    real: PathBuf,
    by: Option<(Span, &'a Link<'a>)>,
}

impl<'a> Files<'a> {
    pub(super) fn new(sources: Sources, options: &'a LoadOptions, reader: Reader) -> Files<'a> {
        Files { sources, diagnostics: Vec::new(), extent: Extent::Whole, options, reader, read: BTreeMap::new(), octets: 0 }
    }

    /// The nodes of the site file and of everything that it includes.
    pub(super) fn site(&mut self, name: &str, text: String) -> Vec<Node> {
        let real = real(&self.sources.folder().join(name));
        self.read.insert(real.clone(), None);
        let Some((source, nodes)) = self.source(name, text) else { return Vec::new() };
        self.expand(nodes, &Link { source, real, by: None }, 0)
    }

    fn source(&mut self, path: &str, text: String) -> Option<(SourceId, Vec<Node>)> {
        self.octets += text.len() as u64;
        let source = self.sources.add(path, text)?;
        let (Parsed { nodes, diagnostics, extent }, twin) = (self.reader)(source, self.sources.source(source));
        if let Some(twin) = twin {
            self.sources.set_twin(twin)?;
        }
        self.diagnostics.extend(diagnostics);
        if extent == Extent::Part {
            self.extent = Extent::Part;
        }
        Some((source, nodes))
    }

    fn expand(&mut self, nodes: Vec<Node>, link: &Link<'_>, depth: usize) -> Vec<Node> {
        let mut expanded = Vec::with_capacity(nodes.len());
        for node in nodes {
            if node.name.value != "include" {
                expanded.push(node);
                continue;
            }
            let found = check(std::slice::from_ref(&node), Extent::Part);
            if found.is_empty() {
                let optional = node.property("optional").is_some_and(|optional| optional.value == Value::Bool(true));
                for argument in &node.arguments {
                    if let Value::String(path) = &argument.value {
                        let path = Spanned::new(path.as_str(), argument.span);
                        expanded.extend(self.include(&path, optional, link, depth));
                    }
                }
            } else {
                self.extent = Extent::Part;
                self.diagnostics.extend(found);
            }
        }
        expanded
    }

    fn include(&mut self, written: &Spanned<&str>, optional: bool, link: &Link<'_>, depth: usize) -> Vec<Node> {
        let here = Path::new(&*self.sources.source(link.source).path).parent().unwrap_or(Path::new("")).to_path_buf();
        let absolute = Path::new(written.value).is_absolute();
        let Some(path) = tidy(&here.join(written.value)).filter(|_| !absolute || self.options.allow_outside) else {
            return self.refuse(
                "INC003",
                written,
                link,
                "leads out of the site's folder",
                "Move the file into the site's folder",
            );
        };
        let folder = self.sources.folder().to_path_buf();
        let files = if glob::is_pattern(written.value) {
            let text = path.to_string_lossy().replace('\\', "/");
            let base = if absolute { PathBuf::from("/") } else { folder.clone() };
            let own = folder.join(&*self.sources.source(link.source).path);
            glob::files(&base, &text).into_iter().filter(|found| *found != own).collect()
        } else {
            vec![folder.join(&path)]
        };
        if files.is_empty() && !optional {
            return self.refuse(
                "INC001",
                written,
                link,
                "matches no file",
                "Write the path of a file that exists, or add optional=#true",
            );
        }
        files.into_iter().flat_map(|file| self.file(&file, written, optional, link, depth)).collect()
    }

    fn file(&mut self, path: &Path, written: &Spanned<&str>, optional: bool, link: &Link<'_>, depth: usize) -> Vec<Node> {
        let real = real(path);
        if !self.options.allow_outside && !real.starts_with(self::real(self.sources.folder())) {
            let help = "Move the file into the site's folder";
            return self.refuse("INC003", written, link, "leads out of the site's folder by a symbolic link", help);
        }
        let text = match file::read(path, self.options) {
            Ok(text) => text,
            Err(LoadError::Unreadable { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
                let help = "Write the path of a file that exists, or add optional=#true";
                return if optional { Vec::new() } else { self.refuse("INC001", written, link, "does not exist", help) };
            }
            Err(error) => {
                let help = "Write the path of a site file in KDL or JSON";
                return self.refuse("INC004", written, link, &error.cause(), help);
            }
        };
        if is_open(link, &real) {
            return self.refuse("INC002", written, link, "includes itself in a circle", "Remove one include of the circle");
        }
        if let Some(earlier) = self.read.get(&real) {
            let earlier = *earlier;
            self.refuse("INC005", written, link, "is included for the second time", "Remove one of the two");
            if let (Some(span), Some(finding)) = (earlier, self.diagnostics.last_mut()) {
                finding.secondary.insert(0, crate::report::Label { span, text: "first included here".to_owned() });
            }
            return Vec::new();
        }
        if depth >= CHAIN_LIMIT || self.octets + text.len() as u64 > SITE_MAX_OCTETS {
            let help = "Include it from the site file itself, or move long lists into tables";
            return self.refuse("INC006", written, link, "makes the site too deep or too large", help);
        }
        let shown = path.strip_prefix(self.sources.folder()).unwrap_or(path).to_string_lossy().replace('\\', "/");
        self.read.insert(real.clone(), Some(written.span));
        let Some((source, nodes)) = self.source(&shown, text) else {
            return self.refuse("INC006", written, link, "is one file too many", "Join small files to larger ones");
        };
        self.expand(nodes, &Link { source, real, by: Some((written.span, link)) }, depth + 1)
    }

    /// Reports an include that cannot be followed, with the chain that led to it.
    fn refuse(&mut self, code: &'static str, written: &Spanned<&str>, link: &Link<'_>, cause: &str, help: &str) -> Vec<Node> {
        self.extent = Extent::Part;
        let mut finding = Diagnostic::error(code, written.span, format!("{:?} {cause}", written.value)).help(help);
        let mut by = link.by.as_ref();
        while let Some((span, outer)) = by {
            finding = finding.also(*span, "included from here");
            by = outer.by.as_ref();
        }
        self.diagnostics.push(finding);
        Vec::new()
    }
}

/// Whether a file is being read already, further up the chain.
fn is_open(link: &Link<'_>, real: &Path) -> bool {
    link.real == real || link.by.as_ref().is_some_and(|(_, outer)| is_open(outer, real))
}

/// The path behind symbolic links; of what is not there, the path as it is.
fn real(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().unwrap_or_else(|_| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

/// The path without `.` and `..`; `None` where it leads out of the folder that it is relative to.
fn tidy(path: &Path) -> Option<PathBuf> {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                if !tidy.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            part => tidy.push(part),
        }
    }
    Some(tidy)
}
