//! What codes mean in practice: reason codes that the system sets, errors of peripherals, and hints where to look.

use super::tables;

/// PeripheralType of Unified CCX.
const CCX: u32 = 21;

/// A reason code that the system sets by itself. A site defines others of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// EventReasonCode, unsigned.
    pub code: u32,
    /// Who gives it this meaning: `Unified CCE` or `Unified CCX`.
    pub product: &'static str,
    /// AgentState in which the code has this meaning, ascending.
    pub states: &'static [u32],
    /// In a few words.
    pub short: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to look at.
    pub hint: Option<&'static str>,
    /// The meaning was told by one source only, or deduced.
    pub inferred: bool,
}

/// Errors of Unified CCE agent peripherals with one meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct PeripheralError {
    /// The first PeripheralErrorCode.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// What it means.
    pub meaning: &'static str,
    /// What to look at.
    pub hint: Option<&'static str>,
}

/// All reason codes of the system, by code.
#[must_use]
pub fn reasons() -> &'static [Reason] {
    tables::REASONS
}

/// What a reason code means on Unified CCE, in an agent state (AgentState); `None` for a site's own codes and in other states.
#[must_use]
pub fn reason(code: u32, state: u32) -> Option<&'static Reason> {
    reason_on(None, code, state)
}

/// What a reason code means on a peripheral of this type (PeripheralType); Unified CCE where that is not known.
#[must_use]
pub fn reason_on(peripheral_type: Option<u32>, code: u32, state: u32) -> Option<&'static Reason> {
    let product = if peripheral_type == Some(CCX) {
        "Unified CCX"
    } else {
        "Unified CCE"
    };
    tables::REASONS
        .iter()
        .find(|r| r.code == code && r.product == product && r.states.contains(&state))
}

/// All known errors of peripherals, by code.
#[must_use]
pub fn peripheral_errors() -> &'static [PeripheralError] {
    tables::PERIPHERAL_ERRORS
}

/// What a PeripheralErrorCode of a Unified CCE agent peripheral means. 0, which says nothing, has no meaning.
#[must_use]
pub fn peripheral_error(code: u32) -> Option<&'static PeripheralError> {
    let at = tables::PERIPHERAL_ERRORS.partition_point(|e| e.last < code);
    tables::PERIPHERAL_ERRORS
        .get(at)
        .filter(|e| e.first <= code)
}

/// What a StatusCode points to in practice.
#[must_use]
pub fn hint_for_status(code: u32) -> Option<&'static str> {
    hint(tables::STATUS_HINTS, code)
}

/// What a ControlFailureCode points to in practice.
#[must_use]
pub fn hint_for_control_failure(code: u32) -> Option<&'static str> {
    hint(tables::CONTROL_FAILURE_HINTS, code)
}

fn hint(hints: &'static [(u32, &'static str)], code: u32) -> Option<&'static str> {
    let at = hints.binary_search_by_key(&code, |(c, _)| *c).ok()?;
    hints.get(at).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_counts_in_its_states_only() {
        let lost = reason(50002, 1).unwrap();
        assert_eq!((lost.short, lost.states), ("client failed", &[1, 2][..]));
        assert_eq!(reason(32767, 2).unwrap().short, "ring no answer");
        assert_eq!(reason(32767, 4), None);
        assert_eq!(reason(7, 2), None);
        assert_eq!(reason(65534, 1).unwrap().short, "reset by the PG");
    }

    #[test]
    fn the_same_code_may_mean_something_else_on_unified_ccx() {
        assert_eq!(
            reason_on(Some(21), 32767, 2).unwrap().short,
            "logged in again"
        );
        assert_eq!(reason_on(Some(17), 32767, 2), reason(32767, 2));
        assert_eq!(reason_on(Some(21), 50002, 1), None);
    }

    #[test]
    fn errors_of_peripherals_are_found_at_both_ends_of_their_ranges() {
        for (code, expected) in [
            (0, None),
            (10000, None),
            (10001, Some("internal fault: lock or team lookup")),
            (10003, Some("internal fault: lock or team lookup")),
            (13096, Some("supervise: barged in already")),
            (
                20999,
                Some("second consult, or not the controller of the conference"),
            ),
            (24095, Some("Unified CM: unspecified error")),
            (24096, None),
        ] {
            assert_eq!(
                peripheral_error(code).map(|e| e.meaning),
                expected,
                "{code}"
            );
        }
    }

    #[test]
    fn codes_have_hints_of_their_own_table() {
        assert!(hint_for_status(36).unwrap().contains("password"));
        assert_eq!(hint_for_status(0), None);
        assert!(hint_for_control_failure(283).unwrap().contains("extension"));
        assert_ne!(hint_for_status(12), hint_for_control_failure(12));
    }
}
