//! Addresses in header fields, found and replaced where they stand (RFC 5322 3.4). Whatever is no address stays as it is, octet by
//! octet: names, quoted strings, comments, encoded words, groups, folding. What cannot be read as a list of addresses stays as a whole.
//!
//! One pass over the field, without recursion; comments may nest as deep as they like.

use crate::authentication::header::Header;
use postern_schema::name::{Domain, HostName, LocalPart, Mailbox};
use postern_schema::site::Slot;

/// The header with its addresses replaced; `None` where none is. `origin`: where a bare local part belongs.
pub fn rewrite_header(header: &Header, origin: &Domain, map: impl Fn(&Mailbox, Slot) -> Option<Mailbox>) -> Option<Header> {
    let all = header.octets();
    let mut octets = Vec::with_capacity(all.len());
    let mut is_changed = false;
    let mut at = 0;
    for field in header.fields() {
        let start = field.octets.as_ptr() as usize - all.as_ptr() as usize;
        // A line that is no field, or an empty one, ends the header; what follows is text.
        if start != at || field.name.is_empty() {
            break;
        }
        at = start + field.octets.len();
        let slot = Slot::of_field(field.name);
        match slot.and_then(|slot| rewrite(field.value, origin, &|mailbox: &Mailbox| map(mailbox, slot))) {
            Some(value) => {
                is_changed = true;
                octets.extend_from_slice(&field.octets[..field.octets.len() - field.value.len()]);
                octets.extend_from_slice(&value);
            }
            None => octets.extend_from_slice(field.octets),
        }
    }
    octets.extend_from_slice(&all[at..]);
    is_changed.then(|| Header::new(octets))
}

/// A piece of an address list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// An atom, a quoted string or a domain literal.
    Word,
    /// One of `<>@,;:.`.
    Special(u8),
}

/// A piece, where it stands. Blanks and comments are what lies between.
#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

/// The value with its addresses replaced; `None` where none is, and where it is no list of addresses.
fn rewrite(value: &[u8], origin: &Domain, map: &dyn Fn(&Mailbox) -> Option<Mailbox>) -> Option<Vec<u8>> {
    let tokens = tokens(value)?;
    let mut changes: Vec<(&[Token], Mailbox)> = Vec::new();
    for addr_spec in addr_specs(&tokens) {
        if let Some(new) = read(value, addr_spec, origin).and_then(|mailbox| map(&mailbox)) {
            changes.push((addr_spec, new));
        }
    }
    if changes.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(value.len() + 32);
    let mut at = 0;
    for (addr_spec, new) in changes {
        let mut is_first = true;
        // What stands between the pieces of an address, such as a comment, stands behind the new one.
        for token in addr_spec {
            out.extend_from_slice(&value[at..token.start]);
            if std::mem::take(&mut is_first) {
                out.extend_from_slice(new.to_string().as_bytes());
            }
            at = token.end;
        }
    }
    out.extend_from_slice(&value[at..]);
    Some(out)
}

/// `None` for a string, comment or literal without its end.
fn tokens(value: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(octet) = value.get(at) {
        let start = at;
        match octet {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'(' => {
                at = comment(value, at)?;
                continue;
            }
            b'"' => at = delimited(value, at, b'"')?,
            b'[' => at = delimited(value, at, b']')?,
            special @ (b'<' | b'>' | b'@' | b',' | b';' | b':' | b'.') => {
                at += 1;
                tokens.push(Token { kind: Kind::Special(*special), start, end: at });
                continue;
            }
            b')' | b']' | b'\\' => return None,
            _ => {
                let is_end = |octet: &u8| b" \t\r\n()<>[]:;@\\,.\"".contains(octet);
                at += value[at..].iter().position(is_end).unwrap_or(value.len() - at);
            }
        }
        tokens.push(Token { kind: Kind::Word, start, end: at });
    }
    Some(tokens)
}

