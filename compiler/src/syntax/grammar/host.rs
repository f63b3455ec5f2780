//! The host and who reaches it: `site`, `tls`, `listen`, `network`, `users`.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{Kind, ValueType, Word};

/// `site`.
pub const SITE: NodeSpec = NodeSpec::new("site", "The host itself: the name that it greets with, and what belongs to it.")
    .arguments(&[Argument::new(
        "hostname",
        ValueType::Domain,
        "The host's own name, in the greeting, in EHLO, in Received fields and in reports. Its addresses must point back to it.",
    )])
    .children(&[
        NodeSpec::new(
            "origin",
            "The domain of mail that names none; without it, the domain of this site that the host's name lies in, or that name.",
        )
        .arguments(&[Argument::new("domain", ValueType::Domain, "The domain.").refers(&[Kind::Domain])])
        .example("origin \"example.com\"")
        .postfix(&["myorigin"]),
        NodeSpec::new("postmaster", "Who reads mail to postmaster at every domain that does not say otherwise (RFC 5321 4.5.1).")
            .arguments(&[Argument::new("mailbox", ValueType::Mailbox, "A mail address that exists.")])
            .example("postmaster \"alice@example.com\"")
            .postfix(&["2bounce_notice_recipient", "error_notice_recipient"]),
        NodeSpec::new(
            "notify",
            "What the postmaster is told of, gathered and at most four times an hour for each class; without it, `resource` and `software`.",
        )
        .arguments(&[Argument::new("classes", ValueType::Word(NOTICES), "A class, or `none`.").repeating()])
        .example("notify \"2bounce\" \"resource\" \"software\"")
        .postfix(&["notify_classes"]),
        NodeSpec::new("address", "The public addresses of the host: those that mail leaves from and that DNS shows.")
            .arguments(&[Argument::new("addresses", ValueType::Ip, "An IPv4 or IPv6 address.").repeating()])
            .properties(&[PropertySpec::later("interface", ValueType::Ip, "The local address, where NAT hides the public one.")])
            .example("address \"203.0.113.25\" \"2001:db8::25\"")
            .postfix(&["proxy_interfaces", "smtp_bind_address"]),
        NodeSpec::new("resolver", "The DNS server that the daemon asks; without it, those of `/etc/resolv.conf`.")
            .arguments(&[Argument::new("server", ValueType::Socket, "A caching resolver, best on this host.")])
            .example("resolver \"127.0.0.1:53\""),
        NodeSpec::new(
            "require",
            "The checkers whose rules the site keeps too: what they complain of is a warning, and names them.",
        )
        .arguments(&[Argument::new("checkers", ValueType::Word(CHECKERS), "A checker.").repeating()])
        .example("require \"internet-nl\" \"bulk-sender\""),
    ])
    .required()
    .example("site \"mail.example.com\" {\n    postmaster \"alice@example.com\"\n}")
    .postfix(&["myhostname", "mydomain", "smtpd_banner", "smtp_helo_name"]);

/// The classes of `notify`.
const NOTICES: &[Word] = &[
    Word::new("bounce", "Mail that was returned to its sender."),
    Word::new("2bounce", "Notices that could not be delivered, so that nobody heard of them."),
    Word::new("delay", "Mail whose sender was told that it still waits."),
    Word::new("policy", "Clients and messages that the site's rules refused."),
    Word::new("protocol", "Clients that broke the protocol."),
    Word::new("resource", "Mail that was put off for want of room, memory or descriptors."),
    Word::new("software", "Damage, and mistakes of the program."),
    Word::new("none", "No class: for a site that wants to be told of nothing."),
];

/// The checkers of `require`.
pub const CHECKERS: &[Word] = &[
    Word::new("bulk-sender", "What Gmail, Yahoo and Microsoft ask of whoever sends them thousands of messages a day."),
    Word::new("internet-nl", "The mail test of internet.nl."),
    Word::new("mxtoolbox", "The tests of MXToolbox."),
    Word::new("hardenize", "The mail part of Hardenize."),
    Word::new("m3aawg", "What M3AAWG recommends to senders, and for domains that send nothing."),
    Word::new("mecsa", "MECSA, of the European Commission's Joint Research Centre."),
];

