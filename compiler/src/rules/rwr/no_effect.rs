//! RWR002: a rewriting that changes nothing, or whose result another one would change.

use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::site::{Slot, Stage, Whose};

/// The rule.
pub static RULE: Rule =
    Rule::check("RWR002", "rewrite-without-effect", Severity::Warning, &[], check, include_str!("no_effect.md"));

/// Every place that an address of a message may stand in.
pub(super) const SLOTS: [Slot; 5] = [Slot::EnvelopeSender, Slot::EnvelopeRecipient, Slot::From, Slot::Senders, Slot::Recipients];

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let rewrites = &subject.draft.rewriting.rewrites;
    for said in rewrites {
        if same(&said.from.value, &said.to.value) {
            let message = format!("{} becomes what it is", said.from.value);
            findings.push(RULE.at(said.from.span, message).help("Remove it, or write another address"));
            continue;
        }
        let is_egress = said.at == Stage::Egress;
        let shares = |other: &&crate::lower::draft::RewriteDraft| {
            (other.at == Stage::Egress) == is_egress
                && SLOTS.iter().any(|slot| said.place.covers(*slot) && other.place.covers(*slot))
                && same(&other.from.value, &said.to.value)
        };
        if let Some(next) = rewrites.iter().find(shares) {
            let message = format!("{} becomes {}, and is not rewritten again", said.from.value, said.to.value);
            findings.push(
                RULE.at(said.to.span, message)
                    .also(next.from.span, format!("{} becomes {} here, where it is given so", next.from.value, next.to.value))
                    .help(format!("Write {} here too, if that is what is meant", next.to.value))
                    .postfix(&["canonical_maps"]),
            );
        }
    }
}

pub(super) fn same(a: &Whose, b: &Whose) -> bool {
    match (a, b) {
        (Whose::Mailbox(a), Whose::Mailbox(b)) => a.folded() == b.folded(),
        (Whose::Domain(a), Whose::Domain(b)) => a == b,
        _ => false,
    }
}
