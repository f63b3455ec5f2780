//! What must hold of whatever claims to be a login: tokens and the messages that carry them, and answers of directories.

use posternd::auth::ldap::message;
use posternd::auth::token::{Bearer, OAUTHBEARER, XOAUTH2, signed};
use postern_schema::site::{TokenKey, TokenPublicKey};

/// Any octets as each of them.
pub fn is_a_login_or_is_refused(octets: &[u8]) {
    for mechanism in [OAUTHBEARER, XOAUTH2] {
        if let Some(bearer) = Bearer::parse(mechanism, octets) {
            assert!(!bearer.token.is_empty() && bearer.user.as_deref() != Some(""));
        }
    }
    if let Ok(Some((answer, length))) = message::read(octets) {
        assert_eq!(message::read(&octets[..length]), Ok(Some((answer, length))), "what stands behind an answer changes it");
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let keys = [TokenKey { id: None, public: TokenPublicKey::Ed25519([7; 32]) }, TokenKey { id: None, public: TokenPublicKey::P256(vec![4; 65]) }];
    assert!(signed::claims(text, &keys).is_err(), "nobody has signed it");
    // A name is one value of the template, whatever is in it (RFC 4514 2.4).
    let name = message::name_of("uid={user},dc=example", text);
    let value = name.strip_prefix("uid=").and_then(|rest| rest.strip_suffix(",dc=example")).expect("the template stands around it");
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            assert!(characters.by_ref().take(2).filter(char::is_ascii_hexdigit).count() == 2, "{value}");
        } else {
            assert!(character.is_alphanumeric() || "-_.@".contains(character), "{value}");
        }
    }
}
