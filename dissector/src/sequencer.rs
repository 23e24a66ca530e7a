//! Keeps records in order while something about an earlier one is still open.
//!
//! A record may be held: its session's version is not known yet, or its outcome is wanted and not there. Then all records
//! behind it wait as well, within a bound. While nothing is held, records pass through without a copy.

use crate::correlate::Exchange;
use crate::limits;
use crate::record::{BreakRecord, MessageInfo, Notice, Record, Sink};
use crate::session::Session;
use std::collections::VecDeque;

/// The place of a record in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

/// A record that waits.
enum Held {
    Message(Box<MessageInfo>, Box<[u8]>),
    Exchange(Box<Exchange>),
    SessionBegan(Box<Session>),
    SessionEnded(Box<Session>),
    Break(Box<BreakRecord>),
    Notice(Box<Notice>),
}

struct Slot {
    held: Held,
    /// How many open questions hold it.
    holds: u8,
}

/// Orders records on their way to a sink.
pub(crate) struct Sequencer<S> {
    sink: S,
    queue: VecDeque<Slot>,
    /// Place of the first record in the queue.
    base: u64,
    bytes: usize,
    /// Records that had to pass before everything was known about them.
    forced: u64,
}

impl<S: Sink> Sequencer<S> {
    pub(crate) const fn new(sink: S) -> Self {
        Self {
            sink,
            queue: VecDeque::new(),
            base: 0,
            bytes: 0,
            forced: 0,
        }
    }

    pub(crate) const fn forced(&self) -> u64 {
        self.forced
    }

    /// The place that the next record will have.
    pub(crate) fn next_place(&self) -> Place {
        Place(self.base + u64::try_from(self.queue.len()).unwrap_or(u64::MAX))
    }

    /// Takes the next record; `holds` open questions hold it.
    pub(crate) fn push(&mut self, record: Record<'_>, holds: u8) -> Place {
        let place = self.next_place();
        if self.queue.is_empty() && holds == 0 {
            self.sink.record(record);
            self.base += 1;
            return place;
        }
        let held = match record {
            Record::Message(info, bytes) => {
                self.bytes += bytes.len();
                Held::Message(Box::new(info.clone()), bytes.into())
            }
            Record::Exchange(exchange) => Held::Exchange(Box::new(exchange.clone())),
            Record::SessionBegan(session) => Held::SessionBegan(Box::new(session.clone())),
            Record::SessionEnded(session) => Held::SessionEnded(Box::new(session.clone())),
            Record::Break(details) => Held::Break(Box::new(details.clone())),
            Record::Notice(notice) => Held::Notice(Box::new(notice.clone())),
        };
        self.bytes += size_of::<Slot>() + size_of::<MessageInfo>();
        self.queue.push_back(Slot { held, holds });
        while self.bytes > limits::MAX_HELD_BYTES && !self.queue.is_empty() {
            if self.queue.front().is_some_and(|slot| slot.holds > 0) {
                self.forced += 1;
            }
            self.release_front();
            self.release();
        }
        place
    }

    /// Changes a message that still waits.
    pub(crate) fn with_message(&mut self, place: Place, change: impl FnOnce(&mut MessageInfo)) {
        if let Some(Slot {
            held: Held::Message(info, _),
            ..
        }) = self.slot(place)
        {
            change(info);
        }
    }

    /// Changes a message that still waits, by its bytes.
    pub(crate) fn with_message_bytes(
        &mut self,
        place: Place,
        change: impl FnOnce(&mut MessageInfo, &[u8]),
    ) {
        if let Some(Slot {
            held: Held::Message(info, bytes),
            ..
        }) = self.slot(place)
        {
            change(info, bytes);
        }
    }

    /// Changes the beginning of a session that still waits.
    pub(crate) fn with_session(&mut self, place: Place, change: impl FnOnce(&mut Session)) {
        if let Some(Slot {
            held: Held::SessionBegan(session),
            ..
        }) = self.slot(place)
        {
            change(session);
        }
    }

    /// The bytes of a message that still waits.
    pub(crate) fn answered(&mut self, place: Place) {
        if let Some(slot) = self.slot(place) {
            slot.holds = slot.holds.saturating_sub(1);
        }
        self.release();
    }

    /// Lets everything go; nothing will be known any more.
    pub(crate) fn flush(&mut self) {
        while !self.queue.is_empty() {
            self.release_front();
        }
    }

    pub(crate) fn into_sink(self) -> S {
        self.sink
    }

    pub(crate) const fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    fn slot(&mut self, place: Place) -> Option<&mut Slot> {
        let index = usize::try_from(place.0.checked_sub(self.base)?).ok()?;
        self.queue.get_mut(index)
    }

    fn release(&mut self) {
        while self.queue.front().is_some_and(|slot| slot.holds == 0) {
            self.release_front();
        }
    }

    fn release_front(&mut self) {
        let Some(slot) = self.queue.pop_front() else {
            return;
        };
        self.base += 1;
        self.bytes = self
            .bytes
            .saturating_sub(size_of::<Slot>() + size_of::<MessageInfo>());
        match &slot.held {
            Held::Message(info, bytes) => {
                self.bytes = self.bytes.saturating_sub(bytes.len());
                self.sink.record(Record::Message(info, bytes));
            }
            Held::Exchange(exchange) => self.sink.record(Record::Exchange(exchange)),
            Held::SessionBegan(session) => self.sink.record(Record::SessionBegan(session)),
            Held::SessionEnded(session) => self.sink.record(Record::SessionEnded(session)),
            Held::Break(details) => self.sink.record(Record::Break(details)),
            Held::Notice(notice) => self.sink.record(Record::Notice(notice)),
        }
    }
}
