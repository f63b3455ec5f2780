//! Content on the wire and back, in pieces of every size.

use super::*;
use postern_schema::reply::Reply;
use proptest::prelude::*;

/// Decodes `wire` in pieces of `step` octets, and says what was left over behind the end; `None`: no end came.
fn decode_in_steps(wire: &[u8], step: usize, limit_octets: u64) -> Option<(Result<Message, Reply>, Vec<u8>)> {
    let mut decoder = Decoder::new(Framing::Dots, limit_octets, 3, 0);
    for start in (0..wire.len()).step_by(step) {
        let piece = &wire[start..wire.len().min(start + step)];
        if let Some(used) = decoder.feed(piece) {
            return Some((decoder.finish(), wire[start + used..].to_vec()));
        }
        assert!(decoder.body_octets() as u64 <= limit_octets);
    }
    None
}

/// The same for every size of piece; all of them must agree.
fn decode(wire: &[u8]) -> Option<(Result<Message, Reply>, Vec<u8>)> {
    let whole = decode_in_steps(wire, wire.len(), 1000);
    for step in 1..wire.len() {
        assert_eq!(decode_in_steps(wire, step, 1000), whole, "in pieces of {step}: {:?}", wire.escape_ascii().to_string());
    }
    whole
}

fn content(wire: &[u8]) -> Vec<u8> {
    let (message, rest) = decode(wire).expect("the end was not found");
    assert_eq!(rest, b"");
    message.expect("the message was refused").body
}

#[test]
fn an_empty_message_rfc_5321_4_5_2() {
    assert_eq!(content(b".\r\n"), b"");
}

#[test]
fn dots_are_unstuffed_on_every_line_rfc_5321_4_5_2() {
    assert_eq!(content(b"..a\r\nb\r\n...\r\n..\r\n.c\r\n.\r\n"), b".a\r\nb\r\n..\r\n.\r\nc\r\n");
}

#[test]
fn what_follows_the_end_is_left_alone_rfc_2920_3_1() {
    let (message, rest) = decode(b"a\r\n.\r\nMAIL FROM:<>\r\n").unwrap();
    assert_eq!((message.unwrap().body, rest), (b"a\r\n".to_vec(), b"MAIL FROM:<>\r\n".to_vec()));
}

#[test]
fn nothing_but_crlf_dot_crlf_ends_data_rfc_5321_4_1_1_4() {
    for marker in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r.\r\n",
        "\r\n.\r",
        "\r\n.\0\r\n",
        "\r\n\0.\r\n",
        "\n.\r",
        "\r.\n",
        "\n\n.\n\n",
        "\r\n.\r\r\n",
        "\r\n. \r\n",
        "\r\n..\r\n",
        "\n\r.\n\r",
        "\r\n.\n\r\n",
        "\0\n.\r\n",
    ] {
        let smuggled = format!("a{marker}MAIL FROM:<>\r\n");
        assert_eq!(decode(smuggled.as_bytes()), None, "{marker:?} ended the message");
        let (message, rest) = decode(format!("{smuggled}.\r\nQUIT\r\n").as_bytes()).expect("the true end was not found");
        assert_eq!(rest, b"QUIT\r\n");
        let is_clean = matches!(marker, "\r\n. \r\n" | "\r\n..\r\n");
        assert_eq!(message.err(), (!is_clean).then_some(Reply::BARE_LINE_END_IN_MESSAGE), "{marker:?}");
    }
    // Here the five octets do stand, behind a CR too many.
    let (message, rest) = decode(b"a\r\r\n.\r\nb").unwrap();
    assert_eq!((message, &rest[..]), (Err(Reply::BARE_LINE_END_IN_MESSAGE), &b"b"[..]));
}

#[test]
fn bare_cr_lf_or_nul_in_text_rfc_5321_2_3_8() {
    for text in ["a\rb", "a\nb", "a\0b", "\n", "\r", "\0", "a\r\n\rb", "a\r\r"] {
        let (message, _) = decode(format!("{text}\r\n.\r\n").as_bytes()).unwrap();
        assert_eq!(message, Err(Reply::BARE_LINE_END_IN_MESSAGE), "{text:?}");
    }
}

#[test]
fn size_counts_content_only_rfc_1870_5() {
    let wire = b"..345678\r\n.\r\n";
    for step in 1..wire.len() {
        let (message, _) = decode_in_steps(wire, step, 9).unwrap();
        assert_eq!(message.unwrap().octets, 9);
        let (message, _) = decode_in_steps(wire, step, 8).unwrap();
        assert_eq!(message, Err(Reply::TOO_BIG));
    }
}

