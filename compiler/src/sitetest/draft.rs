//! Draft of `test` blocks.

use crate::explain::AuthorPolicy;
use crate::lower::Lowering;
use crate::source::{Span, Spanned};
use crate::syntax::View;
use postern_schema::decide::{ArcFact, DmarcFact, GreylistFact, Listing, Reason, ReputationFact, SenderDomain};
use postern_schema::name::{Domain, ForwardPath, Mailbox, ReversePath};
use postern_schema::site::{Fingerprint, TlsLevel};
use postern_schema::spf::SpfResult;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// What a list answers that has one answer only (RFC 5782 2.1).
const USUAL_CODE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// One `test`.
#[derive(Clone, Debug)]
pub struct TestDraft {
    /// The node.
    pub span: Span,
    /// What it promises.
    pub name: Spanned<Box<str>>,
    /// The client's address; `None`: a stranger's.
    pub client: Option<Spanned<IpAddr>>,
    /// The client's login name.
    pub user: Option<Spanned<Box<str>>>,
    /// The certificate that it has shown.
    pub certificate: Option<Fingerprint>,
    /// The listener; `None`: the first that fits.
    pub listener: Option<Spanned<Box<str>>>,
    /// The reverse-path.
    pub from: Spanned<ReversePath>,
    /// What DNS says of its domain.
    pub sender_domain: Option<SenderDomain>,
    /// What its SPF check says.
    pub spf: Option<SpfResult>,
    /// What DMARC comes to.
    pub dmarc: Option<DmarcFact>,
    /// Whether a signature of the author's domain holds.
    pub dkim: Option<bool>,
    /// What the author's domain asks for.
    pub policy: Option<AuthorPolicy>,
    /// What its ARC chain comes to.
    pub arc: Option<ArcFact>,
    /// MAIL comes with REQUIRETLS.
    pub requiretls: bool,
    /// The domain in the From field.
    pub author: Option<Domain>,
    /// `tls=`; without it, the session is protected.
    pub is_tls: bool,
    /// What the client says in EHLO.
    pub helo: Option<Box<str>>,
    /// What DNS says of that name.
    pub helo_domain: Option<SenderDomain>,
    /// `listed`, or an empty list for `unlisted`.
    pub lists: Option<Vec<Spanned<Listing>>>,
    /// Where the client stands with the greylist.
    pub greylist: Option<GreylistFact>,
    /// How long ago it came first with this envelope.
    pub waited: Option<Duration>,
    /// What the client did before.
    pub reputation: Option<ReputationFact>,
    /// The forward-path.
    pub to: Spanned<ForwardPath>,
    /// What it is as a bounce address.
    pub srs: Option<Box<str>>,
    /// What must become of it.
    pub expect: ExpectDraft,
}

/// `expect`.
#[derive(Clone, Debug)]
pub struct ExpectDraft {
    /// `accept`, `reject` or `defer`.
    pub disposition: Spanned<Box<str>>,
    /// The one reason.
    pub reason: Option<Spanned<Reason>>,
    /// How the reply begins.
    pub reply: Option<Spanned<Box<str>>>,
    /// The addresses that it ends at; the place is that of the node.
    pub delivers_to: Option<Spanned<Vec<Mailbox>>>,
    /// The relay or transport that it goes to next, or `direct`.
    pub via: Option<Spanned<Box<str>>>,
    /// The envelope sender that it goes on with, or `srs`.
    pub sender: Option<Spanned<Box<str>>>,
    /// The least protection on the way.
    pub tls: Option<Spanned<TlsLevel>>,
    /// The key that signs it.
    pub signed_by: Option<Spanned<Box<str>>>,
    /// What the receiver's SPF check says: `pass`, `fail` or `none`.
    pub spf: Option<Spanned<Box<str>>>,
    /// What its DMARC check says: `aligned` or `unaligned`.
    pub dmarc: Option<Spanned<Box<str>>>,
}

/// Every `test` of a site; one with an error in it, which was reported, is left out.
pub(crate) fn lower(lowering: &mut Lowering<'_>) -> Vec<TestDraft> {
    let views: Vec<View<'_>> = lowering.document.children("test").collect();
    views.iter().filter_map(|view| test(view, lowering)).collect()
}

