//! One direction of a connection: what was sent, sent again, acknowledged and held.

use super::super::Thresholds;
use super::tls::Records;
use crate::capture::PacketId;
use crate::limits;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Time between two sendings of the same bytes below which it is no time-out of the sender.
const LEAST_TIMEOUT: Duration = Duration::from_millis(180);
/// A hole that fills so soon was disorder, not loss.
const DISORDER: Duration = Duration::from_millis(20);
/// A segment that follows an acknowledgement so soon was waiting for it.
const AT_ONCE: Duration = Duration::from_millis(1);
/// What delayed acknowledgements take.
const DELAYED_ACK: std::ops::Range<Duration> =
    Duration::from_millis(38)..Duration::from_millis(220);
/// Payload that fits into one segment on every usual path.
const SMALL: u32 = 500;
/// Acknowledgements further ahead of all data are not believed.
const BELIEVED: u32 = 4 * 1024 * 1024;

/// How far a sequence number is after another one; negative when it is before.
pub(super) const fn distance(number: u32, from: u32) -> i32 {
    number.wrapping_sub(from).cast_signed()
}

/// A segment that is not acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub start: u32,
    pub end: u32,
    pub first: Timestamp,
    pub latest: Timestamp,
    /// How often it was sent again after a time-out.
    pub timeouts: u32,
    /// How long the connection had been silent before it.
    pub idle: Duration,
    /// The receiver was heard after it was sent first.
    pub heard: bool,
}

/// Numbers that were jumped over.
#[derive(Debug, Clone, Copy)]
struct Hole {
    start: u32,
    end: u32,
    at: Timestamp,
    /// The receiver has these bytes: what fills the hole is late in the capture only.
    arrived: bool,
}

/// What became known by a segment with payload.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sending {
    /// New bytes.
    New,
    /// New bytes, sent at once when those before were acknowledged late.
    Held(Duration),
    /// Bytes that were sent before.
    Again,
    /// A hole was filled late, by disorder.
    Disorder,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Segments of this sender were captured.
    pub heard: bool,
    /// Sequence number behind all that was sent.
    pub next: Option<u32>,
    /// What is not acknowledged, the latest segments.
    pub unacked: VecDeque<Sent>,
    /// The stretch of numbers that was jumped over last.
    hole: Option<Hole>,
    /// Times at which bytes were acknowledged that are not in the capture, the latest.
    pub unseen: VecDeque<Timestamp>,
    /// Payload of the largest segment, and of the largest that was acknowledged.
    pub largest: u32,
    pub largest_acked: u32,
    /// Times at which something was sent again, the latest.
    pub again: VecDeque<Timestamp>,
    /// The packet of the latest one.
    pub again_packet: Option<PacketId>,
    /// Time of the acknowledgement that let a small segment go, and how late it came.
    released: Option<(Timestamp, Duration)>,
    /// Small segments were sent without waiting for acknowledgements.
    sends_at_once: bool,
    /// Of the stretch under way: its beginning, segments with payload, those sent again.
    pub stretch: Option<(Timestamp, u32, u32)>,
    /// A window other than 0 was announced by this sender.
    pub window_known: bool,
    /// Since when this sender's window is closed.
    pub closed_since: Option<(Timestamp, PacketId)>,
    /// When it opened again.
    pub opened_again: Option<Timestamp>,
    /// TLS records, while the beginning was captured.
    pub records: Option<Records>,
    /// Bytes of payload that came in order from the beginning.
    pub first_payload: bool,
    pub fin: bool,
}

impl Flow {
    /// A segment with payload. `idle`: how long the connection was silent before it.
    pub fn send(
        &mut self,
        start: u32,
        bytes: u32,
        time: Timestamp,
        packet: PacketId,
        idle: Duration,
    ) -> Sending {
        let end = start.wrapping_add(bytes);
        let next = *self.next.get_or_insert(start);
        if distance(end, next) <= 0 {
            return self.old(start, end, time, packet);
        }
        if distance(start, next) > 0 {
            self.hole = Some(Hole {
                start: next,
                end: start,
                at: time,
                arrived: false,
            });
        }
        self.next = Some(end);
        // With Nagle's algorithm nothing small leaves while something is not acknowledged.
        self.sends_at_once |= bytes < SMALL && !self.unacked.is_empty();
        let held = self
            .released
            .take()
            .filter(|(at, _)| time <= at.after(AT_ONCE) && bytes < SMALL && !self.sends_at_once);
        self.largest = self.largest.max(bytes);
        if self.unacked.len() >= limits::MAX_IN_FLIGHT {
            self.unacked.pop_front();
        }
        self.unacked.push_back(Sent {
            start,
            end,
            first: time,
            latest: time,
            timeouts: 0,
            idle,
            heard: false,
        });
        self.count(time, false);
        held.map_or(Sending::New, |(_, late)| Sending::Held(late))
    }

