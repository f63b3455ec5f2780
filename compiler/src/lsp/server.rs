//! The loop: one message after another, from `initialize` to `exit` (LSP 3.17, "Server lifecycle"). Requests are answered in
//! order; one that its client has cancelled meanwhile is not worked on.

use super::diagnostics::Analyst;
use super::position::Encoding;
use super::scene::{Scene, Settings, Sites, refusal};
use super::transport::{Client, Incoming, read};
use super::workspace::{Workspace, behind_links};
use super::{actions, completion, definition, formatting, hover, references, rename, symbols};
use crate::syntax::SOURCE_MAX_OCTETS;
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response, ResponseError};
use lsp_types::notification::{
    Cancel, DidChangeTextDocument, DidChangeWatchedFiles, DidChangeWorkspaceFolders, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Exit, Notification as _, ShowMessage,
};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentSymbolRequest, Formatting, GotoDefinition, HoverRequest, Initialize,
    PrepareRenameRequest, References, Rename, Request as _, Shutdown,
};
use lsp_types::{
    CancelParams, CompletionOptions, DidChangeTextDocumentParams, HoverProviderCapability, InitializeParams, InitializeResult,
    MessageType, NumberOrString, OneOf, RenameOptions, ServerCapabilities, ServerInfo, ShowMessageParams,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, Url, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};

/// The most messages that are read before they are answered.
const BACKLOG: usize = 256;

/// How a conversation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goodbye {
    /// As it should: `shutdown`, then `exit`.
    Orderly,
    /// Without `shutdown`, or because the client went away.
    Abrupt,
}