fn test(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<TestDraft> {
    let name = boxed(view.argument::<String>("name")?);
    let client = view.child("client");
    let listener = client.and_then(|client| client.property::<String>("listener"));
    if let Some(listener) = &listener
        && !lowering.listeners.holds(&listener.value)
    {
        return None;
    }
    let from = view.child("from")?;
    let sender_domain = from.property::<String>("domain").and_then(|word| SenderDomain::parse(&word.value));
    Some(TestDraft {
        span: view.span(),
        name,
        client: client.and_then(|client| client.argument::<IpAddr>("address")),
        user: client.and_then(|client| client.property::<String>("user")).map(boxed),
        certificate: client.and_then(|client| client.property::<Fingerprint>("certificate")).map(|shown| shown.value),
        listener: listener.map(boxed),
        from: from.argument("address")?,
        sender_domain,
        spf: from.property::<String>("spf").and_then(|word| SpfResult::parse(&word.value)),
        dmarc: from.property::<String>("dmarc").and_then(|word| DmarcFact::parse(&word.value)),
        dkim: from.property::<String>("dkim").map(|word| word.value == "pass"),
        policy: from.property::<String>("policy").and_then(|word| AuthorPolicy::parse(&word.value)),
        arc: from.property::<String>("arc").and_then(|word| ArcFact::parse(&word.value)),
        requiretls: from.property::<bool>("requiretls").is_some_and(|asked| asked.value),
        author: from.property::<Domain>("author").map(|author| author.value),
        is_tls: word(client, "tls").is_none_or(|word| word != "none"),
        helo: word(client, "helo").map(String::into_boxed_str),
        helo_domain: word(client, "helo-domain").and_then(|word| SenderDomain::parse(&word)),
        lists: listings(view),
        greylist: word(client, "greylist").and_then(|word| GreylistFact::parse(&word)),
        waited: client.and_then(|client| client.property::<Duration>("waited")).map(|waited| waited.value),
        reputation: word(client, "reputation").and_then(|word| ReputationFact::parse(&word)),
        to: view.child("to")?.argument("address")?,
        srs: view.child("to")?.property::<String>("srs").map(|word| word.value.into()),
        expect: expect(&view.child("expect")?, lowering)?,
    })
}

fn word(client: Option<View<'_>>, name: &str) -> Option<String> {
    client.and_then(|client| client.property::<String>(name)).map(|word| word.value)
}

/// What lists say of the client; `None` where the test says nothing of lists.
fn listings(view: &View<'_>) -> Option<Vec<Spanned<Listing>>> {
    let listing = |view: View<'_>| {
        let zone = view.argument::<Domain>("zone")?;
        let code = match view.property::<IpAddr>("code") {
            Some(Spanned { value: IpAddr::V4(code), .. }) => code,
            _ => USUAL_CODE,
        };
        Some(Spanned::new(Listing { zone: zone.value, code }, zone.span))
    };
    let listed: Vec<Spanned<Listing>> = view.children("listed").filter_map(listing).collect();
    let unlisted = view.flag("unlisted").is_some_and(|on| on.value);
    (unlisted || !listed.is_empty()).then_some(listed)
}

fn expect(view: &View<'_>, lowering: &mut Lowering<'_>) -> Option<ExpectDraft> {
    let via = view.property::<String>("via");
    if let Some(name) = &via
        && name.value != "direct"
        && !lowering.relays.holds(&name.value)
        && !lowering.transports.holds(&name.value)
    {
        return None;
    }
    let tls = view.property::<String>("tls");
    let tls = tls.and_then(|word| TlsLevel::parse(&word.value).map(|level| Spanned::new(level, word.span)));
    let delivers_to = view.child("delivers-to").map(|view| {
        let addresses = view.arguments::<Mailbox>("addresses");
        Spanned::new(addresses.into_iter().map(|address| address.value).collect(), view.span())
    });
    Some(ExpectDraft {
        disposition: boxed(view.argument::<String>("disposition")?),
        reason: view.property::<Reason>("reason"),
        reply: view.property::<String>("reply").map(boxed),
        delivers_to,
        via: via.map(boxed),
        sender: view.property::<String>("sender").map(boxed),
        tls,
        signed_by: view.property::<String>("signed-by").map(boxed),
        spf: view.property::<String>("spf").map(boxed),
        dmarc: view.property::<String>("dmarc").map(boxed),
    })
}

fn boxed(text: Spanned<String>) -> Spanned<Box<str>> {
    text.map(String::into_boxed_str)
}
