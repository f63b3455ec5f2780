//! What values are: [`ValueType`], the words of closed lists, and the kinds of names. How a value is read is in
//! [`crate::syntax::value`].

use super::spec::Served;

/// One word of a closed list.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// The word.
    pub text: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Whether this runtime does what it says.
    pub served: Served,
}

/// What a value holds. How each is read is in [`crate::syntax::value`].
#[derive(Clone, Copy, Debug)]
pub enum ValueType {
    /// Any text.
    Text,
    /// A name that is declared here and referred to elsewhere.
    Name,
    /// One of a closed list of words.
    Word(&'static [Word]),
    /// A duration: `"5m"`, `"1h30m"`, `"4w"`.
    Duration,
    /// A size in octets: `"25MiB"`.
    Size,
    /// So many in a time: `"14/s"`, `"100/1m"`.
    Rate,
    /// A whole number within bounds, both included.
    Count {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A whole number of either sign, within bounds.
    Weight,
    /// Answers of a DNS list: `127.0.0.2-11`.
    Codes,
    /// One answer of a DNS list.
    Code,
    /// A factor of at least 1, with at most two decimals.
    Factor,
    /// A network in CIDR form, or a single address.
    Cidr,
    /// An IP address.
    Ip,
    /// A domain name.
    Domain,
    /// A host: a domain name, an IP address or an address literal.
    Host,
    /// Where a service listens: `"unix:/path"`, `"inet:host:port"`, `"host:port"`.
    Endpoint,
    /// An address of this host and a TCP port: `"127.0.0.1:9100"`.
    Socket,
    /// A whole mail address.
    Mailbox,
    /// What stands before the `@`.
    LocalPart,
    /// A local part of this domain, or a whole mail address.
    Address,
    /// An envelope sender: a mail address, or `""` for the null path.
    ReversePath,
    /// An envelope recipient: a mail address, or `postmaster`.
    ForwardPath,
    /// A set of addresses: `*`, `example.com`, `.example.com`.
    Selection,
    /// A regular expression.
    Pattern,
    /// A mail address in which `{1}` to `{9}` stand for groups of a pattern.
    Template,
    /// A path in which `{domain}` and `{user}` are filled in.
    PathTemplate,
    /// The name of a secret: a file in the credentials folder.
    Secret,
    /// An address on the web, or `mailto:`.
    Url,
    /// Where reports go: `mailto:` or `https:`.
    Report,
    /// An `https:` address.
    WebAddress,
    /// A DKIM selector.
    Selector,
    /// The SHA-256 of a certificate.
    Fingerprint,
    /// A day: `"2026-11-21"`.
    Date,
    /// A TCP port.
    Port,
    /// A path, relative to the folder of the site file unless it begins with `/`.
    Path,
    /// A name that is declared elsewhere, or one of a few words.
    Reference {
        /// What it may name.
        kinds: &'static [Kind],
        /// Words with a meaning of their own.
        words: &'static [Word],
    },
    /// A single character, or `#false` for none.
    Delimiter,
    /// `#true` or `#false`.
    Truth,
    /// Why something was decided: a name of [`postern_schema::decide::Reason`].
    Reason,
    /// Any scalar: the value of a constant.
    Any,
}

/// What a name can stand for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A `relay`.
    Relay,
    /// A `transport`.
    Transport,
    /// A `network`.
    Network,
    /// A `listen`.
    Listener,
    /// A `users`.
    Users,
    /// A `filter`.
    Filter,
    /// A `policy`.
    Policy,
    /// A `dkim` key of a domain.
    Dkim,
    /// A `domain`.
    Domain,
    /// A `mailbox`, `alias` or other address of a domain.
    Address,
    /// A `profile`.
    Profile,
    /// A constant of a `let`.
    Constant,
}

impl Kind {
    /// The name of the node that declares one.
    pub fn node(self) -> &'static str {
        match self {
            Kind::Relay => "relay",
            Kind::Transport => "transport",
            Kind::Network => "network",
            Kind::Listener => "listen",
            Kind::Users => "users",
            Kind::Filter => "filter",
            Kind::Policy => "policy",
            Kind::Dkim => "dkim",
            Kind::Domain => "domain",
            Kind::Address => "mailbox",
            Kind::Profile => "profile",
            Kind::Constant => "let",
        }
    }
}

