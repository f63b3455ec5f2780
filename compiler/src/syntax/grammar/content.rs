//! What looks into mail or changes it: `policy`, `filter`, `content`, `rewrite`, `masquerade`, `srs`,
//! `archive`, `headers`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{Kind, ValueType, Word};

const STAGES: &[Word] = &[
    Word::new("connect", "When a client connects."),
    Word::new("helo", "At HELO or EHLO."),
    Word::new("mail", "At MAIL."),
    Word::new("rcpt", "At RCPT."),
    Word::new("data", "At DATA."),
    Word::new("end-of-data", "After the message."),
];

const FAILURES: &[Word] = &[
    Word::new("defer", "Ask to come back later."),
    Word::new("tempfail", "Ask to come back later."),
    Word::new("reject", "Refuse."),
    Word::new("accept", "Go on as if it had said yes."),
];

const ACTIONS: &[Word] = &[
    Word::new("reject", "Refuse."),
    Word::new("quarantine", "Put aside."),
    Word::new("discard", "Accept and drop."),
    Word::new("remove", "Take the header out."),
    Word::new("log", "Only say so in the log."),
];

const SERVICES: &[Word] = &[
    Word::new("mx", "Mail from other hosts."),
    Word::new("submission", "Mail from users."),
    Word::new("all", "All mail, that which a filter gives back as well."),
];

const ADDRESS_PLACES: &[Word] = &[
    Word::new("sender", "The envelope sender, and the fields From, Sender and Reply-To."),
    Word::new("recipient", "The envelope recipients, and the fields To and Cc."),
    Word::new("both", "All of these."),
    Word::new("envelope-sender", "The envelope sender alone."),
    Word::new("envelope-recipient", "The envelope recipients alone."),
    Word::new("header-from", "The From field alone."),
];

const STAGES_OF_REWRITING: &[Word] = &[
    Word::new("mx", "Mail from other hosts, as it comes in."),
    Word::new("submission", "Mail from users, as it comes in."),
    Word::new("all", "All mail, as it comes in."),
    Word::new("egress", "Mail that leaves for another site, and that alone."),
];

/// `policy`.
pub const POLICY: NodeSpec = NodeSpec::later("policy", "A policy service in Postfix's own protocol.")
    .arguments(&[
        Argument::name(Kind::Policy, "A name, unique among policy services."),
        Argument::new("service", ValueType::Endpoint, "Where it listens."),
    ])
    .properties(&[
        PropertySpec::new("at", ValueType::Word(STAGES), "When it is asked.").required(),
        PropertySpec::new("on-failure", ValueType::Word(FAILURES), "What happens when it does not answer; without it, `defer`."),
    ])
    .many()
    .example("policy \"postgrey\" \"inet:127.0.0.1:10023\" at=\"rcpt\" on-failure=\"defer\"")
    .postfix(&["check_policy_service"]);

/// `filter`.
pub const FILTER: NodeSpec =
    NodeSpec::later("filter", "A program that sees whole messages: a milter, or an SMTP proxy that hands them back.")
        .arguments(&[Argument::name(Kind::Filter, "A name, unique among filters.")])
        .properties(&[
            PropertySpec::new("milter", ValueType::Endpoint, "Where the milter listens.")
                .postfix(&["smtpd_milters", "non_smtpd_milters"]),
            PropertySpec::new("smtp", ValueType::Endpoint, "Where the SMTP filter listens.")
                .postfix(&["content_filter", "smtpd_proxy_filter"]),
            PropertySpec::new(
                "returns",
                ValueType::Reference { kinds: &[Kind::Listener], words: &[] },
                "The listener that the mail comes back to.",
            ),
            PropertySpec::new(
                "on-failure",
                ValueType::Word(FAILURES),
                "What happens when it does not answer; without it, `tempfail`.",
            )
            .postfix(&["milter_default_action"]),
            PropertySpec::new("timeout", ValueType::Duration, "How long it may take; without it, five minutes.")
                .postfix(&["milter_content_timeout"]),
            PropertySpec::new("signs-dkim", ValueType::Truth, "It signs what leaves, so that nothing may leave without it."),
        ])
        .children(&[NodeSpec::new("applies", "Which mail it sees; without it, what comes from other hosts and from users.")
            .arguments(&[Argument::new(
                "services",
                ValueType::Reference { kinds: &[Kind::Listener], words: SERVICES },
                "A service, or a listener by name.",
            )
            .repeating()])
            .example("applies \"mx\" \"submission\"")])
        .one_of(&["milter", "smtp"])
        .many()
        .example("filter \"rspamd\" milter=\"inet:127.0.0.1:11332\" on-failure=\"tempfail\" timeout=\"60s\"")
        .postfix(&["smtpd_milters", "non_smtpd_milters", "content_filter", "smtpd_proxy_filter"]);

