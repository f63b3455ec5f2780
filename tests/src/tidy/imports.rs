//! Who may name what: a table of path prefixes and forbidden words. Tests are free to name anything, comments too.

use super::rust::words;
use super::{Finding, Tree};

/// One line of the table.
#[derive(Debug)]
pub struct Ban {
    /// Where it holds: path prefixes.
    pub under: &'static [&'static str],
    /// Where it does not, below those.
    pub except: &'static [&'static str],
    /// Words that code there does not hold. A word with `::` is matched as it is written.
    pub words: &'static [&'static str],
    /// What the ban is for.
    pub why: &'static str,
}

const SOCKETS: &[&str] = &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener", "ToSocketAddrs"];
const CLOCKS: &[&str] = &["SystemTime", "Instant", "UNIX_EPOCH"];
const CHANCE: &[&str] = &["rand", "getrandom", "fastrand", "SystemRandom"];
const ASYNC: &[&str] = &["tokio", "async", "await"];
const DAEMON_CRATES: &[&str] =
    &["tokio", "tokio_rustls", "rustls", "hickory_proto", "hickory_resolver", "hickory_net", "mail_auth", "mail_parser"];
const LANGUAGE_CRATES: &[&str] = &["kdl", "miette"];
const LMDB_WRITING: &[&str] =
    &["write_txn", "RwTxn", "create_database", "create_databases_and_commit", "put_with_flags", "copy_to_file", "copy_to_path"];
/// The two places that hold `unsafe`: where LMDB is opened for reading, and where it is written.
const LMDB_PLACES: &[&str] = &["schema/src/snapshot/reader.rs", "compiler/src/emit/"];
/// Where the compiler compares records with live DNS.
const LIVE: &str = "compiler/src/live/";
const PURE: &[&str] = &["runtime/src/smtp/", "runtime/src/smtp.rs", "runtime/src/queue/schedule"];

/// The table. It says what ARCHITECTURE.md says.
pub const BANS: &[Ban] = &[
    Ban { under: &["schema/"], except: &[], words: DAEMON_CRATES, why: "the schema does no I/O but reading a snapshot" },
    Ban { under: &["schema/"], except: &[], words: LANGUAGE_CRATES, why: "the schema knows no configuration language" },
    Ban { under: &["schema/"], except: &[], words: SOCKETS, why: "the schema has no sockets" },
    Ban { under: &["schema/"], except: &[], words: CLOCKS, why: "the schema has no clock" },
    Ban { under: &["schema/"], except: &[], words: CHANCE, why: "the schema has no randomness" },
    Ban { under: &["schema/"], except: &[], words: &["postern", "posternd"], why: "the schema is below the other two" },
    Ban {
        under: &["schema/src/decide", "schema/src/site", "schema/src/name", "schema/src/reply.rs", "schema/src/record"],
        except: &[],
        words: &["heed", "crate::snapshot", "std::fs", "File"],
        why: "decisions and domain types do not know how they are stored",
    },
    Ban { under: &[""], except: LMDB_PLACES, words: &["heed", "unsafe"], why: "LMDB and `unsafe` are in two places alone" },
    Ban { under: &[""], except: &["compiler/src/emit/"], words: LMDB_WRITING, why: "only the compiler's emit writes LMDB" },
    Ban { under: &["compiler/"], except: &[], words: &["posternd"], why: "the compiler does not see the runtime" },
    Ban { under: &["compiler/"], except: &[LIVE], words: DAEMON_CRATES, why: "compiling serves nothing and asks no network" },
    Ban { under: &["compiler/"], except: &[LIVE], words: SOCKETS, why: "compiling does no network I/O" },
    Ban {
        under: &["compiler/src/"],
        except: &[LIVE, "compiler/src/command/dns"],
        words: &["crate::live", "super::live"],
        why: "only `dns verify` asks the network",
    },
    Ban {
        under: &[LIVE],
        except: &[],
        words: &["tokio", "hickory_resolver", "mail_auth"],
        why: "one question at a time needs no more than DNS messages",
    },
    Ban { under: &[LIVE], except: &["compiler/src/live/web.rs"], words: &["rustls"], why: "only a policy file comes over TLS" },
    Ban { under: &["compiler/"], except: &[], words: CHANCE, why: "the same input gives the same bytes" },
    Ban {
        under: &["compiler/"],
        except: &["compiler/src/command/"],
        words: CLOCKS,
        why: "the same input gives the same bytes, on any day",
    },
    Ban {
        under: &["compiler/src/"],
        except: &["compiler/src/report/"],
        words: &["miette"],
        why: "a diagnostic is plain data; only the report knows how it looks",
    },
    Ban {
        under: &["compiler/src/lower/", "compiler/src/rules/", "compiler/src/emit/"],
        except: &[],
        words: &["KdlDocument", "KdlNode", "KdlEntry", "KdlValue", "KdlIdentifier", "KdlError", "KdlDiagnostic"],
        why: "KDL ends at the syntax",
    },
    Ban { under: &["runtime/"], except: &[], words: &["postern"], why: "the runtime does not see the compiler" },
    Ban { under: &["runtime/"], except: &[], words: LANGUAGE_CRATES, why: "the runtime never parses configuration" },
    Ban { under: PURE, except: &[], words: ASYNC, why: "the protocol and the schedule are pure: no async" },
    Ban { under: PURE, except: &[], words: SOCKETS, why: "the protocol and the schedule are pure: no socket" },
    Ban { under: PURE, except: &[], words: CLOCKS, why: "the protocol and the schedule are pure: `now` is an argument" },
    Ban { under: PURE, except: &[], words: CHANCE, why: "the protocol and the schedule are pure: no randomness" },
    Ban { under: PURE, except: &[], words: &["std::fs", "File"], why: "the protocol and the schedule are pure: no file" },
];

