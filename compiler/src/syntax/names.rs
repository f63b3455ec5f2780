//! Where a site declares names and where it refers to them: [`mentions`]. Which value does what is said by the grammar alone
//! ([`Argument::declares`], [`Argument::refers`], [`ValueType::refers`]); `lower` resolves names through this, and an editor
//! completes, finds and renames them.
//!
//! [`Argument::declares`]: super::grammar::Argument::declares
//! [`Argument::refers`]: super::grammar::Argument::refers

use super::grammar::{Argument, Kind, NodeSpec, ROOT, Served, ValueType, Word, block};
use super::load::next;
use super::{Node, Value, value};
use crate::source::{Span, Spanned};

/// What a value has to do with a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Gives it to something.
    Declares(Kind),
    /// Refers to what must be declared: a thing of one of these kinds.
    Needs(&'static [Kind]),
    /// May speak of one that is declared.
    Speaks(Kind),
}

impl Role {
    /// What the name may stand for.
    pub fn kinds(&self) -> &[Kind] {
        match self {
            Role::Declares(kind) | Role::Speaks(kind) => std::slice::from_ref(kind),
            Role::Needs(kinds) => kinds,
        }
    }
}

/// A name, where it is written.
#[derive(Clone, Debug)]
pub struct Mention<'a> {
    /// What it is there for.
    pub role: Role,
    /// The name; of a mail address, the local part alone.
    pub name: &'a str,
    /// The value that it stands in.
    pub value: Span,
    /// Where in the text of that value it begins, in octets.
    pub offset: usize,
    /// Of an address, the domains that it is in, as they are written.
    pub domains: Vec<&'a str>,
    /// The names of the nodes around it, from the outermost on, and that of its own.
    pub path: &'a [&'static str],
    /// Words that may stand in the place of a name that is needed.
    pub words: &'static [Word],
    /// The parameters of `main.cf` that the place stands in for.
    pub postfix: &'static [&'static str],
    /// Whether the runtime serves it and everything around it.
    pub served: bool,
}

/// Shows every name in these nodes, in order; a value that cannot be read declares and needs nothing.
pub fn mentions(nodes: &[Node], visit: &mut impl FnMut(&Mention<'_>)) {
    Walk { path: Vec::new(), visit }.nodes(nodes, &Parent { spec: &ROOT, domains: Vec::new(), served: true });
}

struct Parent<'a> {
    spec: &'static NodeSpec,
    /// The domains that it declares.
    domains: Vec<&'a str>,
    served: bool,
}

/// A value and what is declared of its place.
struct Place<'a> {
    value: &'a Spanned<Value>,
    kind: &'static ValueType,
    postfix: &'static [&'static str],
    served: bool,
}

struct Walk<'v, V> {
    path: Vec<&'static str>,
    visit: &'v mut V,
}

