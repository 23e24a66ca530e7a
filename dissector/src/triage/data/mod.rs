//! Call data: lost, cut, near its limits, or missing from the start.

mod limits;
mod missing;
mod updates;

use super::Detector;
use super::known::{self, CallKey};
use crate::analysis::Seen;
use crate::decode::FieldValue;

/// Variables of a message that are looked at.
const MAX_VARIABLES: usize = 64;
/// Calls whose values are remembered.
const MAX_CALLS: usize = crate::limits::MAX_TRIAGE_KEPT;

/// The detectors of this folder.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(updates::Updates::default()),
        Box::new(limits::Limits::default()),
        Box::new(missing::Missing::default()),
    ]
}

/// A variable's name as a person reads it, and its value.
struct Variable<'a> {
    name: String,
    value: &'a [u8],
    named: bool,
}

fn variables<'a>(seen: &Seen<'a>) -> impl Iterator<Item = Variable<'a>> {
    let text = |bytes: &[u8]| known::cut(&String::from_utf8_lossy(bytes));
    let variables =
        seen.view
            .floating()
            .filter_map(move |field| match (field.value(), field.name()) {
                (FieldValue::NamedVariable { name, value }, _) => Some(Variable {
                    name: text(name),
                    value,
                    named: true,
                }),
                (FieldValue::NamedArray { index, name, value }, _) => Some(Variable {
                    name: format!("{}[{index}]", text(name)),
                    value,
                    named: true,
                }),
                (FieldValue::Text(value), Some(name))
                    if name.starts_with("CallVariable") || name == "CallWrapupData" =>
                {
                    Some(Variable {
                        name: name.to_owned(),
                        value,
                        named: false,
                    })
                }
                _ => None,
            });
    variables.take(MAX_VARIABLES)
}

/// The call that an event or a request is about.
fn call_of(seen: &Seen<'_>) -> Option<CallKey> {
    Some(CallKey {
        peripheral: seen.number("PeripheralID")?,
        id: seen.number("ConnectionCallID")?,
    })
}
