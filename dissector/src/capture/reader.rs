//! Reads one input: takes compression off, tells the format, and hands out one packet after the other from a large buffer.

use super::buffer::{Buffer, Meter};
use super::error::{Content, unsupported};
use super::feed::Feed;
use super::log::Log;
use super::note::NoteKind;
use super::pcap::{self, Pcap};
use super::pcapng::{self, PcapNg};
use super::pool::Pool;
use super::record::{Record, Step};
use super::{Compression, Error, Input, Packet, PacketId, offset};
use crate::limits;
use crate::time::Timestamp;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// One open input. After [`Reader::advance`] said true, [`Reader::packet`] lends the packet it found.
pub(super) struct Reader {
    name: String,
    input: u32,
    compression: Option<Compression>,
    buffer: Buffer,
    /// Reading failed; told once the packets before it have been handed out.
    failure: Option<Error>,
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

/// Bytes to fetch before judging what a file is that is no capture.
const SNIFFED: usize = 512;
/// Bytes to have when searching behind damage: any record, and room to move on before the buffer is filled again.
const SEARCHED: usize = limits::MAX_BLOCK + 64 * 1024;

/// Whether an input is a capture that can be read, by how it begins, whatever its name. The input is read for the size of
/// a file header only.
///
/// # Errors
///
/// The input cannot be read, or it is a capture in a format that is not read. That it is empty or no capture is no error.
pub fn recognise(input: Box<dyn Input>) -> Result<bool, Error> {
    let (pool, size) = (Pool::default(), limits::PROBE_BUFFER);
    match Reader::open(input, 0, &pool, &Arc::default(), size, size) {
        Ok(_) => Ok(true),
        Err(Error::Empty { .. } | Error::NotACapture { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Reader {
    /// Opens an input and reads its file header. Bytes that are read from it, before decompression, are added to
    /// `bytes_read`. The buffer has `size` bytes at first and may grow to `share`.
    pub(super) fn open(
        input: Box<dyn Input>,
        number: u32,
        pool: &Pool,
        bytes_read: &Arc<AtomicU64>,
        size: usize,
        share: usize,
    ) -> Result<Self, Error> {
        let name = input.name().to_owned();
        let feed = Feed::open(input, number, pool, Meter::new(bytes_read), size)?;
        let compression = feed.compression();
        let mut reader = Self {
            name,
            input: number,
            compression,
            buffer: Buffer::new(feed, size.max(SNIFFED), size.max(SNIFFED)),
            failure: None,
            format: Format::Ended,
            current: None,
            packets: 0,
            log: Log::default(),
        };
        reader.set_share(share);
        match reader.read_header() {
            Ok(()) => Ok(reader),
            Err(error) => {
                reader.buffer.feed().close();
                Err(error)
            }
        }
    }

    /// Sets what the buffer may grow to.
    pub(super) fn set_share(&mut self, share: usize) {
        // Behind a decoder, larger reads bring nothing.
        let share = match self.compression {
            Some(_) => share.min(limits::DECODED_BUFFER),
            None => share,
        };
        self.buffer.set_share(share.max(SNIFFED));
    }

    /// Gives up memory while other inputs are read; [`Reader::restore`] must come before the packet is used again.
    pub(super) fn trim(&mut self) {
        self.buffer.trim();
    }

    /// Makes sure that the whole current packet is there after [`Reader::trim`]. False if it cannot be had any more, and
    /// [`Reader::advance`] says why.
    pub(super) fn restore(&mut self) -> bool {
        let needed = self.current.as_ref().map_or(0, |record| record.len);
        if self.buffer.fill(needed) {
            return true;
        }
        self.current = None;
        self.packets = self.packets.saturating_sub(1);
        self.cut_off_at(self.buffer.offset());
        false
    }

    /// Moves on to the next packet; false at the end of the input.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        if let Some(record) = self.current.take() {
            self.buffer.consume(record.len);
        }
        loop {
            let data = self.buffer.bytes();
            let step = match &mut self.format {
                Format::Pcap(pcap) => pcap.step(data),
                Format::PcapNg(pcapng) => pcapng.step(data),
                Format::Ended => return self.failure.take().map_or(Ok(false), Err),
            };
            match step {
                Step::Packet(record) => {
                    self.packets = self.packets.saturating_add(1);
                    self.log.packet(&record, self.packets);
                    self.current = Some(record);
                    return Ok(true);
                }
                Step::Skip(len) => self.discard(len),
                Step::Spoiled(len) => {
                    self.log.damage(self.buffer.offset(), len, self.packets);
                    self.discard(len);
                }
                Step::Need(needed) => {
                    if !self.buffer.fill(needed) {
                        self.cut_off();
                    }
                }
                Step::Damaged => self.resynchronise(),
            }
        }
    }

    /// Whether all bytes read so far have been handed out: the next packet needs another read.
    pub(super) fn is_drained(&self) -> bool {
        self.buffer.len() == self.current.as_ref().map_or(0, |record| record.len)
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
        let to = record.start.saturating_add(record.captured);
        Packet {
            id,
            time: record.time,
            interface: record.interface,
            link_type: record.link_type,
            data: self
                .buffer
                .bytes()
                .get(record.start..to)
                .unwrap_or_default(),
            original_len: record.original_len,
        }
    }

    /// Time of the packet that [`Reader::advance`] found; `None` if there is none.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.current.as_ref().map(|record| record.time)
    }

    /// Bytes of its buffer.
    #[cfg(test)]
    pub(super) fn buffer_size(&self) -> usize {
        self.buffer.size()
    }

    /// Time of the latest packet so far.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        self.log.latest()
    }

    /// Number of packets so far.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// Closes the input: what has to be told about what was read of it, and the input itself.
    pub(super) fn close(self) -> (Vec<NoteKind>, Box<dyn Input>) {
        (self.log.into_notes(), self.buffer.into_feed().into_input())
    }

    fn read_header(&mut self) -> Result<(), Error> {
        // A pipe may be slow: more than a file header is asked for only to tell what else this may be.
        self.buffer.fill(pcap::FILE_HEADER);
        if !self.starts_like_a_capture() {
            self.buffer.fill(SNIFFED);
        }
        let data = self.buffer.bytes();
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
            self.buffer.consume(pcap::FILE_HEADER);
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
            // It may have begun like a capture: then too little was asked for to tell what else it is.
            self.buffer.fill(SNIFFED);
            let is_short = self.buffer.len() < SNIFFED;
            if let (Some(compression), true) = (self.compression, is_short)
                && let Some(source) = self.buffer.take_broken()
                && source.kind() != ErrorKind::UnexpectedEof
            {
                // What came before the damage is too little to judge by, and how much it is depends on the decoder.
                return Err(Error::Compression {
                    name,
                    compression,
                    source,
                });
            }
            let content = Content::recognise(self.buffer.bytes());
            return Err(Error::NotACapture {
                name,
                compression: self.compression,
                content,
            });
        }
        Ok(())
    }

