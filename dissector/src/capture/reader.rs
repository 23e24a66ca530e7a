//! Reads one input: takes compression off, tells the format, and hands out one packet after the other from a large buffer.

use super::error::{Content, unsupported};
use super::note::NoteKind;
use super::pcap::{self, Pcap};
use super::pcapng::{self, PcapNg};
use super::record::{Record, Step};
use super::{Compression, Error, Input, Packet, PacketId, decompress, link, offset};
use crate::limits;
use crate::time::Timestamp;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// One open input. After [`Reader::advance`] said true, [`Reader::packet`] lends the packet it found.
pub(super) struct Reader {
    name: String,
    input: u32,
    source: Box<dyn Read + Send>,
    failed: Arc<AtomicBool>,
    compression: Option<Compression>,
    buffer: Vec<u8>,
    /// The unread part of the buffer.
    start: usize,
    end: usize,
    /// Where `start` is in the capture.
    offset: u64,
    at_end: bool,
    /// What the decoder said when the compressed data ended early.
    broken: Option<io::Error>,
    format: Format,
    current: Option<Record>,
    packets: u64,
    log: Log,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
    /// The file header is cut off, or reading has come to its end.
    Ended,
}

/// What becomes notes at the end.
#[derive(Default)]
struct Log {
    notes: Vec<NoteKind>,
    damage: Option<Damage>,
    last_time: Option<Timestamp>,
    clock_went_back: u64,
    packets_cut: u64,
    /// Link type of the last packet; already checked.
    link_type: Option<u32>,
    unknown_link_types: Vec<u32>,
}

struct Damage {
    places: u64,
    bytes: u64,
    offset: u64,
    packets: u64,
}

/// Bytes to fetch before judging what a file is.
const SNIFFED: usize = 512;
/// Bytes to have when searching behind damage: any record, and room to move on before the buffer is filled again.
const SEARCHED: usize = limits::MAX_BLOCK + 64 * 1024;

impl Reader {
    /// Opens an input and reads its file header. Bytes that are read from it, before decompression, are added to `meter`.
    pub(super) fn open(
        input: &mut dyn Input,
        number: u32,
        meter: &Arc<AtomicU64>,
        buffer: usize,
    ) -> Result<Self, Error> {
        let name = input.name().to_owned();
        let failed = Arc::new(AtomicBool::new(false));
        let source = match input.open() {
            Ok(source) => Box::new(Metered {
                source,
                bytes: Arc::clone(meter),
                failed: Arc::clone(&failed),
            }),
            Err(source) => return Err(Error::Open { name, source }),
        };
        let (source, compression) = match decompress::open(source) {
            Ok(opened) => opened,
            Err(source) => {
                return Err(Error::Read {
                    name,
                    offset: 0,
                    source,
                });
            }
        };
        let mut reader = Self {
            name,
            input: number,
            source,
            failed,
            compression,
            buffer: vec![0; buffer.max(SNIFFED)],
            start: 0,
            end: 0,
            offset: 0,
            at_end: false,
            broken: None,
            format: Format::Ended,
            current: None,
            packets: 0,
            log: Log::default(),
        };
        reader.read_header()?;
        Ok(reader)
    }

