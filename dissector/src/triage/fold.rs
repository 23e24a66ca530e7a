//! What explains what: a cause takes up the effects that follow from it.

use super::Code;
use super::sighting::Sighting;

/// Whether a code can explain others.
pub(super) const fn is_cause(code: Code) -> bool {
    matches!(code, Code::PeripheralOffline)
}

/// Whether one sighting explains another that came within the time for it (see `Thresholds::fold`).
pub(super) fn explains(cause: &Sighting, effect: &Sighting) -> bool {
    match cause.code {
        Code::PeripheralOffline => matches!(effect.code, Code::Unanswered),
        _ => false,
    }
}