    fn starts_like_a_capture(&self) -> bool {
        let data = self.buffer.bytes();
        pcap::recognise(data) || data.starts_with(&pcapng::SECTION_MAGIC)
    }

    /// Why there is not a single byte.
    fn nothing(&mut self) -> Error {
        let name = self.name.clone();
        match (self.compression, self.buffer.take_broken()) {
            (_, Some(source)) if self.buffer.feed().meter().failed() => Error::Read {
                name,
                offset: 0,
                source,
            },
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

    /// Steps over a record.
    fn discard(&mut self, bytes: u64) {
        let record = self.buffer.offset();
        if !self.buffer.discard(bytes) {
            self.cut_off_at(record);
        }
    }

    /// The input ended inside a record. Or the record's length is damaged: then sound records follow.
    fn cut_off(&mut self) {
        let buffered = self.buffer.len();
        if self.buffer.broken().is_none()
            && buffered > 0
            && let Some(skipped) = self.search(1, buffered)
        {
            self.log
                .damage(self.buffer.offset(), offset(skipped), self.packets);
            self.buffer.consume(skipped);
            return;
        }
        if buffered > 0 {
            self.cut_off_at(self.buffer.offset());
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
        let end = self
            .buffer
            .offset()
            .saturating_add(offset(self.buffer.len()));
        let (offset, packets) = (end, self.packets);
        let note = match (self.buffer.take_broken(), self.compression) {
            (Some(source), _) if self.buffer.feed().meter().failed() => {
                let name = self.name.clone();
                self.failure = Some(Error::Read {
                    name,
                    offset,
                    source,
                });
                None
            }
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
        if let Some(note) = note {
            self.log.end(note);
        }
    }

    /// Searches the next sound record behind damage.
    fn resynchronise(&mut self) {
        let damage = self.buffer.offset();
        let mut first = 1;
        loop {
            let more = self.buffer.fill(SEARCHED);
            let buffered = self.buffer.len();
            let searched = if more {
                buffered.saturating_sub(limits::MAX_BLOCK)
            } else {
                buffered
            };
            let found = self.search(first, searched);
            self.buffer.consume(found.unwrap_or(searched));
            if found.is_some() || !more {
                self.log.damage(
                    damage,
                    self.buffer.offset().saturating_sub(damage),
                    self.packets,
                );
                return;
            }
            first = 0;
        }
    }

    /// Where, from `first` to before `end` in the buffered bytes, a sound record starts.
    fn search(&self, first: usize, end: usize) -> Option<usize> {
        let data = self.buffer.bytes();
        (first..end).find(|&at| {
            let data = data.get(at..).unwrap_or_default();
            match &self.format {
                Format::Pcap(pcap) => pcap.confirm(data, self.buffer.at_end()),
                Format::PcapNg(pcapng) => pcapng.confirm(data),
                Format::Ended => false,
            }
        })
    }
}

#[cfg(test)]
mod tests;
