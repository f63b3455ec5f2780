//! Days of UTC, which both kinds of report count by (RFC 8460 4.1).

use crate::queue::date;
use std::fmt;

/// A day, as a number of days since the epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(u64);

/// How many seconds a day has.
pub const DAY_SECONDS: u64 = 86_400;

impl Day {
    /// The day of a moment, in milliseconds since the epoch.
    pub fn of_ms(now_ms: u64) -> Day {
        Day(now_ms / 1000 / DAY_SECONDS)
    }

    /// Its first second, since the epoch.
    pub fn start(self) -> u64 {
        self.0 * DAY_SECONDS
    }

    /// Its last second.
    pub fn last_second(self) -> u64 {
        self.start() + DAY_SECONDS - 1
    }

    /// So many days earlier.
    pub fn before(self, days: u64) -> Day {
        Day(self.0.saturating_sub(days))
    }

    /// Reads `2026-11-28`, in exactly this form.
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        let found = Day(date::days(year, month, day)?);
        (found.to_string() == text).then_some(found)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&date::iso_day(self.start()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_is_written() {
        for seconds in [0, 951_782_400, 1_795_910_399, 4_107_542_400] {
            let day = Day::of_ms(seconds * 1000);
            assert_eq!(Day::parse(&day.to_string()), Some(day));
        }
        assert_eq!(Day::of_ms(1_795_910_399_000).to_string(), "2026-11-28");
        for wrong in ["", "2026-2-3", "2026-02-30", "2026-13-01", "x-01-01", "2026-01-01-", "99999999999-01-01"] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }
}
