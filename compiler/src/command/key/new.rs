//! `postern key new`: makes a key pair, and puts each half where it belongs.

use super::super::site::SiteArguments;
use super::super::{Failure, Status, complain, print};
use super::edit::Edit;
use super::{compiled, domain, today};
use crate::certificate::Date;
use crate::lower::draft::DomainDraft;
use crate::source::{Sources, Span};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use postern_schema::name::Domain;
use postern_schema::site::{DomainClass, SecretName, Selector, SigningAlgorithm};
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The arguments of `key new`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    site: SiteArguments,
    /// The domain that it signs for
    #[arg(long, value_name = "D", value_parser = domain)]
    domain: Domain,
    /// The credentials folder, into which the private half goes
    #[arg(long, value_name = "DIR")]
    credentials: PathBuf,
    /// The algorithm: RSA is understood everywhere, Ed25519 goes beside it
    #[arg(long, value_enum, default_value = "rsa")]
    algorithm: Algorithm,
    /// The selector, new in DNS too; else one with the day
    #[arg(long, value_name = "NAME", value_parser = selector)]
    selector: Option<Selector>,
}

/// What can be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Algorithm {
    /// RSA of 2048 bits
    Rsa,
    /// Ed25519
    Ed25519,
}

fn selector(text: &str) -> Result<Selector, String> {
    Selector::parse(text).ok_or_else(|| "letters, digits and hyphens, such as 2026a".to_owned())
}

/// A key pair in PEM.
struct Pair {
    private: String,
    public: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let (compiled, draft) = compiled(&arguments.site)?;
    let name = &arguments.domain;
    let Some(domain) = draft.domain(name) else {
        return Err(Failure::usage(format!("{name} is no domain of this site")));
    };
    if domain.class.value == DomainClass::Parked {
        return Err(Failure::usage(format!("{name} is parked: it sends nothing, so it signs nothing")));
    }
    let today = today(&arguments.site);
    let selector = match &arguments.selector {
        Some(selector) if domain.signers.iter().any(|signer| signer.selector.value == *selector) => {
            return Err(Failure::usage(format!("{name} has a key with the selector {selector} already")));
        }
        Some(selector) => selector.clone(),
        None => free_selector(domain, arguments.algorithm, today)?,
    };
    let secret = SecretName::parse(&format!("dkim-{name}-{selector}"))
        .ok_or_else(|| Failure::usage("the selector and the domain are too long for a file name: choose a shorter --selector"))?;
    let pair = make(arguments.algorithm)?;
    let private_path = arguments.credentials.join(secret.as_str());
    let public_name = format!("dkim/{name}.{selector}.pub");
    let public_path = compiled.sources.folder().join(&public_name);
    let mut edit = Edit::default();
    let line = line(arguments.algorithm, &selector, &public_name, &secret, today);
    insert(&mut edit, domain, &compiled.sources, &line)?;
    // A key without its line does no harm; a line without its key would.
    write_new(&private_path, &pair.private, 0o600, 0o700)?;
    let written = write_new(&public_path, &pair.public, 0o644, 0o755)
        .and_then(|()| edit.apply(&compiled.sources, &arguments.site).inspect_err(|_| drop(fs::remove_file(&public_path))));
    if let Err(failure) = written {
        // What nobody refers to, nobody should find.
        drop(fs::remove_file(&private_path));
        return Err(failure);
    }
    print(&format!("{line}\n"))?;
    complain(&format!("the private half is {}", private_path.display()));
    complain("publish the DNS records now; from tomorrow on, `postern key rotate` lets the key sign");
    Ok(Status::Fine)
}

/// `20261121r`, or with one more letter where that is taken.
fn free_selector(domain: &DomainDraft, algorithm: Algorithm, today: Date) -> Result<Selector, Failure> {
    let letter = if algorithm == Algorithm::Rsa { 'r' } else { 'e' };
    let stem = format!("{}{letter}", today.to_string().replace('-', ""));
    let names = std::iter::once(stem.clone()).chain(('b'..='z').map(|more| format!("{stem}{more}")));
    let mut free = names.filter_map(|name| Selector::parse(&name));
    let is_free = |selector: &Selector| domain.signers.iter().all(|signer| signer.selector.value != *selector);
    free.find(is_free).ok_or_else(|| Failure::usage("so many keys in one day: choose a --selector"))
}

