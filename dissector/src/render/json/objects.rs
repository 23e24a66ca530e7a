//! How objects stand one behind the other: a line each, or as elements of one array.

/// Puts JSON objects one behind the other.
#[derive(Debug, Clone, Copy)]
pub struct Objects {
    array: bool,
}

impl Objects {
    /// Elements of one array, or else JSON Lines.
    #[must_use]
    pub const fn new(array: bool) -> Self {
        Self { array }
    }

    /// Appends the first object.
    pub fn open(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.array {
            out.extend_from_slice(b"[\n");
        }
        write(out);
        self.end(out);
    }

    /// Appends another object.
    pub fn next(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.array {
            out.extend_from_slice(b",\n");
        }
        write(out);
        self.end(out);
    }

    /// Appends what stands behind the last object.
    pub fn close(&self, out: &mut Vec<u8>) {
        if self.array {
            out.extend_from_slice(b"\n]\n");
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        if !self.array {
            out.push(b'\n');
        }
    }
}
