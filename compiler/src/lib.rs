//! `postern`, the compiler: a mail site in KDL becomes a snapshot and DNS records, or a list of what is wrong with it.

pub mod addresses;
pub mod certificate;
pub mod command;
pub mod compile;
pub mod emit;
pub mod explain;
pub mod fmt;
pub mod inventory;
pub mod life;
pub mod live;
pub mod lower;
pub mod lsp;
pub mod model;
pub mod plan;
pub mod progress;
pub mod reach;
pub mod report;
pub mod rules;
pub mod sitetest;
pub mod source;
pub mod standing;
pub mod syntax;
pub mod table;
pub mod token_keys;
