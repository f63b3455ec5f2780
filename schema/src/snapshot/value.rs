//! The stored form of everything in [`crate::site`]: which fields, in which order, and what the tags of its enums are.
//!
//! A change here is a change of format: raise [`super::FORMAT_VERSION`].

use super::codec::{Damaged, Reader, Stored, Writer};
use crate::name::{Domain, HostName, LocalPart, Mailbox};
use crate::record::{Bimi, CaaIssuer, Certificates, Dmarc, DmarcPolicy, MtaStsMode, ReportUri, SpfAll, TlsReport};
use crate::site::{
    Acme, AddressEntry, AddressKind, ArcPolicy, Archive, Archived, Autoconfig, Certificate, Chain, Check, ClientLimit,
    ClientList, Codes, Directory, DirectorySecurity, DkimSigner, DmarcReaction, DomainClass, DomainEntry, Endpoint, Fingerprint,
    Forward, FromAddress, Greylist, HeaderChange, HeaderEdit, Language, LimitPer, Limited, Limits, Listener, ListenerKind,
    LogFormat, Logging, Login, LoginName, Masquerade, Metrics, MtaSts, Network, NextHop, NoticeClass, Notices, Onward, Origin,
    Pattern, Pin, PinOf, Place, PublicKey, Publication, Quarantine, QueuePolicy, Rate, Reaction, Receiver, Relay, Reporter,
    Reports, Reputation, Rewrite, Rewriting, Route, RoutePattern, Screen, SecretName, Selection, Selector, SendAs, Service,
    SigningState, SpfPolicy, Srs, Stage, TlsLevel, TlsPolicy, TlsVersion, TokenIssuer, TokenKey, TokenProof, TokenPublicKey,
    Transport, TransportKind, UserBackend, UserStore, Via, WebListener, WebUrl, Whose,
};
use ipnet::IpNet;

/// A struct is stored as its fields, in the order given here.
macro_rules! stored_structs {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl Stored for $name {
            fn write(&self, out: &mut Writer) {
                $(self.$field.write(out);)*
            }
            fn read(from: &mut Reader<'_>) -> Result<$name, Damaged> {
                Ok($name { $($field: Stored::read(from)?),* })
            }
        }
    )*};
}

stored_structs! {
    Origin { file, line }
    Listener { name, kind, addresses, port, socket, peers, proxy_from, xclient_from, origin }
    WebListener { name, addresses, port, origin }
    Network { name, ranges, certificates, relay, mends_line_ends, exempt, reason, origin }
    UserStore { name, backend, send_as, messages, new_recipients, origin }
    Directory { host, port, security, dn }
    TokenIssuer { issuer, audience, claim, proof }
    TokenKey { id, public }
    SendAs { user, mailboxes, origin }
    Transport { name, kind, origin }
    Relay { name, host, port, tls, login, rate, backup, spf_includes, signs_dkim, origin }
    Rate { count, per }
    Receiver { domain, concurrency, rate, pause_after_defer, origin }
    Login { user, secret, bearer }
    FromAddress { v4, v6 }
    Route { to, from, via, tls, from_address, origin }
    Certificate { name, chain, key, origin }
    TlsPolicy { certificates, self_signed, acme, minimum, origin }
    Acme { directory, contact, certificates, http, origin }
    Screen {
        require_sender_domain, require_fqdn_helo, require_resolvable_helo, spf_fail, received_spf, dmarc, partial_body, quarantine, greet_wait,
        early_talker, limits,
        lists, threshold, greylist, reputation
    }
    ArcPolicy { trusted, trusted_origin, seal }
    ClientList { zone, weight, codes, origin }
    Greylist { after, remember, mask4, mask6, enough, origin }
    Reputation { halflife, limit, origin }
    ClientLimit { what, per, origin }
    HeaderEdit { change, at, origin }
    Rewriting { rewrites, masquerades, archives, srs }
    Rewrite { place, from, to, at, delimiter, origin }
    Masquerade { domain, except, kept, origin }
    Archive { to, when, origin }
    Srs { domain, secret, origin }
    QueuePolicy { retry, factor_percent, retry_cap, lifetime, bounce_lifetime, warn_after, language, origin }
    Notices { classes, origin }
    Limits { message_octets, recipients, hops, mailbox_octets, sessions, vrfy, origin }
    Logging { format, origin }
    Metrics { listen, origin }
    Reports { organization, dmarc, tls, failure }
    Reporter { from, origin }
    DomainEntry { name, class, transport, catch_all, delimiter, patterns, signers, publication, origin }
    Onward { via, listed }
    Publication { spf, dmarc, mta_sts, tls_report, dane, caa, autoconfig, bimi, wildcard }
    SpfPolicy { addresses, includes, all }
    Dmarc { policy, subdomains, nonexistent, testing, organization, reports }
    MtaSts { mode, max_age, web_host }
    TlsReport { reports }
    Pin { of, sha256 }
    CaaIssuer { issuer, certificates, account, method, wildcards, persist, reports }
    Autoconfig { web_host, login, imap, pop3, jmap, caldav, carddav, pacc }
    Bimi { logo, certificate }
    DkimSigner { selector, public_key, key, state, origin }
    AddressEntry { kind, origin }
    Forward { mailbox }
    Mailbox { local, host }
}