/// `content`.
pub const CONTENT: NodeSpec = NodeSpec::later("content", "Checks on what a message says.")
    .children(&[
        NodeSpec::new("header", "A check on a header field.")
            .arguments(&[Argument::new("field", ValueType::Text, "The name of the field.")])
            .properties(&[
                PropertySpec::new("matches", ValueType::Pattern, "A regular expression over its value.").required(),
                PropertySpec::new("then", ValueType::Word(ACTIONS), "What happens.").required(),
                PropertySpec::new("reason", ValueType::Text, "What the client is told."),
            ])
            .many()
            .example("header \"Subject\" matches=#\"(?i)^\\[spam\\]\"# then=\"quarantine\"")
            .postfix(&["header_checks"]),
        NodeSpec::new("body", "A check on each line of the text.")
            .properties(&[
                PropertySpec::new("matches", ValueType::Pattern, "A regular expression over a line.").required(),
                PropertySpec::new("then", ValueType::Word(ACTIONS), "What happens.").required(),
                PropertySpec::new("reason", ValueType::Text, "What the client is told."),
            ])
            .many()
            .example("body matches=\"cheap watches\" then=\"reject\" reason=\"no watches\"")
            .postfix(&["body_checks"]),
        NodeSpec::new("attachment", "A check on attached files.")
            .arguments(&[Argument::new("extensions", ValueType::Text, "The end of a file name, without its dot.").repeating()])
            .properties(&[
                PropertySpec::new("encrypted-zip", ValueType::Truth, "Archives that cannot be looked into as well."),
                PropertySpec::new("then", ValueType::Word(ACTIONS), "What happens.").required(),
            ])
            .many()
            .example("attachment \"exe\" \"scr\" \"js\" then=\"reject\"")
            .postfix(&["mime_header_checks"]),
    ])
    .example("content {\n    body matches=\"cheap watches\" then=\"reject\"\n}")
    .postfix(&["header_checks", "body_checks", "mime_header_checks", "nested_header_checks"]);

/// `rewrite`.
pub const REWRITE: NodeSpec = NodeSpec::new(
    "rewrite",
    "Replaces one address by another, in the envelope and in the header; headers of mail from strangers stay as they are. An address \
     goes before a whole domain; of equal ones the first counts. What was replaced is not looked at again.",
)
.arguments(&[
    Argument::new("place", ValueType::Word(ADDRESS_PLACES), "Which addresses of a message."),
    Argument::new(
        "from",
        ValueType::Text,
        "What is replaced: a mail address, a local part of the `origin`, or `@example.com` for all of a domain.",
    ),
    Argument::new("to", ValueType::Text, "What takes its place: a mail address, or `@example.com` for the same local part there."),
])
.properties(&[PropertySpec::new("at", ValueType::Word(STAGES_OF_REWRITING), "When, and in which mail; without it, `all`.")
    .postfix(&["smtp_generic_maps", "local_header_rewrite_clients"])])
.many()
.example("rewrite \"sender\" \"webuser\" \"noreply@example.com\" at=\"submission\"")
.postfix(&["canonical_maps", "sender_canonical_maps", "recipient_canonical_maps", "canonical_classes", "smtp_generic_maps"]);

