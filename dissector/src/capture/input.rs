//! Where captures come from. The command line implements this for files and standard input; the library opens nothing
//! by itself.

use std::io::{self, Read};

/// One capture to read: a file, a pipe, bytes in memory.
pub trait Input: Send {
    /// What messages call it: a path, or `-`.
    fn name(&self) -> &str;

    /// Opens it at its beginning. Called again after the first time only if [`Input::reopenable`].
    ///
    /// # Errors
    ///
    /// Whatever keeps the input from being opened; it is handed on as [`Error::Open`](super::Error::Open).
    fn open(&mut self) -> io::Result<Box<dyn Read + Send>>;

    /// Opens it at `offset` bytes from its beginning; past its end there is nothing to read. Only called if
    /// [`Input::reopenable`]. Of inputs that can seek this should cost nothing; unless implemented, it reads up to there.
    ///
    /// # Errors
    ///
    /// As for [`Input::open`]; the input cannot be read any further.
    fn open_at(&mut self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut source = self.open()?;
        io::copy(&mut source.by_ref().take(offset), &mut io::sink())?;
        Ok(source)
    }

    /// Its size in bytes, where that is known before reading.
    fn size(&self) -> Option<u64> {
        None
    }

    /// Whether a second [`Input::open`] gives the same bytes again. Not so for standard input and other pipes, which are
    /// therefore held open from the start.
    fn reopenable(&self) -> bool;
}
