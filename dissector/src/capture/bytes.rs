//! A stretch of a packet, of which the capture may lack the end.

use super::length;

/// Bytes of a packet from some layer on. Where the capture cut the packet, `missing` bytes follow that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bytes<'a> {
    /// What was captured.
    pub data: &'a [u8],
    /// Bytes that followed on the wire.
    pub missing: u32,
}

impl<'a> Bytes<'a> {
    /// How long it was on the wire; saturates.
    pub fn on_wire(self) -> u32 {
        length(self.data.len()).saturating_add(self.missing)
    }

    /// The first `N` bytes and what follows them.
    pub fn split<const N: usize>(self) -> Option<(&'a [u8; N], Self)> {
        let (first, data) = self.data.split_first_chunk::<N>()?;
        Some((first, Self { data, ..self }))
    }

    /// What follows the first `count` bytes.
    pub fn skip(self, count: usize) -> Option<Self> {
        let data = self.data.get(count..)?;
        Some(Self { data, ..self })
    }

    /// The first `len` bytes, as a length field in a header tells. What lies beyond is padding.
    pub fn limited(self, len: u32) -> Self {
        let captured = super::size(len).min(self.data.len());
        let data = self.data.get(..captured).unwrap_or_default();
        Self {
            data,
            missing: len.saturating_sub(length(captured)),
        }
    }
}
