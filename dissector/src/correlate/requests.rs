//! The remembered requests of a session, and which of them an answer may find.

use super::Part;
use crate::record::Direction;
use crate::sequencer::Place;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// A request as it is remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub part: Part,
    pub place: Place,
    /// Number of its TCP connection.
    pub connection: u32,
    /// No answer is due (CTI_SERVICE_IGNORE_CONF).
    pub ignorable: bool,
    pub state: State,
}

/// What a remembered request has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// No answer yet.
    Waiting,
    /// A first confirmation came and said that more follow.
    Continued,
    /// The reply wait has passed; kept a while to recognise a late answer.
    Expired,
}

/// What ties answers to a request: who asks, and the InvokeID.
pub(super) type Key = (Direction, u32);

/// What finds a request: first what ties answers to it, then what it has come to and what may answer it, then its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tie {
    key: Key,
    state: State,
    /// Type of the message that it asks for.
    reply: Option<u32>,
    no: u64,
}

impl Tie {
    fn of(key: Key, open: &Open) -> Self {
        Self {
            key,
            state: open.state,
            reply: open.part.message.and_then(|m| m.reply).map(|r| r.0),
            no: open.part.no,
        }
    }
}

/// Requests by their ties. Thousands may have the same InvokeID; none of them is looked at for the sake of another one.
#[derive(Debug, Default)]
struct Ties(BTreeSet<Tie>);

impl Ties {
    /// The oldest request, of those that ask for one type of message or, without one, of all.
    fn oldest(&self, key: Key, state: State, reply: Option<u32>) -> Option<u64> {
        let Some(reply) = reply else {
            let firsts = self.by_reply(key, state).map(|(first, _)| first.no);
            return firsts.min();
        };
        let tie = |no| Tie {
            key,
            state,
            reply: Some(reply),
            no,
        };
        let mut range = self.0.range(tie(0)..=tie(u64::MAX));
        range.next().map(|t| t.no)
    }

    /// The newest request, whatever it asks for.
    fn newest(&self, key: Key, state: State) -> Option<u64> {
        let ranges = self.by_reply(key, state);
        let lasts = ranges.filter_map(|(first, end)| self.0.range(first..=end).next_back());
        lasts.map(|t| t.no).max()
    }

    /// First request and end of the ranges in which requests of one state stand: one for each type of message that they ask
    /// for, so a few at most.
    fn by_reply(&self, key: Key, state: State) -> impl Iterator<Item = (Tie, Tie)> {
        let tie = move |reply, no| Tie {
            key,
            state,
            reply,
            no,
        };
        let end = tie(Some(u32::MAX), u64::MAX);
        let mut after = Bound::Included(tie(None, 0));
        std::iter::from_fn(move || {
            let first = *self.0.range((after, Bound::Included(end))).next()?;
            let last = tie(first.reply, u64::MAX);
            after = Bound::Excluded(last);
            Some((first, last))
        })
    }

    /// Requests older than `no` that wait no more.
    fn passed(&self, key: Key, no: u64) -> impl Iterator<Item = u64> {
        let states = [State::Continued, State::Expired].into_iter();
        states
            .flat_map(move |state| self.by_reply(key, state))
            .filter(move |(first, _)| first.no < no)
            .flat_map(move |(first, last)| self.0.range(first..Tie { no, ..last }))
            .map(|t| t.no)
    }
}

/// The remembered requests of one session.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// The last InvokeID of each asking side, client first.
    last: [Option<u32>; 2],
    /// Whether a side has gone back in its InvokeIDs, so that it may use them again.
    reuses: [bool; 2],
    /// By number of the message.
    all: BTreeMap<u64, (Key, Open)>,
    /// Those that an answer may find.
    ties: Ties,
    /// Those that no answer finds any more, since something is missing after them.
    cut: Ties,
}

impl Requests {
    pub(super) fn add(&mut self, key: Key, open: Open) {
        let (asked, invoke_id) = key;
        let side = usize::from(asked == Direction::ServerToClient);
        if let (Some(last), Some(reuses)) = (self.last.get_mut(side), self.reuses.get_mut(side)) {
            *reuses |= last.is_some_and(|last| invoke_id <= last);
            *last = Some(invoke_id);
        }
        self.all.insert(open.part.no, (key, open));
        self.ties.0.insert(Tie::of(key, &open));
    }

    pub(super) fn remove(&mut self, no: u64) -> Option<Open> {
        let (key, open) = self.all.remove(&no)?;
        let tie = Tie::of(key, &open);
        if !self.ties.0.remove(&tie) {
            self.cut.0.remove(&tie);
        }
        if self.all.is_empty() {
            // An emptied map keeps its memory, and most sessions have no request open most of the time.
            self.all = BTreeMap::new();
            self.ties = Ties::default();
            self.cut = Ties::default();
        }
        Some(open)
    }

    /// Whether an InvokeID may stand for several requests of a side.
    pub(super) fn reuses(&self, asked: Direction) -> bool {
        let side = usize::from(asked == Direction::ServerToClient);
        self.reuses.get(side).copied().unwrap_or(false)
    }

    pub(super) fn get(&self, no: u64) -> Option<&(Key, Open)> {
        self.all.get(&no)
    }

    pub(super) fn is_waiting(&self, no: u64) -> bool {
        self.get(no)
            .is_some_and(|(_, open)| open.state == State::Waiting)
    }

    pub(super) fn set(&mut self, no: u64, state: State) {
        let Some((key, open)) = self.all.get_mut(&no) else {
            return;
        };
        let tie = Tie::of(*key, open);
        open.state = state;
        for ties in [&mut self.ties, &mut self.cut] {
            if ties.0.remove(&tie) {
                ties.0.insert(Tie { state, ..tie });
            }
        }
    }

    /// The oldest request of a state that an answer may belong to, see [`Ties::oldest`]. One that is no longer `whole` is set
    /// aside for good, so that it is not looked at again.
    pub(super) fn oldest(
        &mut self,
        key: Key,
        state: State,
        reply: Option<u32>,
        whole: impl Fn(&Open) -> bool,
    ) -> Option<u64> {
        loop {
            let no = self.ties.oldest(key, state, reply)?;
            let (_, open) = self.get(no)?;
            if whole(open) {
                return Some(no);
            }
            let tie = Tie::of(key, open);
            self.ties.0.remove(&tie);
            self.cut.0.insert(tie);
        }
    }

    /// The newest request that waits.
    pub(super) fn newest(&self, key: Key) -> Option<&Open> {
        let both = [&self.ties, &self.cut];
        let newest = both.map(|ties| ties.newest(key, State::Waiting));
        let (_, open) = self.get(newest.into_iter().flatten().max()?)?;
        Some(open)
    }

    /// Forgets the requests older than `no` that wait no more.
    pub(super) fn forget_passed(&mut self, key: Key, no: u64) {
        let both = [&self.ties, &self.cut].into_iter();
        let passed: Vec<u64> = both.flat_map(|ties| ties.passed(key, no)).collect();
        for earlier in passed {
            self.remove(earlier);
        }
    }

    /// Those that still wait, oldest first.
    pub(super) fn into_waiting(self) -> impl Iterator<Item = (Key, Open)> {
        let all = self.all.into_values();
        all.filter(|(_, open)| open.state == State::Waiting)
    }

    /// Whether no memory is taken for any request.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.ties.0.is_empty() && self.cut.0.is_empty()
    }
}
