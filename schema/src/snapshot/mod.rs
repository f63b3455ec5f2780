//! The snapshot: one immutable LMDB file that holds a compiled site, named by the SHA-256 of its octets.
//!
//! [`mod@format`] says which tables there are, [`key`] and [`value`] how their entries look, [`reader`] opens and reads one.
//! Only the compiler writes snapshots, and it writes what [`value`] encodes; the domain types of [`crate::site`] know nothing
//! of their stored form, so that either may change without the other.

pub mod codec;
pub mod format;
pub mod key;
pub mod reader;
pub mod site;
pub mod value;

pub use format::{FORMAT_VERSION, Header, SourceDigest, Table};
pub use reader::{Snapshot, SnapshotError, digest_hex, locate, plan_digest};