#[test]
fn an_oversized_message_is_not_kept_rfc_1870_6_3() {
    let mut decoder = Decoder::new(Framing::Dots, 1000, 3, u64::MAX);
    for _ in 0..100 {
        assert_eq!(decoder.feed(&b"0123456789\r\n".repeat(10)), None);
        assert!(decoder.body_octets() <= 1000);
    }
    assert_eq!(decoder.feed(b".\r\n"), Some(3));
    assert_eq!(decoder.take_body().capacity(), 0);
    assert_eq!(decoder.finish(), Err(Reply::TOO_BIG));
}

#[test]
fn text_lines_up_to_64_kib_rfc_5321_4_5_3_1_6() {
    for (octets, fault) in [(TEXT_LINE_MAX_OCTETS, None), (TEXT_LINE_MAX_OCTETS + 1, Some(Reply::TEXT_LINE_TOO_LONG))] {
        for step in [usize::MAX, 4096, 1000] {
            let mut decoder = Decoder::new(Framing::Dots, 1 << 20, 3, 0);
            let wire = [&b"."[..], &vec![b'.'; octets], b"\r\nnext\r\n.\r\n"].concat();
            let ended = wire.chunks(step.min(wire.len())).filter_map(|piece| decoder.feed(piece)).count();
            assert_eq!((ended, decoder.finish().err()), (1, fault.clone()));
        }
    }
}

fn header(text: &str) -> HeaderFacts {
    let (message, _) = decode(format!("{text}\r\n.\r\n").as_bytes()).unwrap();
    message.unwrap().header
}

#[test]
fn the_header_block_is_looked_at_rfc_5322_3_6() {
    let text = "RECEIVED: from a\r\n\tReceived: no\r\nDate : x\r\nFrom:\r\nMessage-Id:x\r\nReceived\t:\r\n\r\nReceived: no";
    assert_eq!(header(text), HeaderFacts { received: 2, date: true, message_id: true, from: true, tls_optional: false });
    for (text, says_no) in [
        ("TLS-Required: No\r\n", true),
        ("tls-required:no \t\r\n", true),
        ("TLS-Required: Nope\r\n", false),
        ("TLS-Required: Yes\r\n", false),
        ("TLS-Required: n\r\n o\r\n", false),
        ("X: 1\r\n\r\nTLS-Required: No\r\n", false),
    ] {
        assert_eq!(header(text).tls_optional, says_no, "{text:?}");
    }
    assert_eq!(header("Message-ID-X: a\r\nX-From: a\r\nDat: a\r\nFrom"), HeaderFacts::default());
    assert_eq!(header("\r\nFrom: a"), HeaderFacts::default());
    assert_eq!(header("no field\r\nFrom: a"), HeaderFacts::default());
    assert_eq!(header("From a: b\r\nFrom: a"), HeaderFacts::default());
    assert_eq!(header(": a\r\nFrom: a"), HeaderFacts::default());
}

#[test]
fn hops_are_counted_rfc_5321_6_3() {
    assert_eq!(header(&"Received: x\r\n".repeat(3)).received, 3);
    let (message, _) = decode(format!("{}\r\n.\r\n", "Received: x\r\n".repeat(4)).as_bytes()).unwrap();
    assert_eq!(message, Err(Reply::TOO_MANY_HOPS));
}

#[test]
fn octets_beyond_ascii_are_noticed_rfc_6152_2() {
    for (wire, eight_bit) in [("a\r\n.\r\n", false), ("\u{e9}\r\n.\r\n", true)] {
        assert_eq!(decode(wire.as_bytes()).unwrap().0.unwrap().eight_bit, eight_bit);
    }
}

fn decode_counted(text: &[u8]) -> Result<Message, Reply> {
    let mut decoder = Decoder::new(Framing::Counted, 1000, 3, 0);
    assert_eq!(decoder.feed(text), None);
    let whole = decoder.finish();
    let mut decoder = Decoder::new(Framing::Counted, 1000, 3, 0);
    text.chunks(1).for_each(|piece| assert_eq!(decoder.feed(piece), None));
    assert_eq!(decoder.finish(), whole);
    whole
}

