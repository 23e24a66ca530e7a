//! Walks over the tables: who uses what. The tables are small, so nothing is kept between questions.

use crate::protocol::{
    self, FixedField, FloatingField, Message, NEWEST, Special, TableKind, Value, ValueTable,
    WireType,
};

use super::topic::{
    FixedTopic, FixedUse, FloatingTopic, Overview, ServiceTopic, SpecialTopic, TableUse, TypeTopic,
    ValueTopic, VersionTopic,
};

/// Name of the group of messages without a published layout.
pub(super) const UNPUBLISHED: &str = "unpublished";

/// All data types with a line on each.
pub(super) const TYPES: [(WireType, &str); 13] = [
    (WireType::Char, "signed number, 1 byte"),
    (WireType::UChar, "unsigned number, 1 byte"),
    (WireType::Short, "signed number, 2 bytes, big-endian"),
    (WireType::UShort, "unsigned number, 2 bytes, big-endian"),
    (WireType::Int, "signed number, 4 bytes, big-endian"),
    (WireType::UInt, "unsigned number, 4 bytes, big-endian"),
    (WireType::Bool, "2 bytes, big-endian: 0 is false, 1 is true"),
    (
        WireType::Time,
        "seconds since 1970-01-01 00:00 UTC, 4 bytes unsigned, big-endian",
    ),
    (
        WireType::String,
        "ASCII text with a terminating zero, which counts in its length",
    ),
    (WireType::Unspec, "bytes without a meaning to the protocol"),
    (
        WireType::NamedVariable,
        "named variable: name, zero, value, zero",
    ),
    (
        WireType::NamedArray,
        "element of a named array: index of 1 byte, name, zero, value, zero",
    ),
    (
        WireType::TaskId,
        "TaskGroupHigh, TaskGroupLow and SequenceNumber, each INT: 12 bytes",
    ),
];

