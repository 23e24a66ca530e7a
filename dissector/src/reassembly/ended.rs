//! Connections that ended a moment ago, so that their late segments are not taken for new connections.

use super::connection::Entry;
use super::event::Side;
use super::seq::{SeqNum, payload_len, payload_start};
use super::stream::Start;
use super::table::Key;
use crate::Timestamp;
use crate::capture::Segment;
use crate::limits::{ENDED_MEMORY, HOLE_GRACE, MAX_ENDED, MAX_WINDOW};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

/// What is remembered of one.
#[derive(Debug)]
struct Tomb {
    number: u64,
    time: Timestamp,
    first: SocketAddr,
    /// For each side how it began and where it ended.
    streams: [(Start, SeqNum); 2],
}

/// The last [`MAX_ENDED`] of them.
#[derive(Debug, Default)]
pub(super) struct Ended {
    tombs: HashMap<Key, Tomb, foldhash::fast::RandomState>,
    order: VecDeque<(Key, u64)>,
    buried: u64,
}

impl Ended {
    pub(super) fn bury(&mut self, key: Key, entry: &Entry, time: Timestamp) {
        self.buried = self.buried.wrapping_add(1);
        let place = |side| {
            let stream = entry.stream(side);
            (stream.start, stream.next_seq)
        };
        let tomb = Tomb {
            number: self.buried,
            time,
            first: entry.connection.first,
            streams: [place(Side::First), place(Side::Second)],
        };
        self.tombs.insert(key, tomb);
        self.order.push_back((key, self.buried));
        while self.order.len() > MAX_ENDED {
            if let Some((key, number)) = self.order.pop_front()
                && self
                    .tombs
                    .get(&key)
                    .is_some_and(|tomb| tomb.number == number)
            {
                self.tombs.remove(&key);
            }
        }
    }

    /// The segment belongs to a connection that has ended: its SYN again, or data near where a stream ended.
    pub(super) fn owns(&self, key: &Key, segment: &Segment<'_>) -> bool {
        let Some(tomb) = self.tombs.get(key) else {
            return false;
        };
        if tomb.time.after(ENDED_MEMORY) < segment.time {
            return false;
        }
        let [first, second] = tomb.streams;
        let (own, other) = if segment.source == tomb.first {
            (first, second)
        } else {
            (second, first)
        };
        if segment.flags.syn {
            let isn = SeqNum::new(segment.sequence);
            return match own.0 {
                Start::Syn(known) => known == isn,
                // It may be the connection's own, captured after all the rest of it.
                Start::MidStream => {
                    let sent = own.1.distance_from(isn.plus(1));
                    (0..=i64::from(MAX_WINDOW)).contains(&sent)
                        && segment.time <= tomb.time.after(HOLE_GRACE)
                }
                Start::Unseen | Start::Acked => false,
            };
        }
        if own.0 != Start::Unseen {
            let end = payload_start(segment).plus(payload_len(segment));
            return payload_start(segment).is_near(own.1, MAX_WINDOW)
                || end.is_near(own.1, MAX_WINDOW);
        }
        segment.flags.ack && SeqNum::new(segment.acknowledgment).is_near(other.1, MAX_WINDOW)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.tombs.len(), self.order.len())
    }
}
