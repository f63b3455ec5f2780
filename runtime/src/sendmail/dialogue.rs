//! `-bs`: a program speaks SMTP on standard input, as some mail programs do to a local sendmail. The protocol is the daemon's own;
//! what is accepted goes into the drop folder, so recipients are looked at later, and who is refused comes back as a notice.

use super::slip::Slip;
use super::{Failure, MESSAGE_LIMIT_OCTETS};
use crate::smtp::server::{Question, Server, ServerConfig, Step};
use bytes::BytesMut;
use postern_schema::reply::Reply;
use postern_schema::site::ListenerKind;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

const RECIPIENTS: u32 = 1000;
const HOPS: u32 = 100;
const ERRORS: u32 = 100;
/// What is read at once of a line.
const LINE_LIMIT_OCTETS: u64 = 16 << 10;

/// Speaks until the program says QUIT or ends.
///
/// # Errors
/// [`Failure`] of standard input or output; messages were answered one by one.
pub fn run(state: &Path, input: &mut dyn Read) -> Result<(), Failure> {
    let config = ServerConfig {
        hostname: "localhost".into(),
        kind: ListenerKind::Mx,
        starttls: false,
        mechanisms: Vec::new(),
        message_octets: MESSAGE_LIMIT_OCTETS,
        recipients: RECIPIENTS,
        hops: HOPS,
        vrfy: true,
        xclient: false,
        mends_line_ends: false,
        errors: ERRORS,
    };
    let mut server = Server::new(Arc::new(config), false);
    server.greet();
    converse(&mut server, state, &mut BufReader::new(input), &mut io::stdout().lock()).map_err(|error| Failure::io(&error))
}

fn converse(server: &mut Server, state: &Path, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    let (mut pending, mut slip) = (BytesMut::new(), Slip::default());
    loop {
        let step = server.advance(&mut pending);
        if !matches!(step, Step::Question(_)) {
            output.write_all(server.output())?;
            server.output().clear();
            output.flush()?;
        }
        match step {
            Step::Flush => {}
            Step::Close | Step::StartTls => return Ok(()),
            // Line by line: a script that says all at once is not somebody who slips in commands before TLS.
            Step::NeedInput => {
                let mut line = Vec::new();
                if (&mut *input).take(LINE_LIMIT_OCTETS).read_until(b'\n', &mut line)? == 0 {
                    return Ok(());
                }
                pending.extend_from_slice(&line);
            }
            Step::Question(question) => {
                let reply = answer(question, &mut slip, state);
                server.answer(&reply);
            }
        }
    }
}

fn answer(question: Question, slip: &mut Slip, state: &Path) -> Reply {
    match question {
        Question::Mail(request) => {
            let envelope_id = request.envelope_id.map(|id| id.as_str().to_owned());
            *slip = Slip { from: Some(request.reverse_path.to_string()), envelope_id, ..Slip::default() };
            Reply::SENDER_OK
        }
        Question::Recipient(request) => {
            slip.to.push(request.forward_path.to_string());
            Reply::RECIPIENT_OK
        }
        Question::Message(message) => match slip.write(state, &message.body) {
            Ok(()) => Reply::queued("local"),
            Err(_) => Reply::LOCAL_ERROR,
        },
        Question::Authenticate(_) | Question::Sasl(_) | Question::Client(_) | Question::Forwarded(_) => Reply::BAD_CREDENTIALS,
    }
}
