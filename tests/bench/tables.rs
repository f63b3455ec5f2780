//! Sites that are large: a table of a million aliases over a thousand domains, and a thousand domains in a hundred files. Beside
//! them what Postfix's `postmap` does with the same rows, where that is installed.

use crate::report::Report;
use postern_tests::daemon::binaries::binaries;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Domains of either site.
const DOMAINS: usize = 1000;
/// How often the memory of a running process is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// Every row of this part.
pub fn figures(report: &mut Report, aliases: usize) {
    let folder = tempfile::Builder::new().prefix("postern-tables-").tempdir().expect("a temporary folder");
    let (table, files) = (folder.path().join("table"), folder.path().join("files"));
    write_table(&table, aliases);
    write_files(&files);
    let out = folder.path().join("out").to_string_lossy().into_owned();
    for (what, site, more) in [
        (format!("check, {aliases} aliases"), &table, &["check"][..]),
        (format!("build, {aliases} aliases"), &table, &["build", "--out", &out]),
        (format!("check, {DOMAINS} domains in 100 files"), &files, &["check"]),
    ] {
        let mut command = Command::new(&binaries().postern);
        measure(report, &what, command.args(&more[..1]).arg(site.join("site.kdl")).args(&more[1..]));
    }
    for kind in ["lmdb", "hash"] {
        let rows = table.join("virtual");
        let mut command = Command::new("postmap");
        command.args(["-o", "-c"]).arg(&table).arg(format!("{kind}:{}", rows.display()));
        if fs::write(table.join("main.cf"), "compatibility_level = 3.6\nlmdb_map_size = 1073741824\n").is_ok() {
            measure(report, &format!("postmap {kind}:, {aliases} rows"), &mut command);
        }
    }
}

/// The middle of three runs, and the most memory of any.
fn measure(report: &mut Report, what: &str, command: &mut Command) {
    let mut runs: Vec<(Duration, u64)> = Vec::new();
    for _ in 0..3 {
        match run(command) {
            Ok(figures) => runs.push(figures),
            Err(why) => return report.remark(format!("no figures of {what}: {why}")),
        }
    }
    runs.sort_unstable();
    report.time(what, runs[1].0);
    let most = runs.iter().map(|(_, octets)| *octets).max().unwrap_or_default();
    report.memory(what, (most, most));
}

/// How long a command takes, and the most resident memory that it had.
fn run(command: &mut Command) -> Result<(Duration, u64), String> {
    let start = Instant::now();
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        most = most.max(high_water(Path::new(&status)).unwrap_or(0));
        if child.try_wait().map_err(|error| error.to_string())?.is_some() {
            break;
        }
        std::thread::sleep(LOOK);
    }
    let time = start.elapsed();
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok((time, most)) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// `VmHWM` of a process, in octets.
fn high_water(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

const HEAD: &str = "site \"mail.example.com\" { postmaster \"admin@d0.example\"; }\ntls { self-signed; }\nlisten \"mx\"\n\
                    route to=\"*\" via=\"direct\"\n";

/// Aliases of a mailbox of the same domain, of an alias of another, and of addresses elsewhere.
fn write_table(folder: &Path, aliases: usize) {
    let mut site = HEAD.to_owned();
    for domain in 0..DOMAINS {
        // Writing to a string does not fail.
        let _ = writeln!(site, "domain \"d{domain}.example\" {{ mailbox \"admin\"; alias \"abuse\" \"admin\"; }}");
    }
    site.push_str("aliases file=\"aliases.csv\"\n");
    let mut csv = String::from("address,targets\n");
    let mut pairs = String::new();
    for row in 0..aliases {
        let domain = row % DOMAINS;
        let target = match row % 4 {
            0 => format!("someone{row}@elsewhere{}.example", row % 50),
            1 => format!("user{}@d{}.example", row - 1, (row - 1) % DOMAINS),
            _ => format!("admin@d{domain}.example"),
        };
        let _ = writeln!(csv, "user{row}@d{domain}.example,{target}");
        let _ = writeln!(pairs, "user{row}@d{domain}.example {target}");
    }
    write(folder, &[("site.kdl", site), ("aliases.csv", csv), ("virtual", pairs)]);
}

/// Ten domains in each file, each with twenty addresses.
fn write_files(folder: &Path) {
    write(folder, &[("site.kdl", format!("{HEAD}include \"domains/*.kdl\"\n"))]);
    let addresses: String =
        (0..10).map(|n| format!("    mailbox \"user{n}\"\n    alias \"info{n}\" \"user{n}\" \"admin\"\n")).collect();
    for file in 0..100 {
        let domain = |n: usize| {
            format!(
                "domain \"d{}.example\" {{\n    mailbox \"admin\"\n    alias \"abuse\" \"admin\"\n{addresses}}}\n",
                10 * file + n
            )
        };
        write(&folder.join("domains"), &[(&format!("{file:03}.kdl"), (0..10).map(domain).collect())]);
    }
}

fn write(folder: &Path, files: &[(&str, String)]) {
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
