//! All connections: which one a segment belongs to, when each is looked at, and what is dropped to stay within limits.

use super::connection::{Entry, Verdict};
use super::ended::Ended;
use super::event::{ConnectionId, End, Handler};
use super::queue::{Queue, Ticket};
use super::seq::payload_len;
use crate::Timestamp;
use crate::capture::Segment;
use crate::limits::{MAX_CONNECTIONS, MAX_HALF_OPEN, MAX_TOTAL_BUFFER};
use std::collections::{BTreeSet, HashMap};
use std::net::{SocketAddr, SocketAddrV4};

/// The two endpoints of a connection, whichever sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Addresses and ports in a few words, which hash fast.
    V4(u64, u64),
    /// Everything else.
    Other(SocketAddr, SocketAddr),
}

impl Key {
    fn of(one: SocketAddr, other: SocketAddr) -> Self {
        if let (SocketAddr::V4(one), SocketAddr::V4(other)) = (one, other) {
            let word =
                |end: SocketAddrV4| (u64::from(end.ip().to_bits()) << 16) | u64::from(end.port());
            let (one, other) = (word(one), word(other));
            return Self::V4(one.min(other), one.max(other));
        }
        Self::Other(one.min(other), one.max(other))
    }
}

/// Payload that belongs to no connection: it came after the end of the one it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Late {
    /// Segments with payload.
    pub segments: u64,
    /// Their payload bytes.
    pub bytes: u64,
}

/// Puts the payload of TCP segments in order, per connection and direction. See the module's documentation for policies.
#[derive(Debug, Default)]
pub struct Reassembler {
    slots: Vec<Option<Entry>>,
    free: Vec<usize>,
    index: HashMap<Key, usize, foldhash::fast::RandomState>,
    half_open: usize,
    /// Bytes held by all connections.
    held: usize,
    opened: u32,
    /// Segments so far.
    clock: i64,
    /// Time of the latest segment.
    now: Timestamp,
    /// Connections by the time of their next deadline.
    due: Queue,
    /// Half-open connections, and all others, by last activity.
    idle_half_open: Queue,
    idle: Queue,
    ended: Ended,
    late: Late,
    /// Connections that hold data back, by the time since when.
    holding: BTreeSet<(Timestamp, ConnectionId)>,
}

impl Reassembler {
    /// A reassembler that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Payload so far that came after the end of its connection. It is not delivered.
    #[must_use]
    pub const fn late(&self) -> Late {
        self.late
    }

