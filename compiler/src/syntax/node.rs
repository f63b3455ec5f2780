//! The tree that a site file turns into, whatever it was written in: KDL and its JSON twin both end here, and `lower` reads
//! nothing else. Every piece knows its place.

use crate::source::{Span, Spanned};

/// One node: a name, arguments, properties, children.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// The name.
    pub name: Spanned<String>,
    /// Arguments in order.
    pub arguments: Vec<Spanned<Value>>,
    /// Properties in order of writing; the grammar has refused duplicates.
    pub properties: Vec<Property>,
    /// The children block, in order.
    pub children: Vec<Node>,
    /// The whole node: name to end of its entries, without the children block.
    pub span: Span,
}

/// `name=value`.
#[derive(Clone, PartialEq, Debug)]
pub struct Property {
    /// The name.
    pub name: Spanned<String>,
    /// The value; its span is the value alone, without `name=`.
    pub value: Spanned<Value>,
}

/// A scalar as it was written.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A string, quoted or bare.
    String(String),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// `#true` or `#false`.
    Bool(bool),
    /// `#null`.
    Null,
}

impl Value {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, for messages: "a string", "a number".
    pub fn describe(&self) -> &'static str {
        match self {
            Value::String(_) => "a string",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Bool(_) => "a truth value",
            Value::Null => "#null",
        }
    }
}

impl Node {
    /// The value of a property.
    pub fn property(&self, name: &str) -> Option<&Spanned<Value>> {
        self.properties.iter().find(|property| property.name.value == name).map(|property| &property.value)
    }

    /// Whether a place lies in the node or in its block.
    pub fn holds(&self, place: Span) -> bool {
        self.span.holds(place) || self.children.iter().any(|child| child.holds(place))
    }

    /// The children of that name, in order.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name.value == name)
    }
}
