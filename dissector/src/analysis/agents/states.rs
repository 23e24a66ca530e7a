//! Makes periods of the messages that tell an agent's state.
//!
//! Servers tell one change once for each skill group, and in each session that asked for agents; sessions may lag behind each other. Within one
//! session and skill group the order is certain. So each of them has a place in the list of periods, and what it says next is looked for from
//! there on before it is taken for a new change.

use super::model::{Cause, Domain, Ending, Period, state};
use crate::record::Packets;
use crate::time::Timestamp;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// How far a session that has told of the latest change may be behind with another skill group.
const GROUP_LAG: i64 = 1_000_000_000;
/// How far a session may be behind another one.
const SESSION_LAG: i64 = 10_000_000_000;
/// Places that are remembered for an agent; sessions and skill groups beyond that begin anew.
const MAX_PLACES: usize = 256;
/// Sessions and skill groups that a period names.
const MAX_NAMED: usize = 32;
/// A state that lasted no longer than this when it was told is a change (seconds; the server counts in whole ones).
const FRESH: u32 = 2;

/// What a message says of an agent's state.
#[derive(Debug, Clone)]
pub(super) struct Told<'a> {
    pub state: u32,
    pub reason: Option<u32>,
    pub time: Timestamp,
    pub session: u32,
    pub message: u64,
    pub packets: &'a Packets,
    pub group: Option<u32>,
    /// The state of that skill group is the agent's.
    pub in_group: bool,
    pub next: Option<u32>,
    /// StateDuration.
    pub duration: Option<u32>,
    /// It answers a question, so it tells no change, and no reason.
    pub asked: bool,
}

/// Where each session and skill group is in the periods of a domain.
#[derive(Debug, Default)]
pub(super) struct Places {
    at: BTreeMap<(u32, Option<u32>), u64>,
    /// The last period goes on.
    open: bool,
}

/// The reason of a state in which it counts.
pub(super) fn counting_reason(state: u32, reason: Option<u32>) -> Option<u32> {
    let counts = matches!(state, state::LOGOUT | state::NOT_READY);
    reason.filter(|reason| counts && *reason != 0)
}

impl Places {
    /// Whether the last period goes on.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// The period that a message tells once more; `None` when it tells a new one.
    fn known(&self, domain: &Domain, told: &Told<'_>) -> Option<u64> {
        if !self.open {
            return None;
        }
        let last = domain.periods.last_no();
        let tells = |p: &Period| p.state == told.state && (told.asked || p.reason == told.reason);
        let age = |p: &Period| told.time.nanos_since(p.from);
        let groups = self
            .at
            .range((told.session, None)..=(told.session, Some(u32::MAX)));
        let session_at = groups.map(|(_, at)| *at).max();
        let at = self.at.get(&(told.session, told.group)).copied();
        if domain.periods.last().is_some_and(tells) && (at.is_none() || at == Some(last)) {
            return Some(last);
        }
        if let Some(at) = at
            && let Some((no, period)) = domain.periods.since(at).next()
            && no == at
            && tells(period)
            // The same again, though others have gone on: late, unless the session has gone on itself.
            && (session_at == Some(at) || age(period) <= GROUP_LAG)
        {
            return Some(at);
        }
        let lag = if session_at == Some(last) {
            GROUP_LAG
        } else {
            SESSION_LAG
        };
        domain
            .periods
            .since(at.map_or(0, |at| at.saturating_add(1)))
            .find(|(no, p)| tells(p) && (*no == last || age(p) <= lag))
            .map(|(no, _)| no)
    }

    /// Takes a message in. A new period is begun with what `cause` says; whether there is one, and whether the list grew.
    pub(super) fn tell(
        &mut self,
        domain: &mut Domain,
        told: &Told<'_>,
        most: usize,
        cause: impl FnOnce(Option<&Period>) -> Cause,
    ) -> Option<bool> {
        let known = self.known(domain, told);
        if let Some(no) = known {
            self.put(told, no);
            if let Some(period) = domain.periods.get_mut(no) {
                period.messages = period.messages.saturating_add(1);
                period.next = period.next.or(told.next);
                name(period, told);
            }
            return None;
        }
        let was_open = self.open;
        self.close(domain, told.time, Ending::Changed);
        let before = domain.periods.last().filter(|_| was_open);
        let entered = !told.asked && (was_open || told.duration.is_none_or(|d| d <= FRESH));
        let mut period = Period {
            state: told.state,
            reason: told.reason,
            from: told.time,
            to: told.time,
            ending: Ending::CaptureEnded,
            entered,
            before: told.duration.filter(|_| !entered),
            next: told.next,
            skill_groups: SmallVec::new(),
            message: told.message,
            packets: told.packets.clone(),
            sessions: SmallVec::new(),
            messages: 1,
            cause: cause(before),
            gap: false,
        };
        name(&mut period, told);
        domain.changes = domain.changes.saturating_add(u64::from(was_open));
        let grew = domain.periods.push(period, most);
        self.open = true;
        self.put(told, domain.periods.last_no());
        Some(grew)
    }

    fn put(&mut self, told: &Told<'_>, no: u64) {
        if self.at.len() >= MAX_PLACES {
            self.at.pop_first();
        }
        self.at.insert((told.session, told.group), no);
    }

