//! `headers`: what is added to the header of a message, and what is taken out.

use super::Lowering;
use super::draft::HeaderDraft;
use crate::rules::HEADER_FIELD;
use crate::source::Spanned;
use crate::syntax::View;
use postern_schema::site::{HeaderChange, Service};

pub(super) fn lower(lowering: &mut Lowering<'_>) -> Vec<HeaderDraft> {
    let views: Vec<View<'_>> = lowering.document.children("headers").collect();
    let mut found = Vec::new();
    for view in views {
        let word = view.property::<String>("at");
        let at = word.and_then(|word| Service::parse(&word.value)).unwrap_or(Service::All);
        let parsers = [("remove", HeaderChange::parse_remove as fn(&str) -> _), ("add", HeaderChange::parse_add)];
        for (name, parse) in parsers {
            if let Some(text) = view.property::<String>(name)
                && let Some(change) = read(&text, parse, lowering)
            {
                found.push(HeaderDraft { change, at });
            }
        }
    }
    found
}

fn read(
    text: &Spanned<String>, parse: fn(&str) -> Option<HeaderChange>, lowering: &mut Lowering<'_>,
) -> Option<Spanned<HeaderChange>> {
    let finding = match parse(&text.value) {
        Some(change) if change.is_allowed() => return Some(Spanned::new(change, text.span)),
        Some(change) => HEADER_FIELD
            .at(
                text.span,
                format!("{} says where mail came from or who vouches for it, and is not the site's to change", change.name()),
            )
            .help("Leave it as it is"),
        None => HEADER_FIELD
            .at(text.span, format!("{:?} is no header field", text.value))
            .help("Write add=\"X-Site: example\" or remove=\"X-Originating-IP\", in ASCII"),
    };
    lowering.findings.push(finding.postfix(&["header_checks"]));
    None
}
