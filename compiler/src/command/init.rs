//! `postern init`: a first site, from flags or from answers. What it writes compiles without a warning, or is not written.

use super::{Failure, Status, complain, print};
use crate::compile::{CompileOptions, compile_text};
use crate::report::Severity;
use clap::Args;
use postern_schema::name::{Domain, HostName, LocalPart};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;

/// The arguments of `init`. What is missing is asked for on a terminal.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The file that is written; it may not be there yet
    #[arg(value_name = "FILE", default_value = "site.kdl")]
    file: PathBuf,
    /// The host's own name, as in mail.example.com
    #[arg(long, value_name = "H", value_parser = parse_domain)]
    hostname: Option<Domain>,
    /// The domain that mail is taken for
    #[arg(long, value_name = "D", value_parser = parse_domain)]
    domain: Option<Domain>,
    /// A mailbox there, by its local part; the first one reads mail to postmaster
    #[arg(long = "mailbox", value_name = "NAME", value_parser = parse_local)]
    mailboxes: Vec<LocalPart>,
    /// A public address of the host
    #[arg(long = "address", value_name = "IP")]
    addresses: Vec<IpAddr>,
    /// The host that carries mail onward, with or without a port; else mail goes out directly
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_relay)]
    relay: Option<Relay>,
    /// The name to log in by at the relay; the password goes into the credential `relay`
    #[arg(long, value_name = "U", requires = "relay")]
    relay_login: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Relay {
    host: HostName,
    port: u16,
}

/// Everything that a site is made of here.
struct Answers {
    hostname: Domain,
    domain: Domain,
    mailboxes: Vec<LocalPart>,
    addresses: Vec<IpAddr>,
    relay: Option<Relay>,
    relay_login: Option<String>,
}

fn parse_domain(text: &str) -> Result<Domain, String> {
    let domain = Domain::parse(text).map_err(|error| error.to_string())?;
    if domain.is_fully_qualified() {
        Ok(domain)
    } else {
        Err("it has one label; other hosts know names with two or more".to_owned())
    }
}

fn parse_local(text: &str) -> Result<LocalPart, String> {
    LocalPart::parse(text).map_err(|error| error.to_string())
}

/// `smtp.example.com`, `smtp.example.com:587`, `[192.0.2.1]:25`; the brackets of Postfix around a name are let pass.
fn parse_relay(text: &str) -> Result<Relay, String> {
    let (host, port) = match text.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("{port:?} is no port"))?),
        None => (text, 587),
    };
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|name| Domain::parse(name).is_ok());
    let host = HostName::parse(bare.unwrap_or(host)).map_err(|error| error.to_string())?;
    Ok(Relay { host, port })
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    if arguments.file.exists() {
        return Err(Failure::refused(format!("{} is there already; name another file", arguments.file.display())));
    }
    let answers = if io::stdin().is_terminal() { ask(arguments)? } else { take(arguments)? };
    let text = site(&answers);
    let compiled = compile_text("site.kdl", &text, &CompileOptions::default());
    // A note is something to do next: `check` shows it when there is a site.
    if let Some(finding) = compiled.diagnostics.iter().find(|finding| finding.severity > Severity::Note) {
        let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        return Err(Failure::usage(format!("that makes no good site: {}{help}", finding.message)));
    }
    let failed = |error: io::Error| Failure::refused(format!("{}: {error}", arguments.file.display()));
    // Never over a file that came into being while we asked.
    let mut file = File::create_new(&arguments.file).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    print(&format!("{}\n", arguments.file.display()))?;
    let folder = arguments.file.with_file_name("credentials");
    complain(&format!("the site names secrets; put their files into {}", folder.display()));
    complain(&format!("next: postern check {0}, and to try it out: postern up {0}", arguments.file.display()));
    Ok(Status::Fine)
}

/// From flags alone.
fn take(arguments: &Arguments) -> Result<Answers, Failure> {
    let missing = |flag: &str| Failure::usage(format!("say {flag}; on a terminal it would be asked for"));
    let hostname = arguments.hostname.clone().ok_or_else(|| missing("--hostname"))?;
    Ok(Answers {
        domain: arguments.domain.clone().or_else(|| domain_of(&hostname)).ok_or_else(|| missing("--domain"))?,
        hostname,
        mailboxes: if arguments.mailboxes.is_empty() { return Err(missing("--mailbox")) } else { arguments.mailboxes.clone() },
        addresses: arguments.addresses.clone(),
        relay: arguments.relay.clone(),
        relay_login: arguments.relay_login.clone(),
    })
}

/// The domain that a mail host most likely serves.
fn domain_of(hostname: &Domain) -> Option<Domain> {
    hostname.parent().filter(Domain::is_fully_qualified)
}

