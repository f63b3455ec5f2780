//! Binary parts become base64, whatever is around them and however the message is cut.

use super::*;
use proptest::prelude::*;

fn converted_in(message: &[u8], step: usize) -> Result<Vec<u8>, Reply> {
    let mut form = TextForm::default();
    let mut out = Vec::new();
    message.chunks(step).for_each(|piece| out.extend(form.feed(piece)));
    form.finish().map(|rest| [out, rest].concat())
}

fn converted(message: &[u8]) -> Result<String, Reply> {
    let whole = converted_in(message, message.len().max(1));
    for step in 1..message.len() {
        assert_eq!(converted_in(message, step), whole, "in pieces of {step}");
    }
    whole.map(|octets| String::from_utf8(octets).expect("the cases are ASCII once they are text"))
}

#[test]
fn a_binary_message_becomes_base64_rfc_3030_3() {
    let message = b"Subject: x\r\nContent-Transfer-Encoding: binary\r\nMIME-Version: 1.0\r\n\r\na\nb\0\r\n\xff";
    let text = "Subject: x\r\nContent-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n\r\nYQpiAA0K/w==\r\n";
    assert_eq!(converted(message), Ok(text.to_owned()));
}

#[test]
fn a_binary_part_ends_before_the_line_end_of_its_delimiter_rfc_2046_5_1_1() {
    let message = b"Content-Type: multipart/mixed;\r\n\tboundary=\"a b\"\r\nContent-Transfer-Encoding: BINARY\r\n\r\npreamble\r\n\
        --a b\r\n\r\ntext\r\n--a b \t\r\nContent-Type: image/png\r\ncontent-transfer-encoding : Binary\r\n\r\n\x01\r\n--a bc\r\n\x02\r\n\
        --a b\r\nContent-Transfer-Encoding: binary\r\n\r\n\r\n--a b--\r\nepilogue\r\n";
    let text = "Content-Type: multipart/mixed;\r\n\tboundary=\"a b\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\npreamble\r\n\
        --a b\r\n\r\ntext\r\n--a b \t\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAQ0KLS1hIGJjDQoC\r\n\
        --a b\r\nContent-Transfer-Encoding: base64\r\n\r\n--a b--\r\nepilogue\r\n";
    assert_eq!(converted(message), Ok(text.to_owned()));
}

#[test]
fn parts_in_parts_and_messages_in_messages() {
    let message = b"Content-Type: multipart/mixed; x=\"boundary=z\"; BOUNDARY=o\r\n\r\n--o\r\nContent-Type: multipart/digest; boundary=i\r\n\r\n\
        --i\r\n\r\nSubject: in a digest\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r\n--i\r\nContent-Type: message/rfc822\r\n\
        Content-Transfer-Encoding: binary\r\n\r\nContent-Transfer-Encoding: binary\r\n\r\n\x01\r\n--o--\r\n";
    let text = "Content-Type: multipart/mixed; x=\"boundary=z\"; BOUNDARY=o\r\n\r\n--o\r\nContent-Type: multipart/digest; boundary=i\r\n\r\n\
        --i\r\n\r\nSubject: in a digest\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n--i\r\nContent-Type: message/rfc822\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\nAQ==\r\n--o--\r\n";
    assert_eq!(converted(message), Ok(text.to_owned()));
}

#[test]
fn what_is_text_stays_as_it_is_and_gets_its_line_end() {
    for (message, text) in [
        ("", ""),
        ("Subject: x", "Subject: x\r\n"),
        ("Subject: x\r\n\r\n", "Subject: x\r\n\r\n"),
        ("\r\nbody", "\r\nbody\r\n"),
        ("\r\na\r\n\r\n", "\r\na\r\n\r\n"),
        ("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
        ("Content-Type: multipart/mixed\r\n\r\n--\r\n", "Content-Type: multipart/mixed\r\n\r\n--\r\n"),
    ] {
        assert_eq!(converted(message.as_bytes()), Ok(text.to_owned()), "{message:?}");
    }
}

#[test]
fn octets_that_are_no_text_have_to_be_declared_rfc_2045_6_2() {
    for message in [
        &b"Subject: x\r\n\r\na\nb\r\n"[..],
        b"Subject: x\n\r\n\r\n",
        b"Content-Transfer-Encoding: 8bit\r\n\r\n\0\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r\n--b\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\na\rb\r\n--b--\r\n",
    ] {
        assert_eq!(converted(message), Err(Reply::BARE_LINE_END_IN_MESSAGE), "{}", message.escape_ascii());
    }
    let long = [&b"\r\n"[..], &vec![b'a'; TEXT_LINE_MAX_OCTETS + 1]].concat();
    assert_eq!(converted_in(&long, 1000), Err(Reply::TEXT_LINE_TOO_LONG));
    let header = vec![b'a'; HEADER_MAX_OCTETS + 1000];
    assert_eq!(converted_in(&header, 1000), Err(Reply::HEADER_TOO_LARGE));
}

proptest! {
    #[test]
    fn a_binary_part_decodes_to_what_it_was(octets in proptest::collection::vec(any::<u8>(), 0..700), step in 1usize..300) {
        let head = b"Content-Type: multipart/mixed; boundary=never-in-octets\r\n\r\n--never-in-octets\r\nContent-Transfer-Encoding: binary\r\n\r\n";
        let message = [&head[..], &octets, b"\r\n--never-in-octets--\r\n"].concat();
        let text = String::from_utf8(converted_in(&message, step).unwrap()).unwrap();
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 76 && !line.contains(['\r', '\n', '\0'])));
        let part = text.split("base64\r\n\r\n").nth(1).unwrap().split("--never").next().unwrap().replace("\r\n", "");
        prop_assert_eq!(STANDARD.decode(part).unwrap(), octets);
    }

    #[test]
    fn whatever_comes_ends_and_is_text(
        message in "(Content-Type: (multipart/(mixed|digest); boundary=\"?b\"?|message/rfc822)\r\n|Content-Transfer-Encoding: binary\r\n|\r\n|--b|--|[ab \0\r\n]){0,20}",
        step in 1usize..40,
    ) {
        let whole = converted_in(message.as_bytes(), message.len().max(1));
        prop_assert_eq!(&converted_in(message.as_bytes(), step), &whole);
        if let Ok(text) = whole {
            let bare = text.iter().enumerate().any(|(at, octet)| match octet {
                b'\n' => at == 0 || text[at - 1] != b'\r',
                b'\r' => text.get(at + 1) != Some(&b'\n'),
                octet => *octet == 0,
            });
            prop_assert!(!bare, "{}", text.escape_ascii());
            prop_assert!(text.is_empty() || text.ends_with(b"\r\n"));
        }
    }
}
