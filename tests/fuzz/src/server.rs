//! What must hold of the server side of SMTP, whatever a client sends: it ends, it answers in whole lines that begin with a number,
//! and nothing of what the client sent breaks out of a line of ours.

use bytes::BytesMut;
use postern_schema::reply::Reply;
use postern_schema::site::ListenerKind;
use posternd::smtp::sasl::SaslStep;
use posternd::smtp::data::TextForm;
use posternd::smtp::server::{BodyKind, Question, Server, ServerConfig, Step};
use std::sync::Arc;

/// What the daemon reads at once is cut as the second octet says.
const PIECES: [usize; 4] = [1, 3, 64, 4096];

/// One session. The first two octets choose the listener, what it offers and how the rest is cut.
pub fn holds_a_session(octets: &[u8]) {
    let [choice, cut, input @ ..] = octets else { return };
    let kinds = [ListenerKind::Mx, ListenerKind::Submission, ListenerKind::Submissions, ListenerKind::Reinject, ListenerKind::Lmtp];
    let kind = kinds[usize::from(choice & 7) % kinds.len()];
    let config = ServerConfig {
        hostname: "mail.example.com".into(),
        kind,
        starttls: choice & 8 != 0,
        mechanisms: ["SCRAM-SHA-256", "PLAIN", "LOGIN", "OAUTHBEARER"].map(Box::from).to_vec(),
        message_octets: 4096,
        recipients: 3,
        hops: 5,
        vrfy: choice & 16 != 0,
        xclient: choice & 32 != 0,
        mends_line_ends: choice & 64 != 0,
        errors: 20,
    };
    let mut server = Server::new(Arc::new(config), kind.is_implicit_tls() || choice & 128 != 0);
    server.greet();
    let (mut buffer, mut said, mut is_binary) = (BytesMut::new(), Vec::new(), false);
    for piece in input.chunks(PIECES[usize::from(*cut) % PIECES.len()]) {
        buffer.extend_from_slice(piece);
        if !advance(&mut server, &mut buffer, &mut said, &mut is_binary) {
            break;
        }
    }
    assert_lines(&said);
}

/// Goes on until there is nothing to do; `false`: the session is over.
fn advance(server: &mut Server, input: &mut BytesMut, said: &mut Vec<u8>, is_binary: &mut bool) -> bool {
    // Each step takes an octet at least, asks one question, or is the last.
    for _ in 0..4 * input.len() + 64 {
        let step = server.advance(input);
        said.append(server.output());
        match step {
            Step::NeedInput => return true,
            Step::Close => return false,
            Step::Flush => {}
            Step::StartTls => {
                // What came with it was not encrypted, and is void.
                input.clear();
                server.tls_started();
            }
            Step::Question(question) => server.answer(&answer(question, is_binary)),
        }
    }
    panic!("the session goes round in a circle");
}

/// A site that says yes and no by what it is asked.
fn answer(question: Question, is_binary: &mut bool) -> Reply {
    match question {
        Question::Mail(request) => {
            *is_binary = request.body == BodyKind::Binary;
            Reply::OK
        }
        Question::Recipient(request) if request.forward_path.to_string().starts_with('x') => Reply::LOCAL_ERROR,
        Question::Authenticate(credentials) if &*credentials.user != "alice" => Reply::BAD_CREDENTIALS,
        Question::Authenticate(_) => Reply::AUTHENTICATED,
        Question::Sasl(SaslStep::Begin { .. }) => Reply::challenge(String::new()),
        Question::Sasl(SaslStep::Response(response)) if response.is_empty() => Reply::AUTHENTICATED,
        Question::Sasl(SaslStep::Response(_)) => Reply::BAD_CREDENTIALS,
        Question::Message(message) => {
            // RFC 5321 2.3.8: whatever was framed, a message is lines that end in CRLF, and one that came as binary is made so.
            let body = match is_binary {
                false => message.body,
                true => {
                    let mut form = TextForm::default();
                    let text = form.feed(&message.body);
                    match form.finish() {
                        Ok(rest) => [text, rest].concat(),
                        Err(fault) => return fault,
                    }
                }
            };
            assert!(body.is_empty() || body.ends_with(b"\r\n"), "a message without an end");
            let bare = (0..body.len()).any(|at| match body[at] {
                b'\n' => at == 0 || body[at - 1] != b'\r',
                b'\r' => body.get(at + 1) != Some(&b'\n'),
                _ => false,
            });
            assert!(!bare, "a message with a bare line end");
            Reply::queued("1")
        }
        _ => Reply::OK,
    }
}

fn assert_lines(said: &[u8]) {
    // A client that has not finished its line hears nothing.
    if said.is_empty() {
        return;
    }
    let text = std::str::from_utf8(said).expect("replies are UTF-8");
    let whole = text.strip_suffix("\r\n").expect("replies end in CRLF");
    for line in whole.split("\r\n") {
        let begins = line.len() >= 3 && line.as_bytes()[..3].iter().all(u8::is_ascii_digit);
        assert!(begins && matches!(line.as_bytes().get(3), None | Some(b' ' | b'-')), "{line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}
