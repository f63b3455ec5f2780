//! Whether the SPF record that is published today lets an address send: the evaluation of [`postern_schema::spf`], which is the
//! daemon's too, with one resolver asked. The sender is `postmaster` at the domain, as for a bounce.

use super::client::{self, Client};
use postern_schema::dns::{Answer, Transcript};
use postern_schema::spf::{Facts, Finding, LOOKUP_LIMIT, SpfResult, check};
use std::net::IpAddr;

/// Judges an address that sends in a domain's name.
pub fn judge(client: &Client, address: IpAddr, domain: &str) -> Finding {
    let facts = Facts { client: address, helo: domain, sender: "", receiver: domain, now: 0 };
    let mut transcript = Transcript::default();
    loop {
        match check(&facts, &transcript) {
            Ok(finding) => return finding,
            Err(question) => {
                let answer = match client.ask(&question.name, question.kind) {
                    Ok(client::Answer::Found(found)) => Answer::Found(found.into_iter().map(|live| live.value.into()).collect()),
                    Ok(client::Answer::Nothing) => Answer::Nothing,
                    Ok(client::Answer::Nonexistent) => Answer::Nonexistent,
                    Err(silence) => Answer::Failed(silence.to_string().into()),
                };
                transcript.note(question, answer);
            }
        }
    }
}

/// `pass, 3 of 10 lookups`; what is wrong, where something is.
pub fn describe(finding: &Finding) -> String {
    let Finding { result, because, lookups, .. } = finding;
    let why = match result {
        SpfResult::PermError | SpfResult::TempError => format!(": {because}"),
        _ => String::new(),
    };
    format!("{result}{why}, {lookups} of {LOOKUP_LIMIT} lookups")
}
