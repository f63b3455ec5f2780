//! The keys of the tables. LMDB sorts them as octets and takes 1 to 511 of them.

use crate::name::Domain;

/// The key of a position in a list: big-endian, so that key order is list order.
pub fn position(index: u32) -> [u8; 4] {
    index.to_be_bytes()
}

/// The key of a domain: its A-label text.
pub fn domain(name: &Domain) -> &[u8] {
    name.as_str().as_bytes()
}

/// The key of an address: domain, NUL, folded local part; at most 253 + 1 + 3 × 64 octets, since folding may lengthen UTF-8.
pub fn address(domain: &Domain, folded_local: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(domain.as_str().len() + 1 + folded_local.len());
    key.extend_from_slice(domain.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(folded_local.as_bytes());
    key
}

/// Takes an address key apart; `None` for what [`address`] did not make.
pub fn split_address(key: &[u8]) -> Option<(&str, &str)> {
    let divider = key.iter().position(|octet| *octet == 0)?;
    Some((std::str::from_utf8(&key[..divider]).ok()?, std::str::from_utf8(&key[divider + 1..]).ok()?))
}
