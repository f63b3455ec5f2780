//! What a domain publishes about itself in DNS: `dkim`, `spf`, `dmarc` and their kin, all within `domain`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{Kind, ValueType, Word};

const DKIM_ALGORITHMS: &[Word] = &[
    Word::new("rsa-sha256", "RSA, understood everywhere (RFC 6376)."),
    Word::new("ed25519-sha256", "Ed25519, short and quick (RFC 8463)."),
];

const DKIM_STATES: &[Word] = &[
    Word::new("publish", "In DNS, but not signing yet."),
    Word::new("active", "In DNS and signing."),
    Word::new("retired", "Not signing any more, still in DNS for mail under way."),
    Word::new("revoked", "In DNS with an empty key: nothing that it signed is to be believed."),
    Word::new("removed", "Not in DNS any more."),
];

/// `dkim`.
pub const DKIM: NodeSpec =
    NodeSpec::new("dkim", "A DKIM key: its public half goes to DNS, its private half stays a secret (RFC 6376).")
        .arguments(&[Argument::new("selector", ValueType::Selector, "The selector.").declares(Kind::Dkim)])
        .properties(&[
            PropertySpec::new("algorithm", ValueType::Word(DKIM_ALGORITHMS), "The algorithm.").required(),
            PropertySpec::new("public-key", ValueType::Path, "A file with the public key: PEM, or the Base64 of a key record.")
                .required(),
            PropertySpec::new("key-secret", ValueType::Secret, "The credential that holds the private key, in PEM (PKCS#8)."),
            PropertySpec::new("state", ValueType::Word(DKIM_STATES), "Where in its life it is.").required(),
            PropertySpec::new("published", ValueType::Date, "The day on which it came into DNS."),
            PropertySpec::new("activated", ValueType::Date, "The day from which it signed."),
            PropertySpec::new("retired", ValueType::Date, "The day from which it signed no more."),
            PropertySpec::new("removed", ValueType::Date, "The day on which it left DNS."),
        ])
        .many()
        .example(
            "dkim \"2026a\" algorithm=\"rsa-sha256\" public-key=\"dkim/2026a.pub\" key-secret=\"dkim-2026a\" state=\"active\"",
        )
        .postfix(&["smtpd_milters", "non_smtpd_milters"]);

const SPF_ALL: &[Word] = &[Word::new("fail", "`-all`."), Word::new("softfail", "`~all`."), Word::new("neutral", "`?all`.")];

/// `spf`.
pub const SPF: NodeSpec = NodeSpec::new("spf", "The SPF record (RFC 7208); the site's own egress is always in it.")
    .children(&[
        NodeSpec::new("include", "Another domain's record.")
            .arguments(&[Argument::new("domain", ValueType::Domain, "The domain.")])
            .many()
            .example("include \"_spf.partner.example\""),
        NodeSpec::new("address", "Further addresses that send in the domain's name.")
            .arguments(&[Argument::new("networks", ValueType::Cidr, "A network, or one address.").repeating()])
            .many()
            .example("address \"198.51.100.0/28\""),
        NodeSpec::new("all", "What becomes of everybody else; without it, `softfail`, so that DKIM and DMARC are asked first.")
            .arguments(&[Argument::new("result", ValueType::Word(SPF_ALL), "The result.")])
            .example("all \"softfail\""),
    ])
    .example("spf {\n    include \"_spf.partner.example\"\n    all \"softfail\"\n}");

const DMARC_POLICIES: &[Word] = &[
    Word::new("none", "Report only."),
    Word::new("quarantine", "Put aside what fails."),
    Word::new("reject", "Refuse what fails."),
];

/// `dmarc`.
pub const DMARC: NodeSpec = NodeSpec::new("dmarc", "The DMARC record (RFC 9989).")
    .properties(&[
        PropertySpec::new("policy", ValueType::Word(DMARC_POLICIES), "For the domain itself.").required(),
        PropertySpec::new("subdomains", ValueType::Word(DMARC_POLICIES), "For what lies below it; without it, as `policy`."),
        PropertySpec::new(
            "nonexistent",
            ValueType::Word(DMARC_POLICIES),
            "For names below it that do not exist; without it, as `subdomains`.",
        ),
        PropertySpec::new("testing", ValueType::Truth, "Asks receivers to be one step milder."),
        PropertySpec::new(
            "organization",
            ValueType::Truth,
            "It is an organisation of its own, such as a faculty below a university: nothing above it is aligned with it (`psd=n`).",
        ),
        PropertySpec::new("reports", ValueType::Report, "Where aggregate reports go: `mailto:` and an address."),
    ])
    .example("dmarc policy=\"quarantine\" subdomains=\"reject\" nonexistent=\"reject\" reports=\"mailto:dmarc@example.com\"");

