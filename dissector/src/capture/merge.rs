//! Any number of inputs as one capture, in order of time.
//!
//! Each input's packets keep their order, even where its clock went back; between inputs the earliest next packet comes
//! first, and of equal times that of the input named first. Rotated files need not be named in order.
//!
//! However many inputs there are, and however many of them cover the same time, memory stays flat: those that do not
//! overlap are open one after the other, those that do share one budget for their buffers ([`limits::READ_BUFFERS`]) and
//! one for files and decoders ([`limits::OPEN_INPUTS`], [`limits::DECODER_MEMORY`]).

use super::copies::{self, Relation};
use super::pool::Pool;
use super::reader::Reader;
use super::{Error, Input, Note, Packet};
use crate::limits;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One or several inputs, read as one capture. An input that can be opened again is held open only from the time of its
/// first packet to its last, so that hundreds of rotated files take no more memory than those that overlap. An input that
/// holds nothing but what another one holds too, byte by byte, is not read: see [`Span::copy_of`].
pub struct Capture {
    sources: Vec<Source>,
    /// The inputs that have packets to come, except the current one.
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// The input that gave the last packet.
    current: Option<usize>,
    started: bool,
    errors: VecDeque<Error>,
    notes: Vec<Note>,
    packets: u64,
    bytes: Arc<AtomicU64>,
    pool: Pool,
    /// How many inputs have a reader.
    reading: usize,
    /// What the buffer of each of them may take (bytes).
    share: usize,
}

struct Source {
    name: String,
    /// The input, unless its reader has it, or it was read.
    input: Option<Box<dyn Input>>,
    reader: Option<Box<Reader>>,
    span: Span,
}

/// What an input covers, as far as it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Time of its first packet; known from the beginning for inputs that can be opened again.
    pub first: Option<Timestamp>,
    /// Time of its latest packet; known once the input has been read to its end.
    pub last: Option<Timestamp>,
    /// Packets in it; known with `last`.
    pub packets: u64,
    /// It was not read because all it holds, byte by byte, is in this other input, given by its index.
    pub copy_of: Option<u32>,
}

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes read from the inputs as they are, that is before decompression. What is read only to learn when an input
    /// starts does not count.
    pub bytes: u64,
    /// Packets handed out.
    pub packets: u64,
}

impl Capture {
    /// A capture of these inputs. Nothing is opened before the first packet is asked for.
    #[must_use]
    pub fn new(inputs: Vec<Box<dyn Input>>) -> Self {
        Self {
            sources: inputs
                .into_iter()
                .map(|input| Source {
                    name: input.name().to_owned(),
                    input: Some(input),
                    reader: None,
                    span: Span::default(),
                })
                .collect(),
            queue: BinaryHeap::new(),
            current: None,
            started: false,
            errors: VecDeque::new(),
            notes: Vec::new(),
            packets: 0,
            bytes: Arc::default(),
            pool: Pool::default(),
            reading: 0,
            share: limits::READ_BUFFER,
        }
    }

