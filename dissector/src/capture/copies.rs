//! Inputs that hold the same bytes as another one, or the beginning of them: a file named twice, a copy under another name
//! or compressed, a copy made while the file was still written. They are told apart from captures that merely look alike
//! by comparing all bytes, which is done only where the first packets are the same.

use super::{Input, decompress};
use crate::limits;
use std::io::{self, ErrorKind, Read};

/// How two inputs relate to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// The second one holds nothing that is not in the first one.
    SecondInFirst,
    /// The first one is the beginning of the second one.
    FirstInSecond,
    /// Each has something of its own.
    Different,
}

/// Compares two inputs, decompressed, until they differ.
///
/// # Errors
///
/// One of them cannot be opened or read to its end.
pub(super) fn compare(first: &mut dyn Input, second: &mut dyn Input) -> io::Result<Relation> {
    let mut first = Side::open(first)?;
    let mut second = Side::open(second)?;
    loop {
        let (a, b) = (first.bytes()?, second.bytes()?);
        if b.is_empty() {
            return Ok(Relation::SecondInFirst);
        }
        if a.is_empty() {
            return Ok(Relation::FirstInSecond);
        }
        let both = a.len().min(b.len());
        if a.get(..both) != b.get(..both) {
            return Ok(Relation::Different);
        }
        first.start = first.start.saturating_add(both);
        second.start = second.start.saturating_add(both);
    }
}

/// One of two inputs that are compared.
struct Side {
    source: Box<dyn Read + Send>,
    data: Vec<u8>,
    start: usize,
    end: usize,
}

impl Side {
    fn open(input: &mut dyn Input) -> io::Result<Self> {
        let (source, _) = decompress::open(input.open()?, limits::PROBE_BUFFER)?;
        Ok(Self {
            source,
            data: vec![0; limits::DECODED_BUFFER],
            start: 0,
            end: 0,
        })
    }

    /// The bytes that come next; none at the end.
    fn bytes(&mut self) -> io::Result<&[u8]> {
        if self.start >= self.end {
            self.start = 0;
            self.end = loop {
                match self.source.read(&mut self.data) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    outcome => break outcome?,
                }
            };
        }
        Ok(self.data.get(self.start..self.end).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::samples::*;
    use super::*;

    #[test]
    fn a_copy_may_be_compressed_or_shorter() {
        let whole = plain(&samples(50));
        let relation = |first: &[u8], second: &[u8]| {
            let side = |data: &[u8], chunk| Memory {
                chunk,
                ..Memory::new(data.to_vec())
            };
            compare(&mut side(first, 7), &mut side(second, 100)).unwrap()
        };
        let part = whole.get(..1000).unwrap();
        assert_eq!(relation(&whole, &whole), Relation::SecondInFirst);
        assert_eq!(relation(&whole, &gzip(&whole)), Relation::SecondInFirst);
        assert_eq!(relation(&xz(&whole), part), Relation::SecondInFirst);
        assert_eq!(relation(part, &whole), Relation::FirstInSecond);
        let mut other = whole.clone();
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(relation(&whole, &other), Relation::Different);
        assert!(
            compare(
                &mut Memory::new(gzip(&whole)),
                &mut Memory::new(gzip(&other).get(..900).unwrap().to_vec())
            )
            .is_err()
        );
    }
}
