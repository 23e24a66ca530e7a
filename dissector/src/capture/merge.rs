//! Any number of inputs as one capture, in order of time.
//!
//! Each input's packets keep their order, even where its clock went back; between inputs the earliest next packet comes
//! first, and of equal times that of the input named first. Rotated files need not be named in order.

use super::reader::Reader;
use super::{Error, Input, Note, Packet};
use crate::limits;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One or several inputs, read as one capture. An input that can be opened again is held open only from the time of its
/// first packet to its last, so that hundreds of rotated files take no more memory than those that overlap.
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
}

struct Source {
    input: Box<dyn Input>,
    reader: Option<Reader>,
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
                    input,
                    reader: None,
                })
                .collect(),
            queue: BinaryHeap::new(),
            current: None,
            started: false,
            errors: VecDeque::new(),
            notes: Vec::new(),
            packets: 0,
            bytes: Arc::default(),
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
                Ok(Some(time)) => {
                    self.queue.push(Reverse((time, index)));
                    self.current = None;
                }
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
            let Some(Reverse((_, index))) = self.queue.pop() else {
                return Ok(None);
            };
            self.turn(index)?;
        }
        self.packets = self.packets.saturating_add(1);
        let reader = self
            .current
            .and_then(|index| self.sources.get(index)?.reader.as_ref());
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
            .and_then(|index| self.sources.get(index)?.reader.as_ref());
        reader.is_none_or(Reader::is_drained)
    }

    /// The name of an input, by its index in [`Note::input`] or [`PacketId::input`](super::PacketId::input).
    #[must_use]
    pub fn name(&self, input: u32) -> Option<&str> {
        let source = self.sources.get(super::size(input))?;
        Some(source.input.name())
    }

    /// Learns when each input starts. One input alone, or one that cannot be opened again, stays open.
    fn start(&mut self) {
        self.started = true;
        let alone = self.sources.len() == 1;
        for index in 0..self.sources.len() {
            let first = match self.sources.get(index) {
                Some(source) if !alone && source.input.reopenable() => self.probe(index),
                _ => self.open(index),
            };
            match first {
                Ok(Some(time)) => self.queue.push(Reverse((time, index))),
                Ok(None) => {}
                Err(error) => self.errors.push_back(error),
            }
        }
    }

    /// Time of an input's first packet; opens and closes it.
    fn probe(&mut self, index: usize) -> Result<Option<Timestamp>, Error> {
        let Some(source) = self.sources.get_mut(index) else {
            return Ok(None);
        };
        let uncounted = Arc::default();
        let number = super::length(index);
        let mut reader = Reader::open(
            source.input.as_mut(),
            number,
            &uncounted,
            limits::PROBE_BUFFER,
        )?;
        reader.advance()?;
        let time = reader.time();
        if time.is_none() {
            self.close(index, reader);
        }
        Ok(time)
    }

    /// Opens an input and finds its first packet.
    fn open(&mut self, index: usize) -> Result<Option<Timestamp>, Error> {
        let Some(source) = self.sources.get_mut(index) else {
            return Ok(None);
        };
        let number = super::length(index);
        let reader = Reader::open(
            source.input.as_mut(),
            number,
            &self.bytes,
            limits::READ_BUFFER,
        )?;
        source.reader = Some(reader);
        self.advance(index)
    }

    /// Makes the input the current one; one that is not open yet is opened now.
    fn turn(&mut self, index: usize) -> Result<(), Error> {
        let open = self
            .sources
            .get(index)
            .is_some_and(|source| source.reader.is_some());
        if open || self.open(index)?.is_some() {
            self.current = Some(index);
        }
        Ok(())
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
            self.close(index, reader);
        }
        outcome.map(|_| time)
    }

    fn close(&mut self, index: usize, reader: Reader) {
        let input = super::length(index);
        self.notes.extend(
            reader
                .into_notes()
                .into_iter()
                .map(|kind| Note { input, kind }),
        );
    }

    fn stays_first(&self, time: Timestamp, index: usize) -> bool {
        self.queue
            .peek()
            .is_none_or(|Reverse(first)| (time, index) <= *first)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::super::samples::*;
    use super::super::{Note, NoteKind};
    use super::*;

    fn inputs(files: &[Vec<u8>]) -> Vec<Box<dyn Input>> {
        files
            .iter()
            .map(|file| Box::new(Memory::new(file.clone())) as Box<dyn Input>)
            .collect()
    }

    #[test]
    fn rotated_files_come_in_order_of_time_however_they_are_named() {
        let samples = samples(40);
        let files: Vec<Vec<u8>> = [3, 0, 2, 1]
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let part = &samples[part * 10..part * 10 + 10];
                if index % 2 == 0 {
                    gzip(&plain(part))
                } else {
                    ng(true, part)
                }
            })
            .collect();
        let read = read_inputs(inputs(&files));
        let data: Vec<_> = samples.iter().map(|sample| sample.data.clone()).collect();
        assert_eq!(read.data(), data);
        assert_eq!(
            read.packets[0].id,
            super::super::PacketId {
                input: 1,
                number: 1
            }
        );
        assert_eq!(
            read.packets[39].id,
            super::super::PacketId {
                input: 0,
                number: 10
            }
        );
        assert!(read.notes.is_empty());
    }

    #[test]
    fn overlapping_files_are_interleaved_and_ties_go_to_the_file_named_first() {
        let at = |nanos: &[i64], name: &str| {
            let samples: Vec<_> = nanos
                .iter()
                .map(|nanos| sample(*nanos, name.as_bytes()))
                .collect();
            pcap(NANOS, false, 1, &samples)
        };
        let read = read_inputs(inputs(&[at(&[5, 7, 7, 9], "a"), at(&[1, 5, 7, 8, 9], "b")]));
        let order: Vec<_> = read
            .packets
            .iter()
            .map(|packet| (packet.nanos, packet.data[0]))
            .collect();
        let expected = [
            (1, b'b'),
            (5, b'a'),
            (5, b'b'),
            (7, b'a'),
            (7, b'a'),
            (7, b'b'),
            (8, b'b'),
            (9, b'a'),
            (9, b'b'),
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn a_file_whose_clock_goes_back_keeps_its_order() {
        let at = |nanos: &[i64], name: &str| {
            let samples: Vec<_> = nanos
                .iter()
                .map(|nanos| sample(*nanos, name.as_bytes()))
                .collect();
            pcap(NANOS, false, 1, &samples)
        };
        let read = read_inputs(inputs(&[
            at(&[10, 30, 20, 40], "a"),
            at(&[15, 25, 35], "b"),
        ]));
        assert_eq!(read.nanos(), [10, 15, 25, 30, 20, 35, 40]);
        assert_eq!(
            read.notes,
            [Note {
                input: 0,
                kind: NoteKind::ClockWentBack { packets: 1 }
            }]
        );
    }

    #[test]
    fn few_rotated_files_are_open_at_once() {
        let samples = samples(60);
        let (open, most_open) = (Arc::default(), Arc::default());
        let inputs: Vec<Box<dyn Input>> = samples
            .chunks(2)
            .rev()
            .map(|part| {
                let (open, most_open) = (Arc::clone(&open), Arc::clone(&most_open));
                Box::new(Memory {
                    open,
                    most_open,
                    ..Memory::new(plain(part))
                }) as Box<dyn Input>
            })
            .collect();
        let read = read_inputs(inputs);
        assert_eq!(read.packets.len(), 60);
        assert_eq!(
            (
                open.load(Ordering::Relaxed),
                most_open.load(Ordering::Relaxed)
            ),
            (0, 1)
        );
    }

    #[test]
    fn an_input_that_cannot_be_opened_again_is_opened_once() {
        let samples = samples(4);
        let once = |part: &[Sample]| {
            Box::new(Memory {
                reopenable: false,
                chunk: 5,
                ..Memory::new(plain(part))
            }) as Box<dyn Input>
        };
        let read = read_inputs(vec![once(&samples[2..]), once(&samples[..2])]);
        let data: Vec<_> = samples.iter().map(|sample| sample.data.clone()).collect();
        assert_eq!(read.data(), data);
    }

    #[test]
    fn bad_inputs_are_told_first_and_the_others_read() {
        let samples = samples(3);
        let mut cut = plain(&samples[..1]);
        cut.truncate(cut.len() - 1);
        let files = [
            b"text".to_vec(),
            plain(&samples),
            Vec::new(),
            cut,
            plain(&[]),
        ];
        let mut capture = Capture::new(inputs(&files));
        assert!(matches!(
            capture.next_packet(),
            Err(Error::NotACapture { .. })
        ));
        assert!(matches!(capture.next_packet(), Err(Error::Empty { .. })));
        for sample in &samples {
            assert_eq!(capture.next_packet().unwrap().unwrap().data, sample.data);
        }
        assert!(capture.next_packet().unwrap().is_none());
        assert!(capture.next_packet().unwrap().is_none());
        assert_eq!(
            capture.notes(),
            [Note {
                input: 3,
                kind: NoteKind::CutOff {
                    offset: 24,
                    packets: 0
                }
            }]
        );
        assert!(capture.notes().is_empty());
        assert_eq!(
            capture.progress(),
            Progress {
                bytes: plain(&samples).len() as u64,
                packets: 3
            }
        );
        assert_eq!((capture.name(3), capture.name(5)), (Some("memory"), None));
    }

    #[test]
    fn no_input_is_an_empty_capture() {
        assert!(Capture::new(Vec::new()).next_packet().unwrap().is_none());
    }
}
