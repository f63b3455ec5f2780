//! The date and time of a header field, of mail (RFC 5322 3.3) and of the web (RFC 9110 5.6.7), in UTC. Pure: the time is given. Used for Received fields and for the
//! notifications that the server writes.

const DAY_NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTH_NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: u64 = 86_400;
/// Days of four centuries, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;
/// Days from 1 March of year 0 to the epoch.
const EPOCH_DAYS: u64 = 719_468;

/// `Sat, 21 Nov 2026 18:14:59 +0000`, from seconds since the epoch.
pub fn rfc5322(epoch_seconds: u64) -> String {
    let (day_name, day, rest) = parts(epoch_seconds);
    format!("{day_name}, {day} {rest} +0000")
}

/// `Sat, 21 Nov 2026 18:14:59 GMT`, from seconds since the epoch.
pub fn http(epoch_seconds: u64) -> String {
    let (day_name, day, rest) = parts(epoch_seconds);
    format!("{day_name}, {day:02} {rest} GMT")
}

fn parts(epoch_seconds: u64) -> (&'static str, u64, String) {
    let days = epoch_seconds / DAY_SECONDS;
    let (year, month, day) = civil(days);
    let second = epoch_seconds % DAY_SECONDS;
    // The epoch was a Thursday. Both indices are below the lengths by their remainders.
    let day_name = DAY_NAMES[((days + 3) % 7) as usize];
    let month_name = MONTH_NAMES[month as usize % 12];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (day_name, day, format!("{month_name} {year:04} {hour:02}:{minute:02}:{second:02}"))
}

/// `Nov 21 18:14:59`, as a line of syslog begins, from seconds since the epoch.
pub fn syslog(epoch_seconds: u64) -> String {
    let (_, month, day) = civil(epoch_seconds / DAY_SECONDS);
    let second = epoch_seconds % DAY_SECONDS;
    let month_name = MONTH_NAMES[month as usize % 12];
    format!("{month_name} {day:>2} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// `Sat Nov 21 18:14:59`, as `mailq` has it, from seconds since the epoch.
pub fn mailq(epoch_seconds: u64) -> String {
    let day_name = DAY_NAMES[((epoch_seconds / DAY_SECONDS + 3) % 7) as usize];
    format!("{day_name} {}", syslog(epoch_seconds))
}

/// `2026-11-21`, from seconds since the epoch.
pub fn iso_day(epoch_seconds: u64) -> String {
    let (year, month, day) = civil(epoch_seconds / DAY_SECONDS);
    format!("{year:04}-{:02}-{day:02}", month + 1)
}

/// The days from the epoch to a day of the Gregorian calendar; `None` for one that is before it, or none.
pub fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year_from_march = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year_from_march / 4 - year_from_march / 100 + year_from_march / 400;
    let days = (365 * year_from_march + leap_days + day_of_year).checked_sub(EPOCH_DAYS)?;
    (civil(days) == (year, month - 1, day)).then_some(days)
}

/// Year, month from 0 and day from 1 of a number of days since the epoch, in the Gregorian calendar. Years are counted from
/// 1 March, so that the leap day is the last of a year.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH_DAYS;
    let day_of_era = days % ERA_DAYS;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = days / ERA_DAYS * 400 + year_of_era + u64::from(month < 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        for (seconds, text) in [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (951_868_799, "Tue, 29 Feb 2000 23:59:59 +0000"),
            (951_868_800, "Wed, 1 Mar 2000 00:00:00 +0000"),
            (1_000_000_000, "Sun, 9 Sep 2001 01:46:40 +0000"),
            (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 +0000"),
            (1_798_761_600, "Fri, 1 Jan 2027 00:00:00 +0000"),
            (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
        ] {
            assert_eq!(rfc5322(seconds), text);
        }
        assert_eq!(http(1_000_000_000), "Sun, 09 Sep 2001 01:46:40 GMT");
    }

    #[test]
    fn every_day_for_two_centuries_follows_the_one_before() {
        let lengths = |year: u64| {
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        };
        let (mut year, mut month, mut day) = (1970, 0, 1);
        for days in 0..73_100 {
            assert_eq!(civil(days), (year, month, day));
            assert_eq!(super::days(year, month + 1, day), Some(days));
            day += 1;
            if day > lengths(year)[month as usize] {
                (month, day) = (month + 1, 1);
            }
            if month == 12 {
                (year, month) = (year + 1, 0);
            }
        }
    }
}
