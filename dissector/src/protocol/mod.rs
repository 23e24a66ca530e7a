//! What is known of the protocol: static tables and look-up by number and name. Knows nothing of bytes.

mod advice;
mod comparison;
mod field;
mod message;
pub mod privacy;
pub mod roles;
mod tables;
mod value;
mod version;

pub use advice::{
    PeripheralError, Reason, hint_for_control_failure, hint_for_status, peripheral_error,
    peripheral_errors, reason, reason_on, reasons,
};
pub use comparison::{About, Comparison, IdentityClass, OrderLine, Scope};
pub use field::{FixedField, FloatingField, FloatingUse, WireType};
pub use message::{
    Alternative, Failure, Kind, Layout, List, Message, MessageType, Place, Sender, Shown, Variant,
};
pub use value::{Special, TableKind, Value, ValueTable};
pub use version::{FloatingHeader, NEWEST, OLDEST, ProtocolVersion, VersionInfo};

/// The numbers of all published messages by their names, for analyses that mean certain ones.
pub use tables::types;

/// All messages, published and not, by number.
#[must_use]
pub fn messages() -> &'static [&'static Message] {
    tables::MESSAGES
}

/// All floating fields, in the order of the tag table.
#[must_use]
pub fn floating_fields() -> &'static [&'static FloatingField] {
    tables::FLOATING
}

/// All named value tables, by name.
#[must_use]
pub fn value_tables() -> &'static [&'static ValueTable] {
    tables::TABLES
}

/// All values with a meaning of their own.
#[must_use]
pub fn specials() -> &'static [&'static Special] {
    tables::SPECIALS
}

/// What differs from run to run though the conversation is the same, and what order of messages means something.
#[must_use]
pub fn comparison() -> &'static Comparison {
    &tables::COMPARISON
}

/// All protocol versions that the tables know, oldest first.
#[must_use]
pub fn versions() -> &'static [VersionInfo] {
    tables::VERSIONS
}

/// The message with this number in the usual numbering; `None` for a type that no table knows.
#[must_use]
pub fn message(number: MessageType) -> Option<&'static Message> {
    let index = usize::try_from(number.0).ok()?;
    *tables::MESSAGE_BY_NUMBER.get(index)?
}

/// The message with this name, whatever the case of its letters.
#[must_use]
pub fn message_by_name(name: &str) -> Option<&'static Message> {
    tables::MESSAGES
        .iter()
        .copied()
        .find(|m| m.name.eq_ignore_ascii_case(name))
}

/// Messages that may travel under this number besides the usual one.
pub fn alternatives(
    number: MessageType,
) -> impl Iterator<Item = (&'static Message, &'static Alternative)> {
    tables::RENUMBERED.iter().copied().filter_map(move |m| {
        m.alternative
            .as_ref()
            .filter(|a| a.number == number)
            .map(|a| (m, a))
    })
}

/// The floating field with this tag.
#[must_use]
pub fn floating(tag: u16) -> Option<&'static FloatingField> {
    *tables::FLOATING_BY_TAG.get(usize::from(tag))?
}

/// The value table with this name.
#[must_use]
pub fn value_table(name: &str) -> Option<&'static ValueTable> {
    tables::TABLES.iter().copied().find(|t| t.name == name)
}

/// What is known of a protocol version.
#[must_use]
pub fn version(number: ProtocolVersion) -> Option<&'static VersionInfo> {
    tables::VERSIONS
        .iter()
        .find(|v| u32::from(v.number) == number.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_protocol_data_is_lost() {
        let published = messages().iter().filter(|m| m.published).count();
        assert_eq!(published, 163);
        assert_eq!(messages().len() - published, 80);
        assert_eq!(floating_fields().len(), 244);
        assert_eq!(value_tables().len(), 54);
        assert_eq!(
            value_tables().iter().map(|t| t.values.len()).sum::<usize>(),
            812
        );
        let layouts = messages()
            .iter()
            .filter(|m| m.published)
            .filter_map(|m| m.layout(NEWEST));
        assert_eq!(layouts.map(|l| l.fixed.len()).sum::<usize>(), 1021);
        let floating: usize = messages()
            .iter()
            .map(|m| m.floating.len() + m.untagged.len())
            .sum();
        assert_eq!(floating, 766);
        assert_eq!(versions().len(), 21);
    }

    #[test]
    fn layouts_follow_the_version() {
        let open_conf = message_by_name("open_conf").unwrap();
        let size = |v| open_conf.layout(v).unwrap().size;
        assert_eq!(
            (size(5), size(6), size(18), size(19), size(24)),
            (22, 26, 26, 30, 32)
        );
    }

    #[test]
    fn a_number_may_have_two_meanings() {
        let under_268: Vec<&str> = alternatives(MessageType(268))
            .map(|(m, _)| m.name)
            .collect();
        assert_eq!(under_268, ["START_NETWORK_RECORDING_CONF"]);
        assert_eq!(
            message(MessageType(268)).unwrap().name,
            "START_NETWORK_RECORDING_REQ"
        );
    }
}