/// `tls`.
pub const TLS: NodeSpec = NodeSpec::new("tls", "Certificates of the listeners, and the least that is asked of a TLS session.")
    .children(&[
        NodeSpec::new("certificate", "A certificate and the name of its private key; the first is used for unknown names.")
            .arguments(&[Argument::new("name", ValueType::Domain, "The host name that it is for (SNI).")])
            .properties(&[
                PropertySpec::new("chain", ValueType::Path, "A PEM file in the site's folder, leaf first.")
                    .postfix(&["smtpd_tls_cert_file", "smtpd_tls_chain_files"]),
                PropertySpec::new(
                    "chain-secret",
                    ValueType::Secret,
                    "The credential that holds the chain, for certificates that are renewed without a build.",
                ),
                PropertySpec::new("key-secret", ValueType::Secret, "The credential that holds the private key, in PEM.")
                    .required()
                    .postfix(&["smtpd_tls_key_file"]),
            ])
            .one_of(&["chain", "chain-secret"])
            .many()
            .example("certificate \"mail.example.com\" chain=\"tls/mail.pem\" key-secret=\"tls-mail\"")
            .postfix(&["smtpd_tls_cert_file", "smtpd_tls_key_file", "smtpd_tls_chain_files", "tls_server_sni_maps"]),
        NodeSpec::new(
            "self-signed",
            "Makes a certificate at the first start when none is named: for trying out, since nobody can verify it.",
        )
        .arguments(&[Argument::flag()])
        .example("self-signed"),
        NodeSpec::new(
            "acme",
            "Certificates that the daemon gets from a public authority and renews (RFC 8555): for the host's name, and for the names \
             that policies and settings of its domains are served at.",
        )
            .properties(&[
                PropertySpec::new("directory", ValueType::WebAddress, "The authority's directory.").required(),
                PropertySpec::new("contact", ValueType::Mailbox, "Who hears from the authority."),
                PropertySpec::new(
                    "challenge",
                    ValueType::Word(CHALLENGES),
                    "How control of the names is shown; without it, `tls-alpn-01`, which the listener `web` answers.",
                ),
                PropertySpec::new("port", ValueType::Port, "The TCP port where `http-01` is answered; without it, 80."),
                PropertySpec::new("address", ValueType::Ip, "The local address to bind there; without it, every one."),
            ])
            .example("acme directory=\"https://acme.example/directory\" contact=\"ops@example.com\" challenge=\"http-01\" port=80 address=\"192.0.2.25\""),
        NodeSpec::new("minimum", "The oldest protocol version that is spoken.")
            .arguments(&[Argument::new("version", ValueType::Word(TLS_VERSIONS), "The version.")])
            .example("minimum \"1.2\"")
            .postfix(&["smtpd_tls_protocols", "smtpd_tls_mandatory_protocols"]),
    ])
    .example("tls {\n    certificate \"mail.example.com\" chain=\"tls/mail.pem\" key-secret=\"tls-mail\"\n}")
    .postfix(&["smtpd_tls_security_level", "smtpd_use_tls"]);

const CHALLENGES: &[Word] = &[
    Word::new("tls-alpn-01", "By a TLS handshake on port 443 (RFC 8737)."),
    Word::new("http-01", "By a file that is asked for over HTTP, on port 80 (RFC 8555 8.3)."),
    Word::later("dns-01", "By a DNS record."),
];

const TLS_VERSIONS: &[Word] = &[Word::new("1.2", "TLS 1.2 (RFC 5246)."), Word::new("1.3", "TLS 1.3 (RFC 8446).")];

const LISTENER_KINDS: &[Word] = &[
    Word::new("mx", "Mail from other hosts, port 25: TLS is offered, login is not."),
    Word::new("submission", "Mail from users, port 587: STARTTLS, then login, then mail (RFC 6409)."),
    Word::new("submissions", "Mail from users, port 465: TLS from the first byte (RFC 8314 3.3)."),
    Word::new("web", "HTTPS, port 443: policies of MTA-STS and settings for mail programs, below `/.well-known/` alone."),
    Word::new(
        "reinject",
        "Mail that comes back from a content filter over SMTP, port 10025: from its peers alone, who are believed.",
    ),
    Word::new("lmtp", "The same over LMTP (RFC 2033), port 24, from a content filter or another MTA."),
];

