//! `screen`, `queue`, `limits`, `log`, `metrics`, `reports`: settings of which a site has one set each.

use super::Lowering;
use super::draft::{
    ArcDraft, GreylistDraft, LimitDraft, LimitsDraft, ListDraft, QueueDraft, ReportsDraft, ReputationDraft, ScreenDraft, Setting,
};
use crate::source::Spanned;
use crate::syntax::View;
use crate::syntax::value::{Factor, Octets};
use postern_schema::name::Mailbox;
use postern_schema::site::{
    DmarcReaction, Greylist, Language, LimitPer, Limited, Limits, LogFormat, Quarantine, QueuePolicy, Rate, Reaction, Reputation,
};
use std::net::SocketAddr;
use std::time::Duration;

pub(super) fn screen(lowering: &Lowering<'_>) -> ScreenDraft {
    let Some(view) = lowering.document.child("screen") else { return ScreenDraft::default() };
    let words = view.child("require").map_or_else(Vec::new, |require| require.arguments::<String>("checks"));
    let required = |wanted: &str| words.iter().find(|word| word.value == wanted).map(|word| word.span);
    let action = view.child("early-talker").and_then(|child| child.argument::<String>("action"));
    ScreenDraft {
        require_sender_domain: required("sender-domain-exists"),
        require_fqdn_helo: required("fqdn-helo"),
        require_resolvable_helo: required("resolvable-helo"),
        greet_wait: view.child("greet-wait").and_then(|child| child.argument("time")),
        spf_fail: view.child("spf").and_then(|spf| reaction(spf.property("fail")?)),
        received_spf: view.child("spf").is_some_and(|spf| is_true(&spf, "header")),
        dmarc: view.child("dmarc").and_then(|dmarc| dmarc_reaction(&dmarc)),
        partial_body: view.child("dkim").is_some_and(|dkim| is_true(&dkim, "partial-body")),
        quarantine: view.child("quarantine").and_then(|child| quarantine(&child)),
        early_talker: action.and_then(|word| Reaction::parse(&word.value)).unwrap_or_default(),
        limits: view.children("limit").filter_map(|limit| client_limit(&limit)).collect(),
        lists: view.all().filter_map(|child| client_list(&child)).collect(),
        threshold: view.child("threshold").and_then(|child| child.argument("sum")),
        greylist: view.child("greylist").map(|child| greylist(&child)),
        reputation: view.child("reputation").and_then(|child| reputation(&child)),
    }
}

fn is_true(view: &View<'_>, name: &str) -> bool {
    view.property::<bool>(name).is_some_and(|said| said.value)
}

fn dmarc_reaction(view: &View<'_>) -> Option<Spanned<DmarcReaction>> {
    if let Some(honour) = view.property::<bool>("honour") {
        let reaction = if honour.value { DmarcReaction::Honour } else { DmarcReaction::Always(Reaction::Log) };
        return Some(Spanned::new(reaction, honour.span));
    }
    let word = view.property::<String>("fail")?;
    let reaction = match &*word.value {
        "honour" => DmarcReaction::Honour,
        word => DmarcReaction::Always(Reaction::parse(word)?),
    };
    Some(Spanned::new(reaction, word.span))
}

fn quarantine(view: &View<'_>) -> Option<Spanned<Quarantine>> {
    if let Some(mailbox) = view.property::<Mailbox>("to") {
        return Some(mailbox.map(Quarantine::To));
    }
    let word = view.property::<String>("then")?;
    let place = match &*word.value {
        "hold" => Quarantine::Hold,
        "mark" => Quarantine::Mark,
        _ => return None,
    };
    Some(Spanned::new(place, word.span))
}

pub(super) fn arc(lowering: &Lowering<'_>) -> ArcDraft {
    let Some(view) = lowering.document.child("arc") else { return ArcDraft::default() };
    ArcDraft {
        trusted: view.child("trust").map_or_else(Vec::new, |trust| trust.arguments("sealers")),
        seal: view.child("seal").and_then(|seal| seal.argument("domain")),
    }
}

fn client_list(view: &View<'_>) -> Option<ListDraft> {
    let is_welcome = match view.name() {
        "dnsbl" => false,
        "dnswl" => true,
        _ => return None,
    };
    Some(ListDraft {
        span: view.span(),
        is_welcome,
        zone: view.argument("zone")?,
        weight: Setting::new(view.property("weight"), if is_welcome { -1 } else { 1 }),
        codes: view.property("codes"),
    })
}

