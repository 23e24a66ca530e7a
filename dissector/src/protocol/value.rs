//! Values with names: the entries of enumerations and masks, and values with a meaning of their own.

/// Whether a value table lists values or bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// One value at a time.
    Enum,
    /// Each entry is one bit; a value is the sum of some.
    Mask,
}

/// One entry of a value table.
#[derive(Debug, PartialEq, Eq)]
pub struct Value {
    /// The value, or the bit.
    pub number: u32,
    /// The specification's symbol, where it has one.
    pub symbol: Option<&'static str>,
    /// The symbol, or else the label.
    pub text: &'static str,
    /// `text` without the prefix that all symbols of the table share.
    pub short: &'static str,
    /// `text` as a JSON string, quotes included.
    pub json: &'static str,
    /// How the value's JSON object begins; what is special about it may follow, then the closing brace.
    pub json_object: &'static str,
    /// What it means.
    pub label: Option<&'static str>,
    /// First protocol version with it, where known.
    pub since: Option<u8>,
    /// A remark on the entry's certainty.
    pub note: Option<&'static str>,
}

/// The values of an enumerated field, or the bits of a mask, in rising order.
#[derive(Debug, PartialEq, Eq)]
pub struct ValueTable {
    /// Name of the table; the field's own name for a table that serves one field only.
    pub name: &'static str,
    /// Values or bits.
    pub kind: TableKind,
    /// Sorted by number.
    pub values: &'static [Value],
}

impl ValueTable {
    /// The entry for a value (or for a single bit); `None` when the table does not list it.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&'static Value> {
        // Many tables count from 0 without a hole.
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(value) = self.values.get(at)
            && value.number == number
        {
            return Some(value);
        }
        let index = self
            .values
            .binary_search_by_key(&number, |v| v.number)
            .ok()?;
        self.values.get(index)
    }

    /// The bits of `value` that the table names, lowest first.
    pub fn bits(&self, value: u32) -> impl Iterator<Item = &'static Value> + use<> {
        self.values.iter().filter(move |v| v.number & value != 0)
    }

    /// The bits of `value` that the table does not name.
    #[must_use]
    pub fn unknown_bits(&self, value: u32) -> u32 {
        self.values.iter().fold(value, |rest, v| rest & !v.number)
    }
}

/// A value with a meaning of its own for some fields, such as NULL_CALL_ID.
#[derive(Debug, PartialEq, Eq)]
pub struct Special {
    /// The specification's symbol, where it has one.
    pub name: Option<&'static str>,
    /// The value, as the field's bits (0xFFFFFFFF also stands for -1 of a signed field).
    pub value: u32,
    /// What it means.
    pub label: &'static str,
    /// Everyday value: not worth a word outside of details.
    pub quiet: bool,
}

impl Special {
    /// The symbol, or else the label.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.name.unwrap_or(self.label)
    }
}
