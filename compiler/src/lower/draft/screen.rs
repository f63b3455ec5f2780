//! Draft of `screen`: what is asked of a stranger.

use super::Setting;
use crate::source::{Span, Spanned};
use postern_schema::name::Domain;
use postern_schema::site::{
    Check, ClientLimit, ClientList, Codes, DmarcReaction, Greylist, LimitPer, Limited, Origin, Quarantine, Reaction, Reputation,
    Screen,
};
use std::time::Duration;

/// `screen`.
#[derive(Clone, Debug, Default)]
pub struct ScreenDraft {
    /// The word `sender-domain-exists` of `require`.
    pub require_sender_domain: Option<Span>,
    /// The word `fqdn-helo` of `require`.
    pub require_fqdn_helo: Option<Span>,
    /// The word `resolvable-helo` of `require`.
    pub require_resolvable_helo: Option<Span>,
    /// `spf fail=`.
    pub spf_fail: Option<Spanned<Reaction>>,
    /// `spf header=`.
    pub received_spf: bool,
    /// `dmarc honour=` or `fail=`.
    pub dmarc: Option<Spanned<DmarcReaction>>,
    /// `dkim partial-body=`.
    pub partial_body: bool,
    /// `quarantine`.
    pub quarantine: Option<Spanned<Quarantine>>,
    /// `greet-wait`.
    pub greet_wait: Option<Spanned<Duration>>,
    /// `early-talker`.
    pub early_talker: Reaction,
    /// `limit`, in source order.
    pub limits: Vec<LimitDraft>,
    /// `dnsbl` and `dnswl`, in source order.
    pub lists: Vec<ListDraft>,
    /// `threshold`: the sum of weights at which a client is refused.
    pub threshold: Option<Spanned<i64>>,
    /// `greylist`.
    pub greylist: Option<GreylistDraft>,
    /// `reputation`.
    pub reputation: Option<ReputationDraft>,
}

/// `limit` in `screen`.
#[derive(Clone, Debug)]
pub struct LimitDraft {
    /// The node.
    pub span: Span,
    /// What is limited.
    pub what: Limited,
    /// What counts as one client.
    pub per: LimitPer,
}

/// `dnsbl` or `dnswl`.
#[derive(Clone, Debug)]
pub struct ListDraft {
    /// The node.
    pub span: Span,
    /// Whether it is `dnswl`.
    pub is_welcome: bool,
    /// Where the list lies in DNS.
    pub zone: Spanned<Domain>,
    /// What a listing counts; below 0 for a welcome client.
    pub weight: Setting<i64>,
    /// The answers that count.
    pub codes: Option<Spanned<Codes>>,
}

/// `greylist`.
#[derive(Clone, Debug)]
pub struct GreylistDraft {
    /// The node.
    pub span: Span,
    /// How long a client must wait.
    pub after: Setting<Duration>,
    /// How long it stays known.
    pub remember: Setting<Duration>,
    /// The prefixes that count as one client, of IPv4 and IPv6.
    pub masks: (u8, u8),
    /// Clients that came back so often are asked no more.
    pub enough: u32,
}

/// `reputation`.
#[derive(Clone, Debug)]
pub struct ReputationDraft {
    /// The node.
    pub span: Span,
    /// The time in which half of the points fade.
    pub halflife: Spanned<Duration>,
    /// How many are too many.
    pub limit: u32,
}

impl ScreenDraft {
    /// What a listing in all block lists comes to.
    pub fn most(&self) -> i64 {
        self.lists.iter().map(|list| list.weight.value.max(0)).sum()
    }

    /// The sum at which a client is refused.
    pub fn threshold(&self) -> i64 {
        self.threshold.as_ref().map_or(Screen::THRESHOLD.into(), |said| said.value)
    }

    /// Whether the site asks for this check at all.
    pub fn does(&self, check: Check) -> bool {
        match check {
            Check::GreetWait => self.greet_wait.is_some(),
            // Where none is said, connections have one all the same.
            Check::Limit => true,
            Check::Reputation => self.reputation.is_some(),
            Check::FqdnHelo => self.require_fqdn_helo.is_some(),
            Check::ResolvableHelo => self.require_resolvable_helo.is_some(),
            Check::SenderDomain => self.require_sender_domain.is_some(),
            Check::Spf => self.spf_fail.as_ref().is_some_and(|fail| fail.value != Reaction::Log),
            Check::Dmarc => self.dmarc.as_ref().is_some_and(|said| said.value.decides()),
            Check::Dnsbl => !self.lists.is_empty(),
            Check::Greylist => self.greylist.is_some(),
        }
    }

    /// The screen without places.
    pub(super) fn to_site(&self, origin: &dyn Fn(Span) -> Origin) -> Screen {
        let limit = |limit: &LimitDraft| ClientLimit { what: limit.what, per: limit.per, origin: origin(limit.span) };
        let mut limits: Vec<ClientLimit> = self.limits.iter().map(limit).collect();
        if !limits.iter().any(|limit| matches!(limit.what, Limited::Connections(_))) {
            limits.push(ClientLimit::CONNECTIONS);
        }
        Screen {
            require_sender_domain: self.require_sender_domain.map(origin),
            require_fqdn_helo: self.require_fqdn_helo.map(origin),
            require_resolvable_helo: self.require_resolvable_helo.map(origin),
            spf_fail: self.spf_fail.as_ref().map(|said| (said.value, origin(said.span))),
            received_spf: self.received_spf,
            dmarc: self.dmarc.as_ref().map(|said| (said.value, origin(said.span))),
            partial_body: self.partial_body,
            quarantine: match &self.quarantine {
                Some(said) => (said.value.clone(), origin(said.span)),
                None => Screen::default().quarantine,
            },
            greet_wait: self.greet_wait.as_ref().map(|wait| (wait.value, origin(wait.span))),
            early_talker: self.early_talker,
            limits,
            lists: self.lists.iter().map(|list| list.to_site(origin)).collect(),
            threshold: match &self.threshold {
                Some(said) => (weight(said.value), origin(said.span)),
                None => (Screen::THRESHOLD, Origin::DEFAULT),
            },
            greylist: self.greylist.as_ref().map(|draft| draft.to_site(origin)),
            reputation: self.reputation.as_ref().map(|draft| Reputation {
                halflife: draft.halflife.value,
                limit: draft.limit,
                origin: origin(draft.span),
            }),
        }
    }
}

impl ListDraft {
    /// The node of the site language.
    pub fn node(&self) -> &'static str {
        if self.is_welcome { "dnswl" } else { "dnsbl" }
    }

    fn to_site(&self, origin: &dyn Fn(Span) -> Origin) -> ClientList {
        ClientList {
            zone: self.zone.value.clone(),
            weight: weight(self.weight.value),
            codes: self.codes.as_ref().map_or_else(Codes::default, |codes| codes.value.clone()),
            origin: origin(self.span),
        }
    }
}

impl GreylistDraft {
    fn to_site(&self, origin: &dyn Fn(Span) -> Origin) -> Greylist {
        let (mask4, mask6) = self.masks;
        Greylist {
            after: self.after.value,
            remember: self.remember.value,
            mask4,
            mask6,
            enough: self.enough,
            origin: origin(self.span),
        }
    }
}

/// The grammar has bounded it.
fn weight(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(0)
}
