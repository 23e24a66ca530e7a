//! The fixed part of a message as a function of the protocol version, and of its variants.

use crate::schema::{Fixed, Message, Variant};

/// First and last protocol version that the data describes.
pub const VERSIONS: std::ops::RangeInclusive<u8> = 5..=25;

/// Bytes of a numeric wire type; `None` for types without a fixed size.
pub fn size_of(wire: &str) -> Option<u16> {
    Some(match wire {
        "CHAR" | "UCHAR" => 1,
        "SHORT" | "USHORT" | "BOOL" => 2,
        "INT" | "UINT" | "TIME" => 4,
        _ => return None,
    })
}

/// The fixed part at one protocol version.
pub fn fixed_at(message: &Message, version: u8) -> Vec<Fixed> {
    message
        .fixed
        .iter()
        .filter(|f| f.since.is_none_or(|s| s <= version) && f.until.is_none_or(|u| version <= u))
        .cloned()
        .collect()
}

/// Version ranges with the same fixed part, oldest first: (first, last, fields).
pub fn ranges(at: impl Fn(u8) -> Vec<Fixed>) -> Vec<(u8, u8, Vec<Fixed>)> {
    let mut out: Vec<(u8, u8, Vec<Fixed>)> = Vec::new();
    for version in VERSIONS {
        let fixed = at(version);
        match out.last_mut() {
            Some((_, last, fields))
                if fields
                    .iter()
                    .map(|f| &f.name)
                    .eq(fixed.iter().map(|f| &f.name)) =>
            {
                *last = version;
            }
            _ => out.push((version, version, fixed)),
        }
    }
    out
}

/// A variant's fixed part made from the usual one; an error names the field that the variant speaks of in vain.
pub fn apply(variant: &Variant, fixed: &[Fixed]) -> Result<Vec<Fixed>, String> {
    let mut fields = fixed.to_vec();
    let position = |fields: &[Fixed], name: &str| {
        fields
            .iter()
            .position(|f| f.name == name)
            .ok_or_else(|| format!("variant '{}': no fixed field '{name}'", variant.name))
    };
    for name in &variant.without {
        let at = position(&fields, name)?;
        fields.remove(at);
    }
    for insert in &variant.insert {
        let at = match (&insert.before, &insert.after) {
            (Some(name), None) => position(&fields, name)?,
            (None, Some(name)) => position(&fields, name)? + 1,
            _ => {
                return Err(format!(
                    "variant '{}': insert needs before or after",
                    variant.name
                ));
            }
        };
        fields.insert(
            at,
            Fixed {
                name: insert.name.clone(),
                wire: insert.wire.clone(),
                enumeration: insert.enumeration.clone(),
                mask: None,
                values: None,
                since: None,
                until: None,
                inferred: false,
                when: None,
            },
        );
    }
    for retype in &variant.retype {
        let at = position(&fields, &retype.name)?;
        let field = fields.get_mut(at).ok_or("position is inside the list")?;
        field.wire.clone_from(&retype.wire);
    }
    for (index, name) in variant.order.iter().enumerate() {
        let at = position(&fields, name)?;
        let field = fields.remove(at);
        fields.insert(index, field);
    }
    Ok(fields)
}
