//! The few messages of LDAPv3 that a bind takes (RFC 4511 4.2, 4.12, 4.14), in BER, and a name with a user in it (RFC 4514 2.4).
//! Pure. Only definite lengths are read, as RFC 4511 5.1 has them, and nothing but what an answer's result takes.

use postern_schema::site::Directory;

/// The largest message that is read: a result with a sentence in it has a few dozen octets.
pub const MESSAGE_MAX_OCTETS: usize = 64 << 10;
/// The object identifier of StartTLS (RFC 4511 4.14.1).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;
const BIND_REQUEST: u8 = 0x60;
const BIND_RESPONSE: u8 = 0x61;
const UNBIND_REQUEST: u8 = 0x42;
const EXTENDED_REQUEST: u8 = 0x77;
const EXTENDED_RESPONSE: u8 = 0x78;

/// What a server has answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The number of the request; 0: it is about none (RFC 4511 4.4).
    pub id: u32,
    /// To what.
    pub kind: Kind,
    /// `resultCode` (RFC 4511 A).
    pub code: u32,
}

/// What an answer is to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A bind.
    Bind,
    /// StartTLS, or a notice that nobody asked for.
    Extended,
}

/// The octets are no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// A simple bind.
pub fn bind(id: u8, dn: &str, password: &str) -> Vec<u8> {
    let version = element(INTEGER, &[3]);
    let content = [version, element(OCTET_STRING, dn.as_bytes()), element(0x80, password.as_bytes())].concat();
    request(id, element(BIND_REQUEST, &content))
}

/// StartTLS.
pub fn start_tls(id: u8) -> Vec<u8> {
    request(id, element(EXTENDED_REQUEST, &element(0x80, START_TLS)))
}

/// The farewell.
pub fn unbind(id: u8) -> Vec<u8> {
    request(id, element(UNBIND_REQUEST, &[]))
}

