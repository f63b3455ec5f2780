//! The documents that an editor holds open, and the sites that they belong to. A document takes the place of its file, in its
//! own site and in any that includes it; which site that is, is found anew each time, since every stroke of a key may change it.

use crate::source::{SourceId, Sources};
use crate::syntax::{LoadOptions, Node, Sketched, read_file, sketch, sketch_site};
use lsp_types::Url;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How far above a document its site is looked for, where the editor has named no folder around it.
const CLIMB_WITHOUT_FOLDER: usize = 4;
/// The same where it has.
const CLIMB_LIMIT: usize = 32;
/// The most files of a folder that are asked whether they declare a site.
const CANDIDATES_LIMIT: usize = 64;
/// The largest file that is asked.
const CANDIDATE_MAX_OCTETS: u64 = 4 << 20;

/// A text as the editor has it.
#[derive(Clone, Debug)]
pub struct Document {
    /// What the editor calls it.
    pub uri: Url,
    /// Its file, behind symbolic links; `None` where it is none, as before it is first saved.
    pub path: Option<PathBuf>,
    /// Counted by the editor.
    pub version: i32,
    /// The text.
    pub text: Arc<str>,
}

/// Everything that the editor has told.
#[derive(Clone, Default, Debug)]
pub struct Workspace {
    /// The folders that it works in.
    pub folders: Vec<PathBuf>,
    /// The profile that sites are looked at under.
    pub profile: Option<String>,
    documents: BTreeMap<Url, Document>,
}

/// A document in its surroundings: the site that it belongs to, or itself alone.
#[derive(Clone, Debug)]
pub struct Site {
    /// The site file; `None` where the document belongs to no site.
    pub root: Option<PathBuf>,
    /// Every file.
    pub sources: Sources,
    /// Every node as it is written.
    pub nodes: Vec<Node>,
    /// The document.
    pub here: SourceId,
}

impl Workspace {
    /// Takes a document, or its new text.
    pub fn hold(&mut self, uri: Url, version: i32, text: &str) {
        let path = uri.to_file_path().ok().map(|path| behind_links(&path));
        self.documents.insert(uri.clone(), Document { uri, path, version, text: text.into() });
    }

    /// Lets go of a document: its file counts again.
    pub fn release(&mut self, uri: &Url) {
        self.documents.remove(uri);
    }

    /// A document that is held.
    pub fn document(&self, uri: &Url) -> Option<&Document> {
        self.documents.get(uri)
    }

    /// Every document that is held.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    /// How sites are read: with documents in the place of files.
    pub fn options(&self) -> LoadOptions {
        let mut overlays = BTreeMap::new();
        for document in self.documents.values() {
            // A site may name a file by way of a link.
            let named = document.uri.to_file_path().ok();
            overlays.extend(named.into_iter().chain(document.path.clone()).map(|path| (path, document.text.to_string())));
        }
        LoadOptions { profile: self.profile.clone(), overlays, ..LoadOptions::default() }
    }

    /// A document with the site that it belongs to.
    pub fn site_of(&self, document: &Document) -> Site {
        self.whole_site(document).unwrap_or_else(|| alone(document))
    }

    fn whole_site(&self, document: &Document) -> Option<Site> {
        let path = document.path.as_ref()?;
        let options = self.options();
        if declares_site(path, &document.text) {
            let Sketched { sources, nodes } = sketch_site(path, &options).ok()?;
            return Some(Site { root: Some(path.clone()), sources, nodes, here: SourceId(0) });
        }
        self.folders_above(path).flat_map(|folder| candidates(folder, &options)).find_map(|root| {
            let Sketched { sources, nodes } = sketch_site(&root, &options).ok()?;
            let here = sources.iter().find(|(id, _)| is_file(&sources, *id, path))?.0;
            Some(Site { root: Some(root), sources, nodes, here })
        })
    }

    /// The folders that the site of a file may lie in: a site includes nothing from outside its own.
    fn folders_above<'a>(&self, path: &'a Path) -> impl Iterator<Item = &'a Path> + use<'a> {
        let around = self.folders.iter().filter(|folder| path.starts_with(folder));
        let top = around.max_by_key(|folder| folder.components().count()).map(|folder| folder.components().count());
        let limit = if top.is_some() { CLIMB_LIMIT } else { CLIMB_WITHOUT_FOLDER };
        path.ancestors().skip(1).take(limit).take_while(move |folder| top.is_none_or(|top| folder.components().count() >= top))
    }

    /// What the editor calls a file of a site.
    pub fn uri(&self, sources: &Sources, id: SourceId) -> Option<Url> {
        let path = path_of(sources, id);
        let real = behind_links(&path);
        let open = self.documents.values().find(|document| document.path.as_ref() == Some(&real));
        open.map(|document| document.uri.clone()).or_else(|| Url::from_file_path(path).ok())
    }
}

