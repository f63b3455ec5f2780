//! Where reports go: the addresses in the tag `rua` of DMARC (RFC 9989) and TLS-RPT (RFC 8460 3).

use crate::name::{Domain, Mailbox};
use std::fmt;

/// A `mailto:` or `https:` address. What has a meaning in a list of tags is percent-encoded, so that any list of these can be
/// taken apart again.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ReportUri(Box<str>);

impl ReportUri {
    /// Reads `mailto:` with a mail address or `https://` with a host, without blanks; `None` for anything else.
    pub fn parse(text: &str) -> Option<ReportUri> {
        let (scheme, rest) = text.split_once(':')?;
        let fits = match scheme.to_ascii_lowercase().as_str() {
            "mailto" => mailbox(rest).is_some(),
            "https" => rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')),
            _ => false,
        };
        if !fits || !text.bytes().all(|octet| octet.is_ascii_graphic()) {
            return None;
        }
        // RFC 9989: `,` and `!` within an address must be encoded; `;` would end the tag.
        let encoded = text.replace(',', "%2C").replace('!', "%21").replace(';', "%3B");
        Some(ReportUri(encoded.into()))
    }

    /// The address, encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a report by mail goes.
    pub fn mailbox(&self) -> Option<Mailbox> {
        mailbox(self.0.strip_prefix("mailto:")?)
    }

    /// The domain that a report by mail goes to.
    pub fn mail_domain(&self) -> Option<Domain> {
        self.mailbox()?.host.domain().cloned()
    }

    /// `; rua=` and the list; nothing where the list is empty.
    pub(super) fn write_list(list: &[ReportUri], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, uri) in list.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "; rua=" } else { "," }, uri.0)?;
        }
        Ok(())
    }
}

fn mailbox(text: &str) -> Option<Mailbox> {
    Mailbox::parse(text.split('?').next().unwrap_or_default()).ok()
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where receivers report on TLS failures (RFC 8460 3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsReport {
    /// The addresses; at least one.
    pub reports: Vec<ReportUri>,
}

impl TlsReport {
    /// What every such record begins with.
    pub const VERSION: &str = "v=TLSRPTv1";
}

impl fmt::Display for TlsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TlsReport::VERSION)?;
        ReportUri::write_list(&self.reports, f)
    }
}
