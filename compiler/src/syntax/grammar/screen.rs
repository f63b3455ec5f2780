//! What is asked of a stranger before mail is taken: `screen`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{ValueType, Word};

const REQUIREMENTS: &[Word] = &[
    Word::new("sender-domain-exists", "The sender's domain has an MX or an address, and no null MX (RFC 7505)."),
    Word::new("fqdn-helo", "The client greets with a full host name, or with its address in brackets (RFC 5321 4.1.1.1)."),
    Word::new("resolvable-helo", "The host name that the client greets with has an address or an MX; refused for now where not."),
];

const EARLY: &[Word] = &[Word::new("reject", "Refuse."), Word::new("log", "Only say so in the log.")];

const REACTIONS: &[Word] = &[
    Word::new("reject", "Refuse."),
    Word::new("quarantine", "Set aside, as `quarantine` says."),
    Word::new("log", "Take it, and only say so in the log and in the header."),
];

const DMARC_REACTIONS: &[Word] = &[
    Word::new("honour", "What the domain in From asks for."),
    Word::new("reject", "Refuse, whatever that domain asks for."),
    Word::new("quarantine", "Set aside, as `quarantine` says, whatever that domain asks for."),
    Word::new("log", "Take it, and only say so in the log and in the header."),
];

const QUARANTINES: &[Word] = &[
    Word::new(
        "mark",
        "It is delivered with the field `X-Spam-Flag: YES`, by which filters of mailboxes file it; without `quarantine`, this.",
    ),
    Word::new("hold", "It stays in the queue, where nobody sees it but the operator, until `posternd queue release` lets it go."),
];

const PER: &[Word] =
    &[Word::new("ip", "For each address, of IPv6 for each /64; without it, this."), Word::new("network", "For each /24 or /64.")];

