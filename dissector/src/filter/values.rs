//! Values of an expression: from a text to what it means for a field, or what could stand there.

use super::ast::{Literal, Span};
use super::check::{Meant, Moment, PeerTest, StatusTest};
use super::error::{Fault, FilterErrorKind as Kind};
use super::names::Form;
use crate::correlate::OutcomeKind;
use crate::explain::suggest;
use crate::finding::{Code, Severity};
use crate::protocol::{self, Value, ValueTable, WireType};
use crate::record::Direction;
use crate::time::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use std::net::{IpAddr, SocketAddr};

/// A number, decimal (perhaps negative) or hexadecimal.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let is_plain = |t: &str| t.starts_with(|c: char| c.is_ascii_hexdigit());
    match hex {
        Some(_) if negative => None,
        Some(hex) => i64::from_str_radix(hex, 16).ok().filter(|_| is_plain(hex)),
        None => text.parse().ok().filter(|_| is_plain(digits)),
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.starts_with("0x") || text.starts_with("0X")
}

/// The values that fields of a type can hold.
pub(super) const fn bounds(wire: WireType) -> (i64, i64) {
    match wire {
        WireType::Char => (-0x80, 0x7F),
        WireType::UChar => (0, 0xFF),
        WireType::Short => (-0x8000, 0x7FFF),
        WireType::UShort | WireType::Bool => (0, 0xFFFF),
        WireType::Int => (-0x8000_0000, 0x7FFF_FFFF),
        _ => (0, 0xFFFF_FFFF),
    }
}

/// A number of a field, whose numeric forms are given.
pub(super) fn number(name: &str, forms: &[Form], literal: &Literal) -> Result<Meant, Fault> {
    let word = literal.word();
    if !literal.quoted
        && let Some(value) = integer(&word)
    {
        return in_bounds(name, forms, literal.span, value, is_hexadecimal(&word));
    }
    let is_bool = |f: &Form| f.wire == Some(WireType::Bool);
    if forms.iter().any(is_bool) {
        match &*word {
            "true" => return Ok(Meant::Value(1)),
            "false" => return Ok(Meant::Value(0)),
            _ => {}
        }
    }
    let mut tables: Vec<&'static ValueTable> = Vec::new();
    for table in forms.iter().filter_map(|f| f.table) {
        if !tables.iter().any(|t| std::ptr::eq(*t, table)) {
            tables.push(table);
        }
    }
    let specials = forms.iter().filter_map(|f| f.special);
    if let Some(special) = specials
        .clone()
        .find(|s| s.text().eq_ignore_ascii_case(&word))
    {
        return Ok(Meant::Bits(special.value));
    }
    let meanings = named(name, &tables, literal)?;
    if !meanings.is_empty() {
        return Ok(Meant::Named(meanings));
    }
    if tables.is_empty() {
        let hint = if forms.iter().all(is_bool) {
            "compare it with true or false"
        } else {
            "compare it with a number, decimal or 0x hexadecimal"
        };
        let kind = Kind::Mismatch {
            field: name.to_owned(),
            is: if forms.iter().all(is_bool) {
                "true or false"
            } else {
                "a number"
            },
            hint: hint.to_owned(),
        };
        return Err(Fault::new(kind, literal.span));
    }
    let has = tables.iter().flat_map(|t| t.values).map(|v| v.short);
    let special = specials.filter_map(|s| s.name);
    let known = tables.iter().flat_map(|t| t.values);
    let known = known.flat_map(|v| [v.text, v.short]).chain(special);
    let near = suggest::nearest(&word, known);
    let kind = Kind::UnknownValue {
        field: name.to_owned(),
        value: word.clone().into_owned(),
        has: match near.is_empty() {
            true => has.map(as_written).collect(),
            false => Vec::new(),
        },
    };
    Err(Fault::new(kind, literal.span).near(near.into_iter().map(as_written)))
}

