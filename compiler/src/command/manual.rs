//! `postern manual`: manual pages and shell completions, made of the same declarations that the arguments are read by. Not in
//! the help: it is for packages, and the only command that no person needs.

use super::{Failure, Status, print};
use clap::{Args, Command};
use clap_complete::Shell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The arguments of `manual`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Gets the folders `man1` and `completions`
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments, mut program: Command) -> Result<Status, Failure> {
    let pages = arguments.out.join("man1");
    let completions = arguments.out.join("completions");
    let written = write(&mut program, &pages, &completions);
    written.map_err(|error| Failure::refused(format!("{}: {error}", arguments.out.display())))?;
    print(&format!("{}\n{}\n", pages.display(), completions.display())).map(|()| Status::Fine)
}

fn write(program: &mut Command, pages: &Path, completions: &Path) -> io::Result<()> {
    fs::create_dir_all(pages)?;
    fs::create_dir_all(completions)?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, program, "postern", completions)?;
    }
    clap_mangen::generate_to(program.clone(), pages)
}
