//! Mail that is sent on to other sites, and the sender that it leaves with.

pub mod foreign_domain;
pub mod no_srs;
pub mod not_covered;
pub mod stays_here;
pub mod without_srs;

use super::Subject;
use crate::addresses::{Address, Target};

/// Every forward.
fn forwards<'a>(subject: &'a Subject<'_>) -> impl Iterator<Item = Address<'a>> {
    subject.draft.addresses.declared().filter(|address| address.forwarding().is_some())
}

/// Those of its targets that lie in no domain of the site.
fn elsewhere<'a>(address: &Address<'a>, subject: &'a Subject<'_>) -> Vec<Target<'a>> {
    address.targets().filter(|target| subject.graph.is_elsewhere(target)).collect()
}
