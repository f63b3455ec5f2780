//! A site from its files: [`load`]. It reads, parses, follows includes, puts constants and a profile in place, and checks; what
//! it returns is ready to be lowered.

mod constant;
mod error;
mod file;
mod glob;
mod include;
mod profile;

pub use constant::is_constant_name;
pub(in crate::syntax) use constant::{RESERVED, next};
pub use error::LoadError;
pub use file::SOURCE_MAX_OCTETS;

use super::Node;
use super::check::{Extent, check};
use crate::report::{self, Diagnostic, Severity};
use crate::source::{SourceId, Sources};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What may differ between two runs over the same files.
#[derive(Clone, Default, Debug)]
pub struct LoadOptions {
    /// The profile that is in force.
    pub profile: Option<String>,
    /// Lets an `include` leave the folder of the site file.
    pub allow_outside: bool,
    /// Texts that take the place of files, as an editor holds them before they are saved; by path, as [`load`] would open it.
    pub overlays: BTreeMap<PathBuf, String>,
}

/// A site as far as it could be read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Every file.
    pub sources: Sources,
    /// Every node outside blocks, of all files, in order; includes are replaced by what they name, constants by their values,
    /// and the profile in force is merged. Without the statements that a syntax error made unreadable.
    pub nodes: Vec<Node>,
    /// What is wrong, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether `nodes` is all of the site: no statement was unreadable, no include failed.
    pub complete: bool,
}

impl Loaded {
    /// Whether anything is wrong enough that the site does not compile.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Loads a site from its file: the JSON twin where its name ends in `.json`, KDL otherwise.
///
/// # Errors
/// [`LoadError`] where the site file itself cannot be read. An include that cannot be read is a finding instead.
pub fn load(site_path: &Path, options: &LoadOptions) -> Result<Loaded, LoadError> {
    let (sources, name, text) = site_file(site_path, options)?;
    Ok(load_from(sources, &name, text, options))
}

/// A site as it is written.
#[derive(Clone, Debug)]
pub struct Sketched {
    /// Every file.
    pub sources: Sources,
    /// Every node outside blocks, of all files, in order; includes are replaced by what they name, and nothing else is.
    pub nodes: Vec<Node>,
}

/// Follows the includes of a site, and reads what can be made out without judging it: for editors, at each stroke of a key.
///
/// # Errors
/// [`LoadError`] where the site file itself cannot be read.
pub fn sketch_site(site_path: &Path, options: &LoadOptions) -> Result<Sketched, LoadError> {
    let (sources, name, text) = site_file(site_path, options)?;
    let mut files = include::Files::new(sources, options, include::sketched);
    let nodes = files.site(&name, text);
    Ok(Sketched { sources: files.sources, nodes })
}

/// The site file: no sources yet, and its name and text.
fn site_file(site_path: &Path, options: &LoadOptions) -> Result<(Sources, String, String), LoadError> {
    let text = file::read(site_path, options)?;
    let folder = site_path.parent().unwrap_or(Path::new(""));
    let name = site_path.file_name().map_or_else(|| "site.kdl".into(), |name| name.to_string_lossy().into_owned());
    Ok((Sources::new(folder), name, text))
}

/// The text of one file, with the limits that hold for every source.
///
/// # Errors
/// [`LoadError`] where it cannot be read.
pub fn read_file(path: &Path) -> Result<String, LoadError> {
    file::read(path, &LoadOptions::default())
}

/// Loads a site from a text, as if it stood in a file of that name in the current folder.
pub fn load_text(name: &str, text: &str, options: &LoadOptions) -> Loaded {
    load_from(Sources::new(Path::new("")), name, text.to_owned(), options)
}

fn load_from(sources: Sources, name: &str, text: String, options: &LoadOptions) -> Loaded {
    let mut files = include::Files::new(sources, options, include::parsed);
    let nodes = files.site(name, text);
    let include::Files { sources, diagnostics: mut said, extent, .. } = files;

    let mut found = Vec::new();
    let nodes = variant(nodes, options.profile.as_deref(), &mut found);
    found.extend(check(&nodes, extent));
    merge(&mut said, found);
    report::sort(&mut said);
    Loaded { sources, nodes, diagnostics: said, complete: extent == Extent::Whole }
}

/// The nodes without `let` and `profile`: constants in place, the profile in force laid over.
fn variant(nodes: Vec<Node>, profile: Option<&str>, found: &mut Vec<Diagnostic>) -> Vec<Node> {
    let (lets, nodes) = divide(nodes, "let");
    let (mut profiles, mut nodes) = divide(nodes, "profile");
    found.extend(check(&lets, Extent::Part));
    let base = constant::declare(&lets, found);
    let mut own = Vec::new();
    for profile in &mut profiles {
        let (lets, rest) = divide(std::mem::take(&mut profile.children), "let");
        profile.children = rest;
        found.extend(check(&lets, Extent::Part));
        own.push(constant::declare(&lets, found));
    }
    let chosen = profile::choose(&profiles, profile, found);
    let mut in_force: Vec<&constant::Constants> =
        own.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(own, _)| own).collect();
    in_force.push(&base);
    nodes.iter_mut().for_each(|node| constant::fill(node, &in_force));
    for ((mut profile, own), chosen) in profiles.into_iter().zip(&own).zip(chosen) {
        let known = if chosen { in_force.clone() } else { vec![own, &base] };
        profile.children.iter_mut().for_each(|node| constant::fill(node, &known));
        if chosen {
            found.extend(check(&[profile::head(&profile)], Extent::Part));
            nodes = profile::overlay(nodes, profile.children);
        } else {
            found.extend(check(&[profile], Extent::Part));
        }
    }
    constant::unused(&base, &own, &nodes, found);
    nodes
}

/// The nodes of a name, and all others.
fn divide(nodes: Vec<Node>, name: &str) -> (Vec<Node>, Vec<Node>) {
    nodes.into_iter().partition(|node| node.name.value == name)
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

#[cfg(test)]
mod tests;
