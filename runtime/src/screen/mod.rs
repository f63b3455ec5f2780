//! What the checks of a stranger need to know ([`postern_schema::decide`] asks, the site's `screen` says what for): what lists in
//! DNS say of it, whether it was here before, and how much went wrong with it of late. Nothing is decided here.
//!
//! None of it may keep mail up: a list that does not answer counts nothing, and a disk that is full loses memories, not messages.

mod greylist;
mod lists;
mod memory;
mod recent;
mod reputation;

pub use greylist::{Entry, Key, Remembrance, Visit, standing};
pub use lists::{Listed, Lists, ZoneStatus, zones};
pub use memory::Memory;
pub use recent::Recent;
pub use reputation::{EARLY, ERROR, Reputations};

use postern_schema::site::{Check, Site};
use std::net::IpAddr;

/// Whether a client that has not logged in is spared a check: it may relay, or the site says so.
pub fn is_spared(address: IpAddr, check: Check, site: &Site) -> bool {
    site.network(address).is_some_and(|network| network.relay || network.exempt.contains(&check))
}
