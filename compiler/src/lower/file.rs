//! Reading the files that a site names. They lie in the folder of the site file: a site may not read what its author could
//! not have put there, and it compiles the same wherever the folder lies.

use super::Lowering;
use crate::report::Diagnostic;
use crate::rules::{FILE_OUTSIDE, FILE_UNREADABLE};
use crate::source::Spanned;
use std::path::{Component, Path};

/// Largest certificate chain, in octets.
pub(super) const CHAIN_MAX_OCTETS: u64 = 1 << 20;

impl Lowering<'_> {
    /// The text of a file that the site names, relative to its folder.
    pub(super) fn read(&mut self, path: &Spanned<String>, limit_octets: u64) -> Option<String> {
        match self.try_read(path, limit_octets) {
            Ok(text) => Some(text),
            Err(finding) => {
                self.findings.push(finding);
                None
            }
        }
    }

    fn try_read(&self, path: &Spanned<String>, limit_octets: u64) -> Result<String, Diagnostic> {
        let written = Path::new(&path.value);
        let leaves = written.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
        let outside = || {
            FILE_OUTSIDE
                .at(path.span, format!("{:?} lies outside the folder of the site", path.value))
                .help("Copy the file into the folder of the site, and write its path from there")
        };
        if leaves {
            return Err(outside());
        }
        let unreadable = |why: String| {
            FILE_UNREADABLE
                .at(path.span, format!("{:?} cannot be read: {why}", path.value))
                .help("Check the path: it counts from the folder of the site file")
        };
        let folder = match self.sources.folder() {
            folder if folder.as_os_str().is_empty() => Path::new("."),
            folder => folder,
        };
        let io = |error: std::io::Error| unreadable(error.kind().to_string());
        let folder = folder.canonicalize().map_err(io)?;
        // A symbolic link may lead out of the folder too.
        let file = folder.join(written).canonicalize().map_err(io)?;
        if !file.starts_with(&folder) {
            return Err(outside());
        }
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            return Err(unreadable("it is not a file".to_owned()));
        }
        if metadata.len() > limit_octets {
            return Err(unreadable(format!("it has {} octets and {limit_octets} is the most", metadata.len())));
        }
        let octets = std::fs::read(&file).map_err(io)?;
        String::from_utf8(octets).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
    }
}