    /// What is held back over all connections, as [`MAX_TOTAL_BUFFER`] counts it (bytes).
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held
    }

    /// Connections that are open; at most [`MAX_CONNECTIONS`].
    #[must_use]
    pub fn connections(&self) -> usize {
        self.index.len()
    }

    /// A time before which nothing that is held back was captured: whatever is delivered from now on bears that time or a
    /// later one. `None` when nothing is held, and all that comes is as late as the segment that brings it.
    #[must_use]
    pub fn earliest_held(&self) -> Option<Timestamp> {
        self.holding.first().map(|(time, _)| *time)
    }

    /// Takes the next segment of the capture and tells `handler` what follows from it.
    pub fn segment(&mut self, segment: &Segment<'_>, handler: &mut impl Handler) {
        self.clock = self.clock.wrapping_add(1);
        self.now = segment.time;
        self.expire(handler);
        let key = Key::of(segment.source, segment.destination);
        match self.index.get(&key) {
            Some(&slot) => self.feed(key, slot, segment, handler),
            None => self.first_segment(key, segment, handler),
        }
        self.shed(handler);
    }

    /// Ends all connections, in order of their numbers: the capture is over.
    pub fn finish(&mut self, handler: &mut impl Handler) {
        let entries = self.slots.iter().enumerate();
        let mut open: Vec<(ConnectionId, usize)> = entries
            .filter_map(|(slot, entry)| Some((entry.as_ref()?.connection.id, slot)))
            .collect();
        open.sort_unstable();
        for (_, slot) in open {
            self.close(slot, End::CaptureEnded, handler);
        }
        let (opened, late) = (self.opened, self.late);
        *self = Self {
            opened,
            late,
            ..Self::default()
        };
    }

    /// A segment without a connection. Only SYN and data open one: an ACK, FIN or RST alone has nothing to follow.
    fn first_segment(&mut self, key: Key, segment: &Segment<'_>, handler: &mut impl Handler) {
        let payload = payload_len(segment);
        if segment.flags.rst || (payload == 0 && !segment.flags.syn) {
            return;
        }
        if self.ended.owns(&key, segment) {
            if payload > 0 {
                self.late.segments += 1;
                self.late.bytes += u64::from(payload);
            }
            return;
        }
        let slot = self.open(key, segment, handler);
        self.feed(key, slot, segment, handler);
    }

    /// Gives a segment to its connection. A connection just opened is never replaced by the segment that opened it, so this
    /// goes round at most once more for the segments held in doubt and the segment itself.
    fn feed(&mut self, key: Key, slot: usize, segment: &Segment<'_>, handler: &mut impl Handler) {
        let Verdict::Replaced(doubted) = self.feed_open(slot, segment, handler) else {
            return;
        };
        self.close(slot, End::Replaced, handler);
        for held in &doubted {
            self.feed_or_open(key, &held.segment(), handler);
        }
        self.feed_or_open(key, segment, handler);
    }

    fn feed_or_open(&mut self, key: Key, segment: &Segment<'_>, handler: &mut impl Handler) {
        let slot = match self.index.get(&key) {
            Some(&slot) => slot,
            None => self.open(key, segment, handler),
        };
        self.feed_open(slot, segment, handler);
    }

    /// Gives a segment to the connection in a slot and keeps the books.
    fn feed_open(
        &mut self,
        slot: usize,
        segment: &Segment<'_>,
        handler: &mut impl Handler,
    ) -> Verdict {
        let clock = self.clock;
        self.with_entry(slot, handler, |entry, handler| {
            entry.touched = clock;
            entry.segment(segment, handler)
        })
    }

    /// Runs `act` on a connection; afterwards adjusts counts and timers, and closes the connection if it is over.
    fn with_entry<H: Handler>(
        &mut self,
        slot: usize,
        handler: &mut H,
        act: impl FnOnce(&mut Entry, &mut H) -> Verdict,
    ) -> Verdict {
        let Some(entry) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return Verdict::Open;
        };
        let held_before = entry.held();
        let half_open_before = entry.half_open;
        let verdict = act(entry, handler);
        self.held = self
            .held
            .saturating_sub(held_before)
            .saturating_add(entry.held());
        let ticket = |key| Ticket {
            key,
            id: entry.connection.id,
            slot,
        };
        if half_open_before && !entry.half_open {
            self.half_open = self.half_open.saturating_sub(1);
            self.idle.push(ticket(entry.touched));
        }
        let holds_since = entry.earliest_held();
        if holds_since != entry.holds_since {
            let id = entry.connection.id;
            if let Some(time) = entry.holds_since {
                self.holding.remove(&(time, id));
            }
            self.holding.extend(holds_since.map(|time| (time, id)));
            entry.holds_since = holds_since;
        }
        if let Some(deadline) = entry.deadline()
            && entry.timer.is_none_or(|timer| deadline < timer)
        {
            self.due.push(ticket(deadline.nanos()));
            entry.timer = Some(deadline);
        }
        if let Verdict::Ended(end) = verdict {
            self.close(slot, end, handler);
        }
        verdict
    }

    /// Opens a connection, after making room for it.
    fn open(&mut self, key: Key, segment: &Segment<'_>, handler: &mut impl Handler) -> usize {
        if self.half_open >= MAX_HALF_OPEN
            && let Some(slot) = self.longest_idle(true)
        {
            self.close(slot, End::Evicted, handler);
        }
        if self.index.len() >= MAX_CONNECTIONS
            && let Some(slot) = self.longest_idle(false).or_else(|| self.longest_idle(true))
        {
            self.close(slot, End::Evicted, handler);
        }
        self.opened = self.opened.wrapping_add(1);
        let id = ConnectionId(self.opened);
        let entry = Entry::new(id, segment);
        handler.opened(&entry.connection);
        let slot = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(place) => *place = Some(entry),
            None => self.slots.push(Some(entry)),
        }
        self.index.insert(key, slot);
        self.half_open = self.half_open.saturating_add(1);
        self.idle_half_open.push(Ticket {
            key: self.clock,
            id,
            slot,
        });
        slot
    }

    /// Ends the connection in a slot and forgets it.
    fn close(&mut self, slot: usize, end: End, handler: &mut impl Handler) {
        let Some(mut entry) = self.slots.get_mut(slot).and_then(Option::take) else {
            return;
        };
        self.free.push(slot);
        self.held = self.held.saturating_sub(entry.held());
        if let Some(time) = entry.holds_since {
            self.holding.remove(&(time, entry.connection.id));
        }
        if entry.half_open {
            self.half_open = self.half_open.saturating_sub(1);
        }
        let connection = &entry.connection;
        let key = Key::of(connection.first, connection.second);
        self.index.remove(&key);
        let end = entry.close(self.now, end, handler);
        if matches!(end, End::Finished(_) | End::Reset(_)) {
            self.ended.bury(key, &entry, self.now);
        }
        let slots = &self.slots;
        let live = self.index.len();
        for queue in [&mut self.due, &mut self.idle, &mut self.idle_half_open] {
            queue.compact(live, |ticket| is_alive(slots, ticket));
        }
    }

    /// The connection that was idle longest, of the half-open ones or of the others.
    fn longest_idle(&mut self, half_open: bool) -> Option<usize> {
        let queue = if half_open {
            &mut self.idle_half_open
        } else {
            &mut self.idle
        };
        while let Some(ticket) = queue.pop() {
            let entry = self.slots.get(ticket.slot).and_then(Option::as_ref);
            match entry.filter(|entry| entry.connection.id == ticket.id) {
                Some(entry) if entry.half_open != half_open => {}
                Some(entry) if entry.touched == ticket.key => return Some(ticket.slot),
                Some(entry) => queue.push(Ticket {
                    key: entry.touched,
                    ..ticket
                }),
                None => {}
            }
        }
        None
    }

    /// Looks at the connections whose deadline has passed.
    fn expire(&mut self, handler: &mut impl Handler) {
        while let Some(ticket) = self.due.pop_until(self.now.nanos()) {
            self.take_due(ticket, false, handler);
        }
    }

    /// Frees memory until the total is within its limit, the holes that would be given up soonest first.
    fn shed(&mut self, handler: &mut impl Handler) {
        while self.held > MAX_TOTAL_BUFFER
            && let Some(ticket) = self.due.pop()
        {
            self.take_due(ticket, true, handler);
        }
    }

    fn take_due(&mut self, ticket: Ticket, shed: bool, handler: &mut impl Handler) {
        let entry = self.slots.get_mut(ticket.slot).and_then(Option::as_mut);
        let Some(entry) = entry.filter(|entry| {
            entry.connection.id == ticket.id
                && entry.timer.map(Timestamp::nanos) == Some(ticket.key)
        }) else {
            return;
        };
        entry.timer = None;
        let now = self.now;
        self.with_entry(ticket.slot, handler, |entry, handler| {
            if shed {
                entry.shed(now, handler)
            } else {
                entry.expire(now, handler)
            }
        });
    }
}

