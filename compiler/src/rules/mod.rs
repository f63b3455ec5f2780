//! Every finding that Postern can make about a site, each with its code, its page, and, where it is a rule over the whole
//! site, its check.
//!
//! A rule is a pair of files in the folder of its family: `x.rs`, one static and one check, and `x.md`, which is the text of
//! `postern rule CODE`, the page in the reference, and the test: the first example must give the code on the line that says
//! so, the second must compile clean. Findings of the earlier stages (reading, grammar, lowering) have a page each and no
//! check of their own. Codes are never reused: what is retired leaves a hole.
//!
//! A check reads the draft and asks the model with the daemon's own functions; it never decides anything by itself. One
//! mistake gives one finding: a rule that concludes something from what is absent names in `after` the parts of the site that
//! must be free of errors before it says anything.

mod codes;
pub mod graph;
pub mod probe;

mod alw;
mod bmi;
pub mod chk;
mod crt;
mod dkm;
mod dmc;
mod dom;
mod fil;
mod flt;
mod fwd;
mod hdr;
mod lim;
mod lst;
mod nam;
mod net;
mod reading;
mod rly;
mod rte;
mod rwr;
mod scr;
mod sec;
mod sit;
mod spf;
mod sts;
mod tbl;
mod tls;
mod tsa;
mod tst;
mod usr;

pub use alw::sift;
pub use codes::{RULES, find};
pub(crate) use crt::{CHAIN_HOLDS_KEY, NO_CERTIFICATE};
pub(crate) use dkm::{ALGORITHM_MISMATCH, NO_PUBLIC_KEY, PRIVATE_KEY_FILE};
pub(crate) use dom::OTHER_CLASS;
pub(crate) use fil::{FILE_OUTSIDE, FILE_UNREADABLE};
pub(crate) use hdr::HEADER_FIELD;
pub(crate) use lst::{LISTENER_WITHOUT_KIND, LMTP_ON_25, MISPLACED_PROPERTY, SPOKESMAN_OF_WEB};
pub(crate) use nam::{DUPLICATE_NAME, UNKNOWN_NAME, UNUSED_NAME};
pub(crate) use net::NETWORK_OF_NOBODY;
pub(crate) use rly::chosen_destination::chooses_destination;
pub(crate) use rwr::REWRITE_FORM;
pub(crate) use sit::{NO_POSTMASTER, NOTIFY_NONE};
pub(crate) use tbl::{
    BARE_ADDRESS, EMPTY_TABLE, FOREIGN_DOMAIN, ROW_SHAPE, TABLE_FORMAT, TABLE_HEADER, UNSERVED_ENTRY, UNUSED_COLUMN,
};
pub(crate) use tls::AUTHORITY_WITHOUT_NAME;
pub(crate) use tsa::NO_KEY_TO_PIN;
pub(crate) use tst::TEST_FAILED;
pub(crate) use usr::{
    BACKEND_OF_USERS, DIRECTORY_IN_THE_CLEAR, DN_WITHOUT_USER, NO_TOKEN_KEYS, UNASKABLE_ISSUER, WEAK_TOKEN_KEY,
};

use crate::certificate::Date;
use crate::lower::draft::{Part, SiteDraft};
use crate::model::Model;
use crate::report::{Diagnostic, Severity};
use crate::source::Span;
use chk::Checker;
use graph::AddressGraph;
use std::collections::BTreeSet;

/// One finding that can be made.
#[derive(Debug)]
pub struct Rule {
    /// Three letters for the family and three digits; stable.
    pub code: &'static str,
    /// Its name, in kebab-case; stable too.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The version that first had it.
    pub since: &'static str,
    /// Its page, in Markdown.
    pub explain: &'static str,
    /// Who makes it.
    pub raised: Raised,
}

/// What a rule over the whole site does.
pub type Check = fn(&Subject<'_>, &mut Vec<Diagnostic>);

/// The stage that makes a finding.
#[derive(Clone, Copy, Debug)]
pub enum Raised {
    /// Reading the text: KDL, its traps, and the grammar.
    Reading,
    /// Turning nodes into values.
    Lowering,
    /// A rule over the whole site.
    Check {
        /// The parts that must be free of errors before the rule says anything.
        after: &'static [Part],
        /// What it does.
        check: Check,
    },
    /// A test of the site's own.
    SiteTest,
}

impl Rule {
    /// One that a stage before the rules makes.
    const fn new(code: &'static str, name: &'static str, severity: Severity, raised: Raised, explain: &'static str) -> Rule {
        Rule { code, name, severity, since: "0.1.0", explain, raised }
    }

    /// One over the whole site, which says nothing while these parts hold errors.
    const fn check(
        code: &'static str, name: &'static str, severity: Severity, after: &'static [Part], check: Check, explain: &'static str,
    ) -> Rule {
        Rule::new(code, name, severity, Raised::Check { after, check }, explain)
    }

    /// A finding of this rule.
    pub fn at(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code, self.severity, span, message)
    }

    /// The first line of its page, without the code: a title.
    pub fn title(&self) -> &'static str {
        let line = self.explain.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
        line.strip_prefix(self.code).map_or(line, |rest| rest.trim_start_matches([':', ' ']))
    }
}

/// What a rule looks at.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The site with places.
    pub draft: &'a SiteDraft,
    /// The same site as the daemon would see it.
    pub model: &'a Model,
    /// Which address leads to which.
    pub graph: AddressGraph,
    /// The day that certificates must be valid on.
    pub today: Option<Date>,
    /// Whose rules the site keeps besides our own.
    pub checkers: BTreeSet<Checker>,
}

impl<'a> Subject<'a> {
    /// Prepares what several rules share.
    pub fn new(draft: &'a SiteDraft, model: &'a Model, today: Option<Date>) -> Subject<'a> {
        let checkers = draft.host.checkers.iter().map(|checker| checker.value).collect();
        Subject { draft, model, graph: AddressGraph::new(draft, model), today, checkers }
    }

    /// Keeps the rules of these checkers too.
    pub fn and_checkers(mut self, checkers: &[Checker]) -> Subject<'a> {
        self.checkers.extend(checkers);
        self
    }
}

/// Every rule over the whole site.
pub fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for rule in RULES.iter() {
        if let Raised::Check { after, check } = rule.raised
            && !after.iter().any(|part| subject.draft.gaps.holds(*part))
        {
            check(subject, &mut findings);
        }
    }
    chk::name_complainers(&mut findings, &subject.checkers);
    findings
}

#[cfg(test)]
mod tests;
