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

    /// Whether a second [`Input::open`] gives the same bytes again. Not so for standard input and other pipes, which are
    /// therefore held open from the start.
    fn reopenable(&self) -> bool;
}