fn make(algorithm: Algorithm) -> Result<Pair, Failure> {
    // The library fails only where the system gives no random octets.
    let failed = || Failure::refused("no key could be made: the system gives no random numbers");
    let (private, public) = match algorithm {
        Algorithm::Rsa => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| failed())?;
            let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| failed())?.as_ref().to_vec();
            (private, AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).map_err(|_| failed())?.as_ref().to_vec())
        }
        Algorithm::Ed25519 => {
            let pair = Ed25519KeyPair::generate().map_err(|_| failed())?;
            let private = pair.to_pkcs8v1().map_err(|_| failed())?.as_ref().to_vec();
            (private, AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).map_err(|_| failed())?.as_ref().to_vec())
        }
    };
    Ok(Pair { private: pem("PRIVATE KEY", &private), public: pem("PUBLIC KEY", &public) })
}

/// RFC 7468 2: lines of 64 characters.
fn pem(label: &str, octets: &[u8]) -> String {
    let body = STANDARD.encode(octets);
    let lines = body.as_bytes().chunks(64).map(|line| line.iter().map(|octet| char::from(*octet)).collect::<String>());
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.collect::<Vec<_>>().join("\n"))
}

/// Makes a file with these rights from its first moment, and whole or not at all, whatever becomes of disk and power; never
/// writes over another. Folders that are not there are made with `folder_mode`.
fn write_new(path: &Path, text: &str, mode: u32, folder_mode: u32) -> Result<(), Failure> {
    let failed =
        |what: &Path, error: std::io::Error| Failure::refused(format!("{}: {error}; nothing was changed", what.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(folder_mode).create(folder).map_err(|error| failed(folder, error))?;
    let mut builder = tempfile::Builder::new();
    let scratch = builder.permissions(Permissions::from_mode(mode)).tempfile_in(folder);
    let mut file = scratch.map_err(|error| failed(folder, error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(|error| failed(path, error))?;
    file.persist_noclobber(path).map_err(|error| failed(path, error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, error))
}

fn line(algorithm: Algorithm, selector: &Selector, public: &str, secret: &SecretName, today: Date) -> String {
    let algorithm = match algorithm {
        Algorithm::Rsa => SigningAlgorithm::RsaSha256,
        Algorithm::Ed25519 => SigningAlgorithm::Ed25519Sha256,
    };
    format!(
        "dkim \"{selector}\" algorithm=\"{algorithm}\" public-key=\"{public}\" key-secret=\"{secret}\" state=\"publish\" published=\"{today}\""
    )
}

/// Behind the keys that the domain has, or else as the first of its block.
fn insert(edit: &mut Edit, domain: &DomainDraft, sources: &Sources, line: &str) -> Result<(), Failure> {
    if let Some(last) = domain.signers.last() {
        let source = sources.source(last.span.source);
        let text = source.line_text(source.line(last.span.start));
        let indent: String = text.chars().take_while(|c| c.is_whitespace()).collect();
        edit.append(last.span, &format!("\n{indent}{line}"));
        return Ok(());
    }
    let source = sources.source(domain.span.source);
    let end = (domain.span.start + domain.span.length) as usize;
    let behind = source.text.get(end..).unwrap_or_default();
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    match behind[blanks..].chars().next() {
        Some('{') => {
            let inside = &behind[blanks + 1..];
            let rest = inside.lines().next().unwrap_or_default();
            // Behind the line with the brace; what stands on it after the brace goes to a line of its own, but for a comment.
            let is_alone = rest.trim().is_empty() || rest.trim_start().starts_with("//");
            let length = if is_alone { 1 + rest.trim_end().len() } else { 1 };
            let opening = Span { start: (end + blanks) as u32, length: length as u32, ..domain.span };
            edit.append(opening, &format!("\n    {line}{}", if is_alone { "" } else { "\n   " }));
        }
        None | Some('\n' | '\r' | ';') => edit.append(domain.span, &format!(" {{\n    {line}\n}}")),
        Some(_) => {
            return Err(Failure::refused(format!("the block of {} was not found; write into it: {line}", domain.name.value)));
        }
    }
    Ok(())
}
