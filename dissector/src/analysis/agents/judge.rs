//! Finds states that contradict the events of calls.
//!
//! Events of calls and of agents come in any order, so a state is compared with the calls only when both have stood for a while. That needs no
//! clock: whenever one of them is about to change, what has stood until then is judged.

use super::Agents;
use super::model::{Contradiction, ContradictionKind, VOICE, state};
use crate::time::Timestamp;

/// How long events of one cause may take to come (nanoseconds).
const SETTLE: i64 = 3_000_000_000;

impl Agents {
    /// Judges what an agent's state and its calls have been until now.
    pub(super) fn judge(&mut self, at: usize, now: Timestamp) {
        let Some((kind, from, call)) = self.conflict(at) else {
            return;
        };
        if now.nanos_since(from) < SETTLE {
            return;
        }
        let room = self.room();
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let agent = &mut known.agent;
        let Some((_, domain)) = agent.main_domain() else {
            return;
        };
        let Some(period) = domain.periods.last() else {
            return;
        };
        let found = Contradiction {
            kind,
            from,
            to: now,
            state: period.state,
            call,
            message: period.message,
        };
        match agent.contradictions.last_mut() {
            Some(last) if last.kind == kind && last.message == found.message => {
                last.to = last.to.max(now);
            }
            _ => {
                let grew = agent.contradictions.push(found, room);
                self.kept = self.kept.saturating_add(usize::from(grew));
            }
        }
    }

    /// What does not fit at present, since when, and the call that it is about.
    fn conflict(&self, at: usize) -> Option<(ContradictionKind, Timestamp, Option<u32>)> {
        let known = self.known.get(at)?;
        let (mrd, domain) = known.agent.main_domain()?;
        let places = known.places.get(&mrd)?;
        if mrd > VOICE || !places.is_open() {
            return None;
        }
        let period = domain.periods.last()?;
        let phones = || known.phones.iter().filter_map(|p| self.phones.get(*p));
        let talks = phones().find_map(|p| p.talks());
        match (period.state, talks) {
            (state::AVAILABLE, Some(call)) => Some((
                ContradictionKind::AvailableOnCall,
                call.answered?.max(period.from),
                Some(call.call),
            )),
            (state::LOGOUT, Some(call)) => Some((
                ContradictionKind::LoggedOutOnCall,
                call.answered?.max(period.from),
                Some(call.call),
            )),
            (state::TALKING | state::HOLD, None) if phones().all(|p| p.open.is_empty()) => {
                let ended = phones().filter_map(|p| p.last_end).max();
                let blind = phones().filter_map(|p| p.blind).max();
                let watched = !period.gap
                    && blind.is_none_or(|blind| blind < period.from)
                    && known.live.iter().any(|s| self.tell_calls.contains(s));
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
                let had_call = ended.is_some_and(|ended| ended >= period.from);
                (watched && period.entered && (idle || had_call)).then(|| {
                    let from = ended.map_or(period.from, |e| e.max(period.from));
                    (ContradictionKind::TalkingWithoutCall, from, None)
                })
            }
            _ => None,
        }
    }
}
