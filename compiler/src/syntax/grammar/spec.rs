//! The shape of a declaration: [`NodeSpec`] and what it is made of. Only types and look-ups; the declarations themselves are
//! in the files beside this one, and who reads them is [`crate::syntax::check`], the reference, the schema and the editor.

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
    /// The parameters of `main.cf` that it stands in for.
    pub postfix: &'static [&'static str],
    /// Whether this runtime does what it says.
    pub served: Served,
}

/// One word of a closed list.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// The word.
    pub text: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Whether this runtime does what it says.
    pub served: Served,
}

/// What a value holds. How each is read is in [`crate::syntax::value`].
#[derive(Clone, Copy, Debug)]
pub enum ValueType {
    /// Any text.
    Text,
    /// A name that is declared here and referred to elsewhere.
    Name,
    /// One of a closed list of words.
    Word(&'static [Word]),
    /// A duration: `"5m"`, `"1h30m"`, `"4w"`.
    Duration,
    /// A size in octets: `"25MiB"`.
    Size,
    /// So many in a time: `"14/s"`, `"100/1m"`.
    Rate,
    /// A whole number within bounds, both included.
    Count {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A whole number of either sign, within bounds.
    Weight,
    /// A factor of at least 1, with at most two decimals.
    Factor,
    /// A network in CIDR form, or a single address.
    Cidr,
    /// An IP address.
    Ip,
    /// A domain name.
    Domain,
    /// A host: a domain name, an IP address or an address literal.
    Host,
    /// Where a service listens: `"unix:/path"`, `"inet:host:port"`, `"host:port"`.
    Endpoint,
    /// A whole mail address.
    Mailbox,
    /// What stands before the `@`.
    LocalPart,
    /// A local part of this domain, or a whole mail address.
    Address,
    /// An envelope sender: a mail address, or `""` for the null path.
    ReversePath,
    /// An envelope recipient: a mail address, or `postmaster`.
    ForwardPath,
    /// A set of addresses: `*`, `example.com`, `.example.com`.
    Selection,
    /// A regular expression.
    Pattern,
    /// A mail address in which `{1}` to `{9}` stand for groups of a pattern.
    Template,
    /// A path in which `{domain}` and `{user}` are filled in.
    PathTemplate,
    /// The name of a secret: a file in the credentials folder.
    Secret,
    /// An address on the web, or `mailto:`.
    Url,
    /// A TCP port.
    Port,
    /// A path, relative to the folder of the site file unless it begins with `/`.
    Path,
    /// A name that is declared elsewhere, or one of a few words.
    Reference {
        /// What it may name.
        kinds: &'static [Kind],
        /// Words with a meaning of their own.
        words: &'static [Word],
    },
    /// A single character.
    Character,
    /// `#true` or `#false`.
    Truth,
    /// Why something was decided: a name of [`postern_schema::decide::Reason`].
    Reason,
    /// Any scalar: the value of a constant.
    Any,
}

/// What a name can stand for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A `relay`.
    Relay,
    /// A `transport`.
    Transport,
    /// A `network`.
    Network,
    /// A `listen`.
    Listener,
    /// A `users`.
    Users,
    /// A `filter`.
    Filter,
    /// A `policy`.
    Policy,
    /// A `dkim` key of a domain.
    Dkim,
    /// A `domain`.
    Domain,
    /// A `profile`.
    Profile,
}

impl Kind {
    /// The name of the node that declares one.
    pub fn node(self) -> &'static str {
        match self {
            Kind::Relay => "relay",
            Kind::Transport => "transport",
            Kind::Network => "network",
            Kind::Listener => "listen",
            Kind::Users => "users",
            Kind::Filter => "filter",
            Kind::Policy => "policy",
            Kind::Dkim => "dkim",
            Kind::Domain => "domain",
            Kind::Profile => "profile",
        }
    }
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

    /// The declaration of a child.
    pub fn child(&self, name: &str) -> Option<&'static NodeSpec> {
        self.children.iter().find(|child| child.name == name)
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
        Argument { name, kind, doc, required: true, repeating: false, declares: None }
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
}

impl PropertySpec {
    /// One that may be left out.
    pub const fn new(name: &'static str, kind: ValueType, doc: &'static str) -> PropertySpec {
        PropertySpec { name, kind, doc, required: false, postfix: &[], served: Served::Yes }
    }

