//! What an operator may see of the reports to others: what is collected, and each report as it would be sent.

use super::Answer;
use crate::daemon::{Daemon, now_ms};
use crate::report::day::Day;
use crate::report::send::{destinations, due};
use postern_schema::site::ReportKind;
use serde_json::{Value, json};

/// Every day and domain of which something is known, oldest first.
pub fn list(daemon: &Daemon, kind: Option<&str>) -> Answer {
    let kinds = match kind.map(|word| ReportKind::parse(word).ok_or(word)) {
        None => ReportKind::ALL.to_vec(),
        Some(Ok(kind)) => vec![kind],
        Some(Err(word)) => return unknown(word),
    };
    // A large day takes a while to read, and sessions go on meanwhile.
    tokio::task::block_in_place(|| {
        let mut shown = Vec::new();
        for kind in kinds {
            for day in daemon.reports.days(kind) {
                match daemon.reports.summaries(kind, day) {
                    Err(error) => return Answer::Refused(format!("{} reports of {day} cannot be read: {error}", kind.as_str())),
                    Ok(all) => shown.extend(all.into_iter().map(|one| {
                        json!({
                            "type": kind.as_str(),
                            "day": day.to_string(),
                            "domain": one.domain,
                            "count": one.count,
                            "state": state(day, one.is_done),
                            "due-seconds": due(day, &one.domain),
                        })
                    })),
                }
            }
        }
        Answer::Ok(shown.into())
    })
}

fn state(day: Day, is_done: bool) -> &'static str {
    match (is_done, day == Day::of_ms(now_ms())) {
        (true, _) => "done",
        (false, true) => "collecting",
        (false, false) => "waiting",
    }
}

/// One report.
pub async fn show(daemon: &Daemon, kind: &str, domain: &str, day: Option<&str>) -> Answer {
    let Some(kind) = ReportKind::parse(kind) else { return unknown(kind) };
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let knows =
        |day: &Day| daemon.reports.summaries(kind, *day).is_ok_and(|all| all.iter().any(|summary| *summary.domain == *domain));
    let day = match day.map(|text| Day::parse(text).ok_or(text)) {
        Some(Ok(day)) => Some(day),
        Some(Err(text)) => return Answer::Refused(format!("{text:?} is no day; write one as 2026-11-28")),
        None => tokio::task::block_in_place(|| daemon.reports.days(kind).into_iter().rev().find(knows)),
    };
    let generation = daemon.current.generation();
    let site = generation.site();
    if site.reports.reporter(kind).is_none() {
        return Answer::Refused(format!("the site sends no {0} reports; say `{0} from=` in `reports`", kind.as_str()));
    }
    let nothing = || Answer::Refused(format!("nothing was seen of {domain} for a {} report", kind.as_str()));
    let Some(day) = day else { return nothing() };
    let prepared = match tokio::task::block_in_place(|| daemon.reports.prepare(site, kind, day, &domain)) {
        Err(error) => return Answer::Refused(format!("what was seen cannot be read: {error}")),
        Ok(None) => return nothing(),
        Ok(Some(prepared)) => prepared,
    };
    let found = destinations(daemon, kind, &domain, &prepared).await;
    Answer::Ok(json!({
        "type": kind.as_str(),
        "domain": domain,
        "day": day.to_string(),
        "from": prepared.from.to_string(),
        "to": found.allowed.iter().map(ToString::to_string).collect::<Value>(),
        "not-to": found.refused.iter().map(|(place, why)| format!("{place} ({why})")).collect::<Value>(),
        "undecided": found.undecided,
        "report-id": prepared.report_id,
        "report": prepared.text,
    }))
}

fn unknown(word: &str) -> Answer {
    Answer::Refused(format!("{word:?} is no kind of report; there are dmarc and tls"))
}
