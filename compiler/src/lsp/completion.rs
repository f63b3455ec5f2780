//! What may stand at a place: statements of the block, properties and arguments of the statement, words of closed lists, and
//! names that are declared anywhere in the site. All of it comes from the grammar and from [`Names`]; the place itself may be
//! broken in every way that comes of typing.

use super::cursor::{Cursor, Declared, Piece, Spot};
use super::hover::{node, setting, words};
use super::names::Names;
use super::scene::Scene;
use crate::syntax::grammar::{Kind, NodeSpec, PropertySpec, Served, ValueType, block};
use crate::syntax::read::{Ending, Token, TokenKind, verbatim};
use crate::syntax::type_of;
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionList, CompletionResponse, CompletionTextEdit, Documentation, InsertTextFormat,
    MarkupContent, MarkupKind, Position, TextEdit,
};
use postern_schema::decide::Reason;
use std::collections::BTreeSet;
use std::ops::Range;

/// The most that is offered at once: whoever wants more types a letter.
const ITEMS_LIMIT: usize = 500;

/// Everything that may stand at a place.
pub fn complete(scene: &Scene<'_>, position: Position) -> CompletionResponse {
    let offset = scene.offset(position);
    let cursor = Cursor::new(&scene.document.text, offset);
    let spot = cursor.spot();
    let mut offers = Offers { scene, cursor: &cursor, spot: &spot, offset, items: Vec::new(), is_incomplete: false };
    match &spot.piece {
        Piece::Name(token) => offers.statements(token.as_ref()),
        Piece::Key(entry, token) => offers.properties(cursor.key(entry), Cursor::stretch(token), false),
        Piece::Value(_, token) => offers.values(token.as_ref()),
        Piece::Entry(_, token) => {
            let is_text = token.is_some_and(|token| matches!(token.kind, TokenKind::Text(..)));
            if !is_text {
                offers.properties(None, token.as_ref().map_or(offset..offset, Cursor::stretch), true);
            }
            offers.values(token.as_ref());
        }
        Piece::Nothing => {}
    }
    CompletionResponse::List(CompletionList { is_incomplete: offers.is_incomplete, items: offers.items })
}

struct Offers<'a> {
    scene: &'a Scene<'a>,
    cursor: &'a Cursor<'a>,
    spot: &'a Spot<'a>,
    offset: usize,
    items: Vec<CompletionItem>,
    is_incomplete: bool,
}

/// Where the text of a value goes, and what goes around it.
struct Slot {
    stretch: Range<usize>,
    before: String,
    after: String,
}

