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

    /// The day of a moment: seconds since 1970, in UTC.
    pub fn of_unix_time(seconds: u64) -> Date {
        // Seconds in a u64 make days that an i64 holds.
        Date::EPOCH.plus_days((seconds / 86_400) as i64)
    }

    /// So many days later; the last day of the year 9999 beyond that.
    pub fn plus_days(self, days: i64) -> Date {
        const LAST: Date = Date { year: 9999, month: 12, day: 31 };
        Date::from_number(self.number().saturating_add(days)).unwrap_or(LAST)
    }

    const EPOCH: Date = Date { year: 1970, month: 1, day: 1 };

    /// The inverse of [`Date::number`].
    fn from_number(number: i64) -> Option<Date> {
        const CENTURIES: i64 = 146_097;
        let (era, day) = (number.div_euclid(CENTURIES), number.rem_euclid(CENTURIES));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Date::new((year + 400 * era + carry).try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_through_leap_years() {
        let day = |text: &str| Date::parse(text).unwrap();
        assert_eq!(Date::of_unix_time(0), day("1970-01-01"));
        assert_eq!(Date::of_unix_time(951_782_400), day("2000-02-29"));
        assert_eq!(Date::of_unix_time(1_795_305_600 + 86_399), day("2026-11-22"));
        assert_eq!(day("2027-12-31").plus_days(60), day("2028-02-29"));
        assert_eq!(day("2100-02-28").plus_days(1), day("2100-03-01"));
        assert_eq!(day("9999-12-31").plus_days(1), day("9999-12-31"));
        for days in (0..800_000).step_by(997) {
            assert_eq!(Date::EPOCH.days_until(Date::EPOCH.plus_days(days)), days);
        }
    }
}
