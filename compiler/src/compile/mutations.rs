//! One mistake, one finding: the examples, each with a single slip of the keyboard in it. Every name of a node and of a
//! property is misspelled in turn, and every value is made one that cannot be read. The one finding must stand on the line of
//! the slip.

use super::{CompileOptions, compile};
use crate::report::Severity;
use crate::source::Span;
use crate::syntax::{LoadOptions, Node, Value, load_text};
use std::path::Path;

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

/// The files of an example, for its tables.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn one_slip_is_one_finding_on_its_line() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in super::tests::examples() {
        let text = std::fs::read_to_string(&path).unwrap();
        let loaded = load_text("site.kdl", &text, &LoadOptions::default());
        let mut places = Vec::new();
        loaded.nodes.iter().for_each(|node| slips(node, &mut places));
        let folder = tempfile::tempdir().unwrap();
        copy(path.parent().unwrap(), folder.path());
        let site = folder.path().join("site.kdl");
        for (span, written) in places {
            let (start, end) = (span.start as usize, (span.start + span.length) as usize);
            // So are these.
            if ["reason=", "user=", "maildir="].iter().any(|name| text[..start].ends_with(name)) && written == UNREADABLE {
                continue;
            }
            let slipped = format!("{}{written}{}", &text[..start], &text[end..]);
            std::fs::write(&site, slipped).unwrap();
            let compiled = compile(&site, &CompileOptions::default()).unwrap();
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
            // The text stands alone here, without the files that it names.
            let is_said = found.iter().any(|code| !code.starts_with("FIL001"));
            let found: Vec<String> =
                found.into_iter().filter(|code| if is_said { !code.starts_with("FIL001") } else { code == "FIL001" }).collect();
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