impl Offers<'_> {
    /// Statements that the block takes, but those that stand there already and may stand once.
    fn statements(&mut self, token: Option<&Token>) {
        let stretch = token.map_or(self.offset..self.offset, Cursor::stretch);
        let others = self.spot.statements.iter().filter(|other| self.spot.statement.is_none_or(|own| own.name != other.name));
        let there: BTreeSet<&str> =
            others.filter(|other| other.dashed.is_none()).map(|other| self.cursor.content(other.name)).collect();
        for spec in block(self.spot.block).filter(|spec| spec.many || !there.contains(spec.name)) {
            self.offer(CompletionItem {
                label: spec.name.to_owned(),
                kind: Some(CompletionItemKind::STRUCT),
                detail: Some(spec.example.lines().next().unwrap_or_default().trim_end_matches(" {").to_owned()),
                documentation: Some(markdown(node(spec))),
                sort_text: Some(order(spec.served, spec.name)),
                ..self.edit(stretch.clone(), spec.name.to_owned())
            });
        }
    }

    /// Properties that the statement has not got, nor one that excludes them.
    fn properties(&mut self, own: Option<&str>, stretch: Range<usize>, with_value: bool) {
        let (Some(spec), Some(statement)) = (self.spot.spec, self.spot.statement) else { return };
        let given: Vec<&str> = statement.entries.iter().filter_map(|entry| self.cursor.key(entry)).collect();
        let given = |name: &str| given.contains(&name) && own != Some(name);
        let excluded = |name: &str| spec.one_of.contains(&name) && spec.one_of.iter().any(|other| given(other));
        let superseded = |property: &PropertySpec| {
            let by_it = |other: &&str| spec.property(other).is_some_and(|other| other.instead_of == Some(property.name));
            property.instead_of.is_some_and(given)
                || spec.properties.iter().map(|other| other.name).filter(|name| given(name)).any(|name| by_it(&name))
        };
        let fits = |property: &&PropertySpec| !given(property.name) && !excluded(property.name) && !superseded(property);
        for property in spec.properties.iter().filter(fits) {
            let text = self.property_text(property, with_value);
            let edit = self.edit(stretch.clone(), text);
            self.offer(CompletionItem {
                label: property.name.to_owned(),
                kind: Some(CompletionItemKind::PROPERTY),
                detail: Some(type_of(&property.kind)),
                documentation: Some(markdown(setting(spec, Declared::Property(property), None))),
                sort_text: Some(order(property.served, property.name)),
                insert_text_format: Some(InsertTextFormat::SNIPPET).filter(|_| with_value && self.scene.settings.snippets),
                ..edit
            });
        }
    }

    /// A property up to its value, or into its quotes where the client knows places to fill in.
    fn property_text(&self, property: &PropertySpec, with_value: bool) -> String {
        let quotes = property.kind.sample().starts_with(['"', '#']) && property.kind.sample() != "#true";
        match (with_value, self.scene.settings.snippets, quotes) {
            (false, ..) => property.name.to_owned(),
            (true, false, _) => format!("{}=", property.name),
            (true, true, true) => format!("{}=\"$1\"", property.name),
            (true, true, false) => format!("{}=$1", property.name),
        }
    }

    fn values(&mut self, token: Option<&Token>) {
        let (Some(spec), Some(declared)) = (self.spot.spec, self.cursor.declared(self.spot)) else { return };
        let slot = self.slot(token);
        for word in words(declared.kind()) {
            self.value(
                &slot,
                word.text,
                CompletionItemKind::ENUM_MEMBER,
                &format!("{}{}", word.doc, if word.served == Served::Yes { "" } else { " (not yet served)" }),
                word.served,
            );
        }
        match declared.kind() {
            ValueType::Truth => ["#true", "#false"].into_iter().for_each(|truth| self.truth(token, truth)),
            ValueType::Reason => {
                let reasons = Reason::ALL.iter().map(|reason| reason.as_str());
                reasons.for_each(|reason| self.value(&slot, reason, CompletionItemKind::ENUM_MEMBER, "reason", Served::Yes));
            }
            _ => {}
        }
        let of_argument = match declared {
            Declared::Argument(argument) => argument.refers,
            Declared::Property(_) => &[],
        };
        let names = Names::of(self.scene.site());
        for kind in declared.kind().refers().iter().chain(of_argument) {
            match kind {
                Kind::Address => self.addresses(&slot, &names, declared.kind()),
                // The domain of an address is completed together with it.
                Kind::Domain if declared.kind().refers().contains(&Kind::Address) => {}
                kind => self.names(&slot, &names, *kind),
            }
        }
        if self.items.is_empty() && token.is_none() {
            self.sample(spec, declared);
        }
    }

    fn names(&mut self, slot: &Slot, names: &Names, kind: Kind) {
        let declared: BTreeSet<(String, String)> =
            names.declared(kind).map(|name| (self.written(name.span), self.scene.place(name.span))).collect();
        for (name, place) in declared {
            self.value(slot, &name, CompletionItemKind::REFERENCE, &format!("`{}` in {place}", kind.node()), Served::Yes);
        }
    }

    /// Local parts of the domains around the place, where those are meant; and every address of the site in full.
    fn addresses(&mut self, slot: &Slot, names: &Names, kind: &ValueType) {
        let here = self.spot.parent.map(|parent| {
            let arguments = parent.entries.iter().filter(|entry| entry.key.is_none() && entry.dashed.is_none());
            let domains = arguments.filter_map(|entry| entry.value.clone().next()).map(|token| self.cursor.content(token));
            domains.filter_map(|domain| super::names::comparable(Kind::Domain, domain)).collect::<Vec<String>>()
        });
        let here = here.filter(|_| matches!(kind, ValueType::Address)).unwrap_or_default();
        for name in names.declared(Kind::Address) {
            let (local, place) = (self.written(name.span), self.scene.place(name.span));
            for domain in &name.domains {
                let address = if here.contains(domain) { local.clone() } else { format!("{local}@{}", shown(domain)) };
                self.value(slot, &address, CompletionItemKind::REFERENCE, &place, Served::Yes);
            }
        }
        // Behind an `@`, any local part goes with the domains of the site.
        let typed = &self.scene.document.text[slot.stretch.start..self.offset];
        if let Some((local, _)) = typed.rsplit_once('@') {
            for domain in names.declared(Kind::Domain) {
                let address = format!("{local}@{}", self.written(domain.span));
                self.value(slot, &address, CompletionItemKind::REFERENCE, &self.scene.place(domain.span), Served::Yes);
            }
        }
    }

    /// A name as it is written.
    fn written(&self, span: crate::source::Span) -> String {
        let text = &self.scene.site().sources.source(span.source).text;
        let start = span.start as usize;
        text[start..start + span.length as usize].to_owned()
    }

    fn value(&mut self, slot: &Slot, text: &str, kind: CompletionItemKind, detail: &str, served: Served) {
        let typed = self.scene.document.text[slot.stretch.start..self.offset.max(slot.stretch.start)].trim_start_matches('"');
        // Large sites declare more than a list can show: what does not begin as what was typed gives way.
        if !text.to_lowercase().starts_with(&typed.to_lowercase()) || self.items.iter().any(|item| item.label == text) {
            return;
        }
        self.offer(CompletionItem {
            label: text.to_owned(),
            kind: Some(kind),
            detail: Some(detail.to_owned()),
            filter_text: Some(text.to_owned()),
            sort_text: Some(order(served, text)),
            ..self.edit(slot.stretch.clone(), format!("{}{text}{}", slot.before, slot.after))
        });
    }

    fn truth(&mut self, token: Option<&Token>, truth: &str) {
        let stretch = token.map_or(self.offset..self.offset, Cursor::stretch);
        let label = truth.to_owned();
        self.offer(CompletionItem { label, kind: Some(CompletionItemKind::VALUE), ..self.edit(stretch, truth.to_owned()) });
    }

    /// What a value of the type looks like, where nothing better is known.
    fn sample(&mut self, spec: &NodeSpec, declared: Declared) {
        let sample = declared.kind().sample();
        let edit = self.edit(self.offset..self.offset, sample.to_owned());
        self.offer(CompletionItem {
            label: sample.to_owned(),
            kind: Some(CompletionItemKind::VALUE),
            detail: Some(format!("for example: {}", type_of(declared.kind()))),
            documentation: Some(markdown(setting(spec, declared, None))),
            ..edit
        });
    }

    /// Where a value goes: into the quotes that are there, or with quotes of its own.
    fn slot(&self, token: Option<&Token>) -> Slot {
        let quotes = || "\"".to_owned();
        let Some(token) = token else {
            return Slot { stretch: self.offset..self.offset, before: quotes(), after: quotes() };
        };
        let (stretch, text) = (Cursor::stretch(token), &self.scene.document.text);
        let (TokenKind::Text(_, ending), Some(content)) = (token.kind, verbatim(&text[stretch.clone()])) else {
            return Slot { stretch, before: quotes(), after: quotes() };
        };
        let content = stretch.start + content.start..stretch.start + content.end;
        // A string that lacks its end runs into what stands behind it: only the word at the place is replaced.
        let rest = text.get(self.offset..content.end).unwrap_or_default();
        let end = self.offset.min(content.end) + rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let is_closed = ending == Ending::Closed && end == content.end;
        let after = if is_closed { String::new() } else { quotes() };
        Slot { stretch: content.start.min(self.offset)..end, before: String::new(), after }
    }

    fn edit(&self, stretch: Range<usize>, text: String) -> CompletionItem {
        let edit = TextEdit::new(self.scene.lines.range(stretch), text);
        CompletionItem { text_edit: Some(CompletionTextEdit::Edit(edit)), ..CompletionItem::default() }
    }

    fn offer(&mut self, item: CompletionItem) {
        if self.items.len() < ITEMS_LIMIT {
            self.items.push(item);
        } else {
            self.is_incomplete = true;
        }
    }
}

/// What is served comes first.
fn order(served: Served, text: &str) -> String {
    format!("{}{text}", if served == Served::Yes { '0' } else { '1' })
}

/// A domain as people write it.
fn shown(domain: &str) -> String {
    postern_schema::name::Domain::parse(domain).map_or_else(|_| domain.to_owned(), |domain| domain.unicode())
}

fn markdown(value: String) -> Documentation {
    Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
}