/// `screen`.
pub const SCREEN: NodeSpec = NodeSpec::new("screen", "What is asked of a stranger before mail is taken.")
    .children(&[
        NodeSpec::new("require", "What must be true of a client and its envelope.")
            .arguments(&[Argument::new("checks", ValueType::Word(REQUIREMENTS), "A requirement.").repeating()])
            .example("require \"sender-domain-exists\"")
            .postfix(&["smtpd_sender_restrictions", "smtpd_helo_restrictions"]),
        NodeSpec::new("greet-wait", "How long the greeting waits for a client that talks too early.")
            .arguments(&[Argument::new("time", ValueType::Duration, "The time.")])
            .example("greet-wait \"6s\"")
            .postfix(&["postscreen_greet_wait"]),
        NodeSpec::new("early-talker", "What becomes of a client that talks before the greeting.")
            .arguments(&[Argument::new("action", ValueType::Word(EARLY), "The action.")])
            .example("early-talker \"reject\"")
            .postfix(&["postscreen_greet_action"]),
        NodeSpec::new("dnsbl", "A DNS block list (RFC 5782), with a weight. All lists are asked when a stranger connects, for ten seconds at most; one that does not answer counts nothing.")
            .arguments(&[Argument::new("zone", ValueType::Domain, "The zone of the list.")])
            .properties(&[
                PropertySpec::new("weight", ValueType::Weight, "What a listing counts; without it, 1."),
                PropertySpec::new("codes", ValueType::Codes, "The answers that count; without it, every one that is no error."),
            ])
            .many()
            .example("dnsbl \"zen.spamhaus.org\" weight=3 codes=\"127.0.0.2-11\"")
            .postfix(&["postscreen_dnsbl_sites", "smtpd_client_restrictions"]),
        NodeSpec::new("dnswl", "A DNS list of welcome clients: they are not greylisted, and what block lists say of them counts less.")
            .arguments(&[Argument::new("zone", ValueType::Domain, "The zone of the list.")])
            .properties(&[
                PropertySpec::new("weight", ValueType::Weight, "What a listing counts, below 0; without it, -1."),
                PropertySpec::new("codes", ValueType::Codes, "The answers that count; without it, every one that is no error."),
            ])
            .many()
            .example("dnswl \"list.dnswl.org\" weight=-2")
            .postfix(&["postscreen_dnsbl_sites"]),
        NodeSpec::new("threshold", "The sum of weights at which a client is refused; without it, 1.")
            .arguments(&[Argument::new("sum", ValueType::Weight, "The sum.")])
            .example("threshold 3")
            .postfix(&["postscreen_dnsbl_threshold"]),
        NodeSpec::new("greylist", "Asks a client that was not here before with this sender and recipient to come back later (RFC 6647).")
            .properties(&[
                PropertySpec::new("after", ValueType::Duration, "How long they must wait; without it, 5m."),
                PropertySpec::new("remember", ValueType::Duration, "How long they stay known after their last message; without it, 35d."),
                PropertySpec::new("mask4", ValueType::Count { least: 8, most: 32 }, "The prefix that counts as one IPv4 client; without it, 24."),
                PropertySpec::new(
                    "mask6",
                    ValueType::Count { least: 16, most: 128 },
                    "The prefix that counts as one IPv6 client; without it, 64.",
                ),
                PropertySpec::new(
                    "enough",
                    ValueType::Count { least: 1, most: 1000 },
                    "Clients that have come back so often are asked no more; without it, 5.",
                ),
            ])
            .example("greylist after=\"5m\" remember=\"35d\" mask4=24 mask6=64")
            .postfix(&["check_policy_service"]),
        NodeSpec::new(
            "limit",
            "What one client may do at once, or in a time, unless it is logged in or in a network that may relay; without it, 50 connections for each address.",
        )
            .properties(&[
                PropertySpec::new("connections", ValueType::Count { least: 1, most: 100_000 }, "Connections at once.")
                    .postfix(&["smtpd_client_connection_count_limit"]),
                PropertySpec::new("new-connections", ValueType::Rate, "Connections in a time.")
                    .postfix(&["smtpd_client_connection_rate_limit"]),
                PropertySpec::new("messages", ValueType::Rate, "Messages in a time.")
                    .postfix(&["smtpd_client_message_rate_limit"]),
                PropertySpec::new("per", ValueType::Word(PER), "What counts as one client."),
            ])
            .one_of(&["connections", "new-connections", "messages"])
            .many()
            .example("limit connections=50 per=\"ip\"")
            .postfix(&[
                "smtpd_client_connection_count_limit",
                "smtpd_client_connection_rate_limit",
                "smtpd_client_message_rate_limit",
            ]),
        NodeSpec::new("reputation", "Points that a client collects by errors, unknown recipients and refused spam, and that fade; with too many of them its mail is refused for now.")
            .properties(&[
                PropertySpec::new("halflife", ValueType::Duration, "The time in which half of them fade.").required(),
                PropertySpec::new("limit", ValueType::Count { least: 1, most: 10_000 }, "How many are too many; without it, 20."),
            ])
            .example("reputation halflife=\"1h\" limit=20")
            .postfix(&["smtpd_hard_error_limit"]),
        NodeSpec::new("dmarc", "What other people's DMARC records are worth here (RFC 9989). With this or `spf`, every message of a stranger is judged, and its header says what was found.")
            .properties(&[
                PropertySpec::new("honour", ValueType::Truth, "Whether their policy is followed; `#false` only says what was found."),
                PropertySpec::new("fail", ValueType::Word(DMARC_REACTIONS), "What becomes of mail that fails."),
            ])
            .one_of(&["honour", "fail"])
            .example("dmarc honour=#true"),
        NodeSpec::new("spf", "What other people's SPF records are worth here.")
            .properties(&[
                PropertySpec::new("fail", ValueType::Word(REACTIONS), "What becomes of mail that fails.").required(),
                PropertySpec::new("header", ValueType::Truth, "Whether a Received-SPF field says what was found (RFC 7208 9.1); without it, no."),
            ])
            .example("spf fail=\"reject\"")
            .postfix(&["check_policy_service"]),
        NodeSpec::new("dkim", "How other people's DKIM signatures are read.")
            .properties(&[PropertySpec::new(
                "partial-body",
                ValueType::Truth,
                "Whether a signature counts that covers only the beginning of the text (`l=`): anybody may write on behind it. Without it, no.",
            )
            .required()])
            .example("dkim partial-body=#true"),
        NodeSpec::new("quarantine", "Where mail is put that is set aside.")
            .properties(&[
                PropertySpec::new("then", ValueType::Word(QUARANTINES), "What becomes of it."),
                PropertySpec::new("to", ValueType::Mailbox, "A mailbox of this site that gets it, instead of those whom it was for."),
            ])
            .one_of(&["then", "to"])
            .example("quarantine then=\"hold\"")
            .postfix(&["header_checks"]),
    ])
    .example("screen {\n    require \"sender-domain-exists\"\n}")
    .postfix(&["smtpd_sender_restrictions", "smtpd_helo_restrictions", "smtpd_client_restrictions", "postscreen_greet_action"]);
