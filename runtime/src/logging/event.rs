//! What one event says, by name: for those who read events rather than lines.

use std::fmt::{self, Write};
use tracing::Event;
use tracing::field::{Field, Visit};

/// The fields of an event as text, its message among them.
#[derive(Debug, Default)]
pub struct Fields(Vec<(&'static str, String)>);

impl Fields {
    /// Reads an event.
    pub fn of(event: &Event<'_>) -> Fields {
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields
    }

    /// The value of a field; nothing for one that is not there.
    pub fn value(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// The value of a field, if it is there.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// A field that holds a count; 0 for one that is not there.
    pub fn count(&self, name: &str) -> u64 {
        self.value(name).parse().unwrap_or_default()
    }

    /// Every field but the message, as `name=value`.
    pub fn rest(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.0.iter().filter(|(name, _)| *name != "message") {
            // Writing to a string does not fail.
            let _ = write!(text, " {name}={value}");
        }
        text
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&'static str, &str); N]> for Fields {
    fn from(fields: [(&'static str, &str); N]) -> Fields {
        Fields(fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect())
    }
}
