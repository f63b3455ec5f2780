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
    /// The code of a finding, or the name of its rule; a part of one lists those that fit, and nothing all of them
    code: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let text = match &arguments.code {
        None => list(|_| true),
        Some(code) if rules::find(code).is_none() => {
            let wanted = code.to_lowercase();
            let found =
                list(|rule| [rule.code, rule.name, rule.title()].iter().any(|text| text.to_lowercase().contains(&wanted)));
            if found.is_empty() {
                return Err(unknown(&code.to_uppercase()));
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
