//! How mail goes on: `transport`, `relay`, `route`, `destination`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{Kind, ValueType, Word};

/// The levels of TLS towards a peer.
pub(super) const TLS_LEVELS: &[Word] = &[
    Word::new("none", "Never."),
    Word::new("may", "If the peer offers it; plaintext otherwise (RFC 7435)."),
    Word::new("published", "As the receiver asks for: DANE (RFC 7672), else MTA-STS (RFC 8461), else as `may`."),
    Word::new("encrypt", "Always, with whatever certificate."),
    Word::new("verify", "Always, with a certificate that a public authority signed for the name that we connect to."),
    Word::new("dane-or-verify", "By DANE where the peer has it, by authority elsewhere."),
    Word::new("dane", "Always, with a certificate that DNSSEC vouches for (RFC 7672); mail waits where there is none."),
];

/// `transport`.
pub const TRANSPORT: NodeSpec = NodeSpec::new("transport", "A named way to hand mail over to mailboxes or programs.")
    .arguments(&[Argument::name(Kind::Transport, "A name, unique among transports.")])
    .properties(&[
        PropertySpec::new(
            "maildir",
            ValueType::PathTemplate,
            "A Maildir for each mailbox. `{domain}` and `{user}` are filled in; a relative path lies in the state folder.",
        )
        .postfix(&["virtual_mailbox_base", "home_mailbox", "mail_spool_directory"]),
        PropertySpec::new("lmtp", ValueType::Endpoint, "An LMTP server (RFC 2033), which answers for each recipient."),
        PropertySpec::new("smtp", ValueType::Host, "A mail server further inside.").postfix(&["relay_transport"]),
        PropertySpec::new(
            "pipe",
            ValueType::Path,
            "A program that reads the message, started once for each recipient; no shell is involved. Its environment says who \
             the message is from and for, and its exit status what became of it.",
        ),
        PropertySpec::new(
            "discard",
            ValueType::Text,
            "Mail counts as delivered and is forgotten; the text says why, in the log.",
        ),
        PropertySpec::new("fail", ValueType::Text, "Mail goes back to its sender; the text tells them why."),
        PropertySpec::new("port", ValueType::Port, "The port of the mail server; without it, 25.").beside("smtp"),
        PropertySpec::new("mx", ValueType::Truth, "Whether the MX of the name is looked up; without it, its addresses are.")
            .beside("smtp"),
        PropertySpec::new("tls", ValueType::Word(TLS_LEVELS), "The least protection towards the mail server; without it, `may`.")
            .beside("smtp"),
        PropertySpec::new("user", ValueType::Text, "The system user that the program runs as; without it, `nobody`.")
            .beside("pipe"),
    ])
    .one_of(&["maildir", "lmtp", "smtp", "pipe", "discard", "fail"])
    .many()
    .example("transport \"store\" maildir=\"/var/mail/{domain}/{user}\"")
    .postfix(&["virtual_transport", "mailbox_transport", "local_transport", "home_mailbox", "virtual_mailbox_base"]);

