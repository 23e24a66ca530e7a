//! Packets peeled down to segments, one after the other: in the caller's thread, or in one of their own that reads,
//! decompresses and peels while the segments before are looked at. Either way gives the same.

use super::{Capture, Error, LayerCounts, Layers, Peeled, Segment};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

/// Payload bytes after which a batch is sent off.
const BATCH_BYTES: usize = 128 * 1024;
/// Packets after which a batch is sent off.
const BATCH_PACKETS: usize = 1024;
/// Batches that wait to be looked at; one more is being filled, one is in use.
const BATCHES: usize = 3;

/// What comes next in a capture.
#[derive(Debug)]
pub enum Step<'a> {
    /// A packet and when it was captured; with its segment, if it carries one.
    Packet(Timestamp, Option<Segment<'a>>),
    /// One input cannot be read, or not any further. Others go on.
    Failed(Error),
    /// The next packet can only come from another read, which may wait for its writer.
    Drained,
}

/// What is left of a capture that was read to its end: notes, names, counts.
pub struct Rest {
    /// The capture.
    pub capture: Capture,
    /// The layers of its packets.
    pub layers: Layers,
}

/// The segments of a capture.
pub struct Segments {
    source: Source,
}

enum Source {
    Here(Box<Here>),
    There(There),
    /// All was read; the rest, unless the other thread broke down.
    Over(Option<Box<Rest>>),
}

struct Here {
    rest: Rest,
    /// Drained packets are told of only where that may matter.
    live: bool,
    drained: bool,
    over: bool,
}

/// The receiving end of another thread.
struct There {
    batches: Receiver<Batch>,
    used: Sender<Batch>,
    thread: JoinHandle<Rest>,
    batch: Batch,
    bytes_read: u64,
}

impl Segments {
    /// The segments of a capture. `live` asks for [`Step::Drained`], `apart` for a thread of its own.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(capture: Capture, live: bool, apart: bool) -> std::io::Result<Self> {
        let here = Here {
            rest: Rest {
                capture,
                layers: Layers::new(),
            },
            live,
            drained: false,
            over: false,
        };
        if !apart {
            return Ok(Self {
                source: Source::Here(Box::new(here)),
            });
        }
        let (filled, batches) = sync_channel(BATCHES);
        let (used, spare) = channel();
        let thread = thread::Builder::new()
            .name("read".to_owned())
            .spawn(move || read(here, &filled, &spare))?;
        Ok(Self {
            source: Source::There(There {
                batches,
                used,
                thread,
                batch: Batch::default(),
                bytes_read: 0,
            }),
        })
    }

    /// The next step, lent until the next call; `None` after the last one.
    pub fn next_step(&mut self) -> Option<Step<'_>> {
        if let Source::There(there) = &mut self.source
            && !there.advance()
        {
            let over = Source::Over(None);
            if let Source::There(there) = std::mem::replace(&mut self.source, over) {
                self.source = Source::Over(there.thread.join().ok().map(Box::new));
            }
        }
        match &mut self.source {
            Source::Here(here) => here.next_step(),
            Source::There(there) => there.batch.take(),
            Source::Over(_) => None,
        }
    }

    /// Bytes read from all inputs so far, before decompression.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        match &self.source {
            Source::Here(here) => here.rest.capture.progress().bytes,
            Source::There(there) => there.bytes_read,
            Source::Over(rest) => rest
                .as_ref()
                .map_or(0, |rest| rest.capture.progress().bytes),
        }
    }

    /// What is left once the last step was taken; `None` when reading broke down.
    #[must_use]
    pub fn into_rest(self) -> Option<Rest> {
        match self.source {
            Source::Here(mut here) => {
                here.rest.layers.finish();
                Some(here.rest)
            }
            Source::There(_) => None,
            Source::Over(rest) => rest.map(|mut rest| {
                rest.layers.finish();
                *rest
            }),
        }
    }
}

impl Rest {
    /// What the packets carried.
    #[must_use]
    pub fn counts(&self) -> &LayerCounts {
        self.layers.counts()
    }
}

impl Here {
    fn next_step(&mut self) -> Option<Step<'_>> {
        let Rest { capture, layers } = &mut self.rest;
        if self.over {
            return None;
        }
        if self.live && !self.drained && capture.is_drained() {
            self.drained = true;
            return Some(Step::Drained);
        }
        self.drained = false;
        match capture.next_packet() {
            Ok(None) => {
                self.over = true;
                None
            }
            Err(error) => Some(Step::Failed(error)),
            Ok(Some(packet)) => {
                let segment = match layers.segment(&packet) {
                    Peeled::Tcp(segment) => Some(segment),
                    _ => None,
                };
                Some(Step::Packet(packet.time, segment))
            }
        }
    }
}

