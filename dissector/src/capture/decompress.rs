//! Compressed captures, recognised by their first bytes. One layer is taken off; files made of several members decode as
//! one. What a decoder may allocate is bounded by [`limits`].

use crate::limits;
use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// A compression format that is taken off on reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// gzip, `.gz`.
    Gzip,
    /// Zstandard, `.zst`.
    Zstd,
    /// LZ4 frames, `.lz4`.
    Lz4,
    /// xz, `.xz`.
    Xz,
    /// bzip2, `.bz2`.
    Bzip2,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        })
    }
}

/// Longest of the magic numbers (bytes).
const LONGEST_MAGIC: u64 = 10;

impl Compression {
    /// About how many bytes a decoder takes for a file as the usual tools write it.
    pub(super) const fn memory(self) -> usize {
        const KIB: usize = 1024;
        match self {
            Self::Gzip => 48 * KIB,
            Self::Zstd | Self::Bzip2 => 4 * KIB * KIB,
            Self::Lz4 | Self::Xz => 8 * KIB * KIB,
        }
    }

    /// The format whose data starts like this, if any.
    pub(super) fn recognise(data: &[u8]) -> Option<Self> {
        const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
        const EMPTY: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
        match data {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            // A frame, or a skippable frame before the first one, as parallel compressors write them.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Some(Self::Xz),
            // "BZh" alone could be text: the level and the start of the first block must follow, as far as there is data.
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if !rest.is_empty() => {
                let block = rest.get(..BLOCK.len()).unwrap_or(rest);
                (BLOCK.starts_with(block) || EMPTY.starts_with(block)).then_some(Self::Bzip2)
            }
            _ => None,
        }
    }
}

/// What a source holds, decompressed if it is compressed in a way that captures may be.
///
/// # Errors
///
/// What reading the first bytes or setting up the decoder says.
pub fn decompressed(source: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    open(source, limits::DECODED_BUFFER).map(|(source, _)| source)
}

/// Wraps `source` in the decoder that its first bytes ask for; short reads are made up for. Compressed bytes are read
/// through a buffer of the given size.
///
/// # Errors
///
/// What reading the first bytes or setting up the decoder says.
pub(super) fn open(
    mut source: Box<dyn Read + Send>,
    buffer: usize,
) -> io::Result<(Box<dyn Read + Send>, Option<Compression>)> {
    let mut start = Vec::new();
    source
        .by_ref()
        .take(LONGEST_MAGIC)
        .read_to_end(&mut start)?;
    let compression = Compression::recognise(&start);
    let source = Cursor::new(start).chain(source);
    let Some(compression) = compression else {
        return Ok((Box::new(source), None));
    };
    let source = BufReader::with_capacity(buffer, source);
    let decoder: Box<dyn Read + Send> = match compression {
        Compression::Gzip => Box::new(Sips(flate2::bufread::MultiGzDecoder::new(source))),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
            decoder.window_log_max(limits::ZSTD_WINDOW_LOG)?;
            Box::new(Sips(decoder))
        }
        Compression::Lz4 => Box::new(Lz4Frames(lz4_flex::frame::FrameDecoder::new(source))),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                limits::XZ_MEMORY,
                liblzma::stream::CONCATENATED,
            )?;
            Box::new(Xz {
                decoder: liblzma::bufread::XzDecoder::new_stream(source, stream),
                failure: None,
            })
        }
        Compression::Bzip2 => Box::new(Sips(bzip2::bufread::MultiBzDecoder::new(source))),
    };
    Ok((decoder, Some(compression)))
}

/// Most bytes that are asked of a decoder at once, where it keeps to itself what it decoded before it came upon damage: this
/// much may be lost then.
const SIP: usize = 2048;

/// Reads a decoder in small pieces.
struct Sips<R>(R);

impl<R: Read> Read for Sips<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = buf.len().min(SIP);
        self.0.read(buf.get_mut(..len).unwrap_or_default())
    }
}

/// An xz decoder that hands out what it decoded before it came upon damage, and only then tells of it.
struct Xz<R> {
    decoder: liblzma::bufread::XzDecoder<R>,
    failure: Option<io::Error>,
}

impl<R: BufRead> Read for Xz<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let before = self.decoder.total_out();
        self.decoder.read(buf).or_else(|failure| {
            let decoded = self.decoder.total_out().saturating_sub(before);
            match usize::try_from(decoded) {
                Ok(decoded) if decoded > 0 => {
                    self.failure = Some(failure);
                    Ok(decoded.min(buf.len()))
                }
                _ => Err(failure),
            }
        })
    }
}

/// LZ4 frames one after the other: the frame decoder reports an end at the end of each frame.
struct Lz4Frames<R: BufRead>(lz4_flex::frame::FrameDecoder<R>);

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(buf)?;
            if read > 0 || buf.is_empty() || self.0.get_mut().fill_buf()?.is_empty() {
                return Ok(read);
            }
        }
    }
}
