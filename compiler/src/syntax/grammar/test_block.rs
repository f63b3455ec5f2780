//! What a site promises of itself: `test`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{Kind, ValueType, Word};

const DISPOSITIONS: &[Word] = &[
    Word::new("accept", "The mail is taken."),
    Word::new("reject", "It is refused for good."),
    Word::new("defer", "It is refused for now."),
];

const SENDER_DOMAINS: &[Word] = &[
    Word::new("found", "It has an MX, or an address."),
    Word::new("nonexistent", "It has neither."),
    Word::new("null-mx", "It says that it takes no mail (RFC 7505)."),
    Word::new("failed", "DNS does not answer."),
];

const GREYLIST_FACTS: &[Word] = &[
    Word::new("new", "Client, sender and recipient were never here together."),
    Word::new("waiting", "They were, and not long enough ago."),
    Word::new("passed", "They have come back, or the client is known for it."),
];

const REPUTATION_FACTS: &[Word] =
    &[Word::new("good", "Nothing much went wrong with it."), Word::new("poor", "Too much did, of late.")];

const SESSION_TLS: &[Word] = &[Word::new("none", "The session is in the clear."), Word::new("encrypt", "It is protected.")];

const BUILT_IN_WAYS: &[Word] =
    &[Word::new("direct", "To the MX hosts of the recipient's domain."), Word::new("store", "Into the built-in store.")];

const SPF_FACTS: &[Word] = &[
    Word::new("pass", "The client may send for the domain."),
    Word::new("fail", "It may not."),
    Word::new("softfail", "It probably may not."),
    Word::new("neutral", "The domain does not say."),
    Word::new("none", "The domain has no record."),
    Word::new("temperror", "DNS does not answer."),
    Word::new("permerror", "The record is wrong."),
];

const DKIM_FACTS: &[Word] = &[
    Word::new("pass", "One holds that is aligned with the From field."),
    Word::new("fail", "None does: there is none, or it is broken."),
];

const AUTHOR_POLICIES: &[Word] = &[
    Word::new("no-record", "It has none."),
    Word::new("none", "Nothing."),
    Word::new("quarantine", "To put aside what nobody vouches for."),
    Word::new("reject", "To refuse it."),
];

const DMARC_FACTS: &[Word] = &[
    Word::new("pass", "Somebody vouches for the author's domain."),
    Word::new("none", "It has no record."),
    Word::new("fail-none", "Nobody vouches, and it asks for nothing."),
    Word::new("fail-quarantine", "Nobody vouches, and it asks to put the mail aside."),
    Word::new("fail-reject", "Nobody vouches, and it asks to refuse the mail."),
    Word::new("temperror", "DNS does not answer."),
    Word::new("permerror", "The record is wrong."),
];

const ARC_FACTS: &[Word] = &[
    Word::new("vouched", "A chain that holds, and a sealer of `trust` says that the message was authentic."),
    Word::new("none", "No such chain."),
];

const SRS_FACTS: &[Word] = &[
    Word::new("good", "The site gave it to a message that it sent on."),
    Word::new("forged", "It did not."),
    Word::new("expired", "It did, more than three weeks ago."),
    Word::new("unknown", "The secrets cannot be read."),
];

const SPF_RESULTS: &[Word] =
    &[Word::new("pass", "It passes."), Word::new("fail", "It fails."), Word::new("none", "There is no record.")];

const DMARC_RESULTS: &[Word] =
    &[Word::new("aligned", "SPF or DKIM is aligned with the From field."), Word::new("unaligned", "Neither is.")];

