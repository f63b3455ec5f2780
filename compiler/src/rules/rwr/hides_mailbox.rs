//! RWR004: a recipient that is rewritten although somebody has the address.

use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{Slot, Stage, Whose};

/// The rule.
pub static RULE: Rule =
    Rule::check("RWR004", "rewrite-hides-address", Severity::Warning, &[Part::Domains], check, include_str!("hides_mailbox.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let book = &subject.draft.addresses;
    let of_recipients = |at: Stage, covers: bool| at != Stage::Egress && covers;
    for said in &subject.draft.rewriting.rewrites {
        let Whose::Mailbox(from) = &said.from.value else { continue };
        let hidden = from.domain().and_then(|domain| book.find_in(domain, &from.local.folded()));
        if let Some(hidden) = hidden.filter(|_| of_recipients(said.at, said.place.covers(Slot::EnvelopeRecipient))) {
            findings.push(
                RULE.at(said.from.span, format!("{from} is declared, and gets no mail: it is rewritten before it is looked up"))
                    .also(hidden.span(), "declared here")
                    .help("Remove one of the two, or rewrite senders alone")
                    .postfix(&["recipient_canonical_maps"]),
            );
        }
    }
}