/// A name as an expression has it: in quotes where it is more than a word.
fn as_written(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

/// A number that some numeric form can hold.
fn in_bounds(
    name: &str,
    forms: &[Form],
    span: Span,
    value: i64,
    hexadecimal: bool,
) -> Result<Meant, Fault> {
    let wires = || forms.iter().filter_map(|f| f.wire);
    let is_signed = |w| matches!(w, WireType::Char | WireType::Short | WireType::Int);
    let mut least = wires().map(|w| bounds(w).0).min().unwrap_or(0);
    let mut most = wires().map(|w| bounds(w).1).max().unwrap_or(0);
    if hexadecimal && wires().any(is_signed) {
        least = 0;
        let widest = wires().filter_map(WireType::size).max().unwrap_or(0);
        most = most.max((1_i64 << (u32::from(widest) * 8).min(32)) - 1);
    }
    if !(least..=most).contains(&value) {
        let field = name.to_owned();
        return Err(Fault::new(Kind::OutOfRange { field, least, most }, span));
    }
    match u32::try_from(value) {
        Ok(bits) if hexadecimal && wires().any(is_signed) => Ok(Meant::Bits(bits)),
        _ => Ok(Meant::Value(value)),
    }
}

/// What a name means in each of some tables; empty when it means nothing in any.
fn named(
    field: &str,
    tables: &[&'static ValueTable],
    literal: &Literal,
) -> Result<Vec<(&'static ValueTable, u32)>, Fault> {
    let word = literal.word();
    let mut meanings = Vec::new();
    for table in tables {
        let found = in_table(table, &word);
        match found.as_slice() {
            [] => {}
            [value] => meanings.push((*table, value.number)),
            several => {
                let meanings = several
                    .iter()
                    .map(|v| format!("{} ({})", v.text, v.number))
                    .collect();
                let kind = Kind::Ambiguous {
                    field: field.to_owned(),
                    value: word.into_owned(),
                    meanings,
                };
                return Err(Fault::new(kind, literal.span));
            }
        }
    }
    Ok(meanings)
}

/// The entries of a table that have a name: by their full names if any has, else by what is left without the common prefix. The case of
/// the letters does not matter.
fn in_table(table: &'static ValueTable, name: &str) -> Vec<&'static Value> {
    let full: Vec<&Value> = table
        .values
        .iter()
        .filter(|v| v.text.eq_ignore_ascii_case(name))
        .collect();
    if !full.is_empty() {
        return full;
    }
    let prefix = common_prefix(table);
    let is_short = |v: &&Value| {
        let rest = v.text.get(prefix..).filter(|r| !r.is_empty());
        v.short.eq_ignore_ascii_case(name) || rest.is_some_and(|r| r.eq_ignore_ascii_case(name))
    };
    table.values.iter().filter(is_short).collect()
}

/// Length of what all symbols of a table begin with, up to an underscore.
fn common_prefix(table: &ValueTable) -> usize {
    let mut symbols = table.values.iter().filter_map(|v| v.symbol);
    let Some(first) = symbols.next() else {
        return 0;
    };
    let common = symbols.fold(first.len(), |common, symbol| {
        let same = first.bytes().zip(symbol.bytes());
        same.take(common).take_while(|(a, b)| a == b).count()
    });
    let prefix = first.get(..common).unwrap_or("");
    prefix.rfind('_').map_or(0, |at| at + 1)
}

/// Nanoseconds from a number of milliseconds, which may have decimals.
pub(super) fn milliseconds(literal: &Literal) -> Option<i64> {
    let word = literal.word();
    let (negative, digits) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, &*word),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if literal.quoted || whole.is_empty() || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    if digits.ends_with('.') || decimals.len() > 6 {
        return None;
    }
    let parse = |t: &str| t.parse::<i64>().ok();
    let fraction = parse(&format!("{decimals:0<6}"))?;
    let nanos = parse(whole)?
        .checked_mul(1_000_000)?
        .checked_add(fraction)?;
    Some(if negative { -nanos } else { nanos })
}

/// A point in time; without an offset it is in `zone`.
pub(super) fn moment(literal: &Literal, zone: &TimeZone) -> Option<Moment> {
    let word = literal.word();
    let text = word.trim();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(Moment::At(saturated(instant)));
    }
    if !text.contains(':') {
        return None;
    }
    let is_time = text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('-');
    if is_time && let Ok(time) = text.parse::<civil::Time>() {
        let day = Timestamp::default();
        return Some(Moment::OfDay(time, on_day(time, day, zone)));
    }
    let civil: civil::DateTime = text.parse().ok()?;
    let instant = zone.to_timestamp(civil).ok()?;
    Some(Moment::At(saturated(instant)))
}

/// A time of day in a zone, on the day on which `start` is there.
pub(super) fn on_day(time: civil::Time, start: Timestamp, zone: &TimeZone) -> Timestamp {
    let start = jiff::Timestamp::from_nanosecond(start.nanos().into()).unwrap_or_default();
    let day = zone.to_datetime(start).date();
    zone.to_timestamp(day.to_datetime(time))
        .map_or(Timestamp::default(), saturated)
}

/// Saturates beyond the years 1677 to 2262.
fn saturated(instant: jiff::Timestamp) -> Timestamp {
    let nanos = instant.as_nanosecond();
    let limit = if nanos < 0 { i64::MIN } else { i64::MAX };
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(limit))
}

