//! Which address leads to which: the graph of aliases, patterns, catch-alls and alias domains. Its edges are the answers of
//! [`postern_schema::decide::resolve`], the function that the daemon expands with; only the walk is ours.
//!
//! A pattern has no end of inputs. Its edges are followed from witnesses, local parts that its expression matches, so a loop
//! that is reported is one that a real address takes.

use crate::lower::draft::{AddressDraft, AddressForm, DomainDraft, SiteDraft};
use crate::model::Model;
use crate::source::{Span, Spanned};
use postern_schema::decide::{Lookup, Resolved, StepKind, Trace, resolve};
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::HashMap;

/// The most addresses that the walk follows beyond those that are declared: patterns can make new ones without end.
const GENERATED_LIMIT: usize = 10_000;
/// The most local parts that one pattern is tried with.
const WITNESS_LIMIT: usize = 16;

/// The graph of one site.
#[derive(Debug)]
pub struct AddressGraph {
    /// Every loop, once, beginning with what stands first in the site.
    pub loops: Vec<Vec<Hop>>,
}

/// One edge of a loop: the address, and what sends its mail on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The address that is resolved.
    pub address: Mailbox,
    /// The place of the entry that resolves it.
    pub span: Span,
    /// What kind of entry that is.
    pub role: Role,
}

/// What an address written in the site is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A target of an alias.
    Alias,
    /// The target of a pattern, where it has no groups.
    Pattern,
    /// The target of a catch-all.
    CatchAll,
    /// The site's postmaster.
    Postmaster,
}

impl Role {
    /// "alias target", for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Role::Alias => "alias target",
            Role::Pattern => "pattern target",
            Role::CatchAll => "catch-all",
            Role::Postmaster => "postmaster",
        }
    }
}

/// Every address that the site sends mail to, with its place, in source order within each kind.
pub fn targets(draft: &SiteDraft) -> Vec<(Role, Spanned<Mailbox>)> {
    let mut found = Vec::new();
    if let Some(postmaster) = draft.host.postmaster.said() {
        found.push((Role::Postmaster, postmaster.map(Mailbox::clone)));
    }
    for domain in &draft.domains {
        for address in &domain.addresses {
            if let AddressForm::Alias(targets) = &address.form {
                found.extend(targets.iter().map(|target| (Role::Alias, target.clone())));
            }
        }
        for pattern in &domain.patterns {
            // With groups in it the text is no address, or one of many.
            let target = pattern.pattern.target();
            if !target.contains('{')
                && let Ok(target) = Mailbox::parse(target)
            {
                found.push((Role::Pattern, Spanned::new(target, pattern.target)));
            }
        }
        found.extend(domain.catch_all.iter().map(|target| (Role::CatchAll, target.clone())));
    }
    found
}

impl AddressGraph {
    /// Walks from every alias, every witness of every pattern, and every catch-all.
    pub fn new(draft: &SiteDraft, model: &Model) -> AddressGraph {
        let mut walk = Walk { places: Places::new(draft), model, state: HashMap::new(), generated: 0, loops: Vec::new() };
        for domain in &draft.domains {
            let host = HostName::Domain(domain.name.value.clone());
            for address in &domain.addresses {
                if matches!(address.form, AddressForm::Alias(_)) {
                    walk.from(Mailbox::new(address.local.value.clone(), host.clone()).folded());
                }
            }
            for pattern in &domain.patterns {
                for witness in witnesses(pattern.pattern.expression()) {
                    walk.from(Mailbox::new(witness, host.clone()));
                }
            }
            if domain.catch_all.is_some()
                && let Some(unknown) = unknown_local(domain, model)
            {
                walk.from(Mailbox::new(unknown, host));
            }
        }
        AddressGraph { loops: walk.loops }
    }
}

/// Local parts that nobody has are as many as one likes; this one is not declared and no pattern takes it.
fn unknown_local(domain: &DomainDraft, model: &Model) -> Option<LocalPart> {
    let free = |local: &LocalPart| {
        let declared = model.address(&domain.name.value, local.as_str()).ok().flatten().is_some();
        !declared && domain.patterns.iter().all(|pattern| pattern.pattern.apply(local.as_str()).is_none())
    };
    (0..64).filter_map(|n| LocalPart::from_content(&format!("nobody{n}")).ok()).find(free)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    OnPath,
    Done,
}

struct Walk<'a> {
    places: Places<'a>,
    model: &'a Model,
    state: HashMap<Mailbox, State>,
    generated: usize,
    loops: Vec<Vec<Hop>>,
}

/// One address on the path, and what is left of its edges.
struct Frame {
    hop: Hop,
    targets: Vec<Mailbox>,
}

