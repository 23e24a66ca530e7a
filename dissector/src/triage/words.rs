//! How findings say numbers.

use crate::correlate::FailureCode;
use crate::record::Direction;
use crate::time::NANOS_PER_SECOND;

/// A time span for people: "850 µs", "340 ms", "7.2 s", "90 s", "3 min 20 s", "4 h 5 min".
pub(super) fn span(nanos: i64) -> String {
    let nanos = nanos.max(0);
    let rounded = |unit: i64| nanos / unit + i64::from(nanos % unit >= unit / 2);
    let (micros, millis) = (rounded(1_000), rounded(1_000_000));
    let (tenths, seconds) = (rounded(NANOS_PER_SECOND / 10), rounded(NANOS_PER_SECOND));
    if micros == 0 {
        "0 ms".to_owned()
    } else if micros < 1_000 {
        format!("{micros} µs")
    } else if millis < 1_000 {
        format!("{millis} ms")
    } else if seconds >= 7_200 {
        format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60)
    } else if seconds >= 120 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else if tenths % 10 == 0 {
        format!("{} s", tenths / 10)
    } else {
        format!("{}.{} s", tenths / 10, tenths % 10)
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

/// "the client" or "the server".
pub(super) const fn who(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "the client",
        Direction::ServerToClient => "the server",
    }
}

/// A status with its name: "36 (E_CTI_INVALID_PASSWORD)".
pub(super) fn status_name(status: u32) -> String {
    let table = crate::protocol::value_table("StatusCode");
    table.and_then(|table| table.get(status)).map_or_else(
        || format!("{status} (unknown)"),
        |value| format!("{status} ({})", value.text),
    )
}

/// What it says to a person.
pub(super) fn status_label(status: u32) -> Option<&'static str> {
    let value = crate::protocol::value_table("StatusCode")?.get(status)?;
    value.label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_the_units_that_matter() {
        let said = |millis: i64| span(millis * 1_000_000);
        assert_eq!(said(-5), "0 ms");
        assert_eq!(said(340), "340 ms");
        assert_eq!(said(7_230), "7.2 s");
        assert_eq!(said(89_960), "90 s");
        assert_eq!(span(850_400), "850 µs");
        assert_eq!(span(999_700), "1 ms");
        assert_eq!(said(200_000), "3 min 20 s");
        assert_eq!(said(14_700_000), "4 h 5 min");
    }

    #[test]
    fn ordinals_end_as_they_are_said() {
        let said: Vec<String> = [1, 2, 3, 4, 11, 22].into_iter().map(ordinal).collect();
        assert_eq!(said, ["1st", "2nd", "3rd", "4th", "11th", "22nd"]);
    }
}