/// Where a file of a site lies.
pub fn path_of(sources: &Sources, id: SourceId) -> PathBuf {
    sources.folder().join(&*sources.source(id).path)
}

fn is_file(sources: &Sources, id: SourceId, path: &Path) -> bool {
    let own = path_of(sources, id);
    own == path || own.file_name() == path.file_name() && behind_links(&own) == path
}

/// The path behind symbolic links; of what is not there, the path as it is.
pub fn behind_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn alone(document: &Document) -> Site {
    let path = document.path.clone().unwrap_or_default();
    let mut sources = Sources::new(path.parent().unwrap_or(Path::new("")));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let here = sources.add(&name, document.text.to_string()).unwrap_or(SourceId(0));
    Site { root: None, nodes: sketch(here, &document.text), sources, here }
}

/// The files of a folder that declare a site, `site.kdl` first.
fn candidates(folder: &Path, options: &LoadOptions) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let open = options.overlays.keys().filter(|path| path.parent() == Some(folder)).cloned();
    let mut paths: Vec<PathBuf> = listed.chain(open).filter(|path| is_source(path)).collect();
    paths.sort_by_key(|path| (path.file_name().is_some_and(|name| name != "site.kdl"), path.clone()));
    paths.dedup();
    paths.truncate(CANDIDATES_LIMIT);
    paths.retain(|path| match options.overlays.get(path) {
        Some(text) => declares_site(path, text),
        None => {
            let is_small = path.metadata().is_ok_and(|metadata| metadata.len() <= CANDIDATE_MAX_OCTETS);
            is_small && read_file(path).is_ok_and(|text| declares_site(path, &text))
        }
    });
    paths
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "kdl" || extension == "json")
}

/// Whether a text declares a site, and is not only a part of one.
fn declares_site(path: &Path, text: &str) -> bool {
    if !text.contains("site") {
        return false;
    }
    if path.extension().is_some_and(|extension| extension == "json") {
        return serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("site").is_some());
    }
    sketch(SourceId(0), text).iter().any(|node| node.name.value == "site")
}

#[cfg(test)]
mod tests {
    use super::{Site, Workspace};
    use lsp_types::Url;
    use std::fs;
    use std::path::Path;

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The files of the site of a document, which is opened with this text.
    fn site(workspace: &mut Workspace, path: &Path, text: &str) -> Site {
        let uri = Url::from_file_path(path).unwrap();
        workspace.hold(uri.clone(), 1, text);
        workspace.site_of(workspace.document(&uri).unwrap())
    }

    fn files(site: &Site) -> Vec<&str> {
        site.sources.iter().map(|(_, source)| &*source.path).collect()
    }

    #[test]
    fn the_nearest_site_that_includes_a_document_is_its_own() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().canonicalize().unwrap();
        write(&folder, "site.kdl", "site \"far.example.com\"\ninclude \"a/*.kdl\" \"lone.kdl\"\n");
        write(&folder, "a/mail.kdl", "site \"near.example.com\"\ninclude \"parts/*.kdl\"\n");
        write(&folder, "a/parts/one.kdl", "");
        write(&folder, "lone.kdl", "");
        write(&folder, "nobody.kdl", "");
        let mut workspace = Workspace { folders: vec![folder.clone()], ..Workspace::default() };
        let near = site(&mut workspace, &folder.join("a/parts/one.kdl"), "domain \"x.example\"\n");
        assert_eq!(
            (near.root.as_deref(), files(&near)),
            (Some(folder.join("a/mail.kdl").as_path()), vec!["mail.kdl", "parts/one.kdl"])
        );
        assert_eq!(near.nodes.iter().filter(|node| node.name.value == "domain").count(), 1);
        let far = site(&mut workspace, &folder.join("lone.kdl"), "");
        assert_eq!(far.root.as_deref(), Some(folder.join("site.kdl").as_path()));
        let nobody = site(&mut workspace, &folder.join("nobody.kdl"), "relay \"r\"\n");
        assert_eq!((nobody.root.as_deref(), files(&nobody)), (None, vec!["nobody.kdl"]));
    }

    #[test]
    fn what_is_typed_decides_and_not_what_is_saved() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().canonicalize().unwrap();
        write(&folder, "site.kdl", "site \"mail.example.com\"\n");
        let part = folder.join("part.kdl");
        let mut workspace = Workspace::default();
        assert!(site(&mut workspace, &part, "").root.is_none());
        let whole = site(&mut workspace, &folder.join("site.kdl"), "site \"mail.example.com\"\ninclude \"part.kdl\"\n");
        assert_eq!(files(&whole), ["site.kdl", "part.kdl"]);
        assert!(site(&mut workspace, &part, "").root.is_some());
        assert!(site(&mut workspace, &part, "site \"other.example.com\"").root.is_some_and(|root| root == part));
    }
}