/// An address, address and port, network or port.
pub(super) fn peer(literal: &Literal) -> Option<PeerTest> {
    let word = literal.word();
    if let Ok(port) = word.parse::<u16>() {
        return Some(PeerTest::Ports(port, port));
    }
    if let Ok(address) = word.parse::<IpAddr>() {
        return Some(PeerTest::Address(address));
    }
    if let Ok(socket) = word.parse::<SocketAddr>() {
        return Some(PeerTest::Socket(socket));
    }
    let (network, length) = word.split_once('/')?;
    let network: IpAddr = network.parse().ok()?;
    let most = if network.is_ipv4() { 32 } else { 128 };
    let length = length.parse().ok().filter(|l| *l <= most)?;
    Some(PeerTest::Network(network, length))
}

/// A direction by its name in output.
pub(super) fn direction(literal: &Literal) -> Option<Direction> {
    let all = [Direction::ClientToServer, Direction::ServerToClient];
    all.into_iter().find(|d| *d.name() == *literal.word())
}

/// Names of outcomes; `wrong` is short for the longest of them.
pub(super) const OUTCOMES: [(&str, OutcomeKind); 11] = [
    ("confirmed", OutcomeKind::Confirmed),
    ("failed", OutcomeKind::Failed),
    ("unanswered", OutcomeKind::Unanswered),
    ("late", OutcomeKind::Late),
    ("wrong_answer", OutcomeKind::WrongAnswer),
    ("wrong", OutcomeKind::WrongAnswer),
    ("not_expected", OutcomeKind::NotExpected),
    ("not_judged", OutcomeKind::NotJudged),
    ("session_ended", OutcomeKind::SessionEnded),
    ("capture_ended", OutcomeKind::CaptureEnded),
    ("no_request", OutcomeKind::NoRequest),
];

/// An outcome, or a failure by its name.
pub(super) fn status(literal: &Literal) -> Result<StatusTest, Fault> {
    let word = literal.word();
    if let Some((_, kind)) = OUTCOMES.iter().find(|(name, _)| *name == word) {
        return Ok(StatusTest::Outcome(*kind));
    }
    let tables: Vec<&'static ValueTable> = ["StatusCode", "ControlFailureCode"]
        .into_iter()
        .filter_map(protocol::value_table)
        .collect();
    let meanings = named("status", &tables, literal)?;
    if !meanings.is_empty() {
        return Ok(StatusTest::Failure(meanings));
    }
    let outcomes = OUTCOMES.iter().map(|(name, _)| *name);
    let failures = tables.iter().flat_map(|t| t.values).map(|v| v.text);
    let near = suggest::nearest(&word, outcomes.clone().chain(failures));
    let kind = Kind::UnknownValue {
        field: "status".to_owned(),
        value: word.into_owned(),
        has: match near.is_empty() {
            true => outcomes
                .chain(["names of failures"])
                .map(str::to_owned)
                .collect(),
            false => Vec::new(),
        },
    };
    Err(Fault::new(kind, literal.span).near(near))
}

/// A code of findings.
pub(super) fn code(literal: &Literal) -> Result<Code, Fault> {
    let word = literal.word();
    let found = Code::ALL.iter().find(|code| code.name() == word);
    found.copied().ok_or_else(|| {
        let names = Code::ALL.iter().map(|code| code.name());
        unknown_word("findings", literal, names)
    })
}

/// Severities, rising.
pub(super) const SEVERITIES: [Severity; 3] = [Severity::Info, Severity::Warn, Severity::Error];

/// A severity of findings.
pub(super) fn severity(literal: &Literal) -> Result<Severity, Fault> {
    let word = literal.word();
    let found = SEVERITIES.into_iter().find(|s| s.name() == word);
    found.ok_or_else(|| {
        let names = SEVERITIES.into_iter().map(Severity::name);
        unknown_word("severity", literal, names)
    })
}

/// A word that is none of a few.
pub(super) fn unknown_word(
    field: &str,
    literal: &Literal,
    names: impl Iterator<Item = &'static str> + Clone,
) -> Fault {
    let word = literal.word();
    let near = suggest::nearest(&word, names.clone());
    let kind = Kind::UnknownValue {
        field: field.to_owned(),
        value: word.into_owned(),
        has: match near.is_empty() {
            true => names.map(str::to_owned).collect(),
            false => Vec::new(),
        },
    };
    Fault::new(kind, literal.span).near(near)
}