    /// Ends the last period, if it goes on.
    pub(super) fn close(&mut self, domain: &mut Domain, time: Timestamp, ending: Ending) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let Some(period) = domain.periods.last_mut() else {
            return;
        };
        period.to = time.max(period.from);
        period.ending = ending;
        let total = domain.totals.entry(period.state).or_default();
        total.nanos = total.nanos.saturating_add(period.nanos());
        total.count = total.count.saturating_add(1);
    }

    /// A session ended; whether nobody tells any more.
    pub(super) fn forget(&mut self, session: u32) -> bool {
        self.at.retain(|(of, _), _| *of != session);
        self.at.is_empty()
    }
}

fn name(period: &mut Period, told: &Told<'_>) {
    add(&mut period.sessions, told.session);
    if let Some(group) = told.group.filter(|_| told.in_group) {
        add(&mut period.skill_groups, group);
    }
}

fn add(list: &mut SmallVec<[u32; 2]>, number: u32) {
    if let Err(at) = list.binary_search(&number)
        && list.len() < MAX_NAMED
    {
        list.insert(at, number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        places: Places,
        domain: Domain,
        packets: Packets,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                places: Places::default(),
                domain: Domain::default(),
                packets: Packets::default(),
            }
        }

        /// Session and skill group tell a state at a time in milliseconds.
        fn tell(&mut self, millis: i64, session: u32, group: u32, state: u32) -> bool {
            let told = Told {
                state,
                reason: None,
                time: Timestamp::from_nanos(millis * 1_000_000),
                session,
                message: 1,
                packets: &self.packets,
                group: Some(group),
                in_group: true,
                next: None,
                duration: Some(0),
                asked: false,
            };
            self.places
                .tell(&mut self.domain, &told, usize::MAX, |_| Cause::Unknown)
                .is_some()
        }

        fn states(&self) -> Vec<u32> {
            self.domain.periods.iter().map(|p| p.state).collect()
        }
    }

    #[test]
    fn skill_groups_tell_one_change_together() {
        let mut bench = Bench::new();
        assert!(bench.tell(0, 1, 10, 3));
        assert!(!bench.tell(1, 1, 20, 3));
        assert!(bench.tell(5_000, 1, 10, 8));
        assert!(!bench.tell(5_001, 1, 20, 8));
        assert!(bench.tell(5_002, 1, 10, 4));
        // The other group is a moment late with both.
        assert!(bench.tell(5_003, 1, 10, 2));
        assert!(!bench.tell(5_004, 1, 20, 4));
        assert!(!bench.tell(5_005, 1, 20, 2));
        assert_eq!(bench.states(), [3, 8, 4, 2]);
        let groups: Vec<usize> = bench
            .domain
            .periods
            .iter()
            .map(|p| p.skill_groups.len())
            .collect();
        assert_eq!(groups, [2, 2, 2, 2]);
    }

    #[test]
    fn a_session_that_lags_tells_nothing_new() {
        let mut bench = Bench::new();
        for (at, state) in [(0, 3), (1_000, 8), (1_500, 3), (4_000, 2)] {
            assert!(bench.tell(at, 1, 10, state));
        }
        for (at, state) in [(4_200, 3), (4_300, 8), (4_400, 3), (4_500, 2)] {
            assert!(!bench.tell(at, 2, 10, state), "{state}");
        }
        // From now on the second one is ahead.
        assert!(bench.tell(9_000, 2, 10, 3));
        assert!(!bench.tell(9_001, 1, 10, 3));
        assert_eq!(bench.states(), [3, 8, 3, 2, 3]);
        assert!(
            bench
                .domain
                .periods
                .iter()
                .all(|p| p.sessions.as_slice() == [1, 2])
        );
    }

    #[test]
    fn a_state_that_comes_back_is_new_though_another_skill_group_tells_it() {
        let mut bench = Bench::new();
        // A server that leaves out repeats names the groups by turns.
        assert!(bench.tell(0, 1, 10, 3));
        assert!(bench.tell(3_000, 1, 20, 8));
        assert!(bench.tell(6_000, 1, 10, 3));
        assert!(bench.tell(9_000, 1, 20, 8));
        assert_eq!(bench.states(), [3, 8, 3, 8]);
    }

    #[test]
    fn times_add_up() {
        let mut bench = Bench::new();
        bench.tell(0, 1, 10, 3);
        bench.tell(1_000, 1, 10, 2);
        bench.tell(4_000, 1, 10, 3);
        let end = Timestamp::from_nanos(6_000_000_000);
        bench
            .places
            .close(&mut bench.domain, end, Ending::SessionsEnded);
        let total = |state| bench.domain.totals[&state];
        assert_eq!((total(3).nanos, total(3).count), (3_000_000_000, 2));
        assert_eq!((total(2).nanos, total(2).count), (3_000_000_000, 1));
        assert_eq!(bench.domain.logged_in(), 6_000_000_000);
        // What comes after nobody listened is new, though it is the same.
        assert!(bench.tell(7_000, 1, 10, 3));
        assert_eq!(bench.domain.changes, 2);
    }
}