impl Word {
    /// A word that is served.
    pub const fn new(text: &'static str, doc: &'static str) -> Word {
        Word { text, doc, served: Served::Yes }
    }

    /// A word that exists in the language but is not served.
    pub const fn later(text: &'static str, doc: &'static str) -> Word {
        Word { text, doc, served: Served::NotYet }
    }
}

impl ValueType {
    /// The kinds of names that a value may hold. One of [`ValueType::Reference`] must be declared; any other may belong to
    /// somebody else, as a mail address does.
    pub fn refers(&self) -> &'static [Kind] {
        match self {
            ValueType::Reference { kinds, .. } => kinds,
            ValueType::Mailbox | ValueType::Address | ValueType::ReversePath | ValueType::ForwardPath => {
                &[Kind::Address, Kind::Domain]
            }
            ValueType::Selection => &[Kind::Domain],
            _ => &[],
        }
    }

    /// What belongs there, for messages and the reference: "a duration".
    pub fn describe(&self) -> &'static str {
        match self {
            ValueType::Text => "a text",
            ValueType::Name => "a name",
            ValueType::Word(_) => "a word",
            ValueType::Duration => "a duration",
            ValueType::Size => "a size",
            ValueType::Rate => "a rate",
            ValueType::Count { .. } | ValueType::Weight => "a whole number",
            ValueType::Codes => "answers of a list",
            ValueType::Code => "an answer of a list",
            ValueType::Factor => "a factor",
            ValueType::Cidr => "a network",
            ValueType::Ip => "an IP address",
            ValueType::Domain => "a domain name",
            ValueType::Host => "a host",
            ValueType::Endpoint => "an endpoint",
            ValueType::Socket => "an address and a port",
            ValueType::Mailbox => "a mail address",
            ValueType::LocalPart => "a local part",
            ValueType::Address => "a local part or a mail address",
            ValueType::ReversePath => "an envelope sender",
            ValueType::ForwardPath => "an envelope recipient",
            ValueType::Selection => "a set of addresses",
            ValueType::Pattern => "a regular expression",
            ValueType::Template => "a mail address with groups",
            ValueType::PathTemplate | ValueType::Path => "a path",
            ValueType::Secret => "the name of a secret",
            ValueType::Url => "a URL",
            ValueType::Report => "an address for reports",
            ValueType::WebAddress => "an https: address",
            ValueType::Selector => "a selector",
            ValueType::Fingerprint => "a fingerprint",
            ValueType::Date => "a date",
            ValueType::Port => "a port",
            ValueType::Reference { .. } => "a declared name",
            ValueType::Delimiter => "a single character",
            ValueType::Truth => "a truth value",
            ValueType::Reason => "a reason",
            ValueType::Any => "a value",
        }
    }

    /// A value as it would be written, quotes and all.
    pub fn sample(&self) -> &'static str {
        match self {
            ValueType::Text | ValueType::Any => "\"text\"",
            ValueType::Name | ValueType::Reference { .. } => "\"name\"",
            ValueType::Word(words) => words.first().map_or("\"word\"", |word| word.text),
            ValueType::Duration => "\"5m\"",
            ValueType::Size => "\"25MiB\"",
            ValueType::Rate => "\"100/1m\"",
            ValueType::Count { least: ..=100, most: 100.. } => "100",
            ValueType::Count { .. } => "24",
            ValueType::Weight => "-2",
            ValueType::Codes => "\"127.0.0.2-11\"",
            ValueType::Code => "\"127.0.0.2\"",
            ValueType::Factor => "2",
            ValueType::Cidr => "\"192.0.2.0/24\"",
            ValueType::Ip => "\"192.0.2.1\"",
            ValueType::Domain => "\"example.com\"",
            ValueType::Host => "\"mail.example.com\"",
            ValueType::Endpoint => "\"inet:127.0.0.1:11332\"",
            ValueType::Socket => "\"127.0.0.1:9100\"",
            ValueType::Mailbox | ValueType::ReversePath | ValueType::ForwardPath => "\"alice@example.com\"",
            ValueType::LocalPart | ValueType::Address => "\"alice\"",
            ValueType::Selection => "\"*\"",
            ValueType::Pattern => "#\"^sales-(\\w+)$\"#",
            ValueType::Template => "\"sales+{1}@example.com\"",
            ValueType::PathTemplate => "\"/var/mail/{domain}/{user}\"",
            ValueType::Secret => "\"tls-mail\"",
            ValueType::Url => "\"https://example.com/\"",
            ValueType::Report => "\"mailto:reports@example.com\"",
            ValueType::WebAddress => "\"https://example.com/logo.svg\"",
            ValueType::Selector => "\"2026a\"",
            ValueType::Fingerprint => "\"C84F60326E1C846F2918026F36559A0D5C5C933F5770A6F31C1E5E3E0BB4217A\"",
            ValueType::Date => "\"2026-11-21\"",
            ValueType::Port => "587",
            ValueType::Path => "\"tls/mail.pem\"",
            ValueType::Delimiter => "\"+\"",
            ValueType::Truth => "#true",
            ValueType::Reason => "\"relay-denied\"",
        }
    }

    /// A short name for the type: a heading of the reference, a definition of the schema.
    pub fn name(&self) -> &'static str {
        match self {
            ValueType::Text => "text",
            ValueType::Name => "name",
            ValueType::Word(_) => "word",
            ValueType::Duration => "duration",
            ValueType::Size => "size",
            ValueType::Rate => "rate",
            ValueType::Count { .. } | ValueType::Weight => "whole number",
            ValueType::Codes => "answers of a list",
            ValueType::Code => "answer of a list",
            ValueType::Factor => "factor",
            ValueType::Cidr => "network",
            ValueType::Ip => "IP address",
            ValueType::Domain => "domain",
            ValueType::Host => "host",
            ValueType::Endpoint => "endpoint",
            ValueType::Socket => "address and port",
            ValueType::Mailbox => "mail address",
            ValueType::LocalPart => "local part",
            ValueType::Address => "local part or mail address",
            ValueType::ReversePath => "sender",
            ValueType::ForwardPath => "recipient",
            ValueType::Selection => "set of addresses",
            ValueType::Pattern => "pattern",
            ValueType::Template => "mail address with groups",
            ValueType::PathTemplate => "path for each mailbox",
            ValueType::Secret => "secret",
            ValueType::Url => "URL",
            ValueType::Report => "address for reports",
            ValueType::WebAddress => "https: address",
            ValueType::Selector => "selector",
            ValueType::Fingerprint => "fingerprint",
            ValueType::Date => "date",
            ValueType::Port => "port",
            ValueType::Path => "path",
            ValueType::Reference { .. } => "reference",
            ValueType::Delimiter => "delimiter",
            ValueType::Truth => "truth value",
            ValueType::Reason => "reason",
            ValueType::Any => "value",
        }
    }

    /// How a value is written, in Markdown: one or two sentences.
    pub fn form(&self) -> &'static str {
        match self {
            ValueType::Text => "Any text: `\"wired LAN\"`.",
            ValueType::Name => {
                "Letters, digits, `-`, `_` and `.`, at most 64 octets, not beginning with a dot. Others refer to it."
            }
            ValueType::Word(_) => "One of the words that are listed where it stands.",
            ValueType::Duration => {
                "Whole numbers with units, longer units first: `\"90s\"`, `\"5m\"`, `\"1h30m\"`, `\"5d\"`, `\"4w\"`."
            }
            ValueType::Size => "A whole number and a unit, `B`, `KiB`, `MiB`, `GiB` or `TiB`: `\"25MiB\"`.",
            ValueType::Rate => "So many in a time: `\"14/s\"`, `\"100/1m\"`, `\"1000/1d\"`.",
            ValueType::Count { .. } | ValueType::Weight => "Digits without quotes, within the bounds of its place: `100`.",
            ValueType::Codes => {
                "Addresses in 127.0.0.0/8, each octet a number or a range, with blanks between them: `\"127.0.0.2-11 127.0.1.2\"`."
            }
            ValueType::Code => "An address in 127.0.0.0/8: `\"127.0.0.2\"`.",
            ValueType::Factor => "A number from 1 to 100 with at most two decimals: `2`, `1.5`.",
            ValueType::Cidr => {
                "An address and a prefix length, without bits beyond it, or one address: `\"192.0.2.0/24\"`, `\"2001:db8::/48\"`, \
                 `\"192.0.2.7\"`."
            }
            ValueType::Ip => "An IPv4 or IPv6 address: `\"192.0.2.1\"`, `\"2001:db8::1\"`.",
            ValueType::Domain => {
                "A domain name; of an internationalised one, either form: `\"example.com\"`, `\"例え.example\"`."
            }
            ValueType::Host => "A domain name or an IP address: `\"mail.example.com\"`, `\"192.0.2.1\"`.",
            ValueType::Endpoint => {
                "A TCP port or a socket: `\"inet:127.0.0.1:11332\"`, `\"127.0.0.1:9100\"`, `\"unix:/run/x.sock\"`."
            }
            ValueType::Socket => "An IP address and a TCP port: `\"127.0.0.1:9100\"`, `\"[::1]:9100\"`.",
            ValueType::Mailbox => "A whole mail address: `\"alice@example.com\"`.",
            ValueType::LocalPart => {
                "What stands before the `@`: `\"alice\"`. One that needs quotes has them inside: `#\"\"a b\"\"#`."
            }
            ValueType::Address => {
                "A local part of the domain at hand, or a whole mail address: `\"alice\"`, `\"bob@elsewhere.example\"`."
            }
            ValueType::ReversePath => "A mail address, or `\"\"` for the null path of bounces.",
            ValueType::ForwardPath => "A mail address, or `\"postmaster\"`.",
            ValueType::Selection => "`\"*\"` for all, `\"example.com\"` for a domain, `\".example.com\"` for what lies below it.",
            ValueType::Pattern => {
                "A regular expression in the syntax of the Rust crate `regex`, best between `#\"` and `\"#`, where a backslash needs \
                 no second: `#\"^sales-(\\w+)$\"#`."
            }
            ValueType::Template => {
                "A mail address in which `{1}` to `{9}` stand for groups of the pattern: `\"sales+{1}@example.com\"`."
            }
            ValueType::PathTemplate => "A path in which `{domain}` and `{user}` are filled in: `\"/var/mail/{domain}/{user}\"`.",
            ValueType::Secret => {
                "The name of a file in the credentials folder, never the secret itself: letters, digits, `-`, `_`, `.` and `@`."
            }
            ValueType::Url => "`https:`, `http:`, `ldap:` or `ldaps:` and a host, or `mailto:` and a mail address.",
            ValueType::Report => "`mailto:` and a mail address, or `https:` and a host: `\"mailto:reports@example.com\"`.",
            ValueType::WebAddress => "`https:` and a host, without blanks, `,` and `;`: `\"https://example.com/logo.svg\"`.",
            ValueType::Selector => "Letters, digits and inner hyphens, as in the name of a host: `\"2026a\"`.",
            ValueType::Fingerprint => {
                "64 hexadecimal digits with colons or without, as `openssl x509 -noout -fingerprint -sha256` prints them."
            }
            ValueType::Date => "Year, month and day: `\"2026-11-21\"`.",
            ValueType::Port => "A TCP port, without quotes: `587`. 0 lets the system choose.",
            ValueType::Path => "A path of a file, relative to the folder of the file it stands in: `\"tls/mail.pem\"`.",
            ValueType::Reference { .. } => "A name that is declared elsewhere in the site, or one of the words that are listed.",
            ValueType::Delimiter => "One ASCII sign that is neither letter, digit nor `@`, or `#false` for none: `\"+\"`.",
            ValueType::Truth => "`#true` or `#false`.",
            ValueType::Reason => "A reason that decisions give; `postern explain` shows them: `\"relay-denied\"`.",
            ValueType::Any => "A text, a number or a truth value.",
        }
    }
}
