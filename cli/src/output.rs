//! Standard output and standard error: results buffered and their flush checked, errors on one line.

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::filter::FilterError;
use cti_dissector::render::text::is_harmless;

/// Standard output, buffered. Nothing counts as written before [`Output::finish`].
pub struct Output {
    sink: BufWriter<Box<dyn Write>>,
}

impl Output {
    /// Opens standard output; `color` makes a console show colours that would not by itself.
    pub fn stdout(color: bool) -> Self {
        let stdout = io::stdout();
        let sink: Box<dyn Write> = if color {
            Box::new(anstream::AutoStream::always(stdout))
        } else {
            Box::new(stdout)
        };
        Self {
            sink: BufWriter::with_capacity(64 * 1024, sink),
        }
    }

    /// Writes out what is buffered; an error here is an error of the whole run.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.sink.flush().context("standard output")
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Prints a text to standard output.
pub fn show(text: &str) -> anyhow::Result<ExitCode> {
    let mut out = Output::stdout(false);
    out.write_all(text.as_bytes()).context("standard output")?;
    out.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// Prints an error with all its causes on one line of standard error; below it the place, when it is in a filter expression. Nothing can be
/// done when that fails.
pub fn complain(error: &anyhow::Error) {
    let mut stderr = io::stderr();
    let _ = writeln!(stderr, "ctishark: {}", on_one_line(&format!("{error:#}")));
    let in_filter = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<FilterError>());
    if let Some(error) = in_filter {
        for line in error.pointer().lines() {
            let _ = writeln!(stderr, "  {line}");
        }
    }
}

/// A text on one line, without what could disturb a terminal.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => line.push(' '),
            c if is_harmless(c) => line.push(c),
            c => line.extend(c.escape_unicode()),
        }
    }
    line
}

/// Prints a remark on one line of standard error.
pub fn remark(text: &str) {
    complain(&anyhow::Error::msg(text.to_owned()));
}

/// What came of writing, where the exit code is an answer: that stands, whether or not somebody reads to the end.
pub fn whoever_reads(written: anyhow::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        written => written,
    }
}

/// Whether an error comes from a reader of our output that has gone away.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(broken)
}

fn broken(cause: &(dyn Error + 'static)) -> bool {
    let kind = cause
        .downcast_ref::<io::Error>()
        .map(io::Error::kind)
        .or_else(|| cause.downcast_ref::<serde_json::Error>()?.io_error_kind());
    kind == Some(io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pipe_is_found_anywhere_in_the_chain() {
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        let error = anyhow::Error::from(pipe)
            .context("writing")
            .context("timeline");
        assert!(is_broken_pipe(&error));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(!is_broken_pipe(&anyhow::Error::from(full)));
    }

    #[test]
    fn a_name_in_an_error_cannot_disturb_the_terminal() {
        assert_eq!(
            on_one_line("a\nb\u{202e}c\u{9b}d\u{2028}é"),
            "a b\\u{202e}c d\\u{2028}é"
        );
    }
}