/// From flags, and questions for the rest.
fn ask(arguments: &Arguments) -> Result<Answers, Failure> {
    let hostname = match &arguments.hostname {
        Some(hostname) => hostname.clone(),
        None => question("The host's own name (mail.example.com)", None, parse_domain)?,
    };
    let guess = domain_of(&hostname).unwrap_or_else(|| hostname.clone());
    let domain = match &arguments.domain {
        Some(domain) => domain.clone(),
        None => question("The domain that mail is taken for", Some(guess.as_str()), parse_domain)?,
    };
    let mailboxes = match arguments.mailboxes.as_slice() {
        [] => {
            question("Mailboxes there, the postmaster's first (alice bob)", None, |text| list(text, parse_local).and_then(some))?
        }
        given => given.to_vec(),
    };
    let addresses = match arguments.addresses.as_slice() {
        [] => {
            let address = |text: &str| text.parse::<IpAddr>().map_err(|error| error.to_string());
            question("Public addresses of the host, or none", Some(""), |text| list(text, address))?
        }
        given => given.to_vec(),
    };
    let (relay, relay_login) = match &arguments.relay {
        Some(relay) => (Some(relay.clone()), arguments.relay_login.clone()),
        None => {
            let relay = question("A relay that carries mail onward (smtp.example.com:587), or none", Some(""), |text| {
                optional(text, parse_relay)
            })?;
            let login = match &relay {
                Some(_) => {
                    question("The name to log in by there, or none", Some(""), |text| optional(text, |text| Ok(text.to_owned())))?
                }
                None => None,
            };
            (relay, login)
        }
    };
    Ok(Answers { hostname, domain, mailboxes, addresses, relay, relay_login })
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split([' ', ',']).filter(|word| !word.is_empty()).map(parse).collect()
}

fn some<T>(items: Vec<T>) -> Result<Vec<T>, String> {
    if items.is_empty() { Err("one is needed".to_owned()) } else { Ok(items) }
}

fn optional<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// Asks until the answer makes sense; an empty one is the default, if there is any.
fn question<T>(text: &str, default: Option<&str>, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Failure> {
    loop {
        let shown = default.filter(|default| !default.is_empty()).map(|default| format!(" [{default}]")).unwrap_or_default();
        // Nobody is left to ask if standard error is gone; the read below then ends it.
        let _ = write!(io::stderr(), "{text}{shown}: ");
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => return Err(Failure::refused("no answer; nothing was written")),
            Ok(_) => {}
        }
        let answer = line.trim();
        match parse(if answer.is_empty() { default.unwrap_or_default() } else { answer }) {
            Ok(value) => return Ok(value),
            Err(why) => complain(&format!("{answer:?} will not do: {why}")),
        }
    }
}

/// The site file.
fn site(answers: &Answers) -> String {
    let Answers { hostname, domain, mailboxes, .. } = answers;
    let address = |local: &LocalPart| quote(&format!("{local}@{domain}"));
    let mut text = format!("site {} {{\n    origin {}\n", quote(hostname.as_str()), quote(domain.as_str()));
    // Writing to a string does not fail.
    let _ = writeln!(text, "    postmaster {}", mailboxes.first().map(address).unwrap_or_default());
    if !answers.addresses.is_empty() {
        let addresses: String = answers.addresses.iter().map(|address| format!(" {}", quote(&address.to_string()))).collect();
        let _ = writeln!(text, "    address{addresses}");
    }
    text.push_str("}\n\n");
    text.push_str(
        "// For a start. Then: certificate \"HOST\" chain=\"tls/mail.pem\" key-secret=\"tls-mail\"\ntls { self-signed; }\n\n",
    );
    text.push_str("listen \"mx\"\nlisten \"submission\"\nlisten \"submissions\"\n\n");
    text.push_str(
        "// The credential `users` holds one line a user: name:{ARGON2ID}hash\nusers \"staff\" { passwd secret=\"users\"; }\n\n",
    );
    let _ = writeln!(text, "domain {} {{", quote(domain.as_str()));
    for local in mailboxes {
        let _ = writeln!(text, "    mailbox {}", quote(&local.to_string()));
    }
    // RFC 2142 4: complaints about mail of the domain go there.
    if let Some(first) = mailboxes.first()
        && !mailboxes.iter().any(|local| local.folded() == "abuse")
    {
        let _ = writeln!(text, "    alias \"abuse\" {}", quote(&first.to_string()));
    }
    text.push_str("}\n\n");
    match &answers.relay {
        Some(relay) => {
            let _ = writeln!(
                text,
                "relay \"relay\" host={} port={} {{\n    tls \"verify\"",
                quote(&relay.host.to_string()),
                relay.port
            );
            if let Some(login) = &answers.relay_login {
                let _ = writeln!(text, "    login {} secret=\"relay\"", quote(login));
            }
            // Only the provider knows, and until it is said there is no SPF record.
            text.push_str("    // What the provider says that SPF records should include: spf-include \"DOMAIN\"\n");
            text.push_str("}\nroute to=\"*\" via=\"relay\"\n\n");
        }
        None => text.push_str("route to=\"*\" via=\"direct\"\n\n"),
    }
    text.push_str(
        "test \"strangers cannot relay\" {\n    from \"stranger@elsewhere.example\"\n    to \"victim@elsewhere.example\"\n    \
         expect \"reject\" reason=\"relay-denied\"\n}\n",
    );
    let _ = writeln!(
        text,
        "test \"postmaster is read\" {{\n    from \"\"\n    to {}\n    expect \"accept\"\n}}",
        quote(&format!("postmaster@{domain}"))
    );
    text
}

/// A string of KDL.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests;