#[test]
fn dots_mean_nothing_in_a_chunk_rfc_3030_2() {
    assert_eq!(decode_counted(b"..a\r\n.\r\n.b\r\n").unwrap().body, b"..a\r\n.\r\n.b\r\n");
    let completed = decode_counted(b"a").unwrap();
    assert_eq!((&completed.body[..], completed.octets), (&b"a\r\n"[..], 3));
    assert_eq!(decode_counted(b"").unwrap().body, b"");
    for text in [&b"a\r"[..], b"a\nb", b"a\r\rb", b"\0"] {
        assert_eq!(decode_counted(text), Err(Reply::BARE_LINE_END_IN_MESSAGE));
    }
}

fn encode(content: &[u8], step: usize) -> Vec<u8> {
    let (mut encoder, mut wire) = (Encoder::default(), Vec::new());
    content.chunks(step).for_each(|piece| encoder.encode(piece, &mut wire));
    encoder.finish(&mut wire);
    wire
}

#[test]
fn an_encoder_sends_crlf_only_rfc_5321_2_3_8() {
    for (content, wire) in [
        ("", ".\r\n"),
        ("a", "a\r\n.\r\n"),
        (".", "..\r\n.\r\n"),
        ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r.\rb\r", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r\r\n\n\r.b", "a\r\n\r\n\r\n\r\n..b\r\n.\r\n"),
    ] {
        for step in 1..content.len() + 2 {
            assert_eq!(encode(content.as_bytes(), step).escape_ascii().to_string(), wire.as_bytes().escape_ascii().to_string());
        }
    }
}

/// What a decoder must find after an encoder: every line end a CRLF, the last line ended.
fn normalised(content: &str) -> String {
    let lines = content.replace("\r\n", "\n").replace('\r', "\n");
    let ended = if lines.is_empty() || lines.ends_with('\n') { lines } else { lines + "\n" };
    ended.replace('\n', "\r\n")
}

proptest! {
    #[test]
    fn encoded_content_decodes_to_itself(content in "[a.\r\n]{0,40}", encode_step in 1usize..9, decode_step in 1usize..9) {
        let wire = encode(content.as_bytes(), encode_step);
        let (message, rest) = decode_in_steps(&wire, decode_step, 1000).unwrap();
        prop_assert_eq!(rest, b"");
        prop_assert_eq!(String::from_utf8(message.unwrap().body).unwrap(), normalised(&content));
    }

    #[test]
    fn pieces_of_any_size_decode_alike(wire in "[a:.\r\n\0]{0,40}", step in 1usize..9) {
        let wire = format!("{wire}\r\n.\r\nrest");
        prop_assert_eq!(decode_in_steps(wire.as_bytes(), step, 20), decode_in_steps(wire.as_bytes(), wire.len(), 20));
    }
}

/// The content that a mending decoder makes of what stands before `\r\n.\r\n`, arriving in pieces of `step` octets.
fn mended(text: &str, step: usize) -> String {
    let mut decoder = Decoder::new(Framing::Dots, 1 << 20, 100, 0).mending(true);
    let wire = format!("{text}\r\n.\r\n");
    let mut ended = None;
    for piece in wire.as_bytes().chunks(step) {
        assert_eq!(ended, None, "{text:?} ended early in pieces of {step}");
        ended = decoder.feed(piece);
    }
    assert!(ended.is_some(), "{text:?} did not end");
    String::from_utf8(decoder.finish().expect("nothing is at fault").body).unwrap()
}

#[test]
fn a_mending_decoder_makes_crlf_of_lf_and_a_blank_of_cr() {
    for (text, expected) in [
        ("a\nb", "a\r\nb\r\n"),
        ("a\n\nb\n", "a\r\n\r\nb\r\n\r\n"),
        ("a\rb", "a b\r\n"),
        ("a\r", "a \r\n"),
        ("a\r\r\nb", "a \r\nb\r\n"),
        ("a\n.\nb", "a\r\n.\r\nb\r\n"),
        ("a\n.\r\nb", "a\r\n.\r\nb\r\n"),
        ("a\n..\nb", "a\r\n.\r\nb\r\n"),
        ("a\n.x\nb", "a\r\n.x\r\nb\r\n"),
        ("a\r\n..x\nb", "a\r\n.x\r\nb\r\n"),
        ("a\r\n.\nb", "a\r\n\r\nb\r\n"),
        ("a\r\n.\rb", "a\r\n b\r\n"),
        ("a\r.\rb", "a . b\r\n"),
    ] {
        for step in 1..=text.len() + 5 {
            assert_eq!(mended(text, step), expected, "{text:?} in pieces of {step}");
        }
    }
}
