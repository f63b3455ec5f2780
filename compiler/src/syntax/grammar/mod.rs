//! The grammar of the site language, declared once, as data: every block, argument, property and word that a site file may
//! hold. From it come the structural checks, the nearest known name, the language reference, the JSON Schema of the twin,
//! and what an editor completes. A new block is a declaration here and nothing else.
//!
//! One file for each part of a site, in the order of [`ROOT`].

mod content;
mod domain;
mod egress;
mod host;
pub(in crate::syntax) mod layout;
mod postfix;
mod publication;
mod screen;
mod settings;
mod spec;
mod table;
mod test_block;
mod value_type;

pub use host::CHECKERS;
pub use postfix::{Advice, advice, parameters};
pub use publication::gone;
pub use spec::{Argument, NodeSpec, PropertySpec, Served};
pub use value_type::{Kind, ValueType, Word};

/// A site file: the nodes that may stand outside every block.
pub static ROOT: NodeSpec = NodeSpec::new("site file", "A mail site: what stands outside every block.").children(&[
    host::SITE,
    host::TLS,
    host::LISTEN,
    host::NETWORK,
    host::USERS,
    domain::DOMAIN,
    domain::PARKED,
    table::SITE_MAILBOXES,
    table::SITE_ALIASES,
    egress::TRANSPORT,
    egress::RELAY,
    egress::ROUTE,
    table::ROUTES,
    egress::DESTINATION,
    screen::SCREEN,
    content::POLICY,
    content::FILTER,
    content::CONTENT,
    content::REWRITE,
    content::MASQUERADE,
    content::SRS,
    content::ARC,
    content::ARCHIVE,
    content::HEADERS,
    settings::QUEUE,
    settings::LIMITS,
    settings::LOG,
    settings::METRICS,
    settings::REPORTS,
    settings::ADMIN,
    test_block::TEST,
    layout::INCLUDE,
    layout::LET,
    layout::PROFILE,
    layout::ALLOW,
]);

/// The nodes that a `profile` may hold: all of a site file but `profile` and `include`.
pub fn allowed_in_profile(spec: &NodeSpec) -> bool {
    !matches!(spec.name, "profile" | "include")
}

/// The nodes that may stand in the block of a node.
pub fn block(spec: &'static NodeSpec) -> impl Iterator<Item = &'static NodeSpec> + Clone {
    let of_a_site = spec.name == layout::PROFILE.name;
    let children = if of_a_site { ROOT.children } else { spec.children };
    let everywhere = Some(&layout::ALLOW).filter(|allow| !spec.open && children.iter().all(|child| child.name != allow.name));
    children.iter().filter(move |child| !of_a_site || allowed_in_profile(child)).chain(everywhere)
}

/// Every declaration with the names of the blocks around it, parents first.
pub fn walk(visit: &mut impl FnMut(&[&'static str], &'static NodeSpec)) {
    fn go(spec: &'static NodeSpec, path: &mut Vec<&'static str>, visit: &mut impl FnMut(&[&'static str], &'static NodeSpec)) {
        for child in spec.children {
            visit(path, child);
            path.push(child.name);
            go(child, path, visit);
            path.pop();
        }
    }
    go(&ROOT, &mut Vec::new(), visit);
}

#[cfg(test)]
mod tests;