fn is_alive(slots: &[Option<Entry>], ticket: &Ticket) -> bool {
    let entry = slots.get(ticket.slot).and_then(Option::as_ref);
    entry.is_some_and(|entry| entry.connection.id == ticket.id)
}

#[cfg(test)]
impl Reassembler {
    /// Counts anew what is counted on the way, and checks the limits.
    pub(super) fn check(&self) {
        use crate::limits::{MAX_ENDED, MAX_STREAM_BUFFER, PIECE_OVERHEAD};
        assert!(self.held <= MAX_TOTAL_BUFFER);
        assert!(self.index.len() <= MAX_CONNECTIONS);
        assert!(self.half_open <= MAX_HALF_OPEN);
        if self.clock % 16 != 0 && self.index.len() > 64 {
            return;
        }
        let entries = || self.slots.iter().flatten();
        assert_eq!(entries().count(), self.index.len());
        assert_eq!(entries().map(Entry::held).sum::<usize>(), self.held);
        assert_eq!(entries().filter(|e| e.half_open).count(), self.half_open);
        let holding = entries().filter_map(|e| Some((e.earliest_held()?, e.connection.id)));
        assert_eq!(holding.collect::<BTreeSet<_>>(), self.holding);
        for entry in entries() {
            let one = 2 * MAX_STREAM_BUFFER + PIECE_OVERHEAD;
            assert!(entry.held() <= 2 * one);
            assert!(entry.held() == 0 || entry.timer.is_some());
        }
        let tickets = self.index.len() * 4 + 2048;
        assert!(self.idle.len() <= tickets && self.idle_half_open.len() <= tickets);
        assert!(self.ended.len().0 <= MAX_ENDED && self.ended.len().1 <= MAX_ENDED);
    }
}
