//! Signed tokens (RFC 7515, RFC 7519): their claims, where one of the keys that the site pins has signed them. A key has one
//! algorithm, and the token does not choose another: `none` and algorithms of shared secrets are as unknown as nonsense (RFC 8725
//! 3.1).

use super::{Refused, TOKEN_MAX_OCTETS};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_schema::site::{TokenKey, TokenPublicKey};
use serde_json::{Map, Value};

/// The claims of a token that one of these keys has signed.
///
/// # Errors
/// [`Refused`].
pub fn claims(token: &str, keys: &[TokenKey]) -> Result<Map<String, Value>, Refused> {
    if token.len() > TOKEN_MAX_OCTETS {
        return Err(Refused("it is too long"));
    }
    let malformed = Refused("it is no signed token");
    let (signed, signature) = token.rsplit_once('.').ok_or(malformed)?;
    let (header, payload) = signed.split_once('.').filter(|(_, payload)| !payload.contains('.')).ok_or(malformed)?;
    let object = |part: &str| match URL_SAFE_NO_PAD.decode(part).ok().and_then(|octets| serde_json::from_slice(&octets).ok()) {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(malformed),
    };
    let header = object(header)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed)?;
    // RFC 7515 4.1.11: what has to be understood, and is not.
    if header.contains_key("crit") {
        return Err(Refused("its header demands what is not served"));
    }
    let algorithm = header.get("alg").and_then(Value::as_str).ok_or(malformed)?;
    let id = header.get("kid").and_then(Value::as_str);
    let may_have_signed = |key: &&TokenKey| {
        let is_named = key.id.is_none() || id.is_none() || key.id.as_deref() == id;
        is_named && algorithm_of(&key.public).contains(&algorithm)
    };
    let mut candidates = keys.iter().filter(may_have_signed).peekable();
    if candidates.peek().is_none() {
        return Err(Refused("no pinned key is of its name and algorithm"));
    }
    if !candidates.any(|key| is_signed(&key.public, signed.as_bytes(), &signature)) {
        return Err(Refused("its signature is wrong"));
    }
    object(payload)
}

/// The names of the one algorithm that a key is used with (RFC 7518 3.1, RFC 8037 3.1, RFC 9864 2.2).
fn algorithm_of(key: &TokenPublicKey) -> &'static [&'static str] {
    match key {
        TokenPublicKey::Rsa { .. } => &["RS256"],
        TokenPublicKey::P256(_) => &["ES256"],
        TokenPublicKey::Ed25519(_) => &["EdDSA", "Ed25519"],
    }
}

fn is_signed(key: &TokenPublicKey, signed: &[u8], signature: &[u8]) -> bool {
    let verified = match key {
        TokenPublicKey::Rsa { modulus, exponent } => {
            let key = RsaPublicKeyComponents { n: modulus.as_slice(), e: exponent.as_slice() };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
        }
        TokenPublicKey::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature),
        TokenPublicKey::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(signed, signature),
    };
    verified.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    fn token(header: &str, payload: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn named(id: &str, public: TokenPublicKey) -> TokenKey {
        TokenKey { id: Some(id.into()), public }
    }

    #[test]
    fn the_example_of_rfc_7515_a_2_is_of_its_key_alone() {
        let octets = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let modulus = octets(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs\
             D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV\
             MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        );
        let keys = [named("rfc", TokenPublicKey::Rsa { modulus, exponent: octets("AQAB") })];
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0\
             cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9C\
             UAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi1\
             2jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe\
             77Rw";
        assert_eq!(claims(token, &keys).unwrap()["iss"], "joe");
        let changed = token.replace("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJib2Ii");
        assert_eq!(claims(&changed, &keys), Err(Refused("its signature is wrong")));
    }

    #[test]
    fn a_key_has_one_algorithm_whatever_the_token_says_rfc_8725_3_1() {
        let random = SystemRandom::new();
        let pair = |octets: &[u8]| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, octets).unwrap();
        let curve = pair(EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap().as_ref());
        let edwards = Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref()).unwrap();
        let keys = [
            named("a", TokenPublicKey::P256(curve.public_key().as_ref().to_vec())),
            named("b", TokenPublicKey::Ed25519(edwards.public_key().as_ref().try_into().unwrap())),
        ];
        let by_curve = |header: &str| token(header, "{}", |signed| curve.sign(&random, signed).unwrap().as_ref().to_vec());
        let by_edwards = |header: &str| token(header, "{}", |signed| edwards.sign(signed).as_ref().to_vec());
        for good in
            [by_curve(r#"{"alg":"ES256"}"#), by_curve(r#"{"alg":"ES256","kid":"a"}"#), by_edwards(r#"{"alg":"EdDSA","kid":"b"}"#)]
        {
            assert!(claims(&good, &keys).is_ok(), "{good}");
        }
        for bad in [
            by_curve(r#"{"alg":"ES256","kid":"b"}"#),
            by_curve(r#"{"alg":"EdDSA"}"#),
            by_edwards(r#"{"alg":"ES256"}"#),
            by_curve(r#"{"alg":"ES256","crit":["x"],"x":1}"#),
            by_curve(r#"{}"#),
            by_curve("[]"),
            token(r#"{"alg":"none"}"#, "{}", |_| Vec::new()),
            token(r#"{"alg":"HS256"}"#, "{}", |_| vec![0; 32]),
            format!("{}.x", by_curve(r#"{"alg":"ES256"}"#)),
            "a.b".to_owned(),
            String::new(),
            "..".to_owned(),
        ] {
            assert!(claims(&bad, &keys).is_err(), "{bad}");
        }
    }
}
