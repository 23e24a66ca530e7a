//! Finds states that contradict the events of calls.
//!
//! Events of calls and of agents come in any order, so a contradiction counts only when it has stood for a while. That needs no clock: whenever
//! a state or a call changes, what stood until then is looked at.

use super::Agents;
use super::model::{Contradiction, ContradictionKind, VOICE, state};
use crate::time::Timestamp;

/// How long events of one cause may take to come (nanoseconds).
const SETTLE: i64 = 3_000_000_000;

/// A contradiction that stands at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    kind: ContradictionKind,
    from: Timestamp,
    state: u32,
    call: Option<u32>,
    message: u64,
}

impl Agents {
    /// Looks at an agent's state and calls after one of them may have changed.
    pub(super) fn reconsider(&mut self, at: usize, now: Timestamp) {
        let present = self.conflict(at, now);
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let same = |was: &Standing, is: &Standing| {
            (was.kind, was.call, was.message) == (is.kind, is.call, is.message)
        };
        if let (Some(was), Some(is)) = (&known.standing, &present)
            && same(was, is)
        {
            return;
        }
        if let Some(was) = std::mem::replace(&mut known.standing, present) {
            self.stood(at, was, now);
        }
    }

    /// What contradicts at present does so until now, and no longer.
    pub(super) fn conclude(&mut self, at: usize, now: Timestamp) {
        let standing = self.known.get_mut(at).and_then(|k| k.standing.take());
        if let Some(was) = standing {
            self.stood(at, was, now);
        }
    }

    fn stood(&mut self, at: usize, was: Standing, now: Timestamp) {
        if now.nanos_since(was.from) < SETTLE {
            return;
        }
        let room = self.room();
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let found = &mut known.agent.contradictions;
        match found.last_mut() {
            Some(last) if last.kind == was.kind && last.message == was.message => {
                last.to = last.to.max(now);
            }
            _ => {
                let new = Contradiction {
                    kind: was.kind,
                    from: was.from,
                    to: now,
                    state: was.state,
                    call: was.call,
                    message: was.message,
                };
                let grew = found.push(new, room);
                self.kept = self.kept.saturating_add(usize::from(grew));
            }
        }
    }

    /// What does not fit at present, since when, and the call that it is about.
    fn conflict(&mut self, at: usize, now: Timestamp) -> Option<Standing> {
        let phone = self.at_phone(at, now);
        let known = self.known.get(at)?;
        let (mrd, domain) = known.agent.main_domain()?;
        let places = known.places.get(&mrd)?;
        if mrd > VOICE || !places.is_open() {
            return None;
        }
        let period = domain.periods.last()?;
        let standing = |kind, from, call| Standing {
            kind,
            from,
            state: period.state,
            call,
            message: period.message,
        };
        match (period.state, phone.talks) {
            (state::AVAILABLE, Some((call, since))) => Some(standing(
                ContradictionKind::AvailableOnCall,
                since.max(period.from),
                Some(call),
            )),
            (state::LOGOUT, Some((call, since))) => Some(standing(
                ContradictionKind::LoggedOutOnCall,
                since.max(period.from),
                Some(call),
            )),
            (state::TALKING | state::HOLD, _) if !phone.busy => {
                let whole = |session: &u32| {
                    self.tell_calls.contains(session)
                        && self.gaps.get(session).is_none_or(|gap| *gap < period.from)
                };
                let watched = !period.gap
                    && known.blind.is_none_or(|blind| blind < period.from)
                    && known.live.iter().any(whole);
                // That there was no call before is known when the agent was seen in a state without one, or had one that ended.
                let before = domain.periods.before_last();
                let idle = before.is_some_and(|p| {
                    p.entered
                        && !p.gap
                        && p.to == period.from
                        && matches!(
                            p.state,
                            state::AVAILABLE | state::NOT_READY | state::RESERVED
                        )
                });
                let ended = known.last_end;
                let had_call = ended.is_some_and(|ended| ended >= period.from);
                (watched && period.entered && (idle || had_call)).then(|| {
                    let from = ended.map_or(period.from, |e| e.max(period.from));
                    standing(ContradictionKind::TalkingWithoutCall, from, None)
                })
            }
            _ => None,
        }
    }
}
