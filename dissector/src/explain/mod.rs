//! The protocol as a reference: what stands behind a name or a number.

mod suggest;

pub use suggest::similar_messages;

/// A number as people type it: decimal or 0x hexadecimal.
#[must_use]
pub fn parse_number(text: &str) -> Option<u32> {
    let text = text.trim();
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |digits| (digits, 16));
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}
