//! The DNS records that a site needs, in the form that each deployment tool takes.
//!
//! [`derive`] reads the site and makes a [`RecordSet`]; each format is one file that turns the set into files. All of them
//! carry the same records. None of them can remove what it does not know: texts at a domain's own name are shared with others,
//! and a format that could only replace them all says so where it is read.
//!
//! A zone is taken to begin at the topmost domain of the site that holds a name: where a zone cut lies is not known offline.

mod derive;
mod dnscontrol;
mod json;
mod markdown;
mod nsupdate;
mod octodns;
mod route53;
mod terraform;
mod zone;

pub use derive::{announced, derive, egress, in_use, names_relay, spf_of, ways};
pub use zone::{Authority, whole};

use postern_schema::autoconfig;
use postern_schema::name::Domain;
use postern_schema::record::{MtaStsPolicy, Record, RecordKind};
use std::path::PathBuf;

/// How long a record may be cached: an hour, so that a mistake is mended within one.
pub const TTL_SECONDS: u32 = 3600;

/// Every record that a site needs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecordSet {
    /// By zone, owner, kind and value.
    pub records: Vec<Planned>,
    /// The reverse names, which live in zones of whoever owns the addresses: a task, not a deployment.
    pub reverse: Vec<Planned>,
    /// Policies of MTA-STS, which a web server serves.
    pub policies: Vec<WebFile>,
    /// Settings of mail programs, which a web server serves.
    pub settings: Vec<WebFile>,
    /// The same for programs that ask by PACC.
    pub pacc: Vec<WebFile>,
    /// What could not be said, and why.
    pub notes: Vec<Note>,
}

/// A record and what it is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Planned {
    /// The zone that it belongs into.
    pub zone: Domain,
    /// The record.
    pub record: Record,
    /// The domain of the site that needs it.
    pub domain: Domain,
    /// What it is for: a few words.
    pub purpose: &'static str,
}

/// What a web server answers: at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` (RFC 8461 3.2), or at [`autoconfig::PATH`]
/// below `https://autoconfig.DOMAIN`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebFile {
    /// The domain that it is about.
    pub domain: Domain,
    /// The file.
    pub text: String,
}

/// Why a record is missing, or what is left to do by hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The domain of the site that it is about.
    pub domain: Domain,
    /// One sentence.
    pub text: String,
}

/// A tool that records are deployed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum DnsFormat {
    /// RFC 1035 zone text to `$INCLUDE`
    Zone,
    /// octoDNS YAML, one file per zone
    Octodns,
    /// dnscontrol JavaScript that extends your own `D()`
    Dnscontrol,
    /// Terraform JSON for Cloudflare (provider 5)
    TerraformCloudflare,
    /// Terraform JSON for Route 53
    #[value(name = "terraform-route53")]
    TerraformRoute53,
    /// Route 53 change batches, one file per zone
    #[value(name = "route53")]
    Route53,
    /// A script for nsupdate (RFC 2136)
    Nsupdate,
    /// Every record with its parts, for programs
    Json,
    /// Tables to read, and to paste from into a web panel
    Markdown,
}

impl DnsFormat {
    /// Every format.
    pub const ALL: [DnsFormat; 9] = [
        DnsFormat::Zone,
        DnsFormat::Octodns,
        DnsFormat::Dnscontrol,
        DnsFormat::TerraformCloudflare,
        DnsFormat::TerraformRoute53,
        DnsFormat::Route53,
        DnsFormat::Nsupdate,
        DnsFormat::Json,
        DnsFormat::Markdown,
    ];