/// Why a tag of a record has no property here: it is gone (RFC 9989), does harm, or has a longer name.
pub fn gone(node: &str, property: &str) -> Option<&'static str> {
    match (node, property) {
        ("dmarc", "pct") => Some("The tag `pct` is gone from DMARC (RFC 9989): write testing=#true, or a milder policy"),
        ("dmarc", "rf" | "ri") => Some("The tags `rf` and `ri` are gone from DMARC (RFC 9989): remove it, receivers ignore them"),
        ("dmarc", "sp") => Some("Write subdomains="),
        ("dmarc", "np") => Some("Write nonexistent="),
        ("dmarc", "rua") => Some("Write reports="),
        ("dmarc", "p") => Some("Write policy="),
        ("dmarc", "t") => Some("Write testing=#true"),
        ("dmarc", "psd") => Some("Write organization=#true for `psd=n`; `psd=y` is for registries alone (RFC 9989)"),
        ("dmarc", "adkim" | "aspf") => {
            Some("Remove it: alignment is relaxed, and strict would fail your own mail of names below the domain")
        }
        ("dmarc", "fo" | "ruf") => {
            Some("Remove it: hardly anybody sends reports of single failures, which hold what people wrote; write reports=")
        }
        ("dkim", "l") => Some("Remove it: a signature over a part of the text lets anybody append to it (RFC 6376 8.2)"),
        ("dkim", "t" | "testing") => {
            Some("Remove it: verifiers treat mail with a key in testing as unsigned, and the key stays so (RFC 6376 3.6.1)")
        }
        _ => None,
    }
}

const STS_MODES: &[Word] = &[
    Word::new("none", "Withdrawn."),
    Word::new("testing", "Report only."),
    Word::new("enforce", "Refuse to deliver without TLS."),
];

/// `mta-sts`.
pub const MTA_STS: NodeSpec = NodeSpec::new("mta-sts", "The MTA-STS policy (RFC 8461).")
    .properties(&[
        PropertySpec::new("mode", ValueType::Word(STS_MODES), "How strict it is.").required(),
        PropertySpec::new("max-age", ValueType::Duration, "How long others may keep it; without it, four weeks."),
        PropertySpec::new(
            "web-host",
            ValueType::Domain,
            "The web server that serves the policy file, where `posternd` does not by `listen \"web\"`: `mta-sts.` leads there.",
        ),
    ])
    .example("mta-sts mode=\"testing\" max-age=\"4w\"");

/// `tls-report`.
pub const TLS_REPORT: NodeSpec = NodeSpec::new("tls-report", "Where reports on TLS failures go (RFC 8460).")
    .arguments(&[Argument::new("addresses", ValueType::Report, "`mailto:` and an address, or a web address.").repeating()])
    .example("tls-report \"mailto:tls@example.com\"");

const PINS: &[PropertySpec] = &[
    PropertySpec::new("file", ValueType::Path, "A certificate or a public key, in PEM."),
    PropertySpec::new("sha256", ValueType::Text, "The SHA-256 of the public key (its `SubjectPublicKeyInfo`), in hexadecimal."),
];

/// `dane`.
pub const DANE: NodeSpec =
    NodeSpec::new("dane", "TLSA records for the hosts that take mail (RFC 7672), for zones that are signed.")
        .arguments(&[Argument::flag()])
        .children(&[
            NodeSpec::new(
                "key",
                "A key that the host has or will have next; that of its certificate in the site's folder is known.",
            )
            .properties(PINS)
            .one_of(&["file", "sha256"])
            .many()
            .example("key file=\"tls/next.pub\""),
            NodeSpec::new(
                "authority",
                "An authority that certifies the host; one whose certificate stands in the chain is known.",
            )
            .properties(PINS)
            .one_of(&["file", "sha256"])
            .many()
            .example("authority file=\"tls/authority.pem\""),
        ])
        .example("dane");

const CAA_METHODS: &[Word] = &[
    Word::new("http-01", "By a file on port 80."),
    Word::new("dns-01", "By a DNS record."),
    Word::new("dns-persist-01", "By a DNS record that stays; still a draft."),
    Word::new("tls-alpn-01", "By a TLS handshake on port 443."),
];

