//! DMC001: a policy that only DKIM can keep.

use crate::emit::dns::egress;
use crate::lower::draft::Part;
use crate::report::{Diagnostic, Severity};
use crate::rules::{Rule, Subject};
use postern_schema::record::DmarcPolicy;
use postern_schema::site::{RoutePattern, SigningState, Via};

/// The rule.
pub static RULE: Rule = Rule::check(
    "DMC001",
    "strict-dmarc-without-dkim",
    Severity::Error,
    &[Part::Domains, Part::Routes, Part::Relays],
    check,
    include_str!("strict_without_signer.md"),
);

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let site = &subject.model.site;
    for domain in subject.draft.domain_nodes() {
        let Some(dmarc) = domain.publication.dmarc.as_ref().filter(|dmarc| dmarc.value.policy > DmarcPolicy::None) else {
            continue;
        };
        let is_signed_here = domain.signers.iter().any(|signer| signer.state.value == SigningState::Active);
        let relays = egress(site, &domain.name.value);
        let some_leaves_directly = relays.is_empty()
            || site
                .routes
                .iter()
                .take_while(|route| route.to != RoutePattern::Any || route.via == Via::Direct)
                .any(|route| route.via == Via::Direct);
        let is_signed_there = !some_leaves_directly && relays.iter().all(|relay| relay.signs_dkim);
        if !is_signed_here && !is_signed_there {
            findings.push(
                RULE.at(
                    dmarc.span,
                    format!("Nobody signs mail of {}, and its policy is `{}`", domain.name.value, dmarc.value.policy),
                )
                .help("Make a key with `postern key new`, or begin with policy=\"none\" and read the reports"),
            );
        }
    }
}