    /// Its name on the command line and as a folder.
    pub fn as_str(self) -> &'static str {
        match self {
            DnsFormat::Zone => "zone",
            DnsFormat::Octodns => "octodns",
            DnsFormat::Dnscontrol => "dnscontrol",
            DnsFormat::TerraformCloudflare => "terraform-cloudflare",
            DnsFormat::TerraformRoute53 => "terraform-route53",
            DnsFormat::Route53 => "route53",
            DnsFormat::Nsupdate => "nsupdate",
            DnsFormat::Json => "json",
            DnsFormat::Markdown => "markdown",
        }
    }

    /// The files of this format, by their paths below the folder that they are written to.
    pub fn files(self, set: &RecordSet) -> Vec<(PathBuf, String)> {
        match self {
            DnsFormat::Zone => zone::files(set),
            DnsFormat::Octodns => octodns::files(set),
            DnsFormat::Dnscontrol => dnscontrol::files(set),
            DnsFormat::TerraformCloudflare => terraform::cloudflare(set),
            DnsFormat::TerraformRoute53 => terraform::route53(set),
            DnsFormat::Route53 => route53::files(set),
            DnsFormat::Nsupdate => nsupdate::files(set),
            DnsFormat::Json => json::files(set),
            DnsFormat::Markdown => markdown::files(set),
        }
    }
}

/// Every format, each in a folder of its name: what `postern build` puts into `DIR/dns/`.
pub fn every_format(set: &RecordSet) -> Vec<(PathBuf, String)> {
    let below = |format: DnsFormat| move |(path, text)| (PathBuf::from(format.as_str()).join::<PathBuf>(path), text);
    let formats = DnsFormat::ALL.into_iter().flat_map(|format| format.files(set).into_iter().map(below(format)));
    formats.chain(set.web_files()).collect()
}

impl RecordSet {
    /// What one domain of the site needs, and nothing else.
    pub fn only(&self, domain: &Domain) -> RecordSet {
        let files = |all: &[WebFile]| all.iter().filter(|file| file.domain == *domain).cloned().collect();
        let planned = |all: &[Planned]| all.iter().filter(|planned| planned.domain == *domain).cloned().collect();
        RecordSet {
            records: planned(&self.records),
            reverse: planned(&self.reverse),
            policies: files(&self.policies),
            settings: files(&self.settings),
            pacc: files(&self.pacc),
            notes: self.notes.iter().filter(|note| note.domain == *domain).cloned().collect(),
        }
    }

    /// What web servers serve, each below the name of the host that serves it: a folder to put into the place of web documents.
    pub fn web_files(&self) -> Vec<(PathBuf, String)> {
        let below = |label: &'static str, path: &'static str| {
            move |file: &WebFile| (PathBuf::from(format!("{label}.{}{path}", file.domain)), file.text.clone())
        };
        let policies = self.policies.iter().map(below("mta-sts", MtaStsPolicy::PATH));
        let settings = self.settings.iter().map(below("autoconfig", autoconfig::PATH));
        policies.chain(settings).chain(self.pacc.iter().map(below("ua-auto-config", autoconfig::PACC_PATH))).collect()
    }

    /// The records of each zone, in order.
    fn zones(&self) -> impl Iterator<Item = (&Domain, &[Planned])> {
        self.records.chunk_by(|a, b| a.zone == b.zone).map(|records| (&records[0].zone, records))
    }

    /// The notes on the domains of one zone.
    fn notes_on<'a>(&'a self, records: &'a [Planned]) -> impl Iterator<Item = &'a Note> {
        self.notes.iter().filter(|note| records.iter().any(|planned| planned.domain == note.domain))
    }
}

/// The sets of records of one owner and kind, which tools replace as a whole.
pub(crate) fn rrsets(records: &[Planned]) -> impl Iterator<Item = (&Record, &[Planned])> {
    let key = |planned: &Planned| -> (postern_schema::record::Owner, RecordKind) {
        (planned.record.owner.clone(), planned.record.data.kind())
    };
    records.chunk_by(move |a, b| key(a) == key(b)).map(|set| (&set[0].record, set))
}

/// Lower-case hexadecimal digits.
fn hex(octets: &[u8]) -> String {
    postern_schema::snapshot::digest_hex(octets)
}

#[cfg(test)]
mod tests;
