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
mod host;
mod loopback;
mod names;
mod policy;
mod publication;
mod route_table;
mod service;
mod signing;
mod table;
mod tls;

pub use loopback::LoopbackPorts;

use crate::addresses::AddressBook;
use crate::progress::Progress;
use crate::report::{Diagnostic, Severity};
use crate::sitetest;
use crate::source::Sources;
use crate::syntax::grammar::Kind;
use crate::syntax::{Document, Loaded};
use draft::{Gaps, Part, SiteDraft};
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
    lowering.declare_names();
    let (host, origin_domain) = host::lower(&mut lowering);
    let mut domains = domain::lower(&mut lowering);
    table::site_tables(&mut lowering, &domains);
    table::finish(&mut lowering, &mut domains);
    let mut draft = SiteDraft {
        host: host::finish(host, origin_domain, &domains),
        tls: tls::lower(&mut lowering),
        listeners: service::listeners(&mut lowering),
        networks: service::networks(&mut lowering),
        users: service::users(&mut lowering),
        transports: egress::transports(&mut lowering),
        relays: egress::relays(&mut lowering),
        routes: egress::routes(&mut lowering),
        receivers: egress::receivers(&mut lowering),
        domains,
        addresses: Arc::default(),
        tables: Vec::new(),
        first_table,
        screen: policy::screen(&lowering),
        queue: policy::queue(&lowering),
        limits: policy::limits(&lowering),
        log_format: policy::log_format(&lowering),
        metrics: None,
        tests: sitetest::lower(&mut lowering),
        gaps,
    };
    let errors = lowering.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let errors: Vec<Diagnostic> = errors.chain(&*diagnostics).cloned().collect();
    draft.gaps = gaps::of(nodes, &errors, first_table);
    lowering.report_unused(draft.gaps);
    draft.addresses = Arc::new(lowering.addresses);
    draft.tables = lowering.tables.read;
    (draft, lowering.findings)
}

impl Lowering<'_> {
    /// All names first, so that a reference may stand before what it names.
    fn declare_names(&mut self) {
        let document = self.document;
        let kinds = [
            (&mut self.relays, "relay"),
            (&mut self.transports, "transport"),
            (&mut self.listeners, "listen"),
            (&mut self.networks, "network"),
            (&mut self.users, "users"),
        ];
        for (names, node) in kinds {
            for view in document.children(node) {
                match view.argument::<String>("name") {
                    Some(name) => names.declare(&name, &mut self.findings),
                    None => names.declare_unreadable(),
                }
            }
        }
        self.transports.built_in(egress::STORE);
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
