//! What is asked of a stranger before mail is taken: `screen`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{ValueType, Word};

const REQUIREMENTS: &[Word] = &[
    Word::new("sender-domain-exists", "The sender's domain has an MX or an address, and no null MX (RFC 7505)."),
    Word::later("fqdn-helo", "The client greets with a full host name."),
];

const REACTIONS: &[Word] = &[Word::new("reject", "Refuse."), Word::new("log", "Only say so in the log.")];

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
            .arguments(&[Argument::new("action", ValueType::Word(REACTIONS), "The action.")])
            .example("early-talker \"reject\"")
            .postfix(&["postscreen_greet_action"]),
        NodeSpec::later("dnsbl", "A DNS block list, with a weight.")
            .arguments(&[Argument::new("zone", ValueType::Domain, "The zone of the list.")])
            .properties(&[
                PropertySpec::new("weight", ValueType::Weight, "What a listing counts; without it, 1."),
                PropertySpec::new("codes", ValueType::Text, "The answers that count: `127.0.0.2-11`."),
            ])
            .many()
            .example("dnsbl \"zen.spamhaus.org\" weight=3 codes=\"127.0.0.2-11\"")
            .postfix(&["postscreen_dnsbl_sites", "smtpd_client_restrictions"]),
        NodeSpec::later("dnswl", "A DNS list of welcome clients.")
            .arguments(&[Argument::new("zone", ValueType::Domain, "The zone of the list.")])
            .properties(&[PropertySpec::new("weight", ValueType::Weight, "What a listing counts; without it, -1.")])
            .many()
            .example("dnswl \"list.dnswl.org\" weight=-2")
            .postfix(&["postscreen_dnsbl_sites"]),
        NodeSpec::later("threshold", "The sum of weights at which a client is refused.")
            .arguments(&[Argument::new("sum", ValueType::Weight, "The sum.")])
            .example("threshold 3")
            .postfix(&["postscreen_dnsbl_threshold"]),
        NodeSpec::later("greylist", "Asks unknown clients to come back later.")
            .properties(&[
                PropertySpec::new("after", ValueType::Duration, "How long they must wait."),
                PropertySpec::new("remember", ValueType::Duration, "How long a client stays known."),
                PropertySpec::new("mask4", ValueType::Count { least: 8, most: 32 }, "The prefix that counts as one IPv4 client."),
                PropertySpec::new(
                    "mask6",
                    ValueType::Count { least: 16, most: 128 },
                    "The prefix that counts as one IPv6 client.",
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
                PropertySpec::new("messages", ValueType::Rate, "Messages in a time.")
                    .postfix(&["smtpd_client_message_rate_limit"]),
                PropertySpec::new("per", ValueType::Word(PER), "What counts as one client."),
            ])
            .one_of(&["connections", "messages"])
            .many()
            .example("limit connections=50 per=\"ip\"")
            .postfix(&["smtpd_client_connection_count_limit", "smtpd_client_message_rate_limit"]),
        NodeSpec::later("reputation", "Points that a client collects and that fade.")
            .properties(&[PropertySpec::new("halflife", ValueType::Duration, "The time in which half of them fade.").required()])
            .example("reputation halflife=\"1h\""),
        NodeSpec::new("dmarc", "What other people's DMARC records are worth here (RFC 9989). With this or `spf`, every message of a stranger is judged, and its header says what was found.")
            .properties(&[PropertySpec::new("honour", ValueType::Truth, "Whether their policy is followed.").required()])
            .example("dmarc honour=#true"),
        NodeSpec::new("spf", "What other people's SPF records are worth here.")
            .properties(&[PropertySpec::new("fail", ValueType::Word(REACTIONS), "What becomes of mail that fails.").required()])
            .example("spf fail=\"reject\""),
    ])
    .example("screen {\n    require \"sender-domain-exists\"\n}")
    .postfix(&["smtpd_sender_restrictions", "smtpd_helo_restrictions", "smtpd_client_restrictions", "postscreen_greet_action"]);
