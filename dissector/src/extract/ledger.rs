//! What was selected, summed up: two readings agree when their sums do.
//!
//! Sums are kept for each connection and, of that, for stretches of time, so that it is known where two readings differ: one
//! for each message while there are few, one for some dozens when there are many.

use super::{Flow, flow};
use crate::correlate::{Exchange, OutcomeKind, Part};
use crate::limits;
use crate::protocol::Kind;
use crate::record::{Direction, MessageInfo};
use crate::session::VersionSource;
use crate::time::Timestamp;
use foldhash::quality::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::time::Duration;

/// Makes the sums of one reading. Copies make the same sums of the same messages.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    hasher: RandomState,
    /// Connections of the sessions under way of which something was selected.
    sessions: HashMap<u32, Flow>,
    /// Numbers of the latest requests that were selected.
    asked: BTreeSet<u64>,
}

/// Something that was selected: its connection, its time, and a number that stands for all that must be the same.
pub(super) struct Entry {
    pub flow: Flow,
    pub time: Timestamp,
    pub mark: u64,
}

impl Ledger {
    /// The same for another reading, of which nothing was seen yet.
    pub(super) fn again(&self) -> Self {
        Self {
            hasher: self.hasher.clone(),
            ..Self::default()
        }
    }

    /// A message that was selected: its bytes, how they are read, which way it went, and what it answers.
    pub(super) fn message(&mut self, info: &MessageInfo, bytes: &[u8]) -> Entry {
        let flow = flow(info.peers.client, info.peers.server);
        self.sessions.insert(info.peers.session, flow);
        if info.message.is_some_and(|m| m.kind == Kind::Request) {
            self.asked.insert(info.no);
            if self.asked.len() > limits::MAX_OPEN_REQUESTS {
                self.asked.pop_first();
            }
        }
        let mut hasher = self.hasher.build_hasher();
        (info.time, info.peers.client, info.peers.server).hash(&mut hasher);
        (info.direction == Direction::ClientToServer).hash(&mut hasher);
        (info.version.0, info.number.0, info.message.map(|m| m.name)).hash(&mut hasher);
        info.version_source.name().hash(&mut hasher);
        if let VersionSource::Inferred { oldest, newest } = info.version_source {
            (oldest, newest).hash(&mut hasher);
        }
        bytes.hash(&mut hasher);
        if let Some(answer) = info.answers {
            (place(answer.request), answer.kind).hash(&mut hasher);
        }
        Entry {
            flow,
            time: info.time,
            mark: hasher.finish(),
        }
    }

    /// The answer to a request that was selected. Whether one without answer could expect any is told by what else there is.
    pub(super) fn exchange(&self, exchange: &Exchange) -> Option<Entry> {
        let (request, answer) = (exchange.request?, exchange.outcome.answer?);
        if !self.asked.contains(&request.no) {
            return None;
        }
        let flow = *self.sessions.get(&exchange.session)?;
        let kind: OutcomeKind = exchange.outcome.kind;
        Some(Entry {
            flow,
            time: request.time,
            mark: self.hasher.hash_one((place(request), place(answer), kind)),
        })
    }

    /// A session is over.
    pub(super) fn ended(&mut self, session: u32) {
        self.sessions.remove(&session);
    }
}

/// What tells a message from others, however they are numbered.
const fn place(part: Part) -> (u32, Timestamp) {
    (part.number.0, part.time)
}

/// Messages in a stretch, more or less, when there are many stretches.
const STRETCH: u32 = 64;

/// Stretches of a connection that have a single message each.
const SINGLE: usize = 1024;

/// How far the packets of a message may be from the stretch that it belongs to.
const SLACK: Duration = Duration::from_secs(1);

/// The sums of one connection: stretches in order of time.
#[derive(Default, Clone)]
pub(super) struct Sums(Vec<Stretch>);

#[derive(Clone)]
struct Stretch {
    from: Timestamp,
    to: Timestamp,
    entries: u32,
    sum: u64,
    /// How much more than usual is kept around its messages.
    level: u8,
}