/// Behind a string or literal that begins here.
fn delimited(value: &[u8], start: usize, close: u8) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match value.get(at)? {
            b'\\' => at += 2,
            octet if *octet == close => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Behind a comment that begins here.
fn comment(value: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match value.get(at)? {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The pieces of each address: what stands between `<` and `>`, or an item of the list without them.
fn addr_specs(tokens: &[Token]) -> Vec<&[Token]> {
    let mut found = Vec::new();
    let mut item = 0;
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].kind {
            Kind::Special(b'<') => {
                let rest = &tokens[at + 1..];
                let Some(close) = rest.iter().position(|token| token.kind == Kind::Special(b'>')) else { return found };
                found.push(&rest[..close]);
                // A name stands before it, and nothing but blanks and comments behind.
                at += close + 2;
                let next = tokens[at..].iter().position(|token| matches!(token.kind, Kind::Special(b',' | b';')));
                at += next.map_or(tokens.len() - at, |next| next + 1);
                item = at;
            }
            // The name of a group ends here, and its members follow.
            Kind::Special(b':') => {
                at += 1;
                item = at;
            }
            Kind::Special(b',' | b';') => {
                found.push(&tokens[item..at]);
                at += 1;
                item = at;
            }
            _ => at += 1,
        }
    }
    found.push(&tokens[item.min(tokens.len())..]);
    found
}

/// `None` for what is no address: a name alone, a route (RFC 5322 4.4), nothing.
fn read(value: &[u8], pieces: &[Token], origin: &Domain) -> Option<Mailbox> {
    let text = |tokens: &[Token]| -> Option<String> {
        // Two words side by side are a name.
        let is_pair = |pair: &[Token]| pair[0].kind == Kind::Word && pair[1].kind == Kind::Word;
        if tokens.is_empty() || tokens.windows(2).any(is_pair) {
            return None;
        }
        let octets: Vec<u8> = tokens.iter().flat_map(|token| &value[token.start..token.end]).copied().collect();
        String::from_utf8(octets).ok()
    };
    match pieces.iter().position(|token| token.kind == Kind::Special(b'@')) {
        Some(at) => {
            let local = LocalPart::parse(&text(&pieces[..at])?).ok()?;
            Some(Mailbox::new(local, HostName::parse(&text(&pieces[at + 1..])?).ok()?))
        }
        None => Some(Mailbox::new(LocalPart::parse(&text(pieces)?).ok()?, HostName::Domain(origin.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every address of old.example, and `root` of here.example.
    fn map(mailbox: &Mailbox) -> Option<Mailbox> {
        let host = mailbox.host.to_string();
        let is_old = host == "old.example" || mailbox.to_string() == "root@here.example";
        is_old.then(|| Mailbox::new(mailbox.local.clone(), HostName::parse("new.example").unwrap()))
    }

    fn rewritten(value: &str) -> Option<String> {
        let origin = Domain::parse("here.example").unwrap();
        rewrite(value.as_bytes(), &origin, &map).map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn addresses_in_every_form_of_rfc_5322_3_4() {
        for (value, expected) in [
            (" a@old.example\r\n", " a@new.example\r\n"),
            (" A <a@old.example>\r\n", " A <a@new.example>\r\n"),
            (" \"a@old.example\" <b@old.example>\r\n", " \"a@old.example\" <b@new.example>\r\n"),
            (" =?utf-8?Q?a=40old.example?= <b@old.example>\r\n", " =?utf-8?Q?a=40old.example?= <b@new.example>\r\n"),
            (" a@old.example (a@old.example (deep))\r\n", " a@new.example (a@old.example (deep))\r\n"),
            (" a (x) @ (y) old.example (z)\r\n", " a@new.example (x)  (y)  (z)\r\n"),
            (
                " x@y.example,\r\n a@old.example,\r\n B <b@OLD.example>\r\n",
                " x@y.example,\r\n a@new.example,\r\n B <b@new.example>\r\n",
            ),
            (" Us: a@old.example, B <b@old.example>;\r\n", " Us: a@new.example, B <b@new.example>;\r\n"),
            (" \"a b\"@old.example\r\n", " \"a b\"@new.example\r\n"),
            (" A.B. Cee <a.b@old.example>\r\n", " A.B. Cee <a.b@new.example>\r\n"),
            (" M\u{fc}ller <m\u{fc}ller@old.example>\r\n", " M\u{fc}ller <m\u{fc}ller@new.example>\r\n"),
            (" root\r\n", " root@new.example\r\n"),
            (" root (Charlie)\r\n", " root@new.example (Charlie)\r\n"),
            ("a@old.example", "a@new.example"),
            (" , a@old.example,,\r\n", " , a@new.example,,\r\n"),
        ] {
            assert_eq!(rewritten(value).as_deref(), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn what_is_no_address_stays() {
        for value in [
            "",
            " undisclosed-recipients:;\r\n",
            " root at old.example\r\n",
            " \"a@old.example\r\n",
            " (a@old.example\r\n",
            " <@relay.example:a@old.example>\r\n",
            " <a@old.example\r\n",
            " a@b@old.example\r\n",
            " <>\r\n",
            " nobody <x@y.example> a@old.example\r\n",
            " a@old..example\r\n",
            " \\a@old.example\r\n",
        ] {
            assert_eq!(rewritten(value), None, "{value:?}");
        }
    }

    #[test]
    fn only_fields_with_addresses_are_touched() {
        let header = "Received: from a@old.example\r\nFrom: a@old.example\r\nSubject: b@old.example\r\nreply-to :\r\n\tc@old.example\r\n\r\n";
        let header = Header::new(header.as_bytes().to_vec());
        let origin = Domain::parse("here.example").unwrap();
        let found = rewrite_header(&header, &origin, |mailbox, _| map(mailbox)).unwrap();
        let expected = "Received: from a@old.example\r\nFrom: a@new.example\r\nSubject: b@old.example\r\nreply-to :\r\n\tc@new.example\r\n\r\n";
        assert_eq!(std::str::from_utf8(found.octets()).unwrap(), expected);
        assert!(rewrite_header(&header, &origin, |_, _| None).is_none());
    }

    proptest! {
        /// Whatever is written: where one address is replaced by another, all other octets stay, and in their order.
        #[test]
        fn everything_else_stays_octet_by_octet(
            parts in proptest::collection::vec(
                "[ \t]|\r\n |[a-z]{1,4}|\"[a-z@ ]{0,4}\"|\\([a-z@ ]{0,4}\\)|a@old\\.example|<a@old\\.example>|x@y\\.example|[,;:.<>@]", 0..14),
        ) {
            let value = parts.concat();
            if let Some(found) = rewritten(&value) {
                let back = found.replace("new.example", "old.example").replace("root@old.example", "root");
                let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                let (mut a, mut b): (Vec<char>, Vec<char>) = (plain(&back).chars().collect(), plain(&value).chars().collect());
                a.sort_unstable();
                b.sort_unstable();
                prop_assert_eq!(a, b);
            }
        }

        #[test]
        fn any_octets_are_read_in_one_pass(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let origin = Domain::parse("here.example").unwrap();
            let _ = rewrite(&value, &origin, &map);
        }
    }
}