    /// Moves on to the next packet; false at the end of the input.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        if let Some(record) = self.current.take() {
            self.consume(record.len);
        }
        loop {
            let data = self.buffer.get(self.start..self.end).unwrap_or_default();
            let step = match &mut self.format {
                Format::Pcap(pcap) => pcap.step(data),
                Format::PcapNg(pcapng) => pcapng.step(data),
                Format::Ended => return Ok(false),
            };
            match step {
                Step::Packet(record) => {
                    self.packets = self.packets.saturating_add(1);
                    self.log.packet(&record, self.packets);
                    self.current = Some(record);
                    return Ok(true);
                }
                Step::Skip(len) => self.discard(len)?,
                Step::Spoiled(len) => {
                    self.log.damage(self.offset, len, self.packets);
                    self.discard(len)?;
                }
                Step::Need(needed) => {
                    if !self.fill(needed)? {
                        self.cut_off();
                    }
                }
                Step::Damaged => self.resynchronise()?,
            }
        }
    }

    /// The packet that [`Reader::advance`] found; an empty one if there is none.
    pub(super) fn packet(&self) -> Packet<'_> {
        let id = PacketId {
            input: self.input,
            number: self.packets,
        };
        let Some(record) = &self.current else {
            return Packet {
                id,
                time: Timestamp::default(),
                interface: 0,
                link_type: 0,
                data: &[],
                original_len: 0,
            };
        };
        let from = self.start.saturating_add(record.start);
        let to = from.saturating_add(record.captured);
        Packet {
            id,
            time: record.time,
            interface: record.interface,
            link_type: record.link_type,
            data: self.buffer.get(from..to).unwrap_or_default(),
            original_len: record.original_len,
        }
    }

    /// Time of the packet that [`Reader::advance`] found; `None` if there is none.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.current.as_ref().map(|record| record.time)
    }

    /// What has to be told about the input so far; for good once it has ended.
    pub(super) fn into_notes(self) -> Vec<NoteKind> {
        self.log.into_notes()
    }

    fn read_header(&mut self) -> Result<(), Error> {
        self.fill(SNIFFED)?;
        let data = self.buffer.get(self.start..self.end).unwrap_or_default();
        if data.is_empty() {
            return Err(self.nothing());
        }
        let name = self.name.clone();
        if pcap::recognise(data) {
            if data.len() < pcap::FILE_HEADER {
                self.cut_off();
                return Ok(());
            }
            let Some(pcap) = Pcap::new(data) else {
                return Err(Error::Unsupported {
                    name,
                    format: "pcap of a version other than 2",
                });
            };
            self.format = Format::Pcap(pcap);
            self.consume(pcap::FILE_HEADER);
        } else if data.starts_with(&pcapng::SECTION_MAGIC) && data.len() < pcapng::SECTION_START {
            self.cut_off();
        } else if pcapng::section_is_big_endian(data).is_some() {
            if !pcapng::supported(data) {
                return Err(Error::Unsupported {
                    name,
                    format: "pcapng of a version other than 1",
                });
            }
            self.format = Format::PcapNg(PcapNg::default());
        } else if let Some(format) = unsupported(data) {
            return Err(Error::Unsupported { name, format });
        } else {
            let content = Content::recognise(data);
            return Err(Error::NotACapture {
                name,
                compression: self.compression,
                content,
            });
        }
        Ok(())
    }

    /// Why there is not a single byte.
    fn nothing(&mut self) -> Error {
        let name = self.name.clone();
        match (self.compression, self.broken.take()) {
            (Some(compression), Some(source)) => Error::Compression {
                name,
                compression,
                source,
            },
            (Some(compression), None) => Error::NotACapture {
                name,
                compression: Some(compression),
                content: Content::Nothing,
            },
            (None, _) => Error::Empty { name },
        }
    }

    /// Reads until `needed` bytes are buffered; false if the input ends before.
    fn fill(&mut self, needed: usize) -> Result<bool, Error> {
        while self.end.saturating_sub(self.start) < needed {
            if self.at_end {
                return Ok(false);
            }
            self.make_room(needed);
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.source.read(room) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.end = self.end.saturating_add(read.min(room.len())),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    self.at_end = true;
                    if self.compression.is_none() || self.failed.load(Ordering::Relaxed) {
                        self.format = Format::Ended;
                        let offset = self
                            .offset
                            .saturating_add(offset(self.end.saturating_sub(self.start)));
                        return Err(Error::Read {
                            name: self.name.clone(),
                            offset,
                            source,
                        });
                    }
                    self.broken = Some(source);
                }
            }
        }
        Ok(true)
    }

    /// Makes sure that `needed` bytes fit behind `start`.
    fn make_room(&mut self, needed: usize) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        if self.buffer.len().saturating_sub(self.start) < needed {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
            if self.buffer.len() < needed {
                self.buffer.resize(needed.max(limits::READ_BUFFER), 0);
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes).min(self.end);
        self.offset = self.offset.saturating_add(offset(bytes));
    }

    /// Steps over bytes, whether they are buffered already or not.
    fn discard(&mut self, bytes: u64) -> Result<(), Error> {
        let record = self.offset;
        let mut left = bytes;
        loop {
            let buffered = self.end.saturating_sub(self.start);
            let now = usize::try_from(left).map_or(buffered, |left| left.min(buffered));
            self.consume(now);
            left = left.saturating_sub(offset(now));
            if left == 0 {
                return Ok(());
            }
            if !self.fill(1)? {
                self.cut_off_at(record);
                return Ok(());
            }
        }
    }

    /// The input ended inside a record. Or the record's length is damaged: then sound records follow.
    fn cut_off(&mut self) {
        let buffered = self.end.saturating_sub(self.start);
        if self.broken.is_none()
            && buffered > 0
            && let Some(skipped) = self.search(1, buffered)
        {
            self.log.damage(self.offset, offset(skipped), self.packets);
            self.consume(skipped);
            return;
        }
        if buffered > 0 {
            self.cut_off_at(self.offset);
        } else {
            self.end_of_data(None);
        }
    }

    fn cut_off_at(&mut self, record: u64) {
        self.end_of_data(Some(NoteKind::CutOff {
            offset: record,
            packets: self.packets,
        }));
    }

    fn end_of_data(&mut self, cut_off: Option<NoteKind>) {
        self.format = Format::Ended;
        let buffered = offset(self.end.saturating_sub(self.start));
        let (offset, packets) = (self.offset.saturating_add(buffered), self.packets);
        let note = match (self.broken.take(), self.compression) {
            (Some(error), Some(compression)) if error.kind() == ErrorKind::UnexpectedEof => {
                Some(NoteKind::CompressionCutOff {
                    compression,
                    offset,
                    packets,
                })
            }
            (Some(error), Some(compression)) => Some(NoteKind::CompressionDamaged {
                compression,
                offset,
                packets,
                reason: error.to_string(),
            }),
            _ => cut_off,
        };
        self.log.notes.extend(note);
    }

    /// Searches the next sound record behind damage.
    fn resynchronise(&mut self) -> Result<(), Error> {
        let damage = self.offset;
        let mut first = 1;
        loop {
            let more = self.fill(SEARCHED)?;
            let buffered = self.end.saturating_sub(self.start);
            let searched = if more {
                buffered.saturating_sub(limits::MAX_BLOCK)
            } else {
                buffered
            };
            let found = self.search(first, searched);
            self.consume(found.unwrap_or(searched));
            if found.is_some() || !more {
                self.log
                    .damage(damage, self.offset.saturating_sub(damage), self.packets);
                return Ok(());
            }
            first = 0;
        }
    }

    /// Where, from `first` to before `end` in the buffered bytes, a sound record starts.
    fn search(&self, first: usize, end: usize) -> Option<usize> {
        let data = self.buffer.get(self.start..self.end).unwrap_or_default();
        (first..end).find(|&at| {
            let data = data.get(at..).unwrap_or_default();
            match &self.format {
                Format::Pcap(pcap) => pcap.confirm(data, self.at_end),
                Format::PcapNg(pcapng) => pcapng.confirm(data),
                Format::Ended => false,
            }
        })
    }
}

