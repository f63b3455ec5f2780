//! MTA-STS as a sender reads it: what others write into their record and their policy file (RFC 8461 3.1, 3.2), and whether a
//! mail host is one of theirs (RFC 8461 4.1).

use super::{MtaStsMode, MtaStsPolicy, MtaStsRecord};
use std::fmt;
use std::time::Duration;

/// The most hosts of a policy that are kept.
const HOSTS_MAX: usize = 200;

/// The policy of somebody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceivedPolicy {
    /// How strict it is.
    pub mode: MtaStsMode,
    /// How long it may be kept: [`MtaStsPolicy::LONGEST`] at most.
    pub max_age: Duration,
    /// The hosts that take mail, in lower case, as they were written: one that begins with `*.` is for every host one label below.
    pub patterns: Vec<Box<str>>,
}

/// Why a policy file is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyError {
    /// A line is no field.
    Line,
    /// `version` is not there, or another one.
    Version,
    /// `mode` is not there, or no mode.
    Mode,
    /// `max_age` is not there, or no number.
    MaxAge,
    /// There is no host, and there must be.
    Hosts,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PolicyError::Line => "a line of the policy has no colon",
            PolicyError::Version => "the policy is not of version STSv1",
            PolicyError::Mode => "the policy has no mode that RFC 8461 knows",
            PolicyError::MaxAge => "the policy does not say how long it holds",
            PolicyError::Hosts => "the policy names no mail host",
        })
    }
}

impl std::error::Error for PolicyError {}

impl ReceivedPolicy {
    /// Reads the file. Lines end with CRLF or LF; fields that nobody knows are passed over, and the first of two counts.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<ReceivedPolicy, PolicyError> {
        let (mut version, mut mode, mut max_age) = (None, None, None);
        let mut patterns = Vec::new();
        for line in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
            if line.trim().is_empty() {
                continue;
            }
            let (key, value) = line.split_once(':').ok_or(PolicyError::Line)?;
            let value = value.trim_matches([' ', '\t']);
            match key {
                "version" => drop(version.get_or_insert(value)),
                "mode" => drop(mode.get_or_insert(value)),
                "max_age" => drop(max_age.get_or_insert(value)),
                "mx" if patterns.len() < HOSTS_MAX => patterns.push(value.to_ascii_lowercase().into_boxed_str()),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err(PolicyError::Version);
        }
        let mode = mode.and_then(MtaStsMode::parse).ok_or(PolicyError::Mode)?;
        let is_number = |text: &&str| (1..=10).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
        let seconds = max_age.filter(is_number).and_then(|text| text.parse().ok()).ok_or(PolicyError::MaxAge)?;
        if patterns.is_empty() && mode != MtaStsMode::None {
            return Err(PolicyError::Hosts);
        }
        Ok(ReceivedPolicy { mode, max_age: Duration::from_secs(seconds).min(MtaStsPolicy::LONGEST), patterns })
    }

    /// Whether a host is one of those of the policy. The name may be in any case and end in a dot.
    pub fn covers(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.patterns.iter().any(|pattern| match pattern.strip_prefix("*.") {
            // RFC 8461 4.1: the star stands for the leftmost label, and for it alone.
            Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
            None => **pattern == *host,
        })
    }
}

impl fmt::Display for ReceivedPolicy {
    /// The text of a file that reads as the same policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version: STSv1\r\nmode: {}\r\n", self.mode)?;
        self.patterns.iter().try_for_each(|host| write!(f, "mx: {host}\r\n"))?;
        write!(f, "max_age: {}\r\n", self.max_age.as_secs())
    }
}

impl MtaStsRecord {
    /// Reads the text of a TXT record; `None` if it is no record of this kind.
    pub fn parse(text: &str) -> Option<MtaStsRecord> {
        let mut fields = text.split(';').map(|field| field.trim_matches([' ', '\t']));
        // The version comes first, with nothing before it.
        if !text.starts_with(MtaStsRecord::VERSION) || fields.next() != Some(MtaStsRecord::VERSION) {
            return None;
        }
        let id = fields.find_map(|field| field.strip_prefix("id="))?;
        let is_id = (1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
        is_id.then(|| MtaStsRecord { id: id.into() })
    }

    /// The record among all TXT records of the name: RFC 8461 3.1 wants exactly one.
    pub fn among<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<MtaStsRecord> {
        let mut ours = texts.into_iter().filter(|text| text.starts_with(MtaStsRecord::VERSION));
        match (ours.next(), ours.next()) {
            (Some(text), None) => MtaStsRecord::parse(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_ours_is_read_by_others_rfc_8461_3_2() {
        let hosts = ["mx1.example.com", "mx2.example.com"];
        let ours = MtaStsPolicy {
            mode: MtaStsMode::Enforce,
            max_age: Duration::from_secs(604_800),
            hosts: hosts.iter().filter_map(|host| crate::name::Domain::parse(host).ok()).collect(),
        };
        let read = ReceivedPolicy::parse(&ours.to_string());
        assert_eq!(read.as_ref().map(ToString::to_string), Ok(ours.to_string()));
        assert!(read.is_ok_and(|read| read.covers("MX1.example.com.") && !read.covers("mx3.example.com")));
        let record = ours.record();
        assert_eq!(MtaStsRecord::parse(&record.to_string()), Some(record));
    }

    #[test]
    fn two_records_are_none_rfc_8461_3_1() {
        let one = "v=STSv1; id=1;";
        assert!(MtaStsRecord::among(["v=spf1 -all", one]).is_some());
        assert!(MtaStsRecord::among([one, "v=STSv1; id=2;"]).is_none());
        assert!(MtaStsRecord::among([]).is_none());
    }
}
