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
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use super::super::samples::*;
    use super::*;
    use proptest::prelude::*;
    use std::io::{self, Read};

    /// The expected packets, as the reader gives them.
    fn contents(samples: &[Sample]) -> Vec<(i64, Vec<u8>)> {
        samples
            .iter()
            .map(|sample| (sample.nanos, sample.data.clone()))
            .collect()
    }

    fn given(read: &Outcome) -> Vec<(i64, Vec<u8>)> {
        read.packets
            .iter()
            .map(|packet| (packet.nanos, packet.data.clone()))
            .collect()
    }

    fn every_variant(samples: &[Sample]) -> Vec<Vec<u8>> {
        vec![
            pcap(MICROS, false, 1, samples),
            pcap(MICROS, true, 1, samples),
            pcap(NANOS, false, 1, samples),
            pcap(NANOS, true, 1, samples),
            pcap(MODIFIED, false, 1, samples),
            ng(false, samples),
            ng(true, samples),
        ]
    }

    #[test]
    fn every_variant_gives_the_same_packets() {
        let samples = samples(5);
        for file in every_variant(&samples) {
            let read = read(&file);
            assert_eq!(given(&read), contents(&samples));
            assert!(read.errors.is_empty() && read.notes.is_empty(), "{read:?}");
            let numbers: Vec<u64> = read.packets.iter().map(|packet| packet.id.number).collect();
            assert_eq!(numbers, [1, 2, 3, 4, 5]);
            assert!(read.packets.iter().all(|packet| packet.link_type == 1));
        }
    }

    #[test]
    fn nanoseconds_are_kept() {
        let samples = [sample(1_700_000_000_123_456_789, b"packet")];
        assert_eq!(
            read(&pcap(NANOS, false, 1, &samples)).nanos(),
            [1_700_000_000_123_456_789]
        );
        assert_eq!(
            read(&pcap(NANOS, true, 1, &samples)).nanos(),
            [1_700_000_000_123_456_789]
        );
    }

    #[test]
    fn any_read_size_gives_the_same_packets() {
        let samples = samples(6);
        for file in every_variant(&samples) {
            for file in [
                file.clone(),
                gzip(&file),
                zstd(&file),
                lz4(&file),
                xz(&file),
                bzip2(&file),
            ] {
                for chunk in [1, 2, 7, 13, 100] {
                    let read = read_chunked(&file, chunk);
                    assert_eq!(given(&read), contents(&samples), "{chunk}");
                    assert!(read.errors.is_empty() && read.notes.is_empty(), "{read:?}");
                }
            }
        }
    }

    #[test]
    fn cut_anywhere_every_whole_packet_comes_and_a_note() {
        let samples = samples(4);
        for (variant, file) in every_variant(&samples).into_iter().enumerate() {
            // Where records end: the file may end there without anyone noticing.
            let mut ends: Vec<usize> = (0..=samples.len())
                .map(|count| every_variant(&samples[..count])[variant].len())
                .collect();
            ends.push(Ng::new(false).bytes.len());
            for len in 1..file.len() {
                let read = read(&file[..len]);
                if len < 4 {
                    assert!(matches!(read.errors[..], [Error::NotACapture { .. }]));
                    continue;
                }
                assert!(read.errors.is_empty(), "{len}: {read:?}");
                let given = given(&read);
                assert_eq!(given, contents(&samples)[..given.len()], "{len}");
                match read.kinds()[..] {
                    [NoteKind::CutOff { offset, packets }] => {
                        assert!(offset < len as u64 && packets == given.len() as u64);
                    }
                    [] => assert!(ends.contains(&len), "{len}"),
                    ref other => panic!("{len}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn cut_compressed_data_gives_what_can_be_read_and_a_note() {
        let samples = samples(40);
        let file = plain(&samples);
        for packed in [
            gzip(&file),
            zstd(&file),
            lz4(&file),
            xz(&file),
            bzip2(&file),
        ] {
            for len in 10..packed.len() {
                let read = read(&packed[..len]);
                let given = given(&read);
                assert_eq!(given, contents(&samples)[..given.len()]);
                let told = !read.errors.is_empty() || !read.notes.is_empty();
                assert!(
                    told || given.len() == samples.len(),
                    "{len} of {}: {:x?}",
                    packed.len(),
                    &packed[..4]
                );
            }
        }
    }

    #[test]
    fn compressed_members_one_after_the_other_are_one_capture() {
        let samples = samples(3);
        let file = plain(&samples);
        let (a, b) = file.split_at(77);
        for pack in [gzip, zstd, lz4, xz, bzip2] {
            let read = read(&[pack(a), pack(b)].concat());
            assert_eq!(given(&read), contents(&samples));
            assert!(read.errors.is_empty() && read.notes.is_empty(), "{read:?}");
        }
    }

    #[test]
    fn damage_in_compressed_data_is_noted() {
        let samples = samples(200);
        let file = plain(&samples);
        let mut packed = gzip(&file);
        // The checksum at the end.
        let len = packed.len();
        packed[len - 8] ^= 1;
        let read = read(&packed);
        assert_eq!(given(&read), contents(&samples));
        match &read.kinds()[..] {
            [
                NoteKind::CompressionDamaged {
                    compression: Compression::Gzip,
                    offset,
                    packets: 200,
                    ..
                },
            ] => assert_eq!(*offset, file.len() as u64),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_capture_is_said_to_be_none() {
        let error = |data: &[u8]| {
            let mut read = read(data);
            assert!(read.packets.is_empty() && read.notes.is_empty());
            assert_eq!(read.errors.len(), 1);
            read.errors.remove(0).to_string()
        };
        assert_eq!(error(b""), "memory is empty");
        assert_eq!(
            error(b"hello\n"),
            "memory is not a packet capture: it looks like text"
        );
        assert_eq!(
            error(&[0, 1, 2, 3, 4]),
            "memory is not a packet capture: unknown content"
        );
        assert_eq!(
            error(&gzip(b"hello")),
            "memory is not a packet capture: gzip data holding text"
        );
        assert_eq!(
            error(&gzip(b"")),
            "memory is not a packet capture: gzip data holding nothing"
        );
        assert_eq!(
            error(&gzip(&zstd(b"hello"))),
            "memory is not a packet capture: gzip data holding zstd data"
        );
        assert_eq!(
            error(b"PK\x03\x04rest"),
            "memory is not a packet capture: it looks like a ZIP archive"
        );
        assert_eq!(
            error(b"snoop\0\0\0\0\0\0\x02"),
            "memory is in an unsupported capture format: snoop"
        );
        assert_eq!(
            error(b"\x1f\x8b\x08\x00garbage"),
            "memory: the gzip data is damaged from its start"
        );
        assert_eq!(
            error(b"BZh is how this text starts"),
            "memory is not a packet capture: it looks like text"
        );
        let mut future = ng(true, &samples(1));
        future[13] = 2;
        assert_eq!(
            error(&future),
            "memory is in an unsupported capture format: pcapng of a version other than 1"
        );
        let mut future = plain(&[]);
        future[4] = 3;
        assert_eq!(
            error(&future),
            "memory is in an unsupported capture format: pcap of a version other than 2"
        );
    }

    #[test]
    fn what_a_file_is_depended_on_how_much_of_it_came_at_first() {
        let file = [
            &pcapng::SECTION_MAGIC[..],
            b" and then text, up to a byte that is none\x01",
        ]
        .concat();
        for chunk in [1, 7, 30, usize::MAX] {
            let read = read_chunked(&file, chunk);
            let told = read.errors.iter().map(ToString::to_string);
            let expected = "memory is not a packet capture: unknown content";
            assert_eq!(told.collect::<Vec<_>>(), [expected], "{chunk}");
        }
    }

    /// Fails after some bytes.
    struct Failing(Vec<u8>);

    impl Input for Failing {
        fn name(&self) -> &str {
            "failing"
        }

        fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
            struct Fail;
            impl Read for Fail {
                fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                    Err(io::Error::other("the disk is gone"))
                }
            }
            Ok(Box::new(io::Cursor::new(self.0.clone()).chain(Fail)))
        }

        fn reopenable(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_read_error_comes_after_the_packets_before_it_with_its_cause() {
        let samples = samples(3);
        for file in [plain(&samples), zstd(&plain(&samples))] {
            let read = read_inputs(vec![Box::new(Failing(file))]);
            assert_eq!(given(&read), contents(&samples));
            let [error @ Error::Read { .. }] = &read.errors[..] else {
                panic!("{read:?}")
            };
            assert_eq!(
                std::error::Error::source(error).unwrap().to_string(),
                "the disk is gone"
            );
        }
    }

    #[test]
    fn notes_tell_of_cut_packets_of_the_clock_and_of_the_link_type() {
        let mut samples = samples(4);
        samples[1].original_len = 1_500;
        samples[3].nanos -= 10_000_000_000;
        let read = read(&pcap(MICROS, false, 147, &samples));
        assert_eq!(
            read.kinds(),
            [
                NoteKind::UnknownLinkType {
                    link_type: 147,
                    packet: 1
                },
                NoteKind::ClockWentBack { packets: 1 },
                NoteKind::PacketsCut { packets: 1 },
            ]
        );
        assert_eq!(given(&read), contents(&samples));
        assert_eq!(read.packets[1].original_len, 1_500);
    }

    #[test]
    fn damage_in_a_pcap_is_skipped_up_to_the_next_sound_record() {
        let samples = samples(9);
        let before = plain(&samples[..4]).len();
        let mut file = plain(&samples);
        // A length that cannot be.
        file[before + 8..before + 12].copy_from_slice(&u32::MAX.to_le_bytes());
        let bytes = (samples[4].data.len() + 16) as u64;
        let read = read(&file);
        assert_eq!(
            given(&read),
            [&contents(&samples)[..4], &contents(&samples)[5..]].concat()
        );
        assert_eq!(
            read.kinds(),
            [NoteKind::DamageSkipped {
                places: 1,
                bytes,
                offset: before as u64,
                packets: 4
            }]
        );
    }

    #[test]
    fn damage_in_a_pcapng_is_skipped_up_to_the_next_sound_block() {
        let samples = samples(9);
        for big_endian in [false, true] {
            let before = ng(big_endian, &samples[..4]).len();
            let after = ng(big_endian, &samples[..5]).len();
            // The first length, the second one, and the interface.
            for (at, value) in [
                (before + 4, 0xffff_fff0_u32),
                (before + 4, 1000),
                (after - 4, 4),
                (before + 8, 7),
            ] {
                let mut file = ng(big_endian, &samples);
                let value = if big_endian {
                    value.to_be_bytes()
                } else {
                    value.to_le_bytes()
                };
                file[at..at + 4].copy_from_slice(&value);
                let read = read(&file);
                assert_eq!(
                    given(&read),
                    [&contents(&samples)[..4], &contents(&samples)[5..]].concat(),
                    "{at}"
                );
                let (bytes, offset) = ((after - before) as u64, before as u64);
                assert_eq!(
                    read.kinds(),
                    [NoteKind::DamageSkipped {
                        places: 1,
                        bytes,
                        offset,
                        packets: 4
                    }]
                );
            }
        }
    }

    #[test]
    fn what_was_decompressed_before_damage_was_lost_with_it() {
        let samples: Vec<Sample> = (0..300)
            .map(|index| {
                let data = format!("packet {index} of some, {}", index * 7919 % 1000);
                sample(1_700_000_000_000_000_000 + index * 1000, data.as_bytes())
            })
            .collect();
        let plain = plain(&samples);
        let per_packet = plain.len() / samples.len();
        for (name, file, may_lack) in [
            ("xz", xz(&plain), 0),
            ("gzip", gzip(&plain), 4096 / per_packet),
        ] {
            let mut most = 0;
            for at in (64..file.len() - 64).step_by(61) {
                let mut file = file.clone();
                file[at] ^= 0xFF;
                let whole = read(&file).packets.len();
                let sips = read_chunked(&file, 1).packets.len();
                assert!(whole + may_lack >= sips, "{name} {at}: {whole} of {sips}");
                most = most.max(sips);
            }
            assert!(most > samples.len() / 2, "{name}: {most}");
        }
    }

    #[test]
    fn packets_fill_the_buffer_many_times_over() {
        let samples: Vec<Sample> = (0..300)
            .map(|index| {
                let data: Vec<u8> = (0..index * 137 % 60_000)
                    .map(|byte| (byte ^ index) as u8)
                    .collect();
                sample(1_700_000_000_000_000_000 + index as i64 * 1000, &data)
            })
            .collect();
        for file in [
            plain(&samples),
            ng(true, &samples),
            gzip(&ng(false, &samples)),
        ] {
            for chunk in [usize::MAX, 4_096] {
                let read = read_chunked(&file, chunk);
                assert_eq!(given(&read), contents(&samples));
                assert!(read.notes.is_empty());
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(start in 0_usize..12, bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let samples = samples(2);
            let mut files = every_variant(&samples);
            let file = plain(&samples);
            files.extend([gzip(&file), zstd(&file), lz4(&file), xz(&file), bzip2(&file)]);
            let mut data = files[start].clone();
            data.truncate(data.len() / 2);
            data.extend(&bytes);
            read(&data);
            read(&bytes);
        }

        #[test]
        fn changed_bytes_never_panic(
            start in 0_usize..12,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let samples = samples(6);
            let mut files = every_variant(&samples);
            let file = plain(&samples);
            files.extend([gzip(&file), zstd(&file), lz4(&file), xz(&file), bzip2(&file)]);
            let mut data = files[start].clone();
            for (at, value) in changes {
                let at = at.index(data.len());
                data[at] = value;
            }
            read(&data);
        }
    }
}