    /// Bytes that lie behind what was sent already.
    fn old(&mut self, start: u32, end: u32, time: Timestamp, packet: PacketId) -> Sending {
        if let Some(hole) = self.hole
            && distance(start, hole.start) >= 0
            && distance(end, hole.end) <= 0
        {
            let rest = Hole { start: end, ..hole };
            self.hole = (end != hole.end).then_some(rest);
            if hole.arrived || time <= hole.at.after(DISORDER) {
                return Sending::Disorder;
            }
            // The first sending was lost before it could be captured.
            self.note_again(time, packet);
            return Sending::Again;
        }
        self.note_again(time, packet);
        let sent = self.unacked.iter_mut().find(|sent| sent.start == start);
        if let Some(sent) = sent {
            if time >= sent.latest.after(LEAST_TIMEOUT) {
                sent.timeouts += 1;
            }
            sent.latest = time;
        }
        Sending::Again
    }

    fn note_again(&mut self, time: Timestamp, packet: PacketId) {
        self.again_packet = Some(packet);
        self.count(time, true);
        if self.again.len() >= limits::MAX_AGAIN {
            self.again.pop_front();
        }
        self.again.push_back(time);
    }

    fn count(&mut self, time: Timestamp, again: bool) {
        let (_, sent, repeated) = self.stretch.get_or_insert((time, 0, 0));
        *sent = sent.saturating_add(1);
        *repeated = repeated.saturating_add(u32::from(again));
    }

    /// The stretch, when it is over.
    pub fn stretch_over(
        &mut self,
        time: Timestamp,
        thresholds: &Thresholds,
    ) -> Option<(Timestamp, u32, u32)> {
        let (since, ..) = self.stretch?;
        if time > since.after(thresholds.loss_window) {
            return self.stretch.take();
        }
        None
    }

    /// The other end acknowledges what this one sent. `false` when it acknowledges bytes that were never captured.
    pub fn acknowledged(&mut self, number: u32, time: Timestamp, pure: bool) -> bool {
        let Some(next) = self.next else {
            return true;
        };
        let ahead = distance(number, next);
        // A FIN takes one number.
        let whole = ahead <= 0 || (self.fin && ahead == 1);
        if !whole {
            if number.wrapping_sub(next) < BELIEVED {
                self.next = Some(number);
                self.unacked.clear();
                self.hole = Some(Hole {
                    start: next,
                    end: number,
                    at: time,
                    arrived: true,
                });
                self.stretch = None;
                if self.unseen.len() >= limits::MAX_AGAIN {
                    self.unseen.pop_front();
                }
                self.unseen.push_back(time);
            }
            return false;
        }
        let mut last = None;
        while let Some(sent) = self.unacked.front()
            && distance(number, sent.end) >= 0
        {
            let bytes = sent.end.wrapping_sub(sent.start);
            self.largest_acked = self.largest_acked.max(bytes);
            last = self.unacked.pop_front();
        }
        if let Some(last) = last {
            let late = since(time, last.first);
            let waited = pure && self.unacked.is_empty() && last.timeouts == 0;
            self.released = (waited && DELAYED_ACK.contains(&late)).then_some((time, late));
        } else {
            for sent in &mut self.unacked {
                sent.heard = true;
            }
        }
        true
    }

    /// Bytes that are not in the capture arrived between two times.
    pub fn is_lacking(&self, from: Timestamp, until: Timestamp) -> bool {
        self.unseen.iter().any(|at| *at >= from && *at <= until)
    }

    /// Something was sent again between two times.
    pub fn sent_again(&self, from: Timestamp, until: Timestamp) -> bool {
        self.again.iter().any(|at| *at >= from && *at <= until)
    }
}

/// Time from one moment to a later one; 0 where the clock went back.
pub(super) fn since(time: Timestamp, earlier: Timestamp) -> Duration {
    Duration::from_nanos(u64::try_from(time.nanos_since(earlier)).unwrap_or(0))
}
