//! What `up` says once the site is served: where it listens, where mail lands, and a line to paste that sends some.

use super::daemon::Ready;
use crate::addresses::Address;
use crate::model::Model;
use postern_schema::name::Mailbox;
use postern_schema::site::TransportKind;
use std::fmt::Write;
use std::path::PathBuf;

/// The most mailboxes that are listed.
const MAILBOXES_SHOWN: usize = 10;

/// The whole text.
pub fn text(ready: &Ready, model: &Model) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "serving {}\n\nlistening:", &ready.digest);
    for listener in &ready.listeners {
        let named = if listener.name == listener.kind { String::new() } else { format!("  (kind {})", listener.kind) };
        let _ = writeln!(text, "  {:<14} {}{named}", listener.name, listener.address);
    }
    let mailboxes: Vec<(Mailbox, PathBuf)> = maildirs(ready, model).take(MAILBOXES_SHOWN + 1).collect();
    if !mailboxes.is_empty() {
        text.push_str("\nmail lands in:\n");
    }
    for (mailbox, folder) in mailboxes.iter().take(MAILBOXES_SHOWN) {
        let _ = writeln!(text, "  {mailbox:<30} {}/new/", folder.display(), mailbox = mailbox.to_string());
    }
    if mailboxes.len() > MAILBOXES_SHOWN {
        let _ = writeln!(text, "  ... and more: `postern show` lists them");
    }
    if let Some(line) = sending_line(ready, model, &mailboxes) {
        let _ = writeln!(text, "\nto send a message:\n  {line}");
    }
    text.push_str("\nCtrl-C stops it\n");
    text
}

/// Every mailbox with its Maildir.
fn maildirs<'a>(ready: &'a Ready, model: &'a Model) -> impl Iterator<Item = (Mailbox, PathBuf)> + 'a {
    let mailboxes = model.addresses.iter().filter(|address| address.is_mailbox());
    mailboxes.filter_map(|address| {
        let domain = address.domain()?;
        let TransportKind::Maildir { path } = &model.site.transport(&model.domains.get(domain)?.transport)?.kind else {
            return None;
        };
        let path = path.replace("{domain}", domain.as_str()).replace("{user}", address.local());
        Some((address.mailbox()?, ready.state.join(path)))
    })
}

/// A line for the shell. The recipient is the widest alias if there is one, since that shows most; the sender is of the site, so
/// that nobody needs DNS to believe it.
fn sending_line(ready: &Ready, model: &Model, mailboxes: &[(Mailbox, PathBuf)]) -> Option<String> {
    let listener = ready.listeners.iter().find(|listener| listener.kind == "mx")?;
    let widest = model.addresses.iter().filter(Address::is_alias).max_by_key(|alias| alias.targets().len());
    let alias = widest.and_then(|alias| alias.mailbox());
    let (sender, _) = mailboxes.iter().find(|(mailbox, _)| is_plain(mailbox))?;
    let recipient = alias.filter(is_plain).unwrap_or_else(|| sender.clone());
    Some(format!(
        "printf 'From: {sender}\\r\\nTo: {recipient}\\r\\nSubject: It works\\r\\n\\r\\nHello\\r\\n' | \
         curl smtp://{}/localhost --mail-from {sender} --mail-rcpt {recipient} --upload-file -",
        listener.address
    ))
}

/// Whether an address can stand in a shell line without quoting.
fn is_plain(mailbox: &Mailbox) -> bool {
    mailbox.to_string().bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-_@+".contains(&octet))
}

#[cfg(test)]
mod tests;
