//! Planned moves from one side to the other: done, refused, broken.

use super::remembered::{Remembered, between, span};
use super::{Code, Context, Detector, SessionFacts, Sighting, Sightings};
use crate::analysis::Seen;
use crate::protocol::{Kind, types};
use crate::record::{Direction, Packets};
use crate::time::Timestamp;
use std::time::Duration;

/// What a client has for an answer, and for its goodbye.
const ANSWER: Duration = Duration::from_secs(5);
/// SessionType: standby.
const STANDBY: u32 = 2;

pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Moves::default())]
}

/// A planned move as one session of the active side sees it.
#[derive(Debug)]
struct Move {
    asked: Timestamp,
    no: u64,
    packets: Packets,
    /// The client's answer, and when it came.
    answer: Option<(bool, Timestamp)>,
    /// The server goes on, since then.
    goes_on: Option<Timestamp>,
    /// The standby took over, as another session of the client was told.
    taken_over: Option<Timestamp>,
    /// The client said that it stops asking this side.
    stopped: Option<Timestamp>,
    told: bool,
}

/// All of them.
#[derive(Debug, Default)]
struct Moves {
    moves: Remembered<u32, Move>,
}

impl Moves {
    fn tell(session: u32, step: &Move, code: Code, facts: &SessionFacts, text: String) -> Sighting {
        let mut sighting = Sighting::new(code, step.asked, text)
            .session(session)
            .group(match code {
                Code::MaintenanceHandover => format!(
                    "{} was moved away from {}",
                    facts.client_name(),
                    facts.server_name()
                ),
                Code::MaintenanceRefused => format!(
                    "{} did not agree to leave {}",
                    facts.client_name(),
                    facts.server_name()
                ),
                _ => format!(
                    "{} was not moved away from {} as planned",
                    facts.client_name(),
                    facts.server_name()
                ),
            });
        sighting.message = Some(step.no);
        sighting.packets = step.packets.clone();
        sighting
    }

    /// The server called it off: whose doing was it?
    fn cancelled(&mut self, session: u32, time: Timestamp, around: &Context, out: &mut Sightings) {
        let (Some(step), Some(facts)) = (self.moves.remove(&session), around.session(session))
        else {
            return;
        };
        let text = match step.answer {
            Some((false, at)) => format!(
                "refused {} after the question",
                span(between(step.asked, at))
            ),
            Some((true, at)) if at > step.asked.after(ANSWER) => {
                format!("agreed after {} only", span(between(step.asked, at)))
            }
            // It agreed; another client did not.
            Some((true, _)) => return,
            None if around.can_miss(session, step.asked, step.asked.after(ANSWER).min(time)) => {
                format!("did not answer within {}", span(between(step.asked, time)))
            }
            None => return,
        };
        out.push(Self::tell(
            session,
            &step,
            Code::MaintenanceRefused,
            facts,
            text,
        ));
    }

