//! One connection: what SYN, ACK, FIN and RST mean for its two streams.

use super::ahead::Moment;
use super::event::{Connection, ConnectionId, End, GapCause, Handler, Side};
use super::seq::{SeqNum, payload_len};
use super::stream::{Fate, Out, Start, Stream};
use super::suspect::Suspect;
use crate::Timestamp;
use crate::capture::Segment;
use crate::limits::{HOLE_GRACE, MAX_JUMP, MAX_WINDOW};

/// What a segment did to its connection.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The connection goes on.
    Open,
    /// It is over.
    Ended(End),
    /// The segment belongs to a new connection of the same endpoints, as do the ones held in doubt.
    Replaced(Vec<Suspect>),
}

/// An RST that waits for data sent before it but captured after it.
#[derive(Debug, Clone, Copy)]
struct HeldReset {
    by: Side,
    sequence: SeqNum,
    since: Moment,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) connection: Connection,
    first: Stream,
    second: Stream,
    reset: Option<Box<HeldReset>>,
    /// Running number of the last segment, over all connections: the order of idleness.
    pub(super) touched: i64,
    /// The earliest time at which the table will look at this connection.
    pub(super) timer: Option<Timestamp>,
    first_fin: Option<Side>,
    /// Time of the last FIN or RST that was believed.
    end_time: Timestamp,
    ignored: bool,
    /// Only one side was heard, and it sent no data.
    pub(super) half_open: bool,
    /// What the table knows of [`Entry::earliest_held`].
    pub(super) holds_since: Option<Timestamp>,
}

impl Entry {
    /// A connection that begins with this segment.
    pub(super) fn new(id: ConnectionId, segment: &Segment<'_>) -> Self {
        Self {
            connection: Connection {
                id,
                first: segment.source,
                second: segment.destination,
                initiator: initiator(segment, Side::First),
                since: segment.time,
            },
            first: Stream::new(),
            second: Stream::new(),
            reset: None,
            touched: 0,
            timer: None,
            first_fin: None,
            end_time: segment.time,
            ignored: false,
            half_open: true,
            holds_since: None,
        }
    }

    /// Which end sent the segment.
    pub(super) fn side_of(&self, segment: &Segment<'_>) -> Side {
        if segment.source == self.connection.first {
            Side::First
        } else {
            Side::Second
        }
    }

    pub(super) const fn stream(&self, side: Side) -> &Stream {
        match side {
            Side::First => &self.first,
            Side::Second => &self.second,
        }
    }

    const fn stream_mut(&mut self, side: Side) -> &mut Stream {
        match side {
            Side::First => &mut self.first,
            Side::Second => &mut self.second,
        }
    }

    /// Bytes held for both directions, overhead included.
    pub(super) fn held(&self) -> usize {
        self.first.held().saturating_add(self.second.held())
    }

    /// A time before which nothing that is held, of either direction, was captured.
    pub(super) fn earliest_held(&self) -> Option<Timestamp> {
        let streams = [self.first.earliest_held(), self.second.earliest_held()];
        streams.into_iter().flatten().min()
    }

    /// Nothing is held, of data or in doubt: the usual case, in which there is little to look at.
    const fn is_calm(&self) -> bool {
        self.first.is_calm() && self.second.is_calm()
    }

