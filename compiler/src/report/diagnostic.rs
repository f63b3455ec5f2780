//! A finding about a site, as plain data. Who renders it (a terminal, JSON, SARIF, an editor) is not known here.

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Worth knowing; never fails a run.
    Note,
    /// Probably wrong; fails a run under `--deny warnings`.
    Warning,
    /// The site does not compile.
    Error,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A second place that belongs to a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it has to do with it: "first declared here".
    pub text: String,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Its stable code: three letters, three digits; the same as the rule's.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence, no full stop: what is wrong, with the value and the limit.
    pub message: String,
    /// The guilty place.
    pub primary: Span,
    /// What stands under the primary place; may be empty.
    pub label: String,
    /// Further places.
    pub secondary: Vec<Label>,
    /// What to do: begins with a verb.
    pub help: Option<String>,
    /// The same for an editor: what to write, and in place of what.
    pub fix: Option<(Span, String)>,
    /// The `main.cf` parameters that a newcomer would look for.
    pub postfix: &'static [&'static str],
    /// The class of clients that it would let in: an `allow` must name it. `None`: it is no matter of relaying.
    pub opens: Option<String>,
    /// Why the site lets it pass; `None`: it does not.
    pub allowed: Option<String>,
}

impl Diagnostic {
    /// A finding with no more than code, place and sentence.
    pub fn new(code: &'static str, severity: Severity, primary: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity,
            message: message.into(),
            primary,
            label: String::new(),
            secondary: Vec::new(),
            help: None,
            fix: None,
            postfix: &[],
            opens: None,
            allowed: None,
        }
    }

    /// An error.
    pub fn error(code: &'static str, primary: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Error, primary, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, primary: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Warning, primary, message)
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Says what to write in place of a stretch, where that alone does it.
    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.fix = Some((span, text.into()));
        self
    }

    /// Says what stands under the primary place.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// Points at one more place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Names the class of clients that it would let in.
    pub fn opens(mut self, class: impl Into<String>) -> Diagnostic {
        self.opens = Some(class.into());
        self
    }

    /// Names the parameters of `main.cf` that a newcomer would look for.
    pub fn postfix(mut self, parameters: &'static [&'static str]) -> Diagnostic {
        self.postfix = parameters;
        self
    }
}

/// Puts findings into source order: by file, place, then code. Equal ones are kept once.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| (a.primary, a.code, &a.message).cmp(&(b.primary, b.code, &b.message)));
    diagnostics.dedup();
}
