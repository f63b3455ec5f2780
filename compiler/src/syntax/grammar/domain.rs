//! The domains of a site and everything in them: `domain`, `parked`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{Kind, ValueType, Word};

const CLASSES: &[Word] =
    &[Word::new("local", "Mailboxes and aliases here."), Word::later("relay", "Mail is taken on behalf of another host.")];

/// `domain`.
pub const DOMAIN: NodeSpec = NodeSpec::new("domain", "One or more domains that mail is taken for, all with the same recipients.")
    .arguments(&[Argument::new("names", ValueType::Domain, "A domain, in either form of an internationalised name.")
        .repeating()
        .declares(Kind::Domain)])
    .properties(&[
        PropertySpec::new(
            "alias-of",
            ValueType::Reference { kinds: &[Kind::Domain], words: &[] },
            "Another domain of this site: every address has its counterpart there.",
        )
        .postfix(&["virtual_alias_domains"]),
        PropertySpec::new("class", ValueType::Word(CLASSES), "The address class; without it, `local`."),
        PropertySpec::later(
            "via",
            ValueType::Reference { kinds: &[Kind::Transport, Kind::Relay], words: &[] },
            "Where mail of a relay domain goes.",
        ),
    ])
    .children(&[
        MAILBOX, MAILBOXES, ALIAS, ALIASES, PATTERN, CATCH_ALL, FORWARD, LIST, DELIMITER, DELIVER, RECIPIENTS, DKIM, SPF, DMARC,
        MTA_STS, TLS_REPORT, DANE, CAA, AUTOCONFIG, BIMI,
    ])
    .many()
    .example("domain \"example.com\" {\n    mailbox \"alice\"\n    alias \"info\" \"alice\"\n}")
    .postfix(&["mydestination", "virtual_mailbox_domains", "virtual_alias_domains", "relay_domains"]);

/// `parked`.
pub const PARKED: NodeSpec = NodeSpec::new(
    "parked",
    "Domains that neither take nor send mail: a null MX (RFC 7505), `v=spf1 -all`, DMARC reject, and no DKIM key.",
)
.arguments(&[Argument::new("names", ValueType::Domain, "A domain.").repeating().declares(Kind::Domain)])
.many()
.example("parked \"example.net\" \"example.org\"");

const ADDRESS: Argument =
    Argument::new("local-part", ValueType::LocalPart, "What stands before the `@`.").declares(Kind::Address);

const MAILBOX: NodeSpec = NodeSpec::new("mailbox", "A mailbox: mail for it is kept here.")
    .arguments(&[ADDRESS])
    .properties(&[PropertySpec::new("quota", ValueType::Size, "The most that it holds; without it, no limit of its own.")
        .postfix(&["virtual_mailbox_limit", "mailbox_size_limit"])])
    .many()
    .example("mailbox \"alice\" quota=\"2GiB\"")
    .postfix(&["virtual_mailbox_maps", "local_recipient_maps"]);

const MAILBOXES: NodeSpec = NodeSpec::later("mailboxes", "Mailboxes from a table: CSV or TSV, or a Maildir user list.")
    .properties(&[PropertySpec::new("file", ValueType::Path, "The table.").required()])
    .many()
    .example("mailboxes file=\"mailboxes.csv\"")
    .postfix(&["virtual_mailbox_maps"]);

const ALIAS: NodeSpec = NodeSpec::new("alias", "An address whose mail goes to others instead.")
    .arguments(&[
        ADDRESS,
        Argument::new("targets", ValueType::Address, "A local part of the same domain, or a whole mail address.").repeating(),
    ])
    .many()
    .example("alias \"info\" \"alice\" \"bob@elsewhere.example\"")
    .postfix(&["virtual_alias_maps", "alias_maps", "alias_database"]);

const ALIASES: NodeSpec = NodeSpec::later("aliases", "Aliases from a table: CSV, TSV, `aliases(5)` or `virtual(5)`.")
    .properties(&[PropertySpec::new("file", ValueType::Path, "The table.").required()])
    .many()
    .example("aliases file=\"aliases\"")
    .postfix(&["alias_maps", "alias_database", "virtual_alias_maps"]);

