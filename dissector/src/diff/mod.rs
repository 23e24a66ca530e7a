//! Compares two runs of the same thing: conversations, not bytes. What no run repeats, times, ports, and the names that a run gives to calls,
//! requests and monitors, is recognised by the protocol's tables ([`crate::protocol::comparison`]); of names only it is compared whether they
//! stand for the same things throughout.
//!
//! Both sides are read by a [`Collector`] each, an [`Analysis`](crate::analysis::Analysis) like others. [`compare`] matches their sessions,
//! aligns the messages of each pair, finds out which thing is which, and judges what is left.
//!
//! It knows nothing of output.

mod align;
mod both;
mod compare;
mod latency;
mod lexicon;
mod naming;
mod profile;
mod reorder;
mod rules;
mod sessions;
mod side;
mod summary;
mod tally;
mod things;
mod unknown;
mod view;

pub use compare::{Comparison, Edit, Pair, compare};
pub use latency::Slower;
pub use profile::{Amount, Factor, Profile, ProfileError};
pub use rules::{FieldPattern, LatencyRules, Rules, Tolerance};
pub use sessions::SessionChange;
pub use side::Collector;
pub use summary::{Amounts, FieldCount, LoneCalls, NewFailure, Summary, WasAndIs};
pub use unknown::UnknownPattern;
pub use view::{FieldChange, Line, Part, Place, SessionView};

use lexicon::Lexicon;

/// The collector for the old side, which is read first.
#[must_use]
pub fn old_side(rules: Rules) -> Collector {
    Collector::new(Lexicon::new(rules), 0)
}

/// The old side, read.
#[derive(Debug)]
pub struct OldSide {
    side: side::Side,
}

impl OldSide {
    /// The old side, and the collector for the new one.
    #[must_use]
    pub fn then(old: Collector) -> (Self, Collector) {
        let size = old.size();
        let (lexicon, side) = old.finish();
        (Self { side }, Collector::new(lexicon, size))
    }

    /// How many messages it has.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.side.messages
    }
}
