//! The bytes of one input, decompressed, wherever its source is: open, or closed for others' sake and to be opened again.

use super::buffer::{Meter, Metered};
use super::pool::{Open, Pool};
use super::{Compression, Error, Input, decompress, offset};
use std::io::{self, ErrorKind, Read};

/// An input that is being read.
pub(super) struct Feed {
    input: Box<dyn Input>,
    number: u32,
    pool: Pool,
    meter: Meter,
    /// Compressed bytes that are read at once.
    compressed: usize,
    compression: Option<Compression>,
    /// How many bytes it has given, so that it can go on there.
    position: u64,
}

impl Feed {
    /// Opens an input and takes its compression off. `buffer` is the size of the buffer through which it will be read.
    pub(super) fn open(
        input: Box<dyn Input>,
        number: u32,
        pool: &Pool,
        meter: Meter,
        buffer: usize,
    ) -> Result<Self, Error> {
        const COMPRESSED: std::ops::RangeInclusive<usize> = 8 * 1024..=128 * 1024;
        let mut feed = Self {
            input,
            number,
            pool: pool.clone(),
            meter,
            compressed: (buffer / 8).clamp(*COMPRESSED.start(), *COMPRESSED.end()),
            compression: None,
            position: 0,
        };
        let source = match feed.open_raw(0) {
            Ok(source) => source,
            Err(source) => {
                let name = feed.input.name().to_owned();
                return Err(Error::Open { name, source });
            }
        };
        match decompress::open(source, feed.compressed) {
            Ok((source, compression)) => {
                feed.compression = compression;
                feed.put(source);
                Ok(feed)
            }
            Err(source) => Err(Error::Read {
                name: feed.input.name().to_owned(),
                offset: 0,
                source,
            }),
        }
    }

    /// How the input is compressed.
    pub(super) fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// What is known about reading it.
    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The next bytes; none at the end.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut source = match self.pool.take(self.number) {
            Some(source) => source,
            None => self.reopen().inspect_err(|_| self.meter.fail())?,
        };
        let outcome = source.read(buf);
        if let Ok(read) = outcome {
            self.position = self.position.saturating_add(offset(read));
        }
        self.put(source);
        outcome
    }

    /// Whether [`Feed::rewind`] costs no more than opening the input once more.
    pub(super) fn can_rewind(&self) -> bool {
        self.compression.is_none() && self.input.reopenable()
    }

    /// Goes back, so that the last bytes come once more.
    pub(super) fn rewind(&mut self, bytes: usize) {
        self.close();
        self.position = self.position.saturating_sub(offset(bytes));
    }

    /// Closes the input and hands it back.
    pub(super) fn into_input(self) -> Box<dyn Input> {
        self.close();
        self.input
    }

    /// Closes the source. Reading again opens it once more, where that can be.
    pub(super) fn close(&self) {
        drop(self.pool.take(self.number));
    }

    fn put(&self, source: Box<dyn Read + Send>) {
        let memory = self.compression.map_or(0, Compression::memory);
        // What is compressed cannot be read from its middle.
        let before = self.compression.map_or(0, |_| self.position);
        let again = self.input.reopenable().then_some(before);
        self.pool.put(self.number, Open::new(source, memory, again));
    }

    fn reopen(&mut self) -> io::Result<Box<dyn Read + Send>> {
        if !self.input.reopenable() {
            return Err(io::Error::other("cannot be read a second time"));
        }
        if self.compression.is_none() {
            return self.open_raw(self.position);
        }
        let (mut source, compression) = decompress::open(self.open_raw(0)?, self.compressed)?;
        let mut before = source.by_ref().take(self.position);
        let skipped = io::copy(&mut before, &mut io::sink())?;
        if skipped < self.position || compression != self.compression {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "it was changed while it was read",
            ));
        }
        Ok(source)
    }

    /// Opens the input as it is, at an offset; closes others if the system would not have it otherwise.
    fn open_raw(&mut self, at: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut open = || match at {
            0 => self.input.open(),
            at => self.input.open_at(at),
        };
        let source = match open() {
            Err(error) if self.pool.made_way(&error) => open(),
            outcome => outcome,
        };
        Ok(Box::new(Metered::new(source?, at, self.meter.clone())))
    }
}
