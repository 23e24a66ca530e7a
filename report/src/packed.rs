//! What stands in the page compressed, for the script to unpack: DEFLATE (RFC 1951) in Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write as _;

/// Packs what is written to it.
pub(crate) struct Packer(DeflateEncoder<Vec<u8>>);

impl Packer {
    pub fn new() -> Self {
        Self(DeflateEncoder::new(Vec::new(), Compression::default()))
    }

    pub fn write(&mut self, bytes: &[u8]) {
        // Packing into memory cannot fail; the same holds below.
        let _ = self.0.write_all(bytes);
    }

    pub fn finish(self) -> String {
        STANDARD.encode(self.0.finish().unwrap_or_default())
    }
}

/// Packs some bytes.
pub(crate) fn pack(bytes: &[u8]) -> String {
    let mut packer = Packer::new();
    packer.write(bytes);
    packer.finish()
}