const CERTIFICATES: &[Word] = &[
    Word::new("hosts", "Hosts."),
    Word::new("mail", "Mail addresses, by S/MIME (RFC 9495)."),
    Word::new("marks", "Marks that BIMI shows; still a draft."),
];

/// `caa`.
pub const CAA: NodeSpec = NodeSpec::new("caa", "Which authorities may issue certificates (RFC 8659).")
    .properties(&[
        PropertySpec::new("issuer", ValueType::Domain, "The authority's domain.").required(),
        PropertySpec::new("certificates", ValueType::Word(CERTIFICATES), "What it may issue them for; without it, `hosts`."),
        PropertySpec::new("account", ValueType::WebAddress, "The account that may ask (RFC 8657)."),
        PropertySpec::new("method", ValueType::Word(CAA_METHODS), "How control of the name must be shown (RFC 8657)."),
        PropertySpec::new("wildcards", ValueType::Truth, "Whether it may issue for the host `*` too; without it, nobody may."),
        PropertySpec::new(
            "persist",
            ValueType::Truth,
            "Whether a lasting record shows control of the domain to it and to `account=`; still a draft.",
        ),
        PropertySpec::new("reports", ValueType::Report, "Where an authority says what it refused."),
    ])
    .many()
    .example("caa issuer=\"letsencrypt.org\"");

const CLIENT_PORT: &str = "The port; without it, that of implicit TLS.";

const LOGIN_NAMES: &[Word] =
    &[Word::new("local-part", "What stands before the `@` of their address."), Word::new("address", "Their whole address.")];

const WEB_HOST: &[Argument] = &[Argument::new("host", ValueType::Domain, "The host.")];
const WEB_PORT: &[PropertySpec] = &[PropertySpec::new("port", ValueType::Port, "The port; without it, 443.")];

const fn web_service(name: &'static str, doc: &'static str, example: &'static str) -> NodeSpec {
    NodeSpec::new(name, doc).arguments(WEB_HOST).properties(WEB_PORT).example(example)
}

/// `autoconfig`.
pub const AUTOCONFIG: NodeSpec = NodeSpec::new("autoconfig", "Records that tell mail programs where to log in (RFC 6186).")
    .arguments(&[Argument::flag()])
    .properties(&[PropertySpec::new(
        "web-host",
        ValueType::Domain,
        "The web server that answers mail programs, where `posternd` does not by `listen \"web\"`: `autoconfig.` and `autodiscover.` lead there.",
    ), PropertySpec::new("login", ValueType::Word(LOGIN_NAMES), "What users log in as; without it, the local part."),
    PropertySpec::new("pacc", ValueType::Truth, "Whether `ua-auto-config.` offers the settings too, as Apple's programs will ask for them; still a draft."),
    ])
    .children(&[
        NodeSpec::new("imap", "Where mail is read by IMAP; without it, nowhere.")
            .arguments(&[Argument::new("host", ValueType::Domain, "The host.")])
            .properties(&[PropertySpec::new("port", ValueType::Port, CLIENT_PORT)])
            .example("imap \"mail.example.com\""),
        NodeSpec::new("pop3", "Where mail is fetched by POP3; without it, nowhere.")
            .arguments(&[Argument::new("host", ValueType::Domain, "The host.")])
            .properties(&[PropertySpec::new("port", ValueType::Port, CLIENT_PORT)])
            .example("pop3 \"mail.example.com\""),
        web_service("jmap", "Where mail is read by JMAP (RFC 8620); without it, nothing is said of it.", "jmap \"mail.example.com\""),
        web_service("caldav", "Where calendars are (RFC 6764); without it, nothing is said of them.", "caldav \"dav.example.com\""),
        web_service("carddav", "Where address books are (RFC 6764); without it, nothing is said of them.", "carddav \"dav.example.com\""),
    ])
    .example("autoconfig {\n    imap \"mail.example.com\"\n}");

/// `bimi`.
pub const BIMI: NodeSpec = NodeSpec::new("bimi", "The logo that mail programs may show; still a draft.")
    .properties(&[
        PropertySpec::new("logo", ValueType::WebAddress, "The logo, in SVG.").required(),
        PropertySpec::new("certificate", ValueType::WebAddress, "The mark certificate."),
    ])
    .example("bimi logo=\"https://example.com/logo.svg\"");

/// `wildcard`.
pub const WILDCARD: NodeSpec = NodeSpec::new(
    "wildcard",
    "Names below the domain that do not exist take no mail and send none (RFC 4592). Nothing else may have a wildcard there: no `CNAME`.",
)
.arguments(&[Argument::flag()])
.example("wildcard");
