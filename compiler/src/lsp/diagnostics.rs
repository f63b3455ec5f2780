//! What is wrong, as it is typed. The documents of an editor are compiled as `postern check` would, on a thread of their own, so
//! that a large site holds nobody up: the newest state of things is all that is ever waited for, and it is compiled when the
//! keys rest. What was found goes to the client as soon as it is known, and stays here for whoever asks about a place.

use super::position::{Encoding, Lines};
use super::transport::Client;
use super::workspace::{Document, Workspace};
use crate::compile::{CompileOptions, compile_loaded};
use crate::report::{Diagnostic as Finding, Severity};
use crate::source::{SourceId, Sources, Span};
use crate::syntax::{load, parse};
use lsp_server::Notification as Message;
use lsp_types::notification::{Notification, PublishDiagnostics};
use lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString, Position, PublishDiagnosticsParams,
    Url,
};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the keys must rest.
const REST: Duration = Duration::from_millis(120);
/// How many rests a person may type through before the site is compiled all the same.
const PATIENCE: usize = 12;

/// A finding as the editor sees it, and as it was made.
#[derive(Clone, PartialEq, Debug)]
pub struct Shown {
    /// For the client.
    pub diagnostic: Diagnostic,
    /// What to write instead, if that is known, and in place of what.
    pub fix: Option<(lsp_types::Range, String)>,
}

/// Everything that was found, by document.
type Found = BTreeMap<Url, Vec<Shown>>;

/// The thread that compiles.
pub struct Analyst {
    jobs: Sender<Workspace>,
    found: Arc<Mutex<Found>>,
}

impl Analyst {
    /// Starts it.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(client: Client, encoding: Encoding) -> std::io::Result<Analyst> {
        let (jobs, received) = channel();
        let found = Arc::new(Mutex::new(Found::new()));
        let shared = Arc::clone(&found);
        std::thread::Builder::new().name("analyst".to_owned()).spawn(move || run(&received, &client, encoding, &shared))?;
        Ok(Analyst { jobs, found })
    }

    /// Looks at the newest state of things.
    pub fn look(&self, workspace: &Workspace) {
        // A thread that is gone has said why, and the rest of the server serves on.
        let _ = self.jobs.send(workspace.clone());
    }

    /// What was found at a place.
    pub fn at(&self, uri: &Url, position: Position) -> Vec<Shown> {
        self.within(uri, lsp_types::Range::new(position, position))
    }

    /// What was found in a range, or touches it.
    pub fn within(&self, uri: &Url, range: lsp_types::Range) -> Vec<Shown> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = found.get(uri).into_iter().flatten();
        shown
            .filter(|shown| shown.diagnostic.range.start <= range.end && range.start <= shown.diagnostic.range.end)
            .cloned()
            .collect()
    }
}

fn run(jobs: &Receiver<Workspace>, client: &Client, encoding: Encoding, shared: &Mutex<Found>) {
    while let Ok(mut workspace) = jobs.recv() {
        for _ in 0..PATIENCE {
            match jobs.recv_timeout(REST) {
                Ok(newer) => workspace = newer,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        // A mistake of ours must not end an editor's help; the hook has said where it is.
        let Ok(found) = catch_unwind(AssertUnwindSafe(|| analyse(&workspace, encoding))) else { continue };
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *shared, found);
        publish(client, &workspace, &before, &shared);
    }
}

/// Tells the client what is new. Of a file that is not open, nothing is said as long as nothing is wrong.
fn publish(client: &Client, workspace: &Workspace, before: &Found, now: &Found) {
    let gone = before.iter().filter(|(uri, shown)| !now.contains_key(uri) && !shown.is_empty());
    let changed = now.iter().filter(|(uri, shown)| match before.get(uri) {
        Some(before) => before != *shown,
        None => !shown.is_empty() || workspace.document(uri).is_some(),
    });
    for (uri, shown) in gone.map(|(uri, _)| (uri, &[][..])).chain(changed.map(|(uri, shown)| (uri, &shown[..]))) {
        let diagnostics = shown.iter().map(|shown| shown.diagnostic.clone()).collect();
        let version = workspace.document(uri).map(|document| document.version);
        let params = PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version };
        client.send(Message::new(PublishDiagnostics::METHOD.to_owned(), params));
    }
}

