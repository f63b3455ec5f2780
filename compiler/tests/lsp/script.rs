//! A conversation as a text. First the files of a folder, each behind a line `--- PATH`; then steps, each a line that begins with
//! `>>>` and, below it, what must come of it:
//!
//! | step | what it does |
//! |---|---|
//! | `encoding utf-8`, `profile NAME` | before the first of the others: what the client offers, and asks for |
//! | `open PATH`, `close PATH` | as an editor does |
//! | `edit PATH OLD => NEW` | replaces the one place where OLD stands; `\n` is a line end |
//! | `save PATH` | writes the text to its file |
//! | `diagnostics` | waits until exactly these are shown |
//! | `hover PATH TEXT`, and `complete`, `define`, `refer`, `can-rename` | asks at the `\|` in TEXT, which stands there once |
//! | `rename PATH TEXT => NAME` | the same, with the new name |
//! | `fix PATH TEXT`, `format PATH`, `outline PATH` | the other requests |
//!
//! A place is shown as `PATH:LINE:COLUMN`, from 0 and as the protocol counts, and in quotes the text that the range covers.

use crate::client::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Plays a case; what went otherwise than it says, if anything did.
pub fn play(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).expect("a case");
    let (files, steps) = text.split_at(text.find(">>>").expect("a step"));
    let folder = tempfile::tempdir().expect("a folder");
    let mut stage = Stage::new(folder.path().canonicalize().expect("a folder"), files);
    let write = std::env::var_os("POSTERN_WRITE_CASES").is_some();
    let mut said = files.to_owned();
    let mut wrong = String::new();
    for step in steps.split("\n>>> ").map(|step| step.trim_start_matches(">>> ")) {
        let (command, expected) = step.split_once('\n').unwrap_or((step, ""));
        let found = stage.step(command, expected.trim_end(), write);
        if found.trim_end() != expected.trim_end() {
            let _ = write!(wrong, "\n{} >>> {command}\n--- expected\n{expected}\n--- found\n{found}", path.display());
        }
        let gap = if found.is_empty() { "" } else { "\n" };
        let _ = write!(said, ">>> {command}\n{found}{gap}");
    }
    if write {
        std::fs::write(path, said.trim_end().to_owned() + "\n").expect("a case");
    }
    (!write && !wrong.is_empty()).then_some(wrong)
}

struct Stage {
    folder: PathBuf,
    client: Option<Client>,
    encoding: &'static str,
    profile: Option<String>,
    /// The texts as the editor has them.
    texts: BTreeMap<String, String>,
    version: i32,
    diagnostics: BTreeMap<String, Vec<String>>,
}

impl Stage {
    fn new(folder: PathBuf, files: &str) -> Stage {
        let mut texts = BTreeMap::new();
        for file in files.split("--- ").skip(1) {
            let (path, text) = file.split_once('\n').expect("a file");
            std::fs::create_dir_all(folder.join(path).parent().expect("a parent")).expect("a folder");
            std::fs::write(folder.join(path), text).expect("a file");
            texts.insert(path.to_owned(), text.to_owned());
        }
        let (diagnostics, encoding) = (BTreeMap::new(), "utf-16");
        Stage { folder, client: None, encoding, profile: None, texts, version: 0, diagnostics }
    }

    fn client(&mut self) -> &mut Client {
        let (folder, encoding, profile) = (self.uri(""), self.encoding, self.profile.clone());
        self.client.get_or_insert_with(|| {
            Client::greeted(json!({
                "processId": null,
                "workspaceFolders": [{"uri": folder, "name": "case"}],
                "initializationOptions": {"profile": profile},
                "capabilities": {"general": {"positionEncodings": [encoding]}}
            }))
        })
    }

    fn uri(&self, path: &str) -> String {
        format!("file://{}", self.folder.join(path).to_string_lossy().trim_end_matches('/'))
    }

