//! Certificates that another implementation made.

use super::{ChainError, Date, Key, Signature, read_chain};
use postern_schema::name::Domain;
use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P384_SHA384, date_time_ymd};

fn leaf(names: &[&str]) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.not_before = date_time_ymd(2026, 2, 28);
    params.not_after = date_time_ymd(2051, 12, 31);
    params.self_signed(&key).unwrap().pem()
}

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

#[test]
fn names_and_days_are_read() {
    let chain = read_chain(&leaf(&["mail.example.com", "*.example.org"])).unwrap();
    let [certificate] = chain.as_slice() else { panic!("{chain:?}") };
    assert_eq!(
        (certificate.not_before, certificate.not_after),
        (Date::new(2026, 2, 28).unwrap(), Date::new(2051, 12, 31).unwrap())
    );
    assert_eq!((certificate.key, certificate.signature), (Key::Curve(256), Signature::Sound));
    assert!(certificate.is_self_issued() && !certificate.is_authority);
    for (host, covered) in [
        ("mail.example.com", true),
        ("MAIL.example.com", true),
        ("example.com", false),
        ("a.example.org", true),
        ("a.b.example.org", false),
        ("example.org", false),
    ] {
        assert_eq!(certificate.covers(&domain(host)), covered, "{host}");
    }
}

#[test]
fn a_chain_is_read_in_order() {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "an authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["mail.example.com".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let chain = read_chain(&format!("a comment\n{}\n{}", leaf.pem(), authority.pem())).unwrap();
    assert_eq!(chain.len(), 2);
    assert!(chain[0].is_issued_by(&chain[1]) && !chain[0].is_self_issued() && !chain[0].is_authority);
    assert!(chain[1].is_authority && chain[1].is_self_issued() && chain[1].key == Key::Curve(384));
}

#[test]
fn damage_is_named() {
    let pem = leaf(&["mail.example.com"]);
    assert_eq!(read_chain(""), Err(ChainError::Empty));
    assert_eq!(read_chain(&pem.replace("END", "DNE")), Err(ChainError::NoCertificate(1)));
    let mut lines: Vec<&str> = pem.lines().collect();
    lines.remove(3);
    assert_eq!(read_chain(&lines.join("\n")), Err(ChainError::NoCertificate(1)));
    let broken = pem.replacen("MII", "M*I", 1).replacen("MIIB", "M*IB", 1);
    assert!(matches!(read_chain(&broken), Err(ChainError::NoBase64(1) | ChainError::NoCertificate(1))));
    assert_eq!(read_chain(&format!("{pem}{}", pem.replacen('M', "A", 1))).map(|_| ()), Err(ChainError::NoCertificate(2)));
}

#[test]
fn days_are_counted_over_leap_years() {
    let date = |text| Date::parse(text).unwrap();
    assert_eq!(date("2024-02-28").days_until(date("2024-03-01")), 2);
    assert_eq!(date("2026-02-28").days_until(date("2026-03-01")), 1);
    assert_eq!(date("1970-01-01").days_until(date("2026-11-21")), 20_778);
    assert_eq!(date("2026-11-21").days_until(date("2026-11-01")), -20);
    for wrong in ["2026-13-01", "2026-00-01", "26-11-21", "2026-11-21-1", "2026-11-32", "+026-11-21", ""] {
        assert_eq!(Date::parse(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_octets_panic(damage in proptest::collection::vec((0_usize..400, any::<u8>()), 1..8), cut in 0_usize..500) {
        use base64::Engine;
        let pem = leaf(&["mail.example.com"]);
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let mut octets = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        for (at, octet) in damage {
            let at = at % octets.len();
            octets[at] = octet;
        }
        octets.truncate(cut);
        let _ = super::read(&octets);
    }
}
