//! Quick fixes: where a finding knows what to write instead, to write that.

use super::diagnostics::Shown;
use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, TextEdit, Url, WorkspaceEdit};
use std::collections::HashMap;

/// The fixes for what was found.
pub fn actions(uri: &Url, found: Vec<Shown>) -> Vec<CodeActionOrCommand> {
    let fixes = found.into_iter().filter_map(|shown| {
        let (range, text) = shown.fix?;
        let title = if text.is_empty() { "Remove it".to_owned() } else { format!("Write {}", text.trim()) };
        let changes = HashMap::from([(uri.clone(), vec![TextEdit::new(range, text)])]);
        Some(CodeActionOrCommand::CodeAction(CodeAction {
            title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![shown.diagnostic]),
            edit: Some(WorkspaceEdit::new(changes)),
            is_preferred: Some(true),
            ..CodeAction::default()
        }))
    });
    fixes.collect()
}
