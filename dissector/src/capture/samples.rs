//! Hand-built captures for the tests of this module.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::{Capture, Error, Input, Note, NoteKind, Packet, PacketId, length};
use crate::time::Timestamp;
use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A packet that is all there, the first of its capture.
pub fn packet(link_type: u32, data: &[u8]) -> Packet<'_> {
    Packet {
        id: PacketId {
            input: 0,
            number: 1,
        },
        time: Timestamp::from_seconds(1_700_000_000),
        interface: 0,
        link_type,
        data,
        original_len: length(data.len()),
    }
}

/// An input in memory that gives at most `chunk` bytes per read.
pub struct Memory {
    pub name: String,
    pub data: Vec<u8>,
    pub chunk: usize,
    pub reopenable: bool,
    pub open: Arc<AtomicU32>,
    pub most_open: Arc<AtomicU32>,
    /// So many may be open; more are refused as a system refuses them.
    pub limit: u32,
}

impl Memory {
    pub fn new(data: Vec<u8>) -> Self {
        Self {
            name: "memory".into(),
            data,
            chunk: usize::MAX,
            reopenable: true,
            open: Arc::default(),
            most_open: Arc::default(),
            limit: u32::MAX,
        }
    }
}

impl Input for Memory {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        if self.open.load(Ordering::Relaxed) >= self.limit {
            return Err(io::Error::from_raw_os_error(if cfg!(windows) {
                4
            } else {
                24
            }));
        }
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_open.fetch_max(open, Ordering::Relaxed);
        let data = if self.reopenable {
            self.data.clone()
        } else {
            std::mem::take(&mut self.data)
        };
        Ok(Box::new(Chunks {
            data: Cursor::new(data),
            chunk: self.chunk,
            open: Arc::clone(&self.open),
        }))
    }

    fn size(&self) -> Option<u64> {
        Some(super::offset(self.data.len()))
    }

    fn reopenable(&self) -> bool {
        self.reopenable
    }
}

struct Chunks {
    data: Cursor<Vec<u8>>,
    chunk: usize,
    open: Arc<AtomicU32>,
}

impl Read for Chunks {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = buf.len().min(self.chunk);
        self.data.read(&mut buf[..len])
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A packet that outlives its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub id: PacketId,
    pub nanos: i64,
    pub interface: u32,
    pub link_type: u32,
    pub data: Vec<u8>,
    pub original_len: u32,
}

/// All that a capture gives.
#[derive(Debug, Default)]
pub struct Outcome {
    pub packets: Vec<Owned>,
    pub errors: Vec<Error>,
    pub notes: Vec<Note>,
}

impl Outcome {
    pub fn kinds(&self) -> Vec<NoteKind> {
        self.notes.iter().map(|note| note.kind.clone()).collect()
    }

    pub fn data(&self) -> Vec<Vec<u8>> {
        self.packets
            .iter()
            .map(|packet| packet.data.clone())
            .collect()
    }

    pub fn nanos(&self) -> Vec<i64> {
        self.packets.iter().map(|packet| packet.nanos).collect()
    }
}

pub fn read_inputs(inputs: Vec<Box<dyn Input>>) -> Outcome {
    let mut capture = Capture::new(inputs);
    let mut read = Outcome::default();
    loop {
        match capture.next_packet() {
            Ok(Some(packet)) => read.packets.push(Owned {
                id: packet.id,
                nanos: packet.time.nanos(),
                interface: packet.interface,
                link_type: packet.link_type,
                data: packet.data.to_vec(),
                original_len: packet.original_len,
            }),
            Ok(None) => break,
            Err(error) => read.errors.push(error),
        }
    }
    assert_eq!(
        capture.progress().packets,
        u64::try_from(read.packets.len()).unwrap()
    );
    read.notes = capture.notes();
    read
}

pub fn read(data: &[u8]) -> Outcome {
    read_inputs(vec![Box::new(Memory::new(data.to_vec()))])
}

pub fn read_chunked(data: &[u8], chunk: usize) -> Outcome {
    read_inputs(vec![Box::new(Memory {
        chunk,
        ..Memory::new(data.to_vec())
    })])
}

/// A packet to put into a capture.
#[derive(Debug, Clone)]
pub struct Sample {
    pub nanos: i64,
    pub data: Vec<u8>,
    pub original_len: u32,
}

pub fn sample(nanos: i64, data: &[u8]) -> Sample {
    Sample {
        nanos,
        data: data.to_vec(),
        original_len: data.len() as u32,
    }
}

/// `count` different packets, a millisecond apart.
pub fn samples(count: usize) -> Vec<Sample> {
    (0..count)
        .map(|index| {
            let data: Vec<u8> = (0..20 + index * 7)
                .map(|byte| (byte * 31 + index) as u8)
                .collect();
            sample(1_700_000_000_000_000_000 + index as i64 * 1_000_000, &data)
        })
        .collect()
}

