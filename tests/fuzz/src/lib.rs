//! What must hold of whatever is put in: of a site file here, of a message in [`message`], of a client's session in [`server`], of a
//! login in [`logins`]. Each program in `bin` is one way to put octets in; `.ci/fuzz` runs them.

pub mod logins;
pub mod message;
pub mod server;

use postern::compile::{CompileOptions, compile_text};
use postern::fmt::format;
use postern::source::SourceId;

/// Compiles a text under a name: no panic, and no finding outside the text. What compiles has a layout that compiles too, and
/// that has no other layout.
pub fn compiles_or_is_refused(name: &str, octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let compiled = compile_text(name, text, &CompileOptions::default());
    for finding in &compiled.diagnostics {
        let spans = finding.secondary.iter().map(|label| label.span).chain([finding.primary]);
        for span in spans.filter(|span| span.source == SourceId(0)) {
            let (start, end) = (span.start as usize, (span.start + span.length) as usize);
            assert!(text.get(start..end).is_some(), "{finding:?}");
        }
    }
    if name.ends_with(".kdl")
        && let Ok(formatted) = format(SourceId(0), text)
    {
        assert_eq!(format(SourceId(0), &formatted).as_ref(), Ok(&formatted));
        let again = compile_text(name, &formatted, &CompileOptions::default());
        assert_eq!(again.model.is_some(), compiled.model.is_some(), "{formatted}");
    }
}
