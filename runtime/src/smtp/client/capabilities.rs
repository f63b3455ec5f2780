//! What a peer announced in its reply to EHLO or LHLO (RFC 5321 4.1.1.1).

use super::Transaction;
use super::login::Offered;
use postern_schema::reply::Reply;

/// The extensions of a peer that matter here. HELO leaves all of them unset.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 6152.
    pub eight_bit: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 3030.
    pub chunking: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 8689.
    pub require_tls: bool,
    /// RFC 1870.
    pub size: bool,
    /// The largest message that the peer takes, in octets; `None`: it did not say (RFC 1870 4).
    pub message_octets: Option<u64>,
    /// The mechanisms of AUTH that both sides speak (RFC 4954).
    pub mechanisms: Offered,
    /// LIMITS RCPTMAX: the most recipients of one transaction (RFC 9422 4.2).
    pub recipients: Option<u32>,
    /// LIMITS MAILMAX: the most transactions of one session (RFC 9422 4.1).
    pub transactions: Option<u32>,
}

impl Capabilities {
    /// Reads the text of the reply: the greeting line, then one extension a line. What cannot be read counts as not announced.
    pub(super) fn parse(text: &str) -> Capabilities {
        let mut found = Capabilities::default();
        for line in text.lines().skip(1) {
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            let Some(keyword) = words.next() else { continue };
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => found.pipelining = true,
                "8BITMIME" => found.eight_bit = true,
                "SMTPUTF8" => found.smtputf8 = true,
                "CHUNKING" => found.chunking = true,
                "DSN" => found.dsn = true,
                "REQUIRETLS" => found.require_tls = true,
                "STARTTLS" => found.starttls = true,
                "SIZE" => {
                    found.size = true;
                    // RFC 1870 4: zero means that there is no fixed limit.
                    found.message_octets = words.next().and_then(|word| word.parse().ok()).filter(|octets| *octets > 0);
                }
                // `AUTH=LOGIN` is how servers spoke before RFC 4954.
                "AUTH" => words.for_each(|name| found.mechanisms.note(name)),
                "LIMITS" => found.read_limits(line),
                _ => {}
            }
        }
        found
    }

    /// RFC 9422 3: `LIMITS NAME=value NAME=value`.
    fn read_limits(&mut self, line: &str) {
        for limit in line.split(' ') {
            let Some((name, value)) = limit.split_once('=') else { continue };
            let value = value.parse().ok().filter(|value| *value > 0);
            match name.to_ascii_uppercase().as_str() {
                "RCPTMAX" => self.recipients = value,
                "MAILMAX" => self.transactions = value,
                _ => {}
            }
        }
    }

    /// Why the peer cannot take this message, by its own words.
    pub(super) fn refusal(&self, transaction: &Transaction) -> Option<Reply> {
        if transaction.needs_smtputf8() && !self.smtputf8 {
            return Some(Reply::peer_lacks_smtputf8("The next host does not offer SMTPUTF8".into()));
        }
        if transaction.require_tls && !self.require_tls {
            return Some(Reply::peer_lacks_requiretls("The next host does not offer REQUIRETLS".into()));
        }
        match self.message_octets {
            Some(limit) if transaction.size_octets > limit => {
                let text = format!("The next host takes {limit} octets, and the message has {}", transaction.size_octets);
                Some(Reply::peer_size(text))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_in_any_case_rfc_5321_4_1_1_1() {
        let text = "mx.example STARTTLS\npipelining\n8BITMIME\nSIZE 1000\nAUTH LOGIN CRAM-MD5 plain\nLIMITS RCPTMAX=50 X=1 MailMax=7\nX Y\n\nDSN";
        assert_eq!(
            Capabilities::parse(text),
            Capabilities {
                pipelining: true,
                eight_bit: true,
                dsn: true,
                size: true,
                message_octets: Some(1000),
                mechanisms: Offered { login: true, plain: true, ..Offered::default() },
                recipients: Some(50),
                transactions: Some(7),
                ..Capabilities::default()
            }
        );
        assert_eq!(Capabilities::parse("a\nAUTH=PLAIN").mechanisms, Offered { plain: true, ..Offered::default() });
        assert_eq!(Capabilities::parse("STARTTLS"), Capabilities::default());
    }

    #[test]
    fn size_zero_is_no_limit_rfc_1870_4() {
        for line in ["SIZE", "SIZE 0", "SIZE x", "SIZE -1"] {
            assert_eq!(Capabilities::parse(&format!("a\n{line}")).message_octets, None);
        }
    }
}