    /// One that exists in the language but is not served.
    pub const fn later(name: &'static str, kind: ValueType, doc: &'static str) -> PropertySpec {
        PropertySpec { name, kind, doc, required: false, postfix: &[], served: Served::NotYet }
    }

    /// Must be given.
    pub const fn required(mut self) -> PropertySpec {
        self.required = true;
        self
    }

    /// Stands in for these parameters of `main.cf`.
    pub const fn postfix(mut self, parameters: &'static [&'static str]) -> PropertySpec {
        self.postfix = parameters;
        self
    }
}

impl Word {
    /// A word that is served.
    pub const fn new(text: &'static str, doc: &'static str) -> Word {
        Word { text, doc, served: Served::Yes }
    }

    /// A word that exists in the language but is not served.
    pub const fn later(text: &'static str, doc: &'static str) -> Word {
        Word { text, doc, served: Served::NotYet }
    }
}

impl ValueType {
    /// What belongs there, for messages and the reference: "a duration".
    pub fn describe(&self) -> &'static str {
        match self {
            ValueType::Text => "a text",
            ValueType::Name => "a name",
            ValueType::Word(_) => "a word",
            ValueType::Duration => "a duration",
            ValueType::Size => "a size",
            ValueType::Rate => "a rate",
            ValueType::Count { .. } | ValueType::Weight => "a whole number",
            ValueType::Factor => "a factor",
            ValueType::Cidr => "a network",
            ValueType::Ip => "an IP address",
            ValueType::Domain => "a domain name",
            ValueType::Host => "a host",
            ValueType::Endpoint => "an endpoint",
            ValueType::Mailbox => "a mail address",
            ValueType::LocalPart => "a local part",
            ValueType::Address => "a local part or a mail address",
            ValueType::ReversePath => "an envelope sender",
            ValueType::ForwardPath => "an envelope recipient",
            ValueType::Selection => "a set of addresses",
            ValueType::Pattern => "a regular expression",
            ValueType::Template => "a mail address with groups",
            ValueType::PathTemplate | ValueType::Path => "a path",
            ValueType::Secret => "the name of a secret",
            ValueType::Url => "a URL",
            ValueType::Port => "a port",
            ValueType::Reference { .. } => "a declared name",
            ValueType::Character => "a single character",
            ValueType::Truth => "a truth value",
            ValueType::Reason => "a reason",
            ValueType::Any => "a value",
        }
    }

    /// A value as it would be written, quotes and all.
    pub fn sample(&self) -> &'static str {
        match self {
            ValueType::Text | ValueType::Any => "\"text\"",
            ValueType::Name | ValueType::Reference { .. } => "\"name\"",
            ValueType::Word(words) => words.first().map_or("\"word\"", |word| word.text),
            ValueType::Duration => "\"5m\"",
            ValueType::Size => "\"25MiB\"",
            ValueType::Rate => "\"100/1m\"",
            ValueType::Count { .. } => "100",
            ValueType::Weight => "-2",
            ValueType::Factor => "2",
            ValueType::Cidr => "\"192.0.2.0/24\"",
            ValueType::Ip => "\"192.0.2.1\"",
            ValueType::Domain => "\"example.com\"",
            ValueType::Host => "\"mail.example.com\"",
            ValueType::Endpoint => "\"inet:127.0.0.1:11332\"",
            ValueType::Mailbox | ValueType::ReversePath | ValueType::ForwardPath => "\"alice@example.com\"",
            ValueType::LocalPart | ValueType::Address => "\"alice\"",
            ValueType::Selection => "\"*\"",
            ValueType::Pattern => "#\"^sales-(\\w+)$\"#",
            ValueType::Template => "\"sales+{1}@example.com\"",
            ValueType::PathTemplate => "\"/var/mail/{domain}/{user}\"",
            ValueType::Secret => "\"tls-mail\"",
            ValueType::Url => "\"https://example.com/\"",
            ValueType::Port => "587",
            ValueType::Path => "\"tls/mail.pem\"",
            ValueType::Character => "\"+\"",
            ValueType::Truth => "#true",
            ValueType::Reason => "\"relay-denied\"",
        }
    }
}