/// `test`.
pub const TEST: NodeSpec = NodeSpec::new("test", "A promise of the site: one envelope and what must become of it. `postern test` runs them all.")
    .arguments(&[Argument::new("name", ValueType::Text, "What is promised, as a sentence.")])
    .children(&[
        NodeSpec::new("client", "Who sends: a stranger by address, or a user.")
            .arguments(&[Argument::new("address", ValueType::Ip, "Its address; without it, a stranger's.").optional()])
            .properties(&[
                PropertySpec::new("user", ValueType::Text, "The login name; without it, nobody has logged in."),
                PropertySpec::new(
                    "certificate",
                    ValueType::Fingerprint,
                    "The SHA-256 of the certificate that it has shown to hold, or of its public key.",
                ),
                PropertySpec::new(
                    "listener",
                    ValueType::Reference { kinds: &[Kind::Listener], words: &[] },
                    "The listener that it comes in by; without it, the first that fits.",
                ),
                PropertySpec::new("tls", ValueType::Word(SESSION_TLS), "Whether the session has TLS; without it, it has."),
                PropertySpec::new("helo", ValueType::Text, "What it says in EHLO; needed where the site looks at it."),
                PropertySpec::new(
                    "helo-domain",
                    ValueType::Word(SENDER_DOMAINS),
                    "What DNS says of the name in EHLO; needed where the site asks.",
                ),
                PropertySpec::new(
                    "greylist",
                    ValueType::Word(GREYLIST_FACTS),
                    "Where it stands with the greylist; needed where the site has one.",
                ),
                PropertySpec::new(
                    "waited",
                    ValueType::Duration,
                    "How long ago it came first with this sender and recipient: where it stands with the greylist follows from that.",
                )
                .instead_of("greylist"),
                PropertySpec::new(
                    "reputation",
                    ValueType::Word(REPUTATION_FACTS),
                    "What it did before; needed where the site keeps count.",
                ),
            ])
            .example("client \"198.51.100.99\""),
        NodeSpec::new("listed", "A list that knows the client. Where the site has lists and a test names none, it says `unlisted`.")
            .arguments(&[Argument::new("zone", ValueType::Domain, "The zone of the list.")])
            .properties(&[PropertySpec::new("code", ValueType::Code, "Its answer; without it, 127.0.0.2.")])
            .many()
            .example("listed \"zen.spamhaus.org\" code=\"127.0.0.4\""),
        NodeSpec::new("unlisted", "No list of the site knows the client.").arguments(&[Argument::flag()]).example("unlisted"),
        NodeSpec::new("from", "The envelope sender.")
            .arguments(&[Argument::new("address", ValueType::ReversePath, "A mail address; `\"\"` is the null path of bounces.")])
            .properties(&[
                PropertySpec::new(
                    "domain",
                    ValueType::Word(SENDER_DOMAINS),
                    "What DNS says of the sender's domain; needed where the site asks.",
                ),
                PropertySpec::new("spf", ValueType::Word(SPF_FACTS), "What its SPF check says; needed where the site refuses by it."),
                PropertySpec::new(
                    "dkim",
                    ValueType::Word(DKIM_FACTS),
                    "Whether a signature of the author's domain holds: with spf= and policy=, what DMARC comes to follows from that.",
                )
                .instead_of("dmarc"),
                PropertySpec::new(
                    "policy",
                    ValueType::Word(AUTHOR_POLICIES),
                    "What the DMARC record of the author's domain asks for; needed beside dkim=.",
                )
                .instead_of("dmarc"),
                PropertySpec::new("dmarc", ValueType::Word(DMARC_FACTS), "What DMARC comes to; needed where the site honours it."),
                PropertySpec::new("arc", ValueType::Word(ARC_FACTS), "What its ARC chain comes to; needed where DMARC fails and the site trusts sealers."),
                PropertySpec::new("requiretls", ValueType::Truth, "Whether the sender asks for TLS on every hop (RFC 8689); without it, no."),
                PropertySpec::new("author", ValueType::Domain, "The domain in the From field; without it, that of the sender."),
            ])
            .required()
            .example("from \"x@evil.example\""),
        NodeSpec::new("to", "The envelope recipient.")
            .arguments(&[Argument::new("address", ValueType::ForwardPath, "A mail address, or `postmaster`.")])
            .properties(&[PropertySpec::new(
                "srs",
                ValueType::Word(SRS_FACTS),
                "What the recipient is as a bounce address of forwarded mail; needed for one of the site's `srs`.",
            )])
            .required()
            .example("to \"victim@elsewhere.example\""),
        NodeSpec::new("expect", "What must become of it.")
            .arguments(&[Argument::new("disposition", ValueType::Word(DISPOSITIONS), "Whether it is taken.")])
            .properties(&[
                PropertySpec::new("reason", ValueType::Reason, "The one reason."),
                PropertySpec::new("reply", ValueType::Text, "How the reply to the client begins: its code, or code and enhanced status."),
                PropertySpec::new(
                    "via",
                    ValueType::Reference { kinds: &[Kind::Relay, Kind::Transport], words: BUILT_IN_WAYS },
                    "Where it goes next.",
                ),
                PropertySpec::new(
                    "sender",
                    ValueType::Text,
                    "The envelope sender that it goes on with; `srs` for one that leads its bounces back through this site.",
                ),
                PropertySpec::new("tls", ValueType::Word(super::egress::TLS_LEVELS), "The least protection on the way."),
                PropertySpec::new("signed-by", ValueType::Reference { kinds: &[Kind::Dkim], words: &[] }, "The DKIM key that signs."),
                PropertySpec::new("spf", ValueType::Word(SPF_RESULTS), "What the receiver's SPF check says, by the records of the site."),
                PropertySpec::new("dmarc", ValueType::Word(DMARC_RESULTS), "What the receiver's DMARC check says, by the records of the site and the keys that sign."),
            ])
            .children(&[NodeSpec::new("delivers-to", "The addresses that the mail ends at: these, and no others.")
                .arguments(&[Argument::new("addresses", ValueType::Mailbox, "A mail address.").repeating()])
                .example("delivers-to \"alice@example.com\" \"bob@elsewhere.example\"")])
            .required()
            .example("expect \"reject\" reason=\"relay-denied\""),
    ])
    .many()
    .example(
        "test \"strangers cannot relay\" {\n    client \"198.51.100.99\"\n    from \"x@evil.example\"\n    to \"victim@elsewhere.example\"\n    expect \"reject\" reason=\"relay-denied\"\n}",
    );
