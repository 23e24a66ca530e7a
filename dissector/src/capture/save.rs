//! Writes captures: pcap with one link type, or pcapng with an interface for each place that packets came from. Times keep
//! their nanoseconds in both. What pcap cannot hold, from before 1970 or after 2106, is refused; pcapng holds all.

use super::{Packet, PacketId, length};
use crate::time::{NANOS_PER_SECOND, Timestamp};
use flate2::write::GzEncoder;
use std::collections::HashMap;
use std::io::{self, Write};

/// The two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveFormat {
    /// The classic one: one link type for all packets.
    Pcap,
    /// Blocks, with an interface for each link type.
    PcapNg,
}

/// How the file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SaveCompression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Why a packet could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// A pcap file has one link type, and this packet has another one.
    #[error("pcap holds one link type, and there are two, {first} and {other}; write pcapng")]
    LinkTypes {
        /// Link type of the file.
        first: u32,
        /// That of the packet.
        other: u32,
    },
    /// No file can hold this link type.
    #[error("link type {0} does not fit into a capture file")]
    LinkType(u32),
    /// A pcap file counts seconds from 1970 in 32 bits.
    #[error("{} was captured at {}, and pcap holds times from 1970 to 2106 only; write pcapng", named(*packet), shown(*time))]
    Time {
        /// The packet.
        packet: PacketId,
        /// When it was captured.
        time: Timestamp,
    },
    /// Writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

const ETHERNET: u32 = 1;

/// Writes packets to a capture file.
pub struct Saver<W: Write> {
    out: Packed<W>,
    format: SaveFormat,
    /// Of a pcap file, once its header is written.
    link_type: Option<u32>,
    /// Number of the interface for an input, its interface, a link type, and whether times are before 1970.
    interfaces: HashMap<(u32, u32, u32, bool), u32>,
    /// The record that is being put together.
    record: Vec<u8>,
}