    /// What is missing at a time, if its wait is over.
    fn judge(session: u32, step: &mut Move, now: Timestamp, around: &Context, out: &mut Sightings) {
        let (Some(goes_on), Some(facts)) =
            (step.goes_on.filter(|_| !step.told), around.session(session))
        else {
            return;
        };
        if let (Some(taken_over), Some(stopped)) = (step.taken_over, step.stopped) {
            step.told = true;
            let answered = step.answer.map_or_else(String::new, |(_, at)| {
                format!("agreed after {}, ", span(between(step.asked, at)))
            });
            let text = format!(
                "{answered}decided after {}, standby took over after {}, client stopped asking after {}",
                span(between(step.asked, goes_on)),
                span(between(step.asked, taken_over)),
                span(between(step.asked, stopped))
            );
            out.push(Self::tell(
                session,
                step,
                Code::MaintenanceHandover,
                facts,
                text,
            ));
            return;
        }
        let (stop_by, take_by) = (
            goes_on.after(ANSWER),
            goes_on.after(around.thresholds().takeover),
        );
        let whole = |until: Timestamp| {
            !facts
                .breaks
                .iter()
                .any(|at| *at >= step.asked && *at <= until)
        };
        let mut missing = Vec::new();
        if step.stopped.is_none() && now > stop_by && whole(stop_by) {
            missing.push(format!(
                "no STOPPING_REQUESTS_TO_THIS_SIDE_IND within {}",
                span(ANSWER)
            ));
        }
        if step.taken_over.is_none() && now > take_by && whole(take_by) {
            let standby = around.sessions_of(facts.client_host()).any(|other| {
                let standby = other
                    .granted
                    .as_ref()
                    .is_some_and(|g| g.session_type == Some(STANDBY));
                standby && other.peers.server != facts.peers.server && other.first <= goes_on
            });
            missing.push(if standby {
                format!(
                    "no STANDBY_ACTIVE_EVENT_MSG within {}",
                    span(around.thresholds().takeover)
                )
            } else {
                "the client has no session with the standby side".to_owned()
            });
        }
        // Both waits have to be over, so that all that is missing is told at once.
        if missing.is_empty() || now <= take_by {
            return;
        }
        step.told = true;
        out.push(Self::tell(
            session,
            step,
            Code::MaintenanceBroken,
            facts,
            missing.join("; "),
        ));
    }

    fn judge_all(&mut self, now: Timestamp, around: &Context, out: &mut Sightings) {
        let mut moves = self.moves.take();
        for (session, step) in &mut moves {
            Self::judge(*session, step, now, around, out);
        }
        for (session, step) in moves {
            self.moves.insert(session, step);
        }
    }
}

impl Detector for Moves {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let info = seen.info;
        let (session, time) = (info.peers.session, info.time);
        if seen.is(types::ACTIVE_MAINTENANCE_REQ_MSG) {
            let step = Move {
                asked: time,
                no: info.no,
                packets: info.packets.clone(),
                answer: None,
                goes_on: None,
                taken_over: None,
                stopped: None,
                told: false,
            };
            self.moves.insert(session, step);
        } else if seen.is(types::ACTIVE_MAINTENANCE_RESP_MSG) {
            if let Some(step) = self.moves.get_mut(&session) {
                step.answer = Some((seen.raw("MaintenanceModeAccepted") == Some(1), time));
            }
        } else if seen.is(types::ACTIVE_MAINTENANCE_EVENT_MSG) {
            if seen.raw("MaintenanceModeStatus") == Some(0) {
                self.cancelled(session, time, around, out);
            } else if let Some(step) = self.moves.get_mut(&session) {
                step.goes_on = Some(time);
            }
        } else if seen.is(types::STANDBY_ACTIVE_EVENT_MSG) {
            let Some(facts) = around.session(session) else {
                return;
            };
            for (old, step) in self.moves.take() {
                let mut step = step;
                let same = around
                    .session(old)
                    .is_some_and(|old| old.same_client(facts));
                if same && old != session && step.taken_over.is_none() {
                    step.taken_over = Some(time);
                    Self::judge(old, &mut step, time, around, out);
                }
                self.moves.insert(old, step);
            }
        } else if seen.is(types::STOPPING_REQUESTS_TO_THIS_SIDE_IND) {
            if let Some(step) = self.moves.get_mut(&session) {
                step.stopped = Some(time);
                Self::judge(session, step, time, around, out);
            }
        } else if info.direction == Direction::ClientToServer
            && info
                .message
                .is_some_and(|message| message.kind == Kind::Request)
            && !seen.is(types::HEARTBEAT_REQ)
            && !seen.is(types::CLOSE_REQ)
            && let Some(step) = self.moves.get_mut(&session)
            && step.stopped.is_some()
            && let Some(facts) = around.session(session)
        {
            out.push(
                Sighting::of(
                    Code::MaintenanceBroken,
                    seen,
                    format!("{} after STOPPING_REQUESTS_TO_THIS_SIDE_IND", seen.name()),
                )
                .group(format!(
                    "{} still asks {} after it said that it stops",
                    facts.client_name(),
                    facts.server_name()
                )),
            );
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        self.judge_all(around.now(), around, out);
    }
}
