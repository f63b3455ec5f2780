//! Why a decision fell: a closed set. Each reason has one name, for logs, metrics and tests, and one reply
//! ([`Reason::reply`], in `reply.rs`).

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// The one cause of a verdict.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// Its stable name, in kebab-case.
            pub fn as_str(self) -> &'static str {
                match self { $(Reason::$name => $word,)* }
            }
        }
    };
}

reasons! {
    /// The client may send as this reverse-path.
    SenderAccepted => "sender-accepted",
    /// The recipient is one of ours.
    LocalRecipient => "local-recipient",
    /// The recipient is in a domain that we take mail for on behalf of another host.
    RelayDomain => "relay-domain",
    /// The client is logged in, and the recipient is elsewhere.
    AuthenticatedRelay => "authenticated-relay",
    /// The client is in a network that may relay, and the recipient is elsewhere.
    TrustedNetwork => "trusted-network",
    /// The client holds a certificate that may relay, and the recipient is elsewhere.
    TrustedCertificate => "trusted-certificate",
    /// The client is a filter or MTA that the listener is for: the recipient is taken as it is.
    TrustedPeer => "trusted-peer",
    /// The listener takes mail from listed peers only.
    PeerNotListed => "peer-not-listed",
    /// The client is a program of this host, and the recipient is elsewhere.
    LocalSubmission => "local-submission",
    /// A bounce of mail that this site has forwarded, on its way back to whoever wrote it.
    BounceReturned => "bounce-returned",
    /// A copy for an archive of the site.
    Archived => "archived",
    /// The recipient looks like one that this site gives to forwarded mail, and is none that it gave.
    SrsInvalid => "srs-invalid",
    /// The recipient is one that this site gave to forwarded mail, too long ago.
    SrsExpired => "srs-expired",
    /// The recipient takes bounces, and this is none.
    SrsNotBounce => "srs-not-a-bounce",
    /// The secrets that tell a good bounce address cannot be read.
    SrsUnknown => "srs-unknown",
    /// The message has been forwarded by this recipient before.
    ForwardingLoop => "forwarding-loop",
    /// The recipient is elsewhere, and nothing lets this client relay.
    RelayDenied => "relay-denied",
    /// The domain is ours, the local part is nobody's.
    UnknownMailbox => "unknown-mailbox",
    /// The recipient's domain is one of ours that takes no mail.
    NullMxDomain => "null-mx-domain",
    /// The listener takes mail from logged-in users only.
    AuthenticationRequired => "authentication-required",
    /// The listener takes mail over TLS only.
    EncryptionRequired => "encryption-required",
    /// The user may not send as this address.
    SenderNotOwned => "sender-not-owned",
    /// The user may not write in the name of an address in From.
    AuthorNotOwned => "author-not-owned",
    /// The sender's domain has neither MX nor address.
    SenderDomainNonexistent => "sender-domain-nonexistent",
    /// The sender's domain says that it takes no mail.
    SenderDomainNullMx => "sender-domain-null-mx",
    /// The SPF record of the sender's domain forbids the client (RFC 7208 8.4).
    SpfFailed => "spf-failed",
    /// DNS did not say what the SPF record is, and the site refuses by it.
    SpfUnknown => "spf-unknown",
    /// The message may come in.
    ContentAccepted => "content-accepted",
    /// Nobody vouches for the author's domain, and it or the site wants such mail refused (RFC 9989).
    DmarcFailed => "dmarc-failed",
    /// Nobody vouches for the author's domain, and it or the site wants such mail set aside (RFC 9989).
    DmarcQuarantine => "dmarc-quarantine",
    /// The SPF record of the sender's domain forbids the client, and the site sets such mail aside.
    SpfQuarantine => "spf-quarantine",
    /// DMARC fails, and somebody whom the site trusts vouches for what the message was before (RFC 8617).
    ArcTrusted => "arc-trusted",
    /// A signature is due, and its key is missing or wrong.
    CannotSign => "cannot-sign",
    /// DNS did not say what the author's domain asks for.
    DmarcUnknown => "dmarc-unknown",
    /// DNS did not say whether the sender's domain exists.
    SenderDomainUnknown => "sender-domain-unknown",
    /// Lists that the site trusts know the client, and come to its threshold.
    ClientListed => "client-listed",
    /// The client, the sender and the recipient are new together, and are asked to come back.
    Greylisted => "greylisted",
    /// The client did too much of late that went wrong.
    PoorReputation => "poor-reputation",
    /// The client greeted with no full host name.
    HeloNotFqdn => "helo-not-fqdn",
    /// The client greeted with a name that DNS does not know.
    HeloUnresolvable => "helo-unresolvable",
    /// An alias leads to more addresses than one message may have.
    ExpansionTooLarge => "expansion-too-large",
    /// Accepted earlier, but the mailbox is not in the site any more.
    MailboxGone => "mailbox-gone",
    /// A recipient in one of our mailboxes has its way.
    LocalDelivery => "local-delivery",
    /// A route leads to the recipient's domain.
    Routed => "routed",
    /// No route leads there.
    NoRoute => "no-route",
    /// The snapshot could not be read.
    LookupFailed => "lookup-failed",
}

impl Reason {
    /// Reads a name.
    pub fn parse(word: &str) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// Whether the same question may be answered otherwise later: a 4yz reply.
    pub fn is_transient(self) -> bool {
        self.reply().code.is_transient()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