const PATTERN: NodeSpec = NodeSpec::new("pattern", "Rewrites unknown local parts; the first that matches wins.")
    .arguments(&[
        Argument::new("expression", ValueType::Pattern, "A regular expression over the local part in lower case."),
        Argument::new("target", ValueType::Template, "The address that results; `{1}` to `{9}` stand for groups."),
    ])
    .many()
    .example("pattern #\"^sales-(\\w+)$\"# \"sales+{1}@example.com\"")
    .postfix(&["virtual_alias_maps"]);

const CATCH_ALL: NodeSpec = NodeSpec::new("catch-all", "Who gets mail for an unknown local part.")
    .arguments(&[Argument::new("target", ValueType::Address, "A local part of the same domain, or a whole mail address.")])
    .example("catch-all \"alice\"")
    .postfix(&["luser_relay", "virtual_alias_maps"]);

const FORWARD: NodeSpec = NodeSpec::later("forward", "An address whose mail goes to another site.")
    .arguments(&[ADDRESS, Argument::new("targets", ValueType::Mailbox, "A mail address elsewhere.").repeating()])
    .properties(&[
        PropertySpec::new("srs", ValueType::Truth, "Rewrites the envelope sender, so that SPF passes there."),
        PropertySpec::new("keep-copy", ValueType::Truth, "Keeps a copy in the mailbox of that name."),
    ])
    .many()
    .example("forward \"carol\" \"carol@elsewhere.example\" srs=#true keep-copy=#true")
    .postfix(&["virtual_alias_maps", "sender_canonical_maps"]);

const LIST: NodeSpec = NodeSpec::later("list", "A mailing list, with its -request, -bounces and the like.")
    .arguments(&[ADDRESS])
    .properties(&[PropertySpec::new(
        "via",
        ValueType::Reference { kinds: &[Kind::Transport], words: &[] },
        "The transport to the list manager.",
    )
    .required()])
    .many()
    .example("list \"dev\" via=\"mailman\"");

const DELIMITER: NodeSpec =
    NodeSpec::new("delimiter", "What divides a user from a detail, as in `alice+news`; without it, `+` does.")
        .arguments(&[Argument::new("character", ValueType::Character, "One character, usually `+`.")])
        .example("delimiter \"+\"")
        .postfix(&["recipient_delimiter"]);

const DELIVER: NodeSpec =
    NodeSpec::new("deliver", "The transport that takes mail for the mailboxes; without it, the built-in `store`.")
        .arguments(&[Argument::new(
            "transport",
            ValueType::Reference { kinds: &[Kind::Transport], words: &[] },
            "The name of a `transport`.",
        )])
        .example("deliver \"store\"")
        .postfix(&["virtual_transport", "local_transport", "mailbox_transport", "mailbox_command", "home_mailbox"]);

const RECIPIENTS: NodeSpec = NodeSpec::later("recipients", "The recipients of a relay domain, from a table.")
    .properties(&[PropertySpec::new("file", ValueType::Path, "The table.").required()])
    .many()
    .example("recipients file=\"lists.csv\"")
    .postfix(&["relay_recipient_maps"]);

const DKIM_ALGORITHMS: &[Word] = &[
    Word::new("rsa-sha256", "RSA, understood everywhere (RFC 6376)."),
    Word::new("ed25519-sha256", "Ed25519, short and quick (RFC 8463)."),
];

const DKIM_STATES: &[Word] = &[
    Word::new("publish", "In DNS, but not signing yet."),
    Word::new("active", "In DNS and signing."),
    Word::new("retire", "Not signing any more, still in DNS for mail under way."),
    Word::new("revoke", "In DNS with an empty key."),
];

const DKIM: NodeSpec =
    NodeSpec::later("dkim", "A DKIM key: its public half goes to DNS, its private half stays a secret (RFC 6376).")
        .arguments(&[Argument::new("selector", ValueType::Name, "The selector.").declares(Kind::Dkim)])
        .properties(&[
            PropertySpec::new("algorithm", ValueType::Word(DKIM_ALGORITHMS), "The algorithm.").required(),
            PropertySpec::new("public-key", ValueType::Path, "A file with the public key, in PEM.").required(),
            PropertySpec::new("key-secret", ValueType::Secret, "The credential that holds the private key."),
            PropertySpec::new("state", ValueType::Word(DKIM_STATES), "Where in its life it is; without it, `active`."),
        ])
        .many()
        .example(
            "dkim \"2026a\" algorithm=\"rsa-sha256\" public-key=\"dkim/2026a.pub\" key-secret=\"dkim-2026a\" state=\"active\"",
        )
        .postfix(&["smtpd_milters", "non_smtpd_milters"]);

