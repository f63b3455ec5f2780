//! The tables of a snapshot and its header.
//!
//! Whoever changes the stored form of anything raises [`FORMAT_VERSION`]; a reader refuses every other version by name, the
//! older ones too, since a rebuild from the same site is always at hand.

use super::codec::{Damaged, Reader, Stored, Writer};

/// The one format that this code reads and writes.
pub const FORMAT_VERSION: u32 = 6;

/// The tables, in the order in which they are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Table {
    /// What the file is; see [`Header`].
    Header,
    /// Settings of which there is one each, by name.
    Settings,
    /// Listeners by position.
    Listeners,
    /// Networks by position.
    Networks,
    /// User stores by position.
    Users,
    /// Transports by position.
    Transports,
    /// Relays by position.
    Relays,
    /// Routes by position.
    Routes,
    /// Receivers that are treated in their own way, by position.
    Receivers,
    /// Domains by name.
    Domains,
    /// Addresses by domain and folded local part.
    Addresses,
}

impl Table {
    /// Every table, in the order in which they are written.
    pub const ALL: [Table; 11] = [
        Table::Header,
        Table::Settings,
        Table::Listeners,
        Table::Networks,
        Table::Users,
        Table::Transports,
        Table::Relays,
        Table::Routes,
        Table::Receivers,
        Table::Domains,
        Table::Addresses,
    ];

    /// Its name in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Table::Header => "header",
            Table::Settings => "settings",
            Table::Listeners => "listeners",
            Table::Networks => "networks",
            Table::Users => "users",
            Table::Transports => "transports",
            Table::Relays => "relays",
            Table::Routes => "routes",
            Table::Receivers => "receivers",
            Table::Domains => "domains",
            Table::Addresses => "addresses",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Table> {
        Table::ALL.into_iter().find(|table| table.as_str() == name)
    }
}

/// What a snapshot says of itself. It holds no time, host or path outside the site's folder: the same site compiled by the
/// same version has the same header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// [`FORMAT_VERSION`] of its writer.
    pub format: u32,
    /// The version of the compiler.
    pub compiler: Box<str>,
    /// Each source file, with the digest that it had.
    pub sources: Vec<SourceDigest>,
    /// SHA-256 over every other table: equal for two snapshots that decide alike.
    pub site_digest: [u8; 32],
}

/// One source file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceDigest {
    /// Relative to the folder of the site file.
    pub path: Box<str>,
    /// SHA-256 of its octets.
    pub sha256: [u8; 32],
}

/// The key of the format version. It is read before anything else, and its place never changes.
pub const FORMAT_KEY: &[u8] = b"format";
/// The key of the rest of the header.
pub const HEADER_KEY: &[u8] = b"header";

impl Stored for SourceDigest {
    fn write(&self, out: &mut Writer) {
        self.path.write(out);
        self.sha256.write(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<SourceDigest, Damaged> {
        Ok(SourceDigest { path: Stored::read(from)?, sha256: Stored::read(from)? })
    }
}

impl Header {
    /// The entries of [`Table::Header`], in key order.
    pub fn entries(&self) -> [(&'static [u8], Vec<u8>); 2] {
        let mut out = Writer::default();
        self.compiler.write(&mut out);
        self.sources.write(&mut out);
        self.site_digest.write(&mut out);
        [(FORMAT_KEY, self.format.to_le_bytes().to_vec()), (HEADER_KEY, out.into_octets())]
    }

    /// Reads the entry under [`HEADER_KEY`] of a snapshot whose format is known to be ours.
    ///
    /// # Errors
    /// [`Damaged`] where the octets are no header.
    pub fn decode(octets: &[u8]) -> Result<Header, Damaged> {
        let mut from = Reader::new(octets);
        let header = Header {
            format: FORMAT_VERSION,
            compiler: Stored::read(&mut from)?,
            sources: Stored::read(&mut from)?,
            site_digest: Stored::read(&mut from)?,
        };
        from.end()?;
        Ok(header)
    }
}
