//! What other people's checkers complain of. A site chooses whose rules it keeps, with `require` in `site` or with `--checker`: then
//! the rules of this family speak, and what was a note elsewhere is a warning. Whatever a checker complains of names it.

pub mod dane_without_spare;
pub mod no_address;
pub mod no_caa;
pub mod no_dane;
pub mod no_ipv6;
pub mod no_mta_sts;
pub mod no_tls_report;
pub mod old_key;
pub mod phased_out_key;
pub mod self_signed;
pub mod weak_dmarc;
pub mod weak_mta_sts;

use crate::lower::draft::{DomainDraft, SiteDraft};
use crate::report::{Diagnostic, Severity};
use postern_schema::site::DomainClass;
use std::collections::BTreeSet;

/// Somebody who looks at mail sites from outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum Checker {
    /// What Gmail, Yahoo and Microsoft ask of whoever sends them thousands of messages a day
    BulkSender,
    /// The mail test of internet.nl
    InternetNl,
    /// The tests of MXToolbox
    Mxtoolbox,
    /// The mail part of Hardenize
    Hardenize,
    /// What M3AAWG recommends to senders, and for domains that send nothing
    M3aawg,
    /// MECSA, of the European Commission's Joint Research Centre
    Mecsa,
}

impl Checker {
    /// Every checker.
    pub const ALL: [Checker; 6] =
        [Checker::BulkSender, Checker::InternetNl, Checker::Mxtoolbox, Checker::Hardenize, Checker::M3aawg, Checker::Mecsa];

    /// The word of the site language and of `--checker`.
    pub fn as_str(self) -> &'static str {
        match self {
            Checker::BulkSender => "bulk-sender",
            Checker::InternetNl => "internet-nl",
            Checker::Mxtoolbox => "mxtoolbox",
            Checker::Hardenize => "hardenize",
            Checker::M3aawg => "m3aawg",
            Checker::Mecsa => "mecsa",
        }
    }

    /// Reads the word of the site language.
    pub fn parse(word: &str) -> Option<Checker> {
        Checker::ALL.into_iter().find(|checker| checker.as_str() == word)
    }

    /// As people know it.
    pub fn name(self) -> &'static str {
        match self {
            Checker::BulkSender => "Gmail, Yahoo and Microsoft",
            Checker::InternetNl => "internet.nl",
            Checker::Mxtoolbox => "MXToolbox",
            Checker::Hardenize => "Hardenize",
            Checker::M3aawg => "M3AAWG",
            Checker::Mecsa => "MECSA",
        }
    }
}

/// Who complains of what.
const COMPLAINTS: &[(&str, &[Checker])] = &[
    ("CHK001", &[Checker::InternetNl]),
    ("CHK002", &[Checker::BulkSender, Checker::Mxtoolbox]),
    ("CHK003", &[Checker::InternetNl]),
    ("CHK004", &[Checker::InternetNl, Checker::Mecsa]),
    ("CHK005", &[Checker::InternetNl, Checker::Hardenize]),
    ("CHK006", &[Checker::InternetNl, Checker::Mecsa]),
    ("CHK007", &[Checker::Hardenize, Checker::Mecsa]),
    ("CHK008", &[Checker::Hardenize]),
    ("CHK009", &[Checker::Hardenize]),
    ("CHK010", &[Checker::M3aawg]),
    ("CHK011", &[Checker::InternetNl]),
    ("CHK012", &[Checker::InternetNl, Checker::Hardenize, Checker::Mecsa]),
    ("DKM005", &[Checker::BulkSender, Checker::InternetNl, Checker::M3aawg]),
    ("DKM006", &[Checker::BulkSender, Checker::InternetNl, Checker::M3aawg]),
    ("DKM012", &[Checker::BulkSender, Checker::InternetNl, Checker::M3aawg, Checker::Mecsa]),
    ("DMC002", &[Checker::InternetNl]),
    ("DMC003", &[Checker::InternetNl, Checker::Mxtoolbox]),
    ("DMC007", &[Checker::BulkSender]),
    ("DOM009", &[Checker::M3aawg]),
    ("DOM014", &[Checker::Mxtoolbox, Checker::Hardenize]),
    ("RLY001", &[Checker::Mxtoolbox]),
    ("SIT002", &[Checker::BulkSender, Checker::Mxtoolbox]),
    ("SIT003", &[Checker::BulkSender, Checker::InternetNl, Checker::Mxtoolbox]),
    ("SIT007", &[Checker::InternetNl, Checker::Mxtoolbox]),
    ("SPF001", &[Checker::BulkSender, Checker::InternetNl, Checker::Mxtoolbox]),
    ("SPF002", &[Checker::BulkSender, Checker::InternetNl, Checker::Mecsa]),
    ("SPF003", &[Checker::InternetNl]),
    ("SPF007", &[Checker::BulkSender]),
    ("STS002", &[Checker::Hardenize]),
    ("STS003", &[Checker::Hardenize, Checker::Mecsa]),
    ("STS004", &[Checker::Hardenize, Checker::Mecsa]),
    ("TLS002", &[Checker::InternetNl, Checker::Hardenize, Checker::Mecsa]),
    ("TLS003", &[Checker::BulkSender, Checker::InternetNl, Checker::Mxtoolbox, Checker::Hardenize, Checker::Mecsa]),
    ("TLS005", &[Checker::InternetNl, Checker::Hardenize]),
    ("TLS006", &[Checker::InternetNl, Checker::Hardenize]),
    ("TLS007", &[Checker::InternetNl, Checker::Hardenize]),
    ("TLS008", &[Checker::InternetNl, Checker::Hardenize]),
    ("TLS011", &[Checker::InternetNl, Checker::Hardenize, Checker::Mecsa]),
    ("TLS015", &[Checker::InternetNl]),
    ("TSA003", &[Checker::InternetNl, Checker::Mecsa]),
];

