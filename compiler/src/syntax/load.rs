//! A site from its files: [`load`]. It reads, parses and checks; what it returns is ready to be lowered.

use super::Node;
use super::check::check;
use super::parse::parse;
use crate::report::{self, Diagnostic, Severity};
use crate::source::{SourceId, Sources};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Largest source, in octets.
pub const SOURCE_MAX_OCTETS: u64 = 64 << 20;

/// What may differ between two runs over the same files.
#[derive(Clone, Default, Debug)]
pub struct LoadOptions {
    /// The profile that is in force.
    pub profile: Option<String>,
    /// Lets an `include` leave the folder of the site file.
    pub allow_outside: bool,
}

/// A site as far as it could be read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Every file.
    pub sources: Sources,
    /// Every node outside blocks, of all files, in order. Empty where a syntax error hides some of them.
    pub nodes: Vec<Node>,
    /// What is wrong, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Whether anything is wrong enough that the site does not compile.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Why the site file itself cannot be read (exit status 66). An include that cannot be read is a finding instead.
#[derive(Debug)]
pub enum LoadError {
    /// The system says so.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },
    /// A folder.
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// Not UTF-8.
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The offset of the first octet that is not.
        offset: usize,
    },
    /// Over [`SOURCE_MAX_OCTETS`].
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size, in octets.
        octets: u64,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Unreadable { path, error } => write!(f, "cannot read {}: {error}", path.display()),
            LoadError::IsFolder { path } => write!(f, "{} is a folder, not a site file", path.display()),
            LoadError::NotUtf8 { path, offset } => {
                write!(f, "{} is not UTF-8: octet {offset} is the first that is not", path.display())
            }
            LoadError::TooLarge { path, octets } => {
                write!(f, "{} has {octets} octets and {SOURCE_MAX_OCTETS} is the most", path.display())
            }
        }
    }
}

impl std::error::Error for LoadError {}

/// Loads a site from its file.
///
/// # Errors
/// [`LoadError`] where the site file itself cannot be read.
pub fn load(site_path: &Path, options: &LoadOptions) -> Result<Loaded, LoadError> {
    let text = read(site_path)?;
    let folder = site_path.parent().unwrap_or(Path::new(""));
    let name = site_path.file_name().map_or_else(|| "site.kdl".into(), |name| name.to_string_lossy().into_owned());
    Ok(load_from(Sources::new(folder), &name, text, options))
}

/// Loads a site from a text, as if it stood in a file of that name in the current folder.
pub fn load_text(name: &str, text: &str, options: &LoadOptions) -> Loaded {
    load_from(Sources::new(Path::new("")), name, text.to_owned(), options)
}

fn load_from(mut sources: Sources, name: &str, text: String, _options: &LoadOptions) -> Loaded {
    let mut nodes = Vec::new();
    let mut diagnostics = Vec::new();
    if let Some(id) = sources.add(name, text) {
        let parsed = parse(id, &sources.source(id).text);
        diagnostics = parsed.diagnostics;
        merge(&mut diagnostics, check(&parsed.nodes, parsed.extent));
        nodes = parsed.nodes;
    }
    report::sort(&mut diagnostics);
    Loaded { sources, nodes, diagnostics }
}

/// Joins what was said about the text with what the grammar says. Of two findings about one value, the grammar's is the better
/// where the other only misses quotes, and the other where the text itself is broken.
fn merge(said: &mut Vec<Diagnostic>, found: Vec<Diagnostic>) {
    let unquoted = |code: &str| matches!(code, "KDL010" | "KDL011" | "KDL012" | "KDL037");
    let (weak, strong): (Vec<_>, Vec<_>) = said.drain(..).partition(|finding| unquoted(finding.code));
    let starts = |findings: &[Diagnostic]| findings.iter().map(start).collect::<BTreeSet<_>>();
    let (broken, judged) = (starts(&strong), starts(&found));
    said.extend(weak.into_iter().filter(|finding| !judged.contains(&start(finding))));
    said.extend(found.into_iter().filter(|finding| !broken.contains(&start(finding))));
    said.extend(strong);
}

fn start(finding: &Diagnostic) -> (SourceId, u32) {
    (finding.primary.source, finding.primary.start)
}

fn read(path: &Path) -> Result<String, LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: path.to_owned(), error };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(LoadError::IsFolder { path: path.to_owned() });
    }
    if metadata.len() > SOURCE_MAX_OCTETS {
        return Err(LoadError::TooLarge { path: path.to_owned(), octets: metadata.len() });
    }
    let octets = std::fs::read(path).map_err(unreadable)?;
    String::from_utf8(octets)
        .map_err(|error| LoadError::NotUtf8 { path: path.to_owned(), offset: error.utf8_error().valid_up_to() })
}
