//! RLY001: strangers may relay. The proof is [`crate::rules::probe`]; what is decided here is only how many strangers make
//! "anybody".

use super::{class_of, class_of_listener};
use crate::lower::draft::{ListenerDraft, NetworkDraft};
use crate::report::{Diagnostic, Severity};
use crate::rules::probe::{MOST_V4, MOST_V6, OpenPath, is_anybody, open_paths, size};
use crate::rules::{Rule, Subject};
use crate::source::Spanned;
use ipnet::IpNet;

/// The rule.
pub static RULE: Rule = Rule::check("RLY001", "open-relay", Severity::Error, &[], check, include_str!("open_relay.md"));

fn check(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let open: Vec<OpenPath> = open_paths(subject.model).into_iter().filter(|path| path.region.public).collect();
    if !is_anybody(&open) {
        return;
    }
    let (peers, open): (Vec<OpenPath>, Vec<OpenPath>) =
        open.into_iter().partition(|path| subject.model.site.listener(&path.listener).is_some_and(|by| by.kind.is_for_peers()));
    let of_listener = |listener: &ListenerDraft| peers.iter().find(|path| path.listener == listener.name.value);
    for (listener, path) in subject.draft.listeners.iter().filter_map(|by| Some((by, of_listener(by)?))) {
        findings.push(by_listener(listener, path));
    }
    let of_network = |network: &NetworkDraft| -> Vec<OpenPath> {
        let owner = |path: &&OpenPath| subject.model.site.network(path.region.representative);
        open.iter().filter(|path| owner(path).is_some_and(|owner| owner.name == network.name.value)).cloned().collect()
    };
    let shares: Vec<(&NetworkDraft, Vec<OpenPath>)> = subject
        .draft
        .networks
        .iter()
        .map(|network| (network, of_network(network)))
        .filter(|(_, open)| !open.is_empty())
        .collect();
    // Several networks may be harmless each, and the Internet together: then the largest is named.
    let guilty: Vec<_> = match shares.iter().filter(|(_, open)| is_anybody(open)).collect::<Vec<_>>() {
        found if !found.is_empty() => found,
        _ => shares.iter().max_by_key(|(_, open)| total(open)).into_iter().collect(),
    };
    for (network, open) in guilty {
        if let (Some(range), Some(path)) = (widest(network), open.iter().max_by_key(|path| path.region.addresses)) {
            findings.push(finding(network, range, path));
        }
    }
}

/// Whether the network alone lets anybody relay: what other rules need not say again.
pub(super) fn is_reported(range: IpNet) -> bool {
    let most = if range.max_prefix_len() == 32 { MOST_V4 } else { MOST_V6 };
    size(range) > most
}

fn total(open: &[OpenPath]) -> u128 {
    open.iter().fold(0, |sum, path| sum.saturating_add(path.region.addresses))
}

fn widest(network: &NetworkDraft) -> Option<&Spanned<IpNet>> {
    network.ranges.iter().min_by_key(|range| range.value.prefix_len())
}

fn finding(network: &NetworkDraft, range: &Spanned<IpNet>, path: &OpenPath) -> Diagnostic {
    let message = format!(
        "Strangers may relay: {} may send to {} by listener {:?}, without a login",
        path.region.representative, path.recipient, path.listener
    );
    let finding = RULE
        .at(range.span, message)
        .label(format!("{} addresses of the public Internet are trusted", how_many(range.value)))
        .help("Name the few addresses that you know, and let everybody else log in on a `submission` listener")
        .postfix(&["mynetworks", "smtpd_relay_restrictions"])
        .opens(class_of(network));
    match network.relay.span {
        Some(span) => finding.also(span, "this lets them relay"),
        None => finding,
    }
}

fn by_listener(listener: &ListenerDraft, path: &OpenPath) -> Diagnostic {
    let message = format!(
        "Strangers may relay: {} is a peer of listener {:?}, and may send to {}",
        path.region.representative, path.listener, path.recipient
    );
    RULE.at(listener.peers.as_ref().map_or(listener.name.span, |peers| peers.span), message)
        .help("Write from= and the one address of the filter, or leave it out: then it is for this host alone")
        .postfix(&["mynetworks", "smtpd_client_restrictions"])
        .opens(class_of_listener(listener))
}

/// As a power of two: the exact number says less.
fn how_many(range: IpNet) -> String {
    format!("2^{}", range.max_prefix_len() - range.prefix_len())
}
