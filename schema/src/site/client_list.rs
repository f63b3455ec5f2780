//! Lists of clients that others keep in DNS (RFC 5782), and what a listing counts for.

use super::Origin;
use crate::name::Domain;
use std::fmt;
use std::net::Ipv4Addr;

/// One `dnsbl` or `dnswl`: a zone, the answers that count, and how much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientList {
    /// Where the list lies in DNS.
    pub zone: Domain,
    /// What a listing counts; below 0 for a client that is welcome. Never 0.
    pub weight: i32,
    /// The answers that count.
    pub codes: Codes,
    /// Where it was said.
    pub origin: Origin,
}

impl ClientList {
    /// The node of the site language: what it is called follows from the sign of its weight.
    pub fn node(&self) -> &'static str {
        if self.weight < 0 { "dnswl" } else { "dnsbl" }
    }
}

/// An octet of an answer: from, to, both included.
type OctetRange = (u8, u8);

/// The answers of a list that count: `127.0.0.2-11`, several with blanks between them. Without any, every answer of 127.0.0.0/8
/// counts (RFC 5782 2.3), but for those that say that the list itself has a trouble.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Codes(Vec<[OctetRange; 4]>);

/// Why a text is no [`Codes`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodesError {
    /// A part is not four octets or ranges of them.
    Form,
    /// A range begins above its end.
    Backwards,
    /// It is not within 127.0.0.0/8, where every answer lies (RFC 5782 2.1).
    Elsewhere,
}

/// The most parts that a list of codes may have.
const PARTS_MAX: usize = 64;

impl Codes {
    /// Whether an answer says that the list cannot be asked: an operator's way to say "blocked", "no such list", "too many
    /// questions". It never says anything about the client.
    pub fn is_error(code: Ipv4Addr) -> bool {
        matches!(code.octets(), [127, 255, 255, _])
    }

    /// Whether this answer is a listing that counts.
    pub fn count(&self, code: Ipv4Addr) -> bool {
        let octets = code.octets();
        let holds = |part: &[OctetRange; 4]| part.iter().zip(octets).all(|((from, to), octet)| (*from..=*to).contains(&octet));
        code.is_loopback() && !Codes::is_error(code) && (self.0.is_empty() || self.0.iter().any(holds))
    }

    /// Whether every answer counts.
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts of which no answer ever counts, as they would be written: they lie among the codes of errors.
    pub fn dead(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter(|part| matches!(part[1..3], [(255, 255), (255, 255)])).map(describe)
    }

    /// Whether some answer counts for both.
    pub fn overlaps(&self, other: &Codes) -> bool {
        let any = [[(127, 127), (0, 255), (0, 255), (0, 255)]];
        let parts = |codes: &'_ Codes| if codes.is_any() { any.to_vec() } else { codes.0.clone() };
        let meet = |a: &[OctetRange; 4], b: &[OctetRange; 4]| a.iter().zip(b).all(|(a, b)| a.0 <= b.1 && b.0 <= a.1);
        parts(self).iter().any(|one| parts(other).iter().any(|two| meet(one, two)))
    }

    /// Reads `127.0.0.2-11 127.0.1.2`; commas divide as blanks do.
    ///
    /// # Errors
    /// [`CodesError`].
    pub fn parse(text: &str) -> Result<Codes, CodesError> {
        let parts = text.split([' ', ',']).filter(|part| !part.is_empty()).map(parse_part);
        let parts: Vec<[OctetRange; 4]> = parts.take(PARTS_MAX + 1).collect::<Result<_, _>>()?;
        if parts.is_empty() || parts.len() > PARTS_MAX { Err(CodesError::Form) } else { Ok(Codes(parts)) }
    }
}

fn parse_part(text: &str) -> Result<[OctetRange; 4], CodesError> {
    let octet = |text: &str| match text.bytes().all(|digit| digit.is_ascii_digit()) {
        true => text.parse::<u8>().map_err(|_| CodesError::Form),
        false => Err(CodesError::Form),
    };
    let range = |text: &str| match text.split_once('-') {
        None => octet(text).map(|octet| (octet, octet)),
        Some((from, to)) => match (octet(from)?, octet(to)?) {
            (from, to) if from > to => Err(CodesError::Backwards),
            range => Ok(range),
        },
    };
    let ranges: Vec<OctetRange> = text.split('.').map(range).collect::<Result<_, _>>()?;
    match <[OctetRange; 4]>::try_from(ranges) {
        Ok(part) if part[0] == (127, 127) => Ok(part),
        Ok(_) => Err(CodesError::Elsewhere),
        Err(_) => Err(CodesError::Form),
    }
}

fn describe(part: &[OctetRange; 4]) -> String {
    let octet = |(from, to): &OctetRange| if from == to { from.to_string() } else { format!("{from}-{to}") };
    part.iter().map(octet).collect::<Vec<_>>().join(".")
}

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(describe).collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(codes: &str, code: [u8; 4]) -> bool {
        Codes::parse(codes).unwrap().count(code.into())
    }

    #[test]
    fn ranges_of_octets() {
        assert!(counts("127.0.0.2-11", [127, 0, 0, 2]) && counts("127.0.0.2-11", [127, 0, 0, 11]));
        assert!(!counts("127.0.0.2-11", [127, 0, 0, 12]) && !counts("127.0.0.2-11", [127, 0, 1, 2]));
        assert!(counts("127.0.0.2,127.0.2.0-255", [127, 0, 2, 9]));
        assert!(counts("127.0.0-255.1-3", [127, 0, 15, 3]));
    }

    #[test]
    fn an_error_or_a_public_address_is_no_listing() {
        let any = Codes::default();
        assert!(any.count([127, 0, 0, 2].into()));
        for code in [[127, 255, 255, 254], [127, 255, 255, 0], [192, 0, 2, 1], [10, 0, 0, 2]] {
            assert!(!any.count(code.into()), "{code:?}");
        }
        assert!(!counts("127.255.255.0-255", [127, 255, 255, 254]));
        assert_eq!(Codes::parse("127.255.255.1 127.0.0.2").unwrap().dead().collect::<Vec<_>>(), ["127.255.255.1"]);
    }

    #[test]
    fn what_is_none_is_told_apart() {
        for (text, error) in [
            ("", CodesError::Form),
            ("127.0.0", CodesError::Form),
            ("127.0.0.2.3", CodesError::Form),
            ("127.0.0.256", CodesError::Form),
            ("127.0.0.+2", CodesError::Form),
            ("127.0.0.9-2", CodesError::Backwards),
            ("192.0.2.1", CodesError::Elsewhere),
            ("126-128.0.0.1", CodesError::Elsewhere),
        ] {
            assert_eq!(Codes::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn overlaps_and_the_text_form() {
        let codes = |text: &str| Codes::parse(text).unwrap();
        assert!(codes("127.0.0.2-11").overlaps(&codes("127.0.0.11")));
        assert!(!codes("127.0.0.2-10").overlaps(&codes("127.0.0.11")));
        assert!(Codes::default().overlaps(&codes("127.0.0.11")));
        assert_eq!(codes("127.0.0.2-11,127.0.1.4").to_string(), "127.0.0.2-11 127.0.1.4");
    }
}