    fn step(&mut self, command: &str, expected: &str, write: bool) -> String {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let (path, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        match verb {
            "encoding" => self.encoding = if path == "utf-8" { "utf-8" } else { "utf-16" },
            "profile" => self.profile = Some(path.to_owned()),
            "open" => {
                let document = json!({"uri": self.uri(path), "languageId": "kdl", "version": 0, "text": self.texts[path]});
                self.client().tell("textDocument/didOpen", json!({"textDocument": document}));
            }
            "close" => {
                let uri = self.uri(path);
                self.client().tell("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
                self.texts.insert(path.to_owned(), std::fs::read_to_string(self.folder.join(path)).expect("a file"));
            }
            "edit" => self.edit(path, rest),
            "save" => {
                std::fs::write(self.folder.join(path), &self.texts[path]).expect("a file");
                let uri = self.uri(path);
                self.client().tell("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
            }
            "diagnostics" => return self.wait_for(expected, write),
            _ => return self.ask(verb, path, rest),
        }
        String::new()
    }

    fn edit(&mut self, path: &str, change: &str) {
        let (old, new) = change.split_once(" => ").expect("an edit is OLD => NEW");
        let (old, new) = (unescaped(old), unescaped(new));
        let text = self.texts[path].clone();
        let start = only(&text, &old);
        let range = json!({"start": self.position(&text, start), "end": self.position(&text, start + old.len())});
        self.texts.insert(path.to_owned(), text.replacen(&old, &new, 1));
        self.version += 1;
        let (uri, version) = (self.uri(path), self.version);
        let change = json!({"range": range, "text": new});
        let params = json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]});
        self.client().tell("textDocument/didChange", params);
    }

    /// Takes what is published until it is what is expected, or nothing comes any more.
    fn wait_for(&mut self, expected: &str, write: bool) -> String {
        let wait = Duration::from_secs(if write { 3 } else { 30 });
        loop {
            let shown: Vec<String> = self.diagnostics.values().flatten().cloned().collect();
            let shown = shown.concat();
            if shown.trim_end() == expected && !write {
                return shown;
            }
            let Some(message) = self.client().notification(wait) else { return shown };
            assert_eq!(message["method"], "textDocument/publishDiagnostics", "{message}");
            let uri = message["params"]["uri"].as_str().expect("a uri").to_owned();
            let list = message["params"]["diagnostics"].as_array().expect("a list");
            let list = list.iter().map(|one| self.diagnostic(&uri, one)).collect();
            self.diagnostics.insert(uri, list);
        }
    }

    fn diagnostic(&self, uri: &str, diagnostic: &Value) -> String {
        let severity = ["?", "error", "warning", "note"][diagnostic["severity"].as_u64().expect("a severity") as usize];
        let (code, message) = (&diagnostic["code"], diagnostic["message"].as_str().expect("a message"));
        let place = self.place(uri, &diagnostic["range"]);
        let mut text = format!("{place} {severity} {}\n", code.as_str().expect("a code"));
        message.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        for related in diagnostic["relatedInformation"].as_array().into_iter().flatten() {
            let place = self.place(related["location"]["uri"].as_str().expect("a uri"), &related["location"]["range"]);
            text.push_str(&format!("    {place}: {}\n", related["message"].as_str().expect("a message")));
        }
        text
    }

    fn ask(&mut self, verb: &str, path: &str, rest: &str) -> String {
        let (at, name) = if verb == "rename" { rest.split_once(" => ").expect("a name") } else { (rest, "") };
        let text = self.texts[path].clone();
        let mut params = json!({"textDocument": {"uri": self.uri(path)}});
        if !at.is_empty() {
            let at = unescaped(at);
            let before = at.find('|').expect("a | at the place");
            let offset = only(&text, &at.replacen('|', "", 1)) + before;
            params["position"] = self.position(&text, offset);
            params["range"] = json!({"start": params["position"], "end": params["position"]});
        }
        let method = match verb {
            "hover" => "textDocument/hover",
            "complete" => "textDocument/completion",
            "define" => "textDocument/definition",
            "refer" => "textDocument/references",
            "can-rename" => "textDocument/prepareRename",
            "rename" => "textDocument/rename",
            "fix" => "textDocument/codeAction",
            "format" => "textDocument/formatting",
            "outline" => "textDocument/documentSymbol",
            verb => panic!("no step {verb}"),
        };
        params["newName"] = json!(name);
        params["context"] = json!({"includeDeclaration": true, "diagnostics": [], "triggerKind": 1});
        params["options"] = json!({"tabSize": 4, "insertSpaces": true});
        let uri = self.uri(path);
        match self.client().ask(method, params) {
            Err((code, sentence)) => format!("error {code} {sentence}\n"),
            Ok(Value::Null) => "nothing\n".to_owned(),
            Ok(result) => self.shown(verb, &uri, &result),
        }
    }

