//! Heartbeats: lost, slow, refused, and set so that they cannot work.

use super::remembered::{Remembered, between, span};
use super::words::status_name;
use super::{Code, Context, Detector, SessionFacts, Sighting, Sightings};
use crate::analysis::Seen;
use crate::correlate::{Exchange, OutcomeKind};
use crate::finding::Severity;
use crate::protocol::{self, types};
use crate::reassembly::End;
use crate::record::Direction;
use crate::session::{Content, Session};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Heartbeats in a row without answer after which clients give up.
const GIVE_UP: u32 = 3;
/// A heartbeat that is repeated so often without acknowledgement has not reached the server.
const NOT_ARRIVED: u32 = 3;
/// Latest answer times and intervals of which the median is taken.
const SAMPLE: usize = 101;
/// Heartbeats that tell the interval.
const ENOUGH: usize = 5;
/// Slow answers that count.
const SLOW: usize = 3;
/// How many times the median an answer must take to be slow.
const TIMES_MEDIAN: u32 = 10;
/// IdleTimeout is to be so many heartbeat intervals.
const INTERVALS: u32 = 4;

pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Heartbeats::default()),
        Box::new(Refused),
        Box::new(Settings::default()),
    ]
}

/// The heartbeats of a session.
#[derive(Debug, Default)]
struct Pulse {
    /// The one that waits for its answer: number and time.
    open: Option<(u64, Timestamp)>,
    missed: u32,
    latencies: VecDeque<Duration>,
    /// Times of slow answers that were not told.
    slow: VecDeque<Timestamp>,
}

/// Heartbeats without answer, or with late ones.
#[derive(Debug, Default)]
struct Heartbeats {
    pulses: Remembered<u32, Pulse>,
}

impl Heartbeats {
    /// The open heartbeat of a session got no answer before something else happened.
    fn missed(&mut self, session: u32, time: Timestamp, around: &Context, out: &mut Sightings) {
        let Some(pulse) = self.pulses.get_mut(&session) else {
            return;
        };
        let Some((no, asked)) = pulse.open.take() else {
            return;
        };
        let Some(facts) = around.session(session) else {
            return;
        };
        if !could_miss(facts, asked, time, around) {
            pulse.missed = 0;
            return;
        }
        let (client, server) = (facts.peers.client, facts.peers.server);
        let again = around.wire().timeouts(client, server);
        if again >= NOT_ARRIVED {
            // The network lost it: that has a finding of its own.
            pulse.missed = 0;
            return;
        }
        pulse.missed += 1;
        let others = facts.last_server.is_some_and(|last| last > asked);
        let arrived = !around.wire().is_waiting(client, server, asked);
        let meanwhile = match (arrived, others) {
            _ if again > 0 => "sent again without being acknowledged",
            (_, true) => "other messages came meanwhile",
            (true, false) => "acknowledged, but nothing came from the server meanwhile",
            (false, false) => "not acknowledged either",
        };
        let text = format!(
            "no answer within {}, number {} in a row; {meanwhile}",
            span(between(asked, time)),
            pulse.missed
        );
        let severity = if pulse.missed >= GIVE_UP {
            Severity::Error
        } else {
            Severity::Warn
        };
        out.push(
            Sighting::new(Code::HeartbeatLost, asked, text)
                .session(session)
                .message(no, around)
                .severity(severity)
                .group(format!(
                    "heartbeats of {} not answered by {}",
                    facts.client_name(),
                    facts.server_name()
                )),
        );
    }
}

/// Whether an answer would have been captured: the session may have ended at `until`, by whoever waited.
fn could_miss(facts: &SessionFacts, from: Timestamp, until: Timestamp, around: &Context) -> bool {
    let heard = around.wire().heard(facts.peers.server, facts.peers.client);
    let lacking = around
        .wire()
        .is_lacking(facts.peers.server, facts.peers.client, from, until);
    facts.content == Content::Cti
        && !lacking
        && (heard || facts.last_server.is_some())
        && !facts.breaks.iter().any(|at| *at >= from && *at <= until)
}

impl Detector for Heartbeats {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let info = seen.info;
        let session = info.peers.session;
        if seen.is(types::HEARTBEAT_REQ) && info.direction == Direction::ClientToServer {
            let open = self.pulses.entry(session).open;
            // Two at once say nothing: the first one still waits.
            let soon = around.thresholds().heartbeat_slow;
            if open.is_some_and(|(_, asked)| between(asked, info.time) < soon) {
                return;
            }
            self.missed(session, info.time, around, out);
            self.pulses.entry(session).open = Some((info.no, info.time));
            return;
        }
        if seen.is(types::HEARTBEAT_CONF) {
            // Whatever is wrong with it, the server lives.
            let pulse = self.pulses.entry(session);
            pulse.open = None;
            pulse.missed = 0;
        }
        let Some(answer) = &info.answers else {
            return;
        };
        if answer.request.number != types::HEARTBEAT_REQ {
            return;
        }
        let pulse = self.pulses.entry(session);
        // A failure is an answer, too.
        pulse.open = None;
        pulse.missed = 0;
        let latency = Duration::from_nanos(u64::try_from(answer.latency).unwrap_or(0));
        let thresholds = around.thresholds();
        let median = median(&pulse.latencies);
        if pulse.latencies.len() >= SAMPLE {
            pulse.latencies.pop_front();
        }
        pulse.latencies.push_back(latency);
        let is_slow = latency > thresholds.heartbeat_slow
            && median.is_some_and(|median| latency > median * TIMES_MEDIAN);
        if !is_slow {
            return;
        }
        let Some(facts) = around.session(session) else {
            return;
        };
        let (client, server) = (facts.peers.client, facts.peers.server);
        let asked = answer.request.time;
        if around.wire().sent_again(client, server, asked, info.time)
            || around.wire().sent_again(server, client, asked, info.time)
        {
            return;
        }
        pulse.slow.push_back(info.time);
        while pulse
            .slow
            .front()
            .is_some_and(|first| info.time > first.after(thresholds.heartbeat_window))
        {
            pulse.slow.pop_front();
        }
        if pulse.slow.len() < SLOW {
            return;
        }
        while pulse.slow.len() > SLOW {
            pulse.slow.pop_front();
        }
        out.push(
            Sighting::of(
                Code::HeartbeatSlow,
                seen,
                format!(
                    "answered after {}, usually {}; number {} within {}",
                    span(latency),
                    span(median.unwrap_or_default()),
                    pulse.slow.len(),
                    span(thresholds.heartbeat_window)
                ),
            )
            .group(format!(
                "heartbeats of {} answered late by {}",
                facts.client_name(),
                facts.server_name()
            )),
        );
    }

    fn ended(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        let number = session.peers.session;
        let ended = matches!(session.end, Some(End::Finished(_) | End::Reset(_)));
        if let Some(pulse) = self.pulses.get_mut(&number)
            && let Some((_, asked)) = pulse.open
        {
            // The client waited as long as before, then gave up.
            let waited = between(asked, session.last) >= around.thresholds().heartbeat_slow;
            if ended && waited && session.ended_by == Some(Direction::ClientToServer) {
                self.missed(number, session.last, around, out);
            }
        }
        self.pulses.remove(&number);
    }
}

