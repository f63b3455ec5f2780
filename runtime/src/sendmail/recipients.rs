//! `-t`: the addresses of To, Cc and Bcc, and the message without Bcc (RFC 5322 3.6.3). Where somebody resends a message, the
//! addresses of that count, and the others were served before.

use crate::authentication::header::{Field, Header};

const PLAIN: [&str; 3] = ["to", "cc", "bcc"];
const RESENT: [&str; 3] = ["resent-to", "resent-cc", "resent-bcc"];

/// Finds the addresses, and takes Bcc out.
pub fn take(message: &[u8]) -> (Vec<String>, Vec<u8>) {
    let end = memchr::memmem::find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 2);
    let header = Header::new(message[..end].to_vec());
    let is_resent = RESENT.iter().any(|name| header.has(name));
    let names = if is_resent { RESENT } else { PLAIN };
    let is_named = |field: &Field<'_>, names: &[&str]| names.iter().any(|name| field.name.eq_ignore_ascii_case(name.as_bytes()));
    let mut found = Vec::new();
    for field in header.fields().filter(|field| is_named(field, &names)) {
        addresses(&String::from_utf8_lossy(field.value), &mut found);
    }
    let open = header.without(|field| is_named(field, &["bcc", "resent-bcc"]));
    (found, [open.octets(), &message[end..]].concat())
}

/// The addresses of a list (RFC 5322 3.4): those in angle brackets, and those that stand alone. Names, comments, quoted names and
/// the names of groups are none.
fn addresses(list: &str, found: &mut Vec<String>) {
    let (mut word, mut angle) = (String::new(), None::<String>);
    let (mut depth, mut quoted, mut is_inside) = (0u32, false, false);
    let mut characters = list.chars().filter(|character| !matches!(character, '\r' | '\n'));
    while let Some(character) = characters.next() {
        let has_angle = angle.is_some();
        let place = angle.as_mut().filter(|_| is_inside).unwrap_or(&mut word);
        match character {
            '\\' if depth > 0 => drop(characters.next()),
            '\\' => {
                place.push('\\');
                place.extend(characters.next());
            }
            '"' if depth == 0 => {
                quoted = !quoted;
                place.push('"');
            }
            _ if quoted => place.push(character),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '<' => (angle, is_inside) = (Some(String::new()), true),
            '>' => is_inside = false,
            ':' if !has_angle => word.clear(),
            ',' | ';' => {
                is_inside = false;
                finish(&mut word, &mut angle, found);
            }
            character => place.push(character),
        }
    }
    finish(&mut word, &mut angle, found);
}

fn finish(word: &mut String, angle: &mut Option<String>, found: &mut Vec<String>) {
    let address = angle.take().unwrap_or_else(|| std::mem::take(word));
    word.clear();
    let address = address.trim();
    if !address.is_empty() {
        found.push(address.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_form_rfc_5322_3_4() {
        let mut found = Vec::new();
        addresses(
            " bob@a.test, \"Smith, R. <x@y>\" <r@b.test> (a, b), team: c@d.test,\r\n\t<e@f.test>;, root, \"a b\"@g.test",
            &mut found,
        );
        assert_eq!(found, ["bob@a.test", "r@b.test", "c@d.test", "e@f.test", "root", "\"a b\"@g.test"]);
    }

    #[test]
    fn bcc_is_read_and_gone() {
        let (found, message) = take(b"To: a@b\r\nBcc: c@d,\r\n e@f\r\nSubject: x\r\n\r\nBcc: text\r\n");
        assert_eq!(found, ["a@b", "c@d", "e@f"]);
        assert_eq!(message, b"To: a@b\r\nSubject: x\r\n\r\nBcc: text\r\n");
        let (found, message) = take(b"To: a@b\r\nResent-To: c@d\r\n");
        assert_eq!((found, message.len()), (vec!["c@d".to_owned()], 25));
    }
}
