//! Where what is named here is declared: a name, or the file of an `include`.

use super::cursor::Cursor;
use super::names::Names;
use super::scene::Scene;
use super::workspace::path_of;
use crate::syntax::grammar::ValueType;
use lsp_types::{GotoDefinitionResponse, Location, Position, Range, Url};

/// Every place that declares the name at a place: more than one where a profile changes it.
pub fn definition(scene: &Scene<'_>, position: Position) -> Option<GotoDefinitionResponse> {
    let offset = scene.offset(position);
    let names = Names::of(scene.site());
    let locations: Vec<Location> = match names.at(scene.site().here, offset) {
        Some(name) => names.declarations(name).iter().filter_map(|declaration| scene.location(declaration.span)).collect(),
        None => file(scene, offset).into_iter().collect(),
    };
    (!locations.is_empty()).then_some(GotoDefinitionResponse::Array(locations))
}

/// The file that a path leads to.
fn file(scene: &Scene<'_>, offset: usize) -> Option<Location> {
    let cursor = Cursor::new(&scene.document.text, offset);
    let spot = cursor.spot();
    if !matches!(cursor.declared(&spot)?.kind(), ValueType::Path) {
        return None;
    }
    let written = cursor.content_of(&spot.token()?);
    let here = path_of(&scene.site().sources, scene.site().here);
    // An `include` counts from its own file, any other path from the folder of the site.
    let folders = here.parent().into_iter().chain([scene.site().sources.folder()]);
    let found = folders.map(|folder| folder.join(written)).find(|path| path.is_file())?;
    Some(Location::new(Url::from_file_path(found).ok()?, Range::default()))
}
