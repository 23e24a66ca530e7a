//! Requests for a state: logins that are refused, and confirmed requests that change nothing.

use crate::analysis::Seen;
use crate::finding::Severity;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known::{self, Ask, Change};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, hints, thresholds, words};
use std::collections::VecDeque;

/// Refused logins that are counted together.
const MAX_TRIES: usize = limits::MAX_TOUCHED;
/// ForcedFlag: the password is checked, nobody is logged in.
const AUTHENTICATION_ONLY: u32 = 2;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Logins::default()), Box::new(NoEffect::default())]
}

/// Logins that are refused.
#[derive(Debug, Default)]
struct Logins {
    /// Refused, while it is open whether the next try succeeds: by agent or phone.
    refused: Waits<(String, u64), Sighting>,
    /// Agents and times of those that did not.
    tries: VecDeque<(Timestamp, String)>,
}

impl Logins {
    fn due(&mut self, around: &Context, out: &mut Sightings) {
        while let Some(((who, _), sighting, _)) = self.refused.due(around.now()) {
            self.tell(who, sighting, around, out);
        }
    }

    fn tell(&mut self, who: String, sighting: Sighting, around: &Context, out: &mut Sightings) {
        let thresholds = around.thresholds();
        let time = sighting.time;
        let window = thresholds.login_window;
        while self
            .tries
            .front()
            .is_some_and(|(first, _)| first.after(window) < time)
        {
            self.tries.pop_front();
        }
        if self.tries.len() >= MAX_TRIES {
            self.tries.pop_front();
        }
        self.tries.push_back((time, who));
        let many = thresholds::reaches(self.tries.len(), thresholds.login_tries);
        let severity = if many {
            Severity::Error
        } else {
            Severity::Warn
        };
        out.push(sighting.severity(severity));
    }

    fn succeeded(&mut self, agent: &str, out: &mut Sightings) {
        for (_, mut sighting) in self.refused.take_all(|(who, _), _| who == agent) {
            sighting.text.push_str(", then logged in");
            out.push(sighting.severity(Severity::Info));
        }
    }
}

impl Detector for Logins {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        self.due(around, out);
        if let Some(change) = around.known().agents.change()
            && change.to != known::LOGOUT
        {
            self.succeeded(&change.agent, out);
            return;
        }
        let Some(answer) = seen.info.answers else {
            return;
        };
        if answer.request.number != types::SET_AGENT_STATE_REQ {
            return;
        }
        let Some(ask) = around.known().asked.get(answer.request.no) else {
            return;
        };
        if ask.state != Some(known::LOGIN) {
            return;
        }
        let who = ask.agent.clone().or_else(|| ask.phone.clone());
        let who = who.unwrap_or_default();
        let Some(failure) = answer.failure else {
            self.succeeded(&who, out);
            return;
        };
        let only = if ask.forced == Some(AUTHENTICATION_ONLY) {
            ", authentication only"
        } else {
            ""
        };
        let peripheral = ask
            .peripheral
            .map_or_else(String::new, |p| format!(", peripheral {p}"));
        let text = format!("{}{peripheral}{only}", ask.about());
        let mut sighting = Sighting::of_part(
            Code::LoginFailed,
            seen.info.peers.session,
            &answer.request,
            around,
            text,
        )
        .group(format!("login refused: {}", words::failure(&failure)));
        sighting.hint = hints::failure(&failure);
        sighting.agent.clone_from(&ask.agent);
        let until = seen.info.time.after(around.thresholds().login_retry);
        self.refused.add((who, answer.request.no), until, sighting);
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        while let Some(((who, _), sighting, _)) = self.refused.drain() {
            self.tell(who, sighting, around, out);
        }
    }
}

/// A confirmed request whose effect is awaited.
#[derive(Debug)]
struct Awaited {
    sighting: Sighting,
    since: Timestamp,
    session: u32,
}

/// Confirmed requests that change nothing.
#[derive(Debug, Default)]
struct NoEffect {
    /// By agent and state.
    awaited: Waits<(String, u32), Awaited>,
}

/// Whether the agent need not change at once: on a call the change comes behind it, and what is already so stays so.
fn may_stay(ask: &Ask, state: u32) -> bool {
    match ask.agent_state {
        Some(known::TALKING | known::HOLD | known::RESERVED) => true,
        // Work states and the rest of a call are left when they are over.
        Some(known::WORK_NOT_READY | known::WORK_READY) => state != known::LOGOUT,
        Some(now) => now == state || (state == known::LOGIN && now != known::LOGOUT),
        // Nothing is known of the agent: only a login must show.
        None => state != known::LOGIN,
    }
}

/// Whether the session asked to be told of that state.
fn is_told(session: u32, state: u32, around: &Context) -> bool {
    let bit = 1u32.checked_shl(state).unwrap_or_default();
    let told = around.session(session).is_some_and(|f| f.hears_agents(bit));
    told && around.known().agents.tells(session)
}

impl Detector for NoEffect {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while let Some(((_, _), awaited, until)) = self.awaited.due(around.now()) {
            if around.can_miss(awaited.session, awaited.since, until)
                && !around.recovering(awaited.since)
            {
                out.push(awaited.sighting);
            }
        }
        if seen.is(types::AGENT_STATE_EVENT) {
            // Whatever the agent does now: the server and the agent are at work. A copy of the state counts as well.
            if let Some(agent) = known::agent_of(seen) {
                for state in known::LOGIN..=known::HOLD {
                    self.awaited.take(&(agent.clone(), state));
                }
            }
            return;
        }
        let Some(answer) = seen.info.answers else {
            return;
        };
        if answer.request.number != types::SET_AGENT_STATE_REQ || answer.failure.is_some() {
            return;
        }
        let Some(ask) = around.known().asked.get(answer.request.no) else {
            return;
        };
        let (Some(state), Some(agent)) = (ask.state, &ask.agent) else {
            return;
        };
        let session = seen.info.peers.session;
        let agents = &around.known().agents;
        let is_there = agents.state(ask.peripheral, agent) != ask.agent_state;
        if is_there
            || ask.forced == Some(AUTHENTICATION_ONLY)
            || may_stay(ask, state)
            || !is_told(session, state, around)
        {
            return;
        }
        let name = known::agent_state(state);
        let states = ask.states().map_or_else(String::new, |s| format!("; {s}"));
        let sighting = Sighting::of_part(
            Code::StateRequestNoEffect,
            session,
            &answer.request,
            around,
            format!("{}: confirmed, but no event{states}", ask.about()),
        )
        .group(format!("{name} asked for and confirmed, without effect"))
        .agent(agent.clone());
        self.awaited.add(
            (agent.clone(), state),
            seen.info.time.after(around.thresholds().state_effect),
            Awaited {
                sighting,
                since: ask.time,
                session,
            },
        );
    }
}

/// Whether a change is one that a client asked for by this request.
pub(super) fn explains(ask: &Ask, change: &Change) -> bool {
    ask.state == Some(change.to)
        || (ask.state == Some(known::LOGIN) && change.to == known::NOT_READY)
}
