//! `profile`: a variant of the site. A node in it changes the node of the same name and, where a name may stand more than
//! once, of the same first argument: its properties win, its children are laid over the children, its arguments replace the
//! arguments unless it has no more than that first one. Of properties that exclude each other, its own drives out the site's.
//! What has no counterpart is added before the nodes of its name, since where order counts the first wins.

use crate::report::Diagnostic;
use crate::source::{SourceId, Span};
use crate::syntax::grammar::{CHECKERS, NodeSpec, ROOT};
use crate::syntax::near::nearest;
use crate::syntax::{Node, Property};

/// The name of a profile.
fn name(profile: &Node) -> Option<&str> {
    profile.arguments.first().and_then(|argument| argument.value.as_str())
}

/// For each profile, whether it is in force.
pub(super) fn choose(profiles: &[Node], wanted: Option<&str>, findings: &mut Vec<Diagnostic>) -> Vec<bool> {
    let chosen: Vec<bool> = profiles.iter().map(|profile| wanted.is_some() && name(profile) == wanted).collect();
    if let Some(wanted) = wanted
        && !chosen.contains(&true)
    {
        let mut known: Vec<&str> = profiles.iter().filter_map(name).collect();
        known.sort_unstable();
        known.dedup();
        let help = match (nearest(wanted, known.iter().copied()), known.as_slice()) {
            _ if is_checker(wanted) => format!("Write --checker {wanted}: a profile is a variant of the site"),
            (Some(near), _) => format!("Write --profile {near}"),
            (None, []) => "Remove --profile: the site declares none".to_owned(),
            (None, known) => format!("Write one of {}", known.join(", ")),
        };
        let place = Span { source: SourceId(0), start: 0, length: 0 };
        findings.push(Diagnostic::error("PRF001", place, format!("The site has no profile {wanted:?}")).help(help));
    }
    findings.extend(profiles.iter().filter_map(checker_as_profile));
    chosen
}

/// Whether somebody's rules go by that name.
fn is_checker(name: &str) -> bool {
    CHECKERS.iter().any(|checker| checker.text == name)
}

/// A profile that changes nothing and is named as a checker is meant for one.
fn checker_as_profile(profile: &Node) -> Option<Diagnostic> {
    let name = name(profile).filter(|name| is_checker(name) && profile.children.is_empty())?;
    let message = format!("`profile` is a variant of the site, and {name:?} is a checker, whose rules the site may keep");
    Some(Diagnostic::error("PRF002", profile.span, message).help(format!("Write `require \"{name}\"` in the block of `site`")))
}

/// The profile without what stands in it.
pub(super) fn head(profile: &Node) -> Node {
    Node { children: Vec::new(), ..profile.clone() }
}

/// Lays the nodes of a profile over those of the site.
pub(super) fn overlay(nodes: Vec<Node>, over: Vec<Node>) -> Vec<Node> {
    lay(nodes, over, &ROOT)
}

fn lay(mut nodes: Vec<Node>, over: Vec<Node>, parent: &'static NodeSpec) -> Vec<Node> {
    let mut added: Vec<Node> = Vec::new();
    for node in over {
        let spec = parent.child(&node.name.value);
        match nodes.iter_mut().find(|base| is_same(base, &node, spec)) {
            Some(base) => change(base, node, spec),
            None => added.push(node),
        }
    }
    added.append(&mut nodes);
    added
}

fn is_same(base: &Node, over: &Node, spec: Option<&NodeSpec>) -> bool {
    let key = |node: &Node| node.arguments.first().map(|argument| argument.value.clone());
    let once = spec.is_some_and(|spec| !spec.many);
    base.name.value == over.name.value && (once || (key(over).is_some() && key(base) == key(over)))
}

fn change(base: &mut Node, over: Node, spec: Option<&'static NodeSpec>) {
    let keyed = spec.is_some_and(|spec| spec.many);
    if over.arguments.len() > usize::from(keyed) {
        base.arguments = over.arguments;
    }
    if let Some(spec) = spec {
        drive_out(&mut base.properties, &over.properties, spec);
    }
    for property in over.properties {
        match base.properties.iter_mut().find(|earlier| earlier.name.value == property.name.value) {
            Some(earlier) => *earlier = property,
            None => base.properties.push(property),
        }
    }
    let children = std::mem::take(&mut base.children);
    base.children = match spec {
        Some(spec) => lay(children, over.children, spec),
        None => children.into_iter().chain(over.children).collect(),
    };
}

/// Takes out what cannot stand beside the one of exclusive properties that the profile gives.
fn drive_out(base: &mut Vec<Property>, over: &[Property], spec: &NodeSpec) {
    let is_exclusive = |name: &str| spec.one_of.contains(&name);
    let Some(chosen) = over.iter().map(|property| &*property.name.value).find(|name| is_exclusive(name)) else { return };
    base.retain(|property| {
        let name = &*property.name.value;
        let belongs_to = spec.property(name).and_then(|declared| declared.beside);
        name == chosen || !is_exclusive(name) && belongs_to.is_none_or(|beside| beside == chosen)
    });
}
