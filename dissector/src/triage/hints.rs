//! What codes on the wire mean for whoever has to find the cause.

use crate::correlate::FailureCode;
use crate::protocol;

/// PeripheralType of Unified CCX.
pub(super) const CCX: u32 = 21;

/// What a failure usually comes from: the peripheral's word first, which is nearer to the cause.
pub(super) fn failure(failure: &FailureCode) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(code) = failure.peripheral_error.filter(|code| *code != 0)
        && let Some(error) = protocol::peripheral_error(code)
    {
        parts.push(format!("{code}: {}", error.meaning));
        parts.extend(error.hint.map(str::to_owned));
    }
    let is_control = failure
        .table
        .is_some_and(|table| table.name == "ControlFailureCode");
    let hint = if is_control {
        protocol::hint_for_control_failure(failure.code)
    } else {
        protocol::hint_for_status(failure.code)
    };
    if let Some(hint) = hint {
        parts.push(format!("{}: {hint}", failure.code));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// An EventReasonCode with its meaning, as a heading has it.
pub(super) fn reason(peripheral_type: u32, code: u32, state: u32) -> String {
    match protocol::reason_on(Some(peripheral_type), code, state) {
        Some(reason) => format!("{} ({code})", reason.meaning),
        None => format!("reason {code}"),
    }
}

/// What to look at for an EventReasonCode.
pub(super) fn reason_hint(peripheral_type: u32, code: u32, state: u32) -> Option<String> {
    let reason = protocol::reason_on(Some(peripheral_type), code, state)?;
    reason.hint.map(str::to_owned)
}