enum Packed<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Saver<W> {
    /// A file without packets.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(out: W, format: SaveFormat, compression: SaveCompression) -> io::Result<Self> {
        let out = match compression {
            SaveCompression::None => Packed::Plain(out),
            SaveCompression::Gzip => {
                Packed::Gzip(GzEncoder::new(out, flate2::Compression::default()))
            }
            SaveCompression::Zstd => Packed::Zstd(zstd::Encoder::new(out, 0)?),
        };
        let mut saver = Self {
            out,
            format,
            link_type: None,
            interfaces: HashMap::new(),
            record: Vec::new(),
        };
        if format == SaveFormat::PcapNg {
            saver.section()?;
        }
        Ok(saver)
    }

    /// Writes a packet.
    ///
    /// # Errors
    /// When the format cannot hold it, or writing fails.
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<(), SaveError> {
        match self.format {
            SaveFormat::Pcap => self.pcap(packet),
            SaveFormat::PcapNg => self.pcapng(packet),
        }
    }

    /// Writes what is left, and gives the output back.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        if self.format == SaveFormat::Pcap && self.link_type.is_none() {
            self.pcap_header(ETHERNET)?;
        }
        let mut out = match self.out {
            Packed::Plain(out) => out,
            Packed::Gzip(encoder) => encoder.finish()?,
            Packed::Zstd(encoder) => encoder.finish()?,
        };
        out.flush()?;
        Ok(out)
    }

    fn pcap(&mut self, packet: &Packet<'_>) -> Result<(), SaveError> {
        let other = packet.link_type;
        let (seconds, nanos) = parts(packet.time);
        let Ok(seconds) = u32::try_from(seconds) else {
            let (packet, time) = (packet.id, packet.time);
            return Err(SaveError::Time { packet, time });
        };
        match self.link_type {
            None => self.pcap_header(other)?,
            Some(first) if first != other => return Err(SaveError::LinkTypes { first, other }),
            Some(_) => {}
        }
        self.record.clear();
        self.word(seconds);
        self.word(nanos);
        self.word(length(packet.data.len()));
        self.word(packet.original_len);
        self.record.extend_from_slice(packet.data);
        self.write()?;
        Ok(())
    }

    /// Magic number of nanoseconds, version 2.4, time zone, accuracy, snap length, link type.
    fn pcap_header(&mut self, link_type: u32) -> io::Result<()> {
        self.link_type = Some(link_type);
        self.record.clear();
        self.word(0xa1b2_3c4d);
        self.word(0x0004_0002);
        self.word(0);
        self.word(0);
        self.word(length(crate::limits::MAX_PACKET));
        self.word(link_type);
        self.write()
    }

    /// Byte order, version 1.0, length of the section not told.
    fn section(&mut self) -> io::Result<()> {
        self.begin_block(0x0a0d_0d0a);
        self.word(0x1a2b_3c4d);
        self.word(1);
        self.word(u32::MAX);
        self.word(u32::MAX);
        self.end_block()
    }

    fn pcapng(&mut self, packet: &Packet<'_>) -> Result<(), SaveError> {
        let early = packet.time < Timestamp::default();
        let key = (packet.id.input, packet.interface, packet.link_type, early);
        let interface = match self.interfaces.get(&key) {
            Some(interface) => *interface,
            None => {
                let number = length(self.interfaces.len());
                self.interface(packet.link_type, early)?;
                self.interfaces.insert(key, number);
                number
            }
        };
        let (mut seconds, nanos) = parts(packet.time);
        if early {
            seconds = seconds.saturating_sub(EARLIEST);
        }
        let since = i128::from(seconds) * i128::from(NANOS_PER_SECOND) + i128::from(nanos);
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        self.begin_block(6);
        self.word(interface);
        self.word(u32::try_from(since >> 32).unwrap_or(u32::MAX));
        self.word(u32::try_from(since & u64::from(u32::MAX)).unwrap_or(0));
        self.word(length(packet.data.len()));
        self.word(packet.original_len);
        self.record.extend_from_slice(packet.data);
        self.end_block()?;
        Ok(())
    }

    /// Link type, reserved, no snap length; the options that times are in nanoseconds and, for `early` ones, that they count
    /// from the earliest second; the end of options.
    fn interface(&mut self, link_type: u32, early: bool) -> Result<(), SaveError> {
        const TIME_RESOLUTION: u32 = 9;
        const TIME_OFFSET: u32 = 14;
        if u16::try_from(link_type).is_err() {
            return Err(SaveError::LinkType(link_type));
        }
        self.begin_block(1);
        self.word(link_type);
        self.word(0);
        self.word(1 << 16 | TIME_RESOLUTION);
        self.word(9);
        if early {
            self.word(8 << 16 | TIME_OFFSET);
            self.record.extend_from_slice(&EARLIEST.to_le_bytes());
        }
        self.word(0);
        self.end_block()?;
        Ok(())
    }

    fn word(&mut self, word: u32) {
        self.record.extend_from_slice(&word.to_le_bytes());
    }

    /// Type, and room for the length.
    fn begin_block(&mut self, kind: u32) {
        self.record.clear();
        self.word(kind);
        self.word(0);
    }

    fn end_block(&mut self) -> io::Result<()> {
        while !self.record.len().is_multiple_of(4) {
            self.record.push(0);
        }
        let len = length(self.record.len().saturating_add(4));
        self.word(len);
        if let Some(place) = self.record.get_mut(4..8) {
            place.copy_from_slice(&len.to_le_bytes());
        }
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        match &mut self.out {
            Packed::Plain(out) => out.write_all(&self.record),
            Packed::Gzip(out) => out.write_all(&self.record),
            Packed::Zstd(out) => out.write_all(&self.record),
        }
    }
}

/// A packet, for people.
fn named(packet: PacketId) -> String {
    match packet.input {
        0 => format!("packet {}", packet.number),
        input => format!("packet {} of file {}", packet.number, u64::from(input) + 1),
    }
}

/// A time, for people.
fn shown(time: Timestamp) -> String {
    jiff::Timestamp::from_nanosecond(time.nanos().into())
        .map_or_else(|_| format!("{time:?}"), |t| t.to_string())
}

/// The second in which time begins.
const EARLIEST: i64 = i64::MIN.div_euclid(NANOS_PER_SECOND);

