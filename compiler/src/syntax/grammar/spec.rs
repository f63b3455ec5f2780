//! The shape of a declaration: [`NodeSpec`] and what it is made of. Only types and look-ups; the declarations themselves are
//! in the files beside this one, what values look like is in [`super::value_type`], and who reads them is [`crate::syntax::check`], the reference, the schema and the editor.

use super::layout::ALLOW;
use super::value_type::{Kind, ValueType};

/// One block or setting of the site language.
#[derive(Clone, Copy, Debug)]
pub struct NodeSpec {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one or two sentences: shown in the reference and on hover.
    pub doc: &'static str,
    /// Its arguments in order; only the last may repeat.
    pub arguments: &'static [Argument],
    /// Its properties.
    pub properties: &'static [PropertySpec],
    /// What may stand in its children block.
    pub children: &'static [NodeSpec],
    /// Properties of which exactly one must be given; empty: no such demand.
    pub one_of: &'static [&'static str],
    /// Whether it may stand more than once in its parent.
    pub many: bool,
    /// Whether its parent needs it.
    pub required: bool,
    /// Takes any property, each a constant of that name: only `let` does.
    pub open: bool,
    /// One example, as it stands in a site.
    pub example: &'static str,
    /// The parameters of `main.cf` that it stands in for.
    pub postfix: &'static [&'static str],
    /// Whether this runtime does what it says.
    pub served: Served,
}

/// Whether this runtime does what a declaration says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Served {
    /// It does.
    Yes,
    /// The language has the word, the runtime has not: refused with a message that says so.
    NotYet,
}

/// One argument of a node.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name: what the reference calls it, and its key in the JSON twin.
    pub name: &'static str,
    /// What it holds.
    pub kind: ValueType,
    /// What it means.
    pub doc: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// Whether any number of them may follow.
    pub repeating: bool,
    /// What a value here gives a name to.
    pub declares: Option<Kind>,
    /// What a value here may be the name of, where its type does not say so.
    pub refers: &'static [Kind],
}

/// One property of a node.
#[derive(Clone, Copy, Debug)]
pub struct PropertySpec {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ValueType,
    /// What it means.
    pub doc: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// The property of `one_of` that it belongs to: beside another, it would say nothing.
    pub beside: Option<&'static str>,
    /// Another property, of which what this one says would be a second opinion.
    pub instead_of: Option<&'static str>,
    /// The parameters of `main.cf` that it stands in for.
    pub postfix: &'static [&'static str],
    /// Whether this runtime does what it says.
    pub served: Served,
}

impl NodeSpec {
    /// A node without arguments, properties or children, that may stand once.
    pub const fn new(name: &'static str, doc: &'static str) -> NodeSpec {
        NodeSpec {
            name,
            doc,
            arguments: &[],
            properties: &[],
            children: &[],
            one_of: &[],
            many: false,
            required: false,
            open: false,
            example: "",
            postfix: &[],
            served: Served::Yes,
        }
    }

    /// A node that exists in the language but is not served.
    pub const fn later(name: &'static str, doc: &'static str) -> NodeSpec {
        let mut spec = NodeSpec::new(name, doc);
        spec.served = Served::NotYet;
        spec
    }

    /// With these arguments.
    pub const fn arguments(mut self, arguments: &'static [Argument]) -> NodeSpec {
        self.arguments = arguments;
        self
    }

    /// With these properties.
    pub const fn properties(mut self, properties: &'static [PropertySpec]) -> NodeSpec {
        self.properties = properties;
        self
    }

    /// With these nodes in its block.
    pub const fn children(mut self, children: &'static [NodeSpec]) -> NodeSpec {
        self.children = children;
        self
    }

