//! Captures that lie in memory.

use cti_dissector::capture::Input;
use std::io::{self, Read};
use std::sync::Arc;

/// A capture in memory that is read in pieces of at most `piece` bytes.
pub(crate) struct Memory {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) piece: usize,
    pub(crate) reopenable: bool,
}

struct Pieces {
    bytes: Arc<[u8]>,
    at: usize,
    piece: usize,
}

impl Read for Pieces {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let len = rest.len().min(buf.len()).min(self.piece);
        buf[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

impl Input for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Pieces {
            bytes: Arc::clone(&self.bytes),
            at: 0,
            piece: self.piece,
        }))
    }

    fn reopenable(&self) -> bool {
        self.reopenable
    }
}
