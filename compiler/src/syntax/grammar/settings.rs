//! Settings of which a site has one set each: `queue`, `limits`, `log`, `metrics`, `reports`, `admin`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{ValueType, Word};

const LANGUAGES: &[Word] = &[Word::new("en", "English."), Word::new("ja", "Japanese.")];

/// `queue`.
pub const QUEUE: NodeSpec = NodeSpec::new("queue", "How often mail is tried again, and how long it may wait.")
    .children(&[
        NodeSpec::new("retry", "The pause after the first failure; without it, five minutes, doubled each time up to two hours.")
            .arguments(&[Argument::new("pause", ValueType::Duration, "The pause.")])
            .properties(&[
                PropertySpec::new("factor", ValueType::Factor, "How much longer each further pause is; without it, 2."),
                PropertySpec::new("up-to", ValueType::Duration, "The longest pause; without it, `2h`.")
                    .postfix(&["maximal_backoff_time"]),
            ])
            .example("retry \"5m\" factor=2 up-to=\"2h\"")
            .postfix(&["minimal_backoff_time", "maximal_backoff_time", "queue_run_delay"]),
        NodeSpec::new("lifetime", "How long a message may wait before it bounces; without it, `5d`.")
            .arguments(&[Argument::new("time", ValueType::Duration, "The time.")])
            .example("lifetime \"5d\"")
            .postfix(&["maximal_queue_lifetime"]),
        NodeSpec::new("bounce-lifetime", "How long a bounce may wait before it is dropped; without it, `1d`.")
            .arguments(&[Argument::new("time", ValueType::Duration, "The time.")])
            .example("bounce-lifetime \"1d\"")
            .postfix(&["bounce_queue_lifetime"]),
        NodeSpec::new("language", "The language that notices to senders begin in; English follows. Without it, English alone.")
            .arguments(&[Argument::new("language", ValueType::Word(LANGUAGES), "The language.")])
            .example("language \"ja\"")
            .postfix(&["bounce_template_file"]),
        NodeSpec::new("warn-after", "When the sender is told that a message still waits; without it, `4h`.")
            .arguments(&[Argument::new("time", ValueType::Duration, "The time.")])
            .example("warn-after \"4h\"")
            .postfix(&["delay_warning_time"]),
    ])
    .example("queue {\n    retry \"5m\" factor=2 up-to=\"2h\"\n    lifetime \"5d\"\n}")
    .postfix(&["minimal_backoff_time", "maximal_backoff_time", "maximal_queue_lifetime", "bounce_queue_lifetime"]);

/// `limits`.
pub const LIMITS: NodeSpec = NodeSpec::new("limits", "Sizes and counts that hold for the whole site.")
    .properties(&[
        PropertySpec::new("message", ValueType::Size, "The largest message; without it, `50MiB`.")
            .postfix(&["message_size_limit"]),
        PropertySpec::new(
            "recipients",
            ValueType::Count { least: 1, most: 1_000_000 },
            "The most recipients of one transaction; without it, 1000. RFC 5321 4.5.3.1.8 wants at least 100.",
        )
        .postfix(&["smtpd_recipient_limit"]),
        PropertySpec::new(
            "hops",
            ValueType::Count { least: 1, most: 10_000 },
            "The most Received fields; without it, 100. RFC 5321 6.3 wants at least 100.",
        )
        .postfix(&["hopcount_limit"]),
        PropertySpec::new(
            "mailbox",
            ValueType::Size,
            "The most that a mailbox holds that has no quota of its own; without it, as much as the disk.",
        )
        .postfix(&["mailbox_size_limit", "virtual_mailbox_limit"]),
        PropertySpec::new(
            "sessions",
            ValueType::Count { least: 1, most: 1_000_000 },
            "Sessions at once over all listeners; without it, 2000.",
        )
        .postfix(&["default_process_limit"]),
        PropertySpec::new(
            "vrfy",
            ValueType::Truth,
            "Whether VRFY is answered, with 252 and never with who exists; without it, it is.",
        )
        .postfix(&["disable_vrfy_command"]),
    ])
    .example("limits message=\"50MiB\" recipients=1000 hops=100")
    .postfix(&["message_size_limit", "smtpd_recipient_limit", "hopcount_limit"]);

const LOG_FORMATS: &[Word] = &[
    Word::new("text", "`key=value` text for people."),
    Word::new("json", "One JSON object a line."),
    Word::new("postfix", "As Postfix writes it, for pflogsumm and fail2ban."),
];

/// `log`.
pub const LOG: NodeSpec = NodeSpec::new("log", "How the daemon logs.")
    .properties(&[PropertySpec::new("format", ValueType::Word(LOG_FORMATS), "The form of a line; without it, `text`.")])
    .example("log format=\"json\"")
    .postfix(&["maillog_file", "syslog_facility", "syslog_name"]);

/// `metrics`.
pub const METRICS: NodeSpec = NodeSpec::new("metrics", "Numbers for Prometheus.")
    .properties(&[PropertySpec::new("listen", ValueType::Socket, "Where they are served, over HTTP at `/metrics`.").required()])
    .example("metrics listen=\"127.0.0.1:9100\"");

/// `reports`.
pub const REPORTS: NodeSpec =
    NodeSpec::new("reports", "What others are told of their mail, by mail; what is not said is not sent.")
        .children(&[
            NodeSpec::new("organization", "Who reports, for people; without it, the host's name.")
                .arguments(&[Argument::new("name", ValueType::Text, "A name.")])
                .example("organization \"Example Ltd\""),
            NodeSpec::new(
                "dmarc",
                "Aggregate reports to domains whose DMARC record asks for them: what came in their name (RFC 9990).",
            )
            .properties(&[FROM])
            .example("dmarc from=\"dmarc@example.com\""),
            NodeSpec::new(
                "tls",
                "Reports to domains that ask for them: how sessions with their mail hosts were protected (RFC 8460).",
            )
            .properties(&[FROM])
            .example("tls from=\"tls@example.com\""),
            NodeSpec::new(
                "failure",
                "Failure reports to domains whose DMARC record asks for them (`ruf=`): the header of a message that fails, as it comes; \
                 ten a domain and hour at most (RFC 9991). They tell others who writes to your users: say it only where that may be told.",
            )
            .properties(&[FROM])
            .example("failure from=\"dmarc@example.com\""),
        ])
        .example("reports {\n    dmarc from=\"reports@example.com\"\n    tls from=\"reports@example.com\"\n}");

const FROM: PropertySpec =
    PropertySpec::new("from", ValueType::Mailbox, "Who writes them, in a domain of the site that signs its mail.").required();

/// `admin`.
pub const ADMIN: NodeSpec = NodeSpec::later("admin", "Where the daemon takes commands.")
    .properties(&[PropertySpec::new("listen", ValueType::Endpoint, "The socket.").required()])
    .example("admin listen=\"unix:/run/postern/control\"");