    fn shown(&self, verb: &str, uri: &str, result: &Value) -> String {
        let mut text = String::new();
        match verb {
            "hover" => {
                if let Some(range) = result.get("range") {
                    text.push_str(&format!("{}\n", self.place(uri, range)));
                }
                text.push_str(result["contents"]["value"].as_str().expect("markdown"));
                text.push('\n');
            }
            "complete" => {
                for item in result["items"].as_array().expect("items") {
                    let edit = &item["textEdit"];
                    let place = self.place(uri, &edit["range"]);
                    let (new, detail) = (edit["newText"].as_str().expect("a text"), item["detail"].as_str().unwrap_or_default());
                    text.push_str(&format!("{} | {place} => {new} | {detail}\n", item["label"].as_str().expect("a label")));
                }
            }
            "define" | "refer" => {
                for location in result.as_array().expect("locations") {
                    let place = self.place(location["uri"].as_str().expect("a uri"), &location["range"]);
                    text.push_str(&format!("{place}\n"));
                }
            }
            "can-rename" => {
                text.push_str(&format!("{} {}\n", self.place(uri, &result["range"]), result["placeholder"]));
            }
            "rename" => text.push_str(&self.edits(&result["changes"])),
            "fix" => {
                for action in result.as_array().expect("actions") {
                    text.push_str(&format!(
                        "{}\n{}",
                        action["title"].as_str().expect("a title"),
                        self.edits(&action["edit"]["changes"])
                    ));
                }
            }
            "format" => text.push_str(&self.edits(&json!({uri: result}))),
            _ => symbols(result, 0, &mut text),
        }
        text
    }

    fn edits(&self, changes: &Value) -> String {
        let files: BTreeMap<&String, &Value> = changes.as_object().expect("changes").iter().collect();
        let each = files.into_iter().flat_map(|(uri, edits)| {
            let edits = edits.as_array().expect("edits").iter();
            edits.map(|edit| format!("{} => {}\n", self.place(uri, &edit["range"]), edit["newText"])).collect::<Vec<_>>()
        });
        each.collect()
    }

    fn place(&self, uri: &str, range: &Value) -> String {
        let path = uri.strip_prefix(&self.uri("")).map_or(uri, |path| path.trim_start_matches('/'));
        let text = self.texts.get(path).cloned().unwrap_or_default();
        let (start, end) = (&range["start"], &range["end"]);
        let covered = &text[self.offset(&text, start)..self.offset(&text, end)];
        format!("{path}:{}:{} {covered:?}", start["line"], start["character"])
    }

    /// As the protocol counts, by other means than the server's.
    fn position(&self, text: &str, offset: usize) -> Value {
        let before = &text[..offset];
        let column = before.rsplit('\n').next().unwrap_or_default();
        let character = if self.encoding == "utf-8" { column.len() } else { column.encode_utf16().count() };
        json!({"line": before.matches('\n').count(), "character": character})
    }

    fn offset(&self, text: &str, position: &Value) -> usize {
        let wanted = |at: &usize| self.position(text, *at) == *position;
        let mut places = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
        places.find(wanted).unwrap_or_else(|| panic!("{position} is no place of {text:?}"))
    }
}

fn symbols(list: &Value, depth: usize, text: &mut String) {
    for symbol in list.as_array().into_iter().flatten() {
        let detail = symbol["detail"].as_str().unwrap_or_default();
        let line = format!("{}{} {detail}", "  ".repeat(depth), symbol["name"].as_str().expect("a name"));
        text.push_str(&format!("{} {}-{}\n", line.trim_end(), symbol["range"]["start"]["line"], symbol["range"]["end"]["line"]));
        symbols(&symbol["children"], depth + 1, text);
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
}

/// The one place at which a text stands.
fn only(text: &str, needle: &str) -> usize {
    assert_eq!(text.matches(needle).count(), 1, "{needle:?} must stand once in {text:?}");
    text.find(needle).expect("counted")
}
