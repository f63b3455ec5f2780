//! Reading the files that a site names. They lie in the folder of the site file: a site may not read what its author could
//! not have put there, and it compiles the same wherever the folder lies.

use super::Lowering;
use crate::rules::{FILE_OUTSIDE, FILE_UNREADABLE};
use crate::source::Spanned;
use std::io;
use std::path::{Component, Path};

/// Largest certificate chain, in octets.
pub(super) const CHAIN_MAX_OCTETS: u64 = 1 << 20;
/// Largest file with one public key, in octets: RSA of 16,384 bits takes a quarter of it.
pub(super) const PUBLIC_KEY_MAX_OCTETS: u64 = 1 << 14;

/// Why a file was not read.
enum FileError {
    /// It lies outside the folder of the site.
    Outside,
    /// The system's answer, or what is wrong with the file, as the second half of a sentence.
    Unreadable(String),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> FileError {
        FileError::Unreadable(match error.kind() {
            io::ErrorKind::NotFound => "it is not there".to_owned(),
            kind => kind.to_string(),
        })
    }
}

impl Lowering<'_> {
    /// The text of a file that the site names, relative to its folder; what is wrong with it is reported.
    pub(super) fn read(&mut self, path: &Spanned<String>, limit_octets: u64) -> Option<String> {
        let folder = match self.sources.folder() {
            folder if folder.as_os_str().is_empty() => Path::new("."),
            folder => folder,
        };
        let finding = match read(folder, Path::new(&path.value), limit_octets) {
            Ok(text) => return Some(text),
            Err(FileError::Outside) => FILE_OUTSIDE
                .at(path.span, format!("{:?} lies outside the folder of the site", path.value))
                .help("Copy the file into the folder of the site, and write its path from there"),
            Err(FileError::Unreadable(why)) => FILE_UNREADABLE
                .at(path.span, format!("{:?} cannot be read: {why}", path.value))
                .help("Check the path: it counts from the folder of the site file"),
        };
        self.findings.push(finding);
        None
    }
}

fn read(folder: &Path, written: &Path, limit_octets: u64) -> Result<String, FileError> {
    if written.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(FileError::Outside);
    }
    let folder = folder.canonicalize()?;
    // A symbolic link may lead out of the folder too.
    let file = folder.join(written).canonicalize()?;
    if !file.starts_with(&folder) {
        return Err(FileError::Outside);
    }
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(FileError::Unreadable("it is not a file".to_owned()));
    }
    if metadata.len() > limit_octets {
        let why = format!("it has {} octets and {limit_octets} is the most", metadata.len());
        return Err(FileError::Unreadable(why));
    }
    String::from_utf8(std::fs::read(&file)?).map_err(|error| FileError::Unreadable(not_utf8(error.as_bytes())))
}

/// Where a text ceases to be UTF-8, and what it may be instead.
fn not_utf8(octets: &[u8]) -> String {
    if octets.starts_with(&[0xFF, 0xFE]) || octets.starts_with(&[0xFE, 0xFF]) {
        return "it is UTF-16, not UTF-8 text".to_owned();
    }
    let valid = std::str::from_utf8(octets).map_or_else(|error| error.valid_up_to(), str::len);
    let line = 1 + memchr::memchr_iter(b'\n', &octets[..valid]).count();
    format!("it is not UTF-8 text: line {line} has the octet 0x{:02X}", octets.get(valid).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{FileError, read};
    use std::path::Path;

    fn outcome(folder: &Path, name: &str) -> String {
        match read(folder, Path::new(name), 8) {
            Ok(text) => text,
            Err(FileError::Outside) => "outside".to_owned(),
            Err(FileError::Unreadable(why)) => why,
        }
    }

    #[test]
    fn only_small_texts_in_the_folder_are_read() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("site");
        std::fs::create_dir_all(folder.join("tls")).unwrap();
        for (name, octets) in
            [("site/tls/a.pem", &b"inside"[..]), ("secret", b"secret"), ("site/big", b"123456789"), ("site/raw", b"\xFF")]
        {
            std::fs::write(place.path().join(name), octets).unwrap();
        }
        std::os::unix::fs::symlink("../secret", folder.join("out")).unwrap();
        std::os::unix::fs::symlink("tls/a.pem", folder.join("in")).unwrap();
        std::os::unix::fs::symlink("loop", folder.join("loop")).unwrap();
        for (name, expected) in [
            ("tls/a.pem", "inside"),
            ("./tls/a.pem", "inside"),
            ("in", "inside"),
            ("out", "outside"),
            ("../secret", "outside"),
            ("tls/../../secret", "outside"),
            ("/etc/hostname", "outside"),
            ("tls", "it is not a file"),
            ("big", "it has 9 octets and 8 is the most"),
            ("raw", "it is not UTF-8 text: line 1 has the octet 0xFF"),
            ("none", "it is not there"),
        ] {
            assert_eq!(outcome(&folder, name), expected, "{name}");
        }
        assert!(read(&folder, Path::new("loop"), 8).is_err());
    }
}
