//! Messages with generated values, made from the tables: every fixed field, floating fields in any order, lists, records.
//! The same seed gives the same message.
#![allow(dead_code)] // Each test program uses its own part.

mod decoded;
mod lifelike;
mod maker;
mod random;

#[allow(unused_imports, reason = "shared by tests that need parts of it")]
pub use decoded::{Generated, Plain, assert_tiles, fixed_of};
pub use random::Random;

use cti_dissector::encode::Draft;
use cti_dissector::protocol::{self, Message, NEWEST, OLDEST, ProtocolVersion};
use maker::Maker;

/// Every published message.
pub fn published() -> impl Iterator<Item = &'static Message> {
    protocol::messages().iter().copied().filter(|m| m.published)
}

/// The versions that have a message.
pub fn versions(message: &Message) -> impl Iterator<Item = ProtocolVersion> + use<> {
    (message.since.unwrap_or(OLDEST)..=NEWEST).map(|v| ProtocolVersion(v.into()))
}

/// What a generated message shall be like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// Fixed fields with these values.
    pub fixed: &'a [(&'a str, i64)],
    /// Values that a real message could have: no unknown values, no odd texts.
    pub usual: bool,
    /// Values as a busy site has them, instead of any: see [`lifelike`].
    pub lifelike: bool,
    /// Most entries of each list; 0 for the usual few.
    pub entries: usize,
    /// What texts and opaque fields contain now and then, as far as there is room.
    pub smuggled: &'a [u8],
}

/// A message with values by the seed.
pub fn message(
    message: &'static Message,
    version: ProtocolVersion,
    random: &mut Random,
    wish: Wish<'_>,
) -> Generated {
    // A layout that is chosen by its values needs values that make sense.
    let by_values = message.variants.iter().any(|v| v.by_values);
    let usual = wish.usual || wish.lifelike || by_values;
    let mut maker = Maker {
        message,
        version,
        random,
        usual,
        wish,
        draft: Draft::of(message, version).unwrap(),
        floating: Vec::new(),
        groups: 0,
    };
    maker.floating_part();
    let fixed = maker.fixed_part(wish.fixed);
    Generated {
        message,
        version,
        bytes: maker.draft.encode().unwrap(),
        fixed,
        floating: maker.floating,
    }
}