impl Sums {
    /// Whether nothing was selected.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts something in.
    pub(super) fn add(&mut self, entry: &Entry) {
        let Entry { time, mark, .. } = *entry;
        let behind = self.behind(time);
        let is_last = behind == self.0.len();
        let most = if behind < SINGLE { 1 } else { STRETCH };
        let found = behind.checked_sub(1).and_then(|at| self.0.get_mut(at));
        match found {
            Some(stretch) if !is_last || stretch.entries < most || time <= stretch.to => {
                stretch.to = stretch.to.max(time);
                stretch.entries = stretch.entries.wrapping_add(1);
                stretch.sum = stretch.sum.wrapping_add(mark);
            }
            _ => self.0.insert(
                behind,
                Stretch {
                    from: time,
                    to: time,
                    entries: 1,
                    sum: mark,
                    level: 0,
                },
            ),
        }
    }

    /// Takes something out that another reading found.
    pub(super) fn take(&mut self, entry: &Entry) {
        let at = self.behind(entry.time).saturating_sub(1);
        if let Some(stretch) = self.0.get_mut(at) {
            stretch.entries = stretch.entries.wrapping_sub(1);
            stretch.sum = stretch.sum.wrapping_sub(entry.mark);
        }
    }

    /// Number of stretches that begin at a time or before.
    fn behind(&self, time: Timestamp) -> usize {
        self.0.partition_point(|stretch| stretch.from <= time)
    }

    /// Whether all that was counted in was taken out again, and nothing else.
    pub(super) fn is_balanced(&self) -> bool {
        self.0.iter().all(Stretch::is_balanced)
    }

    /// Raises the level of each stretch that is not balanced in `rest`. False when one is as high as it may be.
    pub(super) fn raise(&mut self, rest: &Self, highest: u8) -> bool {
        let mut raised = true;
        for (stretch, rest) in self.0.iter_mut().zip(&rest.0) {
            if !rest.is_balanced() {
                raised &= stretch.level < highest;
                stretch.level = stretch.level.saturating_add(1).min(highest);
            }
        }
        raised
    }

    /// The level at a time.
    pub(super) fn level(&self, time: Timestamp) -> u8 {
        /// Stretches hardly overlap.
        const NEAR: usize = 3;
        let near = self.0.get(..self.behind(time.after(SLACK))).unwrap_or(&[]);
        let touched = near.iter().rev().take(NEAR);
        let touched = touched.filter(|stretch| stretch.to.after(SLACK) >= time);
        touched.map(|stretch| stretch.level).max().unwrap_or(0)
    }

    /// The highest level.
    pub(super) fn highest(&self) -> u8 {
        self.0.iter().map(|s| s.level).max().unwrap_or(0)
    }
}

impl Stretch {
    const fn is_balanced(&self) -> bool {
        self.entries == 0 && self.sum == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seconds: i64, mark: u64) -> Entry {
        let end = ([10, 0, 0, 5], 42027).into();
        Entry {
            flow: (end, end),
            time: Timestamp::from_seconds(seconds),
            mark,
        }
    }

    #[test]
    fn what_is_taken_out_in_another_order_balances() {
        let mut sums = Sums::default();
        // Some come late, one before all others.
        let entries: Vec<Entry> = (0..5000_u64)
            .map(|n| {
                let seconds = i64::try_from(if n % 10 == 9 { n - 9 } else { n }).unwrap();
                entry(if n == 500 { -5 } else { seconds }, n * n + 7)
            })
            .collect();
        for entry in &entries {
            sums.add(entry);
        }
        assert!((1025..1200).contains(&sums.0.len()), "{}", sums.0.len());
        let mut rest = sums.clone();
        for entry in entries.iter().rev() {
            rest.take(entry);
        }
        assert!(rest.is_balanced());
    }

    #[test]
    fn a_difference_raises_its_stretch_only() {
        let mut sums = Sums::default();
        let mut rest = Sums::default();
        for second in 0..1000 {
            sums.add(&entry(second, 3));
            rest.add(&entry(second, 3));
        }
        for second in 0..1000 {
            rest.take(&entry(second, if second == 500 { 4 } else { 3 }));
        }
        assert!(!rest.is_balanced());
        assert!(sums.raise(&rest, 1));
        let raised = |second| sums.level(Timestamp::from_seconds(second));
        assert_eq!([raised(0), raised(500), raised(999)], [0, 1, 0]);
        assert_eq!(sums.highest(), 1);
        assert!(!sums.raise(&rest, 1));
    }
}