impl Log {
    fn packet(&mut self, record: &Record, number: u64) {
        if self.last_time.is_some_and(|last| record.time < last) {
            self.clock_went_back = self.clock_went_back.saturating_add(1);
        }
        self.last_time = Some(record.time);
        if super::size(record.original_len) > record.captured {
            self.packets_cut = self.packets_cut.saturating_add(1);
        }
        if self.link_type != Some(record.link_type) {
            self.link_type = Some(record.link_type);
            self.check_link_type(record.link_type, number);
        }
    }

    fn check_link_type(&mut self, link_type: u32, packet: u64) {
        let seen = self.unknown_link_types.contains(&link_type);
        if !link::is_supported(link_type)
            && !seen
            && self.unknown_link_types.len() < limits::UNKNOWN_LINK_TYPES
        {
            self.unknown_link_types.push(link_type);
            self.notes
                .push(NoteKind::UnknownLinkType { link_type, packet });
        }
    }

    fn damage(&mut self, offset: u64, bytes: u64, packets: u64) {
        let damage = self.damage.get_or_insert(Damage {
            places: 0,
            bytes: 0,
            offset,
            packets,
        });
        damage.places = damage.places.saturating_add(1);
        damage.bytes = damage.bytes.saturating_add(bytes);
    }

    fn into_notes(self) -> Vec<NoteKind> {
        let mut notes = self.notes;
        if let Some(Damage {
            places,
            bytes,
            offset,
            packets,
        }) = self.damage
        {
            notes.push(NoteKind::DamageSkipped {
                places,
                bytes,
                offset,
                packets,
            });
        }
        if self.clock_went_back > 0 {
            notes.push(NoteKind::ClockWentBack {
                packets: self.clock_went_back,
            });
        }
        if self.packets_cut > 0 {
            notes.push(NoteKind::PacketsCut {
                packets: self.packets_cut,
            });
        }
        notes
    }
}

/// Counts the bytes read, and remembers whether reading itself failed: a decoder's own complaints are no read errors.
struct Metered {
    source: Box<dyn Read + Send>,
    bytes: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
}

impl Read for Metered {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buf) {
            Ok(read) => {
                self.bytes.fetch_add(offset(read), Ordering::Relaxed);
                Ok(read)
            }
            Err(error) => {
                if error.kind() != ErrorKind::Interrupted {
                    self.failed.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }
}
