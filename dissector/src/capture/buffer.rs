//! The buffer through which an input is read: a window that moves over the capture.

use super::ahead::{Ahead, Block, ROOM};
use super::feed::Feed;
use super::{Input, offset};
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The bytes that come next, as many as were asked for or happened to come along.
pub(super) struct Buffer {
    /// Where bytes come from; `None` once another thread has it.
    feed: Option<Box<Feed>>,
    ahead: Option<Ahead>,
    meter: Meter,
    /// Wanted as soon as the input is known to be longer than what the first read gave.
    read_ahead: bool,
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
            meter: feed.meter().clone(),
            feed: Some(Box::new(feed)),
            ahead: None,
            read_ahead: false,
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

    /// Lets another thread read from now on.
    pub(super) fn read_ahead(&mut self) {
        self.read_ahead = true;
    }

    /// Whether more bytes can be had without waiting for them.
    pub(super) fn is_more_ready(&self) -> bool {
        self.ahead.as_ref().is_some_and(Ahead::is_ready)
    }

    /// What is known about the reading of the input.
    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Closes the input.
    pub(super) fn close(&self) {
        if let Some(feed) = &self.feed {
            feed.close();
        }
    }

    /// Closes the input and hands it back, unless another thread has it.
    pub(super) fn into_input(self) -> Option<Box<dyn Input>> {
        self.feed.map(|feed| feed.into_input())
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
            self.start_reading_ahead();
            match self.ahead.as_mut().map(Ahead::next) {
                None => self.read(needed),
                Some(Some(block)) => self.take(block),
                Some(None) => self.at_end = true,
            }
        }
        true
    }

    fn start_reading_ahead(&mut self) {
        if !self.read_ahead || self.offset == 0 {
            return;
        }
        self.read_ahead = false;
        match self.feed.take().map(|feed| Ahead::start(*feed)) {
            Some(Ok(ahead)) => self.ahead = Some(ahead),
            Some(Err(feed)) => self.feed = Some(Box::new(feed)),
            None => {}
        }
    }

    fn read(&mut self, needed: usize) {
        self.make_room(needed);
        let Some(feed) = &mut self.feed else {
            self.at_end = true;
            return;
        };
        let room = self.data.get_mut(self.end..).unwrap_or_default();
        match feed.read(room) {
            Ok(0) => self.at_end = true,
            Ok(read) => self.end = self.end.saturating_add(read.min(room.len())),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                self.at_end = true;
                self.broken = Some(error);
            }
        }
    }

    /// Goes on in a block, into whose room the unread bytes move; where they are too many, its bytes are appended.
    fn take(&mut self, mut block: Block) {
        let left = self.len();
        let place = ROOM.checked_sub(left);
        let room = place.and_then(|from| Some((from, block.data.get_mut(from..ROOM)?)));
        if let Some((from, room)) = room {
            room.copy_from_slice(self.bytes());
            std::mem::swap(&mut self.data, &mut block.data);
            (self.start, self.end) = (from, block.end);
        } else {
            self.compact();
            self.data.truncate(self.end);
            let bytes = block.data.get(ROOM..block.end).unwrap_or_default();
            self.data.extend_from_slice(bytes);
            self.end = self.data.len();
        }
        self.at_end = block.last;
        self.broken = block.broken.or(self.broken.take());
        if let Some(ahead) = &self.ahead {
            ahead.give_back(block.data);
        }
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
        let Some(feed) = &self.feed else { return };
        let rewinds = feed.can_rewind() && self.broken.is_none();
        if self.data.len() <= self.share || !rewinds && self.len() > self.share {
            return;
        }
        self.compact();
        let too_many = self.end.saturating_sub(self.share);
        if too_many > 0 {
            if let Some(feed) = &mut self.feed {
                feed.rewind(too_many);
            }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::samples::*;

    #[test]
    fn records_larger_than_the_room_before_a_block_are_whole_when_read_ahead() {
        let long = |fill: u8, len: usize| sample(1_700_000_000_000_000_000, &vec![fill; len]);
        let samples = [
            long(1, 10),
            long(2, 200_000),
            long(3, 70_000),
            long(4, 65_520),
            long(5, 300_000),
            long(6, 1),
        ];
        let file = pcap(MICROS, false, 1, &samples);
        for chunk in [1000, 65_536, 100_000, 1 << 20] {
            let read = read_chunked(&file, chunk);
            let data: Vec<_> = samples.iter().map(|s| s.data.clone()).collect();
            assert_eq!(read.data(), data);
        }
    }
}
