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
    is_test: bool,
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

    /// Whether all of it is test code: it lies in the tests crate, or its module is declared under `#[cfg(test)]`.
    pub fn is_test(&self) -> bool {
        self.is_test
    }

    fn new(path: String, text: String) -> SourceFile {
        // The tests crate, and the `tests` folder of another one.
        let is_test = path.starts_with("tests/") || path.split('/').nth(1) == Some("tests");
        SourceFile { is_test, path, text, code: OnceLock::new() }
    }

    /// The path, without `.rs`, of every module that this file declares under `#[cfg(test)]`.
    fn test_modules(&self) -> Vec<String> {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let folder = match name {
            "mod.rs" | "lib.rs" | "main.rs" => folder,
            _ => self.path.trim_end_matches(".rs"),
        };
        let code = self.code();
        let declared = code.code.lines().enumerate().filter(|(index, _)| code.is_test(index + 1));
        let name = |line: &str| Some(line.trim().strip_suffix(';')?.rsplit_once("mod ")?.1.to_owned());
        declared.filter_map(|(_, line)| name(line)).map(|name| format!("{folder}/{name}")).collect()
    }
}

impl Tree {
    /// Reads everything under a folder that is UTF-8.
    pub fn read(root: &Path) -> Tree {
        let mut tree = Tree { files: Vec::new(), folders: Vec::new() };
        tree.add(root, "");
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.mark_tests();
        tree
    }

    fn mark_tests(&mut self) {
        let modules: Vec<String> = self.rust("").flat_map(SourceFile::test_modules).collect();
        for file in &mut self.files {
            let is_below =
                |module: &String| file.path.strip_prefix(module.as_str()).is_some_and(|r| r == ".rs" || r.starts_with('/'));
            file.is_test |= modules.iter().any(is_below);
        }
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
                self.files.push(SourceFile::new(path, text));
            }
        }
    }

    /// A tree of these files: for tests of the checks.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| SourceFile::new((*path).to_owned(), (*text).to_owned());
        let mut folders: Vec<String> = Vec::new();
        for (path, _) in files {
            folders.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
        }
        folders.sort_unstable();
        folders.dedup();
        let mut tree = Tree { files: files.iter().map(file).collect(), folders };
        tree.mark_tests();
        tree
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_what_the_compiler_takes_for_it() {
        let declaration = "mod a;\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\npub(crate) mod fixture;";
        let tree = Tree::of(&[
            ("x/src/mod.rs", declaration),
            ("x/src/a.rs", "#[cfg(test)]\nmod tests {\n    mod b;\n}"),
            ("x/src/tests.rs", ""),
            ("x/src/tests/deep.rs", ""),
            ("x/src/fixture.rs", ""),
            ("x/src/fixtures.rs", ""),
            ("x/src/b.rs", declaration),
            ("x/src/b/tests.rs", ""),
            ("tests/src/lib.rs", ""),
            ("x/tests/e.rs", ""),
        ]);
        let tests: Vec<&str> = tree.files().iter().filter(|file| file.is_test()).map(|file| file.path.as_str()).collect();
        assert_eq!(
            tests,
            ["x/src/tests.rs", "x/src/tests/deep.rs", "x/src/fixture.rs", "x/src/b/tests.rs", "tests/src/lib.rs", "x/tests/e.rs"]
        );
    }
}