/// Serves one client until it says goodbye.
///
/// # Errors
/// The stream breaks, or no thread can be had.
pub fn serve(mut input: impl BufRead + Send + 'static, output: impl Write + Send + 'static) -> io::Result<Goodbye> {
    let client = Client::new(output);
    let (incoming, received) = sync_channel(BACKLOG);
    let reader = client.clone();
    // The thread ends with the stream, or with the program.
    std::thread::Builder::new().name("reader".to_owned()).spawn(move || {
        loop {
            match read(&mut input) {
                Ok(Some(Incoming::Message(message))) => {
                    if incoming.send(message).is_err() {
                        return Ok(());
                    }
                }
                Ok(Some(Incoming::Malformed(code, why))) => reader.refuse(code, &why),
                Ok(None) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    })?;
    let (settings, workspace, sites) = (Settings::default(), Workspace::default(), Sites::default());
    Server { client, phase: Phase::New, settings, workspace, sites, analyst: None }.run(&received)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    Serving,
    ShutDown,
}

struct Server {
    client: Client,
    phase: Phase,
    settings: Settings,
    workspace: Workspace,
    sites: Sites,
    analyst: Option<Analyst>,
}

impl Server {
    fn run(mut self, received: &Receiver<Message>) -> io::Result<Goodbye> {
        let mut waiting: VecDeque<Message> = VecDeque::new();
        loop {
            let message = match waiting.pop_front() {
                Some(message) => message,
                None => match received.recv() {
                    Ok(message) => message,
                    Err(_) => return Ok(Goodbye::Abrupt),
                },
            };
            waiting.extend(received.try_iter().take(BACKLOG));
            match message {
                Message::Request(request) if waiting.iter().any(|later| cancels(later, &request.id)) => {
                    let why = "the client has cancelled this".to_owned();
                    self.client.send(Response::new_err(request.id, ErrorCode::RequestCanceled as i32, why));
                }
                Message::Request(request) => self.request(request),
                Message::Notification(notification) if notification.method == Exit::METHOD => {
                    return Ok(if self.phase == Phase::ShutDown { Goodbye::Orderly } else { Goodbye::Abrupt });
                }
                Message::Notification(notification) => self.notification(notification),
                // Nothing is asked of the client.
                Message::Response(_) => {}
            }
        }
    }

    fn request(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let answer = match self.phase {
            Phase::New if method == Initialize::METHOD => self.initialize(params),
            Phase::New => Err(refusal(ErrorCode::ServerNotInitialized, "`initialize` comes first")),
            Phase::ShutDown => Err(refusal(ErrorCode::InvalidRequest, "this server is shut down")),
            Phase::Serving if method == Shutdown::METHOD => {
                self.phase = Phase::ShutDown;
                Ok(Value::Null)
            }
            // A mistake of ours costs one answer and not the editor's help; the hook has said where it is.
            Phase::Serving => catch_unwind(AssertUnwindSafe(|| self.answer(&method, params)))
                .unwrap_or_else(|_| Err(refusal(ErrorCode::InternalError, "internal error; standard error says where"))),
        };
        self.client.send(match answer {
            Ok(result) => Response { id, response_result: Ok(result) },
            Err(error) => Response { id, response_result: Err(error) },
        });
    }

    fn initialize(&mut self, params: Value) -> Result<Value, ResponseError> {
        let options = params.get("initializationOptions").cloned().unwrap_or_default();
        let params: InitializeParams = parameters(params)?;
        let general = params.capabilities.general.as_ref();
        self.settings.encoding = Encoding::of(general.and_then(|general| general.position_encodings.as_deref()));
        let completion = params.capabilities.text_document.as_ref().and_then(|text| text.completion.as_ref());
        let item = completion.and_then(|completion| completion.completion_item.as_ref());
        self.settings.snippets = item.and_then(|item| item.snippet_support).unwrap_or(false);
        let folders = params.workspace_folders.iter().flatten().map(|folder| &folder.uri);
        #[allow(deprecated, reason = "a client without workspace folders says its root in this way")]
        let root = params.root_uri.iter();
        self.workspace.folders = folders.chain(root).filter_map(folder).collect();
        self.workspace.profile = options.get("profile").and_then(Value::as_str).map(str::to_owned);
        let analyst = Analyst::start(self.client.clone(), self.settings.encoding);
        self.analyst = Some(analyst.map_err(|error| refusal(ErrorCode::InternalError, error.to_string()))?);
        self.phase = Phase::Serving;
        result(InitializeResult {
            capabilities: capabilities(self.settings.encoding),
            server_info: Some(ServerInfo { name: "postern".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) }),
        })
    }

    fn answer(&self, method: &str, params: Value) -> Result<Value, ResponseError> {
        match method {
            HoverRequest::METHOD => self.ask::<HoverRequest>(params, |params| {
                let at = params.text_document_position_params;
                let scene = self.scene(&at.text_document.uri)?;
                let found = self.analyst.as_ref().map(|analyst| analyst.at(&at.text_document.uri, at.position));
                Ok(hover::hover(&scene, at.position, &found.unwrap_or_default()))
            }),
            Completion::METHOD => self.ask::<Completion>(params, |params| {
                let at = params.text_document_position;
                Ok(Some(completion::complete(&self.scene(&at.text_document.uri)?, at.position)))
            }),
            GotoDefinition::METHOD => self.ask::<GotoDefinition>(params, |params| {
                let at = params.text_document_position_params;
                Ok(definition::definition(&self.scene(&at.text_document.uri)?, at.position))
            }),
            References::METHOD => self.ask::<References>(params, |params| {
                let at = params.text_document_position;
                let with_declaration = params.context.include_declaration;
                Ok(references::references(&self.scene(&at.text_document.uri)?, at.position, with_declaration))
            }),
            PrepareRenameRequest::METHOD => self.ask::<PrepareRenameRequest>(params, |at| {
                rename::prepare(&self.scene(&at.text_document.uri)?, at.position).map(Some)
            }),
            Rename::METHOD => self.ask::<Rename>(params, |params| {
                let at = params.text_document_position;
                rename::rename(&self.scene(&at.text_document.uri)?, at.position, &params.new_name).map(Some)
            }),
            Formatting::METHOD => {
                self.ask::<Formatting>(params, |params| Ok(formatting::format(&self.scene(&params.text_document.uri)?)))
            }
            DocumentSymbolRequest::METHOD => self.ask::<DocumentSymbolRequest>(params, |params| {
                Ok(Some(symbols::symbols(&self.scene(&params.text_document.uri)?)))
            }),
            CodeActionRequest::METHOD => self.ask::<CodeActionRequest>(params, |params| {
                let found = self.analyst.as_ref().map(|analyst| analyst.within(&params.text_document.uri, params.range));
                Ok(Some(actions::actions(&params.text_document.uri, found.unwrap_or_default())))
            }),
            method => Err(refusal(ErrorCode::MethodNotFound, format!("{method} is not served"))),
        }
    }

    fn ask<R: lsp_types::request::Request>(
        &self, params: Value, answer: impl FnOnce(R::Params) -> Result<R::Result, ResponseError>,
    ) -> Result<Value, ResponseError> {
        result(answer(parameters(params)?)?)
    }

    fn scene(&self, uri: &Url) -> Result<Scene<'_>, ResponseError> {
        Scene::of(&self.workspace, &self.sites, uri, self.settings)
    }

    /// Those that cannot be read are dropped: a notification has no answer.
    fn notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        if self.phase != Phase::Serving {
            return;
        }
        let understood = match method.as_str() {
            DidOpenTextDocument::METHOD => noted::<DidOpenTextDocument>(params, |params| {
                self.hold(params.text_document.uri, params.text_document.version, &params.text_document.text);
            }),
            DidChangeTextDocument::METHOD => noted::<DidChangeTextDocument>(params, |params| self.change(params)),
            DidCloseTextDocument::METHOD => noted::<DidCloseTextDocument>(params, |params| {
                self.workspace.release(&params.text_document.uri);
            }),
            DidChangeWorkspaceFolders::METHOD => noted::<DidChangeWorkspaceFolders>(params, |params| {
                let removed: Vec<_> = params.event.removed.iter().filter_map(|removed| folder(&removed.uri)).collect();
                self.workspace.folders.retain(|folder| !removed.contains(folder));
                self.workspace.folders.extend(params.event.added.iter().filter_map(|added| folder(&added.uri)));
            }),
            // Files have changed on disk.
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => true,
            _ => false,
        };
        if let Some(analyst) = self.analyst.as_ref().filter(|_| understood) {
            self.sites.get_mut().clear();
            analyst.look(&self.workspace);
        }
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let Some(document) = self.workspace.document(&params.text_document.uri) else { return };
        let mut text = document.text.to_string();
        for change in params.content_changes {
            match change.range {
                None => text = change.text,
                Some(range) => {
                    let stretch = super::position::Lines::new(&text, self.settings.encoding).stretch(range);
                    text.replace_range(stretch, &change.text);
                }
            }
        }
        self.hold(params.text_document.uri, params.text_document.version, &text);
    }

    fn hold(&mut self, uri: Url, version: i32, text: &str) {
        if text.len() as u64 <= SOURCE_MAX_OCTETS {
            self.workspace.hold(uri, version, text);
            return;
        }
        let message = format!("{uri} has {} octets, and {SOURCE_MAX_OCTETS} is the most", text.len());
        self.workspace.release(&uri);
        let params = ShowMessageParams { typ: MessageType::ERROR, message };
        self.client.send(Notification::new(ShowMessage::METHOD.to_owned(), params));
    }
}

