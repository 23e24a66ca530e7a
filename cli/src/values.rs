//! Values of options: from text to typed values, or an error that names what is allowed.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::{anyhow, bail, ensure};
use cti_dissector::diff::Tolerance;
use cti_dissector::explain;
use cti_dissector::protocol::{self, Message, MessageType, NEWEST, OLDEST};
use globset::GlobBuilder;
use jiff::civil;

/// One value of `--type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypePattern {
    /// A number on the wire, known or not.
    Number(MessageType),
    /// Messages by name.
    Messages(Vec<&'static str>),
}

/// All values of `--type` together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeSelection {
    numbers: BTreeSet<MessageType>,
    names: BTreeSet<&'static str>,
    /// What is listed does not pass, and everything else does.
    inverted: bool,
}

impl TypeSelection {
    /// Gathers the values given.
    pub fn new(patterns: Vec<TypePattern>) -> Self {
        let mut selection = Self::default();
        for pattern in patterns {
            match pattern {
                TypePattern::Number(number) => {
                    selection.numbers.insert(number);
                }
                TypePattern::Messages(names) => selection.names.extend(names),
            }
        }
        selection
    }

    /// Everything but the values given.
    pub fn without(patterns: Vec<TypePattern>) -> Self {
        Self {
            inverted: true,
            ..Self::new(patterns)
        }
    }

    /// Whether nothing was selected, so that everything passes.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.names.is_empty()
    }

    /// Whether a message passes: by its number on the wire, or by the name under which it was decoded (some numbers have
    /// two meanings). Everything passes when nothing was selected.
    pub fn accepts(&self, number: MessageType, message: Option<&Message>) -> bool {
        let listed =
            self.numbers.contains(&number) || message.is_some_and(|m| self.names.contains(m.name));
        self.is_empty() || listed != self.inverted
    }
}

/// A value of `--from` or `--to` as typed; the time zone comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// With an offset: a point in time.
    Instant(jiff::Timestamp),
    /// Date and time in the time zone of the output.
    Civil(civil::DateTime),
    /// Time of day.
    OfDay(civil::Time),
}

/// A 32-bit number, decimal or 0x hexadecimal.
pub fn number(text: &str) -> anyhow::Result<u32> {
    explain::parse_number(text).ok_or_else(|| {
        anyhow!("not a number from 0 to 4294967295, decimal or hexadecimal such as 0x1000013")
    })
}

/// A number that counts from 1.
pub fn ordinal(text: &str) -> anyhow::Result<u32> {
    let number = text.trim().parse().ok().filter(|n| *n > 0);
    number.ok_or_else(|| anyhow!("not a number from 1 on"))
}

/// A TCP port.
pub fn port(text: &str) -> anyhow::Result<u16> {
    let port = text.trim().parse().ok().filter(|n| *n > 0);
    port.ok_or_else(|| anyhow!("not a port, which is 1 to 65535"))
}

/// A number of threads.
pub fn jobs(text: &str) -> anyhow::Result<NonZeroUsize> {
    let jobs = text
        .trim()
        .parse()
        .ok()
        .filter(|n: &NonZeroUsize| n.get() <= 1024);
    jobs.ok_or_else(|| anyhow!("not a number of threads, which is 1 to 1024"))
}

/// A version whose layouts are known.
pub fn protocol_version(text: &str) -> anyhow::Result<u8> {
    let version = text.trim().parse().ok();
    version
        .filter(|v| (OLDEST..=NEWEST).contains(v))
        .ok_or_else(|| anyhow!("not a protocol version, which is {OLDEST} to {NEWEST}"))
}

/// A name that is not empty.
pub fn name(text: &str) -> anyhow::Result<String> {
    let name = text.trim();
    ensure!(!name.is_empty(), "empty");
    Ok(name.to_owned())
}

/// A time span: seconds, or a number with ms, s or m.
pub fn duration(text: &str) -> anyhow::Result<Duration> {
    const ALLOWED: &str = "not a time span above 0 and up to 24 hours, such as 30, 5s, 500ms or 2m";
    let text = text.trim();
    let (number, scale) = if let Some(number) = text.strip_suffix("ms") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1.0)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60.0)
    } else {
        (text, 1.0)
    };
    let seconds: f64 = number.trim_end().parse().map_err(|_| anyhow!(ALLOWED))?;
    let span = Duration::try_from_secs_f64(seconds * scale).map_err(|_| anyhow!(ALLOWED))?;
    ensure!(
        !span.is_zero() && span <= Duration::from_secs(86_400),
        ALLOWED
    );
    Ok(span)
}

/// A name and its value, NAME=VALUE.
pub fn assignment(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("not of the form NAME=VALUE"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A point in time, or a time of day.
pub fn moment(text: &str) -> anyhow::Result<Moment> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(Moment::Instant(instant));
    }
    // A date alone would be taken for its midnight; whether that is meant for --to is anybody's guess.
    if text.contains(':') {
        if let Ok(time) = text.parse::<civil::Time>()
            && text.starts_with(|c: char| c.is_ascii_digit())
            && !text.contains('-')
        {
            return Ok(Moment::OfDay(time));
        }
        if let Ok(civil) = text.parse::<civil::DateTime>() {
            return Ok(Moment::Civil(civil));
        }
    }
    bail!(
        "not a time, such as 2026-11-23T10:15:00Z, '2026-11-23 10:15:00.250' or 10:15 (of the day on which the capture starts)"
    )
}

