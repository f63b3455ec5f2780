//! From nodes to a [`draft::SiteDraft`]: names resolved, defaults filled in, every value with its place. One file for each
//! family of blocks. What a value must look like was checked by the grammar already; here falls what takes more than one
//! block to see. What the whole means is for [`crate::rules`].
//!
//! Lowering never stops: what is wrong is reported and left out, and [`draft::Gaps`] remembers where.

mod domain;
pub mod draft;
mod egress;
mod file;
mod gaps;
mod header;
mod host;
mod loopback;
mod names;
mod planned;
mod policy;
mod publication;
mod rewriting;
mod route_table;
mod service;
mod signing;
mod table;
mod tls;
mod users;

pub use loopback::LoopbackPorts;

use crate::addresses::AddressBook;
use crate::progress::Progress;
use crate::report::{Diagnostic, Severity};
use crate::sitetest;
use crate::source::{Sources, Spanned};
use crate::syntax::grammar::Kind;
use crate::syntax::{Document, Loaded, Node, Role, mentions};
use draft::{DomainDraft, Gaps, Part, SiteDraft};
use names::Names;
use std::sync::Arc;

/// What every block needs while it is lowered.
pub(crate) struct Lowering<'a> {
    /// The whole site.
    pub document: Document<'a>,
    /// Its files.
    pub sources: &'a mut Sources,
    /// The parts that held an error before lowering began: what is missing there is not missed again.
    pub gaps: Gaps,
    /// What is wrong.
    pub findings: Vec<Diagnostic>,
    /// The addresses of every domain.
    pub addresses: AddressBook,
    /// The tables that were read.
    pub tables: table::Tables,
    /// The names of relays.
    pub relays: Names,
    /// The names of transports.
    pub transports: Names,
    /// The names of listeners.
    pub listeners: Names,
    /// The names of networks.
    pub networks: Names,
    /// The names of user stores.
    pub users: Names,
}

/// The blocks that are judged before they are served: names in them are resolved.
const JUDGED: [&str; 2] = ["filter", "policy"];

/// Lowers a site that was read. The findings are those of lowering alone.
pub fn lower(loaded: &mut Loaded, progress: &Progress) -> (SiteDraft, Vec<Diagnostic>) {
    let Loaded { sources, nodes, diagnostics, .. } = loaded;
    let first_table = sources.next_id();
    let gaps = gaps::of(nodes, diagnostics, first_table);
    let unreadable = gaps == Gaps::everywhere();
    let document = Document::new(nodes);
    let mut lowering = Lowering {
        document,
        sources,
        gaps,
        findings: Vec::new(),
        addresses: AddressBook::default(),
        tables: table::Tables::new(first_table, progress.clone()),
        relays: Names::new(Kind::Relay, unreadable),
        transports: Names::new(Kind::Transport, unreadable),
        listeners: Names::new(Kind::Listener, unreadable),
        networks: Names::new(Kind::Network, unreadable),
        users: Names::new(Kind::Users, unreadable),
    };
    lowering.declare_names(nodes);
    let (host, origin_domain) = host::lower(&mut lowering);
    let mut domains = domain::lower(&mut lowering);
    table::site_tables(&mut lowering, &domains);
    table::finish(&mut lowering, &mut domains);
    let (listeners, web) = service::listeners(&mut lowering);
    let host = host::finish(host, origin_domain, &domains);
    let rewriting = rewriting::lower(&mut lowering, &host.origin_domain.value);
    let mut draft = SiteDraft {
        host,
        tls: tls::lower(&mut lowering),
        listeners,
        web,
        networks: service::networks(&mut lowering),
        users: users::users(&mut lowering),
        transports: egress::transports(&mut lowering),
        relays: egress::relays(&mut lowering),
        routes: egress::routes(&mut lowering),
        receivers: egress::receivers(&mut lowering),
        domains,
        addresses: Arc::default(),
        tables: Vec::new(),
        first_table,
        screen: policy::screen(&lowering),
        arc: policy::arc(&lowering),
        queue: policy::queue(&lowering),
        limits: policy::limits(&lowering),
        headers: header::lower(&mut lowering),
        rewriting,
        log_format: policy::log_format(&lowering),
        metrics: policy::metrics(&lowering),
        reports: policy::reports(&lowering),
        planned: planned::lower(&mut lowering),
        tests: sitetest::lower(&mut lowering),
        gaps,
    };
    lowering.report_unknown(nodes, diagnostics);
    let errors = lowering.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let errors = errors.chain(&*diagnostics).flat_map(|error| lowering.tables.in_site(error)).collect::<Vec<_>>();
    draft.gaps = gaps::of(nodes, &errors, first_table);
    note_incomplete(&mut draft.domains, nodes, errors, |others| gaps::of(nodes, others, first_table).holds(Part::Domains));
    lowering.report_unused(draft.gaps);
    draft.addresses = Arc::new(lowering.addresses);
    draft.tables = lowering.tables.read;
    (draft, lowering.findings)
}

