//! One call ID of a call, and who still follows it.

use super::call::CallId;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Sessions that have ended, and when.
pub(super) type Lost = BTreeMap<u32, Timestamp>;

/// What a session has said of a call ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Association {
    /// When it last said something.
    last: Timestamp,
    /// It has said END_CALL_EVENT, and no BEGIN_CALL_EVENT since.
    ended: bool,
}

/// One call ID, from its first message until it is over.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    /// Its number among all legs, which parties' connections name.
    pub number: u64,
    pub id: CallId,
    /// ANI of BEGIN_CALL_EVENT.
    pub ani: Option<String>,
    /// It was made to consult about another call, which waits meanwhile.
    pub consult: bool,
    /// BEGIN_CALL_EVENT was seen.
    pub begun: bool,
    /// CALL_CLEARED_EVENT was seen.
    pub cleared: bool,
    /// It went on under another call ID.
    pub superseded: bool,
    /// END_CALL_EVENT came because the peripheral was offline, so that the call may go on.
    pub cut_off: bool,
    /// Its ID was given to another call, so it has ended, unseen.
    pub end_missed: bool,
    pub last: Timestamp,
    sessions: BTreeMap<u32, Association>,
}

/// Sessions that a leg remembers: the protocol allows 16 clients of a call, and a few more see all events.
const MAX_SESSIONS: usize = 64;

/// What a BEGIN_CALL_EVENT for a known call ID is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Another session begins to follow the call, or the same event again.
    Same,
    /// The call is told again after it was lost from view.
    Again,
    /// The call ID was given to another call.
    Another,
}

impl Leg {
    pub fn new(number: u64, id: CallId, now: Timestamp) -> Self {
        Self {
            number,
            id,
            ani: None,
            consult: false,
            begun: false,
            cleared: false,
            superseded: false,
            cut_off: false,
            end_missed: false,
            last: now,
            sessions: BTreeMap::new(),
        }
    }

    /// A session tells something of it.
    pub fn followed_by(&mut self, session: u32, now: Timestamp) {
        if self.sessions.len() < MAX_SESSIONS || self.sessions.contains_key(&session) {
            let new = Association {
                last: now,
                ended: false,
            };
            let association = self.sessions.entry(session).or_insert(new);
            association.last = association.last.max(now);
        }
    }

    /// A session begins to follow it (again).
    pub fn begun_by(&mut self, session: u32, now: Timestamp) {
        self.followed_by(session, now);
        if let Some(association) = self.sessions.get_mut(&session) {
            association.ended = false;
        }
        (self.begun, self.superseded, self.cut_off) = (true, false, false);
    }

    /// A session follows it no more.
    pub fn ended_by(&mut self, session: u32, now: Timestamp) {
        self.followed_by(session, now);
        if let Some(association) = self.sessions.get_mut(&session) {
            association.ended = true;
        }
    }

    /// Whether nothing more is to come. Sessions that were lost do not count, since they cannot say goodbye, unless they told more of it
    /// after the others had: then it went on.
    pub fn is_over(&self, lost: &Lost) -> bool {
        if self.end_missed {
            return true;
        }
        if self.cut_off {
            return false;
        }
        let ends = self.sessions.values().filter(|a| a.ended);
        let said_so = ends.map(|a| a.last).max();
        let all = |end: Timestamp| {
            let mut sessions = self.sessions.iter();
            sessions.all(|(session, a)| a.ended || (lost.contains_key(session) && a.last <= end))
        };
        self.cleared || self.superseded || said_so.is_some_and(all)
    }

    /// Whether every session that followed it was lost.
    pub fn is_lost(&self, lost: &Lost) -> bool {
        self.cut_off
            || self
                .sessions
                .keys()
                .all(|session| lost.contains_key(session))
    }

    /// Until when some session watched it that did not see it end: the last of those that were lost.
    pub fn watched_until(&self, lost: &Lost) -> Option<Timestamp> {
        let watching = self.sessions.iter().filter(|(_, a)| !a.ended);
        watching
            .filter_map(|(session, _)| lost.get(session))
            .max()
            .copied()
    }

    /// Whether some session has told all of it since a time: it goes on, and none of its bytes are missing.
    pub fn is_certain(
        &self,
        since: Timestamp,
        lost: &Lost,
        gaps: &BTreeMap<u32, Timestamp>,
    ) -> bool {
        let whole = |session: &u32| gaps.get(session).is_none_or(|gap| *gap < since);
        let mut sessions = self.sessions.keys();
        !self.cut_off && sessions.any(|session| !lost.contains_key(session) && whole(session))
    }

    /// What a BEGIN_CALL_EVENT with its ID means, if the data that it carries are those of this call as far as one can tell (`fits`).
    pub fn begins(&self, session: u32, fits: bool, now: Timestamp, lost: &Lost) -> Beginning {
        /// Sessions are told of the same call within this time (nanoseconds), even if it is over already.
        const BEHIND: i64 = 2_000_000_000;
        let known = self.sessions.get(&session);
        let behind = known.is_none() && now.nanos_since(self.last) <= BEHIND;
        if self.cut_off || self.is_lost(lost) {
            // Call IDs come around again; the other data must not speak against it.
            return if fits && !self.cleared {
                Beginning::Again
            } else {
                Beginning::Another
            };
        }
        if self.is_over(lost) {
            return if behind && fits {
                Beginning::Same
            } else {
                Beginning::Another
            };
        }
        match known {
            // Its end was missed, or the session tells it for another party.
            Some(association) if !association.ended && self.begun && !fits => Beginning::Another,
            _ => Beginning::Same,
        }
    }
}
