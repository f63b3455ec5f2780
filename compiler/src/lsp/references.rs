//! Every place that names the same thing.

use super::names::Names;
use super::scene::Scene;
use crate::syntax::Role;
use lsp_types::{Location, Position};

/// The places that name what is named at a place, in all files of the site.
pub fn references(scene: &Scene<'_>, position: Position, with_declaration: bool) -> Option<Vec<Location>> {
    let names = Names::of(scene.site());
    let name = names.at(scene.site().here, scene.offset(position))?;
    let wanted = |role| with_declaration || !matches!(role, Role::Declares(_));
    let places = names.all(name).into_iter().filter(|occurrence| wanted(occurrence.role));
    Some(places.filter_map(|occurrence| scene.location(occurrence.span)).collect())
}