impl<V: FnMut(&Mention<'_>)> Walk<'_, V> {
    fn nodes(&mut self, nodes: &[Node], parent: &Parent<'_>) {
        for node in nodes {
            if let Some(spec) = block(parent.spec).find(|spec| spec.name == node.name.value) {
                self.path.push(spec.name);
                self.node(node, spec, parent);
                self.path.pop();
            }
        }
    }

    fn node(&mut self, node: &Node, spec: &'static NodeSpec, parent: &Parent<'_>) {
        let served = parent.served && spec.served == Served::Yes;
        for (index, value) in node.arguments.iter().enumerate() {
            let Some(argument) = spec.argument_at(index) else { break };
            self.argument(argument, &Place { value, kind: &argument.kind, postfix: spec.postfix, served }, parent);
        }
        for property in &node.properties {
            let value = &property.value;
            self.constants(value, served);
            if spec.open {
                self.show(Role::Declares(Kind::Constant), &property.name.value, property.name.span, 0, served);
            } else if let Some(declared) = spec.property(&property.name.value) {
                let postfix = if declared.postfix.is_empty() { spec.postfix } else { declared.postfix };
                let served = served && declared.served == Served::Yes;
                self.refers(&Place { value, kind: &declared.kind, postfix, served }, parent);
            }
        }
        let declares = |index| spec.argument_at(index).is_some_and(|argument| argument.declares == Some(Kind::Domain));
        let declared = node.arguments.iter().enumerate().filter(|(index, _)| declares(*index));
        let domains = declared.filter_map(|(_, value)| value.value.as_str()).collect();
        self.nodes(&node.children, &Parent { spec, domains, served });
    }

    fn argument(&mut self, argument: &'static Argument, place: &Place<'_>, parent: &Parent<'_>) {
        self.constants(place.value, place.served);
        let Some(text) = place.value.value.as_str() else { return };
        match argument.declares {
            Some(_) if value::read(place.kind, &place.value.value).is_err() => {}
            Some(Kind::Address) => self.address(Role::Declares(Kind::Address), text, place, parent),
            Some(kind) => self.show(Role::Declares(kind), text, place.value.span, 0, place.served),
            None => self.refers(place, parent),
        }
        for kind in argument.refers {
            self.show(Role::Speaks(*kind), text, place.value.span, 0, place.served);
        }
    }

    fn refers(&mut self, place: &Place<'_>, parent: &Parent<'_>) {
        let Some(text) = place.value.value.as_str() else { return };
        match place.kind {
            ValueType::Reference { words, .. } if words.iter().any(|word| word.text == text) => {}
            ValueType::Reference { .. } if value::read(place.kind, &place.value.value).is_err() => {}
            ValueType::Reference { kinds, words } => {
                let (name, value, path) = (text, place.value.span, &self.path[..]);
                let (domains, postfix, served) = (Vec::new(), place.postfix, place.served);
                let role = Role::Needs(kinds);
                (self.visit)(&Mention { role, name, value, offset: 0, domains, path, words, postfix, served });
            }
            ValueType::Selection => {
                let name = text.trim_start_matches(['@', '.']);
                self.show(Role::Speaks(Kind::Domain), name, place.value.span, text.len() - name.len(), place.served);
            }
            kind if kind.refers().contains(&Kind::Address) => {
                self.address(Role::Speaks(Kind::Address), text, place, parent);
            }
            _ => {}
        }
    }

    /// A whole mail address, or a local part of the domains around it.
    fn address(&mut self, role: Role, text: &str, place: &Place<'_>, parent: &Parent<'_>) {
        let (name, domain) = text.rsplit_once('@').map_or((text, None), |(local, domain)| (local, Some(domain)));
        let domains = domain.map_or_else(|| parent.domains.clone(), |domain| vec![domain]);
        if !domains.is_empty() {
            let (value, path, served) = (place.value.span, &self.path[..], place.served);
            let (words, postfix) = (&[][..], &[][..]);
            (self.visit)(&Mention { role, name, value, offset: 0, domains, path, words, postfix, served });
        }
        if let Some(domain) = domain {
            self.show(Role::Speaks(Kind::Domain), domain, place.value.span, text.len() - domain.len(), place.served);
        }
    }

    /// Every `{name}` of a text.
    fn constants(&mut self, value: &Spanned<Value>, served: bool) {
        let text = value.value.as_str().unwrap_or_default();
        let mut rest = text;
        while let Some((_, name, after)) = next(rest) {
            let offset = text.len() - after.len() - 1 - name.len();
            self.show(Role::Speaks(Kind::Constant), name, value.span, offset, served);
            rest = after;
        }
    }

    fn show(&mut self, role: Role, name: &str, value: Span, offset: usize, served: bool) {
        let (words, postfix) = (&[][..], &[][..]);
        let path = &self.path[..];
        (self.visit)(&Mention { role, name, value, offset, domains: Vec::new(), path, words, postfix, served });
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, mentions};
    use crate::source::SourceId;
    use crate::syntax::sketch;

    /// `role name` of each, with the domains of an address.
    fn shown(text: &str) -> Vec<String> {
        let mut shown = Vec::new();
        mentions(&sketch(SourceId(0), text), &mut |mention| {
            let at = mention.value.start as usize;
            let written = &text[at..at + mention.value.length as usize];
            assert!(written.contains(mention.name), "{mention:?}");
            let role = match mention.role {
                Role::Declares(kind) => format!("declares {kind:?}"),
                Role::Needs(kinds) => format!("needs {kinds:?}"),
                Role::Speaks(kind) => format!("speaks {kind:?}"),
            };
            let domains = mention.domains.iter().map(|domain| format!("@{domain}")).collect::<String>();
            shown.push(format!("{role} {}{domains}", mention.name));
        });
        shown
    }

    #[test]
    fn declarations_and_references_are_shown_in_order() {
        let text = "relay \"ses\" host=\"{host}\"\nroute from=\".example.com\" via=\"ses\"\nroute via=\"direct\"\nlet host=\"h.example\"\n";
        assert_eq!(
            shown(text),
            [
                "declares Relay ses",
                "speaks Constant host",
                "speaks Domain example.com",
                "needs [Relay] ses",
                "declares Constant host"
            ]
        );
    }

    #[test]
    fn a_bare_local_part_is_of_the_domains_around_it() {
        let text = "domain \"a.example\" \"b.example\" {\n    alias \"info\" \"alice\" \"bob@c.example\"\n}\nsite \"h.a.example\" { postmaster \"x@a.example\" }\n";
        assert_eq!(
            shown(text),
            [
                "declares Domain a.example",
                "declares Domain b.example",
                "declares Address info@a.example@b.example",
                "speaks Address alice@a.example@b.example",
                "speaks Address bob@c.example",
                "speaks Domain c.example",
                "speaks Address x@a.example",
                "speaks Domain a.example"
            ]
        );
    }

    #[test]
    fn a_profile_speaks_of_the_same_names() {
        assert_eq!(
            shown("profile \"staging\" { relay \"ses\" host=\"h\"; route via=\"ses\" }"),
            ["declares Profile staging", "declares Relay ses", "needs [Relay] ses"]
        );
    }
}
