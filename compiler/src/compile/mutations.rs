//! One mistake, one finding: the examples, each with a single slip of the keyboard in it. Every name of a node and of a
//! property is misspelled in turn, and every value is made one that cannot be read. The one finding must stand on the line of
//! the slip.

use super::{CompileOptions, compile_loaded};
use crate::report::Severity;
use crate::source::{SourceId, Span};
use crate::syntax::{LoadOptions, Node, Value, load, parse};

/// What is written in place of a value: nothing that any type of the language can read.
const UNREADABLE: &str = "\"\\u{1}\"";

/// Every slip in one node and its children: the place, what is written there, and what was meant.
fn slips(node: &Node, out: &mut Vec<(Span, String)>) {
    out.push((node.name.span, format!("{}q", node.name.value)));
    for property in &node.properties {
        out.push((property.name.span, format!("{}q", property.name.value)));
        out.push((property.value.span, UNREADABLE.to_owned()));
    }
    // Texts that are free to be anything are no place for a slip.
    let is_free = matches!(node.name.value.as_str(), "test" | "login" | "may-send-as" | "pattern");
    for argument in node.arguments.iter().filter(|argument| !is_free && matches!(argument.value, Value::String(_))) {
        out.push((argument.span, UNREADABLE.to_owned()));
    }
    node.children.iter().for_each(|child| slips(child, out));
}

#[test]
fn one_slip_is_one_finding_on_its_line() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in super::tests::examples() {
        let text = std::fs::read_to_string(&path).unwrap();
        // Constants and profiles show a slip in other places; in JSON it is another one.
        if path.ends_with("site.json") || text.contains("\nprofile ") {
            continue;
        }
        let mut places = Vec::new();
        parse(SourceId(0), &text).nodes.iter().for_each(|node| slips(node, &mut places));
        for (span, written) in places {
            let (start, end) = (span.start as usize, (span.start + span.length) as usize);
            // So are these.
            if ["reason=", "user=", "maildir=", "helo="].iter().any(|name| text[..start].ends_with(name)) && written == UNREADABLE
            {
                continue;
            }
            let slipped = format!("{}{written}{}", &text[..start], &text[end..]);
            // In its folder, with the files that it names.
            let options = LoadOptions { overlays: [(path.clone(), slipped)].into(), ..LoadOptions::default() };
            let compiled = compile_loaded(load(&path, &options).unwrap(), &CompileOptions::default());
            let line = text[..start].matches('\n').count() as u32 + 1;
            let found: Vec<String> = compiled
                .diagnostics
                .iter()
                .filter(|finding| finding.severity > Severity::Note)
                .map(|finding| {
                    let at = compiled.sources.source(finding.primary.source).line(finding.primary.start);
                    if at == line { finding.code.to_owned() } else { format!("{} on line {at}", finding.code) }
                })
                .collect();
            count += 1;
            if found.len() != 1 || found[0].len() != 6 {
                let name = path.parent().unwrap().file_name().unwrap().to_string_lossy();
                wrong.push(format!("{name}:{line}: {:?} for {:?}: {found:?}", written, &text[start..end]));
            }
        }
    }
    assert!(count > 500, "{count}");
    assert!(wrong.is_empty(), "{} of {count}\n{}", wrong.len(), wrong.join("\n"));
}
