//! Dialogues, played against a server that says what it is told, and against the peer.

use super::*;
use crate::client::{Client, Reply};
use crate::peer::{Peer, Script, TlsMode};
use crate::tls::Authority;
use std::io;

/// Replies in order; records each piece that is sent.
struct Canned {
    replies: Vec<Reply>,
    sent: Vec<Vec<u8>>,
}

impl Canned {
    fn new(replies: &[(u16, &str)]) -> Canned {
        let reply = |(code, text): &(u16, &str)| Reply { code: *code, lines: text.lines().map(str::to_owned).collect() };
        Canned { replies: replies.iter().rev().map(reply).collect(), sent: Vec::new() }
    }
}

impl Conversation for Canned {
    fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.sent.push(octets.to_vec());
        Ok(())
    }
    fn reply(&mut self) -> io::Result<Option<Reply>> {
        Ok(self.replies.pop())
    }
    fn start_tls(&mut self) -> io::Result<()> {
        Err(io::Error::other("none here"))
    }
}

const TWO: &str = "# two\nlistener: mx\nclient: ::1\nS: 220\nC: A\nC- B\\x00\\{3:xy}\\\\\nS: 25 Hello*y?u\nS: closes\n";

#[test]
fn it_is_parsed() {
    let dialogue = Dialogue::parse(TWO).unwrap();
    assert_eq!((dialogue.header("listener"), dialogue.header("client"), dialogue.header("x")), (Some("mx"), Some("::1"), None));
    assert_eq!(dialogue.sent_octets(), 3 + 9);
    for (text, line) in [("S: ok", 1), ("S: 220\nhm", 2), ("C: \\q", 1), ("C: \\{x", 1), ("a: b\n", 1), ("S: 1 /(/", 1)] {
        assert_eq!(Dialogue::parse(text).unwrap_err().line, line, "{text}");
    }
}

#[test]
fn many_in_one_file_share_their_beginning() {
    let text = "listener: mx\nS: 220\n\n== one\nC: A\nS: 250\n\n== two\nC: B\nS: 5\n";
    let all = Dialogue::parse_all(text).unwrap();
    let titles: Vec<&str> = all.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(titles, ["one", "two"]);
    let numbers = |dialogue: &Dialogue| dialogue.steps().iter().map(|(line, _)| *line).collect::<Vec<_>>();
    assert_eq!((numbers(&all[0].1), numbers(&all[1].1)), (vec![2, 5, 6], vec![2, 9, 10]));
    assert_eq!(Dialogue::parse_all(&text.replace("C: B", "B")).unwrap_err().line, 9);
    assert_eq!(Dialogue::parse_all(TWO).unwrap().len(), 1);
}

#[test]
fn octets_are_cut_as_told() {
    let dialogue = Dialogue::parse(TWO).unwrap();
    let replies = [(220, "x"), (250, "Hello,\nyou")];
    for (cut, wanted) in [(Cut::Whole, 1), (Cut::EveryOctet, 12), (Cut::After(1), 2), (Cut::After(12), 1)] {
        let mut canned = Canned::new(&replies);
        assert_eq!(dialogue.play(&mut canned, cut), Ok(()));
        assert_eq!(canned.sent.len(), wanted, "{cut:?}");
        assert_eq!(canned.sent.concat(), b"A\r\nB\0xyxyxy\\");
    }
}

#[test]
fn a_mismatch_names_its_line() {
    let dialogue = Dialogue::parse(TWO).unwrap();
    for (replies, line) in [
        (&[(554, "x")][..], 4),
        (&[(220, "x"), (250, "Hello")], 7),
        (&[(220, "x"), (350, "Hello,\nyou")], 7),
        (&[(220, "x")], 7),
        (&[(220, "x"), (250, "Hello,\nyou"), (250, "more")], 8),
    ] {
        assert_eq!(dialogue.play(&mut Canned::new(replies), Cut::Whole).unwrap_err().line, line, "{replies:?}");
    }
}

#[test]
fn it_is_played_over_a_socket_and_through_tls() {
    let peer = Peer::start(Script::new("x").tls(TlsMode::StartTls, &Authority::new().issue("x")));
    let dialogue =
        Dialogue::parse("S: 220\nC: EHLO a\nS: 250 *STARTTLS*\nC: STARTTLS\nS: 220 /^2\\./\nTLS\nC: QUIT\nS: 221\nS: closes")
            .unwrap();
    for cut in [Cut::Whole, Cut::EveryOctet, Cut::After(5)] {
        assert_eq!(dialogue.play(&mut Client::dial(peer.address()), cut), Ok(()));
    }
}
