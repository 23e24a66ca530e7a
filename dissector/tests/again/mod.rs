//! Back from a decoded message to its bytes.

use cti_dissector::decode::{FieldValue, MessageView};
use cti_dissector::encode::{Draft, Value};

/// Encodes a decoded message again.
pub fn again(view: &MessageView<'_>) -> Vec<u8> {
    let mut draft = Draft::of(view.message().unwrap(), view.version()).unwrap();
    for field in view.fixed() {
        let value = Value::Number(field.number().value);
        draft.set(field.field().name, &value).unwrap();
    }
    for field in view.floating() {
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let value = match field.value() {
            // Some texts have no terminating zero, some are no UTF-8.
            FieldValue::Text(text) if field.raw().ends_with(&[0]) && text.is_ascii() => {
                Value::Text(string(text))
            }
            FieldValue::Number(n) | FieldValue::Bool(n) => Value::Number(n.value),
            FieldValue::Time(seconds) => Value::Number(seconds.into()),
            FieldValue::NamedVariable { name, value } => Value::NamedVariable {
                name: string(name),
                value: string(value),
            },
            FieldValue::NamedArray { index, name, value } => Value::NamedArray {
                index,
                name: string(name),
                value: string(value),
            },
            FieldValue::TaskId {
                group_high,
                group_low,
                sequence,
            } => Value::TaskId {
                high: group_high,
                low: group_low,
                sequence,
            },
            FieldValue::Numbers(numbers) => Value::Array(numbers.iter().map(|n| n.value).collect()),
            _ => Value::Bytes(field.raw().to_vec()),
        };
        draft.set(field.name().unwrap(), &value).unwrap();
    }
    draft.encode().unwrap()
}
