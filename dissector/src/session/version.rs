//! The protocol version of a session: stated, forced, or inferred from how its messages can be read.

use crate::decode::Decoder;
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

const VERSIONS: usize = 21;

/// What speaks for and against each version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// Messages that do not fit, per version from the oldest.
    misfits: [u32; VERSIONS],
    /// Messages that were weighed.
    messages: u32,
    /// Messages that told versions apart.
    telling: u32,
}

/// Telling messages that are enough to decide.
const ENOUGH: u32 = 10;

impl Evidence {
    /// Weighs a message.
    pub(crate) fn add(
        &mut self,
        decoder: &mut Decoder,
        bytes: &[u8],
        message: Option<&'static Message>,
    ) {
        self.messages = self.messages.saturating_add(1);
        let Some(message) = message.filter(|m| m.published) else {
            return;
        };
        let mut fits = [false; VERSIONS];
        for (fit, version) in fits.iter_mut().zip(OLDEST..=NEWEST) {
            *fit = decoder.fits_version(bytes, ProtocolVersion(version.into()), message);
        }
        let fitting = fits.iter().filter(|f| **f).count();
        if fitting == 0 || fitting == VERSIONS {
            return;
        }
        self.telling = self.telling.saturating_add(1);
        for (misfits, fit) in self.misfits.iter_mut().zip(fits) {
            *misfits = misfits.saturating_add(u32::from(!fit));
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

    /// Oldest and newest of the versions with the fewest misfits.
    fn best(&self) -> (u8, u8) {
        let fewest = self.misfits.iter().min().copied().unwrap_or(0);
        let mut best = (OLDEST..=NEWEST)
            .zip(self.misfits)
            .filter(|(_, m)| *m == fewest)
            .map(|(v, _)| v);
        let oldest = best.next().unwrap_or(OLDEST);
        (oldest, best.next_back().unwrap_or(oldest))
    }
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
            (Some(_), None) => false,
            (None, _) => true,
        })
        .map(|(m, _)| m);
    let Some(other) = other.next() else {
        return (usual, None);
    };
    let Some(usual) = usual else {
        return (Some(other), Some(true));
    };
    let sent = |m: &Message| m.sender == protocol::Sender::Either || m.sender == from;
    let version = version.unwrap_or(ProtocolVersion(NEWEST.into()));
    let mut fits = |m: &'static Message| m.published && decoder.is_exact(bytes, version, m);
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
