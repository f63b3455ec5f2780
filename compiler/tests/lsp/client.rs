//! A client that says what it is told to, and waits for the answer.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The longest wait for an answer: beyond it, the server hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    received: Receiver<Value>,
    notifications: VecDeque<Value>,
    next_id: i32,
}

impl Client {
    pub fn start() -> Client {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        let mut child = command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("postern");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, received) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Client { input: child.stdin.take(), child, received, notifications: VecDeque::new(), next_id: 0 }
    }

    /// One that has shaken hands, with these capabilities and options.
    pub fn greeted(params: Value) -> Client {
        let mut client = Client::start();
        client.ask("initialize", params).expect("a server");
        client.tell("initialized", json!({}));
        client
    }

    pub fn raw(&mut self, octets: &[u8]) {
        let input = self.input.as_mut().expect("an open stream");
        input.write_all(octets).and_then(|()| input.flush()).expect("a server that reads");
    }

    pub fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request; its id.
    pub fn put(&mut self, method: &str, params: Value) -> i32 {
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}));
        self.next_id
    }

    /// Sends a request and waits for its result, or for the code and sentence of its error.
    pub fn ask(&mut self, method: &str, params: Value) -> Result<Value, (i64, String)> {
        let id = self.put(method, params);
        self.answer(&json!(id))
    }

    pub fn answer(&mut self, id: &Value) -> Result<Value, (i64, String)> {
        loop {
            let mut message = self.next().expect("an answer");
            if message.get("id") != Some(id) {
                self.notifications.push_back(message);
                continue;
            }
            return match message.get("error") {
                Some(error) => {
                    let sentence = error["message"].as_str().unwrap_or_default().to_owned();
                    Err((error["code"].as_i64().expect("a code"), sentence))
                }
                None => Ok(message["result"].take()),
            };
        }
    }

    /// The next notification; `None` if none comes within a time.
    pub fn notification(&mut self, wait: Duration) -> Option<Value> {
        self.notifications.pop_front().or_else(|| self.received.recv_timeout(wait).ok())
    }

    fn next(&mut self) -> Option<Value> {
        self.received.recv_timeout(PATIENCE).ok()
    }

    /// Closes the stream and waits for the end.
    pub fn hang_up(mut self) -> ExitStatus {
        self.input = None;
        self.wait()
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        for _ in 0..PATIENCE.as_millis() / 10 {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not end");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        output.read_line(&mut line).ok().filter(|octets| *octets > 0)?;
        match line.trim().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
