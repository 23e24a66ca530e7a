//! Out of step: searches the buffer for a boundary and goes on from the one that is confirmed.

use super::confirm::{self, Judge, Verdict};
use super::{BreakCause, Candidate, Framed, Framer, Output, State, length, total};
use crate::decode::wire::{self, HEADER_LEN};
use crate::limits;
use crate::time::Timestamp;

impl Framer {
    /// Searches the buffer for a boundary. `last`: no more bytes will come to confirm it.
    pub(super) fn search(
        &mut self,
        judge: &mut Judge<'_>,
        last: bool,
        out: &mut dyn FnMut(Output<'_>),
    ) {
        let State::Searching(mut candidate) = self.state else {
            return;
        };
        loop {
            let mut credit = self.credit;
            let verdict = self.follow(&mut candidate, judge, last, &mut credit);
            self.credit = credit;
            match verdict {
                Verdict::Confirmed | Verdict::Unopposed => {
                    let unconfirmed = verdict == Verdict::Unopposed;
                    self.resume(candidate.start, unconfirmed, judge, out);
                    // A later header of the buffer may have made no sense.
                    let State::Searching(next) = self.state else {
                        return;
                    };
                    candidate = next;
                }
                Verdict::NotYet if last && candidate.start < self.buffer.len() => {
                    // Nothing more will confirm this one; a later one may have its confirmation here.
                    candidate = self.next_candidate(&candidate);
                }
                Verdict::NotYet => {
                    self.forget_before(&mut candidate);
                    self.state = State::Searching(candidate);
                    return;
                }
                Verdict::Refuted => {
                    // Only the computed place is easy to believe.
                    candidate = self.next_candidate(&candidate);
                }
            }
        }
    }

    fn next_candidate(&self, refuted: &Candidate) -> Candidate {
        let start = confirm::next_header(&self.buffer, refuted.start + 1);
        let mut enclosed = confirm::enclosed(self.buffer.get(..start).unwrap_or(&[]));
        for (end, before) in enclosed.iter_mut().zip(refuted.enclosed) {
            // It may still be in the field that began at an earlier candidate.
            *end = (*end).max((refuted.start + before).saturating_sub(start));
        }
        Candidate {
            start,
            next: start,
            required: self.required,
            enclosed,
            ..Candidate::default()
        }
    }

    /// Follows the chain of messages from a candidate as far as the buffer goes. Trial decoding costs `credit`; without any,
    /// a candidate is refuted, so that no bytes can make the search cost more than a fixed effort for each of them.
    fn follow(
        &self,
        candidate: &mut Candidate,
        judge: &mut Judge<'_>,
        last: bool,
        credit: &mut u64,
    ) -> Verdict {
        if candidate.next == candidate.start && candidate.start < self.buffer.len() {
            candidate.widths = confirm::Widths::both();
            candidate.worth = u32::from(self.is_segment_start(candidate.start));
        }
        let computed = candidate.required <= confirm::COMPUTED;
        loop {
            let Some(rest) = self.buffer.get(candidate.next..) else {
                return Verdict::NotYet;
            };
            let chain = candidate.next - candidate.start;
            if chain > 0 && candidate.enclosed.contains(&chain) {
                // What was read is just what a floating field in front of it would hold.
                return Verdict::Refuted;
            }
            let settled = chain > 0 && candidate.enclosed.iter().all(|end| *end < chain);
            let enough = |bonus: u32| settled && candidate.worth + bonus >= candidate.required;
            if enough(0) {
                return self.follow_on(candidate, judge, last, credit);
            }
            if rest.is_empty() {
                // The chain ends where a segment ends.
                return if enough(1) {
                    Verdict::Confirmed
                } else {
                    Verdict::NotYet
                };
            }
            if chain > limits::MAX_SEARCH {
                return Verdict::Refuted;
            }
            let Ok((_, header)) = wire::header(rest) else {
                return Verdict::NotYet;
            };
            let Some(message) = judge.strict(header) else {
                return Verdict::Refuted;
            };
            if enough(1) {
                candidate.worth += 1;
                continue;
            }
            let Some(bytes) = total(header.length).and_then(|t| rest.get(..t)) else {
                return match (computed && chain == 0, last) {
                    // The place is known and the header suits it; the rest may never have been captured.
                    (true, _) => Verdict::Confirmed,
                    (false, true) => Verdict::Refuted,
                    (false, false) => Verdict::NotYet,
                };
            };
            let cost = judge.cost(message).saturating_mul(length(bytes));
            let Some(left) = credit.checked_sub(cost) else {
                return Verdict::Refuted;
            };
            *credit = left;
            let Some(worth) = judge.worth(bytes, message, &mut candidate.widths) else {
                return Verdict::Refuted;
            };
            if chain == 0 && candidate.worth == 0 && !computed && !worth.stands_alone() {
                // Numbers of a long message just before a true one can look like a short one.
                return Verdict::Refuted;
            }
            candidate.worth += worth.points;
            candidate.next += bytes.len();
            if computed && candidate.worth >= candidate.required {
                return Verdict::Confirmed;
            }
        }
    }

    /// Enough speaks for a chain so far. It must lead through all that is there: what looks like messages within another
    /// message is hardly followed by more of them to the end of a segment.
    fn follow_on(
        &self,
        candidate: &mut Candidate,
        judge: &Judge<'_>,
        last: bool,
        credit: &mut u64,
    ) -> Verdict {
        let unfinished = match last {
            false => Verdict::NotYet,
            true if self.is_segment_start(candidate.start) => Verdict::Confirmed,
            true => Verdict::Unopposed,
        };
        loop {
            let rest = self.buffer.get(candidate.next..).unwrap_or(&[]);
            let far = candidate.next - candidate.start > limits::MAX_SEARCH;
            if rest.is_empty() || far {
                return Verdict::Confirmed;
            }
            if !judge.may_begin(rest) {
                return Verdict::Refuted;
            }
            let whole = wire::header(rest)
                .ok()
                .and_then(|(_, header)| total(header.length))
                .filter(|total| *total <= rest.len());
            let Some(whole) = whole else {
                return unfinished;
            };
            let Some(left) = credit.checked_sub(length(rest.get(..HEADER_LEN).unwrap_or(&[])))
            else {
                return Verdict::Confirmed;
            };
            *credit = left;
            candidate.next += whole;
        }
    }

    fn is_segment_start(&self, at: usize) -> bool {
        let index = self.pieces.partition_point(|piece| piece.end <= at);
        let before = index.checked_sub(1).and_then(|i| self.pieces.get(i));
        let begins_here = before.map_or(0, |piece| piece.end) == at;
        begins_here
            && self
                .pieces
                .get(index)
                .is_some_and(|piece| piece.segment_start)
    }

    /// Drops what lies before the candidate: it can be no boundary any more.
    fn forget_before(&mut self, candidate: &mut Candidate) {
        let before = candidate.start.min(self.buffer.len());
        if before > 0 {
            self.begin_break(
                BreakCause::MidStream,
                self.pieces
                    .first()
                    .map_or_else(Timestamp::default, |p| p.time),
            );
            self.skip(before);
            self.drop_front(before);
            candidate.start -= before;
            candidate.next = candidate.next.saturating_sub(before);
        }
    }

    fn drop_front(&mut self, bytes: usize) {
        self.buffer.drain(..bytes.min(self.buffer.len()));
        let mut start = 0;
        self.pieces.retain_mut(|piece| {
            // A piece that is cut no longer begins with its segment.
            piece.segment_start &= start >= bytes;
            start = piece.end;
            piece.end = piece.end.saturating_sub(bytes);
            piece.end > 0
        });
    }

    /// The boundary at `start` is confirmed: tells what was skipped and hands out the whole messages of the buffer.
    fn resume(
        &mut self,
        start: usize,
        unconfirmed: bool,
        judge: &Judge<'_>,
        out: &mut dyn FnMut(Output<'_>),
    ) {
        if start > 0 {
            self.begin_break(
                BreakCause::MidStream,
                self.pieces
                    .first()
                    .map_or_else(Timestamp::default, |p| p.time),
            );
            self.skip(start);
        }
        self.unconfirmed = 0;
        if let Some(mut pending) = self.pending.take() {
            pending.resumed = true;
            if let Some(piece) = self.pieces.iter().find(|piece| piece.end > start) {
                pending.time = piece.time;
            }
            out(Output::Break(pending));
        }
        self.required = self.required.min(confirm::ENOUGH);
        let mut at = start;
        let mut piece = 0;
        let mut in_step = true;
        loop {
            let rest = self.buffer.get(at..).unwrap_or(&[]);
            let Ok((_, header)) = wire::header(rest) else {
                break;
            };
            if total(header.length).is_none() || !judge.plausible(header) {
                in_step = false;
                break;
            }
            let Some(bytes) = total(header.length).and_then(|t| rest.get(..t)) else {
                break;
            };
            let end = at + bytes.len();
            while self.pieces.get(piece).is_some_and(|p| p.end <= at) {
                piece += 1;
            }
            self.packets.clear();
            let mut time = Timestamp::default();
            for part in self.pieces.iter().skip(piece) {
                if self.packets.last() != Some(&part.packet) {
                    self.packets.push(part.packet);
                }
                time = part.time;
                if part.end >= end {
                    break;
                }
            }
            out(Output::Message(Framed {
                bytes,
                time,
                packets: &self.packets,
                sequence: self.sequence_at(at),
                unconfirmed,
            }));
            at = end;
        }
        self.drop_front(at);
        self.state = State::InStep;
        if !in_step {
            let time = self
                .pieces
                .first()
                .map_or_else(Timestamp::default, |p| p.time);
            self.begin_break(BreakCause::BadHeader, time);
            self.search_from_here(self.required);
        }
    }
}