/// `relay`.
pub const RELAY: NodeSpec = NodeSpec::new("relay", "A named host that carries mail onward; a `route` leads to it.")
    .arguments(&[Argument::name(Kind::Relay, "A name, unique among relays.")])
    .properties(&[
        PropertySpec::new("host", ValueType::Host, "The host; its addresses are looked up, never its MX.").required(),
        PropertySpec::new("port", ValueType::Port, "The TCP port; without it, 25."),
    ])
    .children(&[
        NodeSpec::new("tls", "The least protection that a session must have; without it, `verify` if there is a login, else `may`.")
            .arguments(&[Argument::new("level", ValueType::Word(TLS_LEVELS), "The level.")])
            .example("tls \"verify\"")
            .postfix(&["smtp_tls_security_level"]),
        NodeSpec::new("login", "How this site logs in there.")
            .arguments(&[Argument::new("user", ValueType::Text, "The user name.")])
            .properties(&[
                PropertySpec::new("secret", ValueType::Secret, "The credential that holds the password.").required(),
                PropertySpec::new(
                    "bearer",
                    ValueType::Truth,
                    "Whether the credential is an access token (RFC 6750) that something else keeps fresh. It is said by XOAUTH2 or \
                     OAUTHBEARER; it is read anew for each connection.",
                ),
            ])
            .example("login \"mail@example.com\" secret=\"ses\"")
            .postfix(&["smtp_sasl_auth_enable", "smtp_sasl_password_maps"]),
        NodeSpec::new("spf-include", "The SPF record that names the relay's addresses.")
            .arguments(&[Argument::new("domain", ValueType::Domain, "The domain of the record.")])
            .many()
            .example("spf-include \"amazonses.com\""),
        NodeSpec::new("rate", "The most messages that it is given in a time, evenly spread.")
            .arguments(&[Argument::new("rate", ValueType::Rate, "The rate.")])
            .example("rate \"14/s\"")
            .postfix(&["smtp_destination_rate_delay"]),
        NodeSpec::new("signs-dkim", "The relay signs with DKIM itself.").arguments(&[Argument::flag()]).example("signs-dkim"),
        NodeSpec::new("backup", "The relay that takes over while this one cannot be reached, with at least the same protection.")
            .arguments(&[Argument::new("relay", ValueType::Reference { kinds: &[Kind::Relay], words: &[] }, "Its name.")])
            .example("backup \"second-relay\"")
            .postfix(&["smtp_fallback_relay"]),
    ])
    .many()
    .example("relay \"ses\" host=\"email-smtp.eu-west-1.amazonaws.com\" port=587 {\n    tls \"verify\"\n    login \"AKIAEXAMPLE\" secret=\"ses\"\n}")
    .postfix(&["relayhost", "smtp_sasl_password_maps", "smtp_sasl_auth_enable", "smtp_tls_security_level"]);

const DIRECT: &[Word] = &[Word::new("direct", "To the MX hosts of the recipient's domain (RFC 5321 5.1).")];

/// `route`.
pub const ROUTE: NodeSpec = NodeSpec::new("route", "Where mail for elsewhere goes; the first that matches wins.")
    .properties(&[
        PropertySpec::new("to", ValueType::Selection, "Which recipients it is for; without it, all.")
            .postfix(&["transport_maps"]),
        PropertySpec::new("from", ValueType::Selection, "Which senders it is for; without it, all.")
            .postfix(&["sender_dependent_relayhost_maps"]),
        PropertySpec::new("via", ValueType::Reference { kinds: &[Kind::Relay], words: DIRECT }, "A relay, or `direct`.")
            .required()
            .postfix(&["relayhost", "transport_maps"]),
        PropertySpec::new(
            "tls",
            ValueType::Word(TLS_LEVELS),
            "The least protection; without it, the relay's own, or `published` for `direct`.",
        )
        .postfix(&["smtp_tls_policy_maps", "smtp_tls_security_level"]),
        PropertySpec::new("from-address", ValueType::Ip, "The local address that connections leave from.")
            .postfix(&["smtp_bind_address"]),
        PropertySpec::new("from-address6", ValueType::Ip, "The one of the other family, where hosts may be reached by both.")
            .postfix(&["smtp_bind_address6"]),
    ])
    .many()
    .example("route to=\"*\" via=\"ses\"")
    .postfix(&["transport_maps", "sender_dependent_relayhost_maps", "relayhost", "default_transport"]);

/// `destination`.
pub const DESTINATION: NodeSpec =
    NodeSpec::new("destination", "How gently one receiver is treated; it holds for mail that goes there directly.")
        .arguments(&[Argument::new("domain", ValueType::Domain, "The receiver's domain.")])
        .properties(&[
            PropertySpec::new(
                "concurrency",
                ValueType::Count { least: 1, most: 1000 },
                "The most connections at once; without it, 20. Fewer are made while the receiver has trouble with them.",
            )
            .postfix(&["default_destination_concurrency_limit", "smtp_destination_concurrency_limit"]),
            PropertySpec::new("rate", ValueType::Rate, "The most messages in a time, evenly spread.")
                .postfix(&["smtp_destination_rate_delay"]),
            PropertySpec::new("pause-after-defer", ValueType::Duration, "How long it is left alone after it said not now."),
        ])
        .many()
        .example("destination \"gmail.com\" concurrency=10 rate=\"20/s\" pause-after-defer=\"30s\"")
        .postfix(&["default_destination_concurrency_limit", "default_destination_rate_delay"]);
