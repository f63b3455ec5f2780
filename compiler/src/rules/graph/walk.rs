//! The walk through the graph: depth first, each address once, without recursion, since a chain of aliases may be as long as the
//! site. Declared addresses are known by their number; only what details, patterns and catch-alls make is kept by its text.

use super::{Circle, Direct, Hop, Role, Standings};
use crate::addresses::AddressId;
use crate::lower::draft::{DomainDraft, SiteDraft};
use crate::model::Model;
use crate::source::Span;
use postern_schema::decide::{Resolved, Step, StepKind, Trace, resolve};
use postern_schema::name::{Domain, Mailbox};
use std::collections::{HashMap, HashSet};

/// The most addresses that the walk follows beyond those that are declared: patterns can make new ones without end.
const GENERATED_LIMIT: usize = 10_000;
/// A pattern that makes so many addresses one of the other goes on for ever. Both are looked for in the last frames of a path.
const GROWTH_LIMIT: usize = 16;
const GROWTH_FRAMES: usize = 4 * GROWTH_LIMIT;
/// The most loops that are kept.
const LOOPS_LIMIT: usize = 1000;
/// The most entries of one loop that are kept.
const HOPS_LIMIT: usize = 64;

/// How far the walk is with an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    /// At this depth of the path.
    OnPath(u32),
    /// With the most addresses that it can lead to.
    Done(u32),
}

/// An address that sends mail on.
#[derive(Clone, Copy)]
enum Node {
    Declared(AddressId),
    /// Into [`Walk::made`].
    Made(usize),
}

/// An address that is not declared, and is one all the same.
struct Made {
    hop: Hop,
    targets: Vec<Mailbox>,
    state: State,
}

/// One address on the path, and how many of its edges were followed.
struct Frame {
    node: Node,
    next: usize,
    fan_out: u32,
}

pub(super) struct Walk<'a> {
    draft: &'a SiteDraft,
    model: &'a Model,
    standings: &'a Standings,
    domains: HashMap<&'a Domain, &'a DomainDraft>,
    declared: Vec<State>,
    made: Vec<Made>,
    made_ids: HashMap<Mailbox, usize>,
    generated: usize,
    loops: Vec<Circle>,
    more_loops: usize,
    /// The places of the entries of every loop that was found.
    in_loops: HashSet<Span>,
    undeclared: Vec<(AddressId, u32)>,
}

/// What a walk has found.
pub(super) struct Walked {
    pub loops: Vec<Circle>,
    pub more_loops: usize,
    pub fan_out: Vec<u32>,
    pub undeclared: Vec<(AddressId, u32)>,
}

