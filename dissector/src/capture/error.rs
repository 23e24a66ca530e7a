//! Why an input could not be read as a capture, and what it looks like instead.

use super::Compression;
use std::{fmt, io};

/// Why an input gives no (more) packets. Each error concerns one input only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input could not be opened.
    #[error("cannot open {name}")]
    Open {
        /// Name of the input.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Reading failed, at the beginning or later.
    #[error("cannot read {name}{}", After(*offset))]
    Read {
        /// Name of the input.
        name: String,
        /// How far it could be read, in bytes of the (decompressed) capture.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The input holds no bytes at all.
    #[error("{name} is empty")]
    Empty {
        /// Name of the input.
        name: String,
    },
    /// The input is compressed, but nothing could be decompressed.
    #[error("{name}: the {compression} data is damaged from its start")]
    Compression {
        /// Name of the input.
        name: String,
        /// How it is compressed.
        compression: Compression,
        /// What the decoder said.
        source: io::Error,
    },
    /// The input is not a capture, or compressed data that holds no capture.
    #[error("{name} is not a packet capture: {}", Holding(*compression, *content))]
    NotACapture {
        /// Name of the input.
        name: String,
        /// How it is compressed, if it is.
        compression: Option<Compression>,
        /// What it looks like.
        content: Content,
    },
    /// A capture, but in a format that is not read.
    #[error("{name} is in an unsupported capture format: {format}")]
    Unsupported {
        /// Name of the input.
        name: String,
        /// The format.
        format: &'static str,
    },
}

/// Says how far reading got, if it did.
struct After(u64);

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            offset => write!(f, " any further than byte {offset}"),
        }
    }
}

/// Says "gzip data holding text".
struct Holding(Option<Compression>, Content);

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(None, Content::Unknown) => f.write_str("unknown content"),
            Self(None, content) => write!(f, "it looks like {content}"),
            Self(Some(compression), content) => write!(f, "{compression} data holding {content}"),
        }
    }
}

/// What something that is no capture looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Nothing that is recognised.
    Unknown,
    /// Compressed data without a byte in it.
    Nothing,
    /// Printable text.
    Text,
    /// A ZIP archive (also office documents and Java archives).
    Zip,
    /// A tar archive.
    Tar,
    /// A 7-Zip archive.
    SevenZip,
    /// Compressed data in one of the formats of [`Compression`]; only one layer is taken off.
    Compressed(Compression),
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("something unknown"),
            Self::Nothing => f.write_str("nothing"),
            Self::Text => f.write_str("text"),
            Self::Zip => f.write_str("a ZIP archive"),
            Self::Tar => f.write_str("a tar archive"),
            Self::SevenZip => f.write_str("a 7-Zip archive"),
            Self::Compressed(compression) => write!(f, "{compression} data"),
        }
    }
}

impl Content {
    /// Judges the first bytes of a file that is no capture.
    pub(super) fn recognise(data: &[u8]) -> Self {
        const TAR_MAGIC_AT: usize = 257;
        if let Some(compression) = Compression::recognise(data) {
            return Self::Compressed(compression);
        }
        if data.starts_with(b"PK\x03\x04") || data.starts_with(b"PK\x05\x06") {
            return Self::Zip;
        }
        if data.starts_with(b"7z\xbc\xaf\x27\x1c") {
            return Self::SevenZip;
        }
        if data
            .get(TAR_MAGIC_AT..)
            .is_some_and(|rest| rest.starts_with(b"ustar"))
        {
            return Self::Tar;
        }
        let start = data.get(..512).unwrap_or(data);
        let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
        if !start.is_empty()
            && start.iter().all(printable)
            && start.iter().any(u8::is_ascii_graphic)
        {
            return Self::Text;
        }
        Self::Unknown
    }
}

/// The name of a capture format that is recognised but not read, by the first bytes of the file.
pub(super) fn unsupported(data: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 7] = [
        (b"snoop\0\0\0", "snoop"),
        (b"GMBU", "Microsoft Network Monitor 2"),
        (b"RTSS", "Microsoft Network Monitor 1"),
        (b"TRSNIFF data", "Sniffer (DOS)"),
        (b"XCP\0", "Sniffer (Windows)"),
        (b"\xa1\xb2\xcd\x34", "modified pcap, big-endian"),
        (b"\x7fver", "EtherPeek"),
    ];
    FORMATS
        .iter()
        .find(|(magic, _)| data.starts_with(magic))
        .map(|(_, name)| *name)
}