/// Seconds since 1970, and nanoseconds.
fn parts(time: Timestamp) -> (i64, u32) {
    let nanos = time.nanos();
    let rest = nanos.rem_euclid(NANOS_PER_SECOND);
    (
        nanos.div_euclid(NANOS_PER_SECOND),
        u32::try_from(rest).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use super::super::samples::{Memory, read_inputs};
    use super::super::{Input, PacketId};
    use super::*;

    fn packet(number: u64, link_type: u32, interface: u32, data: &[u8]) -> Packet<'_> {
        Packet {
            id: PacketId { input: 0, number },
            time: Timestamp::from_nanos(1_700_000_000_123_456_789 + number as i64),
            interface,
            link_type,
            data,
            original_len: length(data.len()) + 7,
        }
    }

    fn saved(
        packets: &[Packet<'_>],
        format: SaveFormat,
        compression: SaveCompression,
    ) -> Result<Vec<u8>, SaveError> {
        let mut saver = Saver::new(Vec::new(), format, compression)?;
        for packet in packets {
            saver.packet(packet)?;
        }
        Ok(saver.finish()?)
    }

    #[test]
    fn what_is_written_is_read_again_as_it_was() {
        let data: Vec<Vec<u8>> = (0..9_u8).map(|n| vec![n; usize::from(n)]).collect();
        let one: Vec<Packet<'_>> = (0..9).map(|n| packet(n, 1, 0, &data[n as usize])).collect();
        let several: Vec<Packet<'_>> = (0..9)
            .map(|n| {
                packet(
                    n,
                    [1, 101, 113][n as usize % 3],
                    (n % 3) as u32,
                    &data[n as usize],
                )
            })
            .collect();
        for compression in [
            SaveCompression::None,
            SaveCompression::Gzip,
            SaveCompression::Zstd,
        ] {
            for (format, packets) in [
                (SaveFormat::Pcap, &one),
                (SaveFormat::PcapNg, &one),
                (SaveFormat::PcapNg, &several),
            ] {
                let file = saved(packets, format, compression).unwrap();
                let input: Box<dyn Input> = Box::new(Memory::new(file));
                let read = read_inputs(vec![input]);
                assert!(read.errors.is_empty(), "{read:?}");
                assert_eq!(read.packets.len(), packets.len());
                for (again, packet) in read.packets.iter().zip(packets) {
                    assert_eq!(again.data, packet.data);
                    assert_eq!(again.nanos, packet.time.nanos());
                    assert_eq!(again.link_type, packet.link_type);
                    assert_eq!(again.original_len, packet.original_len);
                }
            }
        }
    }

    #[test]
    fn pcap_refuses_a_second_link_type() {
        let packets = [packet(1, 1, 0, b"a"), packet(2, 113, 0, b"b")];
        let error = saved(&packets, SaveFormat::Pcap, SaveCompression::None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "pcap holds one link type, and there are two, 1 and 113; write pcapng"
        );
        assert!(saved(&packets, SaveFormat::PcapNg, SaveCompression::None).is_ok());
    }

    #[test]
    fn times_that_pcap_cannot_hold_were_written_as_others() {
        let at = |nanos| Packet {
            time: Timestamp::from_nanos(nanos),
            ..packet(7, 1, 0, b"a")
        };
        let last = (i64::from(u32::MAX) + 1) * NANOS_PER_SECOND - 1;
        for nanos in [0, last] {
            let file = saved(&[at(nanos)], SaveFormat::Pcap, SaveCompression::None).unwrap();
            assert_eq!(read(file), [nanos]);
        }
        for (nanos, when) in [
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (last + 1, "2106-02-07T06:28:16Z"),
        ] {
            let packets = [packet(6, 1, 0, b"a"), at(nanos)];
            let error = saved(&packets, SaveFormat::Pcap, SaveCompression::None).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "packet 7 was captured at {when}, and pcap holds times from 1970 to 2106 only; write pcapng"
                )
            );
        }
        let all = [i64::MIN, -last, -1, 0, 1, last + 1, i64::MAX];
        let packets = all.map(at);
        let file = saved(&packets, SaveFormat::PcapNg, SaveCompression::None).unwrap();
        assert_eq!(read(file), all);
    }

    /// The times of a file.
    fn read(file: Vec<u8>) -> Vec<i64> {
        let read = read_inputs(vec![Box::new(Memory::new(file)) as Box<dyn Input>]);
        assert!(read.errors.is_empty(), "{read:?}");
        read.packets.iter().map(|packet| packet.nanos).collect()
    }

    #[test]
    fn a_file_without_packets_is_a_capture_all_the_same() {
        for format in [SaveFormat::Pcap, SaveFormat::PcapNg] {
            let file = saved(&[], format, SaveCompression::None).unwrap();
            let read = read_inputs(vec![Box::new(Memory::new(file)) as Box<dyn Input>]);
            assert!(read.packets.is_empty() && read.errors.is_empty());
        }
    }
}
