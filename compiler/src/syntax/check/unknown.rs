//! What to say about a name that the grammar does not know here.

use crate::report::Diagnostic;
use crate::syntax::grammar::{NodeSpec, advice, gone, walk};
use crate::syntax::near::nearest;
use crate::syntax::{Node, Property};

/// The longest list of names that still fits into a help.
const LISTED: usize = 12;

pub(super) fn node(
    node: &Node, known: impl Iterator<Item = &'static NodeSpec> + Clone, parent: &NodeSpec, excused: &mut Vec<&'static str>,
) -> Diagnostic {
    let written = node.name.value.as_str();
    let span = node.name.span;
    if let Some(advice) = advice(written) {
        let message = format!("`{written}` is a parameter of main.cf, not of the site language");
        return Diagnostic::error("LNG014", span, message).help(advice.help).postfix(advice.parameter);
    }
    let place = if parent.name == "site file" { "outside every block".to_owned() } else { format!("in `{}`", parent.name) };
    let message = format!("There is no `{written}` {place}");
    let finding = Diagnostic::error("LNG001", span, message);
    if let Some(property) = parent.property(written) {
        return finding.help(format!(
            "Write {}={} beside `{}`, before its brace",
            property.name,
            property.kind.sample(),
            parent.name
        ));
    }
    if let Some(home) = home(written) {
        return finding.help(home);
    }
    let bare = written.trim_end_matches([':', '=', ',']);
    if let Some(near) = nearest(bare, known.clone().map(|spec| spec.name)) {
        excused.push(known.clone().find(|spec| spec.name == near).map_or("", |spec| spec.name));
        return finding.help(format!("Write `{near}`")).fix(span, near);
    }
    let names: Vec<String> = known.map(|spec| format!("`{}`", spec.name)).collect();
    if names.len() <= LISTED {
        return finding.help(format!("Write one of {}", names.join(", ")));
    }
    finding.help("Write one of the blocks that `docs/language.md` lists")
}

/// Where a node of that name belongs, if it is one of another block.
fn home(written: &str) -> Option<String> {
    let mut homes: Vec<Option<&'static str>> = Vec::new();
    walk(&mut |path, spec| {
        if spec.name == written {
            homes.push(path.last().copied());
        }
    });
    match homes.as_slice() {
        [] => None,
        homes if homes.contains(&None) => Some(format!("Move `{written}` outside every block")),
        homes => {
            let mut names: Vec<String> = homes.iter().flatten().map(|name| format!("`{name}`")).collect();
            names.dedup();
            Some(format!("Move `{written}` into {}", names.join(" or ")))
        }
    }
}

pub(super) fn property(property: &Property, spec: &'static NodeSpec, excused: &mut Vec<&'static str>) -> Diagnostic {
    let written = property.name.value.as_str();
    let finding = Diagnostic::error("LNG002", property.name.span, format!("`{}` has no property `{written}`", spec.name));
    if let Some(why) = gone(spec.name, written) {
        // What is meant by it is there, under another name: it is not missing as well.
        excused.extend(
            spec.properties.iter().map(|property| property.name).filter(|name| why.starts_with(&format!("Write {name}="))),
        );
        return finding.help(why);
    }
    if let Some(child) = spec.child(written) {
        return finding.help(format!("Write it in the block: `{} {{ {} }}`", spec.name, child.example));
    }
    if spec.argument(written).is_some() {
        return finding.help(format!("Write the value alone, without `{written}=`"));
    }
    if let Some(near) = nearest(written, spec.properties.iter().map(|property| property.name)) {
        excused.extend(spec.property(near).map(|property| property.name));
        return finding.help(format!("Write {near}=")).fix(property.name.span, near);
    }
    if spec.properties.is_empty() {
        return finding.help(format!("Remove it: `{}` has no properties", spec.name));
    }
    let names: Vec<String> = spec.properties.iter().map(|property| format!("{}=", property.name)).collect();
    finding.help(format!("Write one of {}", names.join(", ")))
}