/// A type with a text form is stored as that text, and parsed again when it is read.
macro_rules! stored_texts {
    ($($name:ty: $text:expr, $parse:expr;)*) => {$(
        impl Stored for $name {
            fn write(&self, out: &mut Writer) {
                let text: fn(&$name) -> Box<str> = $text;
                text(self).write(out);
            }
            fn read(from: &mut Reader<'_>) -> Result<$name, Damaged> {
                let parse: fn(&str) -> Option<$name> = $parse;
                parse(&Box::<str>::read(from)?).ok_or(Damaged(concat!("a text is no ", stringify!($name))))
            }
        }
    )*};
}

stored_texts! {
    Domain: |value| value.as_str().into(), |text| Domain::parse(text).ok();
    HostName: |value| value.to_string().into(), |text| HostName::parse(text).ok();
    LocalPart: |value| value.as_str().into(), |text| LocalPart::from_content(text).ok();
    SecretName: |value| value.as_str().into(), SecretName::parse;
    Selector: |value| value.as_str().into(), Selector::parse;
    ReportUri: |value| value.as_str().into(), ReportUri::parse;
    Check: |value| value.as_str().into(), Check::parse;
    Codes: |value| value.to_string().into(), |text| if text.is_empty() { Some(Codes::default()) } else { Codes::parse(text).ok() };
    WebUrl: |value| value.to_string().into(), WebUrl::parse;
    Fingerprint: |value| value.to_string().into(), Fingerprint::parse;
    IpNet: |value| value.to_string().into(), |text| text.parse().ok();
}

/// An enum is stored as a tag of one octet, then its fields.
macro_rules! stored_enums {
    ($($name:ident { $($tag:literal => $variant:ident $(($($item:ident),*))? $({$($field:ident),*})?,)* })*) => {$(
        impl Stored for $name {
            fn write(&self, out: &mut Writer) {
                match self {
                    $($name::$variant $(($($item),*))? $({$($field),*})? => {
                        let tag: u8 = $tag;
                        tag.write(out);
                        $($($item.write(out);)*)?
                        $($($field.write(out);)*)?
                    })*
                }
            }
            fn read(from: &mut Reader<'_>) -> Result<$name, Damaged> {
                match u8::read(from)? {
                    $($tag => {
                        $($(let $item = Stored::read(from)?;)*)?
                        Ok($name::$variant $(($($item),*))? $({$($field: Stored::read(from)?),*})?)
                    })*
                    _ => Err(Damaged(concat!("a tag is of no known ", stringify!($name)))),
                }
            }
        }
    )*};
}

