//! The way from nodes to typed values: [`Document`] and [`View`]. `lower` reads a site through these and parses no text itself.
//!
//! Every accessor answers `None`, or leaves the piece out, where nothing is written *or* what is written was reported by
//! [`crate::syntax::check()`] already; so a reader never reports a value that does not parse. A name that the grammar does not
//! declare, or a type that it does not have there, is a slip of the programmer: it fails in debug builds.

use crate::source::{Span, Spanned};
use crate::syntax::grammar::{Argument, NodeSpec, PropertySpec, ROOT, Served};
use crate::syntax::value::{self, FromTyped};
use crate::syntax::{Node, Value};

/// All nodes of a site.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    nodes: &'a [Node],
}

impl<'a> Document<'a> {
    /// Over the nodes that [`crate::syntax::load()`] gave.
    pub fn new(nodes: &'a [Node]) -> Document<'a> {
        Document { nodes }
    }

    /// The first node of a name.
    pub fn child(&self, name: &str) -> Option<View<'a>> {
        self.children(name).next()
    }

    /// The nodes of a name, in order.
    pub fn children(&self, name: &str) -> impl Iterator<Item = View<'a>> + use<'a> {
        named(self.nodes, &ROOT, name, Reach::Served)
    }

    /// The same, whether or not the runtime serves them: for what is judged before it is served.
    pub fn planned(&self, name: &str) -> impl Iterator<Item = View<'a>> + use<'a> {
        named(self.nodes, &ROOT, name, Reach::Known)
    }

    /// Every node that is known and served, in order.
    pub fn all(&self) -> impl Iterator<Item = View<'a>> + use<'a> {
        all(self.nodes, &ROOT)
    }
}

/// One node, with its declaration.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    node: &'a Node,
    spec: &'static NodeSpec,
}

impl<'a> View<'a> {
    /// The name of the node.
    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    /// The place of the name.
    pub fn name_span(&self) -> Span {
        self.node.name.span
    }

    /// The place of the node, without its children block.
    pub fn span(&self) -> Span {
        self.node.span
    }

    /// The node as it was written.
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// Its declaration.
    pub fn spec(&self) -> &'static NodeSpec {
        self.spec
    }

    /// An argument by the name that the grammar gives it; of a repeating one, the first.
    pub fn argument<T: FromTyped>(&self, name: &str) -> Option<Spanned<T>> {
        let (index, declared) = self.declared_argument(name)?;
        typed(self.node.arguments.get(index)?, |value| value::read(&declared.kind, value))
    }

    /// The values of a repeating argument.
    pub fn arguments<T: FromTyped>(&self, name: &str) -> Vec<Spanned<T>> {
        let Some((index, declared)) = self.declared_argument(name) else { return Vec::new() };
        let values = self.node.arguments.iter().skip(index);
        values.filter_map(|value| typed(value, |value| value::read(&declared.kind, value))).collect()
    }

    /// A property.
    pub fn property<T: FromTyped>(&self, name: &str) -> Option<Spanned<T>> {
        let declared = self.declared_property(name)?;
        if declared.served == Served::NotYet { None } else { self.planned_property(name) }
    }

    /// The same, whether or not the runtime serves it.
    fn planned_property<T: FromTyped>(&self, name: &str) -> Option<Spanned<T>> {
        let declared = self.declared_property(name)?;
        typed(self.node.property(name)?, |value| value::read(&declared.kind, value))
    }

    /// The place of a property as a whole, name and value, whether or not it can be read.
    pub fn property_span(&self, name: &str) -> Option<Span> {
        self.declared_property(name)?;
        let property = self.node.properties.iter().find(|property| property.name.value == name)?;
        Some(property.name.span.to(property.value.span))
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<View<'a>> {
        self.children(name).next()
    }

    /// The children of a name, in order.
    pub fn children(&self, name: &str) -> impl Iterator<Item = View<'a>> + use<'a> {
        named(&self.node.children, self.spec, name, Reach::Served)
    }

    /// The same, whether or not the runtime serves them.
    pub fn planned(&self, name: &str) -> impl Iterator<Item = View<'a>> + use<'a> {
        named(&self.node.children, self.spec, name, Reach::Known)
    }

    /// Every child that is known and served, in order.
    pub fn all(&self) -> impl Iterator<Item = View<'a>> + use<'a> {
        all(&self.node.children, self.spec)
    }

    /// A child that is switched on by being there, `self-signed` or `self-signed #false`: whether it is on, and its place.
    pub fn flag(&self, name: &str) -> Option<Spanned<bool>> {
        let child = self.child(name)?;
        let on = child.argument::<bool>("on").is_none_or(|on| on.value);
        Some(Spanned::new(on, child.span()))
    }

    fn declared_argument(&self, name: &str) -> Option<(usize, &'static Argument)> {
        let found = self.spec.argument(name);
        debug_assert!(found.is_some(), "the grammar has no argument {name} of {}", self.spec.name);
        found
    }

    fn declared_property(&self, name: &str) -> Option<&'static PropertySpec> {
        let found = self.spec.property(name);
        debug_assert!(found.is_some(), "the grammar has no property {name} of {}", self.spec.name);
        found
    }
}

fn typed<T: FromTyped>(
    value: &Spanned<Value>, read: impl FnOnce(&Value) -> Result<value::Typed, value::ValueError>,
) -> Option<Spanned<T>> {
    let read = read(&value.value).ok()?;
    let found = T::from_typed(read.clone());
    debug_assert!(found.is_some(), "the grammar gives {read:?} here, not a {}", std::any::type_name::<T>());
    found.map(|found| Spanned::new(found, value.span))
}

/// Which nodes are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Those that the runtime serves.
    Served,
    /// All that the grammar knows.
    Known,
}

fn named<'a>(nodes: &'a [Node], parent: &'static NodeSpec, name: &str, reach: Reach) -> impl Iterator<Item = View<'a>> + use<'a> {
    let spec = parent.child(name);
    debug_assert!(spec.is_some(), "the grammar has no {name} in {}", parent.name);
    let spec = spec.filter(|spec| spec.served == Served::Yes || reach == Reach::Known);
    let nodes = if spec.is_some() { nodes } else { &[] };
    nodes.iter().filter_map(move |node| spec.filter(|spec| spec.name == node.name.value).map(|spec| View { node, spec }))
}

fn all<'a>(nodes: &'a [Node], parent: &'static NodeSpec) -> impl Iterator<Item = View<'a>> + use<'a> {
    nodes.iter().filter_map(move |node| {
        let spec = parent.child(&node.name.value).filter(|spec| spec.served == Served::Yes)?;
        Some(View { node, spec })
    })
}
