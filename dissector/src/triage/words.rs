//! How findings say numbers.

use crate::correlate::FailureCode;
use crate::time::NANOS_PER_SECOND;

/// A time span for people: "340 ms", "7.2 s", "3 min 20 s", "4 h 5 min".
pub(super) fn span(nanos: i64) -> String {
    let millis = nanos.max(0) / 1_000_000;
    let seconds = nanos.max(0) / NANOS_PER_SECOND;
    if millis < 1_000 {
        format!("{millis} ms")
    } else if seconds < 120 {
        format!("{seconds}.{} s", (millis % 1000) / 100)
    } else if seconds < 7_200 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60)
    }
}

/// What a failure says: "CF_INVALID_AGENT_WORKMODE (2), peripheral error 10108".
pub(super) fn failure(failure: &FailureCode) -> String {
    let name = failure.name().unwrap_or("unknown code");
    let code = failure.code;
    match failure.peripheral_error.filter(|code| *code != 0) {
        Some(error) => format!("{name} ({code}), peripheral error {error}"),
        None => format!("{name} ({code})"),
    }
}

/// "1 agent", "3 agents".
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// "2nd", "3rd", "11th".
pub(super) fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_the_units_that_matter() {
        let said = |millis: i64| span(millis * 1_000_000);
        assert_eq!(said(-5), "0 ms");
        assert_eq!(said(340), "340 ms");
        assert_eq!(said(7_260), "7.2 s");
        assert_eq!(said(200_000), "3 min 20 s");
        assert_eq!(said(14_700_000), "4 h 5 min");
    }

    #[test]
    fn ordinals_end_as_they_are_said() {
        let said: Vec<String> = [1, 2, 3, 4, 11, 22].into_iter().map(ordinal).collect();
        assert_eq!(said, ["1st", "2nd", "3rd", "4th", "11th", "22nd"]);
    }
}