fn greylist(view: &View<'_>) -> GreylistDraft {
    let default = Greylist::default();
    let mask = |name, default| view.property::<u32>(name).and_then(|mask| u8::try_from(mask.value).ok()).unwrap_or(default);
    GreylistDraft {
        span: view.span(),
        after: Setting::new(view.property("after"), default.after),
        remember: Setting::new(view.property("remember"), default.remember),
        masks: (mask("mask4", default.mask4), mask("mask6", default.mask6)),
        enough: view.property::<u32>("enough").map_or(default.enough, |enough| enough.value),
    }
}

fn reputation(view: &View<'_>) -> Option<ReputationDraft> {
    let limit = view.property::<u32>("limit").map_or(Reputation::LIMIT, |limit| limit.value);
    Some(ReputationDraft { span: view.span(), halflife: view.property("halflife")?, limit })
}

fn reaction(word: Spanned<String>) -> Option<Spanned<Reaction>> {
    Some(Spanned::new(Reaction::parse(&word.value)?, word.span))
}

fn client_limit(view: &View<'_>) -> Option<LimitDraft> {
    let rate = |name| view.property::<Rate>(name).map(|rate| rate.value);
    let connections = view.property::<u32>("connections").map(|most| Limited::Connections(most.value));
    let what = connections
        .or_else(|| rate("new-connections").map(Limited::NewConnections))
        .or_else(|| rate("messages").map(Limited::Messages))?;
    let per = view.property::<String>("per").and_then(|word| LimitPer::parse(&word.value)).unwrap_or(LimitPer::Ip);
    Some(LimitDraft { span: view.span(), what, per })
}

pub(super) fn queue(lowering: &Lowering<'_>) -> QueueDraft {
    let view = lowering.document.child("queue");
    let default = QueuePolicy::default();
    let retry = view.and_then(|view| view.child("retry"));
    let time = |name: &str| view.and_then(|view| view.child(name)).and_then(|child| child.argument::<Duration>("time"));
    let factor = retry.and_then(|retry| retry.property::<Factor>("factor")).map(|factor| factor.map(|factor| factor.0));
    QueueDraft {
        span: view.map(|view| view.span()),
        retry: Setting::new(retry.and_then(|retry| retry.argument("pause")), default.retry),
        factor_percent: Setting::new(factor, default.factor_percent),
        retry_cap: Setting::new(retry.and_then(|retry| retry.property("up-to")), default.retry_cap),
        lifetime: Setting::new(time("lifetime"), default.lifetime),
        bounce_lifetime: Setting::new(time("bounce-lifetime"), default.bounce_lifetime),
        warn_after: Setting::new(time("warn-after"), default.warn_after),
        language: Setting::new(view.and_then(language), default.language),
    }
}

fn language(view: View<'_>) -> Option<Spanned<Language>> {
    let word = view.child("language")?.argument::<String>("language")?;
    let language = Language::ALL.into_iter().find(|language| language.as_str() == word.value)?;
    Some(Spanned::new(language, word.span))
}

pub(super) fn limits(lowering: &Lowering<'_>) -> LimitsDraft {
    let view = lowering.document.child("limits");
    let default = Limits::default();
    let count = |name: &str| view.and_then(|view: View<'_>| view.property::<u32>(name));
    let message = view.and_then(|view| view.property::<Octets>("message"));
    LimitsDraft {
        span: view.map(|view| view.span()),
        message_octets: Setting::new(message.map(|size| size.map(|octets| octets.0)), default.message_octets),
        recipients: Setting::new(count("recipients"), default.recipients),
        hops: Setting::new(count("hops"), default.hops),
        mailbox_octets: view.and_then(|view| view.property::<Octets>("mailbox")).map(|size| size.map(|octets| octets.0)),
        sessions: Setting::new(count("sessions"), default.sessions),
        vrfy: Setting::new(view.and_then(|view| view.property("vrfy")), default.vrfy),
    }
}

pub(super) fn metrics(lowering: &Lowering<'_>) -> Option<Spanned<SocketAddr>> {
    lowering.document.child("metrics")?.property("listen")
}

pub(super) fn reports(lowering: &Lowering<'_>) -> ReportsDraft {
    let Some(view) = lowering.document.child("reports") else { return ReportsDraft::default() };
    let from = |name: &str| view.child(name).and_then(|kind| kind.property("from"));
    let organization = view.child("organization").and_then(|child| child.argument::<String>("name"));
    ReportsDraft {
        organization: organization.map(|name| name.map(String::into_boxed_str)),
        dmarc: from("dmarc"),
        tls: from("tls"),
        failure: from("failure"),
    }
}

pub(super) fn log_format(lowering: &Lowering<'_>) -> Setting<LogFormat> {
    let word = lowering.document.child("log").and_then(|log| log.property::<String>("format"));
    let said = word.and_then(|word| {
        let format = LogFormat::ALL.into_iter().find(|format| format.as_str() == word.value)?;
        Some(Spanned::new(format, word.span))
    });
    Setting::new(said, LogFormat::Text)
}
