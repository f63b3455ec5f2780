//! TLS reports (RFC 8460): how sessions with the mail hosts of a domain were protected, by the policy that held for them.

use super::Metadata;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Text from elsewhere is cut here: what is kept of a day is bounded.
const TEXT_OCTETS: usize = 200;
/// The most lines of a policy that are kept.
const POLICY_LINES: usize = 32;

/// The policy that a session was opened under (RFC 8460 4.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyType {
    /// DANE (RFC 7672).
    Tlsa,
    /// MTA-STS (RFC 8461).
    Sts,
    /// Neither.
    NoPolicyFound,
}

/// What went wrong (RFC 8460 4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultType {
    /// The host does not offer STARTTLS.
    StarttlsNotSupported,
    /// The certificate is for another name.
    CertificateHostMismatch,
    /// The certificate is over.
    CertificateExpired,
    /// Nobody who is trusted vouches for the certificate.
    CertificateNotTrusted,
    /// Anything else in the handshake.
    ValidationFailure,
    /// The TLSA records are wrong, or no certificate matches them.
    TlsaInvalid,
    /// The answers of DNS are forged or broken.
    DnssecInvalid,
    /// DANE was asked for, and there are no records to go by.
    DaneRequired,
    /// The MTA-STS policy could not be fetched.
    StsPolicyFetchError,
    /// The MTA-STS policy cannot be read.
    StsPolicyInvalid,
    /// The host is not in the MTA-STS policy, or its certificate does not hold.
    StsWebpkiInvalid,
}

/// How one attempt to open a session ended.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The policy that held.
    pub policy_type: PolicyType,
    /// The domain of the policy: for DANE the name that the TLSA records stand below, else the domain of the recipients.
    pub policy_domain: &'a str,
    /// The policy as it was found: the lines of an MTA-STS file, or each TLSA record; none where there is no policy.
    pub policy: &'a [&'a str],
    /// The `mx` patterns of an MTA-STS policy.
    pub policy_hosts: &'a [&'a str],
    /// The host that was tried, from the MX record.
    pub mx: &'a str,
    /// Its address; `None`: it did not come to a connection.
    pub address: Option<IpAddr>,
    /// The address that the connection came from.
    pub from: Option<IpAddr>,
    /// What went wrong, with words for people; `None`: the session was protected as the policy wants it, or, without one, at all.
    pub failure: Option<(ResultType, &'a str)>,
}

/// A session as it is counted: those that succeeded are alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// The policy.
    pub policy: Policy,
    /// What went wrong; `None`: nothing.
    pub failure: Option<Failure>,
}

/// A policy, as a report has it (RFC 8460 4.4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Policy {
    /// Its kind.
    pub policy_type: PolicyType,
    /// Its lines or records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_string: Vec<Box<str>>,
    /// Whose it is.
    pub policy_domain: Box<str>,
    /// The hosts that an MTA-STS policy allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mx_host: Vec<Box<str>>,
}

/// What went wrong, as a report has it (RFC 8460 4.4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    /// In one word.
    pub result_type: ResultType,
    /// Our address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending_mta_ip: Option<IpAddr>,
    /// The host.
    pub receiving_mx_hostname: Box<str>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_ip: Option<IpAddr>,
    /// In words for people.
    pub failure_reason_code: Box<str>,
}

impl From<Session<'_>> for Row {
    fn from(session: Session<'_>) -> Row {
        let failure = session.failure.map(|(result_type, why)| Failure {
            result_type,
            sending_mta_ip: session.from,
            receiving_mx_hostname: cut(session.mx),
            receiving_ip: session.address,
            failure_reason_code: cut(why),
        });
        let lines = |lines: &[&str]| lines.iter().take(POLICY_LINES).map(|line| cut(line)).collect();
        let policy = Policy {
            policy_type: session.policy_type,
            policy_domain: cut(session.policy_domain),
            policy_string: lines(session.policy),
            mx_host: lines(session.policy_hosts),
        };
        Row { policy, failure }
    }
}

fn cut(text: &str) -> Box<str> {
    text[..text.floor_char_boundary(TEXT_OCTETS)].into()
}

/// The report, in JSON (RFC 8460 4.4).
pub fn json(metadata: &Metadata<'_>, rows: &BTreeMap<Row, u64>) -> String {
    let mut policies: BTreeMap<&Policy, (u64, u64, Vec<Value>)> = BTreeMap::new();
    for (Row { policy, failure }, count) in rows {
        let (succeeded, failed, details) = policies.entry(policy).or_default();
        match failure {
            None => *succeeded += count,
            Some(failure) => {
                *failed += count;
                // A struct of texts, numbers and addresses always has a form in JSON.
                let mut detail = serde_json::to_value(failure).unwrap_or_default();
                detail["failed-session-count"] = (*count).into();
                details.push(detail);
            }
        }
    }
    let policies = policies.into_iter().map(|(policy, (succeeded, failed, details))| {
        let summary = json!({ "total-successful-session-count": succeeded, "total-failure-session-count": failed });
        let mut shown = json!({ "policy": policy, "summary": summary });
        if !details.is_empty() {
            shown["failure-details"] = details.into();
        }
        shown
    });
    let report = json!({
        "organization-name": metadata.organization,
        "date-range": {
            "start-datetime": format!("{}T00:00:00Z", metadata.day),
            "end-datetime": format!("{}T23:59:59Z", metadata.day),
        },
        "contact-info": metadata.contact,
        "report-id": metadata.report_id,
        "policies": policies.collect::<Value>(),
    });
    format!("{report:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::day::Day;

    fn session<'a>(mx: &'a str, failure: Option<(ResultType, &'a str)>) -> Row {
        let session = Session {
            policy_type: PolicyType::Sts,
            policy_domain: "example.net",
            policy: &["version: STSv1", "mode: testing"],
            policy_hosts: &["*.example.net"],
            mx,
            address: failure.and("192.0.2.7".parse().ok()),
            from: None,
            failure,
        };
        session.into()
    }

    #[test]
    fn sessions_add_up_by_their_policy() {
        let long = "x".repeat(1000);
        let rows = BTreeMap::from([
            (session("mx1.example.net", None), 7),
            (session("mx2.example.net", Some((ResultType::CertificateExpired, "over since yesterday"))), 2),
            (session("mx3.example.net", Some((ResultType::StarttlsNotSupported, &long))), 1),
        ]);
        assert_eq!(session("mx1.example.net", None), session("mx2.example.net", None), "what succeeded is alike");
        let day = Day::parse("2026-11-28").unwrap();
        let metadata = Metadata { organization: "Example", contact: "a@example.com", report_id: "1@example.com", day };
        let report: Value = serde_json::from_str(&json(&metadata, &rows)).unwrap();
        assert_eq!(report["date-range"]["end-datetime"], "2026-11-28T23:59:59Z");
        let policy = &report["policies"][0];
        assert_eq!(policy["policy"]["policy-type"], "sts");
        assert_eq!(policy["policy"]["mx-host"][0], "*.example.net");
        assert_eq!(policy["summary"]["total-successful-session-count"], 7);
        assert_eq!(policy["summary"]["total-failure-session-count"], 3);
        let details = policy["failure-details"].as_array().unwrap();
        let of = |name: &str| details.iter().find(|detail| detail["result-type"] == name).unwrap();
        assert_eq!(of("certificate-expired")["failed-session-count"], 2);
        assert_eq!(of("certificate-expired")["receiving-ip"], "192.0.2.7");
        assert_eq!(of("starttls-not-supported")["failure-reason-code"].as_str().unwrap().len(), TEXT_OCTETS);
    }
}
