//! `postern fmt`: site files in their one layout. It reads each file by itself, follows no `include`, and writes a file only if
//! something changes; a file with mistakes in its text is left alone.

use super::replace::replace;
use super::{Failure, Status, complain, print, show_findings};
use crate::fmt::format;
use crate::report::{self, Format, View, terminal::Style};
use crate::source::Sources;
use crate::syntax::read_file;
use clap::Args;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The arguments of `fmt`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Write nothing; list the files that are not in their layout, and fail if there are any
    #[arg(long)]
    check: bool,
    /// The files; `-` reads standard input and writes the result to standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let mut worst = Status::Fine;
    for path in &arguments.files {
        let status = if path == Path::new("-") { standard_input(arguments.check) } else { file(path, arguments.check) };
        let status = status.unwrap_or_else(|failure| {
            complain(&failure.message);
            failure.status
        });
        // The others are formatted all the same; the status is that of the worst.
        if status.code() > worst.code() {
            worst = status;
        }
    }
    Ok(worst)
}

fn standard_input(check: bool) -> Result<Status, Failure> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).map_err(|error| Failure::refused(format!("standard input: {error}")))?;
    let Some(formatted) = formatted(Path::new("<stdin>"), &text) else { return Ok(Status::Invalid) };
    if check {
        return Ok(if formatted == text { Status::Fine } else { Status::Refused });
    }
    print(&formatted).map(|()| Status::Fine)
}

fn file(path: &Path, check: bool) -> Result<Status, Failure> {
    let text = read_file(path)?;
    let Some(formatted) = formatted(path, &text) else { return Ok(Status::Invalid) };
    if formatted == text {
        return Ok(Status::Fine);
    }
    print(&format!("{}\n", path.display()))?;
    if check {
        return Ok(Status::Refused);
    }
    replace(path, &formatted).map_err(|error| Failure::refused(format!("{} cannot be written: {error}", path.display())))?;
    Ok(Status::Fine)
}

/// The text in its layout; what is wrong with it is shown.
fn formatted(path: &Path, text: &str) -> Option<String> {
    let mut sources = Sources::new(Path::new(""));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = sources.add(&name, text.to_owned())?;
    match format(source, text) {
        Ok(formatted) => Some(formatted),
        Err(findings) => {
            // Without a current folder, paths are shown as they were named.
            let view = View::new(&sources, path, &std::env::current_dir().unwrap_or_default());
            show_findings(&report::render(Format::Human, &findings, &view, &Style::of_stderr()));
            None
        }
    }
}