const SPF_ALL: &[Word] = &[Word::new("fail", "`-all`."), Word::new("softfail", "`~all`."), Word::new("neutral", "`?all`.")];

const SPF: NodeSpec = NodeSpec::later("spf", "The SPF record (RFC 7208); the site's own egress is always in it.")
    .children(&[
        NodeSpec::new("include", "Another domain's record.")
            .arguments(&[Argument::new("domain", ValueType::Domain, "The domain.")])
            .many()
            .example("include \"_spf.partner.example\""),
        NodeSpec::new("all", "What becomes of everybody else; without it, `fail`.")
            .arguments(&[Argument::new("result", ValueType::Word(SPF_ALL), "The result.")])
            .example("all \"softfail\""),
    ])
    .example("spf {\n    include \"_spf.partner.example\"\n    all \"softfail\"\n}");

const DMARC_POLICIES: &[Word] = &[
    Word::new("none", "Report only."),
    Word::new("quarantine", "Put aside what fails."),
    Word::new("reject", "Refuse what fails."),
];

const DMARC: NodeSpec = NodeSpec::later("dmarc", "The DMARC record (RFC 9989).")
    .properties(&[
        PropertySpec::new("policy", ValueType::Word(DMARC_POLICIES), "For the domain itself.").required(),
        PropertySpec::new("subdomains", ValueType::Word(DMARC_POLICIES), "For what lies below it."),
        PropertySpec::new("nonexistent", ValueType::Word(DMARC_POLICIES), "For names below it that do not exist."),
        PropertySpec::new("testing", ValueType::Truth, "Asks receivers to be one step milder."),
        PropertySpec::new("reports", ValueType::Url, "Where aggregate reports go: `mailto:` and an address."),
    ])
    .example("dmarc policy=\"quarantine\" subdomains=\"reject\" nonexistent=\"reject\" reports=\"mailto:dmarc@example.com\"");

const STS_MODES: &[Word] = &[
    Word::new("none", "Withdrawn."),
    Word::new("testing", "Report only."),
    Word::new("enforce", "Refuse to deliver without TLS."),
];

const MTA_STS: NodeSpec = NodeSpec::later("mta-sts", "The MTA-STS policy (RFC 8461).")
    .properties(&[
        PropertySpec::new("mode", ValueType::Word(STS_MODES), "How strict it is.").required(),
        PropertySpec::new("max-age", ValueType::Duration, "How long others may keep it; without it, four weeks."),
    ])
    .example("mta-sts mode=\"testing\" max-age=\"4w\"");

const TLS_REPORT: NodeSpec = NodeSpec::later("tls-report", "Where reports on TLS failures go (RFC 8460).")
    .arguments(&[Argument::new("addresses", ValueType::Url, "`mailto:` and an address, or a web address.").repeating()])
    .example("tls-report \"mailto:tls@example.com\"");

const DANE: NodeSpec = NodeSpec::later("dane", "TLSA records for the hosts that take mail (RFC 7672).")
    .arguments(&[Argument::flag()])
    .example("dane");

const CAA: NodeSpec = NodeSpec::later("caa", "Which authorities may issue certificates (RFC 8659).")
    .properties(&[
        PropertySpec::new("issuer", ValueType::Domain, "The authority's domain.").required(),
        PropertySpec::new("account", ValueType::Url, "The account that may ask (RFC 8657)."),
    ])
    .many()
    .example("caa issuer=\"letsencrypt.org\"");

const AUTOCONFIG: NodeSpec = NodeSpec::later("autoconfig", "Records that tell mail programs where to log in (RFC 6186).")
    .arguments(&[Argument::flag()])
    .example("autoconfig");

const BIMI: NodeSpec = NodeSpec::later("bimi", "The logo that mail programs may show.")
    .properties(&[
        PropertySpec::new("logo", ValueType::Url, "The logo, in SVG.").required(),
        PropertySpec::new("certificate", ValueType::Url, "The mark certificate."),
    ])
    .example("bimi logo=\"https://example.com/logo.svg\"");