pub const MICROS: u32 = 0xa1b2_c3d4;
pub const NANOS: u32 = 0xa1b2_3c4d;
pub const MODIFIED: u32 = 0xa1b2_cd34;

/// A pcap file.
pub fn pcap(magic: u32, big_endian: bool, link_type: u32, packets: &[Sample]) -> Vec<u8> {
    let mut file = Words {
        big_endian,
        bytes: Vec::new(),
    };
    file.u32(magic)
        .u16(2)
        .u16(4)
        .u32(0)
        .u32(0)
        .u32(262_144)
        .u32(link_type);
    for packet in packets {
        let fraction = packet.nanos % 1_000_000_000 / if magic == NANOS { 1 } else { 1_000 };
        file.u32((packet.nanos / 1_000_000_000) as u32)
            .u32(fraction as u32);
        file.u32(packet.data.len() as u32).u32(packet.original_len);
        if magic == MODIFIED {
            file.u32(1).u32(0);
        }
        file.bytes.extend(&packet.data);
    }
    file.bytes
}

/// A little-endian Ethernet pcap in microseconds.
pub fn plain(packets: &[Sample]) -> Vec<u8> {
    pcap(MICROS, false, 1, packets)
}

/// Writes numbers in one byte order.
pub struct Words {
    pub big_endian: bool,
    pub bytes: Vec<u8>,
}

impl Words {
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes.extend(if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        });
        self
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        });
        self
    }

    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.bytes.extend(if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        });
        self
    }
}

/// Builds a pcapng file block by block.
pub struct Ng {
    pub big_endian: bool,
    pub bytes: Vec<u8>,
}

impl Ng {
    pub fn new(big_endian: bool) -> Self {
        let mut ng = Self {
            big_endian,
            bytes: Vec::new(),
        };
        ng.section(big_endian);
        ng
    }

    pub fn section(&mut self, big_endian: bool) -> &mut Self {
        self.big_endian = big_endian;
        let mut body = self.words();
        body.u32(0x1a2b_3c4d).u16(1).u16(0).i64(-1);
        self.block(0x0a0d_0d0a, &body.bytes)
    }

    pub fn words(&self) -> Words {
        Words {
            big_endian: self.big_endian,
            bytes: Vec::new(),
        }
    }

    pub fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let mut words = self.words();
        words.u32(kind).u32(body.len() as u32 + 12);
        words.bytes.extend(body);
        let len = words.bytes.len() as u32 + 4;
        words.u32(len);
        self.bytes.extend(words.bytes);
        self
    }

    pub fn interface(
        &mut self,
        link_type: u16,
        snap_len: u32,
        resolution: Option<u8>,
        offset: Option<i64>,
    ) -> &mut Self {
        let mut body = self.words();
        body.u16(link_type).u16(0).u32(snap_len);
        if let Some(resolution) = resolution {
            body.u16(9).u16(1);
            body.bytes.extend([resolution, 0, 0, 0]);
        }
        if let Some(offset) = offset {
            body.u16(14).u16(8).i64(offset);
        }
        if body.bytes.len() > 8 {
            body.u32(0);
        }
        self.block(1, &body.bytes)
    }

    pub fn enhanced(
        &mut self,
        interface: u32,
        ticks: u64,
        data: &[u8],
        original: u32,
    ) -> &mut Self {
        let mut body = self.words();
        body.u32(interface)
            .u32((ticks >> 32) as u32)
            .u32(ticks as u32)
            .u32(data.len() as u32)
            .u32(original);
        body.bytes.extend(data);
        self.block(6, &body.bytes)
    }

    pub fn simple(&mut self, data: &[u8], original: u32) -> &mut Self {
        let mut body = self.words();
        body.u32(original);
        body.bytes.extend(data);
        self.block(3, &body.bytes)
    }

    pub fn obsolete(
        &mut self,
        interface: u16,
        ticks: u64,
        data: &[u8],
        original: u32,
    ) -> &mut Self {
        let mut body = self.words();
        body.u16(interface)
            .u16(0xffff)
            .u32((ticks >> 32) as u32)
            .u32(ticks as u32);
        body.u32(data.len() as u32).u32(original);
        body.bytes.extend(data);
        self.block(2, &body.bytes)
    }
}

/// An Ethernet pcapng with one interface in microseconds.
pub fn ng(big_endian: bool, packets: &[Sample]) -> Vec<u8> {
    let mut ng = Ng::new(big_endian);
    ng.interface(1, 262_144, None, None);
    for packet in packets {
        ng.enhanced(
            0,
            (packet.nanos / 1_000) as u64,
            &packet.data,
            packet.original_len,
        );
    }
    ng.bytes
}

pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(data: &[u8]) -> Vec<u8> {
    zstd::encode_all(data, 1).unwrap()
}

pub fn lz4(data: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub fn xz(data: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub fn bzip2(data: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}