fn median(sample: &VecDeque<Duration>) -> Option<Duration> {
    let mut sorted: Vec<Duration> = sample.iter().copied().collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// Heartbeats answered by a failure.
#[derive(Debug)]
struct Refused;

impl Detector for Refused {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let (Some(request), OutcomeKind::Failed) = (&exchange.request, exchange.outcome.kind)
        else {
            return;
        };
        if request.number != types::HEARTBEAT_REQ {
            return;
        }
        let Some(facts) = around.session(exchange.session) else {
            return;
        };
        let status = exchange.outcome.failure.map(|failure| failure.code);
        let text = status.map_or_else(
            || "a failure".to_owned(),
            |status| format!("status {}", status_name(status)),
        );
        let mut sighting = Sighting::of_part(
            Code::HeartbeatRefused,
            exchange.session,
            request,
            around,
            text,
        )
        .group(format!(
            "{} refuses heartbeats of {}",
            facts.server_name(),
            facts.client_name()
        ));
        if around.handover(exchange.time) {
            sighting = sighting.severity(Severity::Info);
        }
        if let Some(hint) = status.and_then(protocol::hint_for_status) {
            sighting = sighting.hint(hint);
        }
        out.push(sighting);
    }
}

/// How a session keeps itself alive.
#[derive(Debug, Default)]
struct Habit {
    /// Time of the client's last message, and whether that was a heartbeat.
    last: Option<(Timestamp, bool)>,
    /// From one heartbeat to the next one, where nothing else was sent between them.
    intervals: VecDeque<Duration>,
    longest_gap: Duration,
    heartbeats: bool,
}

/// IdleTimeout and heartbeat interval against each other.
#[derive(Debug, Default)]
struct Settings {
    habits: Remembered<u32, Habit>,
}

impl Settings {
    fn judge(&mut self, session: u32, around: &Context, out: &mut Sightings) {
        let (Some(habit), Some(facts)) = (self.habits.remove(&session), around.session(session))
        else {
            return;
        };
        let Some(opened) = &facts.opened else {
            return;
        };
        let tell = |text: String, severity: Severity| {
            Sighting::new(Code::HeartbeatSettings, opened.time, text.clone())
                .session(session)
                .message(opened.no, around)
                .severity(severity)
                .group(format!("{}: {text}", facts.client_name()))
        };
        match opened.idle_timeout {
            Some(idle) if habit.intervals.len() >= ENOUGH => {
                let interval = median(&habit.intervals).unwrap_or_default();
                let idle_time = Duration::from_secs(u64::from(idle));
                // A heartbeat leaves a little late; that is no setting.
                if idle_time.mul_f64(1.05) < interval * INTERVALS {
                    out.push(tell(
                        format!(
                            "IdleTimeout {idle} s for a heartbeat every {}",
                            span(interval)
                        ),
                        Severity::Warn,
                    ));
                }
            }
            None if !habit.heartbeats
                && habit.longest_gap >= around.thresholds().silence
                && facts.breaks.is_empty()
                && facts.granted.is_some() =>
            {
                out.push(tell(
                    "no IdleTimeout and no heartbeats, silent for minutes".to_owned(),
                    Severity::Info,
                ));
            }
            _ => {}
        }
    }
}

impl Detector for Settings {
    fn message(&mut self, seen: &Seen<'_>, _: &Context, _: &mut Sightings) {
        let info = seen.info;
        if info.direction != Direction::ClientToServer {
            return;
        }
        let habit = self.habits.entry(info.peers.session);
        let is_heartbeat = seen.is(types::HEARTBEAT_REQ);
        if let Some((last, after_heartbeat)) = habit.last {
            let gap = between(last, info.time);
            habit.longest_gap = habit.longest_gap.max(gap);
            if is_heartbeat && after_heartbeat {
                if habit.intervals.len() >= SAMPLE {
                    habit.intervals.pop_front();
                }
                habit.intervals.push_back(gap);
            }
        }
        habit.heartbeats |= is_heartbeat;
        habit.last = Some((info.time, is_heartbeat));
    }

    fn ended(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        self.judge(session.peers.session, around, out);
    }
}