/// Every word that stands where a line of the table forbids it.
pub fn check(tree: &Tree, bans: &[Ban]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ban in bans {
        let within = |path: &str, prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        let files = tree.rust("").filter(|file| within(&file.path, ban.under) && !within(&file.path, ban.except));
        for file in files.filter(|file| !file.is_test()) {
            for (number, line) in file.code().lines() {
                for word in ban.words.iter().filter(|word| holds(line, word)) {
                    findings.push(Finding::new(&file.path, number, format!("`{word}`: {}", ban.why)));
                }
            }
        }
    }
    findings
}

fn holds(line: &str, word: &str) -> bool {
    if word.contains("::") { line.contains(word) } else { words(line).any(|(_, found)| found == word) }
}

/// `unsafe` stands at most once in each of its places, with its contract above it.
pub fn unsafe_is_explained(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for place in LMDB_PLACES {
        let mut blocks = Vec::new();
        for file in tree.rust(place) {
            let lines: Vec<&str> = file.text.lines().collect();
            for (number, _) in file.code().lines().filter(|(_, line)| holds(line, "unsafe")) {
                let above = &lines[number.saturating_sub(8)..number];
                if !above.iter().any(|line| line.contains("// SAFETY:")) {
                    findings.push(Finding::new(&file.path, number, "write the contract above it: `// SAFETY: ...`"));
                }
                blocks.push((file.path.clone(), number));
            }
        }
        findings.extend(blocks.iter().skip(1).map(|(path, line)| Finding::new(path, *line, "a second `unsafe` in one place")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(findings: &[Finding]) -> Vec<(&str, usize)> {
        findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect()
    }

    #[test]
    fn code_is_held_to_the_table_and_tests_are_not() {
        let tree = Tree::of(&[
            ("schema/src/a.rs", "//! tokio\nuse tokio::net;\nlet s = \"tokio\";\n#[cfg(test)]\nmod tests { use tokio; }"),
            ("schema/src/b.rs", "#[cfg(test)]\nmod tests;"),
            ("schema/src/b/tests.rs", "use tokio;"),
            ("schema/src/decide/b.rs", "use std::time::Duration;\nuse std::time::{Duration, Instant};\nuse heed::Env;"),
            ("compiler/src/c.rs", "use posternd::smtp;"),
            ("compiler/src/live/a.rs", "use std::net::UdpSocket;\nuse rustls::A;"),
            ("compiler/src/rules/a.rs", "use crate::live::Client;"),
            ("compiler/src/command/dns.rs", "use crate::live::Client;"),
            ("runtime/src/smtp/d.rs", "use std::net::IpAddr;\nuse std::net::TcpStream;"),
            ("runtime/src/net/e.rs", "use std::net::TcpStream;\nuse postern_schema::site;\nuse postern::rules;"),
            ("compiler/src/emit/f.rs", "env.write_txn();\nunsafe {}"),
            ("runtime/src/queue/schedule.rs", "async fn f() {}"),
        ]);
        let mut findings = check(&tree, BANS);
        findings.sort();
        findings.dedup_by_key(|finding| (finding.path.clone(), finding.line));
        assert_eq!(
            paths(&findings),
            [
                ("compiler/src/c.rs", 1),
                ("compiler/src/live/a.rs", 2),
                ("compiler/src/rules/a.rs", 1),
                ("runtime/src/net/e.rs", 3),
                ("runtime/src/queue/schedule.rs", 1),
                ("runtime/src/smtp/d.rs", 2),
                ("schema/src/a.rs", 2),
                ("schema/src/decide/b.rs", 2),
                ("schema/src/decide/b.rs", 3),
            ]
        );
    }

    #[test]
    fn unsafe_has_a_contract_and_stands_once() {
        let tree = Tree::of(&[
            ("schema/src/snapshot/reader.rs", "// SAFETY: so and so.\nunsafe {}\n"),
            ("compiler/src/emit/a.rs", "unsafe {}\n"),
            ("compiler/src/emit/b.rs", "// SAFETY: so.\nunsafe {}\n"),
        ]);
        assert_eq!(paths(&unsafe_is_explained(&tree)), [("compiler/src/emit/a.rs", 1), ("compiler/src/emit/b.rs", 2)]);
    }
}
