//! Desktops: lost ones, and two for the same agent.

use crate::analysis::Seen;
use crate::finding::Severity;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known::{self, Ask};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, words};
use std::collections::{BTreeMap, VecDeque};

/// EventReasonCode with which Finesse acts for a desktop that it lost.
const DESKTOP_LOST: u32 = 255;
/// CTI_SERVICE_SUPERVISOR.
const SUPERVISOR: u32 = 0x80;
/// Agents whose controlling clients are remembered.
const MAX_AGENTS: usize = limits::MAX_TRIAGE_KEPT;
/// Changes of hand of one agent that are remembered.
const MAX_HANDS: usize = 8;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Lost::default()), Box::new(TwoHands::default())]
}

/// Desktops for which Finesse logs the agent out.
#[derive(Debug, Default)]
struct Lost {
    /// By agent, while it is open whether the desktop comes back.
    lost: Waits<String, Sighting>,
}

impl Detector for Lost {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while let Some((_, sighting, _)) = self.lost.due(around.now()) {
            out.push(sighting);
        }
        if !seen.is(types::SET_AGENT_STATE_REQ) {
            // After NOT_READY the desktop is back when the agent is AVAILABLE, after LOGOUT when logged in again.
            let Some(change) = around.known().agents.change() else {
                return;
            };
            let back = change.to == known::AVAILABLE
                || matches!(change.from, Some((known::LOGOUT, _))) && change.to != known::LOGOUT;
            if back {
                self.back(&change.agent, seen.info.time, out);
            }
            return;
        }
        let Some(ask) = around.known().asked.get(seen.info.no) else {
            return;
        };
        let who = ask.agent.clone().or_else(|| ask.phone.clone());
        let (Some(who), Some(state)) = (who, ask.state) else {
            return;
        };
        if ask.reason != Some(DESKTOP_LOST) || !matches!(state, known::LOGOUT | known::NOT_READY) {
            return;
        }
        if self.lost.get_mut(&who).is_some() {
            return;
        }
        let during = match ask.agent_state {
            Some(known::TALKING | known::HOLD) => ", during a call",
            _ => "",
        };
        let mut sighting = Sighting::of(
            Code::DesktopLost,
            seen,
            format!("{} made {}{during}", ask.about(), known::agent_state(state)),
        )
        .group(format!("S{} lost desktops of agents", ask.session));
        sighting.agent.clone_from(&ask.agent);
        self.lost.add(
            who,
            seen.info.time.after(around.thresholds().desktop_back),
            sighting,
        );
    }

    fn finish(&mut self, _: &Context, out: &mut Sightings) {
        while let Some((_, sighting, _)) = self.lost.drain() {
            out.push(sighting);
        }
    }
}

impl Lost {
    fn back(&mut self, agent: &str, time: Timestamp, out: &mut Sightings) {
        if let Some(mut sighting) = self.lost.take(&agent.to_owned()) {
            let span = words::span(time.nanos_since(sighting.time));
            sighting.text.push_str(&format!(", back after {span}"));
            out.push(sighting.severity(Severity::Info));
        }
    }
}

/// Who steered an agent, the latest last.
#[derive(Debug, Default)]
struct Hands {
    sessions: VecDeque<(Timestamp, u32)>,
    signatures: VecDeque<(Timestamp, String)>,
    told: bool,
}

/// Agents that two clients steer.
#[derive(Debug, Default)]
struct TwoHands {
    agents: BTreeMap<(u32, String), Hands>,
}

/// Notes who has it now. True when it went from one to another and back within the time.
fn goes_back_and_forth<T: PartialEq>(
    hands: &mut VecDeque<(Timestamp, T)>,
    hand: T,
    time: Timestamp,
    since: Timestamp,
) -> bool {
    if hands.back().is_some_and(|(_, last)| *last == hand) {
        if let Some(last) = hands.back_mut() {
            last.0 = time;
        }
        return false;
    }
    let back = hands
        .iter()
        .any(|(at, earlier)| *at >= since && *earlier == hand);
    if hands.len() >= MAX_HANDS {
        hands.pop_front();
    }
    hands.push_back((time, hand));
    back
}

