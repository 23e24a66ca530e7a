//! The shape of what is known about comparing two runs.

use super::{MessageType, WireType};

/// What differs from run to run though the conversation is the same, and what order of messages means something.
#[derive(Debug)]
pub struct Comparison {
    /// Types of fields whose values no run repeats.
    pub varying_types: &'static [WireType],
    /// Fields whose values no run repeats.
    pub varying: &'static [&'static str],
    /// Fields that name agents and their devices.
    pub agents: &'static [&'static str],
    /// Names that a run gives to things.
    pub identities: &'static [IdentityClass],
    /// Messages whose order means something.
    pub lines: &'static [OrderLine],
}

/// Fields that name things of one kind, by names that each run gives anew.
#[derive(Debug)]
pub struct IdentityClass {
    /// What output calls such a thing.
    pub name: &'static str,
    /// Where a name stands for one thing.
    pub scope: Scope,
    /// The fields.
    pub fields: &'static [&'static str],
    /// Another field of the same message: a name stands for one thing only as long as this has the same value.
    pub within: Option<&'static str>,
    /// The message and its field with which a name begins to stand for a new thing.
    pub begins: Option<(MessageType, &'static str)>,
    /// The message and its field with which it ceases to.
    pub ends: Option<(MessageType, &'static str)>,
    /// A value that names nothing, besides the NULL value.
    pub nothing: Option<u32>,
}

/// Where a name stands for one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In all sessions of a run.
    Run,
    /// In one session.
    Session,
    /// In a request and what answers it.
    Exchange,
}

/// Messages that must not change places when they are about the same thing.
#[derive(Debug)]
pub struct OrderLine {
    /// A word for it.
    pub name: &'static str,
    /// What two messages must share.
    pub about: About,
    /// The messages.
    pub messages: &'static [MessageType],
}

/// What two messages must share for their order to mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Nothing: the order always does.
    Everything,
    /// A thing of this class of identities.
    Identity(&'static str),
    /// The values of these fields.
    Fields(&'static [&'static str]),
}
