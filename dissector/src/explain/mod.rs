//! The protocol as a reference: what stands behind a name or a number.
//!
//! [`find`] turns words into [`Topic`]s; [`text()`] and [`json()`] show the same topics to people and to programs. Only what
//! the tables say is shown; nothing is guessed.

mod index;
mod json;
mod page;
mod query;
pub(crate) mod suggest;
mod text;
mod topic;

pub use json::json;
pub use page::{Plain, Role, Style};
pub use query::{Answer, Missing, find, parse_number};
pub use suggest::similar_messages;
pub use text::text;
pub use topic::{
    FixedTopic, FixedUse, FloatingTopic, MessageTopic, NumberHit, NumberTopic, Overview,
    ServiceTopic, SpecialTopic, TableTopic, TableUse, Topic, TypeTopic, ValueTopic, VersionTopic,
};