/// The checkers that complain of what a rule finds.
pub fn complainers(code: &str) -> &'static [Checker] {
    COMPLAINTS.iter().find(|(known, _)| *known == code).map_or(&[], |(_, checkers)| checkers)
}

/// Whether a rule speaks at all: one of this family does for a chosen checker alone.
pub(super) fn is_asked(code: &str, chosen: &BTreeSet<Checker>) -> bool {
    !code.starts_with("CHK") || is_chosen(code, chosen)
}

/// Whether one of those who complain of it was chosen.
pub(super) fn is_chosen(code: &str, chosen: &BTreeSet<Checker>) -> bool {
    complainers(code).iter().any(|checker| chosen.contains(checker))
}

/// The domains that take mail, and send it.
fn receiving(draft: &SiteDraft) -> impl Iterator<Item = &DomainDraft> {
    draft.domains.iter().filter(|domain| domain.class.value == DomainClass::Local)
}

/// Names the chosen checkers in what they complain of.
pub(super) fn name_complainers(findings: &mut [Diagnostic], chosen: &BTreeSet<Checker>) {
    for finding in findings {
        let names: Vec<&str> =
            complainers(finding.code).iter().filter(|checker| chosen.contains(checker)).map(|checker| checker.name()).collect();
        if names.is_empty() {
            continue;
        }
        finding.severity = finding.severity.max(Severity::Warning);
        let help = finding.help.take().map(|help| format!("{help}; ")).unwrap_or_default();
        let ends = if matches!(names.as_slice(), [one] if *one != Checker::BulkSender.name()) { "s" } else { "" };
        finding.help = Some(format!("{help}{} complain{ends} of it", names.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::{COMPLAINTS, Checker};
    use crate::syntax::grammar::CHECKERS;

    #[test]
    fn the_language_has_a_word_for_each_checker() {
        assert!(CHECKERS.iter().map(|word| word.text).eq(Checker::ALL.map(Checker::as_str)));
        for checker in Checker::ALL {
            assert_eq!(Checker::parse(checker.as_str()), Some(checker));
            assert!(COMPLAINTS.iter().any(|(_, checkers)| checkers.contains(&checker)), "{checker:?}");
        }
    }

    /// The page on checkers says of every item where it is kept: each rule that a checker complains of stands there, and no other.
    #[test]
    fn the_page_on_checkers_names_every_complaint() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/checkers.md")).unwrap();
        let code = regex::Regex::new("[A-Z]{3}[0-9]{3}").unwrap();
        let named: std::collections::BTreeSet<&str> = code.find_iter(&page).map(|found| found.as_str()).collect();
        for code in &named {
            assert!(crate::rules::find(code).is_some(), "{code} is no rule");
        }
        for (code, _) in COMPLAINTS {
            assert!(named.contains(code), "docs/checkers.md does not name {code}");
        }
    }

    #[test]
    fn complaints_are_of_rules_that_there_are() {
        for (code, _) in COMPLAINTS {
            assert!(crate::rules::find(code).is_some(), "{code}");
        }
    }
}
