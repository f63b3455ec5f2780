//! Which parts of the site hold an error, found by where the errors stand.

use super::draft::{Gaps, Part};
use crate::report::{Diagnostic, Severity};
use crate::source::{SourceId, Span};
use crate::syntax::Node;
use crate::syntax::grammar::ROOT;

/// The parts that these findings are about.
pub(super) fn of(nodes: &[Node], findings: &[Diagnostic], first_table: SourceId) -> Gaps {
    let mut gaps = Gaps::default();
    if !nodes.iter().any(|node| node.name.value == "site") {
        gaps.note(Part::Host);
    }
    // Few sites have errors, and one with many must not be searched from its start for each.
    let mut extents: Vec<Extent<'_>> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
        if finding.primary.source >= first_table {
            gaps.note(Part::Domains);
            gaps.note(Part::Routes);
            continue;
        }
        if extents.is_empty() {
            extents = nodes.iter().flat_map(Extent::of).collect();
            extents.sort_unstable_by_key(|extent| (extent.source, extent.start));
        }
        let Some(node) = node_at(&extents, finding.primary) else {
            // Said of the file as a whole: of what is missing in it, or of a file that could not be read.
            if finding.primary.length > 0 {
                return Gaps::everywhere();
            }
            continue;
        };
        match Part::of_node(&node.name.value) {
            Some(part) => gaps.note(part),
            // A block that the runtime does not serve says nothing about the others; an unknown one may be any of them.
            None if ROOT.child(&node.name.value).is_some() => {}
            None => return Gaps::everywhere(),
        }
    }
    gaps
}

/// The stretch of one source that a top-level node takes.
struct Extent<'a> {
    source: SourceId,
    start: u32,
    end: u32,
    node: &'a Node,
}

impl Extent<'_> {
    /// More than one where a node was put together from several files.
    fn of(node: &Node) -> Vec<Extent<'_>> {
        let mut found: Vec<Extent<'_>> = Vec::new();
        let mut pending = vec![node];
        while let Some(part) = pending.pop() {
            pending.extend(&part.children);
            let Span { source, start, length } = part.span;
            match found.iter_mut().find(|extent| extent.source == source) {
                Some(extent) => {
                    extent.start = extent.start.min(start);
                    extent.end = extent.end.max(start + length);
                }
                None => found.push(Extent { source, start, end: start + length, node }),
            }
        }
        found
    }
}

fn node_at<'a>(extents: &[Extent<'a>], place: Span) -> Option<&'a Node> {
    let behind = extents.partition_point(|extent| (extent.source, extent.start) <= (place.source, place.start));
    let extent = extents[..behind].last()?;
    let holds = extent.source == place.source && place.start < extent.end && place.length > 0;
    holds.then_some(extent.node)
}
