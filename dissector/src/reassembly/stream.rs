//! One direction of a connection: puts its bytes in order and tells what is missing. Knows nothing of the other direction
//! but what it acknowledged.

mod holes;

use super::ahead::{Ahead, Incoming, Moment};
use super::connection::Listener;
use super::event::{Connection, DataRun, DirectionStats, Gap, GapCause, Handler, Interest, Side};
use super::recent::Trace;
use super::seq::{SeqNum, believable_missing, payload_len, payload_start, seq_len};
use super::suspect::Suspect;
use crate::Timestamp;
use crate::capture::{PacketId, Segment};
use crate::limits::{MAX_JUMP, MAX_STREAM_BUFFER, MAX_WINDOW};

/// Where the events of one direction go.
pub(super) struct Out<'a, 'b, H> {
    pub(super) connection: &'a Connection,
    pub(super) from: Side,
    pub(super) listener: &'a mut Listener<'b, H>,
    /// The handler wants no more data of this connection.
    pub(super) ignored: bool,
}

/// How the place of a stream in sequence numbers became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// Nothing seen of this direction.
    Unseen,
    /// Nothing seen, but the other side said what it expects.
    Acked,
    /// By the first data seen.
    MidStream,
    /// By a SYN with this number.
    Syn(SeqNum),
}

/// What became of a segment's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Delivered, held, known already or dropped.
    Taken,
    /// The second of two segments that agree on a place far outside the window; the first is held as suspect.
    Moved,
}

/// One direction. Bytes have 64-bit offsets from the stream's start, so that only [`Stream::offset`] meets the wrap.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) start: Start,
    /// Sequence number of the byte at `next`; before the start, what the other side expects.
    pub(super) next_seq: SeqNum,
    /// Offset of the next byte to deliver.
    next: i64,
    /// Highest offset that the other side acknowledged.
    acked: i64,
    /// Offset where FIN ended the data.
    fin: Option<i64>,
    /// Where the bytes delivered last are remembered.
    trace: Trace,
    /// Time of the last run.
    pub(super) last_time: Timestamp,
    ahead: Option<Box<Ahead>>,
    suspect: Option<Box<Suspect>>,
    pub(super) stats: DirectionStats,
}

impl Stream {
    pub(super) fn new() -> Self {
        Self {
            start: Start::Unseen,
            next_seq: SeqNum::new(0),
            next: 0,
            acked: 0,
            fin: None,
            trace: Trace::default(),
            last_time: Timestamp::from_nanos(i64::MIN),
            ahead: None,
            suspect: None,
            stats: DirectionStats::default(),
        }
    }

    /// A segment of this direction was captured, or one that fixes its start.
    pub(super) const fn is_started(&self) -> bool {
        matches!(self.start, Start::MidStream | Start::Syn(_))
    }

    /// Sequence number of the first byte.
    pub(super) fn base_seq(&self) -> SeqNum {
        let low = u32::try_from(self.next & i64::from(u32::MAX)).unwrap_or(0);
        self.next_seq.plus(low.wrapping_neg())
    }

    /// Begins the stream after a SYN with this number, or adopts the number when it has begun.
    pub(super) fn start_at_syn(&mut self, isn: SeqNum) {
        if !self.is_started() {
            self.next_seq = isn.plus(1);
        }
        self.start = Start::Syn(isn);
    }

    /// Nothing is held, nor waited for before a FIN.
    pub(super) const fn is_calm(&self) -> bool {
        self.ahead.is_none() && self.suspect.is_none()
    }

    /// Bytes held for this direction, overhead included.
    pub(super) fn held(&self) -> usize {
        let ahead = self.ahead.as_ref().map_or(0, |ahead| ahead.cost());
        ahead.saturating_add(self.suspect.as_ref().map_or(0, |suspect| suspect.cost()))
    }

    /// A time before which nothing that is held was captured.
    pub(super) fn earliest_held(&self) -> Option<Timestamp> {
        self.ahead.as_ref().and_then(|ahead| ahead.earliest())
    }

