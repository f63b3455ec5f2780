//! Networks that are trusted with something.

use super::{Check, Origin};
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// A named set of address ranges (`mynetworks`), and what its members may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    /// Its name in the site, unique.
    pub name: Box<str>,
    /// CIDR ranges with their host bits cleared.
    pub ranges: Vec<IpNet>,
    /// Certificates whose holders are members wherever they come from (`relay_clientcerts`).
    pub certificates: Vec<Fingerprint>,
    /// Whether members may send mail to anywhere without a login.
    pub relay: bool,
    /// The checks that members are spared; those that may relay are spared all of them.
    pub exempt: Vec<Check>,
    /// Whether a CR or LF alone in its members' messages is mended rather than refused (`smtpd_forbid_bare_newline`).
    pub mends_line_ends: bool,
    /// Why it is trusted, in the words of the site's author; may be empty.
    pub reason: Box<str>,
    /// Where it was said.
    pub origin: Origin,
}

/// The SHA-256 of a certificate in DER, or of its public key (`smtpd_tls_fingerprint_digest`): which of the two it is need not
/// be said, since no certificate has the digest of another's key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads 64 hexadecimal digits of either case, with colons between the octets or without, as openssl(1) prints them.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let mut octets = [0; 32];
        let digits: Vec<u8> = match text.len() {
            64 => text.bytes().collect(),
            95 if text.bytes().skip(2).step_by(3).all(|divider| divider == b':') => {
                text.split(':').flat_map(str::bytes).collect()
            }
            _ => return None,
        };
        let value = |digit: u8| char::from(digit).to_digit(16);
        if digits.len() != 64 {
            return None;
        }
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            *octet = u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok()?;
        }
        Some(Fingerprint(octets))
    }
}

impl fmt::Display for Fingerprint {
    /// As openssl(1) prints it: capitals, with colons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, octet) in self.0.iter().enumerate() {
            write!(f, "{}{octet:02X}", if place == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl Network {
    /// Whether it names a certificate with one of these fingerprints.
    pub fn knows(&self, fingerprints: &[Fingerprint]) -> bool {
        self.certificates.iter().any(|known| fingerprints.contains(known))
    }

    /// The longest prefix length of a range that holds the address.
    pub fn longest_match(&self, address: IpAddr) -> Option<u8> {
        self.ranges.iter().filter(|range| range.contains(&address)).map(IpNet::prefix_len).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_with_colons_and_without() {
        let colons = ["AB"; 32].join(":");
        let fingerprint = Fingerprint::parse(&colons).unwrap();
        assert_eq!(fingerprint, Fingerprint::parse(&"ab".repeat(32)).unwrap());
        assert_eq!(fingerprint.to_string(), colons);
        let wrong = ["", "AB", &"ab".repeat(31), &colons.replace(':', "-"), &"zz".repeat(32), &colons.replace("AB:AB", "A:BAB")];
        assert!(wrong.iter().all(|text| Fingerprint::parse(text).is_none()));
    }
}
