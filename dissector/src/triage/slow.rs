//! Answers that take long, against what is usual in the same capture.

use super::requests;
use super::{Code, Context, Detector, Sighting, Sightings, words};
use crate::correlate::{Exchange, OutcomeKind};
use crate::limits;
use crate::protocol::{MessageType, roles, types};
use crate::record::Direction;
use std::collections::BTreeMap;

/// Slow answers of one kind of request that are remembered; of more, the first ones are.
const MAX_SLOW: usize = limits::MAX_TOUCHED;
/// Answers that show what is usual.
const LEAST_USUAL: u64 = 5;
/// Kinds of requests that are followed.
const MAX_KINDS: usize = 512;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Slow::default())]
}

/// How often latencies fell between two powers of the fourth root of 2, in microseconds: enough for a median to a fifth, in bounded memory.
#[derive(Debug, Default)]
struct Histogram {
    counts: BTreeMap<i32, u64>,
    total: u64,
}

impl Histogram {
    fn note(&mut self, nanos: i64) {
        let micros = u32::try_from(nanos.max(1_000) / 1_000).unwrap_or(u32::MAX);
        // Whole quarters of the logarithm, by integers: the exponent and the two bits behind the first one.
        let exponent = 31 - i32::try_from(micros.leading_zeros()).unwrap_or(0);
        let next = if exponent >= 2 {
            micros >> (exponent - 2)
        } else {
            micros << (2 - exponent)
        };
        let quarter = i32::try_from(next & 3).unwrap_or(0);
        *self.counts.entry(exponent * 4 + quarter).or_default() += 1;
        self.total += 1;
    }

    /// The median, in nanoseconds: the lower end of the range that holds it.
    fn median(&self) -> i64 {
        let mut below = 0;
        for (range, count) in &self.counts {
            below += count;
            if below * 2 >= self.total {
                let exponent = u32::try_from(range / 4).unwrap_or(0);
                let quarters = i64::from(4 + range % 4);
                let micros = quarters.checked_shl(exponent).unwrap_or(i64::MAX) / 4;
                return micros.saturating_mul(1_000);
            }
        }
        0
    }
}

/// An answer that took long.
#[derive(Debug)]
struct SlowAnswer {
    latency: i64,
    sighting: Sighting,
}

#[derive(Debug, Default)]
struct Kind {
    latencies: Histogram,
    slow: Vec<SlowAnswer>,
    /// Slow ones beyond those that are remembered.
    more: u64,
}

/// Slow answers.
#[derive(Debug, Default)]
struct Slow {
    kinds: BTreeMap<u32, Kind>,
}

/// Whether the answer waits for somebody far away, so that it tells nothing of the server.
const fn waits_for_far_ends(number: MessageType) -> bool {
    matches!(
        number,
        types::MAKE_CALL_REQ
            | types::MAKE_PREDICTIVE_CALL_REQ
            | types::CONSULTATION_CALL_REQ
            | types::TRANSFER_CALL_REQ
            | types::CONFERENCE_CALL_REQ
            | types::SUPERVISE_CALL_REQ
            | types::SUPERVISOR_ASSIST_REQ
            | types::EMERGENCY_CALL_REQ
    )
}

impl Detector for Slow {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let _ = out;
        let answered = matches!(
            exchange.outcome.kind,
            OutcomeKind::Confirmed | OutcomeKind::Failed | OutcomeKind::Late
        );
        let (Some(request), Some(latency), true) =
            (&exchange.request, exchange.outcome.latency, answered)
        else {
            return;
        };
        let number = request.number;
        // Opening and heartbeats have findings of their own.
        if exchange.asked == Direction::ServerToClient
            || matches!(number, roles::OPEN_REQ | roles::HEARTBEAT_REQ)
            || waits_for_far_ends(number)
        {
            return;
        }
        if self.kinds.len() >= MAX_KINDS && !self.kinds.contains_key(&number.0) {
            return;
        }
        let kind = self.kinds.entry(number.0).or_default();
        kind.latencies.note(latency);
        let least = around.thresholds().slow_least.min(around.thresholds().slow);
        if i128::from(latency) < i128::try_from(least.as_nanos()).unwrap_or(i128::MAX) {
            return;
        }
        if kind.slow.len() >= MAX_SLOW {
            kind.more += 1;
            return;
        }
        let ask = around.known().asked.get(request.no);
        let about = ask.map(super::known::Ask::about).filter(|a| !a.is_empty());
        let about = about.map_or_else(String::new, |about| format!(", {about}"));
        let mut sighting = Sighting::of_part(
            Code::RequestSlow,
            exchange.session,
            request,
            around,
            format!("answered after {}{about}", words::span(latency)),
        );
        if let Some(ask) = ask {
            sighting.agent.clone_from(&ask.agent);
            sighting.call = ask.call;
        }
        kind.slow.push(SlowAnswer { latency, sighting });
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        let thresholds = around.thresholds();
        let nanos = |d: std::time::Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
        let always = nanos(thresholds.slow);
        let factor = i64::try_from(thresholds.slow_factor).unwrap_or(i64::MAX);
        let mut told = Vec::new();
        for (number, mut kind) in std::mem::take(&mut self.kinds) {
            let median = kind.latencies.median();
            let relative = nanos(thresholds.slow_least).max(median.saturating_mul(factor));
            let much: usize = kind.slow.iter().filter(|s| s.latency > relative).count();
            let enough = super::thresholds::reaches(much, thresholds.slow_times);
            kind.slow
                .retain(|s| s.latency > always || (enough && s.latency > relative));
            let Some(worst) = kind.slow.iter().map(|s| s.latency).max() else {
                continue;
            };
            let name = requests::name(MessageType(number));
            // Of a few answers nobody can say what is usual.
            let usual = if kind.latencies.total < LEAST_USUAL {
                String::new()
            } else {
                format!(", usually after {}", words::span(median))
            };
            let group = format!("{name} answered after up to {}{usual}", words::span(worst));
            if kind.more > 0 {
                let hint = format!("{} more answers took long", kind.more);
                out.hint(Code::RequestSlow, &group, hint);
            }
            told.push((number, group, kind.slow));
        }
        // What is slow tells who is: the server does everything itself but for what it asks Unified CM.
        let control = told
            .iter()
            .filter(|(number, ..)| requests::controls_a_call(MessageType(*number)))
            .count();
        let hint = match (control, told.len()) {
            (0, _) => "no call control among them: the server, or what it asks besides Unified CM",
            (some, all) if some == all => "call control only: JTAPI gateway or Unified CM",
            _ => "call control and other requests: the server or the PG as a whole",
        };
        for (_, group, list) in told {
            for slow in list {
                out.push(slow.sighting.group(group.clone()).hint(hint));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_right_to_a_quarter() {
        let mut histogram = Histogram::default();
        for millis in [9, 9, 10, 12, 7_000] {
            histogram.note(millis * 1_000_000);
        }
        let median = histogram.median();
        assert!((7_500_000..=10_000_000).contains(&median), "{median}");
        assert_eq!(Histogram::default().median(), 0);
    }

    #[test]
    fn every_latency_falls_into_a_range() {
        let mut histogram = Histogram::default();
        for nanos in [i64::MIN, 0, 1, 1_000, 3_000, i64::MAX] {
            histogram.note(nanos);
        }
        assert_eq!(histogram.total, 6);
        assert!(histogram.median() >= 1_000);
    }
}