/// `listen`.
pub const LISTEN: NodeSpec =
    NodeSpec::new("listen", "A service that is listened on. Its name is its kind, unless `kind=` says so.")
        .arguments(&[Argument::name(
            Kind::Listener,
            "A name, unique among listeners; `mx`, `submission`, `submissions`, `reinject`, `lmtp` and `web` are kinds too.",
        )])
        .properties(&[
            PropertySpec::new(
                "port",
                ValueType::Port,
                "The TCP port; without it, the usual one of its kind: 25, 587, 465, 10025, 24 or 443.",
            )
            .postfix(&["master.cf"]),
            PropertySpec::new(
                "address",
                ValueType::Ip,
                "The local address to bind; without it, every one, and for `reinject` and `lmtp` 127.0.0.1.",
            )
            .postfix(&["inet_interfaces"]),
            PropertySpec::new(
                "socket",
                ValueType::Endpoint,
                "The Unix socket to listen on instead of a port, for `lmtp`: whoever may open it is a peer.",
            )
            .postfix(&["master.cf"]),
            PropertySpec::new(
                "from",
                ValueType::Cidr,
                "The peers of a listener for such, `reinject` or `lmtp`: nobody else may use it. Without it, this host.",
            )
            .postfix(&["mynetworks", "smtpd_client_restrictions", "smtpd_authorized_xforward_hosts"]),
            PropertySpec::new(
                "kind",
                ValueType::Word(LISTENER_KINDS),
                "What it is for: this decides TLS, login and who may send what.",
            ),
            PropertySpec::new(
                "proxy-protocol-from",
                ValueType::Cidr,
                "The load balancers: a connection from there begins with a PROXY header, which names its client.",
            )
            .postfix(&["smtpd_upstream_proxy_protocol", "postscreen_upstream_proxy_protocol"]),
            PropertySpec::new(
                "xclient-from",
                ValueType::Cidr,
                "The filters and gateways whose XCLIENT and XFORWARD are believed: they may say that they are anybody.",
            )
            .postfix(&["smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts"]),
        ])
        .many()
        .example("listen \"mx\" port=25")
        .postfix(&["inet_interfaces", "master.cf", "smtpd_tls_wrappermode", "smtpd_sasl_auth_enable"]);

const EXEMPTIONS: &[Word] = &[
    Word::new("greet-wait", "The pause before the greeting."),
    Word::new("limit", "Limits of connections and messages."),
    Word::new("reputation", "Points of what went wrong before."),
    Word::new("fqdn-helo", "A full host name in the greeting."),
    Word::new("resolvable-helo", "A host name in the greeting that DNS knows."),
    Word::new("sender-domain-exists", "A sender whose domain exists."),
    Word::new("spf", "SPF of the sender."),
    Word::new("dmarc", "DMARC of the author."),
    Word::new("dnsbl", "Block lists and welcome lists."),
    Word::new("greylist", "Greylisting."),
];

/// `network`.
pub const NETWORK: NodeSpec = NodeSpec::new("network", "A named set of addresses that is trusted with something.")
    .arguments(&[
        Argument::name(Kind::Network, "A name, unique among networks."),
        Argument::new("ranges", ValueType::Cidr, "A network in CIDR form, or a single address.").optional().repeating(),
    ])
    .properties(&[
        PropertySpec::new(
            "relay",
            ValueType::Truth,
            "Whether its members may send mail to anywhere without a login; without it, no.",
        ),
        PropertySpec::new(
            "mend-line-ends",
            ValueType::Truth,
            "Whether a CR or LF alone in a message of theirs is mended, for devices that know no better; without it, it is refused.",
        )
        .postfix(&["smtpd_forbid_bare_newline", "smtpd_forbid_bare_newline_exclusions"]),
        PropertySpec::new("reason", ValueType::Text, "Why it is trusted, for whoever reads this in a year."),
    ])
    .children(&[
        NodeSpec::new("certificate", "Certificates whose holders are members wherever they come from; asked for by listeners of kind `mx`.")
            .arguments(&[Argument::new(
                "fingerprints",
                ValueType::Fingerprint,
                "The SHA-256 of the certificate, or of its public key.",
            )
            .repeating()])
            .many()
            .example("certificate \"C8:4F:60:32:6E:1C:84:6F:29:18:02:6F:36:55:9A:0D:5C:5C:93:3F:57:70:A6:F3:1C:1E:5E:3E:0B:B4:21:7A\"")
            .postfix(&["relay_clientcerts", "permit_tls_clientcerts", "smtpd_tls_ask_ccert", "smtpd_tls_fingerprint_digest"]),
        NodeSpec::new(
            "exempt",
            "The checks of `screen` that its members are spared; those that may relay are spared all of them.",
        )
        .arguments(&[Argument::new("checks", ValueType::Word(EXEMPTIONS), "A check.").repeating()])
        .example("exempt \"greylist\" \"dnsbl\"")
        .postfix(&["postscreen_access_list"])])
    .many()
    .example("network \"office\" \"192.0.2.0/24\" \"2001:db8:1::/48\" relay=#true reason=\"wired LAN, no guests\"")
    .postfix(&["mynetworks", "mynetworks_style"]);

