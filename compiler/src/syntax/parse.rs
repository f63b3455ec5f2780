//! One source as nodes: [`parse`]. Tokens, outline and hints first, then the `kdl` crate over each statement outside blocks, on
//! the repaired text. So every mistake is told in one run, a statement that cannot be saved costs only itself, and the memory
//! that the parser takes (kilobytes a node) is that of one statement for each thread.

use super::check::Extent;
use super::hints::{self, Repair};
use super::read::{self, Outline, Statement, Token};
use super::{Node, kdl};
use crate::report::Diagnostic;
use crate::source::{SourceId, Span};

/// The most pieces that a source may have: names, values, signs, blanks. It bounds the memory that a site takes.
pub const PIECES_LIMIT: usize = 1 << 24;

/// A text that is shorter is read by one thread: a second costs more than it saves.
const SHARED_OCTETS: usize = 2 << 10;

/// The most threads that read one text, since each takes the memory of one statement.
const THREADS: usize = 8;

/// Enough for blocks nested to [`read::DEPTH_LIMIT`], also in a build without optimisation.
const STACK_OCTETS: usize = 16 << 20;

/// What a source says.
#[derive(Debug)]
pub struct Parsed {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the nodes are all of it.
    pub extent: Extent,
}

/// Parses one source of KDL.
pub fn parse(source: SourceId, text: &str) -> Parsed {
    parse_within(source, text, PIECES_LIMIT)
}

fn parse_within(source: SourceId, text: &str, pieces: usize) -> Parsed {
    let Some(tokens) = read::tokens(text, pieces) else {
        let message = format!("This file has more than {pieces} pieces");
        let finding = Diagnostic::error("KDL002", Span { source, start: 0, length: 0 }, message)
            .help("Move lists that grow into tables, or split the file and `include` its parts");
        return Parsed { nodes: Vec::new(), diagnostics: vec![finding], extent: Extent::Part };
    };
    let outline = read::outline(text, &tokens);
    let hints::Judgement { mut diagnostics, repair, incomplete, hopeless } = hints::judge(source, text, &tokens, &outline);
    if hopeless {
        return Parsed { nodes: Vec::new(), diagnostics, extent: Extent::Part };
    }
    let work = Work { source, text: &repaired(text, &repair), repair: &repair, tokens: &tokens, outline: &outline };
    let (nodes, failed) = work.nodes(&diagnostics);
    let extent = if incomplete || !failed.is_empty() { Extent::Part } else { Extent::Whole };
    diagnostics.extend(failed.into_iter().flatten());
    Parsed { nodes, diagnostics, extent }
}

/// Works on every part, each on a thread whose stack is known: whoever calls may have any.
fn on_large_stacks<P: Sync, T: Send>(parts: &[P], work: impl Fn(&P) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let begin = |part| std::thread::Builder::new().stack_size(STACK_OCTETS).spawn_scoped(scope, move || work(part));
        let begun: Vec<_> = parts.iter().map(|part| (part, begin(part))).collect();
        let end = |(part, thread): (&P, std::io::Result<std::thread::ScopedJoinHandle<'_, T>>)| match thread
            .map(|thread| thread.join())
        {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No thread to be had: the stack at hand serves every site of ordinary depth.
            Err(_) => work(part),
        };
        begun.into_iter().map(end).collect()
    })
}

/// The text with everything overwritten that the parser must not see. No octet moves.
fn repaired(text: &str, repair: &Repair) -> String {
    let mut octets = text.as_bytes().to_vec();
    for (start, (end, _)) in &repair.values {
        octets[*start as usize..*end as usize].fill(b'x');
    }
    for (start, end) in &repair.blanks {
        octets[*start as usize..*end as usize].fill(b' ');
    }
    // Every stretch begins and ends between characters, so this is the same text with ASCII in places.
    String::from_utf8(octets).unwrap_or_default()
}

struct Work<'a> {
    source: SourceId,
    text: &'a str,
    repair: &'a Repair,
    tokens: &'a [Token],
    outline: &'a Outline,
}

impl Work<'_> {
    /// The nodes of every statement that can be parsed, and for each that cannot, what to say: nothing where a hint has said
    /// it already. Both in the order of the text, however many threads read it.
    fn nodes(&self, known: &[Diagnostic]) -> (Vec<Node>, Vec<Option<Diagnostic>>) {
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(THREADS));
        let threads = if self.text.len() < SHARED_OCTETS { 1 } else { threads };
        let statements = &self.outline.statements;
        let shares: Vec<&[Statement]> = statements.chunks(statements.len().div_ceil(threads).max(1)).collect();
        let read = on_large_stacks(&shares, |share| {
            let mut failed = Vec::new();
            (self.statements(share, known, &mut failed), failed)
        });
        let mut all = (Vec::new(), Vec::new());
        for (nodes, failed) in read {
            all.0.extend(nodes);
            all.1.extend(failed);
        }
        all
    }

    fn statements(&self, statements: &[Statement], known: &[Diagnostic], failed: &mut Vec<Option<Diagnostic>>) -> Vec<Node> {
        let live = statements.iter().filter(|statement| statement.dashed.is_none());
        live.filter_map(|statement| self.statement(statement, known, failed)).collect()
    }

    fn statement(&self, statement: &Statement, known: &[Diagnostic], failed: &mut Vec<Option<Diagnostic>>) -> Option<Node> {
        let first = statement.annotation.unwrap_or(statement.name);
        let start = self.tokens[first].start;
        match self.piece(start, self.tokens[statement.end - 1].end) {
            Ok(node) => node,
            Err(finding) => match &statement.block {
                // Something in the block is wrong: the rest of it is still worth reading.
                Some(block) if !block.statements.is_empty() => {
                    let mut node = self.piece(start, self.tokens[block.open].start).ok()??;
                    node.children = self.statements(&block.statements, known, failed);
                    Some(node)
                }
                _ => {
                    let first = known.partition_point(|finding| finding.primary.start < start);
                    let end = self.tokens[statement.end - 1].end;
                    let said = known.get(first).is_some_and(|finding| finding.primary.start < end);
                    failed.push((!said).then_some(*finding));
                    None
                }
            },
        }
    }

    fn piece(&self, start: u32, end: u32) -> Result<Option<Node>, Box<Diagnostic>> {
        let piece = kdl::Piece::new(self.source, self.text, start, end, &self.repair.insertions);
        piece.parse(&self.repair.values).map(|nodes| nodes.into_iter().next())
    }
}

#[cfg(test)]
mod tests;
