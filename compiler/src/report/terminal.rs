//! Findings for people: the guilty lines, what is wrong under them, and what to do. Drawn by miette, without links.

use super::excerpt::Excerpt;
use super::{Diagnostic, Severity, View};
use crate::source::Span;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NarratableReportHandler};
use std::fmt;
use std::io::IsTerminal;

/// The most octets between two places of one drawing.
const FAR_OCTETS: u32 = 1 << 16;

/// How a terminal wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Style {
    /// ANSI colours.
    pub colour: bool,
    /// Lines and arrows beyond ASCII.
    pub unicode: bool,
    /// Lines and arrows at all; without them, sentences for screen readers.
    pub graphics: bool,
    /// Columns.
    pub width: usize,
}

impl Style {
    /// What standard error can show, from what the environment says: colour on a terminal alone, and not under `NO_COLOR`;
    /// sentences under `NO_GRAPHICS`; ASCII where the locale is not UTF-8.
    pub fn of_stderr() -> Style {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let terminal = std::io::stderr().is_terminal();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        let utf8 = locale.is_some_and(|locale| locale.to_ascii_uppercase().replace('-', "").contains("UTF8"));
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = rustix::termios::tcgetwinsize(std::io::stderr()).map(|size| usize::from(size.ws_col)).unwrap_or(0);
        Style {
            colour: terminal && !dumb && !set("NO_COLOR"),
            unicode: utf8 && !dumb,
            graphics: !set("NO_GRAPHICS"),
            width: if columns == 0 { 100 } else { columns.clamp(40, 140) },
        }
    }
}

/// Draws the findings, a blank line after each.
pub fn render(diagnostics: &[Diagnostic], view: &View<'_>, style: &Style) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let drawing = Drawing::new(diagnostic, view);
        // Writing to a string does not fail.
        let _ = draw(&drawing, style, &mut out);
        out.push('\n');
    }
    // miette pads some lines; nobody wants that in a file.
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn draw(drawing: &Drawing, style: &Style, out: &mut String) -> fmt::Result {
    if !style.graphics {
        return NarratableReportHandler::new().render_report(out, drawing);
    }
    let theme = match (style.unicode, style.colour) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    };
    GraphicalReportHandler::new_themed(theme).with_links(false).with_width(style.width).render_report(out, drawing)
}

/// One finding, or the part of one that lies in another file, in the terms of miette.
#[derive(Debug)]
struct Drawing {
    message: String,
    code: Option<String>,
    severity: miette::Severity,
    help: Option<String>,
    text: Excerpt,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Drawing>,
}

impl Drawing {
    fn new(diagnostic: &Diagnostic, view: &View<'_>) -> Drawing {
        let place = |span: Span| (span.start as usize, span.length as usize);
        let label = |text: &str| (!text.is_empty()).then(|| visible(text));
        let mut shown = vec![diagnostic.primary];
        let mut labels = vec![LabeledSpan::new_primary_with_span(label(&diagnostic.label), place(diagnostic.primary))];
        let mut elsewhere = Vec::new();
        for second in &diagnostic.secondary {
            if is_near(second.span, diagnostic.primary) {
                shown.push(second.span);
                labels.push(LabeledSpan::new_with_span(label(&second.text), place(second.span)));
            } else {
                elsewhere.push(Drawing {
                    message: visible(&second.text),
                    code: None,
                    severity: miette::Severity::Advice,
                    help: None,
                    text: Excerpt::new(view, &[second.span]),
                    labels: vec![LabeledSpan::new_primary_with_span(None, place(second.span))],
                    elsewhere: Vec::new(),
                });
            }
        }
        Drawing {
            message: visible(&diagnostic.message),
            code: Some(format!("{} {}", diagnostic.severity.as_str(), diagnostic.code)),
            severity: match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
                Severity::Note => miette::Severity::Advice,
            },
            help: help(diagnostic),
            text: Excerpt::new(view, &shown),
            labels,
            elsewhere,
        }
    }
}

/// The advice, and the words by which somebody who comes from Postfix knows the matter.
fn help(diagnostic: &Diagnostic) -> Option<String> {
    let mut parts: Vec<String> = diagnostic.help.iter().map(|help| visible(help)).collect();
    if !diagnostic.postfix.is_empty() {
        parts.push(format!("in Postfix: {}", diagnostic.postfix.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// Whether two places are shown in one drawing: in the same file, and not with a book between them.
fn is_near(second: Span, primary: Span) -> bool {
    second.source == primary.source && second.start.abs_diff(primary.start) <= FAR_OCTETS
}

/// A text that cannot drive a terminal: control characters but line ends and tabs become others of the same length in UTF-8, so
/// that every offset stays what it was.
pub(super) fn visible(text: &str) -> String {
    let harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    if text.chars().all(harmless) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if harmless(c) {
                c
            } else if c.len_utf8() == 1 {
                '?'
            } else {
                '¿'
            }
        })
        .collect()
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl miette::Diagnostic for Drawing {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let others = self.elsewhere.iter().map(|other| other as &dyn miette::Diagnostic);
        (!self.elsewhere.is_empty()).then(|| Box::new(others) as Box<dyn Iterator<Item = &'a dyn miette::Diagnostic>>)
    }
}
