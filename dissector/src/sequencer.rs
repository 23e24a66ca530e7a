//! Keeps records in order while something about an earlier one is still open.
//!
//! A record may be held: its session's version is not known yet, or its outcome is wanted and not there. Then all records
//! behind it wait as well, within a bound. While nothing is held, records pass through without a copy.

use crate::kept::{Bytes, Kept};
use crate::limits;
use crate::record::{MessageInfo, Record, Sink};
use crate::session::Session;
use std::collections::VecDeque;

/// The place of a record in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

/// A record that waits.
struct Slot {
    kept: Kept,
    /// Length of its bytes in [`Sequencer::messages`].
    len: usize,
    /// How many open questions hold it.
    holds: u8,
}

/// Orders records on their way to a sink.
pub(crate) struct Sequencer<S> {
    sink: S,
    queue: VecDeque<Slot>,
    /// Bytes of the messages that wait.
    messages: Bytes,
    /// Place of the first record in the queue.
    base: u64,
    bytes: usize,
    /// Records that had to pass before everything was known about them.
    forced: u64,
}

impl<S: Sink> Sequencer<S> {
    pub(crate) fn new(sink: S) -> Self {
        Self {
            sink,
            queue: VecDeque::new(),
            messages: Bytes::default(),
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
        let (kept, bytes) = Kept::new(&record);
        let len = bytes.len();
        self.messages.push(bytes);
        self.bytes += len + size_of::<Slot>();
        self.queue.push_back(Slot { kept, len, holds });
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
            kept: Kept::Message(info),
            ..
        }) = self.slot(place)
        {
            change(info);
        }
    }

    /// Changes the beginning of a session that still waits.
    pub(crate) fn with_session(&mut self, place: Place, change: impl FnOnce(&mut Session)) {
        if let Some(Slot {
            kept: Kept::SessionBegan(session),
            ..
        }) = self.slot(place)
        {
            change(session);
        }
    }

    /// One open question about a record is answered.
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
        self.bytes = self.bytes.saturating_sub(slot.len + size_of::<Slot>());
        self.sink
            .record(slot.kept.record(self.messages.first(slot.len)));
        self.messages.pop(slot.len);
    }
}