    /// When something of this connection is due without a further segment of it.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        if self.is_calm() && self.reset.is_none() {
            return None;
        }
        let reset = self
            .reset
            .as_ref()
            .map(|reset| reset.since.time.after(HOLE_GRACE));
        let streams = [self.first.deadline(), self.second.deadline()];
        streams.into_iter().flatten().chain(reset).min()
    }

    /// Takes the next segment of the connection.
    pub(super) fn segment<H: Handler>(
        &mut self,
        segment: &Segment<'_>,
        handler: &mut H,
    ) -> Verdict {
        let from = self.side_of(segment);
        if segment.flags.syn && !segment.flags.rst && !self.owns_syn(segment, from) {
            return Verdict::Replaced(Vec::new());
        }
        let stats = &mut self.stream_mut(from).stats;
        stats.segments += 1;
        stats.zero_windows += u64::from(segment.window == 0 && !segment.flags.rst);
        let now = self.moment(segment.time);
        if segment.flags.syn && !segment.flags.rst {
            self.take_syn(segment, from);
        }
        if segment.flags.ack {
            self.stream_mut(from.other())
                .acknowledged(SeqNum::new(segment.acknowledgment), now);
        }
        if self.ignored {
            return self.skip(segment, from);
        }
        if segment.flags.rst {
            self.take_reset(segment, from, now);
        } else {
            let fate =
                self.with_stream(from, handler, |stream, out| stream.data(segment, now, out));
            if fate == Fate::Moved && !self.jump(segment, from, now, handler) {
                return Verdict::Replaced(self.take_suspects());
            }
            if self.ignored {
                // This very data was the last that anybody wanted: a FIN behind it waits for nothing.
                self.pass(segment, from);
            } else if segment.flags.fin {
                self.take_fin(segment, from);
            }
        }
        self.note_activity(segment);
        self.give_up_due(now, handler)
    }

    /// Gives up what is due, and says whether the connection is over.
    pub(super) fn expire<H: Handler>(&mut self, time: Timestamp, handler: &mut H) -> Verdict {
        let now = self.moment(time);
        self.give_up_due(now, handler)
    }

    /// Delivers all that is held, to free its memory.
    pub(super) fn shed<H: Handler>(&mut self, time: Timestamp, handler: &mut H) -> Verdict {
        for side in [Side::First, Side::Second] {
            self.with_stream(side, handler, |stream, out| {
                stream.flush(GapCause::BufferFull, false, time, out);
                stream.drop_suspect();
            });
        }
        match &self.reset {
            Some(reset) => Verdict::Ended(End::Reset(reset.by)),
            None => self.verdict(self.moment(time)),
        }
    }

    /// Ends the connection: delivers what is held, reports what is missing, then the end. An RST that was held, or FINs of
    /// both sides, tell more of the end than `end` does. Returns the end that was reported.
    pub(super) fn close<H: Handler>(&mut self, time: Timestamp, end: End, handler: &mut H) -> End {
        for side in [Side::First, Side::Second] {
            self.with_stream(side, handler, |stream, out| {
                stream.flush(GapCause::Ended, true, time, out);
                stream.drop_suspect();
            });
        }
        let end = match (&self.reset, self.first_fin) {
            (Some(reset), _) => End::Reset(reset.by),
            (None, Some(side)) if self.is_finished() => End::Finished(side),
            _ => end,
        };
        let own = matches!(end, End::Reset(_) | End::Finished(_));
        let time = if own { self.end_time } else { time };
        let time = time.max(self.first.last_time).max(self.second.last_time);
        let stats = [self.first.stats, self.second.stats];
        handler.ended(&self.connection, time, end, stats);
        end
    }

    fn is_finished(&self) -> bool {
        self.first.is_finished() && self.second.is_finished()
    }

    fn moment(&self, time: Timestamp) -> Moment {
        Moment {
            time,
            segments: self.first.stats.segments + self.second.stats.segments,
        }
    }

    /// Runs `act` on one stream, and drops all held data if the handler lost interest meanwhile.
    fn with_stream<H: Handler, R>(
        &mut self,
        side: Side,
        handler: &mut H,
        act: impl FnOnce(&mut Stream, &mut Out<'_, H>) -> R,
    ) -> R {
        let stream = match side {
            Side::First => &mut self.first,
            Side::Second => &mut self.second,
        };
        let mut out = Out {
            connection: &self.connection,
            from: side,
            handler,
            ignored: self.ignored,
        };
        let result = act(stream, &mut out);
        if out.ignored && !self.ignored {
            self.ignored = true;
            self.first.drop_held();
            self.second.drop_held();
        }
        result
    }

    /// A SYN is this connection's own: its first, or that one again.
    fn owns_syn(&self, segment: &Segment<'_>, from: Side) -> bool {
        let isn = SeqNum::new(segment.sequence);
        let answers = !segment.flags.ack || {
            let other = self.stream(from.other());
            other.start == Start::Unseen
                || SeqNum::new(segment.acknowledgment).is_near(other.next_seq, MAX_JUMP)
        };
        let stream = self.stream(from);
        match stream.start {
            Start::Syn(known) => known == isn,
            Start::Unseen => answers,
            Start::Acked => {
                let distance = stream.next_seq.distance_from(isn.plus(1));
                answers && (0..=i64::from(MAX_JUMP)).contains(&distance)
            }
            Start::MidStream => {
                let distance = stream.base_seq().distance_from(isn.plus(1));
                let began = Moment {
                    time: self.connection.since,
                    segments: 0,
                };
                (0..=i64::from(MAX_WINDOW)).contains(&distance)
                    && !began.grace_over(self.moment(segment.time))
            }
        }
    }

    fn take_syn(&mut self, segment: &Segment<'_>, from: Side) {
        if self.connection.initiator.is_none() {
            self.connection.initiator = initiator(segment, from);
        }
        self.stream_mut(from)
            .start_at_syn(SeqNum::new(segment.sequence));
        let other = self.stream_mut(from.other());
        if segment.flags.ack && !other.is_started() {
            other.start_at_syn(SeqNum::new(segment.acknowledgment.wrapping_sub(1)));
        }
    }

    fn take_fin(&mut self, segment: &Segment<'_>, from: Side) {
        if self.stream_mut(from).fin(segment) {
            self.first_fin.get_or_insert(from);
            self.end_time = segment.time;
        }
    }

    /// Believes an RST near its sender's place, or near nothing known when the sender was not heard before.
    fn take_reset(&mut self, segment: &Segment<'_>, from: Side, now: Moment) {
        if self.reset.is_some() || !self.believes_reset(segment, from) {
            return;
        }
        self.end_time = segment.time;
        self.reset = Some(Box::new(HeldReset {
            by: from,
            sequence: SeqNum::new(segment.sequence),
            since: now,
        }));
    }

    fn believes_reset(&self, segment: &Segment<'_>, from: Side) -> bool {
        let own = self.stream(from);
        if own.is_started() {
            return SeqNum::new(segment.sequence).is_near(own.next_seq, MAX_JUMP);
        }
        let other = self.stream(from.other());
        !segment.flags.ack
            || !other.is_started()
            || SeqNum::new(segment.acknowledgment).is_near(other.next_seq, MAX_JUMP)
    }

    /// Two segments agree that one direction is far ahead. When their acknowledgements fit the other direction this is a
    /// long loss; else it is another connection, and nothing is done.
    fn jump<H: Handler>(
        &mut self,
        segment: &Segment<'_>,
        from: Side,
        now: Moment,
        handler: &mut H,
    ) -> bool {
        let other = self.stream(from.other());
        let same = segment.flags.ack
            && other.start != Start::Unseen
            && SeqNum::new(segment.acknowledgment).is_near(other.next_seq, MAX_WINDOW)
            && self.stream(from).suspect_is_ahead();
        if same {
            self.with_stream(from, handler, |stream, out| stream.jump(segment, now, out));
        }
        same
    }

    fn take_suspects(&mut self) -> Vec<Suspect> {
        let both = [self.first.take_suspect(), self.second.take_suspect()];
        let mut held: Vec<Suspect> = both.into_iter().flatten().map(|held| *held).collect();
        held.sort_by_key(|held| (held.time, held.packet));
        held
    }

    fn note_activity(&mut self, segment: &Segment<'_>) {
        if self.half_open {
            let both = self.first.stats.segments > 0 && self.second.stats.segments > 0;
            self.half_open = !both && payload_len(segment) == 0;
        }
    }

    fn give_up_due<H: Handler>(&mut self, now: Moment, handler: &mut H) -> Verdict {
        if self.is_calm() {
            return self.verdict(now);
        }
        for side in [Side::First, Side::Second] {
            self.with_stream(side, handler, |stream, out| stream.give_up_due(now, out));
        }
        self.verdict(now)
    }

    fn verdict(&self, now: Moment) -> Verdict {
        if let Some(reset) = &self.reset
            && (reset.since.grace_over(now) || !self.lacks_bytes_before(reset))
        {
            return Verdict::Ended(End::Reset(reset.by));
        }
        match self.first_fin {
            Some(side) if self.is_finished() => Verdict::Ended(End::Finished(side)),
            _ => Verdict::Open,
        }
    }

    fn lacks_bytes_before(&self, reset: &HeldReset) -> bool {
        !self.ignored
            && (self
                .stream(reset.by)
                .lacks_bytes_before(Some(reset.sequence))
                || self.stream(reset.by.other()).lacks_bytes_before(None))
    }

    /// Follows a connection whose data nobody wants, only to see its end.
    fn skip(&mut self, segment: &Segment<'_>, from: Side) -> Verdict {
        let now = self.moment(segment.time);
        if segment.flags.rst {
            self.take_reset(segment, from, now);
        } else {
            self.pass(segment, from);
        }
        self.note_activity(segment);
        self.verdict(now)
    }

    /// Takes no data from a segment, but its place and its FIN.
    fn pass(&mut self, segment: &Segment<'_>, from: Side) {
        self.stream_mut(from).skip(segment);
        if segment.flags.fin {
            self.first_fin.get_or_insert(from);
            self.end_time = segment.time;
        }
    }
}

/// The end that opens a connection with this segment, if it does.
fn initiator(segment: &Segment<'_>, from: Side) -> Option<Side> {
    match (segment.flags.syn, segment.flags.ack) {
        (true, false) => Some(from),
        (true, true) => Some(from.other()),
        _ => None,
    }
}
