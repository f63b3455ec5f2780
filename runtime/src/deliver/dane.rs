//! A host's certificate held against its TLSA records (RFC 7672 3). Whether the records can be believed is for
//! [`crate::dns::secure`] to say.

use super::verifier::{Judge, Shown};
use crate::dns::secure::Tlsa;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};

/// A certificate in the chain is an authority for it.
const DANE_TA: u8 = 2;
/// The certificate is the host's own, whatever stands in it.
const DANE_EE: u8 = 3;

/// The records that a mail client can go by (RFC 7672 3.1): usages 0 and 1 say nothing here, and one whose digest has another
/// length than its kind was damaged by somebody.
pub fn usable(records: &[Tlsa]) -> Vec<Tlsa> {
    let is_usable = |record: &&Tlsa| {
        let fits = match record.matching {
            0 => !record.data.is_empty(),
            1 => record.data.len() == 32,
            2 => record.data.len() == 64,
            _ => false,
        };
        matches!(record.usage, DANE_TA | DANE_EE) && record.selector <= 1 && fits
    };
    records.iter().filter(is_usable).cloned().collect()
}

/// Takes a certificate that one of the records is for, and no other.
#[derive(Debug)]
pub struct DaneJudge {
    /// None but usable ones.
    records: Vec<Tlsa>,
    /// What the certificate may be for, where an authority vouches for it (RFC 7672 3.2.2).
    names: Vec<ServerName<'static>>,
}

impl DaneJudge {
    /// By these usable records, for one of these names.
    pub fn new(records: &[Tlsa], names: Vec<ServerName<'static>>) -> DaneJudge {
        DaneJudge { records: usable(records), names }
    }

    fn matches(&self, usage: u8, certificate: &CertificateDer<'_>) -> bool {
        self.records.iter().any(|record| record.usage == usage && is_for(record, certificate))
    }