fn request(id: u8, operation: Vec<u8>) -> Vec<u8> {
    element(SEQUENCE, &[element(INTEGER, &[id]), operation].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..=0x7f => out.push(length as u8),
        length => {
            let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
            out.push(0x80 | octets.len() as u8);
            out.extend(octets);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Reads one answer and how many octets it takes; `None` while its end is not there.
///
/// # Errors
/// [`Malformed`], as soon as that is sure.
pub fn read(octets: &[u8]) -> Result<Option<(Answer, usize)>, Malformed> {
    let Some((SEQUENCE, length, head)) = header(octets)? else {
        return if octets.is_empty() { Ok(None) } else { partial(octets) };
    };
    if length > MESSAGE_MAX_OCTETS {
        return Err(Malformed);
    }
    let Some(content) = octets.get(head..head + length) else { return Ok(None) };
    let (id, rest) = number(INTEGER, content)?;
    let (tag, operation, _controls) = take(rest)?;
    let kind = match tag {
        BIND_RESPONSE => Kind::Bind,
        EXTENDED_RESPONSE => Kind::Extended,
        _ => return Err(Malformed),
    };
    let (code, rest) = number(ENUMERATED, operation)?;
    // matchedDN and diagnosticMessage have to be there; what they say is for nobody.
    let rest = expect(OCTET_STRING, rest)?;
    expect(OCTET_STRING, rest)?;
    Ok(Some((Answer { id, kind, code }, head + length)))
}

/// Something that begins otherwise than a message is none, however much of it is there.
fn partial(octets: &[u8]) -> Result<Option<(Answer, usize)>, Malformed> {
    if octets.first() == Some(&SEQUENCE) && octets.len() < 6 { Ok(None) } else { Err(Malformed) }
}

/// The tag, the length of the content and where it begins; `None`: not all of that is there.
fn header(octets: &[u8]) -> Result<Option<(u8, usize, usize)>, Malformed> {
    let [tag, first, rest @ ..] = octets else { return Ok(None) };
    match *first {
        short @ 0..=0x7f => Ok(Some((*tag, usize::from(short), 2))),
        // RFC 4511 5.1: no indefinite form. Four octets are more than any message has.
        long @ 0x81..=0x84 => {
            let count = usize::from(long & 0x7f);
            let length = rest.get(..count).map(|octets| octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)));
            Ok(length.map(|length| (*tag, length, 2 + count)))
        }
        _ => Err(Malformed),
    }
}

/// The tag and content of the first element, and what stands behind it.
fn take(octets: &[u8]) -> Result<(u8, &[u8], &[u8]), Malformed> {
    let (tag, length, head) = header(octets)?.ok_or(Malformed)?;
    let content = octets.get(head..).and_then(|rest| rest.get(..length)).ok_or(Malformed)?;
    Ok((tag, content, &octets[head + length..]))
}

fn expect(tag: u8, octets: &[u8]) -> Result<&[u8], Malformed> {
    let (found, _, rest) = take(octets)?;
    if found == tag { Ok(rest) } else { Err(Malformed) }
}

fn number(tag: u8, octets: &[u8]) -> Result<(u32, &[u8]), Malformed> {
    let (found, content, rest) = take(octets)?;
    // Negative ones are none of ours.
    if found != tag || content.is_empty() || content.len() > 4 || content[0] >= 0x80 {
        return Err(Malformed);
    }
    Ok((content.iter().fold(0, |sum, octet| sum << 8 | u32::from(*octet)), rest))
}

/// The name of a user: the template with the login name in it, every character of which stands for itself (RFC 4514 2.4).
pub fn name_of(template: &str, user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for character in user.chars() {
        if character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | '@') {
            escaped.push(character);
        } else {
            let mut octets = [0; 4];
            character.encode_utf8(&mut octets).bytes().for_each(|octet| escaped += &format!("\\{octet:02X}"));
        }
    }
    template.replace(Directory::USER, &escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What OpenLDAP's slapd answers to a bind: success, and invalid credentials.
    const YES: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
    const NO: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00";

    fn answer(code: u32) -> Result<Option<(Answer, usize)>, Malformed> {
        Ok(Some((Answer { id: 1, kind: Kind::Bind, code }, YES.len())))
    }

    #[test]
    fn a_bind_is_written_as_in_rfc_4511_4_2() {
        assert_eq!(bind(1, "cn=a", "pw"), b"\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\x04cn=a\x80\x02pw");
        let long = bind(1, &"x".repeat(200), "pw");
        assert_eq!(&long[..3], [0x30, 0x81, 0xd8]);
        assert_eq!(unbind(2), b"\x30\x05\x02\x01\x02\x42\x00");
    }

    #[test]
    fn an_answer_is_whole_at_its_end_and_not_before() {
        assert_eq!(read(YES), answer(0));
        assert_eq!(read(NO), answer(49));
        for cut in 0..YES.len() {
            assert_eq!(read(&YES[..cut]), Ok(None), "cut at {cut}");
        }
        let more = [YES, b"more"].concat();
        assert_eq!(read(&more), answer(0));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for wrong in [
            &b"220 smtp.example ESMTP\r\n"[..],
            b"\x30\x80\x02\x01\x01",
            b"\x30\x84\x7f\xff\xff\xff\x02",
            b"\x30\x85\x00\x00\x00\x00\x01\x02",
            b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x30\x0c\x02\x01\x81\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x30\x0a\x02\x01\x01\x61\x05\x0a\x01\x00\x04\x00",
            b"\x30\x0c\x02\x01\x01\x61\x08\x0a\x01\x00\x04\x00\x04\x00",
        ] {
            assert_eq!(read(wrong), Err(Malformed), "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn a_user_is_one_value_whatever_is_in_it_rfc_4514_2_4() {
        let name = |user| name_of("uid={user},dc=example", user);
        assert_eq!(name("alice@example.com"), "uid=alice@example.com,dc=example");
        assert_eq!(name("a,dc=evil"), "uid=a\\2Cdc\\3Devil,dc=example");
        assert_eq!(name(" #+<>;\"\\\0"), "uid=\\20\\23\\2B\\3C\\3E\\3B\\22\\5C\\00,dc=example");
        assert_eq!(name("{user}"), "uid=\\7Buser\\7D,dc=example");
        assert_eq!(name("müller"), "uid=müller,dc=example");
    }

    proptest! {
        #[test]
        fn any_octets_are_taken_without_harm(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&octets);
        }
    }
}
