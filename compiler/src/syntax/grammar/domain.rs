//! The domains of a site and everything in them: `domain`, `parked`.

use super::publication::{AUTOCONFIG, BIMI, CAA, DANE, DKIM, DMARC, MTA_STS, SPF, TLS_REPORT, WILDCARD};
use super::spec::{Argument, NodeSpec, PropertySpec};
use super::table::{ALIASES, MAILBOXES, RECIPIENTS};
use super::value_type::{Kind, ValueType, Word};

const CLASSES: &[Word] =
    &[Word::new("local", "Mailboxes and aliases here."), Word::new("relay", "Mail is taken on behalf of another host.")];

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
        PropertySpec::new(
            "via",
            ValueType::Reference { kinds: &[Kind::Transport, Kind::Relay], words: &[] },
            "Where mail of a relay domain goes; without it, where the routes lead, and this host is one more MX of the domain.",
        )
        .postfix(&["relay_transport", "transport_maps"]),
    ])
    .children(&[
        MAILBOX, MAILBOXES, ALIAS, ALIASES, PATTERN, CATCH_ALL, FORWARD, LIST, DELIMITER, DELIVER, RECIPIENTS, DKIM, SPF, DMARC,
        MTA_STS, TLS_REPORT, DANE, CAA, AUTOCONFIG, BIMI, WILDCARD,
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
.properties(&[PropertySpec::new(
    "wildcard",
    ValueType::Truth,
    "Whether names below them that do not exist say the same (RFC 4592); nothing else may have a wildcard there then.",
)])
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

const ALIAS: NodeSpec = NodeSpec::new("alias", "An address whose mail goes to others instead.")
    .arguments(&[
        ADDRESS,
        Argument::new("targets", ValueType::Address, "A local part of the same domain, or a whole mail address.").repeating(),
    ])
    .many()
    .example("alias \"info\" \"alice\" \"bob@elsewhere.example\"")
    .postfix(&["virtual_alias_maps", "alias_maps", "alias_database"]);

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

const FORWARD: NodeSpec = NodeSpec::new(
    "forward",
    "An address whose mail goes on to another site, in the name of whoever wrote it. A message that comes round again is refused.",
)
    .arguments(&[ADDRESS, Argument::new("targets", ValueType::Mailbox, "A mail address elsewhere.").repeating()])
    .properties(&[
        PropertySpec::new(
            "srs",
            ValueType::Truth,
            "Gives the mail an envelope sender of this site (see `srs`), so that SPF passes there; a sender in a domain of the site, \
             and the null path, stay as they are. The From field is not touched.",
        ),
        PropertySpec::new("keep-copy", ValueType::Truth, "Keeps a copy in a mailbox of that name, which needs no `mailbox` then."),
    ])
    .many()
    .example("forward \"carol\" \"carol@elsewhere.example\" srs=#true keep-copy=#true")
    .postfix(&["virtual_alias_maps", "sender_canonical_maps", "recipient_canonical_maps"]);

const LIST: NodeSpec = NodeSpec::new(
    "list",
    "A mailing list, which a list manager keeps: its address, and the same with `-bounces`, `-confirm`, `-join`, `-leave`, `-owner`, \
     `-request`, `-subscribe` and `-unsubscribe`, each with whatever stands behind a `+`.",
)
    .arguments(&[ADDRESS])
    .properties(&[PropertySpec::new(
        "via",
        ValueType::Reference { kinds: &[Kind::Transport], words: &[] },
        "The transport to the list manager.",
    )
    .required()])
    .many()
    .example("list \"dev\" via=\"mailman\"")
    .postfix(&["local_recipient_maps", "transport_maps"]);

const DELIMITER: NodeSpec = NodeSpec::new(
    "delimiter",
    "What divides a user from a detail, as in `alice+news`; without it, `+` does. `delimiter #false` switches it off.",
)
.arguments(&[Argument::new("character", ValueType::Delimiter, "One character, usually `+`; `#false`: nothing divides.")])
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
