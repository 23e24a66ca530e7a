//! Values as the messages of a busy site have them: few devices and groups, NULL values, counters that are mostly small.

use super::Random;
use cti_dissector::protocol::{Special, TableKind, ValueTable, WireType};

fn small(random: &mut Random, limit: usize) -> u32 {
    u32::try_from(random.below(limit)).unwrap()
}

/// The bits of a number field by its name.
pub fn number(
    name: &str,
    wire: WireType,
    table: Option<&'static ValueTable>,
    special: Option<&'static Special>,
    random: &mut Random,
) -> u32 {
    match name {
        "PeripheralID" | "FltPeripheralID" => 5000 + u32::from(random.once_in(8)),
        "PeripheralType" => 17,
        "MonitorID" | "SkillGroupPriority" => 0,
        "LineHandle" | "ServiceNumber" | "ServiceID" => u32::MAX,
        "LineType" => *random.pick(&[0xFFFF, 0, 3]),
        "EventCause" if !random.once_in(8) => 0xFFFF,
        "MRDID" | "AgentMode" => 1,
        "SkillGroupNumber" => 28_401 + small(random, 6),
        "SkillGroupID" => 5034 + small(random, 6),
        "RouterCallKeyDay" => 154_601,
        "RouterCallKeySequenceNumber" => small(random, 3),
        _ if name.ends_with("CallID") => 16_777_301 + small(random, 200),
        _ if name.ends_with("DeviceIDType") => 0,
        _ if name.ends_with("DeviceType") => *random.pick(&[76, 74, 75, 0, 0xFFFF]),
        _ => by_type(wire, table, special, random),
    }
}

fn by_type(
    wire: WireType,
    table: Option<&'static ValueTable>,
    special: Option<&'static Special>,
    random: &mut Random,
) -> u32 {
    match (table, wire) {
        (Some(table), _) if table.kind == TableKind::Mask => {
            let bits = table.values.iter().map(|v| v.number);
            bits.filter(|_| random.once_in(2))
                .fold(0, |all, bit| all | bit)
        }
        (Some(table), _) if !table.values.is_empty() => random.pick(table.values).number,
        (_, WireType::Bool) => small(random, 2),
        (_, WireType::Time) => 1_795_425_600 + small(random, 86_400),
        _ => match (random.below(16), special) {
            (0, Some(special)) => special.value,
            (0..=7, _) => 0,
            (8..=12, _) => small(random, 20),
            _ => small(random, 5000),
        },
    }
}

/// A text of at most `room` bytes by the name of its field.
pub fn text(name: &str, room: usize, random: &mut Random) -> String {
    let digits = |random: &mut Random, length: usize| -> String {
        let digit = |_| char::from(b'0' + u8::try_from(random.below(10)).unwrap());
        (0..length).map(digit).collect()
    };
    let ends = [
        "DeviceID",
        "Instrument",
        "Extension",
        "AgentID",
        "ANI",
        "DNIS",
        "Number",
    ];
    let text = match random.below(8) {
        _ if ends.iter().any(|end| name.ends_with(end)) => {
            let length = 4 + random.below(7);
            digits(random, length)
        }
        0 => String::new(),
        1 => digits(random, 8),
        2 => format!("C-{}", digits(random, 6)),
        3 => "0".repeat(random.below(40)),
        4 => {
            let words = [
                "premium customer",
                "complaint",
                "callback wanted",
                "order",
                "Y",
                "N",
            ];
            let first = (*random.pick(&words)).to_owned();
            format!("{first}; {}", random.pick(&words))
        }
        5 => format!("sip:{}@example.com;transport=tcp", digits(random, 6)),
        _ => {
            let length = 1 + random.below(40);
            digits(random, length)
        }
    };
    text.chars().take(room).collect()
}