const LDAP_BIND: NodeSpec = NodeSpec::new("ldap-bind", "Asks a directory, by logging in there as the user; instead of `passwd`.")
    .arguments(&[Argument::new("server", ValueType::Url, "The directory server: `ldaps://`, or `ldap://` with `starttls`.")])
    .properties(&[
        PropertySpec::new("dn", ValueType::Text, "The name to log in as; the user's name stands for `{user}`.").required(),
        PropertySpec::new("starttls", ValueType::Truth, "Whether TLS begins by StartTLS (RFC 4511 4.14); without it, no."),
    ])
    .example("ldap-bind \"ldaps://ldap.example.com\" dn=\"uid={user},ou=people,dc=example,dc=com\"")
    .postfix(&["smtpd_sasl_type", "smtpd_sasl_path"]);

const OAUTH: NodeSpec = NodeSpec::new(
    "oauth",
    "Takes tokens as logins, by AUTH OAUTHBEARER (RFC 7628) and XOAUTH2; instead of `passwd`. They are checked by the keys of their \
     issuer, or by asking it.",
)
.properties(&[
    PropertySpec::new("issuer", ValueType::WebAddress, "Who issues the tokens: what their `iss` is.").required(),
    PropertySpec::new("audience", ValueType::Text, "Whom they are issued for: what must be in their `aud`.").required(),
    PropertySpec::new("user", ValueType::Text, "The claim that names the user; without it, `email`."),
    PropertySpec::new("jwks", ValueType::Path, "A file in the site's folder with the issuer's public keys (RFC 7517 5)."),
    PropertySpec::new("introspection", ValueType::WebAddress, "Where the issuer says whether a token is good (RFC 7662)."),
    PropertySpec::new("client", ValueType::Text, "Who asks there.").beside("introspection"),
    PropertySpec::new("secret", ValueType::Secret, "The credential that shows it.").beside("introspection"),
])
.one_of(&["jwks", "introspection"])
.example("oauth issuer=\"https://id.example.com\" audience=\"mail\" jwks=\"oauth/keys.json\"")
.postfix(&["smtpd_sasl_type", "smtpd_sasl_mechanism_filter"]);

/// `users`.
pub const USERS: NodeSpec = NodeSpec::new("users", "Who may log in, and what they may send as.")
    .arguments(&[Argument::name(Kind::Users, "A name, unique among user stores.")])
    .children(&[
        NodeSpec::new("passwd", "The credential that holds one `name:{SCHEME}hash` line for each user.")
            .properties(&[PropertySpec::new("secret", ValueType::Secret, "The name of the credential.").required()])
            .example("passwd secret=\"users\"")
            .postfix(&["smtpd_sasl_type", "smtpd_sasl_path"]),
        NodeSpec::new("may-send-as", "Senders that a user may use beyond their own mailbox.")
            .arguments(&[
                Argument::new("user", ValueType::Text, "The login name."),
                Argument::new("addresses", ValueType::Mailbox, "A mail address.").repeating(),
            ])
            .many()
            .example("may-send-as \"alice\" \"alice@example.com\" \"sales@example.com\"")
            .postfix(&["smtpd_sender_login_maps"]),
        NodeSpec::new("dovecot", "Asks Dovecot, with whatever mechanism it offers; instead of `passwd`.")
            .arguments(&[Argument::new("socket", ValueType::Endpoint, "The Unix socket of its auth service.")])
            .example("dovecot \"unix:/run/dovecot/auth-client\"")
            .postfix(&["smtpd_sasl_type", "smtpd_sasl_path"]),
        LDAP_BIND,
        OAUTH,
        NodeSpec::new(
            "client-certificate",
            "Takes a TLS certificate of this authority as a login, by AUTH EXTERNAL (RFC 4422 A); instead of `passwd`. The user is the \
             mail address in it (the first rfc822Name of subjectAltName), or else its common name.",
        )
            .properties(&[
                PropertySpec::new("authority", ValueType::Path, "A PEM file in the site's folder with the authority's certificate.").required()
            ])
            .example("client-certificate authority=\"tls/clients.pem\"")
            .postfix(&["smtpd_tls_ask_ccert", "smtpd_tls_CAfile", "relay_clientcerts"]),
        NodeSpec::new("limit", "What one user may send in a time.")
            .properties(&[
                PropertySpec::new("messages", ValueType::Rate, "Messages."),
                PropertySpec::new("new-recipients", ValueType::Rate, "Recipients that the user never wrote to before."),
            ])
            .example("limit messages=\"1000/1d\" new-recipients=\"200/1d\""),
    ])
    .many()
    .example("users \"staff\" {\n    passwd secret=\"users\"\n}")
    .postfix(&["smtpd_sasl_type", "smtpd_sasl_path", "smtpd_sender_login_maps"]);