/// Fills batches until the capture is at its end or nobody wants any more.
fn read(mut here: Here, filled: &SyncSender<Batch>, spare: &Receiver<Batch>) -> Rest {
    let mut batch = Batch::default();
    loop {
        let step = here.next_step();
        let over = step.is_none();
        let urgent = step.is_some_and(|step| batch.add(step));
        if over || urgent || batch.is_full() {
            batch.bytes_read = here.rest.capture.progress().bytes;
            let fresh = spare.try_recv().unwrap_or_default();
            let full = std::mem::replace(&mut batch, fresh);
            if filled.send(full).is_err() || over {
                return here.rest;
            }
        }
    }
}

impl There {
    /// Makes sure that there is a step to take; false after the last one.
    fn advance(&mut self) -> bool {
        while self.batch.items.is_empty() {
            let Ok(next) = self.batches.recv() else {
                return false;
            };
            self.bytes_read = next.bytes_read;
            let mut used = std::mem::replace(&mut self.batch, next);
            used.bytes.clear();
            // When the thread is gone, nobody needs it.
            let _ = self.used.send(used);
        }
        true
    }
}

/// Steps on their way from one thread to another.
#[derive(Default)]
struct Batch {
    /// Payload of all segments.
    bytes: Vec<u8>,
    items: VecDeque<Item>,
    bytes_read: u64,
}

enum Item {
    Passed(Timestamp),
    /// A segment without its payload, and where that is.
    Segment(Segment<'static>, Range<usize>),
    Failed(Error),
    Drained,
}

impl Batch {
    /// Takes a copy of a step, and says whether it should not wait for others.
    fn add(&mut self, step: Step<'_>) -> bool {
        let urgent = matches!(step, Step::Drained | Step::Failed(_));
        let item = match step {
            Step::Packet(time, None) => Item::Passed(time),
            Step::Packet(_, Some(segment)) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(segment.payload);
                Item::Segment(segment.without_payload(), start..self.bytes.len())
            }
            Step::Failed(error) => Item::Failed(error),
            Step::Drained => Item::Drained,
        };
        self.items.push_back(item);
        urgent
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES || self.items.len() >= BATCH_PACKETS
    }

    fn take(&mut self) -> Option<Step<'_>> {
        Some(match self.items.pop_front()? {
            Item::Passed(time) => Step::Packet(time, None),
            Item::Segment(segment, range) => {
                let payload = self.bytes.get(range).unwrap_or_default();
                Step::Packet(segment.time, Some(Segment { payload, ..segment }))
            }
            Item::Failed(error) => Step::Failed(error),
            Item::Drained => Step::Drained,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::samples::*;
    use super::super::{Input, length};
    use super::*;
    use etherparse::PacketBuilder;

    /// TCP packets, one of each three something else, of sizes that fill batches by bytes and by number.
    fn file(count: u32, most: u32) -> Vec<u8> {
        let packets: Vec<Sample> = (0..count)
            .map(|number| {
                let payload = vec![number.to_le_bytes()[0]; (number * 7 % most) as usize];
                let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([10; 4], [11; 4], 9);
                let mut data = Vec::new();
                match number % 3 {
                    0 => builder.udp(1, 2).write(&mut data, &payload).unwrap(),
                    _ => builder
                        .tcp(1, 2, number, 3)
                        .write(&mut data, &payload)
                        .unwrap(),
                }
                sample(1_700_000_000_000_000_000 + i64::from(number), &data)
            })
            .collect();
        pcap(NANOS, false, 1, &packets)
    }

    fn steps(files: &[Vec<u8>], live: bool, apart: bool) -> (Vec<String>, LayerCounts) {
        let inputs = files
            .iter()
            .map(|file| Box::new(Memory::new(file.clone())) as Box<dyn Input>)
            .collect();
        let mut segments = Segments::new(Capture::new(inputs), live, apart).unwrap();
        let mut steps = Vec::new();
        while let Some(step) = segments.next_step() {
            steps.push(format!("{step:?}"));
        }
        assert!(segments.next_step().is_none());
        let whole: usize = files.iter().map(Vec::len).sum();
        assert!(segments.bytes_read() <= u64::from(length(whole)));
        (steps, segments.into_rest().unwrap().counts().clone())
    }

    #[test]
    fn a_thread_of_their_own_gives_the_same_segments() {
        let small = file(5_000, 3);
        let large = file(900, 9_000);
        let cut = small[..small.len() - 5].to_vec();
        for files in [
            vec![small.clone()],
            vec![large.clone()],
            vec![cut],
            vec![small, large, b"no capture".to_vec(), Vec::new()],
            vec![file(0, 1)],
        ] {
            for live in [false, true] {
                let here = steps(&files, live, false);
                assert_eq!(steps(&files, live, true), here);
                let drained = here.0.iter().any(|s| s == "Drained");
                assert_eq!(drained, live);
            }
        }
    }

    #[test]
    fn a_reader_that_loses_interest_ends_the_thread() {
        let input: Box<dyn Input> = Box::new(Memory::new(file(20_000, 3)));
        let mut segments = Segments::new(Capture::new(vec![input]), false, true).unwrap();
        assert!(segments.next_step().is_some());
        let Source::There(there) = segments.source else {
            unreachable!()
        };
        drop((there.batches, there.used));
        there.thread.join().unwrap();
    }
}