    /// All bytes up to the FIN were delivered or reported missing.
    pub(super) fn is_finished(&self) -> bool {
        self.fin == Some(self.next)
    }

    pub(super) fn take_suspect(&mut self) -> Option<Box<Suspect>> {
        self.suspect.take()
    }

    /// Offset of a sequence number, the nearest one to `next`.
    fn offset(&self, seq: SeqNum) -> i64 {
        self.next.saturating_add(seq.distance_from(self.next_seq))
    }

    /// Offset after all data seen.
    fn sent(&self) -> i64 {
        let held = self.ahead.as_ref().and_then(|ahead| ahead.last_end());
        held.map_or(self.next, |end| end.max(self.next))
    }

    /// The other side expects `ack` next.
    pub(super) fn acknowledged(&mut self, ack: SeqNum, now: Moment) {
        if !self.is_started() {
            self.start = Start::Acked;
            self.next_seq = ack;
            return;
        }
        let offset = self.offset(ack);
        let believable = self.sent().saturating_add(i64::from(MAX_WINDOW));
        if offset > self.acked && offset <= believable {
            self.acked = offset;
        }
        self.settle(now);
    }

    /// Takes the payload of a segment.
    pub(super) fn data<H: Handler>(
        &mut self,
        segment: &Segment<'_>,
        now: Moment,
        out: &mut Out<'_, '_, H>,
    ) -> Fate {
        let len = i64::from(payload_len(segment));
        let start_seq = payload_start(segment);
        if !self.is_started() {
            if len == 0 {
                return Fate::Taken;
            }
            self.start = Start::MidStream;
            self.next_seq = start_seq;
        }
        let is_whole = !segment.payload.is_empty() && believable_missing(segment) == 0;
        if start_seq == self.next_seq && is_whole && self.ahead.is_none() && self.fin.is_none() {
            // Next in order, with nothing held: so it is nearly always.
            self.drop_suspect();
            self.deliver(segment.payload, true, segment.packet, segment.time, out);
            return Fate::Taken;
        }
        let start = self.offset(start_seq);
        let end = start.saturating_add(len);
        let distance = start.saturating_sub(self.next);
        if distance > i64::from(MAX_JUMP) || distance + len < -i64::from(MAX_JUMP) {
            return if len == 0 {
                Fate::Taken
            } else {
                self.doubt(segment)
            };
        }
        let control = segment.flags.syn || segment.flags.fin;
        if len <= 1 && !control && start == self.sent() - 1 {
            self.stats.keep_alives += 1;
            return Fate::Taken;
        }
        if len == 0 {
            return Fate::Taken;
        }
        self.drop_suspect();
        if start < 0 {
            self.stats.bytes_before_start += u64::try_from(end.min(0) - start).unwrap_or(0);
        }
        let known = end.min(self.next) > start.max(0);
        let incoming = Incoming {
            start,
            bytes: segment.payload,
            end: self.fin.map_or(end, |fin| end.min(fin)),
            packet: segment.packet,
            time: segment.time,
        };
        let is_new = incoming.end > self.next.max(incoming.start);
        if known && !is_new {
            self.compare(&incoming, out);
        }
        let overlap = is_new && self.place(&incoming, now, out);
        self.stats.retransmitted += u64::from(known || overlap);
        Fate::Taken
    }

    /// Delivers or holds what is new in a segment. Says whether some of it was held already.
    fn place<H: Handler>(
        &mut self,
        incoming: &Incoming<'_>,
        now: Moment,
        out: &mut Out<'_, '_, H>,
    ) -> bool {
        while !out.ignored {
            if incoming.start <= self.next {
                return self.fill(incoming, out);
            }
            let ahead = self
                .ahead
                .get_or_insert_with(|| Box::new(Ahead::new(incoming.time)));
            let plan = ahead.plan(incoming);
            if ahead.cost().saturating_add(plan.cost) <= MAX_STREAM_BUFFER {
                ahead.store(&plan, incoming);
                self.note_conflicts(plan.conflicts, incoming.packet);
                self.settle(now);
                return plan.overlap;
            }
            self.make_room(incoming.start, now.time, out);
        }
        false
    }

