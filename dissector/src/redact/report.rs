//! What was replaced.

use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of what was done, by class and field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    fields: BTreeMap<(&'static str, &'static str), u64>,
    /// Messages redacted.
    pub messages: u64,
    /// Bytes of messages and of streams that were blanked because nothing is known of them.
    pub blanked: u64,
    /// Messages whose shape could not be kept while something in them was blanked.
    pub reshaped: u64,
    /// Packets written.
    pub packets: u64,
    /// Packets that were left out: not TCP, not of a CTI connection, or not to be read.
    pub dropped: u64,
    /// Payload bytes of encrypted connections that were blanked.
    pub encrypted: u64,
}

/// How often values of a field were replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldCount {
    /// Class of the field.
    pub class: &'static str,
    /// The field.
    pub field: &'static str,
    /// Values replaced.
    pub values: u64,
}

impl Report {
    /// Counts a value.
    pub(super) fn count(&mut self, class: &'static str, field: &'static str) {
        let values = self.fields.entry((class, field)).or_default();
        *values = values.saturating_add(1);
    }

    /// Counts by field, in order of classes and fields.
    pub fn fields(&self) -> impl Iterator<Item = FieldCount> {
        self.fields
            .iter()
            .map(|((class, field), values)| FieldCount {
                class,
                field,
                values: *values,
            })
    }

    /// Counts by class.
    #[must_use]
    pub fn classes(&self) -> BTreeMap<&'static str, u64> {
        let mut classes = BTreeMap::new();
        for field in self.fields() {
            let values: &mut u64 = classes.entry(field.class).or_default();
            *values = values.saturating_add(field.values);
        }
        classes
    }
}