    /// RFC 7672 3.1.2: an authority of the chain that a record is for, or that a record holds, signed it; and the name is right.
    fn by_authority(&self, shown: Shown<'_>, provider: &CryptoProvider) -> Result<(), rustls::Error> {
        let Shown { leaf, chain, now, .. } = shown;
        let in_record = |record: &&Tlsa| (record.usage, record.selector, record.matching) == (DANE_TA, 0, 0);
        let in_records = self.records.iter().filter(in_record).map(|record| CertificateDer::from(record.data.clone()));
        let in_chain = chain.iter().filter(|one| self.matches(DANE_TA, one)).map(|one| one.clone().into_owned());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(in_records.chain(in_chain));
        if roots.is_empty() {
            return Err(CertificateError::UnknownIssuer.into());
        }
        let leaf = ParsedCertificate::try_from(leaf)?;
        let algorithms = provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&leaf, &roots, chain, now, algorithms)?;
        let mut last = CertificateError::NotValidForName.into();
        for name in &self.names {
            match verify_server_name(&leaf, name) {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Whether a record is for a certificate (RFC 6698 2.1.2, 2.1.3).
fn is_for(record: &Tlsa, certificate: &CertificateDer<'_>) -> bool {
    let selected: Vec<u8> = match record.selector {
        0 => certificate.to_vec(),
        _ => match ParsedCertificate::try_from(certificate) {
            Ok(parsed) => parsed.subject_public_key_info().to_vec(),
            Err(_) => return false,
        },
    };
    let digest = |algorithm| aws_lc_rs::digest::digest(algorithm, &selected).as_ref() == record.data;
    match record.matching {
        0 => selected == record.data,
        1 => digest(&aws_lc_rs::digest::SHA256),
        _ => digest(&aws_lc_rs::digest::SHA512),
    }
}

impl Judge for DaneJudge {
    fn judge(&self, shown: Shown<'_>, provider: &CryptoProvider) -> Result<(), rustls::Error> {
        // RFC 7672 3.1.1: with usage 3, neither the names nor the dates in the certificate count.
        if self.matches(DANE_EE, shown.leaf) { Ok(()) } else { self.by_authority(shown, provider) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::{SHA256, SHA512, digest};
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::UnixTime;
    use std::time::Duration;

    struct Chain {
        leaf: CertificateDer<'static>,
        authority: CertificateDer<'static>,
    }

    fn chain(name: &str, is_over: bool) -> Chain {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if is_over {
            params.not_after = rcgen::date_time_ymd(2001, 1, 1);
            params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        }
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        Chain { leaf: leaf.der().clone(), authority: issuer.der().clone() }
    }

    fn key(certificate: &CertificateDer<'_>) -> Vec<u8> {
        ParsedCertificate::try_from(certificate).unwrap().subject_public_key_info().to_vec()
    }

    fn record(usage: u8, selector: u8, matching: u8, certificate: &CertificateDer<'_>) -> Tlsa {
        let selected = if selector == 0 { certificate.to_vec() } else { key(certificate) };
        let data = match matching {
            0 => selected,
            1 => digest(&SHA256, &selected).as_ref().to_vec(),
            _ => digest(&SHA512, &selected).as_ref().to_vec(),
        };
        Tlsa { usage, selector, matching, data }
    }

    fn verify(records: &[Tlsa], names: &[&str], chain: &Chain, shown: &[CertificateDer<'_>]) -> Result<(), rustls::Error> {
        let names = names.iter().map(|name| ServerName::try_from((*name).to_owned()).unwrap()).collect();
        let judge = DaneJudge::new(records, names);
        // 2026: the certificates are valid from 1975 to 4096 unless they are over.
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_795_000_000));
        let sni = ServerName::try_from("unused.test").unwrap();
        let shown = Shown { leaf: &chain.leaf, chain: shown, name: &sni, ocsp: &[], now };
        judge.judge(shown, &rustls::crypto::aws_lc_rs::default_provider())
    }

    #[test]
    fn every_selector_and_matching_of_usage_3_rfc_7672_3_1_1() {
        let (ours, other) = (chain("mx.test", true), chain("mx.test", true));
        for selector in 0..=1 {
            for matching in 0..=2 {
                let held = [record(3, selector, matching, &ours.leaf)];
                assert_eq!(verify(&held, &["elsewhere.test"], &ours, &[]), Ok(()), "3 {selector} {matching}");
                assert!(verify(&held, &["mx.test"], &other, &[]).is_err(), "3 {selector} {matching}");
            }
        }
    }

    #[test]
    fn usage_2_needs_the_chain_and_a_name_rfc_7672_3_1_2() {
        let ours = chain("mx.test", false);
        let shown = [ours.authority.clone()];
        for selector in 0..=1 {
            for matching in 0..=2 {
                let held = [record(2, selector, matching, &ours.authority)];
                assert_eq!(verify(&held, &["domain.test", "mx.test"], &ours, &shown), Ok(()), "2 {selector} {matching}");
                assert!(verify(&held, &["domain.test"], &ours, &shown).is_err(), "the name: 2 {selector} {matching}");
                // A record that holds the whole certificate stands for one that was not shown.
                let is_whole = (selector, matching) == (0, 0);
                assert_eq!(verify(&held, &["mx.test"], &ours, &[]).is_ok(), is_whole, "not shown: 2 {selector} {matching}");
            }
        }
        let over = chain("mx.test", true);
        let held = [record(2, 0, 1, &over.authority)];
        assert!(verify(&held, &["mx.test"], &over, std::slice::from_ref(&over.authority)).is_err(), "its dates count");
    }

    #[test]
    fn one_of_several_records_is_enough_rfc_7671_8_1() {
        let (old, new) = (chain("mx.test", false), chain("mx.test", false));
        let held = [record(3, 1, 1, &old.leaf), record(3, 1, 1, &new.leaf)];
        assert_eq!((verify(&held, &[], &old, &[]), verify(&held, &[], &new, &[])), (Ok(()), Ok(())));
    }

    #[test]
    fn what_is_not_usable_rfc_7672_3_1_3() {
        let ours = chain("mx.test", false);
        let good = record(3, 1, 1, &ours.leaf);
        let bad = [
            record(0, 0, 1, &ours.authority),
            record(1, 1, 1, &ours.leaf),
            Tlsa { usage: 4, ..good.clone() },
            Tlsa { selector: 2, ..good.clone() },
            Tlsa { matching: 3, ..good.clone() },
            Tlsa { data: good.data[1..].to_vec(), ..good.clone() },
            Tlsa { matching: 0, data: Vec::new(), ..good.clone() },
        ];
        assert_eq!(usable(&bad), []);
        assert_eq!(usable(&[bad[0].clone(), good.clone()]), [good]);
    }
}