    /// Delivers a segment that begins at or before `next`, and held data that follows it.
    fn fill<H: Handler>(&mut self, incoming: &Incoming<'_>, out: &mut Out<'_, '_, H>) -> bool {
        let mut overlap = false;
        if incoming.start < self.next {
            self.compare(incoming, out);
        }
        while !out.ignored {
            if self.next < incoming.end {
                let held = self.ahead.as_ref().and_then(|ahead| ahead.first_start());
                let stop = held.map_or(incoming.end, |held| held.min(incoming.end));
                let starts = self.next == incoming.start;
                let bytes = incoming.slice(self.next, stop);
                self.deliver(bytes, starts, incoming.packet, incoming.time, out);
                self.gap_to(stop, GapCause::CutBySnapLength, incoming.time, out);
                if out.ignored {
                    break;
                }
            }
            let Some((start, conflicts)) = self.next_held(Some(incoming), out) else {
                if self.next >= incoming.end {
                    break;
                }
                continue;
            };
            overlap |= start < incoming.end;
            self.note_conflicts(conflicts, incoming.packet);
            if let Some(ahead) = &mut self.ahead {
                ahead.restart_patience();
            }
        }
        self.tidy();
        overlap
    }

    /// Compares what a segment brings of bytes delivered before.
    #[cold]
    fn compare<H: Handler>(&mut self, incoming: &Incoming<'_>, out: &Out<'_, '_, H>) {
        let start = incoming.start.max(0);
        let again = incoming.slice(start, self.next.min(incoming.end));
        let found = out.listener.recent.compare(self.trace, start, again);
        self.note_conflicts(found.conflicting, incoming.packet);
    }

    fn note_conflicts(&mut self, bytes: u64, packet: PacketId) {
        if bytes > 0 {
            self.stats.conflicting_bytes += bytes;
            self.stats.first_conflict.get_or_insert(packet);
        }
    }

    /// Delivers the held piece that is next, if any; returns its offset and how many of its bytes `filler` contradicts.
    fn next_held<H: Handler>(
        &mut self,
        filler: Option<&Incoming<'_>>,
        out: &mut Out<'_, '_, H>,
    ) -> Option<(i64, u64)> {
        let (start, piece) = self.ahead.as_mut()?.pop_until(self.next)?;
        let conflicts = filler.map_or(0, |filler| piece.conflicts(start, filler));
        let time = filler.map_or(piece.time, |filler| piece.time.max(filler.time));
        if filler.is_some() && piece.segment_start {
            self.stats.out_of_order += 1;
        }
        self.deliver(&piece.bytes, piece.segment_start, piece.packet, time, out);
        self.gap_to(piece.end, GapCause::CutBySnapLength, time, out);
        Some((start, conflicts))
    }

    /// Takes the FIN of a segment, and says whether it is new and believed: data seen must not contradict it.
    pub(super) fn fin(&mut self, segment: &Segment<'_>) -> bool {
        let start = payload_start(segment);
        if !self.is_started() {
            // The other side may have said where it stands: what it still expects before the FIN is missing, or late.
            let lacks = (1..=i64::from(MAX_WINDOW)).contains(&start.distance_from(self.next_seq));
            if self.start != Start::Acked || !lacks {
                self.next_seq = start;
            }
            self.start = Start::MidStream;
        }
        let end = self
            .offset(start)
            .saturating_add(i64::from(payload_len(segment)));
        let near = self.next.saturating_add(i64::from(MAX_JUMP));
        if self.fin.is_some() || end < self.sent() || end > near {
            return false;
        }
        self.fin = Some(end);
        if end > self.next {
            self.ahead
                .get_or_insert_with(|| Box::new(Ahead::new(segment.time)));
        }
        true
    }

    /// Follows a segment of a connection whose data nobody wants.
    pub(super) fn skip(&mut self, segment: &Segment<'_>) {
        let end = SeqNum::new(segment.sequence).plus(seq_len(segment));
        if !self.is_started() {
            self.start = Start::MidStream;
            self.next_seq = end;
        } else if end.distance_from(self.next_seq) > 0 || !end.is_near(self.next_seq, MAX_JUMP) {
            self.next_seq = end;
        }
        if segment.flags.fin {
            self.fin = Some(self.next);
        }
    }

