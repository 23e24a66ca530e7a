//! The protocol version of a session: stated, forced, or inferred from how its messages can be read.

use crate::decode::{Decoder, VERSIONS, is_whole};
use crate::limits;
use crate::protocol::{self, Message, NEWEST, OLDEST, ProtocolVersion};

/// How a session's version is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VersionSource {
    /// OPEN_REQ states it.
    Stated,
    /// The user forced it.
    Forced,
    /// Inferred from the messages; these versions cannot be told apart.
    Inferred {
        /// The oldest of them.
        oldest: u8,
        /// The newest of them.
        newest: u8,
    },
    /// The messages do not tell; the newest is assumed.
    Undecided,
}

impl VersionSource {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stated => "open_req",
            Self::Forced => "forced",
            Self::Inferred { .. } => "inferred",
            Self::Undecided => "undecided",
        }
    }
}

/// What speaks for and against each version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// What speaks against each version, from the oldest.
    against: [u32; VERSIONS],
    /// Messages that were weighed.
    messages: u32,
    /// Messages that told versions apart.
    telling: u32,
}

/// Messages of a session after which its version is not inferred any further.
pub(crate) const WEIGHED_MESSAGES: u32 = 4 * limits::MAX_INFERENCE_MESSAGES;

/// Telling messages that are enough to decide.
const ENOUGH: u32 = 10;

/// What a message says against a version by which it cannot be read.
const MISFIT: u32 = 4;

/// What a message says against a version by which it can be read, but not as well as by another.
const WORSE: u32 = 1;

impl Evidence {
    /// Weighs a message by its type.
    pub(crate) fn add(
        &mut self,
        decoder: &mut Decoder,
        bytes: &[u8],
        number: protocol::MessageType,
    ) {
        self.messages = self.messages.saturating_add(1);
        if !is_whole(bytes) {
            return;
        }
        let Some(weights) = weigh(decoder, bytes, number) else {
            return;
        };
        let best = weights.iter().flatten().max().copied();
        let Some(best) = best.filter(|best| weights.iter().any(|w| *w != Some(*best))) else {
            return;
        };
        self.telling = self.telling.saturating_add(1);
        for (against, weight) in self.against.iter_mut().zip(weights) {
            let more = match weight {
                None => MISFIT,
                Some(weight) if weight < best => WORSE,
                Some(_) => 0,
            };
            *against = against.saturating_add(more);
        }
    }

    /// Whether enough was weighed to go by it.
    pub(crate) fn is_enough(&self) -> bool {
        self.telling >= ENOUGH || (self.telling > 0 && self.best().0 == self.best().1)
    }

    pub(crate) const fn messages(&self) -> u32 {
        self.messages
    }

    /// The version to use, and how sure it is.
    pub(crate) fn verdict(&self) -> (ProtocolVersion, VersionSource) {
        let (oldest, newest) = self.best();
        let source = if self.telling == 0 {
            VersionSource::Undecided
        } else {
            VersionSource::Inferred { oldest, newest }
        };
        (ProtocolVersion(newest.into()), source)
    }

    /// Oldest and newest of the versions that least speaks against.
    fn best(&self) -> (u8, u8) {
        let least = self.against.iter().min().copied().unwrap_or(0);
        let mut best = (OLDEST..=NEWEST)
            .zip(self.against)
            .filter(|(_, against)| *against == least)
            .map(|(v, _)| v);
        let oldest = best.next().unwrap_or(OLDEST);
        (oldest, best.next_back().unwrap_or(oldest))
    }
}

/// How well a message can be read by each version; `None` where that says nothing.
fn weigh(
    decoder: &mut Decoder,
    bytes: &[u8],
    number: protocol::MessageType,
) -> Option<[Option<usize>; VERSIONS]> {
    let usual = protocol::message(number);
    let mut weights = match usual {
        Some(message) if message.published => decoder.weigh(bytes, message).0,
        Some(_) => return None,
        None => [None; VERSIONS],
    };
    let mut ambiguous = false;
    for (other, alternative) in protocol::alternatives(number) {
        ambiguous = true;
        let others = match other.published {
            true => decoder.weigh(bytes, other).0,
            // It cannot be checked, so it may be there.
            false => [Some(0); VERSIONS],
        };
        for ((weight, other), version) in weights.iter_mut().zip(others).zip(OLDEST..=NEWEST) {
            if alternative.until.is_none_or(|until| version <= until) {
                *weight = (*weight).max(other);
            }
        }
    }
    if ambiguous {
        // Which of the messages it is matters more than how well it reads.
        weights = weights.map(|weight| weight.map(|_| 0));
    }
    Some(weights)
}

/// The message that a type stands for, where servers number some messages in two ways: by who sends it and by what fits.
/// `renumbered` is what the session has shown before; the second result is what this message shows.
pub(crate) fn resolve(
    decoder: &mut Decoder,
    bytes: &[u8],
    number: protocol::MessageType,
    from: protocol::Sender,
    version: Option<ProtocolVersion>,
    renumbered: Option<bool>,
) -> (Option<&'static Message>, Option<bool>) {
    let usual = protocol::message(number);
    let known = version.map(ProtocolVersion::known);
    let mut other = protocol::alternatives(number)
        .filter(|(_, a)| match (a.until, known) {
            (Some(until), Some(known)) => known <= until,
            _ => true,
        })
        .map(|(m, _)| m);
    let Some(other) = other.next() else {
        return (usual, None);
    };
    let Some(usual) = usual else {
        return (Some(other), Some(true));
    };
    let sent = |m: &Message| m.sender == protocol::Sender::Either || m.sender == from;
    let mut fits = |m: &'static Message| {
        m.published
            && match version {
                Some(version) => decoder.is_exact(bytes, version, m),
                None => decoder.weigh(bytes, m).0.iter().any(Option::is_some),
            }
    };
    match (sent(usual), sent(other)) {
        (true, false) => (Some(usual), Some(false)),
        (false, true) => (Some(other), Some(true)),
        _ => match (fits(usual), fits(other)) {
            (true, false) => (Some(usual), Some(false)),
            (false, true) => (Some(other), Some(true)),
            // An unpublished message cannot be checked; it is believed when the usual one does not fit.
            (false, false) if !other.published => (Some(other), Some(true)),
            _ => (
                Some(if renumbered == Some(true) {
                    other
                } else {
                    usual
                }),
                None,
            ),
        },
    }
}
