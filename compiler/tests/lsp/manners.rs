//! What a server owes to a client without manners: an error, or nothing, and then the next message.

use crate::client::Client;
use serde_json::{Value, json};

fn initialized() -> Client {
    Client::greeted(json!({"capabilities": {}}))
}

fn framed(body: &str) -> Vec<u8> {
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn open(client: &mut Client, uri: &str, text: &str) {
    let document = json!({"uri": uri, "languageId": "kdl", "version": 1, "text": text});
    client.tell("textDocument/didOpen", json!({"textDocument": document}));
}

fn at(uri: &str, line: u32, character: u32) -> Value {
    json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}})
}

#[test]
fn nothing_is_served_before_initialize_and_after_shutdown() {
    let mut client = Client::start();
    assert_eq!(client.ask("textDocument/hover", json!({})).unwrap_err().0, -32002);
    assert_eq!(client.ask("shutdown", Value::Null).unwrap_err().0, -32002);
    let result = client.ask("initialize", json!({"capabilities": {}})).unwrap();
    assert_eq!(result["capabilities"]["positionEncoding"], "utf-16");
    assert_eq!(result["serverInfo"]["name"], "postern");
    assert_eq!(client.ask("initialize", json!({"capabilities": {}})).unwrap_err().0, -32601);
    assert_eq!(client.ask("shutdown", Value::Null).unwrap(), Value::Null);
    assert_eq!(client.ask("textDocument/hover", json!({})).unwrap_err().0, -32600);
    client.tell("exit", Value::Null);
    assert_eq!(client.wait().code(), Some(0));
}

#[test]
fn whoever_leaves_without_a_word_is_a_failure() {
    let mut client = initialized();
    client.tell("exit", Value::Null);
    assert_eq!(client.wait().code(), Some(1));
    assert_eq!(initialized().hang_up().code(), Some(1));
    assert_eq!(Client::start().hang_up().code(), Some(1));
    let mut client = initialized();
    client.raw(b"Hello\r\n\r\n");
    assert_eq!(client.wait().code(), Some(1));
}

#[test]
fn what_is_no_request_is_refused_and_the_next_is_served() {
    let mut client = initialized();
    for (body, code) in [("{", -32700), ("[]", -32600), ("\"x\"", -32600), ("{\"id\": {}}", -32600), ("\u{0}", -32700)] {
        client.raw(&framed(body));
        assert_eq!(client.answer(&Value::Null).unwrap_err().0, code, "{body}");
    }
    assert_eq!(client.ask("no/such", json!({})).unwrap_err().0, -32601);
    assert_eq!(client.ask("$/alsoUnknown", json!({})).unwrap_err().0, -32601);
    assert_eq!(client.ask("textDocument/hover", json!({"position": "x"})).unwrap_err().0, -32602);
    client.tell("no/such", json!({}));
    client.tell("textDocument/didOpen", json!({"nonsense": true}));
    client.tell("textDocument/didChange", json!({"textDocument": {"uri": "file:///x", "version": 1}, "contentChanges": []}));
    client.send(&json!({"jsonrpc": "2.0", "id": 77, "result": null}));
    client.tell("$/cancelRequest", json!({"id": "never"}));
    assert_eq!(client.ask("shutdown", Value::Null).unwrap(), Value::Null);
}

#[test]
fn documents_that_are_nowhere_are_served_or_refused() {
    let mut client = initialized();
    let nowhere = "file:///no/such/folder/site.kdl";
    assert_eq!(client.ask("textDocument/hover", at(nowhere, 0, 0)).unwrap_err().0, -32602);
    for uri in [nowhere, "untitled:Untitled-1", "file:///", "https://example.com/site.kdl"] {
        open(&mut client, uri, "route via=\"se\nlisten \"mx\"\n");
        let found = client.ask("textDocument/completion", at(uri, 2, 0)).unwrap();
        assert!(found["items"].as_array().unwrap().len() > 10, "{uri}");
        assert!(
            client.ask("textDocument/hover", at(uri, 1, 2)).unwrap()["contents"]["value"].as_str().unwrap().contains("listen")
        );
        for (line, character) in [(0, 4_000_000_000), (4_000_000_000, 0), (1, 3)] {
            client.ask("textDocument/definition", at(uri, line, character)).unwrap();
            client
                .ask("textDocument/references", {
                    let mut params = at(uri, line, character);
                    params["context"] = json!({"includeDeclaration": false});
                    params
                })
                .unwrap();
        }
    }
}

#[test]
fn a_request_that_was_cancelled_in_time_is_not_worked_on() {
    let mut client = initialized();
    let uri = "file:///no/such/site.kdl";
    open(&mut client, uri, &"relay \"r\" host=\"h.example\"\n".repeat(20_000));
    // While the first is worked on, the second is cancelled behind it; were it too late, it would have been answered.
    let first = client.put("textDocument/documentSymbol", json!({"textDocument": {"uri": uri}}));
    let second = client.put("textDocument/documentSymbol", json!({"textDocument": {"uri": uri}}));
    client.tell("$/cancelRequest", json!({"id": second}));
    assert!(client.answer(&json!(first)).is_ok());
    if let Err((code, _)) = client.answer(&json!(second)) {
        assert_eq!(code, -32800);
    }
}

#[test]
fn giants_and_mazes_are_survived() {
    let mut client = initialized();
    let uri = "file:///no/such/site.kdl";
    let texts = [
        "{".repeat(100_000),
        "domain \"x\" {\n".repeat(5_000),
        "\"".repeat(100_001),
        "a".repeat(1 << 20),
        "/*".repeat(50_000),
        "alias \"a\" \"例え\"\n".repeat(5_000),
        "\u{feff}\r\r\n\u{2028}\0 = ; } /- (x) #".repeat(500),
    ];
    for (version, text) in texts.iter().enumerate() {
        let change = json!({"text": text});
        if version == 0 {
            open(&mut client, uri, text);
        }
        let params = json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]});
        client.tell("textDocument/didChange", params);
        client.ask("textDocument/completion", at(uri, 0, 9)).unwrap();
        client.ask("textDocument/hover", at(uri, 0, 2)).unwrap();
        client
            .ask(
                "textDocument/formatting",
                json!({"textDocument": {"uri": uri}, "options": {"tabSize": 4, "insertSpaces": true}}),
            )
            .unwrap();
        client.ask("textDocument/documentSymbol", json!({"textDocument": {"uri": uri}})).unwrap();
    }
    assert_eq!(client.ask("shutdown", Value::Null).unwrap(), Value::Null);
}
