//! Networks that are trusted with something.

use super::{Check, Origin};
use ipnet::IpNet;
use std::net::IpAddr;

/// A named set of address ranges (`mynetworks`), and what its members may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    /// Its name in the site, unique.
    pub name: Box<str>,
    /// CIDR ranges with their host bits cleared.
    pub ranges: Vec<IpNet>,
    /// Whether members may send mail to anywhere without a login.
    pub relay: bool,
    /// The checks that members are spared; those that may relay are spared all of them.
    pub exempt: Vec<Check>,
    /// Why it is trusted, in the words of the site's author; may be empty.
    pub reason: Box<str>,
    /// Where it was said.
    pub origin: Origin,
}

impl Network {
    /// The longest prefix length of a range that holds the address.
    pub fn longest_match(&self, address: IpAddr) -> Option<u8> {
        self.ranges.iter().filter(|range| range.contains(&address)).map(IpNet::prefix_len).max()
    }
}