impl Walk<'_> {
    /// Depth first, without recursion: a chain of aliases may be as long as the site.
    fn from(&mut self, start: Mailbox) {
        if self.state.contains_key(&start) {
            return;
        }
        let mut path: Vec<Frame> = self.enter(start).into_iter().collect();
        while let Some(frame) = path.last_mut() {
            let Some(next) = frame.targets.pop() else {
                let done = frame.hop.address.clone();
                self.state.insert(done, State::Done);
                path.pop();
                continue;
            };
            match self.state.get(&next) {
                Some(State::Done) => {}
                Some(State::OnPath) => self.close(&path, &next),
                None => path.extend(self.enter(next)),
            }
        }
    }

    /// Marks the address and finds its edges; `None` where it ends here.
    fn enter(&mut self, address: Mailbox) -> Option<Frame> {
        let mut trace = Trace::default();
        let resolved = resolve(&address, self.model, &mut trace);
        let (Ok(Resolved::Others(targets)), Some(entry)) = (resolved, trace.steps().last()) else {
            self.state.insert(address, State::Done);
            return None;
        };
        if matches!(entry.kind, StepKind::Pattern(..) | StepKind::CatchAll(_)) {
            self.generated += 1;
            if self.generated > GENERATED_LIMIT {
                return None;
            }
        }
        let (role, span) = self.places.of(&entry.kind, trace.steps())?;
        self.state.insert(address.clone(), State::OnPath);
        // Popped from the end, so that they are followed in the order of the site.
        let targets = targets.iter().rev().map(Mailbox::folded).collect();
        Some(Frame { hop: Hop { address, span, role }, targets })
    }

    /// The path from `back` on is a loop. One that shares an entry with a loop already found is left for the next run: to mend
    /// the first may well mend both.
    fn close(&mut self, path: &[Frame], back: &Mailbox) {
        let Some(start) = path.iter().position(|frame| frame.hop.address == *back) else { return };
        let mut hops: Vec<Hop> = path[start..].iter().map(|frame| frame.hop.clone()).collect();
        let known = |hop: &Hop| self.loops.iter().flatten().any(|other| other.span == hop.span);
        if hops.iter().any(known) {
            return;
        }
        let first = (0..hops.len()).min_by_key(|index| hops[*index].span).unwrap_or_default();
        hops.rotate_left(first);
        self.loops.push(hops);
    }
}

/// Where the entries of a site stand.
struct Places<'a> {
    draft: &'a SiteDraft,
    domains: HashMap<&'a Domain, &'a DomainDraft>,
    addresses: HashMap<(&'a Domain, String), &'a AddressDraft>,
}

impl<'a> Places<'a> {
    fn new(draft: &'a SiteDraft) -> Places<'a> {
        let mut domains = HashMap::new();
        let mut addresses = HashMap::new();
        for domain in &draft.domains {
            domains.entry(&domain.name.value).or_insert(domain);
            for address in domain.addresses.iter().filter(|address| matches!(address.form, AddressForm::Alias(_))) {
                addresses.entry((&domain.name.value, address.local.value.folded())).or_insert(address);
            }
        }
        Places { draft, domains, addresses }
    }

    /// Kind and place of the entry that a step names.
    fn of(&self, kind: &StepKind, steps: &[postern_schema::decide::Step]) -> Option<(Role, Span)> {
        let domain = || {
            let name = steps.iter().rev().find_map(|step| match &step.kind {
                StepKind::AliasDomain(address) => address.domain(),
                StepKind::Domain(name, _) => Some(name),
                _ => None,
            })?;
            self.domains.get(name).copied()
        };
        match kind {
            StepKind::Alias(address, _) => {
                let key = (address.domain()?, address.local.as_str().to_owned());
                self.addresses.get(&key).map(|address| (Role::Alias, address.local.span))
            }
            StepKind::Pattern(expression, _) => {
                let found = domain()?.patterns.iter().find(|pattern| pattern.pattern.expression() == &**expression)?;
                Some((Role::Pattern, found.expression))
            }
            StepKind::CatchAll(_) => domain()?.catch_all.as_ref().map(|target| (Role::CatchAll, target.span)),
            StepKind::Postmaster(_) => Some((Role::Postmaster, self.draft.host.postmaster.span.unwrap_or(self.draft.host.span))),
            _ => None,
        }
    }
}

/// Local parts that the expression matches, a few of each shape; none where it matches nothing that is short.
pub fn witnesses(expression: &str) -> Vec<LocalPart> {
    let Ok(hir) = regex_syntax::parse(expression) else { return Vec::new() };
    let texts = strings(&hir);
    texts.iter().filter_map(|text| LocalPart::from_content(&text.to_lowercase()).ok()).take(WITNESS_LIMIT).collect()
}

fn strings(hir: &Hir) -> Vec<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).into_iter().collect(),
        HirKind::Class(class) => characters(class).into_iter().map(String::from).collect(),
        HirKind::Capture(capture) => strings(&capture.sub),
        HirKind::Alternation(branches) => branches.iter().flat_map(strings).take(WITNESS_LIMIT).collect(),
        HirKind::Concat(parts) => parts.iter().fold(vec![String::new()], |heads, part| product(&heads, &strings(part))),
        HirKind::Repetition(repetition) => {
            // Once where that is allowed, since a group that caught nothing makes a poor example; then the least.
            let once = repetition.max.is_none_or(|max| max >= 1).then_some(repetition.min.max(1));
            let counts = once.into_iter().chain((repetition.min == 0).then_some(0));
            let unit = strings(&repetition.sub);
            counts
                .flat_map(|count| unit.iter().map(move |text| text.repeat(count.min(64) as usize)))
                .take(WITNESS_LIMIT)
                .collect()
        }
    }
}

fn product(heads: &[String], tails: &[String]) -> Vec<String> {
    heads.iter().flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}"))).take(WITNESS_LIMIT).collect()
}

/// One likely letter and one likely digit of the class, or else its first character.
fn characters(class: &Class) -> Vec<char> {
    let holds = |c: char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| range.start() <= c && c <= range.end()),
        Class::Bytes(class) => {
            class.ranges().iter().any(|range| u32::from(range.start()) <= c as u32 && c as u32 <= u32::from(range.end()))
        }
    };
    let likely: Vec<char> = ['x', '1'].into_iter().filter(|c| holds(*c)).collect();
    if !likely.is_empty() {
        return likely;
    }
    match class {
        Class::Unicode(class) => class.ranges().first().map(|range| range.start()).into_iter().collect(),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