stored_enums! {
    ListenerKind { 1 => Mx, 2 => Submission, 3 => Submissions, 4 => Reinject, 5 => Lmtp, }
    TransportKind {
        1 => Maildir { path },
        2 => Lmtp { server },
        3 => Smtp { host, port, mx, tls },
        4 => Pipe { program, user },
        5 => Discard { reason },
        6 => Fail { reason },
    }
    UserBackend { 1 => Passwd(secret), 2 => Dovecot(socket), 3 => Certificate(pem), 4 => Directory(directory), 5 => Tokens(issuer), }
    DirectorySecurity { 1 => Tls, 2 => StartTls, 3 => None, }
    TokenProof { 1 => Keys(keys), 2 => Introspection { url, client, secret }, }
    TokenPublicKey { 1 => Rsa { modulus, exponent }, 2 => P256(point), 3 => Ed25519(octets), }
    Endpoint { 1 => Unix(path), 2 => Inet { host, port }, }
    HeaderChange { 1 => Add(name, value), 2 => Remove(name), }
    Service { 1 => Mx, 2 => Submission, 3 => All, }
    Language { 1 => English, 2 => Japanese, }
    NoticeClass { 1 => Bounce, 2 => DoubleBounce, 3 => Delay, 4 => Policy, 5 => Protocol, 6 => Resource, 7 => Software, }
    Limited { 1 => Connections(most), 2 => Messages(rate), 3 => NewConnections(rate), }
    LimitPer { 1 => Ip, 2 => Network, }
    TlsVersion { 1 => Tls12, 2 => Tls13, }
    TlsLevel { 1 => None, 2 => May, 3 => Encrypt, 4 => Verify, 5 => DaneOrVerify, 6 => Dane, 7 => Published, }
    RoutePattern { 1 => Any, 2 => Domain(domain), 3 => Below(domain), }
    Via { 1 => Direct, 2 => Relay(name), }
    Chain { 1 => Pem(text), 2 => Credential(name), }
    Reaction { 1 => Reject, 2 => Log, 3 => Quarantine, }
    DmarcReaction { 1 => Honour, 2 => Always(reaction), }
    Quarantine { 1 => Hold, 2 => Mark, 3 => To(mailbox), }
    LogFormat { 1 => Text, 2 => Json, 3 => Postfix, }
    DomainClass { 1 => Local, 2 => AliasOf(domain), 3 => Parked, 4 => Relay(onward), }
    NextHop { 1 => Relay(name), 2 => Transport(name), }
    SpfAll { 1 => Fail, 2 => SoftFail, 3 => Neutral, }
    DmarcPolicy { 1 => None, 2 => Quarantine, 3 => Reject, }
    MtaStsMode { 1 => None, 2 => Testing, 3 => Enforce, }
    LoginName { 1 => LocalPart, 2 => Address, }
    Certificates { 1 => Hosts, 2 => Mail, 3 => Marks, }
    PinOf { 1 => Host, 2 => Authority, }
    PublicKey { 1 => Rsa(octets), 2 => Ed25519(octets), }
    SigningState { 1 => Publish, 2 => Active, 3 => Retired, 4 => Revoked, 5 => Removed, }
    AddressKind {
        1 => Mailbox { quota_octets },
        2 => Alias(targets),
        3 => Relayed,
        4 => Forward { targets, srs, keep_copy },
        5 => List { transport },
    }
    Whose { 1 => Mailbox(mailbox), 2 => Domain(domain), }
    Stage { 1 => Arrival(service), 2 => Egress, }
    Place { 1 => Sender, 2 => Recipient, 3 => Both, 4 => EnvelopeSender, 5 => EnvelopeRecipient, 6 => HeaderFrom, }
    Archived { 1 => All, 2 => From(selection), 3 => To(selection), }
    Selection { 1 => Mailbox(mailbox), 2 => Pattern(pattern), }
}

/// Writes the [`AddressEntry`] of an alias from the parts of its targets, local part and host: a site has a million of them,
/// and needs none to be made.
pub fn write_alias<'a>(out: &mut Writer, targets: impl ExactSizeIterator<Item = (&'a str, &'a str)>, origin: Origin) {
    let tag: u8 = 2;
    tag.write(out);
    (targets.len() as u32).write(out);
    for (local, host) in targets {
        out.put_text(local);
        out.put_text(host);
    }
    origin.write(out);
}

impl Stored for Pattern {
    fn write(&self, out: &mut Writer) {
        Box::<str>::from(self.expression()).write(out);
        Box::<str>::from(self.target()).write(out);
        self.origin.write(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Pattern, Damaged> {
        let (expression, target) = (Box::<str>::read(from)?, Box::<str>::read(from)?);
        Pattern::new(&expression, &target, Origin::read(from)?).map_err(|_| Damaged("a pattern is no expression"))
    }
}
