//! The buffer through which an input is read: a window that moves over the capture.

use super::offset;
use crate::limits;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The bytes that come next, as many as were asked for or happened to come along.
pub(super) struct Buffer {
    source: Box<dyn Read + Send>,
    data: Vec<u8>,
    /// The unread part of `data`.
    start: usize,
    end: usize,
    /// Where `start` is in the capture.
    offset: u64,
    at_end: bool,
    broken: Option<io::Error>,
}

impl Buffer {
    /// A buffer of `size` bytes; it grows when more are asked for.
    pub(super) fn new(source: Box<dyn Read + Send>, size: usize) -> Self {
        Self {
            source,
            data: vec![0; size],
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
            match self.source.read(room) {
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

    /// Makes sure that `needed` bytes fit behind `start`.
    fn make_room(&mut self, needed: usize) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        if self.data.len().saturating_sub(self.start) < needed {
            self.data.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
            if self.data.len() < needed {
                self.data.resize(needed.max(limits::READ_BUFFER), 0);
            }
        }
    }
}

/// What is known about the reading of an input below its decoder.
#[derive(Clone)]
pub(super) struct Meter {
    bytes: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
}

impl Meter {
    /// A meter that adds what it counts to `bytes`.
    pub(super) fn new(bytes: &Arc<AtomicU64>) -> Self {
        Self {
            bytes: Arc::clone(bytes),
            failed: Arc::default(),
        }
    }

    /// Whether the input itself could not be read, which is not the same as a decoder's complaint.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// A reader with a [`Meter`].
pub(super) struct Metered {
    /// What is read.
    pub source: Box<dyn Read + Send>,
    /// Where it is counted.
    pub meter: Meter,
}

impl Read for Metered {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buf) {
            Ok(read) => {
                self.meter.bytes.fetch_add(offset(read), Ordering::Relaxed);
                Ok(read)
            }
            Err(error) => {
                if error.kind() != ErrorKind::Interrupted {
                    self.meter.failed.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }
}