/// Message types: a number, a name or a pattern.
pub fn message_types(text: &str) -> anyhow::Result<TypePattern> {
    let text = text.trim();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(TypePattern::Number(MessageType(number(text)?)));
    }
    if !text.contains(['*', '?', '[', '{']) {
        let message = protocol::message_by_name(text).ok_or_else(|| unknown_message(text))?;
        return Ok(TypePattern::Messages(vec![message.name]));
    }
    let glob = GlobBuilder::new(text)
        .case_insensitive(true)
        .build()
        .map_err(|error| anyhow!("not a pattern: {}", error.kind()))?
        .compile_matcher();
    let all = protocol::messages().iter().map(|m| m.name);
    let names: Vec<&'static str> = all.filter(|name| glob.is_match(name)).collect();
    ensure!(
        !names.is_empty(),
        "no message has a name like this; `ctishark explain` lists them"
    );
    Ok(TypePattern::Messages(names))
}

fn unknown_message(text: &str) -> anyhow::Error {
    let near = explain::similar_messages(text);
    if near.is_empty() {
        anyhow!("no message has this name; `ctishark explain` lists them")
    } else {
        anyhow!(
            "no message has this name; did you mean {}?",
            near.join(", ")
        )
    }
}

/// By how much numbers may differ: `3` or `5%`.
pub fn tolerance(text: &str) -> anyhow::Result<Tolerance> {
    Tolerance::parse(text)
        .ok_or_else(|| anyhow!("neither a number such as 3 nor a share such as 5%"))
}

/// A factor of at least 1; `off` is `None`.
pub fn factor(text: &str) -> anyhow::Result<Factor> {
    if text.trim() == "off" {
        return Ok(Factor(None));
    }
    let factor: f64 = text
        .trim()
        .parse()
        .map_err(|_| anyhow!("neither a number nor off"))?;
    ensure!(factor >= 1.0 && factor.is_finite(), "must be 1 or more");
    Ok(Factor(Some(factor)))
}

/// A factor, or none at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor(pub Option<f64>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans() {
        assert_eq!(duration("30").unwrap(), Duration::from_secs(30));
        assert_eq!(duration("5s").unwrap(), Duration::from_secs(5));
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("1.5 s").unwrap(), Duration::from_millis(1500));
        assert_eq!(duration("2m").unwrap(), Duration::from_secs(120));
        for bad in ["", "0", "-1", "5h", "nan", "inf", "s", "1e300", "86401"] {
            let message = duration(bad).unwrap_err().to_string();
            assert!(
                message.contains("such as 30, 5s, 500ms"),
                "{bad}: {message}"
            );
        }
    }

    #[test]
    fn moments() {
        let instant = |t: &str| Moment::Instant(t.parse().unwrap());
        assert_eq!(
            moment("2026-11-23T10:15:00Z").unwrap(),
            instant("2026-11-23T10:15:00Z")
        );
        assert_eq!(
            moment("2026-11-23T10:15:00.5+02:00").unwrap(),
            instant("2026-11-23T08:15:00.5Z")
        );
        let civil = civil::date(2026, 11, 23).at(10, 15, 0, 250_000_000);
        assert_eq!(
            moment("2026-11-23 10:15:00.250").unwrap(),
            Moment::Civil(civil)
        );
        assert_eq!(
            moment("2026-11-23T10:15:00.250").unwrap(),
            Moment::Civil(civil)
        );
        assert_eq!(
            moment("10:15").unwrap(),
            Moment::OfDay(civil::time(10, 15, 0, 0))
        );
        assert_eq!(
            moment("10:15:01.5").unwrap(),
            Moment::OfDay(civil::time(10, 15, 1, 500_000_000))
        );
        for bad in [
            "",
            "10",
            "25:00",
            "yesterday",
            "2026-11-23",
            "2026-13-01 10:00",
        ] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn message_types_by_number_name_and_pattern() {
        assert_eq!(
            message_types("0x24").unwrap(),
            TypePattern::Number(MessageType(36))
        );
        assert_eq!(
            message_types("open_req").unwrap(),
            TypePattern::Messages(vec!["OPEN_REQ"])
        );
        let TypePattern::Messages(names) = message_types("call_*_event").unwrap() else {
            panic!("a pattern gives names")
        };
        assert!(names.contains(&"CALL_DELIVERED_EVENT") && !names.contains(&"OPEN_REQ"));
        let near = message_types("OPEN_RQ").unwrap_err().to_string();
        assert!(near.contains("did you mean OPEN_REQ"), "{near}");
        assert!(message_types("NOSUCH_*").is_err());
        assert!(message_types("99999999999").is_err());
    }

    #[test]
    fn a_selection_accepts_by_number_or_name() {
        let open = protocol::message_by_name("OPEN_REQ").unwrap();
        let selection = TypeSelection::new(vec![
            message_types("OPEN_REQ").unwrap(),
            message_types("9999").unwrap(),
        ]);
        assert!(selection.accepts(open.number, Some(open)));
        assert!(selection.accepts(MessageType(9999), None));
        assert!(!selection.accepts(MessageType(4), protocol::message(MessageType(4))));
        assert!(TypeSelection::default().accepts(MessageType(4), None));
        let others = TypeSelection::without(vec![message_types("OPEN_REQ").unwrap()]);
        assert!(!others.accepts(open.number, Some(open)));
        assert!(others.accepts(MessageType(4), protocol::message(MessageType(4))));
        assert!(TypeSelection::without(Vec::new()).accepts(MessageType(4), None));
    }

    #[test]
    fn numbers_and_their_ranges() {
        assert_eq!(number("0x1000013").unwrap(), 16_777_235);
        assert!(number("-1").is_err() && number("").is_err() && number("0x").is_err());
        assert!(port("0").is_err() && port("65536").is_err());
        assert!(ordinal("0").is_err());
        assert!(
            protocol_version("4")
                .unwrap_err()
                .to_string()
                .contains("5 to 25")
        );
        assert!(jobs("0").is_err());
    }
}