    /// With exactly one of these properties.
    pub const fn one_of(mut self, properties: &'static [&'static str]) -> NodeSpec {
        self.one_of = properties;
        self
    }

    /// May stand more than once.
    pub const fn many(mut self) -> NodeSpec {
        self.many = true;
        self
    }

    /// Must stand in its parent.
    pub const fn required(mut self) -> NodeSpec {
        self.required = true;
        self
    }

    /// Takes any property.
    pub const fn open(mut self) -> NodeSpec {
        self.open = true;
        self
    }

    /// With an example.
    pub const fn example(mut self, example: &'static str) -> NodeSpec {
        self.example = example;
        self
    }

    /// Stands in for these parameters of `main.cf`.
    pub const fn postfix(mut self, parameters: &'static [&'static str]) -> NodeSpec {
        self.postfix = parameters;
        self
    }

    /// The declaration of a property.
    pub fn property(&self, name: &str) -> Option<&'static PropertySpec> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The declaration of a child; `allow` is one of every block.
    pub fn child(&self, name: &str) -> Option<&'static NodeSpec> {
        let own = self.children.iter().find(|child| child.name == name);
        own.or((name == ALLOW.name && !self.open).then_some(&ALLOW))
    }

    /// Position and declaration of an argument by name.
    pub fn argument(&self, name: &str) -> Option<(usize, &'static Argument)> {
        self.arguments.iter().enumerate().find(|(_, argument)| argument.name == name)
    }

    /// The declaration of the argument at a position.
    pub fn argument_at(&self, index: usize) -> Option<&'static Argument> {
        self.arguments.get(index).or_else(|| self.arguments.last().filter(|last| last.repeating))
    }

    /// Whether the node is no more than its name: `dane`, `self-signed`.
    pub fn is_flag(&self) -> bool {
        self.properties.is_empty()
            && self.children.is_empty()
            && matches!(self.arguments, [Argument { kind: ValueType::Truth, required: false, .. }])
    }
}

impl Argument {
    /// One that must be given.
    pub const fn new(name: &'static str, kind: ValueType, doc: &'static str) -> Argument {
        Argument { name, kind, doc, required: true, repeating: false, declares: None, refers: &[] }
    }

    /// A name that is declared by it.
    pub const fn name(kind: Kind, doc: &'static str) -> Argument {
        Argument::new("name", ValueType::Name, doc).declares(kind)
    }

    /// The argument of a node that is switched on by being there.
    pub const fn flag() -> Argument {
        Argument::new("on", ValueType::Truth, "`#false` switches it off; `#true` is what its presence means").optional()
    }

    /// May be left out.
    pub const fn optional(mut self) -> Argument {
        self.required = false;
        self
    }

    /// May be followed by more of its kind.
    pub const fn repeating(mut self) -> Argument {
        self.repeating = true;
        self
    }

    /// Gives a name to something.
    pub const fn declares(mut self, kind: Kind) -> Argument {
        self.declares = Some(kind);
        self
    }

    /// May be the name of one of these.
    pub const fn refers(mut self, kinds: &'static [Kind]) -> Argument {
        self.refers = kinds;
        self
    }
}

impl PropertySpec {
    /// One that may be left out.
    pub const fn new(name: &'static str, kind: ValueType, doc: &'static str) -> PropertySpec {
        PropertySpec { name, kind, doc, required: false, beside: None, instead_of: None, postfix: &[], served: Served::Yes }
    }

    /// One that exists in the language but is not served.
    pub const fn later(name: &'static str, kind: ValueType, doc: &'static str) -> PropertySpec {
        PropertySpec { name, kind, doc, required: false, beside: None, instead_of: None, postfix: &[], served: Served::NotYet }
    }

    /// Must be given.
    pub const fn required(mut self) -> PropertySpec {
        self.required = true;
        self
    }

    /// Never beside this one.
    pub const fn instead_of(mut self, property: &'static str) -> PropertySpec {
        self.instead_of = Some(property);
        self
    }

    /// Says something only beside this one.
    pub const fn beside(mut self, property: &'static str) -> PropertySpec {
        self.beside = Some(property);
        self
    }

    /// Stands in for these parameters of `main.cf`.
    pub const fn postfix(mut self, parameters: &'static [&'static str]) -> PropertySpec {
        self.postfix = parameters;
        self
    }
}
