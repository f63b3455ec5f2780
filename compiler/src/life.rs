//! The life of a DKIM key: how long each state lasts at least, and why. The rules hold the dates of a site against it, and
//! `postern key` says what comes next. Days are whole: a step is taken on the day after its wait is over, at any hour.

use crate::certificate::Date;
use crate::lower::draft::SigningDates;
use postern_schema::site::SigningState;
use std::time::Duration;

/// Days from publication until a key may sign: resolvers remember for up to an hour that it was not there, secondary name
/// servers lag behind, and a day is the least that dates can say.
pub const PUBLISH_DAYS: i64 = 1;

/// Days from the last signature until a key may leave DNS: what it signed may lie in a queue for that long, here and at the
/// receiver's own relays, and a day more for the hour at which it was signed.
pub fn retire_days(queue_lifetime: Duration) -> i64 {
    const DAY: u64 = 24 * 60 * 60;
    // A lifetime is bounded by the grammar; days beyond i64 do not occur.
    i64::try_from(queue_lifetime.as_secs().div_ceil(DAY)).unwrap_or(i64::MAX - 1) + 1
}

/// What comes next for a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// It may go into this state.
    Now(SigningState, &'static str),
    /// It may go into this state from this day on.
    From(Date, SigningState, &'static str),
    /// Nothing by itself.
    Rest(&'static str),
}

/// What comes next for a key that is in this state since the days that are said, on a given day. `has_successor`: another key
/// of the same algorithm signs too.
pub fn next(state: SigningState, dates: &SigningDates, queue_lifetime: Duration, today: Date, has_successor: bool) -> Next {
    let wait = |since: Option<Date>, days: i64, into: SigningState, why: &'static str, done: &'static str| match since {
        None => Next::Rest("the site does not say since when: write the date into `dkim`"),
        Some(since) if since.days_until(today) >= days => Next::Now(into, done),
        Some(since) => Next::From(since.plus_days(days), into, why),
    };
    let day = |date: &Option<crate::source::Spanned<Date>>| date.as_ref().map(|date| date.value);
    match state {
        SigningState::Publish => wait(
            day(&dates.published),
            PUBLISH_DAYS,
            SigningState::Active,
            "resolvers that asked for the key before it was there have forgotten that by then",
            "everybody can find it",
        ),
        SigningState::Active if has_successor => Next::Now(SigningState::Retired, "another key of the same algorithm signs"),
        SigningState::Active => Next::Rest("it signs until a new key takes over: `postern key new`"),
        SigningState::Retired => wait(
            day(&dates.retired),
            retire_days(queue_lifetime),
            SigningState::Removed,
            "mail that it signed may be under way for as long as the queue keeps mail",
            "what it signed has arrived or was given up",
        ),
        SigningState::Revoked => Next::Rest("it stays revoked for as long as somebody may check what it signed"),
        SigningState::Removed => Next::Rest("its line may be deleted, and its private half with it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceId, Span, Spanned};

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn said(text: &str) -> Option<Spanned<Date>> {
        Some(Spanned::new(day(text), Span { source: SourceId(0), start: 0, length: 0 }))
    }

    #[test]
    fn a_key_waits_before_it_signs_and_before_it_goes() {
        const LIFETIME: Duration = Duration::from_secs(5 * 24 * 60 * 60);
        let dates = SigningDates { published: said("2026-02-28"), retired: said("2026-12-28"), ..SigningDates::default() };
        let next = |state, today: &str| match super::next(state, &dates, LIFETIME, day(today), false) {
            Next::Now(into, _) => format!("now {into}"),
            Next::From(date, into, _) => format!("{date} {into}"),
            Next::Rest(_) => "rest".to_owned(),
        };
        assert_eq!(next(SigningState::Publish, "2026-02-28"), "2026-03-01 active");
        assert_eq!(next(SigningState::Publish, "2026-03-01"), "now active");
        assert_eq!(next(SigningState::Active, "2026-03-01"), "rest");
        assert_eq!(next(SigningState::Retired, "2027-01-02"), "2027-01-03 removed");
        assert_eq!(next(SigningState::Retired, "2027-01-03"), "now removed");
        assert_eq!(next(SigningState::Removed, "2027-01-03"), "rest");
        let unsaid = super::next(SigningState::Publish, &SigningDates::default(), LIFETIME, day("2026-03-01"), false);
        assert!(matches!(unsaid, Next::Rest(_)));
        let relieved = super::next(SigningState::Active, &dates, LIFETIME, day("2026-03-01"), true);
        assert!(matches!(relieved, Next::Now(SigningState::Retired, _)));
    }
}
