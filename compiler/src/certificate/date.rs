//! A day of the Gregorian calendar: what a certificate is compared with. The clock is never read; the caller says which day.

use std::fmt;

/// A day, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Year 1 to 9999, month 1 to 12, day 1 to 31; `None` otherwise. A day that its month does not have counts as one of the
    /// next month.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        let fits = (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        fits.then_some(Date { year, month, day })
    }

    /// Reads `2026-11-21`.
    pub fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let part = parts.next()?;
            (part.len() == length && part.bytes().all(|b| b.is_ascii_digit())).then_some(part)
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        parts.next().is_none().then_some(date)
    }

    /// The days from `self` to `other`; negative if that is earlier.
    pub fn days_until(self, other: Date) -> i64 {
        other.number() - self.number()
    }

    /// Days since the first of March of the year 0: a year that begins in March ends with its leap day.
    fn number(self) -> i64 {
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + i64::from(self.day) - 1
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}
