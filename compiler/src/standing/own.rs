//! Mail of a domain of the site, along every way that it may leave by: which keys sign it there, and what its receivers find. The
//! rules on SPF, DKIM and DMARC ask this, so that none of them has a notion of its own of what the daemon does.

use super::{Leaving, SpfStanding, Standing, standing};
use crate::emit::dns::ways;
use crate::model::Model;
use postern_schema::decide::{Author, LookupFailed, SignFacts, Trace, rewrite, signing};
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox, ReversePath};
use postern_schema::site::{Destination, DkimSigner, FromAddress, Relay, RoutePattern, Site, Slot, Stage, TlsLevel, Via, Whose};

/// Mail on one way out.
#[derive(Clone, Debug)]
pub struct OwnMail<'a> {
    /// The relay; `None`: straight to the receiver.
    pub relay: Option<&'a Relay>,
    /// The envelope sender that it leaves with.
    pub sender: Mailbox,
    /// The domain in From as it leaves.
    pub author: Domain,
    /// The keys that sign it here.
    pub signers: Vec<DkimSigner>,
    /// Whether anybody signs it: we, or all who carry it on.
    pub is_signed: bool,
    /// What its receivers find.
    pub standing: Standing,
}

impl OwnMail<'_> {
    /// The way, for a message: `by "isp"`.
    pub fn way(&self, site: &Site) -> String {
        let Some(relay) = self.relay else { return "directly".to_owned() };
        // A backup that does less than its relay is what is wrong with the way.
        let lesser = site.carriers(relay).find(|carrier| relay.signs_dkim && !carrier.signs_dkim && !self.is_signed);
        match lesser {
            Some(backup) => format!("by {:?}, the backup of {:?}", backup.name, relay.name),
            None => format!("by {:?}", relay.name),
        }
    }
}

/// Whether the site takes mail from anybody who may send it to others.
pub fn anybody_sends(site: &Site) -> bool {
    let has_users = !site.users.is_empty() && site.listeners.iter().any(|listener| listener.kind.requires_login());
    has_users || site.networks.iter().any(|network| network.relay)
}

/// What becomes of mail of a domain, for each way that mail of others may take, and for each of its senders that `rewrite` treats in
/// a way of its own.
///
/// # Errors
/// [`LookupFailed`] never, as a model is complete.
pub fn own_mail<'a>(domain: &Domain, model: &'a Model) -> Result<Vec<OwnMail<'a>>, LookupFailed> {
    let site = &model.site;
    let mut found = Vec::new();
    let ways = ways_out(domain, model);
    for sender in senders(domain, site) {
        for way in &ways {
            found.push(follow(*way, &sender, model)?);
        }
    }
    Ok(found)
}

/// A relay, or straight to the receiver; and the addresses that connections leave from.
type Way<'a> = (Option<&'a Relay>, FromAddress);

/// Each way once. A route to a domain of the site leads further inside. Where there is none at all, the one that is missing is taken
/// to be direct.
fn ways_out<'a>(domain: &Domain, model: &'a Model) -> Vec<Way<'a>> {
    let site = &model.site;
    let mut found: Vec<Way<'a>> = Vec::new();
    for route in ways(site, domain) {
        if matches!(&route.to, RoutePattern::Domain(to) if model.domains.contains_key(to)) {
            continue;
        }
        let relay = match &route.via {
            Via::Direct => None,
            Via::Relay(name) => match site.relay(name) {
                Some(relay) => Some(relay),
                // It has an error of its own.
                None => continue,
            },
        };
        let is_known = |(known, address): &Way<'a>| {
            known.map(|known| &known.name) == relay.map(|relay| &relay.name) && *address == route.from_address
        };
        if !found.iter().any(is_known) {
            found.push((relay, route.from_address));
        }
    }
    if found.is_empty() { vec![(None, FromAddress::NONE)] } else { found }
}

/// Somebody in the domain, and those for whom `rewrite at="egress"` has a line.
fn senders(domain: &Domain, site: &Site) -> Vec<Mailbox> {
    let someone = LocalPart::from_content("someone").ok().map(|local| Mailbox::new(local, HostName::Domain(domain.clone())));
    let at_egress = site.rewriting.rewrites.iter().filter(|rewrite| rewrite.at == Stage::Egress);
    let named = at_egress.filter_map(|rewrite| match &rewrite.from {
        Whose::Mailbox(mailbox) if mailbox.domain() == Some(domain) => Some(mailbox.clone()),
        _ => None,
    });
    someone.into_iter().chain(named).collect()
}

fn follow<'a>((relay, from_address): Way<'a>, sender: &Mailbox, model: &'a Model) -> Result<OwnMail<'a>, LookupFailed> {
    let site = &model.site;
    let destination = match relay {
        Some(relay) => Destination::Relay { name: relay.name.clone(), tls: relay.tls, from_address },
        None => Destination::Mx { domain: site.hostname.clone(), tls: TlsLevel::Published, from_address },
    };
    let leaving = |slot| rewrite::leaving(sender, slot, site, &mut Trace::default()).unwrap_or_else(|| sender.clone());
    let (author, sender) = (leaving(Slot::From), leaving(Slot::EnvelopeSender));
    let author = author.domain().unwrap_or(&site.hostname).clone();
    let facts = SignFacts {
        author: Author::Server,
        from: std::slice::from_ref(&author),
        destinations: std::slice::from_ref(&destination),
    };
    let (due, _) = signing(&facts, model)?;
    let signed: Vec<Domain> = due.iter().map(|due| due.domain.clone()).collect();
    let path = ReversePath::Mailbox(sender.clone());
    let mail = Leaving { sender: &path, author: Some(&author), destination: &destination, signed: &signed };
    // It leaves, so receivers find something.
    let standing = standing(&mail, model)?.unwrap_or(Standing { spf: SpfStanding::None, aligned: true });
    let is_signed = !due.is_empty() || relay.is_some_and(|relay| site.is_signed_beyond(relay));
    let signers = due.into_iter().map(|due| due.signer).collect();
    Ok(OwnMail { relay, sender, author, signers, is_signed, standing })
}
