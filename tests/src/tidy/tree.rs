//! The text files of the workspace, read once: path and content. Build output and version control are left out.

use super::rust::Code;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// What holds nothing of ours, at any depth: folders, and the file that stands for one of them in a linked checkout.
const SKIPPED: &[&str] = &["target", ".git", ".postern"];

/// A set of files under one root, sorted by path.
#[derive(Debug)]
pub struct Tree {
    files: Vec<SourceFile>,
    folders: Vec<String>,
}

/// A text file.
#[derive(Debug)]
pub struct SourceFile {
    /// Relative to the root, with `/`.
    pub path: String,
    /// The whole content.
    pub text: String,
    code: OnceLock<Code>,
}

/// A breach of a rule.
#[derive(Clone, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, and what to do.
    pub what: String,
}

impl Finding {
    /// Puts one together.
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

impl SourceFile {
    /// Its text as Rust.
    pub fn code(&self) -> &Code {
        self.code.get_or_init(|| Code::read(&self.text))
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is test code: a file of the tests crate, or a test module of its own.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

impl Tree {
    /// Reads everything under a folder that is UTF-8.
    pub fn read(root: &Path) -> Tree {
        let mut tree = Tree { files: Vec::new(), folders: Vec::new() };
        tree.add(root, "");
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree
    }

    fn add(&mut self, root: &Path, folder: &str) {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let Ok(kind) = entry.file_type() else { continue };
            if SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.add(root, &path);
                self.folders.push(path);
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                self.files.push(SourceFile { path, text, code: OnceLock::new() });
            }
        }
    }

    /// A tree of these files: for tests of the checks.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).into(), text: (*text).into(), code: OnceLock::new() };
        let mut folders: Vec<String> = Vec::new();
        for (path, _) in files {
            folders.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
        }
        folders.sort_unstable();
        folders.dedup();
        Tree { files: files.iter().map(file).collect(), folders }
    }

    /// Every file.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Every Rust file under a prefix.
    pub fn rust<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.is_rust() && file.path.starts_with(prefix))
    }

    /// The file of that path.
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Every folder.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// Whether a file or folder of that path is there.
    pub fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.file(path).is_some() || self.folders.iter().any(|folder| folder == path)
    }
}