/// The fixed fields of a message over all versions and variants, each name once, newest layout first.
pub(super) fn fixed_fields(message: &'static Message) -> Vec<&'static FixedField> {
    let mut fields: Vec<&'static FixedField> = Vec::new();
    let layouts = message.layouts.iter().rev();
    let variants = message.variants.iter().flat_map(|v| v.layouts.iter().rev());
    for field in layouts.chain(variants).flat_map(|l| l.fixed) {
        if !fields.iter().any(|f| f.name == field.name) {
            fields.push(field);
        }
    }
    fields
}

/// All value tables: the named ones, then those that serve one field only.
pub(super) fn tables() -> Vec<&'static ValueTable> {
    let mut tables: Vec<&'static ValueTable> = protocol::value_tables().to_vec();
    let fixed = protocol::messages()
        .iter()
        .flat_map(|m| fixed_fields(m))
        .filter_map(|f| f.table);
    let floating = protocol::floating_fields().iter().filter_map(|f| f.table);
    for table in fixed.chain(floating) {
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

/// Whether a table has a name of its own.
pub(super) fn is_named(table: &'static ValueTable) -> bool {
    protocol::value_tables().contains(&table)
}

/// The messages that may carry a floating field.
pub(super) fn floating_topic(field: &'static FloatingField, version: Option<u8>) -> FloatingTopic {
    let messages = protocol::messages()
        .iter()
        .filter_map(|m| m.floating(field.tag).map(|use_| (*m, use_)))
        .filter(|(_, use_)| version.is_none_or(|v| use_.exists_at(v)))
        .collect();
    FloatingTopic {
        field,
        messages,
        version,
    }
}

/// All fixed fields with a name, whatever the case of its letters.
pub(super) fn fixed_topic(name: &str, version: Option<u8>) -> Option<FixedTopic> {
    let uses: Vec<FixedUse> = protocol::messages()
        .iter()
        .filter_map(|message| {
            let here = message.layout(version.unwrap_or(NEWEST));
            let here = here.map_or(&[][..], |l| l.fixed).iter();
            let mut fields = here.chain(fixed_fields(message));
            let field = fields.find(|f| f.name.eq_ignore_ascii_case(name))?;
            Some(FixedUse { message, field })
        })
        .collect();
    let name = uses.first()?.field.name;
    Some(FixedTopic {
        name,
        uses,
        version,
    })
}

/// The fields that take their values from a table, floating ones last.
pub(super) fn table_uses(table: &ValueTable) -> Vec<TableUse> {
    let mut uses: Vec<TableUse> = Vec::new();
    for message in protocol::messages() {
        for field in fixed_fields(message)
            .iter()
            .filter(|f| f.table == Some(table))
        {
            match uses.iter_mut().find(|u| u.field == field.name) {
                Some(known) => known.messages.push(message.name),
                None => uses.push(TableUse {
                    field: field.name,
                    tag: None,
                    messages: vec![message.name],
                }),
            }
        }
    }
    for field in protocol::floating_fields()
        .iter()
        .filter(|f| f.table == Some(table))
    {
        uses.push(TableUse {
            field: field.name,
            tag: Some(field.tag),
            messages: floating_topic(field, None)
                .messages
                .iter()
                .map(|(m, _)| m.name)
                .collect(),
        });
    }
    uses
}

/// A value of a table by its number; for a mask the bits of the number. `None` when the table names none of it.
pub(super) fn value_topic(table: &'static ValueTable, number: u32) -> Option<ValueTopic> {
    let (values, unknown_bits): (Vec<&'static Value>, u32) = match table.kind {
        TableKind::Enum => (table.get(number).into_iter().collect(), 0),
        TableKind::Mask => match table.get(number) {
            Some(bit) => (vec![bit], 0),
            None => (table.bits(number).collect(), table.unknown_bits(number)),
        },
    };
    (!values.is_empty()).then(|| ValueTopic {
        table,
        number,
        values,
        unknown_bits,
        uses: table_uses(table),
    })
}

/// A special value with the names of its fields.
pub(super) fn special_topic(special: &'static Special) -> SpecialTopic {
    let mut fields: Vec<&'static str> = Vec::new();
    for message in protocol::messages() {
        let fixed = fixed_fields(message)
            .into_iter()
            .map(|f| (f.name, f.special));
        let floating = message.floating.iter().map(|f| (f.name, f.special));
        for (name, value) in fixed.chain(floating) {
            if value == Some(special) && !fields.contains(&name) {
                fields.push(name);
            }
        }
    }
    fields.sort_unstable();
    SpecialTopic { special, fields }
}

/// A data type with the floating fields of it.
pub(super) fn type_topic(wire: WireType) -> TypeTopic {
    let summary = TYPES
        .iter()
        .find(|(t, _)| *t == wire)
        .map_or("", |(_, s)| *s);
    let mut floating: Vec<&'static FloatingField> = protocol::floating_fields()
        .iter()
        .copied()
        .filter(|f| f.wire == Some(wire))
        .collect();
    floating.sort_by_key(|f| f.tag);
    TypeTopic {
        wire,
        summary,
        floating,
    }
}

/// A protocol version, when the tables know it.
pub(super) fn version_topic(number: u32) -> Option<VersionTopic> {
    protocol::version(protocol::ProtocolVersion(number)).map(|info| VersionTopic { info })
}

/// All services with their messages.
pub(super) fn services() -> Vec<ServiceTopic> {
    let mut services: Vec<ServiceTopic> = Vec::new();
    for message in protocol::messages() {
        let name = if message.published {
            message.service
        } else {
            UNPUBLISHED
        };
        match services.iter_mut().find(|s| s.service == name) {
            Some(service) => service.messages.push(message),
            None => services.push(ServiceTopic {
                service: name,
                messages: vec![message],
            }),
        }
    }
    services.sort_by_key(|s| s.service == UNPUBLISHED);
    services
}

/// All that can be asked for.
pub(super) fn overview() -> Overview {
    Overview {
        services: services(),
        tables: protocol::value_tables().to_vec(),
        specials: protocol::specials()
            .iter()
            .copied()
            .filter(|s| s.name.is_some())
            .collect(),
        types: TYPES.iter().map(|(wire, _)| type_topic(*wire)).collect(),
        versions: protocol::versions(),
    }
}
