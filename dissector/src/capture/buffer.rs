//! The buffer through which an input is read: a window that moves over the capture.

use super::feed::Feed;
use super::offset;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The bytes that come next, as many as were asked for or happened to come along.
pub(super) struct Buffer {
    feed: Feed,
    data: Vec<u8>,
    /// The size that the buffer may grow to by itself (bytes); a single larger record makes it larger for as long.
    share: usize,
    /// The unread part of `data`.
    start: usize,
    end: usize,
    /// Where `start` is in the capture.
    offset: u64,
    at_end: bool,
    broken: Option<io::Error>,
}

impl Buffer {
    /// A buffer of `size` bytes; it grows up to `share` while it is in use, and beyond that when more are asked for.
    pub(super) fn new(feed: Feed, size: usize, share: usize) -> Self {
        Self {
            feed,
            data: vec![0; size],
            share,
            start: 0,
            end: 0,
            offset: 0,
            at_end: false,
            broken: None,
        }
    }

    /// The bytes that come next.
    pub(super) fn bytes(&self) -> &[u8] {
        self.data.get(self.start..self.end).unwrap_or_default()
    }

    /// How many bytes the buffer takes.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.data.capacity()
    }

    /// How many bytes [`Buffer::bytes`] gives.
    pub(super) fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Where in the capture [`Buffer::bytes`] starts.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether no bytes will come but those in the buffer.
    pub(super) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Why no more bytes come, if not because the input is at its end.
    pub(super) fn broken(&self) -> Option<&io::Error> {
        self.broken.as_ref()
    }

    /// Where the bytes come from.
    pub(super) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Gives up the buffer for its feed.
    pub(super) fn into_feed(self) -> Feed {
        self.feed
    }

    /// Takes what [`Buffer::broken`] shows.
    pub(super) fn take_broken(&mut self) -> Option<io::Error> {
        self.broken.take()
    }

    /// Reads until `needed` bytes are there; false if the input ends before.
    pub(super) fn fill(&mut self, needed: usize) -> bool {
        while self.len() < needed {
            if self.at_end {
                return false;
            }
            self.make_room(needed);
            let room = self.data.get_mut(self.end..).unwrap_or_default();
            match self.feed.read(room) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.end = self.end.saturating_add(read.min(room.len())),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.at_end = true;
                    self.broken = Some(error);
                }
            }
        }
        true
    }

    /// Steps over bytes that are in the buffer.
    pub(super) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.len());
        self.start = self.start.saturating_add(bytes);
        self.offset = self.offset.saturating_add(offset(bytes));
    }

    /// Steps over bytes, whether they are in the buffer already or not; false if the input ends before.
    pub(super) fn discard(&mut self, bytes: u64) -> bool {
        let end = self.offset.saturating_add(bytes);
        loop {
            let left = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
            self.consume(left);
            if self.offset == end {
                return true;
            }
            if !self.fill(1) {
                return false;
            }
        }
    }

    /// Sets the size that the buffer may grow to.
    pub(super) fn set_share(&mut self, share: usize) {
        self.share = share;
    }

    /// Makes the buffer as small as its share. What does not fit is read again later, where that is cheap; elsewhere the
    /// buffer stays as it is until enough of it was used.
    pub(super) fn trim(&mut self) {
        let rewinds = self.feed.can_rewind() && self.broken.is_none();
        if self.data.len() <= self.share || !rewinds && self.len() > self.share {
            return;
        }
        self.compact();
        let too_many = self.end.saturating_sub(self.share);
        if too_many > 0 {
            self.feed.rewind(too_many);
            self.end = self.share;
            self.at_end = false;
        }
        self.data.truncate(self.share);
        self.data.shrink_to_fit();
    }

    /// Makes sure that `needed` bytes fit behind `start`.
    fn make_room(&mut self, needed: usize) {
        if self.start == self.end || self.data.len().saturating_sub(self.start) < needed {
            let used_up = self.start > 0;
            self.compact();
            let size = self.data.len();
            if size < needed {
                self.data.resize(needed.max(self.share), 0);
            } else if used_up && size < self.share {
                self.data.resize(size.saturating_mul(2).min(self.share), 0);
            } else if size > self.share {
                self.data.truncate(self.end.max(needed).max(self.share));
                self.data.shrink_to_fit();
            }
        }
    }

    /// Moves the unread bytes to the front.
    fn compact(&mut self) {
        self.data.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
    }
}

/// What is known about the reading of an input below its decoder.
#[derive(Clone)]
pub(super) struct Meter {
    bytes: Arc<AtomicU64>,
    /// How far the input has been read; what is read again does not count.
    reached: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
}

impl Meter {
    /// A meter that adds what it counts to `bytes`.
    pub(super) fn new(bytes: &Arc<AtomicU64>) -> Self {
        Self {
            bytes: Arc::clone(bytes),
            reached: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// The input could not be read.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    fn count(&self, position: u64) {
        let reached = self.reached.fetch_max(position, Ordering::Relaxed);
        self.bytes
            .fetch_add(position.saturating_sub(reached), Ordering::Relaxed);
    }

    /// Whether the input itself could not be read, which is not the same as a decoder's complaint.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// A reader with a [`Meter`].
pub(super) struct Metered {
    source: Box<dyn Read + Send>,
    position: u64,
    meter: Meter,
}

impl Metered {
    /// Counts what is read from a source that was opened at `position`.
    pub(super) fn new(source: Box<dyn Read + Send>, position: u64, meter: Meter) -> Self {
        Self {
            source,
            position,
            meter,
        }
    }
}

impl Read for Metered {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buf) {
            Ok(read) => {
                self.position = self.position.saturating_add(offset(read));
                self.meter.count(self.position);
                Ok(read)
            }
            Err(error) => {
                if error.kind() != ErrorKind::Interrupted {
                    self.meter.fail();
                }
                Err(error)
            }
        }
    }
}
