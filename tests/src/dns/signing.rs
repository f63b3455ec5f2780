//! DNSSEC for the server of the harness: everything that it serves is one zone, the root, signed as it is asked for with one
//! key that the test tells the daemon to trust. What does not exist is denied by an NSEC record at its own name (RFC 4470 calls this
//! minimally covering), some names are zones that are not signed, and some signatures are wrong.

use hickory_proto::dnssec::crypto::Ed25519SigningKey;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, NSEC, RRSIG, SigInput};
use hickory_proto::dnssec::{Algorithm, DnssecSigner, SigningKey, TBS};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, SerialNumber};
use std::time::Duration;

/// From 2020 to 2049: a test needs no clock.
const VALID: [u32; 2] = [1_577_836_800, 2_500_000_000];
const TTL: u32 = 60;

/// See the module.
pub(super) struct Zone {
    signer: DnssecSigner,
    key: DNSKEY,
    /// Zones of their own that are not signed.
    pub(super) unsigned: Vec<Name>,
    /// Names whose signatures are wrong.
    pub(super) forged: Vec<Name>,
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zone").field("unsigned", &self.unsigned).field("forged", &self.forged).finish_non_exhaustive()
    }
}

impl Zone {
    pub(super) fn new() -> Zone {
        let pkcs8 = Ed25519SigningKey::generate_pkcs8().unwrap();
        let private = Ed25519SigningKey::from_pkcs8(&pkcs8).unwrap();
        let key = DNSKEY::new(true, true, false, private.to_public_key().unwrap());
        let signer = DnssecSigner::new(key.clone(), Box::new(private), Name::root(), Duration::from_secs(1));
        Zone { signer, key, unsigned: Vec::new(), forged: Vec::new() }
    }

    /// The key, as a file of trust anchors has it.
    pub(super) fn anchor(&self) -> String {
        format!(". {TTL} IN DNSKEY {}\n", self.key)
    }

    /// Makes of an answer what a signed zone gives.
    pub(super) fn sign(&self, name: &Name, kind: RecordType, answer: &mut Message) {
        if let Some(apex) = self.unsigned.iter().find(|apex| apex.zone_of(name)) {
            return self.leave_unsigned(apex, name, kind, answer);
        }
        if name.is_root() {
            let data = match kind {
                RecordType::DNSKEY => Some(RData::DNSSEC(DNSSECRData::DNSKEY(self.key.clone()))),
                RecordType::NS => Some(name_server()),
                _ => None,
            };
            answer.answers.extend(data.map(|data| Record::from_rdata(Name::root(), TTL, data)));
        }
        if answer.answers.is_empty() {
            self.deny(name, &[], answer);
        } else {
            answer.authorities.clear();
            answer.metadata.response_code = ResponseCode::NoError;
            let last = answer.answers.last().map(|record| record.name.to_lowercase());
            // An alias that leads into a zone that is not signed.
            let leads_out = |name: &Name| self.unsigned.iter().any(|apex| apex.zone_of(name));
            if last.as_ref().is_some_and(leads_out) {
                let (inside, outside) =
                    std::mem::take(&mut answer.answers).into_iter().partition(|record| !leads_out(&record.name));
                answer.answers = inside;
                self.add_signatures(&mut answer.answers);
                answer.answers.extend::<Vec<Record>>(outside);
                return;
            }
        }
        self.add_signatures(&mut answer.answers);
        self.add_signatures(&mut answer.authorities);
    }

    fn leave_unsigned(&self, apex: &Name, name: &Name, kind: RecordType, answer: &mut Message) {
        match kind {
            // The parent says that there is a zone, and no key for it.
            RecordType::DS if name == apex => {
                answer.answers.clear();
                self.deny(apex, &[RecordType::NS], answer);
                self.add_signatures(&mut answer.authorities);
            }
            RecordType::NS if name == apex => {
                answer.metadata.response_code = ResponseCode::NoError;
                answer.authorities.clear();
                answer.answers = vec![Record::from_rdata(apex.clone(), TTL, name_server())];
            }
            _ => answer.authorities.iter_mut().for_each(|record| record.name = apex.clone()),
        }
    }

    /// Says that a name has no records but these.
    fn deny(&self, name: &Name, has: &[RecordType], answer: &mut Message) {
        answer.metadata.response_code = ResponseCode::NoError;
        let soa = SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, TTL);
        let next = name.prepend_label(b"\0".as_slice()).unwrap();
        let nsec = NSEC::new_cover_self(next, has.iter().copied());
        answer.authorities = vec![
            Record::from_rdata(Name::root(), TTL, RData::SOA(soa)),
            Record::from_rdata(name.clone(), TTL, RData::DNSSEC(DNSSECRData::NSEC(nsec))),
        ];
    }

    fn add_signatures(&self, records: &mut Vec<Record>) {
        let mut sets: Vec<(Name, RecordType)> = records.iter().map(|one| (one.name.clone(), one.record_type())).collect();
        sets.sort();
        sets.dedup();
        for (name, kind) in sets {
            let set: Vec<Record> = records.iter().filter(|one| one.name == name && one.record_type() == kind).cloned().collect();
            let input = SigInput {
                type_covered: kind,
                algorithm: Algorithm::ED25519,
                num_labels: name.num_labels(),
                original_ttl: set[0].ttl,
                sig_expiration: SerialNumber::new(VALID[1]),
                sig_inception: SerialNumber::new(VALID[0]),
                key_tag: self.signer.calculate_key_tag().unwrap(),
                signer_name: Name::root(),
            };
            let tbs = TBS::from_input(&name, DNSClass::IN, &input, set.iter()).unwrap();
            let mut signature = self.signer.sign(&tbs).unwrap();
            if self.forged.contains(&name.to_lowercase()) {
                signature[0] ^= 1;
            }
            let rrsig = RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, signature)));
            records.push(Record::from_rdata(name, set[0].ttl, rrsig));
        }
    }
}

fn name_server() -> RData {
    RData::NS(NS(Name::from_ascii("ns.invalid.").unwrap()))
}
