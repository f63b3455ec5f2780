//! Where a value comes from: a line of a source file, or the defaults.

use std::fmt;

/// A line of one of the site's [`Sources`], or [`Origin::DEFAULT`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Origin {
    /// Index into [`Sources`].
    pub file: u16,
    /// The line, from 1; 0 only in [`Origin::DEFAULT`].
    pub line: u32,
}

impl Origin {
    /// Said by nobody: the default of the language.
    pub const DEFAULT: Origin = Origin { file: u16::MAX, line: 0 };

    /// Whether no source said so.
    pub fn is_default(self) -> bool {
        self.line == 0
    }
}

/// The paths of the source files, relative to the folder of the site file, `/` between parts; never a path of the host
/// that compiled it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sources(pub Vec<Box<str>>);

impl Sources {
    /// `site.kdl:12`, or `default`.
    pub fn describe(&self, origin: Origin) -> String {
        match self.0.get(usize::from(origin.file)) {
            Some(path) if !origin.is_default() => format!("{path}:{}", origin.line),
            _ => "default".to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    /// Only for debugging; people get [`Sources::describe`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}:{}", self.file, self.line)
    }
}
