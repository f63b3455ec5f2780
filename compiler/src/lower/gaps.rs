//! Which parts of the site hold an error, found by where the errors stand.

use super::draft::{Gaps, Part};
use crate::report::{Diagnostic, Severity};
use crate::source::Span;
use crate::syntax::Node;
use crate::syntax::grammar::ROOT;

/// The parts that these findings are about.
pub(super) fn of(nodes: &[Node], findings: &[Diagnostic]) -> Gaps {
    let mut gaps = Gaps::default();
    if !nodes.iter().any(|node| node.name.value == "site") {
        gaps.note(Part::Host);
    }
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
        let Some(node) = nodes.iter().find(|node| holds(node, finding.primary)) else {
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

fn holds(node: &Node, place: Span) -> bool {
    let end = |span: Span| span.start + span.length;
    let here = node.span.source == place.source && node.span.start <= place.start && place.start < end(node.span);
    let of_no_length = place.length == 0;
    (here && !of_no_length) || node.children.iter().any(|child| holds(child, place))
}