/// `masquerade`.
pub const MASQUERADE: NodeSpec = NodeSpec::new(
    "masquerade",
    "Hides the hosts of a domain: `alice@host.example.com` becomes `alice@example.com`, in the envelope sender and in the header of mail \
     from our own clients. Domains that the site declares stay.",
)
.arguments(&[Argument::new("domains", ValueType::Domain, "A domain whose hosts are hidden.").repeating()])
.children(&[NodeSpec::new("except", "Local parts that keep their host.")
    .arguments(&[Argument::new("local-parts", ValueType::LocalPart, "A local part.").repeating()])
    .example("except \"root\"")
    .postfix(&["masquerade_exceptions"])])
.many()
.example("masquerade \"example.com\" {\n    except \"root\"\n}")
.postfix(&["masquerade_domains", "masquerade_classes", "masquerade_exceptions"]);

/// `srs`.
pub const SRS: NodeSpec = NodeSpec::new(
    "srs",
    "The Sender Rewriting Scheme: under which domain `forward` sends mail on, and what signs its addresses, so that their bounces come \
     back to the sender for three weeks and nothing else does.",
)
.properties(&[
    PropertySpec::new(
        "domain",
        ValueType::Domain,
        "A domain of this site, whose SPF record names what mail leaves by; without it, the `origin`.",
    ),
    PropertySpec::new(
        "secret",
        ValueType::Secret,
        "The credential: secrets of 16 octets and more, one a line. The first signs, all verify, so a new one is put first and the \
         old one removed three weeks later.",
    )
    .required(),
])
.example("srs domain=\"example.com\" secret=\"srs\"")
.postfix(&["sender_canonical_maps", "recipient_canonical_maps"]);

/// `arc`.
pub const ARC: NodeSpec = NodeSpec::new(
    "arc",
    "Authenticated Received Chains (RFC 8617): what those who send mail on found out before they changed it.",
)
.children(&[
    NodeSpec::new(
        "trust",
        "Hosts whose word excuses a DMARC failure: a chain that holds, sealed by these alone from the newest seal back to one that \
         says that the message was authentic.",
    )
    .arguments(&[Argument::new("sealers", ValueType::Domain, "The domain that seals (`d=`).").repeating()])
    .example("trust \"lists.example.org\""),
    NodeSpec::new("seal", "Seals mail of strangers that is sent on, with the active key of a domain of this site.")
        .arguments(&[Argument::new("domain", ValueType::Domain, "The domain.")])
        .example("seal \"example.com\""),
])
.example("arc {\n    trust \"lists.example.org\"\n    seal \"example.com\"\n}");

/// `archive`.
pub const ARCHIVE: NodeSpec = NodeSpec::new(
    "archive",
    "A copy of mail to somebody who keeps it, beside its recipients. Whoever gets it anyhow gets no second.",
)
.properties(&[
    PropertySpec::new("to", ValueType::Mailbox, "Who gets the copy.").required(),
    PropertySpec::new(
        "when",
        ValueType::Text,
        "Which mail: `from:` or `to:` with a mail address, a domain, or `.domain` for all below it; without it, all.",
    ),
])
.many()
.example("archive to=\"archive@example.com\" when=\"from:example.com\"")
.postfix(&["always_bcc", "sender_bcc_maps", "recipient_bcc_maps"]);

/// `headers`.
pub const HEADERS: NodeSpec =
    NodeSpec::new("headers", "Header fields that are added or taken out as mail comes in; what goes goes first.")
        .properties(&[
            PropertySpec::new("add", ValueType::Text, "A whole field: `X-Site: example`."),
            PropertySpec::new("remove", ValueType::Text, "The name of a field."),
            PropertySpec::new("at", ValueType::Word(SERVICES), "Which mail; without it, all."),
        ])
        .many()
        .example("headers add=\"X-Site: example\" remove=\"X-Originating-IP\" at=\"submission\"")
        .postfix(&["header_checks", "smtp_header_checks"]);
