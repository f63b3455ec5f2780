//! What to say to somebody who looks for a parameter of `main.cf`: [`advice`]. The declarations name the parameters that they
//! stand in for; the table here adds those that no block answers to, and the ones whose answer is worth a sentence.

use super::{NodeSpec, walk};
use std::collections::BTreeSet;

/// What to write instead of a parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advice {
    /// The parameter.
    pub parameter: &'static [&'static str],
    /// What to do: begins with a verb, no full stop.
    pub help: String,
}

/// The advice for a parameter of `main.cf`, if it is one that the language knows an answer to.
pub fn advice(parameter: &str) -> Option<Advice> {
    if let Some((name, help)) = ANSWERS.iter().find(|(name, _)| *name == parameter) {
        return Some(Advice { parameter: std::slice::from_ref(name), help: (*help).to_owned() });
    }
    from_declarations(parameter)
}

/// The first declaration that names the parameter; a setting inside a block is more telling than the block itself.
fn from_declarations(parameter: &str) -> Option<Advice> {
    let mut found: Option<(usize, Advice)> = None;
    walk(&mut |path, spec| {
        let place = |spec: &NodeSpec| match path.last() {
            Some(parent) => format!("Write `{}` in `{parent}`", first_line(spec)),
            None => format!("Write `{}`", first_line(spec)),
        };
        let mut offer = |depth: usize, parameter: &'static [&'static str], help: String| {
            if found.as_ref().is_none_or(|(deepest, _)| depth > *deepest) {
                found = Some((depth, Advice { parameter, help }));
            }
        };
        for name in spec.postfix.iter().filter(|name| **name == parameter) {
            offer(path.len() * 2, std::slice::from_ref(name), place(spec));
        }
        for property in spec.properties {
            for name in property.postfix.iter().filter(|name| **name == parameter) {
                let help = format!("Write {}={} in `{}`", property.name, property.kind.sample(), spec.name);
                offer(path.len() * 2 + 1, std::slice::from_ref(name), help);
            }
        }
    });
    found.map(|(_, advice)| advice)
}

/// Every parameter that [`advice`] knows, in alphabetical order.
pub fn parameters() -> BTreeSet<&'static str> {
    let mut names: BTreeSet<&'static str> = ANSWERS.iter().map(|(name, _)| *name).collect();
    walk(&mut |_, spec| {
        names.extend(spec.postfix);
        names.extend(spec.properties.iter().flat_map(|property| property.postfix));
    });
    names
}

fn first_line(spec: &NodeSpec) -> String {
    match spec.example.split_once('\n') {
        Some((first, _)) => format!("{first} … }}"),
        None => spec.example.to_owned(),
    }
}

/// In alphabetical order.
const ANSWERS: &[(&str, &str)] = &[
    ("alias_maps", "Write `alias \"info\" \"alice\"` in the `domain` that the address is in"),
    ("always_add_missing_headers", "Remove it: what a message from a user lacks is added on submission listeners"),
    ("append_dot_mydomain", "Remove it: every domain is written in full"),
    ("biff", "Remove it: there is no biff service"),
    ("broken_sasl_auth_clients", "Remove it: there is no AUTH= form for old clients"),
    ("command_directory", "Remove it: nothing is looked up on disk"),
    ("compatibility_level", "Remove it: the language has no levels of compatibility"),
    ("daemon_directory", "Remove it: nothing is looked up on disk"),
    ("data_directory", "Remove it, and give `posternd run` its --state folder"),
    ("debug_peer_list", "Remove it, and use `posternd trace`"),
    ("disable_vrfy_command", "Remove it: VRFY never says which addresses exist"),
    ("inet_interfaces", "Write `listen \"mx\" port=25 address=\"192.0.2.1\"`, or leave address= out for every interface"),
    ("inet_protocols", "Remove it: IPv4 and IPv6 are both used; address= of a `listen` narrows it"),
    ("mail_name", "Remove it: the name of the software is not shown to peers"),
    ("mail_owner", "Remove it: the system decides which user runs the daemon"),
    ("mailbox_transport", "Write `deliver \"name\"` in the `domain`, and declare the `transport`"),
    ("mydestination", "Write `domain \"example.com\" { … }` for each domain that mail is taken for"),
    ("mydomain", "Write every domain in full; the host's own name is that of `site`"),
    ("myhostname", "Write `site \"mail.example.com\" { … }`"),
    ("mynetworks", "Write `network \"office\" \"192.0.2.0/24\" relay=#true`"),
    ("mynetworks_style", "Remove it: a `network` lists its ranges"),
    ("myorigin", "Write `origin \"example.com\"` in `site`"),
    ("queue_directory", "Remove it, and give `posternd run` its --state folder"),
    ("readme_directory", "Remove it: nothing is looked up on disk"),
    ("recipient_delimiter", "Write `delimiter \"+\"` in the `domain`"),
    ("relay_domains", "Write `domain \"example.com\" class=\"relay\"`"),
    ("relayhost", "Write `relay \"name\" host=\"mail.isp.example\" port=587` and `route to=\"*\" via=\"name\"`"),
    ("smtp_tls_CAfile", "Remove it: the authorities that the system trusts are used"),
    ("smtp_tls_session_cache_database", "Remove it: sessions are cached in memory"),
    ("smtp_use_tls", "Write `tls \"encrypt\"` in the `relay`, or tls= in the `route`"),
    ("smtpd_banner", "Remove it: the greeting is the name of `site`"),
    ("smtpd_client_restrictions", "Write a `screen`; what no rule allows is refused without being told to"),
    ("smtpd_data_restrictions", "Remove it: a client that does not wait for its turn is always refused"),
    ("smtpd_delay_reject", "Remove it: each refusal falls as early as it can"),
    ("smtpd_end_of_data_restrictions", "Remove it: what no rule allows is refused without being told to"),
    ("smtpd_helo_required", "Remove it: a greeting is always required"),
    ("smtpd_recipient_restrictions", "Remove it: what no rule allows is refused; trust a `network`, or let `users` log in"),
    ("smtpd_relay_restrictions", "Remove it: only `users` who logged in and a `network` with relay=#true may relay"),
    ("smtpd_sasl_security_options", "Remove it: there is no anonymous login, and no login without TLS"),
    ("smtpd_tls_auth_only", "Remove it: AUTH is offered under TLS alone"),
    ("smtpd_tls_session_cache_database", "Remove it: sessions are cached in memory"),
    ("smtputf8_enable", "Remove it: SMTPUTF8 is always offered"),
    ("soft_bounce", "Remove it, and try the site with `postern test` and `postern explain`"),
    ("strict_rfc821_envelopes", "Remove it: addresses are always checked against RFC 5321"),
    ("transport_maps", "Write `route to=\"example.com\" via=\"name\"`"),
    ("virtual_alias_domains", "Write `domain \"example.com\" { … }` for each domain, with its aliases inside"),
    ("virtual_alias_maps", "Write `alias \"info\" \"alice\"` in the `domain` that the address is in"),
    ("virtual_gid_maps", "Remove it: the daemon's own user owns the mailboxes"),
    ("virtual_mailbox_domains", "Write `domain \"example.com\" { … }` for each domain, with its mailboxes inside"),
    ("virtual_mailbox_maps", "Write `mailbox \"alice\"` in the `domain` that the address is in"),
    ("virtual_uid_maps", "Remove it: the daemon's own user owns the mailboxes"),
];