    /// The next packet in order of time, lent until the next call; `None` after the last one.
    ///
    /// # Errors
    ///
    /// One input cannot be read, or not any further. Calling again goes on with the others. Inputs that are no captures
    /// are found at the first calls, before any packet.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, Error> {
        if !self.started {
            self.start();
        }
        if let Some(index) = self.current {
            match self.advance(index) {
                Ok(Some(time)) if self.stays_first(time, index) => {}
                Ok(Some(time)) => self.leave(index, time),
                Ok(None) => self.current = None,
                Err(error) => {
                    self.current = None;
                    self.errors.push_back(error);
                }
            }
        }
        if let Some(error) = self.errors.pop_front() {
            // The current packet has not been handed out yet: it waits for its turn.
            return Err(error);
        }
        while self.current.is_none() {
            let Some(Reverse((time, index))) = self.queue.pop() else {
                return Ok(None);
            };
            self.turn(index, time)?;
        }
        self.packets = self.packets.saturating_add(1);
        let reader = self
            .current
            .and_then(|index| self.sources.get(index)?.reader.as_deref());
        Ok(reader.map(Reader::packet))
    }

    /// Takes the notes made since the last call. Those that need a whole input are made when it has been read to its end.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// How far reading has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            bytes: self.bytes.load(Ordering::Relaxed),
            packets: self.packets,
        }
    }

    /// Whether the next packet can only come from another read, which may wait for its writer: time to show what there is.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let reader = self
            .current
            .and_then(|index| self.sources.get(index)?.reader.as_deref());
        reader.is_none_or(Reader::is_drained)
    }

    /// The name of an input, by its index in [`Note::input`] or [`PacketId::input`](super::PacketId::input).
    #[must_use]
    pub fn name(&self, input: u32) -> Option<&str> {
        let source = self.sources.get(super::size(input))?;
        Some(&source.name)
    }

    /// What each input covers, by index; complete once all packets were taken.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        self.sources.iter().map(|source| source.span)
    }

    /// Learns when each input starts. One input alone, or one that cannot be opened again, stays open.
    fn start(&mut self) {
        self.started = true;
        let alone = self.sources.len() == 1;
        let mut starts = HashMap::new();
        for index in 0..self.sources.len() {
            let again = self
                .sources
                .get(index)
                .and_then(|source| source.input.as_ref())
                .is_some_and(|input| input.reopenable());
            let outcome = if alone || !again {
                self.open(index).map(|_| ())
            } else {
                self.probe(index).map(|start| {
                    if let Some(start) = start {
                        self.compare(index, start, &mut starts);
                    }
                })
            };
            if let Err(error) = outcome {
                self.errors.push_back(error);
            }
        }
        for (index, source) in self.sources.iter().enumerate() {
            if let (Some(time), None) = (source.span.first, source.span.copy_of) {
                self.queue.push(Reverse((time, index)));
            }
        }
    }

    /// Opens an input for the time of its first packet and closes it again. What comes back stands for that packet: inputs
    /// that are alike have the same; `None` if there is no packet.
    fn probe(&mut self, index: usize) -> Result<Option<u64>, Error> {
        let Some(source) = self.sources.get_mut(index) else {
            return Ok(None);
        };
        let Some(input) = source.input.take() else {
            return Ok(None);
        };
        let (number, size) = (super::length(index), limits::PROBE_BUFFER);
        let mut reader = Reader::open(input, number, &self.pool, &Arc::default(), size, size)?;
        let found = reader.advance();
        source.span.first = reader.time();
        let start = source.span.first.map(|_| {
            let packet = reader.packet();
            let mut hasher = DefaultHasher::new();
            (packet.time, packet.link_type, packet.original_len).hash(&mut hasher);
            packet.data.hash(&mut hasher);
            hasher.finish()
        });
        let (notes, input) = reader.close();
        if start.is_some() {
            source.input = Some(input);
        } else {
            self.note(index, notes);
        }
        found.map(|_| start)
    }

    /// Looks whether an input is a copy of one that starts with the same packet, or that one of it.
    fn compare(&mut self, index: usize, start: u64, starts: &mut HashMap<u64, usize>) {
        let mut known = match starts.entry(start) {
            Entry::Vacant(entry) => {
                entry.insert(index);
                return;
            }
            Entry::Occupied(entry) => entry,
        };
        let other = *known.get();
        let Ok([first, second]) = self.sources.get_disjoint_mut([other, index]) else {
            return;
        };
        let (Some(one), Some(two)) = (&mut first.input, &mut second.input) else {
            return;
        };
        // What cannot be read to its end is no copy; reading it says what is wrong.
        let copy = match copies::compare(one.as_mut(), two.as_mut()) {
            Ok(Relation::SecondInFirst) => {
                second.span.copy_of = Some(super::length(other));
                second
            }
            Ok(Relation::FirstInSecond) => {
                first.span.copy_of = Some(super::length(index));
                known.insert(index);
                first
            }
            Ok(Relation::Different) | Err(_) => return,
        };
        // Whoever counts on the sizes of all inputs is to come to an end.
        let size = copy.input.take().and_then(|input| input.size());
        self.bytes
            .fetch_add(size.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Opens an input and finds its first packet.
    fn open(&mut self, index: usize) -> Result<Option<Timestamp>, Error> {
        const FIRST: usize = 64 * 1024;
        self.reading = self.reading.saturating_add(1);
        self.divide();
        // Small files need no more; in longer ones the buffer soon grows.
        let size = match self.sources.len() {
            1 => limits::READ_BUFFER,
            _ => FIRST.min(self.share),
        };
        let number = super::length(index);
        let opened = self.sources.get_mut(index).and_then(|source| {
            let input = source.input.take()?;
            let (pool, bytes) = (&self.pool, &self.bytes);
            let reader = Reader::open(input, number, pool, bytes, size, self.share);
            Some(reader.map(|reader| source.reader = Some(Box::new(reader))))
        });
        if let Some(Ok(())) = opened {
            let first = self.advance(index)?;
            if let Some(source) = self.sources.get_mut(index) {
                source.span.first = source.span.first.or(first);
            }
            return Ok(first);
        }
        self.reading = self.reading.saturating_sub(1);
        opened.unwrap_or(Ok(())).map(|()| None)
    }

    /// Divides the memory for buffers among those that need one.
    fn divide(&mut self) {
        let share = limits::READ_BUFFERS / self.reading.max(1).next_power_of_two();
        let share = share.clamp(limits::LEAST_BUFFER, limits::READ_BUFFER);
        if share < self.share {
            for reader in self.sources.iter_mut().filter_map(|s| s.reader.as_mut()) {
                reader.set_share(share);
                reader.trim();
            }
        }
        self.share = share;
    }

    /// Makes the input the current one, whose next packet is to have that time; one that is not open yet is opened now.
    fn turn(&mut self, index: usize, expected: Timestamp) -> Result<(), Error> {
        let share = self.share;
        let reader = self
            .sources
            .get_mut(index)
            .and_then(|source| source.reader.as_mut());
        let time = match reader {
            Some(reader) => {
                reader.set_share(share);
                match reader.restore() {
                    true => reader.time(),
                    false => self.advance(index)?,
                }
            }
            None => self.open(index)?,
        };
        match time {
            // A ring buffer's file that has been overwritten since it was looked at.
            Some(time) if time > expected && !self.stays_first(time, index) => {
                self.leave(index, time);
            }
            Some(_) => self.current = Some(index),
            None => {}
        }
        Ok(())
    }

    /// Lets other inputs come first.
    fn leave(&mut self, index: usize, time: Timestamp) {
        self.queue.push(Reverse((time, index)));
        self.current = None;
        if let Some(source) = self.sources.get_mut(index)
            && let Some(reader) = &mut source.reader
        {
            reader.trim();
        }
    }

    /// Moves an open input on; closes it at its end.
    fn advance(&mut self, index: usize) -> Result<Option<Timestamp>, Error> {
        let Some(source) = self.sources.get_mut(index) else {
            return Ok(None);
        };
        let Some(reader) = &mut source.reader else {
            return Ok(None);
        };
        let outcome = reader.advance();
        let time = reader.time();
        if time.is_none()
            && let Some(reader) = source.reader.take()
        {
            source.span.last = reader.latest();
            source.span.packets = reader.packets();
            let (notes, _) = reader.close();
            self.note(index, notes);
            self.reading = self.reading.saturating_sub(1);
            self.divide();
        }
        outcome.map(|_| time)
    }

    fn note(&mut self, index: usize, notes: Vec<super::NoteKind>) {
        let input = super::length(index);
        self.notes
            .extend(notes.into_iter().map(|kind| Note { input, kind }));
    }

    /// Bytes of all buffers.
    #[cfg(test)]
    fn buffers(&self) -> usize {
        let readers = self.sources.iter().filter_map(|s| s.reader.as_ref());
        readers.map(|reader| reader.buffer_size()).sum()
    }

    fn stays_first(&self, time: Timestamp, index: usize) -> bool {
        self.queue
            .peek()
            .is_none_or(|Reverse(first)| (time, index) <= *first)
    }
}

#[cfg(test)]
mod tests;
