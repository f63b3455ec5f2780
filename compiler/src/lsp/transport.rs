//! Messages over a stream of octets: a header with the length, then JSON (LSP 3.17, "Base Protocol"). The types are those of
//! `lsp-server`; its own reader ends at the first text that is no message, and takes whatever memory a header asks for.

use lsp_server::{ErrorCode, Message};
use serde_json::{Value, json};
use std::io::{self, BufRead, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// The most octets of one message: a document of the largest size that a source may have, with room for its escapes.
const MESSAGE_MAX_OCTETS: u64 = 160 << 20;

/// The most octets of one line of a header.
const HEADER_MAX_OCTETS: u64 = 1024;

/// What a client sent.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// Something else: what to answer.
    Malformed(ErrorCode, String),
}

/// Reads one message; `None` at the end of the stream.
///
/// # Errors
/// The stream breaks, or a header does not say where its message ends.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let Some(length) = header(input)? else { return Ok(None) };
    if length > MESSAGE_MAX_OCTETS {
        io::copy(&mut input.take(length), &mut io::sink())?;
        let why = format!("the message has {length} octets, and {MESSAGE_MAX_OCTETS} is the most");
        return Ok(Some(Incoming::Malformed(ErrorCode::InvalidRequest, why)));
    }
    let mut octets = Vec::new();
    if input.take(length).read_to_end(&mut octets)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(match serde_json::from_slice::<Value>(&octets) {
        Err(error) => Incoming::Malformed(ErrorCode::ParseError, error.to_string()),
        Ok(value) => match serde_json::from_value(value) {
            Ok(message) => Incoming::Message(message),
            Err(_) => Incoming::Malformed(ErrorCode::InvalidRequest, "this is no JSON-RPC message".to_owned()),
        },
    }))
}

/// The length that a header gives; `None` where the stream ends before one begins.
fn header(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    let mut begun = false;
    loop {
        let mut line = Vec::new();
        input.take(HEADER_MAX_OCTETS).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return if begun || !line.is_empty() { Err(io::ErrorKind::InvalidData.into()) } else { Ok(None) };
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            return length.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
        begun = true;
        let (name, value) = line.split_at(line.iter().position(|octet| *octet == b':').unwrap_or(line.len()));
        if name.eq_ignore_ascii_case(b"Content-Length") {
            length = str::from_utf8(value).ok().and_then(|value| value.trim_start_matches(':').trim().parse().ok());
        }
    }
}

/// The way to the client. Clones write to the same stream.
#[derive(Clone)]
pub struct Client(Arc<Mutex<dyn Write + Send>>);

impl Client {
    /// Over a stream.
    pub fn new(output: impl Write + Send + 'static) -> Client {
        Client(Arc::new(Mutex::new(output)))
    }

    /// Sends a message. A client that went away is noticed where it is read from.
    pub fn send(&self, message: impl Into<Message>) {
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = message.into().write(&mut &mut *output);
    }

    /// Answers what was no message, and so has no id (JSON-RPC 2.0, 5).
    pub fn refuse(&self, code: ErrorCode, why: &str) {
        let answer = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code as i32, "message": why}}).to_string();
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // As above.
        let _ = write!(output, "Content-Length: {}\r\n\r\n{answer}", answer.len()).and_then(|()| output.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::{Incoming, MESSAGE_MAX_OCTETS, read};
    use lsp_server::{ErrorCode, Message};
    use std::io::{self, BufReader, Read};

    fn all(octets: &[u8]) -> Vec<String> {
        let mut input = octets;
        let mut said = Vec::new();
        loop {
            said.push(match read(&mut input) {
                Ok(None) => return said,
                Ok(Some(Incoming::Message(Message::Notification(notification)))) => notification.method,
                Ok(Some(Incoming::Message(_))) => "message".to_owned(),
                Ok(Some(Incoming::Malformed(code, _))) => (code as i32).to_string(),
                Err(error) => {
                    said.push(error.kind().to_string());
                    return said;
                }
            });
        }
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn what_is_no_message_does_not_hide_the_next() {
        let note = framed(r#"{"jsonrpc":"2.0","method":"note"}"#);
        let deep = framed(&"[".repeat(100_000));
        let texts = [framed("{"), note.clone(), framed("[1]"), framed("\u{0}"), deep, framed(""), note];
        assert_eq!(all(texts.concat().as_bytes()), ["-32700", "note", "-32600", "-32700", "-32700", "-32700", "note"]);
    }

    #[test]
    fn headers_in_any_case_and_order_are_read() {
        let body = r#"{"method":"a"}"#;
        let text = format!("Content-Type: x\r\ncontent-length:{}\r\n\r\n{body}", body.len());
        assert_eq!(all(text.as_bytes()), ["a"]);
    }

    #[test]
    fn a_header_that_says_no_length_ends_the_stream() {
        for text in ["\r\n\r\n", "Content-Length: x\r\n\r\n{}", "Content-Length: -1\r\n\r\n", "Content-Length: 5", "hello"] {
            assert_eq!(all(text.as_bytes()), ["invalid data"], "{text:?}");
        }
        assert_eq!(all(&vec![b'x'; 1 << 20]), ["invalid data"]);
        assert_eq!(all(b"Content-Length: 5\r\n\r\n{}"), ["unexpected end of file"]);
    }

    #[test]
    fn a_giant_is_passed_over() {
        let giant = MESSAGE_MAX_OCTETS + 1;
        let head = format!("Content-Length: {giant}\r\n\r\n");
        let tail = framed(r#"{"method":"after"}"#);
        let mut input = BufReader::new(head.as_bytes().chain(io::repeat(b' ').take(giant)).chain(tail.as_bytes()));
        assert!(matches!(read(&mut input), Ok(Some(Incoming::Malformed(ErrorCode::InvalidRequest, _)))));
        assert!(matches!(read(&mut input), Ok(Some(Incoming::Message(_)))));
    }
}
