//! `postern rule`: what a code means, why it matters, and what to write instead.

use super::{Failure, Status, print};
use crate::rules::chk::complainers;
use crate::rules::{self, RULES, Rule};
use crate::syntax::nearest;
use clap::Args;
use std::fmt::Write;

/// The arguments of `rule`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The code of a finding, or the name of its rule; the beginning of one, or words of a title, list those that fit; without it, all
    /// are listed
    code: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let text = match &arguments.code {
        None => list(|_| true),
        Some(part) if rules::find(part).is_none() => {
            let of_code = list(|rule| rule.code.starts_with(&part.to_uppercase()));
            let found = if of_code.is_empty() {
                list(|rule| rule.title().to_lowercase().contains(&part.to_lowercase()))
            } else {
                of_code
            };
            if found.is_empty() {
                return Err(unknown(&part.to_uppercase()));
            }
            found
        }
        Some(code) => {
            let rule = rules::find(code).ok_or_else(|| unknown(&code.to_uppercase()))?;
            let names: Vec<&str> = complainers(rule.code).iter().map(|checker| checker.name()).collect();
            let complain =
                if names.is_empty() { String::new() } else { format!("\nComplaints come from {}.\n", names.join(", ")) };
            format!("{}\n{complain}", rule.explain.trim_end())
        }
    };
    print(&text).map(|()| Status::Fine)
}

fn list(fits: impl Fn(&Rule) -> bool) -> String {
    let mut text = String::new();
    for rule in RULES.iter().filter(|rule| fits(rule)) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}  {:<7}  {}", rule.code, rule.severity.as_str(), rule.title());
    }
    text
}

fn unknown(code: &str) -> Failure {
    let hint = match nearest(code, RULES.iter().map(|rule| rule.code)) {
        Some(near) => format!("; did you mean {near}?"),
        None => "; `postern rule` lists them".to_owned(),
    };
    Failure::usage(format!("there is no rule {code}{hint}"))
}
