//! The list of exceptions, `tests/tidy-allow.txt`. A line is `check path [name] -- reason`; an exception that is not needed any
//! more is a finding itself, so the list only ever holds what is true.

use super::{Finding, Tree};

/// Where the list lies.
pub const PATH: &str = "tests/tidy-allow.txt";

/// The exceptions.
#[derive(Debug, Default)]
pub struct Allowed {
    entries: Vec<(usize, String)>,
}

impl Allowed {
    /// Reads the list of a tree; a tree without one allows nothing. Lines that are none are findings.
    pub fn read(tree: &Tree) -> (Allowed, Vec<Finding>) {
        let mut allowed = Allowed::default();
        let mut findings = Vec::new();
        for (index, line) in tree.file(PATH).map_or("", |file| &file.text).lines().enumerate() {
            let line_number = index + 1;
            match line.split_once(" -- ") {
                _ if line.is_empty() || line.starts_with('#') => {}
                Some((entry, reason)) if !reason.trim().is_empty() => {
                    allowed.entries.push((line_number, entry.trim().to_owned()))
                }
                _ => findings.push(Finding::new(PATH, line_number, "write `check path [name] -- reason`")),
            }
        }
        (allowed, findings)
    }

    /// Takes out what is allowed: `found` holds each finding with its entry. Entries of this check that allow nothing are
    /// findings themselves.
    pub fn filter(&self, check: &str, found: Vec<(String, Finding)>) -> Vec<Finding> {
        let prefix = format!("{check} ");
        let of_check = || self.entries.iter().filter_map(|(line, entry)| Some((line, entry.strip_prefix(&prefix)?)));
        let stale = of_check().filter(|(_, entry)| !found.iter().any(|(key, _)| key == entry));
        let stale: Vec<Finding> =
            stale.map(|(line, entry)| Finding::new(PATH, *line, format!("{entry} needs no exception any more"))).collect();
        let left = found.into_iter().filter(|(key, _)| !of_check().any(|(_, entry)| entry == key)).map(|(_, finding)| finding);
        left.chain(stale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_has_a_reason_and_a_use() {
        let tree = Tree::of(&[(PATH, "# why\n\nlines a.rs -- a table\nlines b.rs -- old\nlines c.rs --\nnonsense")]);
        let (allowed, findings) = Allowed::read(&tree);
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [5, 6]);
        let found = ["a.rs", "d.rs"].map(|path| (path.to_owned(), Finding::new(path, 0, "long"))).into();
        let left = allowed.filter("lines", found);
        assert_eq!(left.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["d.rs", PATH]);
        assert!(allowed.filter("functions", Vec::new()).is_empty());
    }
}
