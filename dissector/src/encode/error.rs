//! Why a message could not be encoded.

use thiserror::Error;

/// What stands in the way of encoding a message. Each names the message, and the field where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// No table knows a message of this name.
    #[error("unknown message {0}")]
    UnknownMessage(String),
    /// The message came with a later version.
    #[error("{message} does not exist in protocol version {version}; it came with version {since}")]
    MessageNotInVersion {
        /// Name of the message.
        message: &'static str,
        /// The version asked for.
        version: u32,
        /// The first version with it.
        since: u8,
    },
    /// The message has no such field in any version.
    #[error("{message} has no field {field}")]
    UnknownField {
        /// Name of the message.
        message: &'static str,
        /// The name that was given.
        field: String,
    },
    /// The message has the field in other versions only.
    #[error("{message} has no field {field} in protocol version {version}")]
    FieldNotInVersion {
        /// Name of the message.
        message: &'static str,
        /// Name of the field.
        field: &'static str,
        /// The version asked for.
        version: u32,
    },
    /// A field of the fixed part was given twice.
    #[error("{message}: field {field} given twice")]
    GivenTwice {
        /// Name of the message.
        message: &'static str,
        /// Name of the field.
        field: &'static str,
    },
    /// A field without which the message makes no sense was not given.
    #[error("{message}: field {field} must be given")]
    Missing {
        /// Name of the message.
        message: &'static str,
        /// Name of the field.
        field: &'static str,
    },
    /// The value is of the wrong kind for the field's type.
    #[error("{message}: field {field} of type {wire} cannot hold {value}")]
    WrongKind {
        /// Name of the message.
        message: &'static str,
        /// Name of the field.
        field: &'static str,
        /// The specification's name of the type.
        wire: &'static str,
        /// What was given.
        value: &'static str,
    },
    /// The number is too large or too small for the field's type.
    #[error("{message}: {number} does not fit into field {field} of type {wire}")]
    OutOfRange {
        /// Name of the message.
        message: &'static str,
        /// Name of the field.
        field: &'static str,
        /// The specification's name of the type.
        wire: &'static str,
        /// What was given.
        number: i64,
    },
    /// The word is neither a number nor a name that the field's table knows.
    #[error("{message}: field {field} has no value {word}")]
    UnknownValue {
        /// Name of the message.
        message: &'static str,
        /// Name of the field.
        field: &'static str,
        /// What was given.
        word: String,
    },
    /// Text with a zero byte in it cannot be told from a shorter text.
    #[error("{message}: text of field {field} contains a zero byte")]
    ZeroInText {
        /// Name of the message.
        message: &'static str,
        /// Name of the field.
        field: &'static str,
    },
    /// The data is longer than the field, or the width of its length, allows.
    #[error("{message}: field {field} would take {length} bytes, {limit} are allowed")]
    TooLong {
        /// Name of the message.
        message: &'static str,
        /// Name of the field, or its tag.
        field: String,
        /// Bytes of data, terminating zero included.
        length: usize,
        /// Largest length.
        limit: usize,
    },
    /// The tag does not fit into the 1-byte tag of this version.
    #[error("{message}: tag {tag} does not fit into the 1-byte tags of protocol version {version}")]
    TagTooLarge {
        /// Name of the message.
        message: &'static str,
        /// The tag.
        tag: u16,
        /// The version asked for.
        version: u32,
    },
}