    /// Forgets all data held.
    pub(super) fn drop_held(&mut self) {
        self.ahead = None;
        self.suspect = None;
        if self.fin.is_some() {
            self.fin = Some(self.next);
        }
    }

    /// Moves to where two segments agree that the stream is now, far ahead, and reports all between as a gap.
    pub(super) fn jump<H: Handler>(
        &mut self,
        segment: &Segment<'_>,
        now: Moment,
        out: &mut Out<'_, '_, H>,
    ) {
        self.flush(GapCause::NotCaptured, false, now.time, out);
        let Some(suspect) = self.suspect.take() else {
            return;
        };
        let target = self.offset(suspect.start());
        if target > self.next {
            self.fin = None;
            self.gap_to(target, GapCause::NotCaptured, now.time, out);
        }
        let held = suspect.segment();
        self.data(&held, now, out);
        if !out.ignored {
            self.data(segment, now, out);
        }
    }

    /// Holds a segment from far outside the window until another one agrees with it.
    fn doubt(&mut self, segment: &Segment<'_>) -> Fate {
        if let Some(suspect) = &self.suspect
            && suspect.is_confirmed_by(segment)
        {
            return Fate::Moved;
        }
        self.drop_suspect();
        if segment.payload.len() > MAX_STREAM_BUFFER {
            self.stats.implausible += 1;
            return Fate::Taken;
        }
        self.suspect = Some(Box::new(Suspect::new(segment)));
        Fate::Taken
    }

    /// No other segment agreed with the suspect.
    pub(super) fn drop_suspect(&mut self) {
        if self.suspect.take().is_some() {
            self.stats.implausible += 1;
        }
    }

    /// The distance to the suspect is a plausible loss: forward, by less than a quarter of all numbers.
    pub(super) fn suspect_is_ahead(&self) -> bool {
        self.suspect.as_ref().is_some_and(|suspect| {
            let distance = suspect.start().distance_from(self.next_seq);
            (0..1 << 30).contains(&distance)
        })
    }

    fn advance_to(&mut self, offset: i64) {
        let count = u32::try_from(offset.saturating_sub(self.next)).unwrap_or(0);
        self.next_seq = self.next_seq.plus(count);
        self.next = self.next.saturating_add(i64::from(count));
    }

    fn deliver<H: Handler>(
        &mut self,
        bytes: &[u8],
        segment_start: bool,
        packet: PacketId,
        time: Timestamp,
        out: &mut Out<'_, '_, H>,
    ) {
        let Ok(len) = u32::try_from(bytes.len()) else {
            return;
        };
        if len == 0 || out.ignored {
            return;
        }
        let time = time.max(self.last_time);
        self.last_time = time;
        out.listener
            .recent
            .remember(&mut self.trace, self.next, bytes);
        let sequence = self.next_seq.raw();
        self.advance_to(self.next.saturating_add(i64::from(len)));
        self.stats.bytes += u64::from(len);
        let run = DataRun {
            from: out.from,
            time,
            packet,
            bytes,
            sequence,
            segment_start,
        };
        if out.listener.handler.data(out.connection, run) == Interest::Ignore {
            out.ignored = true;
        }
    }

    fn gap_to<H: Handler>(
        &mut self,
        offset: i64,
        cause: GapCause,
        time: Timestamp,
        out: &mut Out<'_, '_, H>,
    ) {
        let Ok(bytes) = u64::try_from(offset.saturating_sub(self.next)) else {
            return;
        };
        if bytes == 0 || out.ignored {
            return;
        }
        self.advance_to(offset);
        self.stats.gaps += 1;
        self.stats.gap_bytes += bytes;
        let gap = Gap {
            from: out.from,
            time: time.max(self.last_time),
            bytes,
            cause,
        };
        out.listener.handler.gap(out.connection, gap);
    }
}