/// Notes which domains hold an error: each its own, or all of them where one is about domains and lies in no node of theirs.
fn note_incomplete(
    domains: &mut [DomainDraft], nodes: &[Node], errors: Vec<Diagnostic>, about_domains: impl Fn(&[Diagnostic]) -> bool,
) {
    let mut others = Vec::new();
    for error in errors {
        let node = nodes.iter().find(|node| Part::of_node(&node.name.value) == Some(Part::Domains) && node.holds(error.primary));
        match node {
            Some(node) => {
                domains.iter_mut().filter(|domain| domain.span == node.span).for_each(|domain| domain.incomplete = true)
            }
            None => others.push(error),
        }
    }
    if about_domains(&others) {
        domains.iter_mut().for_each(|domain| domain.incomplete = true);
    }
}

impl Lowering<'_> {
    /// All names first, so that a reference may stand before what it names.
    fn declare_names(&mut self, nodes: &[Node]) {
        mentions(nodes, &mut |mention| {
            let Role::Declares(kind) = mention.role else { return };
            let names = match kind {
                Kind::Relay => &mut self.relays,
                Kind::Transport => &mut self.transports,
                Kind::Listener => &mut self.listeners,
                Kind::Network => &mut self.networks,
                Kind::Users => &mut self.users,
                _ => return,
            };
            if mention.served {
                names.declare(&Spanned::new(mention.name.to_owned(), mention.value), &mut self.findings);
            }
        });
        self.transports.built_in(egress::STORE);
        let document = self.document;
        for names in [&mut self.relays, &mut self.transports, &mut self.listeners, &mut self.networks, &mut self.users] {
            if document.children(names.kind().node()).any(|view| view.argument::<String>("name").is_none()) {
                names.declare_unreadable();
            }
        }
    }

    /// Names that are needed and that nothing declares. Kinds without a list here have rules of their own.
    fn report_unknown(&mut self, nodes: &[Node], said: &[Diagnostic]) {
        let known = [&self.relays, &self.transports, &self.listeners, &self.networks, &self.users];
        mentions(nodes, &mut |mention| {
            let Role::Needs(kinds) = mention.role else { return };
            let known: Vec<&Names> = known.iter().copied().filter(|names| kinds.contains(&names.kind())).collect();
            // A string without its end is what is wrong then, and not what it says.
            let is_broken = || said.iter().any(|finding| mention.value.holds(finding.primary));
            let is_judged = mention.served || mention.path.first().is_some_and(|block| JUDGED.contains(block));
            if is_judged && known.len() == kinds.len() && !is_broken() {
                self.findings.extend(names::unknown(mention, &known));
            }
        });
    }

    /// Relays and transports are there to be referred to; listeners, networks and user stores do something by themselves.
    /// A reference with an error in it may be the one that is missed.
    fn report_unused(&mut self, gaps: Gaps) {
        if !gaps.holds(Part::Routes) {
            self.relays.report_unused(&mut self.findings);
        }
        if !gaps.holds(Part::Domains) {
            self.transports.report_unused(&mut self.findings);
        }
    }
}
