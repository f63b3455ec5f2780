//! Paths with `*` and `?`, which match within a name and never a leading dot. There is no `**`.

use std::path::{Path, PathBuf};

/// Whether a path has anything to match.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?'])
}

/// The files below a folder whose path relative to it matches, in order of their names. Folders that cannot be listed match
/// nothing.
pub(super) fn files(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![folder.to_path_buf()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        found = found.iter().flat_map(|folder| step(folder, part)).collect();
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

fn step(folder: &Path, part: &str) -> Vec<PathBuf> {
    if !is_pattern(part) {
        return vec![folder.join(part)];
    }
    let Ok(entries) = std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }) else {
        return Vec::new();
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| (!name.starts_with('.') || part.starts_with('.')) && matches(part, name))
        .map(|name| folder.join(name))
        .collect()
}

/// Whether a name matches. Linear in both but for the last `*`, which alone is ever reconsidered.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut place) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[place] => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((star_at, star_place)) => {
                    star = Some((star_at, star_place + 1));
                    at = star_at + 1;
                    place = star_place + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}
