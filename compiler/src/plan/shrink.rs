//! The guard against a site that lost most of its domains, as when an include was forgotten or a table was cut.

use std::fmt;

/// The part of the domains that may go at once, in hundredths.
const MOST_PERCENT: usize = 30;

/// More domains go than may go unasked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shrink {
    /// How many there were.
    pub domains: usize,
    /// How many of them the new site lacks.
    pub dropped: usize,
}

impl fmt::Display for Shrink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shrink { domains, dropped } = self;
        write!(f, "{dropped} of {domains} domains would go, and {MOST_PERCENT} % is the most; if they shall, say --allow-shrink")
    }
}

/// Whether more than [`MOST_PERCENT`] of these domains are missing afterwards.
pub fn shrink<D>(domains: &[D], is_kept: impl Fn(&D) -> bool) -> Option<Shrink> {
    let dropped = domains.iter().filter(|domain| !is_kept(domain)).count();
    (dropped * 100 > domains.len() * MOST_PERCENT).then_some(Shrink { domains: domains.len(), dropped })
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn a_third_is_too_much_and_three_in_ten_are_not() {
        let domains: Vec<u8> = (0..10).collect();
        assert_eq!(shrink(&domains, |domain| *domain >= 3), None);
        assert_eq!(shrink(&domains, |domain| *domain >= 4).map(|shrink| shrink.dropped), Some(4));
        assert_eq!(shrink(&[0_u8; 0], |_| false), None);
    }
}