impl TwoHands {
    fn hands(&mut self, key: (u32, String)) -> &mut Hands {
        if self.agents.len() >= MAX_AGENTS && !self.agents.contains_key(&key) {
            self.agents.pop_first();
        }
        self.agents.entry(key).or_default()
    }

    fn request(&mut self, ask: &Ask, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let (Some(agent), Some(peripheral)) = (&ask.agent, ask.peripheral) else {
            return;
        };
        let facts = around.session(ask.session);
        let supervises = facts
            .and_then(|f| f.granted.as_ref())
            .is_some_and(|g| g.services & SUPERVISOR != 0);
        // A supervisor steers others; Finesse says so with these reasons.
        if supervises || matches!(ask.reason, Some(999 | DESKTOP_LOST)) {
            return;
        }
        let time = ask.time;
        let nanos = i64::try_from(around.thresholds().two_hands.as_nanos()).unwrap_or(i64::MAX);
        let since = Timestamp::from_nanos(time.nanos().saturating_sub(nanos));
        let known = around.known();
        let elsewhere = ask.state == Some(known::LOGIN)
            && ask.phone.as_deref().is_some_and(|phone| {
                known
                    .agents
                    .phones_of(peripheral, agent)
                    .is_some_and(|phones| {
                        let mut phones = phones.into_iter().flatten().peekable();
                        phones.peek().is_some() && phones.all(|known| known != phone)
                    })
                    && known
                        .agents
                        .state(Some(peripheral), agent)
                        .is_some_and(|state| state != known::LOGOUT)
            });
        let hands = self.hands((peripheral, agent.clone()));
        let back = goes_back_and_forth(&mut hands.sessions, ask.session, time, since);
        if hands.told || around.is_rebuilt(peripheral, time) {
            return;
        }
        let text = if elsewhere {
            let phone = ask.phone.as_deref().unwrap_or_default();
            format!("login at phone {phone} while logged in at another")
        } else if back {
            let other = hands.sessions.iter().rev().nth(1).map_or(0, |(_, s)| *s);
            format!(
                "S{other} and S{} ask for states of this agent by turns",
                ask.session
            )
        } else {
            return;
        };
        hands.told = true;
        out.push(
            Sighting::of(Code::TwoDesktops, seen, text)
                .group(format!("agent {agent} is steered by two"))
                .agent(agent.clone()),
        );
    }
}

impl Detector for TwoHands {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if seen.is(types::SET_AGENT_STATE_REQ) {
            if let Some(ask) = around.known().asked.get(seen.info.no) {
                let ask = ask.clone();
                self.request(&ask, seen, around, out);
            }
            return;
        }
        let Some(change) = around.known().agents.change() else {
            return;
        };
        let Some(signature) = known::text(seen, "CTIClientSignature") else {
            return;
        };
        let time = change.time;
        let nanos = i64::try_from(around.thresholds().two_hands.as_nanos()).unwrap_or(i64::MAX);
        let since = Timestamp::from_nanos(time.nanos().saturating_sub(nanos));
        let hands = self.hands((change.peripheral, change.agent.clone()));
        let back = goes_back_and_forth(&mut hands.signatures, signature.clone(), time, since);
        if !back || hands.told || around.is_rebuilt(change.peripheral, time) {
            return;
        }
        hands.told = true;
        let other = hands.signatures.iter().rev().nth(1).map_or("", |(_, s)| s);
        out.push(
            Sighting::of(
                Code::TwoDesktops,
                seen,
                format!("the client of the agent is {other} and {signature} by turns"),
            )
            .group(format!("agent {} is steered by two", change.agent))
            .agent(change.agent.clone()),
        );
    }
}
