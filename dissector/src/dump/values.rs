//! From a value in JSON to the bytes of a field.

use crate::protocol::WireType;
use serde_json::Value;

/// Appends a number of a type; whether that could be done.
pub(super) fn number(out: &mut Vec<u8>, wire: WireType, value: &Value) -> bool {
    let value = match value {
        Value::Object(object) => object.get("value").and_then(Value::as_i64),
        value => value.as_i64(),
    };
    let Some(value) = value else { return false };
    // The lowest bytes are the value, whether it has a sign or not.
    let size = usize::from(wire.size().unwrap_or(0));
    let bytes = value.to_be_bytes();
    let Some(bytes) = bytes.get(bytes.len().saturating_sub(size)..) else {
        return false;
    };
    out.extend_from_slice(bytes);
    true
}

/// The bytes of a text, which are given in hexadecimal where they are no UTF-8.
fn text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Object(object) => hex(object.get("hex")?.as_str()?),
        _ => None,
    }
}

/// Bytes from hexadecimal digits.
pub(super) fn hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |c: u8| {
        char::from(c)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// What stands for a secret that was masked: whatever it was, it is masked again.
pub(super) const MASKED: &[u8] = b"*";

/// The data of a floating field of a type, at most so many bytes; `None` if the value is none of such a field.
pub(super) fn floating(wire: Option<WireType>, value: &Value, most: usize) -> Option<Vec<u8>> {
    let ended = |mut bytes: Vec<u8>| {
        if bytes.len() < most {
            bytes.push(0);
        }
        bytes
    };
    match value {
        Value::String(text) => Some(ended(text.clone().into_bytes())),
        Value::Number(_) => {
            let mut out = Vec::new();
            number(&mut out, wire?, value).then_some(out)
        }
        Value::Array(elements) => {
            let mut out = Vec::new();
            for element in elements {
                number(&mut out, wire?, element).then_some(())?;
            }
            Some(out)
        }
        Value::Object(object) => {
            if let Some(digits) = object.get("hex") {
                return hex(digits.as_str()?);
            }
            if let Some(high) = object.get("group_high") {
                let mut out = Vec::new();
                for part in [Some(high), object.get("group_low"), object.get("sequence")] {
                    number(&mut out, WireType::Int, part?).then_some(())?;
                }
                return Some(out);
            }
            let is_variable = matches!(wire, Some(WireType::NamedVariable | WireType::NamedArray));
            if is_variable {
                let mut out = Vec::new();
                if let Some(index) = object.get("index") {
                    out.push(u8::try_from(index.as_u64()?).ok()?);
                }
                out.extend(text(object.get("name")?)?);
                out.push(0);
                out.extend(text(object.get("value")?)?);
                return Some(ended(out));
            }
            let mut out = Vec::new();
            number(&mut out, wire?, value).then_some(out)
        }
        Value::Bool(_) | Value::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_take_the_size_of_their_type() {
        let bytes = |wire, value| {
            let mut out = Vec::new();
            assert!(number(&mut out, wire, &value));
            out
        };
        assert_eq!(bytes(WireType::UInt, json!(4_294_967_295u32)), [0xFF; 4]);
        assert_eq!(bytes(WireType::Int, json!(-1)), [0xFF; 4]);
        assert_eq!(
            bytes(WireType::UShort, json!({"value": 258, "name": null})),
            [1, 2]
        );
        assert!(!number(&mut Vec::new(), WireType::UInt, &json!("1")));
    }

    #[test]
    fn what_stood_in_a_field_stands_in_it_again() {
        let of = |wire, value: serde_json::Value| floating(Some(wire), &value, 255).unwrap();
        assert_eq!(of(WireType::String, json!("1001")), b"1001\0");
        assert_eq!(
            of(WireType::String, json!({"hex": "ff31", "text": "?1"})),
            b"\xFF1"
        );
        assert_eq!(
            of(WireType::NamedVariable, json!({"name": "a", "value": "b"})),
            b"a\0b\0"
        );
        let element = json!({"name": "a", "index": 3, "value": "b"});
        assert_eq!(of(WireType::NamedArray, element), b"\x03a\0b\0");
        let task = json!({"group_high": 0, "group_low": -1, "sequence": 2});
        assert_eq!(
            of(WireType::TaskId, task),
            [0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 2]
        );
        assert_eq!(
            of(WireType::UShort, json!([1, {"value": 2, "name": "X"}])),
            [0, 1, 0, 2]
        );
        assert_eq!(
            floating(Some(WireType::String), &json!("abc"), 3),
            Some(b"abc".to_vec())
        );
        assert_eq!(floating(None, &json!(1), 255), None);
        assert_eq!(hex("0g"), None);
        assert_eq!(hex("012"), None);
    }
}