/// Everything that is wrong with the sites of the open documents; each open document is in it, if only with nothing.
pub fn analyse(workspace: &Workspace, encoding: Encoding) -> Found {
    let mut found = Found::new();
    for document in workspace.documents() {
        // A document that was part of a site before it is not looked at again.
        if !found.contains_key(&document.uri) {
            found.entry(document.uri.clone()).or_default();
            look_at(document, workspace, encoding, &mut found);
        }
    }
    found
}

fn look_at(document: &Document, workspace: &Workspace, encoding: Encoding, found: &mut Found) {
    let site = workspace.site_of(document);
    let Some(loaded) = site.root.and_then(|root| load(&root, &workspace.options()).ok()) else {
        // Nobody knows what this file is for: only its own text can be judged.
        let findings = parse(site.here, &document.text).diagnostics;
        show(&findings, &site.sources, encoding, found, |_| Some(document.uri.clone()));
        return;
    };
    let options = CompileOptions { profile: workspace.profile.clone(), ..CompileOptions::default() };
    let compiled = compile_loaded(loaded, &options);
    show(&compiled.diagnostics, &compiled.sources, encoding, found, |id| workspace.uri(&compiled.sources, id));
}

fn show(findings: &[Finding], sources: &Sources, encoding: Encoding, found: &mut Found, uri: impl Fn(SourceId) -> Option<Url>) {
    let files: Vec<(Option<Url>, Lines<'_>)> =
        sources.iter().map(|(id, source)| (uri(id), Lines::new(&source.text, encoding))).collect();
    for (uri, _) in &files {
        found.extend(uri.clone().filter(|uri| !found.contains_key(uri)).map(|uri| (uri, Vec::new())));
    }
    let range = |span: Span| {
        let start = span.start as usize;
        files[usize::from(span.source.0)].1.range(start..start + span.length as usize)
    };
    let location = |span: Span| files[usize::from(span.source.0)].0.clone().map(|uri| Location::new(uri, range(span)));
    for finding in findings {
        let Some(Location { uri, range: place }) = location(finding.primary) else { continue };
        let related = finding.secondary.iter().filter_map(|label| {
            Some(DiagnosticRelatedInformation { location: location(label.span)?, message: label.text.clone() })
        });
        let related: Vec<DiagnosticRelatedInformation> = related.collect();
        let diagnostic = Diagnostic {
            range: place,
            severity: Some(match finding.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
                Severity::Note => DiagnosticSeverity::INFORMATION,
            }),
            code: Some(NumberOrString::String(finding.code.to_owned())),
            source: Some("postern".to_owned()),
            message: message(finding),
            related_information: Some(related).filter(|related| !related.is_empty()),
            ..Diagnostic::default()
        };
        let fix = finding.fix.as_ref().filter(|(span, _)| span.source == finding.primary.source);
        let shown = Shown { diagnostic, fix: fix.map(|(span, text)| (range(*span), text.clone())) };
        let list = found.entry(uri).or_default();
        // Two sites may share a file.
        if !list.contains(&shown) {
            list.push(shown);
        }
    }
}

/// The sentence, what to do, and where a newcomer would look for it.
fn message(finding: &Finding) -> String {
    let mut message = finding.message.clone();
    if let Some(help) = &finding.help {
        message.push('\n');
        message.push_str(help);
    }
    if !finding.postfix.is_empty() {
        message.push_str("\nIn Postfix: ");
        message.push_str(&finding.postfix.join(", "));
    }
    message
}