impl<'a> Walk<'a> {
    pub fn new(draft: &'a SiteDraft, model: &'a Model, standings: &'a Standings) -> Walk<'a> {
        let mut domains = HashMap::new();
        for domain in &draft.domains {
            domains.entry(&domain.name.value).or_insert(domain);
        }
        Walk {
            draft,
            model,
            standings,
            domains,
            declared: vec![State::Unseen; draft.addresses.declarations()],
            made: Vec::new(),
            made_ids: HashMap::new(),
            generated: 0,
            loops: Vec::new(),
            more_loops: 0,
            in_loops: HashSet::new(),
            undeclared: Vec::new(),
        }
    }

    /// All that was found.
    pub fn finish(mut self) -> Walked {
        self.undeclared.sort_unstable();
        let fan_out = |state: State| if let State::Done(fan_out) = state { fan_out } else { 0 };
        let fan_out = self.declared.into_iter().map(fan_out).collect();
        Walked { loops: self.loops, more_loops: self.more_loops, fan_out, undeclared: self.undeclared }
    }

    /// Follows everything that an alias leads to.
    pub fn follow_alias(&mut self, alias: AddressId) {
        self.go(Node::Declared(alias));
    }

    /// Follows everything that any address leads to.
    pub fn follow(&mut self, start: Mailbox) {
        if let Some(node) = self.node_of(&start) {
            self.go(node);
        }
    }

    fn go(&mut self, start: Node) {
        if self.state(start) != State::Unseen {
            return;
        }
        let mut path = Vec::new();
        self.enter(start, &mut path);
        while let Some(frame) = path.last_mut() {
            let (node, edge) = (frame.node, frame.next);
            frame.next += 1;
            let Some(next) = self.edge(node, edge) else {
                let fan_out = frame.fan_out;
                self.set(node, State::Done(fan_out));
                path.pop();
                if let Some(outer) = path.last_mut() {
                    outer.fan_out = outer.fan_out.saturating_add(fan_out);
                }
                continue;
            };
            frame.fan_out = frame.fan_out.saturating_add(1);
            let Some(next) = next else { continue };
            match self.state(next) {
                State::Unseen => match self.growth(next, &path) {
                    Some(since) => self.close(&path[since..], true),
                    None => self.enter(next, &mut path),
                },
                State::OnPath(depth) => self.close(&path[depth as usize..], false),
                State::Done(fan_out) => frame.fan_out = frame.fan_out.saturating_add(fan_out),
            }
        }
    }

    fn enter(&mut self, node: Node, path: &mut Vec<Frame>) {
        self.set(node, State::OnPath(path.len() as u32));
        path.push(Frame { node, next: 0, fan_out: 0 });
    }

    /// Where on the path the pattern last stood that makes this address, if it has made so many that there is no end to them.
    fn growth(&self, next: Node, path: &[Frame]) -> Option<usize> {
        let Node::Made(next) = next else { return None };
        let hop = &self.made[next].hop;
        let is_same = |depth: &usize| matches!(path[*depth].node, Node::Made(made) if self.made[made].hop.span == hop.span);
        let recent = path.len().saturating_sub(GROWTH_FRAMES)..path.len();
        let is_endless = hop.role == Role::Pattern && recent.clone().filter(is_same).count() >= GROWTH_LIMIT;
        recent.rev().find(is_same).filter(|_| is_endless)
    }

    fn state(&self, node: Node) -> State {
        match node {
            Node::Declared(id) => self.declared[id.index()],
            Node::Made(index) => self.made[index].state,
        }
    }

    fn set(&mut self, node: Node, state: State) {
        match node {
            Node::Declared(id) => self.declared[id.index()] = state,
            Node::Made(index) => self.made[index].state = state,
        }
    }

    /// Where the edge of that number leads: `None` behind the last one, `Some(None)` where mail ends.
    fn edge(&mut self, node: Node, edge: usize) -> Option<Option<Node>> {
        match node {
            Node::Declared(id) => {
                let book = &self.draft.addresses;
                let target = book.address(id).targets().nth(edge)?;
                Some(match self.standings.direct(book, target.host(), target.local()) {
                    Direct::Elsewhere => None,
                    Direct::Declared(address) => address.is_alias().then(|| Node::Declared(address.id())),
                    Direct::Undeclared => {
                        self.undeclared.push((id, edge as u32));
                        self.make(target.mailbox().folded())
                    }
                })
            }
            Node::Made(index) => {
                let target = self.made[index].targets.get(edge)?.clone();
                Some(self.node_of(&target))
            }
        }
    }

    /// The node of an address; `None` where mail ends at it.
    fn node_of(&mut self, address: &Mailbox) -> Option<Node> {
        let book = &self.draft.addresses;
        // A host that the book does not know is no domain of the site.
        let host = address.domain().and_then(|domain| book.known_host(domain.as_str()))?;
        match self.standings.direct(book, host, address.local.as_str()) {
            Direct::Elsewhere => None,
            Direct::Declared(address) => address.is_alias().then(|| Node::Declared(address.id())),
            Direct::Undeclared => self.make(address.folded()),
        }
    }

    /// Asks the decision what an address is that is not declared.
    fn make(&mut self, address: Mailbox) -> Option<Node> {
        if let Some(index) = self.made_ids.get(&address) {
            return Some(Node::Made(*index));
        }
        let mut trace = Trace::default();
        let resolved = resolve(&address, self.model, &mut trace);
        let Ok(Resolved::Others { targets, .. } | Resolved::Forwarded { targets, .. }) = resolved else { return None };
        // Who hears of bounces is no edge.
        let entry = trace.steps().iter().rfind(|step| !matches!(step.kind, StepKind::Owner(_)))?;
        if matches!(entry.kind, StepKind::Pattern(..) | StepKind::CatchAll(_)) {
            self.generated += 1;
            if self.generated > GENERATED_LIMIT {
                return None;
            }
        }
        let (role, span) = self.place(&entry.kind, trace.steps())?;
        let index = self.made.len();
        self.made_ids.insert(address.clone(), index);
        self.made.push(Made { hop: Hop { address, span, role }, targets, state: State::Unseen });
        Some(Node::Made(index))
    }

    /// Kind and place of the entry that a step names.
    fn place(&self, kind: &StepKind, steps: &[Step]) -> Option<(Role, Span)> {
        let domain = || {
            let name = steps.iter().rev().find_map(|step| match &step.kind {
                StepKind::AliasDomain(address) => address.domain(),
                StepKind::Domain(name, _) => Some(name),
                _ => None,
            })?;
            self.domains.get(name).copied()
        };
        match kind {
            StepKind::Alias(address, _) | StepKind::Forward(address, _) => {
                let found = self.draft.addresses.find_in(address.domain()?, address.local.as_str())?;
                Some((Role::of(&found), found.span()))
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

    fn span(&self, node: Node) -> Span {
        match node {
            Node::Declared(id) => self.draft.addresses.address(id).span(),
            Node::Made(index) => self.made[index].hop.span,
        }
    }

    fn hop(&self, node: Node) -> Option<Hop> {
        match node {
            Node::Declared(id) => {
                let alias = self.draft.addresses.address(id);
                Some(Hop { address: alias.mailbox()?, span: alias.span(), role: Role::of(&alias) })
            }
            Node::Made(index) => Some(self.made[index].hop.clone()),
        }
    }

    /// This part of the path is a loop. One that shares an entry with a loop already found is left for the next run: to mend the
    /// first may well mend both.
    fn close(&mut self, path: &[Frame], grows: bool) {
        let spans: Vec<Span> = path.iter().map(|frame| self.span(frame.node)).collect();
        if spans.iter().any(|span| self.in_loops.contains(span)) {
            return;
        }
        self.in_loops.extend(&spans);
        if self.loops.len() == LOOPS_LIMIT {
            self.more_loops += 1;
            return;
        }
        let first = (0..spans.len()).min_by_key(|index| spans[*index]).unwrap_or_default();
        let (behind, before) = path.split_at(first);
        let hops = before.iter().chain(behind).take(HOPS_LIMIT).filter_map(|frame| self.hop(frame.node));
        self.loops.push(Circle { hops: hops.collect(), grows });
    }
}
