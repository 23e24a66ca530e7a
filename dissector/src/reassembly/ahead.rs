//! Data that came before its turn: pieces kept in order while the hole before them may still fill.

use super::recent::differing;
use crate::Timestamp;
use crate::capture::PacketId;
use crate::limits::{HOLE_GRACE, HOLE_GRACE_SEGMENTS, HOLE_PATIENCE, PIECE_OVERHEAD};
use std::collections::BTreeMap;

/// A point in a connection's life: capture time, and segments of the connection seen by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: Timestamp,
    pub(super) segments: u64,
}

impl Moment {
    /// The grace that began at `self` is over.
    pub(super) fn grace_over(self, now: Self) -> bool {
        now.segments.saturating_sub(self.segments) >= HOLE_GRACE_SEGMENTS
            || self.time.after(HOLE_GRACE) <= now.time
    }
}

/// Payload of one segment placed in its stream: bytes from offset `start`, then what the snap length cut, up to `end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) start: i64,
    pub(super) bytes: &'a [u8],
    pub(super) end: i64,
    pub(super) packet: PacketId,
    pub(super) time: Timestamp,
}

impl<'a> Incoming<'a> {
    /// The captured bytes between two offsets; fewer, or none, where they were cut or lie outside.
    pub(super) fn slice(&self, from: i64, to: i64) -> &'a [u8] {
        let place = |offset: i64| {
            usize::try_from(offset.saturating_sub(self.start).max(0))
                .map_or(self.bytes.len(), |index| index.min(self.bytes.len()))
        };
        self.bytes.get(place(from)..place(to)).unwrap_or_default()
    }
}

/// One held piece: bytes of one packet, then bytes that the snap length cut.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: Box<[u8]>,
    /// Offset where the piece ends, cut bytes included.
    pub(super) end: i64,
    pub(super) packet: PacketId,
    pub(super) time: Timestamp,
    pub(super) segment_start: bool,
}

impl Piece {
    fn cost(&self) -> usize {
        self.bytes.len().saturating_add(PIECE_OVERHEAD)
    }

    /// Bytes in which the piece, at offset `start`, and `incoming` differ.
    pub(super) fn conflicts(&self, start: i64, incoming: &Incoming<'_>) -> u64 {
        let own = Incoming {
            start,
            bytes: &self.bytes,
            end: self.end,
            packet: self.packet,
            time: self.time,
        };
        let from = start.max(incoming.start);
        let to = self.end.min(incoming.end);
        if from >= to {
            return 0;
        }
        let (own, again) = (own.slice(from, to), incoming.slice(from, to));
        let both = own.len().min(again.len());
        differing(
            own.get(..both).unwrap_or_default(),
            again.get(..both).unwrap_or_default(),
        )
    }
}

/// What storing a segment would do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Ranges that no piece covers yet.
    free: Vec<(i64, i64)>,
    /// Bytes the new pieces would count for.
    pub(super) cost: usize,
    /// Some of the segment was there already.
    pub(super) overlap: bool,
    /// Bytes that were there with another value.
    pub(super) conflicts: u64,
}

/// The held pieces of one direction, and the state of the hole before them.
#[derive(Debug)]
pub(super) struct Ahead {
    pieces: BTreeMap<i64, Piece>,
    cost: usize,
    /// Since when the first hole is waited for.
    pub(super) since: Timestamp,
    /// No held piece was captured before this.
    earliest: Timestamp,
    /// Acknowledged so far as settled: the grace is over.
    pub(super) settled: i64,
    /// Acknowledged, but still within its grace.
    pending: Option<(i64, Moment)>,
}

impl Ahead {
    pub(super) const fn new(since: Timestamp) -> Self {
        Self {
            pieces: BTreeMap::new(),
            cost: 0,
            since,
            earliest: since,
            settled: i64::MIN,
            pending: None,
        }
    }

    /// Bytes held, with the overhead of each piece.
    pub(super) const fn cost(&self) -> usize {
        self.cost
    }

    /// Offset of the first piece.
    pub(super) fn first_start(&self) -> Option<i64> {
        self.pieces.first_key_value().map(|(start, _)| *start)
    }

    /// A time before which no held piece was captured; `None` when nothing is held.
    pub(super) fn earliest(&self) -> Option<Timestamp> {
        (!self.pieces.is_empty()).then_some(self.earliest)
    }

    /// Offset after the last piece.
    pub(super) fn last_end(&self) -> Option<i64> {
        self.pieces.last_key_value().map(|(_, piece)| piece.end)
    }

    /// Takes the first piece if it begins at or before `next`.
    pub(super) fn pop_until(&mut self, next: i64) -> Option<(i64, Piece)> {
        if self.first_start()? > next {
            return None;
        }
        let (start, piece) = self.pieces.pop_first()?;
        self.cost = self.cost.saturating_sub(piece.cost());
        Some((start, piece))
    }

    /// The remaining hole is waited for since the piece after it came.
    pub(super) fn restart_patience(&mut self) {
        if let Some((_, piece)) = self.pieces.first_key_value() {
            self.since = piece.time;
        }
    }

    /// Compares a segment with the pieces. Visits no more pieces than the segment has bytes, and one.
    pub(super) fn plan(&self, incoming: &Incoming<'_>) -> Plan {
        let mut plan = Plan::default();
        let mut free_from = incoming.start;
        let before = self.pieces.range(..incoming.start).next_back();
        let within = self.pieces.range(incoming.start..incoming.end);
        for (&start, piece) in before.into_iter().chain(within) {
            #[cfg(test)]
            VISITED.set(VISITED.get() + 1);
            if piece.end <= incoming.start {
                continue;
            }
            plan.overlap = true;
            plan.conflicts += piece.conflicts(start, incoming);
            plan.add_free(free_from, start, incoming);
            free_from = free_from.max(piece.end);
        }
        plan.add_free(free_from, incoming.end, incoming);
        plan
    }

    /// Copies what the plan found free. The bytes that came first stay.
    pub(super) fn store(&mut self, plan: &Plan, incoming: &Incoming<'_>) {
        for &(start, end) in &plan.free {
            let piece = Piece {
                bytes: incoming.slice(start, end).into(),
                end,
                packet: incoming.packet,
                time: incoming.time,
                segment_start: start == incoming.start,
            };
            self.cost = self.cost.saturating_add(piece.cost());
            self.earliest = self.earliest.min(piece.time);
            self.pieces.insert(start, piece);
        }
    }

    /// Moves acknowledgements through their grace. `island` is where the first hole ends.
    pub(super) fn settle(&mut self, acked: i64, island: i64, now: Moment) {
        if let Some((value, since)) = self.pending
            && since.grace_over(now)
        {
            self.settled = value;
            self.pending = None;
        }
        if self.pending.is_none() && acked >= island && acked > self.settled {
            self.pending = Some((acked, now));
        }
    }

    /// When the first hole will be given up, if nothing else happens.
    pub(super) fn deadline(&self) -> Timestamp {
        let patience = self.since.after(HOLE_PATIENCE);
        match self.pending {
            Some((_, since)) => patience.min(since.time.after(HOLE_GRACE)),
            None => patience,
        }
    }
}

impl Plan {
    fn add_free(&mut self, from: i64, to: i64, incoming: &Incoming<'_>) {
        if from < to {
            self.free.push((from, to));
            let bytes = incoming.slice(from, to).len();
            self.cost = self.cost.saturating_add(bytes + PIECE_OVERHEAD);
        }
    }
}

#[cfg(test)]
thread_local! {
    /// Pieces looked at so far: the cost of adversarial input, without a clock.
    pub(super) static VISITED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