/// What this server does.
fn capabilities(encoding: Encoding) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(true.into()),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(["\"", "=", "@", "{", " "].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: Default::default(),
        })),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(true.into()),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..ServerCapabilities::default()
    }
}

fn folder(uri: &Url) -> Option<std::path::PathBuf> {
    uri.to_file_path().ok().map(|path| behind_links(&path))
}

fn parameters<T: DeserializeOwned>(params: Value) -> Result<T, ResponseError> {
    serde_json::from_value(params).map_err(|error| refusal(ErrorCode::InvalidParams, error.to_string()))
}

fn result(value: impl serde::Serialize) -> Result<Value, ResponseError> {
    serde_json::to_value(value).map_err(|error| refusal(ErrorCode::InternalError, error.to_string()))
}

/// Takes a notification; whether it could be read.
fn noted<N: lsp_types::notification::Notification>(params: Value, take: impl FnOnce(N::Params)) -> bool {
    serde_json::from_value(params).map(take).is_ok()
}

/// Whether a message cancels a request.
fn cancels(message: &Message, id: &RequestId) -> bool {
    let Message::Notification(notification) = message else { return false };
    let cancelled = (notification.method == Cancel::METHOD)
        .then(|| serde_json::from_value::<CancelParams>(notification.params.clone()).ok())
        .flatten();
    cancelled.is_some_and(|cancelled| match cancelled.id {
        NumberOrString::Number(number) => *id == RequestId::from(number),
        NumberOrString::String(text) => *id == RequestId::from(text),
    })
}
